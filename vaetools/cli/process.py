"""How a process ends that is asked to, and where its standard streams are closed or nobody reads them."""

import contextlib
import errno
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import click

_IMPORT = "<frozen importlib._bootstrap>"
_SECONDS = 0.05  # until a signal that came while something was imported comes again
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows does not have the last


class Interrupted(KeyboardInterrupt):
    """A signal came that asks the process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def status_of(interruption: BaseException) -> int:
    """Return the exit status of a process that was interrupted so, or by what it was raised from."""
    reasons = [each for each in (interruption, interruption.__cause__) if isinstance(each, Interrupted)]
    return reasons[0].status if reasons else 128 + signal.SIGINT


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the block where a signal asks to end, so that everything cleans up.

    Signals that are ignored, as after ``nohup``, or that somebody else handles are left alone.
    """
    here = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in _NAMES if here and hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    ours = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) in usual}
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):  # C++ that imports what raises, as PyTorch does, aborts the process
            again = threading.Timer(_SECONDS, os.kill, (os.getpid(), number))
            again.daemon = True
            return again.start()
        came.append(number)
        raise Interrupted(number)

    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    except (KeyboardInterrupt, click.Abort) as interruption:
        if came:  # compiled code raises one of its own instead
            raise Interrupted(came[-1]) from interruption
        raise
    finally:
        for number, before in ours.items():
            signal.signal(number, before)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a frame is that of an import, or called by one."""
    while frame is not None and frame.f_code.co_filename != _IMPORT:
        frame = frame.f_back
    return frame is not None


class SeenEnough(Exception):
    """Whoever read standard output has gone away, as ``head`` does: no failure."""


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Let the block write to standard output and standard error, whatever became of them.

    What is said to a standard error that is closed or broken is lost, and nothing else. Where standard output
    is closed, to write a result is an error, and to write none is none.
    """
    before = sys.stdout, sys.stderr
    # closed descriptors get the null device, or the next file to be opened, here or by a worker, is one
    while (file := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(file, True)
    os.close(file)
    with open(os.devnull, "w") as nowhere:
        sys.stdout = _Closed() if sys.stdout is None else sys.stdout
        sys.stderr = nowhere if sys.stderr is None else _Careless(sys.stderr)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before


@contextlib.contextmanager
def until_seen_enough() -> Iterator[None]:
    """Raise `SeenEnough` where the reader of standard output has gone away."""
    try:
        try:
            yield
        except click.exceptions.Exit:  # after help, say
            sys.stdout.flush()
            raise
        sys.stdout.flush()
    except BrokenPipeError as error:
        if not _is_broken(sys.stdout):
            raise click.ClickException(f"a process that worked for this one has ended: {error}.") from error
        _discard()
        raise SeenEnough from None
    except EOFError as error:  # which click takes for a user who has left
        reason = str(error) or "what was read ended too soon"
        raise click.ClickException(f"EOFError: {reason}.") from error
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _discard()
        raise click.ClickException(f"standard output: {error.strerror}.") from error


def tell(text: str) -> None:
    """Print what a command says beside the file that it writes, which goes on where that cannot be printed.

    Somebody who has seen enough wants no more; any other reason is said, once.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        _discard()
    except (click.ClickException, OSError) as error:
        reason = "standard output is closed"
        if isinstance(error, OSError):
            reason = f"standard output: {error.strerror}"
            _discard()
        else:
            sys.stdout = io.StringIO()  # which nobody reads
        click.echo(f"vaetools: {reason}: what the command found out is not shown.", err=True)


def _discard() -> None:
    """Drop what was not written to standard output, or Python complains at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_broken(stream: Any) -> bool:
    """Whether nobody reads any more what is written to a pipe."""
    if not hasattr(select, "poll"):  # on Windows
        return True
    poll = select.poll()
    poll.register(stream, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


class _Closed(io.TextIOBase):
    """Standard output that was closed before the process began."""

    def write(self, text: str) -> int:
        """Refuse to write anything."""
        if text:
            raise click.ClickException("standard output is closed, and there are results to write to it.")
        return 0


class _Careless:
    """A stream whose errors are nobody's concern."""

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write as far as that is possible."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush as far as that is possible."""
        with contextlib.suppress(OSError):
            self._stream.flush()
