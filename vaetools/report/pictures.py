"""Rows of pixels as pictures: to look at, strips of them, and the sprites that thumbnails are cut from."""

import base64
import io
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vaetools.files import folder_atomically
from vaetools.words import printable

if TYPE_CHECKING:
    from PIL import Image

GAP = 128  # gray: stands out from black and from white
_VISIBLE = 64  # pixels that an image is enlarged to, at most
THUMBNAIL = 32  # pixels of the longer side of a thumbnail
_LARGEST = 64  # pixels of the longer side of an image in a strip
_CRISP = 32  # up to here images are stored without loss and shown as squares
_MOST_PIXELS = 12_000_000  # of a sprite: more take a browser long to decode
_QUALITIES = (80, 60, 40, 20)
_LARGEST_SIDE = 8192  # pixels of a sprite that browsers draw


class Pictures(NamedTuple):
    """Strips of images under one heading, as `strip` returns them."""

    title: str
    strips: list[dict[str, Any]]
    caption: str = ""
    narrow: bool = False
    kind: str = "pictures"


class Cards(NamedTuple):
    """Rows one by one: a picture or the surprising columns, a name, and what is known of each."""

    title: str
    cards: list[dict[str, Any]]
    caption: str
    kind: str = "cards"


def picture(
    rows: Any,
    image_shape: tuple[int, int, int] | None = None,
    *,
    n_columns: int | None = None,
    zoom: int | None = None,
) -> "Image.Image":
    """Return images side by side as one picture, which notebooks show.

    Parameters
    ----------
    rows : array-like of shape (n_images, n_features) or (n_images, height, width, channels)
        Reconstructions, samples, decoded paths or overlays: 8-bit pixels, or floats in [0, 1] (what lies
        outside is clipped).
    image_shape : tuple of int or None, default=None
        (channels, height, width) of flat rows, with 1 or 3 channels.
    n_columns : int or None, default=None
        Images side by side; by default as many as make the picture about square.
    zoom : int or None, default=None
        Pixels in each direction that one pixel becomes; by default small images are enlarged to at most 64.

    Returns
    -------
    picture : PIL.Image.Image
        Gray or RGB, in reading order with a gray line between the images; ``save`` writes it.

    Raises
    ------
    ValueError
        If rows are no images of that shape, or a number is below 1.

    Examples
    --------
    >>> rows = np.linspace(0, 1, 3 * 64).reshape(3, 64)
    >>> picture(rows, (1, 8, 8), n_columns=3, zoom=2).size
    (52, 16)
    """
    from PIL import Image

    images = _images(np.asarray(rows), image_shape)
    n, channels, height, width = images.shape
    for name, value in (("n_columns", n_columns), ("zoom", zoom)):
        if value is not None and value < 1:
            raise ValueError(f"picture: {name} must be at least 1, or None; got {value}.")
    n_columns = min(n, n_columns or math.ceil(math.sqrt(n * height / width)))
    zoom = zoom or max(1, _VISIBLE // max(height, width))
    tiles = tile(images, (channels, height, width), n_columns)  # RGBA
    pixels = np.where(tiles[..., 3:] == 0, np.uint8(GAP), tiles[..., :channels])
    large = pixels.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return Image.fromarray(large[..., 0] if channels == 1 else large)


def _images(rows: np.ndarray, image_shape: tuple[int, int, int] | None) -> np.ndarray:
    """Return rows in the shape (n_images, channels, height, width)."""
    flat = rows.ndim == 2 and image_shape is not None and rows.shape[1] == math.prod(image_shape)
    whole = rows.ndim == 4 and image_shape is None
    shape = tuple(image_shape or ()) if flat else (*rows.shape[3:], *rows.shape[1:3])
    if not (flat or whole) or not len(rows) or shape[0] not in (1, 3) or 0 in shape:
        raise ValueError(
            "picture: rows must be one or more images of 1 or 3 channels, of shape (n_images, n_features) "
            "with image_shape=(channels, height, width) or of shape (n_images, height, width, channels) "
            f"without; got shape {rows.shape} with image_shape={image_shape}."
        )
    return rows.reshape(-1, *shape) if flat else rows.transpose(0, 3, 1, 2)


def pixels_of(rows: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return rows that are 8-bit or in [0, 1] as 8-bit images ``(n_images, height, width, channels)``."""
    pixels = rows if rows.dtype == np.uint8 else np.rint(255 * np.clip(rows, 0, 1)).astype(np.uint8)
    return pixels.reshape(-1, *image_shape).transpose(0, 2, 3, 1)


def tile(rows: np.ndarray, image_shape: tuple[int, int, int], n_columns: int) -> np.ndarray:
    """Return one RGBA picture of images, in reading order; gaps and missing images are transparent."""
    return _tiled(pixels_of(rows, image_shape), n_columns)


def _tiled(images: np.ndarray, n_columns: int) -> np.ndarray:
    """Return 8-bit images, gray or RGB, as `tile` does."""
    pixels = np.full((*images.shape[:3], 4), 255, dtype=np.uint8)
    pixels[..., :3] = images
    return mosaic(pixels, n_columns, gap=1)


def mosaic(images: np.ndarray, n_columns: int, *, n_rows: int | None = None, gap: int = 0) -> np.ndarray:
    """Return images of shape (n_images, height, width, channels) as one, with gaps of zeros."""
    n, height, width, channels = images.shape
    n_rows = -(-n // n_columns) if n_rows is None else n_rows
    whole = np.zeros((n_rows * n_columns, height + gap, width + gap, channels), images.dtype)
    whole[:n, :height, :width] = images
    whole = whole.reshape(n_rows, n_columns, height + gap, width + gap, channels).transpose(0, 2, 1, 3, 4)
    whole = whole.reshape(n_rows * (height + gap), n_columns * (width + gap), channels)
    return whole[: len(whole) - gap, : whole.shape[1] - gap]


def photo(row: np.ndarray, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Return one image of pixels in [0, 1] at its own resolution, gray or RGB, without an alpha channel."""
    (image,) = pixels_of(row, image_shape)
    picture: np.ndarray = image[..., 0] if image_shape[0] == 1 else image
    return picture


def make_thumbnails(
    rows: np.ndarray, image_shape: tuple[int, int, int], *, longest: int = THUMBNAIL
) -> np.ndarray:
    """Return 8-bit images as `pixels_of` does, of at most so many pixels a side."""
    from PIL import Image

    images = np.ascontiguousarray(pixels_of(rows, image_shape))
    channels, height, width = image_shape
    shrink = longest / max(height, width)
    if shrink >= 1:
        return images
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    plain = images[..., 0] if channels == 1 else images
    small = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in plain]
    return np.stack(small).reshape(-1, size[1], size[0], channels)


def strip(
    name: str, rows: np.ndarray, image_shape: tuple[int, int, int], words: str, n_columns: int | None = None
) -> dict[str, Any]:
    """Return rows of pixels in [0, 1], shrunk to at most 64 a side, as `thumbnail_strip` does."""
    return thumbnail_strip(name, make_thumbnails(rows, image_shape, longest=_LARGEST), words, n_columns)


def thumbnail_strip(
    name: str, thumbnails: np.ndarray, words: str, n_columns: int | None = None
) -> dict[str, Any]:
    """Return thumbnails, ``(n_images, height, width, channels)``, in one picture, a row or a grid (``uri``).

    Its name says in a few words what it shows, "" if a heading says so, and its words say so to who cannot
    see it; single pixels of a ``crisp`` one are shown as squares.
    """
    n_columns = len(thumbnails) if n_columns is None else n_columns
    crisp = max(thumbnails.shape[1:3]) <= _CRISP
    uri = webp_uri(_tiled(thumbnails, n_columns), None if crisp else 85)
    return {"name": name, "uri": uri, "words": words, "n_columns": n_columns, "crisp": crisp}


def sprite(thumbnails: np.ndarray, n_bytes: int) -> dict[str, Any]:
    """Return all thumbnails in one picture of about so many bytes: more if even poor quality takes more.

    That is the picture (``uri``), images side by side (``n_columns``), and ``width`` and ``height`` of one in
    pixels: smaller than those given where they are very many.
    """
    n_columns = math.ceil(math.sqrt(len(thumbnails)))
    colors = np.broadcast_to(thumbnails, (*thumbnails.shape[:3], 3))  # gray becomes three equal channels
    picture = mosaic(colors, n_columns)
    shrink = math.sqrt(_MOST_PIXELS / (picture.shape[0] * picture.shape[1]))
    picture, height, width = _shrunk(picture, thumbnails, shrink)
    for quality in _QUALITIES:
        uri = webp_uri(picture, quality)
        if len(uri) * 3 / 4 <= n_bytes:
            break
    return {"uri": uri, "n_columns": n_columns, "width": width, "height": height}


def _shrunk(picture: np.ndarray, images: np.ndarray, shrink: float) -> tuple[np.ndarray, int, int]:
    """Return a mosaic of images, each shrunk if it is to be, and how high and wide each is then."""
    from PIL import Image

    _, height, width, _ = images.shape
    if shrink >= 1:
        return picture, height, width
    n_rows, n_columns = picture.shape[0] // height, picture.shape[1] // width
    height, width = max(1, int(height * shrink)), max(1, int(width * shrink))
    small = Image.fromarray(picture).resize((n_columns * width, n_rows * height), Image.Resampling.BOX)
    return np.asarray(small), height, width


def write_projector(
    folder: str | os.PathLike[str], names: Sequence[str], codes: np.ndarray, thumbnails: np.ndarray | None
) -> None:
    """Write a folder for TensorBoard's embedding projector: vectors, names, a sprite, and what names them.

    ``tensorboard --logdir folder`` shows them; so does any page that loads tab-separated vectors. The folder
    is made if there is none; files of these names in it are replaced. Thumbnails are those of
    `make_thumbnails`, drawn smaller if there are too many for one picture.
    """
    from PIL import Image

    lines = ["\t".join(f"{value:.6g}" for value in code) for code in codes]
    files = {"vectors.tsv": ("\n".join(lines) + "\n").encode()}
    files["metadata.tsv"] = ("\n".join(map(printable, names)) + "\n").encode()
    config = 'embeddings {\n  tensor_name: "codes"\n  tensor_path: "vectors.tsv"\n'
    config += '  metadata_path: "metadata.tsv"\n'
    if thumbnails is not None:
        n_side = math.ceil(math.sqrt(len(thumbnails)))
        grid = mosaic(thumbnails, n_side, n_rows=n_side)
        grid = grid[..., 0] if thumbnails.shape[3] == 1 else grid
        grid, height, width = _shrunk(grid, thumbnails, _LARGEST_SIDE / max(grid.shape[:2]))
        sprite = io.BytesIO()
        Image.fromarray(grid).save(sprite, format="PNG")
        files["sprite.png"] = sprite.getvalue()
        config += (
            '  sprite {\n    image_path: "sprite.png"\n'
            f"    single_image_dim: {width}\n    single_image_dim: {height}\n  }}\n"
        )
    files["projector_config.pbtxt"] = (config + "}\n").encode()
    with folder_atomically(folder) as temporary:  # all of them, or none
        for name, content in files.items():
            (temporary / name).write_bytes(content)


def png_uri(picture: np.ndarray) -> str:
    """Return a gray, RGB or RGBA picture as a ``data:image/png`` address."""
    return _uri(picture, "PNG", optimize=True)


def webp_uri(picture: np.ndarray, quality: int | None) -> str:
    """Return a picture as a ``data:image/webp`` address, without loss where the quality is None."""
    return _uri(picture, "WEBP", lossless=quality is None, quality=quality or 80, exact=False)


def _uri(picture: np.ndarray, form: str, **options: Any) -> str:
    """Return a picture as an address that holds it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format=form, **options)
    return f"data:image/{form.lower()};base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
