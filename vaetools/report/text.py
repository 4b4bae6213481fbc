"""Names of models in sentences."""

from __future__ import annotations

from vaetools.words import shortened

LONGEST = 40  # characters of a name in a sentence


def called(name: str, *, first: bool = False) -> str:
    """Return a name as it stands in a sentence: the VAE, but “boards”."""
    name = shortened(name, LONGEST)
    if not name.endswith("AE"):
        return f"“{name}”"
    return f"The {name}" if first else f"the {name}"
