"""Entry point of ``vaetools`` and ``python -m vaetools``: turns every failure into one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from vaetools.cli import vaetools

FAILED, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Without the program's name; None takes those of the process.

    Returns
    -------
    status : int
        0, or 2 after an error, or 130 after Ctrl-C. Errors print one line to standard error.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        status = vaetools.main(arguments, prog_name="vaetools", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted; no file was changed.", INTERRUPTED)
    except click.ClickException as error:
        return _say(error.format_message(), FAILED)
    except (OSError, ValueError) as error:
        return _say(str(error), FAILED)
    except Exception as error:
        return _say(f"{type(error).__name__}: {error}", FAILED)
    return status if isinstance(status, int) else 0


def _say(message: str, status: int) -> int:
    """Print a message on one line of standard error, and return the status."""
    click.echo(f"vaetools: {' '.join(message.split())}", err=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
