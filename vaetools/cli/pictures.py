"""Pictures as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from vaetools.files import write_atomically

if TYPE_CHECKING:
    from PIL import Image


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture, replacing the file once it is whole."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    write_atomically(path, buffer.getvalue())
