"""What ``vaetools`` can be told to do: a file per subcommand in ``commands``, imported when it is called."""

import importlib
import pkgutil
from pathlib import Path

import click

_ORDER = "fit score labels embed explore info recalibrate watch sample morph report similar export demo"


def command_names() -> list[str]:
    """Return the subcommands: modules that each hold one under their own name, as most people meet them."""
    found = [module.name for module in pkgutil.iter_modules([str(Path(__file__).with_name("commands"))])]
    order = _ORDER.split()
    return [name for name in order if name in found] + sorted(set(found).difference(order))


def command_named(name: str) -> click.Command:
    """Return a subcommand."""
    command: click.Command = getattr(importlib.import_module(f"vaetools.cli.commands.{name}"), name)
    return command
