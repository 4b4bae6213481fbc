"""Which class a model file holds, and whether that is what somebody asked for."""

import os
from typing import Any

from sklearn.pipeline import Pipeline

from vaetools.estimators import estimator_class
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.latent.projection import LatentMap
from vaetools.persistence.header import DETECTOR
from vaetools.persistence.rules import MAP


def check_kind(kind: Any, header: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Raise where a file does not hold what was asked for; nothing of its model is made for that."""
    if kind is None:
        return
    held = held_class(header)
    if not isinstance(kind, type):
        raise TypeError(
            f"load: kind must be a class or None; got {kind!r}. Pass one class, here {held.__name__}."
        )
    if not issubclass(held, kind):
        inside = " The model is one of its steps." if held is Pipeline else ""
        raise TypeError(
            f"load: kind must be {held.__name__}, which {path} holds; got {kind.__name__}. Pass "
            f"{held.__name__} or nothing.{inside}"
        )


def held_class(header: dict[str, Any]) -> type:
    """Return the class of what a file holds."""
    if header["reader"] or header.get("backbone") or header.get("map"):
        return Pipeline  # type: ignore[no-any-return]
    name = header["class"]
    special = {MAP: LatentMap, DETECTOR: PatchDetector}
    return special[name] if name in special else estimator_class(name)
