"""What a sample of images decides for all of them: size and depth."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from vaetools.data.decoding import ImageFileError, inspect_depth
from vaetools.data.depth import FULL_RANGE, UINT8, Depth, common_type

_KEPT, _SCALED = 128, 64  # pixels: of images that keep their size, and of what larger ones become
_LOOKED_AT = 64  # readable images that decide what is not said


_TAKEN = {
    True: f"8-bit levels are taken times {FULL_RANGE}, right only beside images that use all 16 bits",
    False: "those of 16 lose the lower byte",
}


def look_at_some(
    sources: Sequence, look: Callable[[Any], Any]
) -> tuple[dict[int, Any], ImageFileError | None]:
    """Return what a look at a sample of images tells, by their number, and an error if there was one."""
    looks: dict[int, Any] = {}
    unreadable = None
    for i in np.random.RandomState(0).permutation(len(sources)):
        try:
            looks[i] = look(sources[i])
        except ImageFileError as error:
            unreadable = error
        if len(looks) == _LOOKED_AT:
            break
    return looks, unreadable


def type_for(depths: Iterable[Depth]) -> str:
    """Return the type of rows for images of some depths; warn where some are read with fewer bits."""
    depths = list(depths)
    if n_cut := sum(depth.is_cut for depth in depths):
        warnings.warn(
            "ImageReader: colors of 16 bits are read whole from PNG and RGB TIFF files, with the package "
            f"opencv-python-headless; got {n_cut:,} of {len(depths):,} images looked at that keep the upper "
            "8 bits. Install it, or convert them.",
            stacklevel=4,
        )
    return common_type([depth.dtype for depth in depths])


def warn_of_depth(sources: Sequence, dtype: str) -> None:
    """Warn where images have another number of bits than those that a reader was fitted on."""
    if not len(sources) or type(sources[0]) is not str:  # at an address, a look is a whole file
        return
    looks, _ = look_at_some(sources, inspect_depth)
    is_deep = dtype != UINT8
    n_others = sum((depth.dtype != UINT8) != is_deep for depth in looks.values())
    if n_others:
        bits, others = (16, 8) if is_deep else (8, 16)
        warnings.warn(
            f"ImageReader: images should have {bits} bits, as most of those have that it was fitted on; "
            f"got {others} bits in {n_others:,} of {len(looks):,} that were looked at: {_TAKEN[is_deep]}. "
            "Convert them, or their verdicts mean nothing.",
            stacklevel=4,
        )


def working_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the size (height, width) that suits images of some sizes, at a cost that can be borne."""
    if len(sizes) == 1 and max(sizes[0]) <= _KEPT:
        return sizes[0]
    side = min(max(map(max, sizes)), _SCALED)
    scaled = {(max(1, round(side * h / max(h, w))), max(1, round(side * w / max(h, w)))) for h, w in sizes}
    return scaled.pop() if len(scaled) == 1 else (side, side)
