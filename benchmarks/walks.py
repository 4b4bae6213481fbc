"""The way of rows through the package: which functions get them, and how often they pass the network."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import nn

import vaetools

PACKAGE = Path(vaetools.__file__).parent
SMALLEST = 65  # rows: more than features, fewer than what is held out of them
CONSTRUCTORS = {"__init__", "__new__", "__post_init__"}


class Walk(NamedTuple):
    """A call whose way through the package is followed."""

    call: Callable[[], object]
    to_first_step: bool = False  # of training


class Passes(NamedTuple):
    """A call that gives rows to a fitted model, whose passes of the network are counted."""

    call: Callable[[], object]
    model: Any
    n_rows: int


class _FirstStepError(Exception):
    """Ends a walk at the first step of training."""


def _holds_rows(value: object, n_rows: int, depth: int = 2) -> bool:
    """Whether a value is rows, what became of rows, or a collection or record of such."""
    if isinstance(value, (np.ndarray, torch.Tensor, pd.DataFrame, pd.Series)) or sparse.issparse(value):
        return len(value.shape) > 0 and SMALLEST <= value.shape[0] <= n_rows  # type: ignore[attr-defined]
    if isinstance(value, (str, Path)):
        return "rows.csv" in str(value)
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(_holds_rows(part, n_rows, depth - 1) for part in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_rows(part, n_rows, depth - 1) for part in value[:3])
    if type(value).__module__.startswith("vaetools") and not hasattr(value, "fit"):
        fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        parts = [getattr(value, field.name) for field in fields] or list(
            getattr(value, "__dict__", {}).values()
        )
        return any(_holds_rows(part, n_rows, depth - 1) for part in parts)
    return False


def _properties() -> set[Any]:
    """Return the code of all properties of the package."""
    found = set()
    for name, module in list(sys.modules.items()):
        if name.startswith("vaetools"):
            for _, kind in inspect.getmembers(module, inspect.isclass):
                for part in vars(kind).values():
                    function = getattr(part, "fget", None) or getattr(part, "func", None)
                    if function is not None and not isinstance(part, (staticmethod, classmethod)):
                        found.add(getattr(function, "__code__", None))
    return found


def functions_of(walk: Walk, n_rows: int) -> dict[tuple[str, str], bool]:
    """Return file and name of the functions of a walk, in its order, and whether they are hops: get rows."""
    hops: dict[Any, bool] = {}

    def note(frame: FrameType, event: str, value: object) -> None:
        code = frame.f_code
        if (
            event == "call"
            and walk.to_first_step
            and code.co_name == "_call_impl"
            and torch.is_grad_enabled()
        ):
            raise _FirstStepError
        ours = code.co_filename.startswith(str(PACKAGE)) and not code.co_name.startswith("<")
        if not ours or code.co_name in CONSTRUCTORS:
            return
        if event == "return" and isinstance(value, (bool, np.bool_)):
            answers.add(code)
        if event == "call" and not hops.get(code):
            n_named = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
            names = set(code.co_varnames[:n_named]) - {"self", "cls"}
            given = [value for name, value in frame.f_locals.items() if name in names]
            hops[code] = any(_holds_rows(value, n_rows) for value in given)

    answers: set[Any] = set()
    sys.setprofile(note)
    try:
        walk.call()
    except _FirstStepError:
        pass
    finally:
        sys.setprofile(None)
    uncounted = answers | _properties()
    return {
        (str(Path(code.co_filename).relative_to(PACKAGE)), code.co_qualname): hop and code not in uncounted
        for code, hop in hops.items()
    }


def passes_of(passes: Passes) -> dict[str, float]:
    """Return how often every row passes the encoder and the decoder."""
    rows: Counter[str] = Counter()

    def counting(part: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def count(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            rows[part] += len(inputs[0])

        return count

    network = passes.model.model_.network
    handles = [
        network.encoder[-1].register_forward_pre_hook(counting("encodings")),
        network.decoder[0].register_forward_pre_hook(counting("decodings")),
    ]
    passes.call()
    for handle in handles:
        handle.remove()
    return {part: rows[part] / passes.n_rows for part in ("encodings", "decodings")}
