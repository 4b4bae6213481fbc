"""The training loop of an estimator: its progress, its checkpoint, what is left where somebody interrupts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from vaetools.estimators.building import resolve_training
from vaetools.estimators.checkpoint import Checkpoint, facts_of, facts_of_rows
from vaetools.estimators.engine import Engine
from vaetools.estimators.judges import fit_scale
from vaetools.nn.batches import Rows
from vaetools.nn.model import trained_parts
from vaetools.nn.parallel import Workers
from vaetools.nn.training import Callback, Trainer
from vaetools.progress import bar_options
from vaetools.words import warn

_NO_EPOCH = ["epoch", "beta", "learning_rate", "loss", "reconstruction", "kl"]


def check_callbacks(estimator: Any, callbacks: Any) -> None:
    """Raise where callbacks are no list of functions."""
    if not isinstance(callbacks, (list, tuple)) or not all(map(callable, callbacks)):
        raise TypeError(
            f"{type(estimator).__name__}: callbacks must be a list of functions; got {callbacks!r}."
        )


def trainer_for(estimator: Any, rows: Rows, validate: Rows, seed: int, **how: bool) -> Trainer | None:
    """Return the training loop of an estimator whose model is built, or None if it is not to be trained."""
    settings = resolve_training(estimator, len(rows), crossed=estimator._crosses, **how)
    estimator.max_iter_ = settings.n_epochs
    if Engine(estimator).can_decode:
        fit_scale([(estimator, rows)])
    else:
        _refuse_training(estimator, "that has no decoder")
    if not settings.n_epochs:
        return None
    if not trained_parts(estimator.model_)[0]:
        _refuse_training(estimator, "without trainable weights")
    if (workers := Workers.here()).n > 1:
        workers.agree(facts_of(estimator) | facts_of_rows(estimator, rows) | {"seed": seed})
    held_out = validate if len(validate) else None
    return Trainer(estimator.model_, rows, settings, seed=seed, held_out=held_out)


def _refuse_training(estimator: Any, network: str) -> None:
    """Raise where training was asked for."""
    if estimator.max_iter != 0:
        raise ValueError(
            f"{type(estimator).__name__}: max_iter must be 0 for a network {network}; got "
            f"{estimator.max_iter!r}."
        )


def watched(
    trainer: Trainer | None,
    checkpoint: Checkpoint | None,
    callbacks: Sequence[Callback],
    owner: str,
    verbose: Any,
) -> KeyboardInterrupt | None:
    """Train, if anything is to be trained, to the end or until somebody interrupts.

    If something was learnt by then, return the interruption.
    """
    if trainer is None:
        return None
    if checkpoint is not None:
        checkpoint.begin(trainer)
    is_first = trainer.workers.rank == 0  # the one that shows and writes
    begun, how = trainer.step, bar_options(verbose if is_first else 0)
    with tqdm(total=trainer.n_steps, initial=begun, desc=owner, unit="step", **how) as bar:

        def show() -> None:
            bar.update(trainer.step - bar.n)  # less than 0 where training went back

        try:
            trainer.run(callbacks, show, keep=checkpoint.keep if checkpoint and is_first else None)
        except KeyboardInterrupt as interruption:
            if not trainer.has_learnt():
                raise
            trainer.stop_here()
            if checkpoint is not None and is_first:
                checkpoint.write()
            again = "" if checkpoint is None else "fit again with this checkpoint to go on; "
            warn(
                f"{owner}: interrupted in epoch {trainer.good_epoch} of {trainer.settings.n_epochs}: what it "
                f"learnt so far becomes the fitted model; {again}interrupt once more to leave it as it was "
                "before.",
                RuntimeWarning,
            )
            return interruption
    return None


def history_of(trainer: Trainer | None) -> pd.DataFrame:
    """Return the records of a run, a row per epoch; without a run there are columns alone."""
    records = [] if trainer is None else trainer.history
    numbers = pd.DataFrame(records, columns=None if records else _NO_EPOCH, dtype=np.float64)
    return numbers.astype({"epoch": np.int64})
