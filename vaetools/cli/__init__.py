"""The command ``vaetools``: a file per subcommand in ``commands``, imported when it is called."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import click

from vaetools import __version__
from vaetools.cli.process import until_seen_enough
from vaetools.words import did_you_mean

_ORDER = "fit score labels embed info recalibrate sample morph report similar export demo"


def command_names() -> list[str]:
    """Return the subcommands: modules that each hold one under their own name, as most people meet them."""
    found = [module.name for module in pkgutil.iter_modules([str(Path(__file__).with_name("commands"))])]
    order = _ORDER.split()
    return [name for name in order if name in found] + sorted(set(found).difference(order))


def command_named(name: str) -> click.Command:
    """Return a subcommand."""
    return getattr(importlib.import_module(f"vaetools.cli.commands.{name}"), name)


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
