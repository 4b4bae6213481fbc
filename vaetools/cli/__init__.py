"""The command ``vaetools``: a file per subcommand, imported when it is called."""

from __future__ import annotations

import importlib

import click

from vaetools import __version__

COMMANDS = (
    "fit",
    "score",
    "labels",
    "embed",
    "info",
    "recalibrate",
    "sample",
    "morph",
    "report",
    "similar",
    "export",
    "demo",
)  # modules of this package; each holds its command under its own name


class LazyGroup(click.Group):
    """A group that imports the module of a subcommand when the subcommand is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"vaetools.cli.{cmd_name}"), cmd_name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vaetools")
def vaetools() -> None:
    """Anomaly detection and embeddings with autoencoders."""
