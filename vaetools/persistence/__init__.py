"""Models in files that run no code: `save`, `load`, and what a file may say.

Names are resolved when they are asked for, so that the header of a file is read without PyTorch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaetools.persistence.model_file import load, save, split_reader

__all__ = ["load", "save", "split_reader"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vaetools.persistence' has no attribute {name!r}")
    return getattr(importlib.import_module("vaetools.persistence.model_file"), name)
