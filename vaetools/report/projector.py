"""A folder for TensorBoard's embedding projector: vectors, names and pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaetools.files import atomically, write_atomically
from vaetools.report.pictures import mosaic
from vaetools.words import printable

_SPRITE = 8192  # pixels of a side at most, or browsers will not draw it


def write_projector(
    folder: str | os.PathLike[str], names: Sequence[str], codes: np.ndarray, thumbnails: np.ndarray | None
) -> None:
    """Write vectors, metadata, a sprite and the configuration that names them.

    ``tensorboard --logdir folder`` shows them; so does any page that loads tab-separated vectors.

    Parameters
    ----------
    folder : path
        Made if there is none; files of these names in it are replaced.
    names : sequence of str
        What every row is called.
    codes : ndarray of shape (n_samples, n_components)
    thumbnails : ndarray of shape (n_samples, height, width, channels) or None
        From `make_thumbnails`. All are drawn smaller if there are too many for one picture.
    """
    from PIL import Image

    target = Path(folder)
    target.mkdir(exist_ok=True)
    lines = ["\t".join(f"{value:.6g}" for value in code) for code in codes]
    write_atomically(target / "vectors.tsv", ("\n".join(lines) + "\n").encode())
    write_atomically(target / "metadata.tsv", ("\n".join(map(printable, names)) + "\n").encode())
    config = 'embeddings {\n  tensor_name: "codes"\n  tensor_path: "vectors.tsv"\n'
    config += '  metadata_path: "metadata.tsv"\n'
    if thumbnails is not None:
        _, height, width, channels = thumbnails.shape
        n_side = math.ceil(math.sqrt(len(thumbnails)))
        grid = mosaic(thumbnails, n_side, n_rows=n_side)
        shrink = min(1.0, _SPRITE / max(grid.shape[:2]))
        height, width = max(1, int(height * shrink)), max(1, int(width * shrink))
        sprite = Image.fromarray(grid[..., 0] if channels == 1 else grid)
        if sprite.size != (n_side * width, n_side * height):
            sprite = sprite.resize((n_side * width, n_side * height), Image.Resampling.BOX)
        with atomically(target / "sprite.png") as temporary:
            sprite.save(temporary, format="PNG")
        config += (
            '  sprite {\n    image_path: "sprite.png"\n'
            f"    single_image_dim: {width}\n    single_image_dim: {height}\n  }}\n"
        )
    write_atomically(target / "projector_config.pbtxt", (config + "}\n").encode())
