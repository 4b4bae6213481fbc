"""A trained model is worth more than the place where it was to be: it is kept somewhere."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from vaetools.cli.saying import say


def save_somewhere(model: Any, output: Path) -> Path:
    """Write a model to a file, or where that fails to one of the same name in another folder; return which.

    Raises
    ------
    OSError
        If it can be written nowhere.
    """
    from vaetools import save

    try:
        save(model, output)
        return output
    except OSError as error:
        reason = error
    for folder in (tempfile.gettempdir(), Path.home(), Path.cwd()):
        with contextlib.suppress(OSError):
            return _saved_in(folder, model, output.name, reason)
    raise click.ClickException(
        f"the model could not be written: {reason}, nor anywhere else. With --checkpoint the same command "
        "would not train again."
    ) from reason


def _saved_in(folder: Any, model: Any, name: str, reason: OSError) -> Path:
    """Write a model to a new folder in another, and say so."""
    from vaetools import save

    with contextlib.ExitStack() as stack:
        spare = Path(tempfile.mkdtemp(prefix="vaetools-", dir=folder))
        stack.callback(shutil.rmtree, spare, ignore_errors=True)
        save(model, spare / name)
        stack.pop_all()
    say(f"vaetools: the model could not be written: {reason}. It is kept as {spare / name}: move it.")
    return spare / name
