"""What commands write: where they may, whether there is room, and how it comes there whole."""

import contextlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.command import misuse
from vaetools.cli.saying import say
from vaetools.words import file_size

if TYPE_CHECKING:
    from PIL import Image

TABLES = (".csv", ".parquet")  # what files of tables end in
_LEAST_ROOM = 10_000  # bytes: where fewer are left, a disk is full


def check_output(
    path: Path | None, suffixes: tuple[str, ...], inputs: Sequence[Any] = (), option: str = "--output"
) -> None:
    """Raise, before any work is done, where a file cannot be written, or is an input or would become one.

    Without suffixes it is a folder.
    """
    from tempfile import TemporaryFile

    if path is None:
        return
    place = Path(os.path.realpath(path))
    if suffixes and path.suffix.lower() not in suffixes:
        raise misuse(option, f"must end in {' or '.join(suffixes)}; got {str(path)!r}.")
    for given in filter(None, inputs):
        top = Path(os.path.realpath(given))
        lies_in = top.is_dir() and (top in place.parents or (top == place and not suffixes))
        if lies_in and (not suffixes or _would_read(path, given)):
            came = f"{str(path)!r} lies in {str(given)!r}, and would be read as data from then on"
            raise misuse(option, f"{came}. Name another folder.")
        if top == place:
            raise misuse(option, f"{str(path)!r} is an input too, and would be lost.")
    if not path.absolute().parent.is_dir():
        raise misuse(option, f"the folder of {str(path)!r} does not exist.")
    try:
        with TemporaryFile(dir=place.parent):
            pass
    except OSError as error:
        raise misuse(option, f"{str(path)!r} cannot be written: {error.strerror}.") from None
    check_room(path, _LEAST_ROOM, option, "needs some room")


def _would_read(path: Path, folder: Any) -> bool:
    """Return whether a file of this name is read where it lies in a folder of data."""
    from vaetools.data.formats import EXTENSIONS, Called
    from vaetools.data.sources import kind_of

    is_table = Called(path).table is not None
    return path.suffix.lower() in EXTENSIONS or (is_table and kind_of(folder) == "table")


def check_room(path: Path, n_bytes: int, option: str = "--output", need: str | None = None) -> None:
    """Raise, before any work is done, where a disk has too little room for a file.

    Of about so many bytes, which is said unless ``need`` is.
    """
    from shutil import disk_usage

    free = disk_usage(Path(os.path.realpath(path)).parent).free
    if free < n_bytes:
        takes = need or f"will take about {file_size(n_bytes)}"
        left = f"{str(path)!r} {takes}, and {file_size(free)} are left there"
        raise misuse(option, f"{left}. Make room, or name a file on another disk.")


def write_png(path: Path, picture: "Image.Image") -> None:
    """Write a picture, replacing the file once it is whole."""
    from vaetools.files import write_atomically

    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


def save_somewhere(reader: Any, model: Any, output: Path) -> Path:
    """Write a model, behind its reader of images, if any, to a file, or where that fails to another."""
    import shutil
    import tempfile

    from sklearn.pipeline import make_pipeline

    from vaetools import save

    model.set_params(verbose=0)
    if reader is not None:
        model = make_pipeline(reader.set_params(verbose=0), model)
    try:
        save(model, output)
        return output
    except OSError as error:
        reason = error
    for folder in (tempfile.gettempdir(), Path.home(), Path.cwd()):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            spare = Path(tempfile.mkdtemp(prefix="vaetools-", dir=folder), output.name)
            stack.callback(shutil.rmtree, spare.parent, ignore_errors=True)
            save(model, spare)
            stack.pop_all()
            say(f"vaetools: the model could not be written: {reason}. It is kept as {spare}: move it.")
            return spare
    raise click.ClickException(
        f"the model could not be written: {reason}, nor anywhere else. With --checkpoint the same command "
        "would not train again."
    ) from reason
