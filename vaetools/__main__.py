"""Entry point of ``vaetools`` and ``python -m vaetools``: turns every failure into one line."""

import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click

from vaetools.cli import vaetools
from vaetools.cli.process import SeenEnough, interruptible, standard_streams, status_of
from vaetools.cli.saying import FAILED, in_options
from vaetools.files import without_room
from vaetools.words import printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Without the program's name; None takes those of the process.

    Returns
    -------
    status : int
        0, also where whoever read standard output had seen enough; 1 if it finished but some files or
        rows could not be read; 2 after an error; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
        Errors print one line to standard error.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    with standard_streams():
        try:
            with interruptible(), warnings.catch_warnings():
                warnings.showwarning = _say_once()
                status = vaetools.main(arguments, prog_name="vaetools", standalone_mode=False)
            return status if isinstance(status, int) else 0
        except (click.Abort, KeyboardInterrupt) as interruption:
            return _say("interrupted; no file is left half-written.", status_of(interruption))
        except SeenEnough:
            return 0
        except click.ClickException as error:
            return _say(error.format_message(), FAILED)
        except OSError as error:
            return _say(without_room(error) or str(error), FAILED)
        except (ValueError, ImportError) as error:
            return _say(str(error), FAILED)
        except Exception as error:
            return _say(f"{type(error).__name__}: {error}", FAILED)


def _say_once() -> Callable[..., None]:
    """Return what prints warnings, each on one line, without the place in the code, and not twice."""
    said: set[str] = set()

    def say(message: Warning | str, *where: Any) -> None:
        if str(message) not in said:
            _say(f"warning: {message}", 0)
        said.add(str(message))

    return say


def _say(message: str, status: int) -> int:
    """Print a message on one line of standard error, and return the status."""
    click.echo(f"vaetools: {printable(' '.join(in_options(message).split()))}", err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
