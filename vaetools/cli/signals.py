"""A request to end, by the system or a closed terminal: what Ctrl-C does, with a status of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import click

_IMPORT = "<frozen importlib._bootstrap>"
_SECONDS = 0.05  # until a signal that came while something was imported comes again
_NAMES = ("SIGTERM", "SIGHUP")  # Windows does not have the second


class Interrupted(KeyboardInterrupt):
    """A signal came that asks the process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def status_of(interruption: BaseException) -> int:
    """Return the exit status of a process that was interrupted so, or by what it was raised from."""
    reasons = _reasons(interruption)
    return reasons[0].status if reasons else 128 + signal.SIGINT


def _reasons(interruption: BaseException) -> list[Interrupted]:
    """Return the signal among an interruption and what it was raised from, if one is there."""
    return [each for each in (interruption, interruption.__cause__) if isinstance(each, Interrupted)]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the block where a signal asks to end, so that everything cleans up.

    Signals that are ignored, as after ``nohup``, or that somebody else handles are left alone.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    here = threading.current_thread() is threading.main_thread()
    ours = [number for number in numbers if here and signal.getsignal(number) is signal.SIG_DFL]
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):  # C++ that imports what raises, as PyTorch does, aborts the process
            return _ask_again(number)
        came.append(number)
        raise Interrupted(number)

    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    except (KeyboardInterrupt, click.Abort) as interruption:
        if came and not _reasons(interruption):  # compiled code raises one of its own instead
            raise Interrupted(came[-1]) from interruption
        raise
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _ask_again(number: int) -> None:
    """Send this process a signal in a moment."""
    again = threading.Timer(_SECONDS, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a frame is that of an import, or called by one."""
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return frame is not None
