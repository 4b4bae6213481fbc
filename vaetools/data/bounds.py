"""What decoding an image may cost, known from its header before a pixel is decoded.

A small file can claim any size: it must cost no more than a large one that is meant.
"""

from __future__ import annotations

from typing import Any

from vaetools.data.depth import has_16_bits
from vaetools.data.tiff import n_pieces, tile_pixels

MAX_PIXELS = 89_478_485  # Pillow's own
MAX_SIDE = 2**16  # pixels: the weights of scaling a line grow with its length
MAX_BYTES = 480_000_000
MAX_PIECES = 2**20  # strips or tiles: Pillow keeps the place of each
_PIXEL = 4  # bytes that Pillow keeps of one, of gray at most
# bytes beside, for copies that decoders and scaling make
_TRANSPARENT, _DEEP, _DEEP_COLOR, _DEEP_TRANSPARENT, _COEFFICIENTS = 8, 10, 14, 12, 6
_BUFFERED = {"WEBP": 12, "AVIF": 12, "HEIF": 12}


def check_claims(file: Any) -> None:
    """Raise for a file, not yet opened, that counts more strips or tiles than are read."""
    n = n_pieces(file)
    file.seek(0)
    if n > MAX_PIECES:
        raise ValueError(f"{n:,} strips or tiles; at most {MAX_PIECES:,} are read")


def check_cost(image: Any) -> None:
    """Raise for an opened image whose decoding would take too much memory."""
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise ValueError(f"{width}×{height} pixels; sides of at most {MAX_SIDE:,} are read")
    n_pixels, beside = width * height, _bytes_beside(image)
    if image.format == "TIFF":
        n_pixels = max(n_pixels, tile_pixels(image))
    most = min(MAX_PIXELS, MAX_BYTES // (_PIXEL + beside))
    if n_pixels > most:
        raise ValueError(f"{width}×{height} pixels; at most {most:,} are read")


def _bytes_beside(image: Any) -> int:
    """Return bytes per pixel that are needed beside the image."""
    see_through = image.has_transparency_data
    if has_16_bits(image):
        gray = image.mode.startswith("I")
        return (_DEEP if gray else _DEEP_COLOR) + _DEEP_TRANSPARENT * see_through
    coefficients = _COEFFICIENTS if image.info.get("progressive") else 0
    return max(_TRANSPARENT * see_through, coefficients, _BUFFERED.get(image.format, 0))
