"""Masks of defects that lie beside photographs, known by their names: they are no photographs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

_FOLDERS = {"ground_truth", "groundtruth", "gt", "mask", "masks"}
_ENDINGS = ("mask", "masks", "gt", "groundtruth", "ground_truth", "label", "seg")


class Masks(NamedTuple):
    """Files that are named like masks of others.

    Attributes
    ----------
    n : int
    example : str
        Path of the first of them.
    patterns : list of str
        Which leave them out, as of `chosen_by`.
    """

    n: int
    example: str
    patterns: list[str]


def find_masks(paths: Iterable[str]) -> Masks | None:
    """Return the files that are named like masks of others among them, or None.

    A mask lies in a folder of masks, or its name ends like one, and without that ending another file,
    which does not, is called the same.

    Parameters
    ----------
    paths : iterable of str

    Returns
    -------
    masks : Masks or None

    Examples
    --------
    >>> find_masks(["bad/1.png", "bad/2.png", "ground_truth/bad/1_mask.png", "gone_mask.png"])
    Masks(n=1, example='ground_truth/bad/1_mask.png', patterns=['ground_truth/'])
    """
    images: set[str] = set()
    suspects = []
    for path in paths:
        *folders, name = path.split(os.sep)
        stem = os.path.splitext(name)[0]
        folder = next((folder for folder in folders if folder.lower() in _FOLDERS), None)
        ending = next((end for end in _ENDINGS if stem.lower().endswith((f"_{end}", f"-{end}"))), None)
        if folder is None and ending is None:
            images.add(stem)
        else:
            pattern = f"{folder}/" if folder is not None else f"*{stem[-len(ending or '') - 1 :]}.*"
            suspects.append((path, stem if ending is None else stem[: -len(ending) - 1], pattern))
    found = [(path, pattern) for path, stem, pattern in suspects if stem in images]
    if not found:
        return None
    patterns = Counter(pattern for _, pattern in found)
    return Masks(len(found), found[0][0], [pattern for pattern, _ in patterns.most_common(3)])
