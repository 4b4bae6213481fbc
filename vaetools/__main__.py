"""The command ``vaetools``, also as ``python -m vaetools``: every failure becomes one line."""

import contextlib
import functools
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click

from vaetools import __version__
from vaetools.cli import command_named, command_names
from vaetools.cli.process import (
    SeenEnough,
    interruptible,
    standard_streams,
    status_of,
    until_seen_enough,
)
from vaetools.cli.saying import FAILED, in_options, print_json
from vaetools.files import without_room
from vaetools.words import did_you_mean, printable


class LazyGroup(click.Group):
    """A group that imports the module of a subcommand when the subcommand is asked for."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse arguments, one of which may ask for help: who reads that may have seen enough, too."""
        with until_seen_enough():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; that nobody reads its output any more is told before click calls it a failure."""
        with until_seen_enough():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands."""
        return command_names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, or say which was perhaps meant."""
        names = command_names()
        if cmd_name not in names and not cmd_name.startswith("-"):
            ctx.fail(f"No such command {cmd_name!r}.{did_you_mean(cmd_name, names)}")
        return command_named(cmd_name) if cmd_name in names else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vaetools")
def vaetools() -> None:
    """Anomaly detection and embeddings with autoencoders."""


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
        rows could not be read; 2 after an error; 3 while a watch has an alarm; 130 after Ctrl-C, 143 after
        SIGTERM, 129 after SIGHUP. Errors print one line to standard error, and with ``--json`` the same to
        standard output, as ``error``.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    warned: list[str] = []  # which commands find in their context
    fail = functools.partial(_fail, warned=warned if "--json" in arguments else None)
    with standard_streams():
        try:
            with interruptible(), warnings.catch_warnings():
                warnings.showwarning = _said_once(warned)
                status = vaetools.main(arguments, prog_name="vaetools", standalone_mode=False, obj=warned)
            return status if isinstance(status, int) else 0
        except (click.Abort, KeyboardInterrupt) as interruption:
            return fail("interrupted; no file is left half-written.", status_of(interruption))
        except SeenEnough:
            return 0
        except click.ClickException as error:
            return fail(error.format_message(), FAILED)
        except OSError as error:
            return fail(without_room(error) or str(error), FAILED)
        except (ValueError, ImportError) as error:
            return fail(str(error), FAILED)
        except Exception as error:
            return fail(f"{type(error).__name__}: {error}", FAILED)


def _said_once(warned: list[str]) -> Callable[..., None]:
    """Return what prints and keeps warnings, each once and on one line, without the place in the code."""

    def say(message: Warning | str, *where: Any) -> None:
        line = _line(str(message))
        if line not in warned:
            click.echo(f"vaetools: warning: {line}", err=True)
            warned.append(line)

    return say


def _fail(message: str, status: int, *, warned: list[str] | None) -> int:
    """Print what went wrong, for programs on standard output too, and return the status."""
    line = _line(message)
    click.echo(f"vaetools: {line}", err=True)
    if warned is not None:  # nothing stands there yet: what a command finds is the last that it does
        with contextlib.suppress(SeenEnough, click.ClickException, OSError), until_seen_enough():
            print_json({"error": line, "status": status}, warned)
    return status


def _line(message: str) -> str:
    """Return a message of the library as the command line says it, on one line."""
    return printable(" ".join(in_options(message).split()))


if __name__ == "__main__":
    sys.exit(main())
