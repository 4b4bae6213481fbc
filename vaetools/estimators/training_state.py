"""What a checkpoint may say: which fit it belongs to, and where its training stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaetools.schema import (
    FINITE,
    SQUARES,
    Contents,
    array,
    flag,
    number,
    real,
    record,
    refuse,
    sequence,
    text,
    whole,
)

_RECORD = record({"epoch": whole(1), "beta": real(0), "learning_rate": real(0)}, more=number)
_STATE = record(
    {
        "epoch": whole(axis="epoch"),
        "step": whole(),
        "n_recoveries": whole(),
        "best_loss": real(),
        "best_epoch": whole(),
        "finished": flag,
        "record": record({}, more=number),
        "history": sequence(_RECORD, axis="epoch"),
    }
)
_HEADER = record(
    {
        "format_version": whole(1),
        "checkpoint": record({}, more=text()),
        "seed": whole(0, 2**32 - 1),
        "state": _STATE,
    }
)


def check_checkpoint(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Raise a `ValueError` where header and arrays are not those of a checkpoint."""
    contents = Contents(arrays)
    _HEADER("", header, contents)
    state = header["state"]
    epochs = [each["epoch"] for each in state["history"]]
    if epochs != list(range(1, state["epoch"] + 1)):
        refuse("state.history", f"of epochs 1 to {state['epoch']}", epochs)
    for name in ("order", "noise"):
        array("u", f"{name} bytes")(name, {"array": name}, contents)
    array("f", 3, kept=FINITE)("sums", {"array": "sums"}, contents)
    for name in arrays:
        if name.startswith("optimizer."):
            axes = [f"{name}[{i}]" for i in range(arrays[name].ndim)]
            kept = FINITE if name.endswith(".exp_avg") else SQUARES
            array("f", *axes, kept=kept)(name, {"array": name}, contents)
