"""Nothing lost: a training that goes on where its file says, and is of use where somebody stops it."""

import dataclasses
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from vaetools.checks import COUNT, FLAG, NONNEGATIVE, POSITIVE_INTEGER, Requirement, integer, refuse
from vaetools.estimators.building import resolve_device
from vaetools.estimators.constructor import spelled
from vaetools.estimators.rows import are_images
from vaetools.files import FORMAT_VERSION, ModelFileError, read_model_file, write_model_file
from vaetools.nn.batches import EIGHT_BITS, Rows, slices
from vaetools.nn.state import restore, state_of
from vaetools.nn.training import Trainer
from vaetools.schema import (
    FINITE,
    REAL,
    SQUARES,
    TEXT,
    Contents,
    array,
    one_line,
    record,
    sequence,
    size,
    usable,
)
from vaetools.words import see, warn

_STATE_VERSION = 3  # of what a state means: one of another version cannot be continued
_VERSION = "version of the state"
_SECONDS = 10.0  # between two writes, at least
_SHARE = 0.02  # of the time, at most
_MOST_RECOVERIES = 1000
_LISTED, _LONGEST = 3, 60  # differences that are named, and characters of each

_HISTORY = record({"epoch": POSITIVE_INTEGER, "beta": NONNEGATIVE, "learning_rate": NONNEGATIVE}, more=REAL)
_STATE = record(
    {
        "epoch": size("epoch"),
        "step": COUNT,
        "n_recoveries": integer(0, _MOST_RECOVERIES),
        "best_loss": Requirement("a number", lambda value: REAL.holds(value) and value == value),
        "best_epoch": COUNT,
        "last_epoch": COUNT,
        "finished": FLAG,
        "record": record({}, more=REAL),
        "history": sequence(_HISTORY, axis="epoch"),
    }
)
_HEADER = record(
    {
        "format_version": POSITIVE_INTEGER,
        "checkpoint": record({}, more=TEXT),
        "seed": integer(0, 2**32 - 1),
        "state": _STATE,
    }
)


class Checkpoint:
    """The state of one fit in a file: read when the fit begins, written while it trains.

    The file says which fit it belongs to, and any other is refused: class, parameters, device and
    data. It is written at the start (so what cannot be written is found before the first step), then so
    seldom that it costs at most 2 % of the time, and at the end.
    """

    seed: int  # the ``random_state`` of the fit; where that is no number, the one drawn by its first run

    def __init__(self, estimator: Any, path: str | os.PathLike[str]):
        self._estimator, self._owner = estimator, type(estimator).__name__
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"{self._owner}: checkpoint must be None or the path of a file; got {path!r}.")
        self._path = Path(path).absolute()
        if not self._path.parent.is_dir():
            raise FileNotFoundError(
                f"{self._owner}: checkpoint must be a file in a folder that exists; got {str(path)!r}."
            )
        random_state = estimator.random_state
        if not isinstance(random_state, (int, np.integer)):  # drawn in any case: a stream goes on the same
            random_state = check_random_state(random_state).randint(2**31 - 1)
        self.seed = int(random_state)
        self._facts: dict[str, str] = {}
        self._facts_of_file: dict[str, str] | None = None
        self._state: dict[str, Any] = {}
        self._copying, self._writing = _Seldom(0.0), _Seldom(_SECONDS)
        self._has_failed = False
        if self._path.exists():
            self._read()
        self._compare(facts_of(estimator))

    def begin(self, trainer: Trainer) -> None:
        """Put a trainer where the file says, or write where it starts."""
        self._compare(facts_of_rows(self._estimator, trainer.rows))
        if self._facts_of_file is None:
            self._state = state_of(trainer)
        else:
            with usable(self._path, "state"):
                restore(trainer, self._state)
            if trainer.finished and self._estimator.warm_start:
                warn(
                    f"{self._owner}: the training of checkpoint {str(self._path)!r} is finished, so nothing "
                    "was trained: the model is what it was then. To go on from it, name another file.",
                )
        if trainer.finished or trainer.workers.rank:
            return
        try:
            self._write()
        except OSError as reason:
            raise OSError(
                f"{self._owner}: checkpoint {str(self._path)!r} cannot be written, so nothing was trained: "
                f"{reason}. Make room, or name a file in another folder."
            ) from reason

    def keep(self, trainer: Trainer) -> None:
        """Copy the state of a trainer and write it, each so seldom that it costs little."""
        if trainer.finished or self._copying.is_due():
            with self._copying:
                self._state = state_of(trainer)
        if trainer.finished or self._writing.is_due():
            self.write()

    def write(self) -> None:
        """Write the last copy of the state; if that fails, say so once, and let the training go on."""
        try:
            self._write()
        except OSError as reason:
            if not self._has_failed:
                warn(
                    f"{self._owner}: checkpoint {str(self._path)!r} cannot be written: "
                    f"{reason.strerror or reason}. Training goes on, and the file stays as it is until it "
                    "can be written again.",
                    RuntimeWarning,
                )
            self._has_failed = True

    def _write(self) -> None:
        """Write facts, seed and the last copy of the state, and note how long that takes."""
        with self._writing:
            tensors = {name: value for name, value in self._state.items() if isinstance(value, torch.Tensor)}
            header = {
                "format_version": FORMAT_VERSION,
                "checkpoint": self._facts,
                "seed": self.seed,
                "state": {name: value for name, value in self._state.items() if name not in tensors},
            }
            arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
            write_model_file(self._path, header, arrays)

    def _read(self) -> None:
        """Read facts, seed and state from the file."""
        header, arrays = read_model_file(self._path)
        if "checkpoint" not in header:
            raise ModelFileError(
                f"{self._path}: the file is no checkpoint: got a {header.get('class')} that "
                "would be lost. Name another file."
            )
        if isinstance(header["checkpoint"], dict):  # what it holds goes by its version
            version = header["checkpoint"].get(_VERSION, "absent")
            self._facts_of_file = {_VERSION: str(version)}
            self._compare({_VERSION: str(_STATE_VERSION)})
        with usable(self._path, "state"):
            _check_contents(header, arrays)
        self._facts_of_file, self.seed = header["checkpoint"], header["seed"]
        self._state = header["state"] | {
            name: torch.from_numpy(array.copy()) for name, array in arrays.items()
        }

    def _compare(self, facts: dict[str, str]) -> None:
        """Note what the fit is, and raise where the file belongs to another."""
        self._facts |= facts
        if self._facts_of_file is None:
            return
        later = {each.name: spelled(each.default) for each in dataclasses.fields(self._estimator)}
        of_file = later | self._facts_of_file  # a parameter that it does not know had its default
        both = {name: (of_file.get(name, "absent"), here) for name, here in facts.items()}
        others = [
            f"{name} is {one_line(there, _LONGEST)} in the file and {one_line(here, _LONGEST)} now"
            for name, (there, here) in both.items()
            if there != here
        ]
        if others:
            more = f"; and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
            raise ModelFileError(
                f"{self._owner}: checkpoint {str(self._path)!r} belongs to another fit: "
                f"{'; '.join(others[:_LISTED])}{more}. "
                "Fit as it was begun to go on with it; to begin anew, name another file or delete this one. "
                f"{see('checkpoints.md#which-fit-a-checkpoint-belongs-to')}"
            )


class _Seldom:
    """A job that is due so long after its end that it takes a small share of the time."""

    def __init__(self, least: float):
        self._least = self._wait = least
        self._end = time.monotonic()

    def is_due(self) -> bool:
        """Whether the job may be done again."""
        return time.monotonic() - self._end >= self._wait

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *error: object) -> None:
        self._end = time.monotonic()
        self._wait = max(self._least, (self._end - self._start) / _SHARE)


def facts_of(estimator: Any) -> dict[str, str]:
    """Return what a fit is before it has seen data: all but what changes no result."""
    facts = {_VERSION: str(_STATE_VERSION), "class": type(estimator).__name__}
    for name, value in estimator.get_params(deep=False).items():
        facts[name] = "RandomState" if isinstance(value, np.random.RandomState) else spelled(value)
    if estimator.network is not None:
        trained = [weight.requires_grad for weight in estimator.network.parameters()]
        facts["network"] += f" with {sum(trained)} of {len(trained)} weights to train"
    facts["device"] = resolve_device(estimator).type
    del facts["verbose"]
    return facts


def facts_of_rows(estimator: Any, rows: Rows) -> dict[str, str]:
    """Return what the data are: shapes, types and checksums."""
    X, labels, weights = rows.X, rows.labels, rows.weights
    facts = {"shape of X": str(X.shape), "dtype of X": str(X.dtype), "content of X": _checksum(X)}
    scale = estimator.input_scale_
    was_the_same = (scale.kind == "pixels") == (X.dtype == np.uint8) and scale.levels == EIGHT_BITS
    if scale.standardizes and are_images(estimator, X):  # once not done to those in [0, 1]
        was_the_same = was_the_same and estimator.standardize == "auto"
    if not was_the_same:  # once these were, and nothing was noted
        facts["scale of X"] = f"{scale.kind} from {scale.levels}"
    if estimator.columns_ is not None:  # what the codes in X stand for
        facts["columns of X"] = hashlib.sha256(repr(estimator.columns_).encode()).hexdigest()
    if getattr(estimator, "_crosses", False):  # once some of so few rows were held out
        facts["calibration of X"] = "cross"
    if labels is not None:
        told = getattr(estimator, "classes_", None)
        facts |= {
            "labels in y": repr(estimator.context_.columns if told is None else told.tolist()),
            "content of y": _checksum(labels.reshape(len(labels), -1)),
        }
    if (marks := getattr(estimator, "_marks", None)) is not None:
        facts["marks"] = _checksum(marks[:, None])
    facts["sample_weight"] = "absent" if weights is None else _checksum(weights[:, None])
    return facts


def _checksum(rows: np.ndarray) -> str:
    """Return the SHA-256 of rows, read in pieces: a memory map stays on disk."""
    digest = hashlib.sha256()
    for piece in slices(*rows.shape):
        digest.update(np.ascontiguousarray(rows[piece]).data)
    return digest.hexdigest()


def _check_contents(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Raise a `ValueError` where header and arrays are not those of a checkpoint."""
    contents = Contents(arrays)
    _HEADER("", header, contents)
    state = header["state"]
    epochs = [each["epoch"] for each in state["history"]]
    if epochs != list(range(1, state["epoch"] + 1)):
        refuse("state.history", f"of epochs 1 to {state['epoch']}", epochs)
    for name in ("order", "noise"):
        array("u", f"{name} bytes")(name, {"array": name}, contents)
    array("f", "n_sums", kept=FINITE, least=3)("sums", {"array": "sums"}, contents)
    for name in arrays:
        if name.startswith("optimizer."):
            axes = [f"{name}[{i}]" for i in range(arrays[name].ndim)]
            kept = FINITE if name.endswith(".exp_avg") else SQUARES
            array("f", *axes, kept=kept)(name, {"array": name}, contents)
