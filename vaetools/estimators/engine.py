"""A fitted model at work: rows in, arrays out, in one pass."""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaetools.anomaly.images import structure_map
from vaetools.anomaly.perceptual import perceptual_map
from vaetools.anomaly.recommended import deciding_question
from vaetools.anomaly.reference import States, on
from vaetools.anomaly.scores import SCORES
from vaetools.checks import POSITIVE_INTEGER, check
from vaetools.estimators.building import n_classes_of
from vaetools.estimators.context import conditions_of, context_in
from vaetools.estimators.context_columns import has_context_in_X, judged, of_judged
from vaetools.estimators.intake import check_rows, unpacked
from vaetools.estimators.labels import label_codes
from vaetools.nn.batches import InputScale, Rows
from vaetools.nn.model import Reading, antithetic_noise

_N_USUAL = 16  # draws of the prior that are decoded


class Engine:
    """A fitted model, and what it says of rows; estimators, streams, reports and exports all ask it.

    What is asked for are functions of a `Reading`, which makes every quantity once and only if somebody
    asks. However many functions there are, rows are encoded once, and decoded at their latent means
    once or not at all. The estimator is not changed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE
    >>> X = load_iris().data
    >>> engine = Engine(VAE(2, max_iter=20, random_state=0).fit(X))
    >>> codes, kl, scores = engine.ask(X, lambda r: r.mean, lambda r: r.kl.sum(dim=1), engine.score())
    >>> codes.shape, kl.shape, scores.shape
    ((150, 2), (150,), (150,))
    >>> [expected] = engine.ask(X[:3], engine.in_units)
    >>> expected.shape
    (3, 4)
    """

    def __init__(self, estimator: Any):
        check_is_fitted(estimator)
        self.estimator, self.owner = estimator, type(estimator).__name__
        self.model, self.scale = estimator.model_, estimator.input_scale_
        self.columns = estimator.columns_  # of a table of several kinds, or None
        self.classes = getattr(estimator, "classes_", None)  # labels of a conditional model
        self.context = getattr(estimator, "context_", None)  # or columns that its rows are judged given

    @property
    def n_components(self) -> int:
        """Dimensions of the latent space."""
        return int(self.model.n_components)

    @property
    def n_classes(self) -> int:
        """Numbers that tell a conditional model the label or context of a row; of others 0."""
        return n_classes_of(self.estimator)

    @property
    def has_spread(self) -> bool:
        """Whether the posterior has a spread."""
        return bool(self.model.latent.has_spread)

    @property
    def has_prior(self) -> bool:
        """Whether codes have a prior, and KL is a cost."""
        return bool(self.model.latent.has_prior)

    @property
    def can_decode(self) -> bool:
        """Whether the network has a decoder."""
        return getattr(self.model.network, "can_decode", True)

    def can_score(self, name: str) -> bool:
        """Whether the model has the parts that a score needs."""
        score = SCORES[name]
        has_posterior = self.has_spread or not score.needs_posterior
        has_prior = self.has_prior or not score.needs_prior
        has_images = self.estimator.image_shape is not None or not score.needs_images
        has_added = self.model.added is not None or not score.needs_added
        has_parts = has_posterior and has_prior and has_images and has_added
        return has_parts and (self.can_decode or not score.decodes)

    def require_decoder(self, what: str) -> None:
        """Raise where there is no decoder, naming what asked for it."""
        if not self.can_decode:
            scores = " and ".join(repr(name) for name in SCORES if self.can_score(name))
            raise ValueError(
                f"{self.owner}: {what} must decode, and the network has no decoder; got "
                f"network={type(self.model.network).__name__}. Without one there are transform and "
                f"anomaly_score={scores}."
            )

    def require_labels(self, what: str) -> None:
        """Raise where there is no decoder, or labels have a context in their place, naming what asked."""
        self.require_decoder(what)
        if self.context is not None:
            raise ValueError(
                f"{self.owner}: {what} needs a model of labels; this one was fitted on a context, which it "
                "is told and does not guess."
            )

    # Functions to ask for

    def score(self, name: str | None = None) -> Callable[[Reading], Tensor]:
        """Return the function of a reading that is a named score; by default the one that was fitted.

        −inf where a row is so far away that the network's numbers for it overflow.
        """
        name = name or self.estimator.anomaly_score_
        if SCORES[name].decodes:
            self.require_decoder(f"the score {name!r}")
        evaluate, states = SCORES[name].evaluate, self._states

        def of(reading: Reading) -> Tensor:
            scores = evaluate(reading, states)
            return torch.nan_to_num(scores, nan=-math.inf, posinf=math.inf, neginf=-math.inf)

        return of

    def question(self, reading: Reading) -> Tensor:
        """Return which question decided the score ``images``, by its number."""
        return deciding_question(reading, self._states)

    def structure_map(self, reading: Reading) -> Tensor:
        """Return what every place adds to a score that has places, of ``images`` to the question that has."""
        if self.estimator.anomaly_score_ == "perceptual":
            return perceptual_map(reading)
        return structure_map(reading, self._states)

    @functools.cached_property
    def _states(self) -> States:
        """States of the scores on the device of the model."""
        return on(self.estimator.score_state_, self.model.log_unit)

    def in_units(self, reading: Reading) -> Tensor:
        """Return expected rows in units of X; of columns of several kinds, numbers and codes."""
        rows: Tensor = self.scale.invert(reading.expected.cpu())
        return rows

    # Asking

    def ask(self, X: Any, *functions: Callable[[Reading], Tensor], y: Any = None) -> list[np.ndarray]:
        """Return what functions of a reading say of all rows, made in one pass: an array of float64 each.

        A function makes a tensor ``(n_rows, …)`` of the reading of some rows. Without labels ``y`` a
        conditional model marginalizes over them, and of a context refuses; other models ignore them.
        """
        return self.map(self.rows(X, y), *functions)

    def rows(self, X: Any, y: Any = None) -> Rows:
        """Return rows that were checked, with codes of their labels, as the model takes them."""
        X, y = self.parted(X, y)
        X = check_rows(of_judged(self.estimator), X)
        return Rows(X, np.arange(len(X)), self.scale, self._told(len(X), y), self.n_classes)

    def parted(self, X: Any, y: Any = None) -> tuple[Any, Any]:
        """Return of X what is judged, and what is told of its rows: the context that it holds, or y."""
        if not has_context_in_X(self.estimator):
            return X, y
        context = context_in(self.estimator, X, y)
        return judged(self.estimator, unpacked(self.owner, X)), context

    def needed(self, y: Any) -> Any:
        """Return what must be told of rows: their context, and no labels."""
        return None if self.context is None else y

    def _told(self, n_rows: int, y: Any) -> np.ndarray | None:
        """Return codes of the labels of rows, or their conditions, where the model takes such."""
        if self.context is not None:
            return conditions_of(self.estimator, n_rows, y)
        return None if y is None or self.classes is None else label_codes(self.owner, self.classes, n_rows, y)

    def map(
        self, rows: Rows, *functions: Callable[[Reading], Tensor], dtype: type[np.floating] = np.float64
    ) -> list[np.ndarray]:
        """Return what functions of a reading say of rows that were checked, one array each."""
        if not functions:
            return []
        readings = itertools.starmap(self.model.read, rows.batches(self.model.log_unit))
        pieces = ([function(reading) for function in functions] for reading in readings)
        return _gathered(pieces, len(rows), len(functions), dtype)

    def reconstruct(self, X: Any, y: Any = None) -> Any:
        """Return expected rows at the latent means, as X is given: a table, or in its precision."""
        rows = self.rows(X, y)
        self.require_decoder("reconstruct")
        [expected] = self.map(rows, self.in_units, dtype=self._precision(rows))
        return self.as_table(expected, getattr(X, "index", None))

    def decode(self, Z: Any, y: Any = None) -> Any:
        """Return expected rows of codes; without labels, averaged over their frequencies."""
        self.require_decoder("inverse_transform")
        Z = check_array(unpacked(self.owner, Z), dtype=[np.float64, np.float32], input_name="Z")
        if Z.shape[1] != self.n_components:
            raise ValueError(
                f"{self.owner}: Z must have {self.n_components} columns, one per component; got {Z.shape[1]}."
            )
        unscaled = InputScale.fixed("identity", Z.shape[1])
        codes = Rows(Z, np.arange(len(Z)), unscaled, self._told(len(Z), y), self.n_classes)
        decoded = itertools.starmap(self.model.decode, codes.batches(self.model.log_unit))
        pieces = ([self.scale.invert(expected.cpu())] for expected in decoded)
        return self.as_table(_gathered(pieces, len(Z), 1, self._precision(codes))[0])

    def usual(self, rows: Rows) -> np.ndarray:
        """Return what is usual given the context of rows: the mean of what draws of the prior decode to."""
        draws, total = (
            antithetic_noise(_N_USUAL, self.n_components).numpy(),
            np.zeros(rows.X[rows.index].shape),
        )
        index, unscaled = np.arange(len(rows)), InputScale.fixed("identity", self.n_components)
        for draw in draws:
            Z = np.tile(draw, (len(rows), 1))
            codes = Rows(Z, index, unscaled, rows.labels, self.n_classes)
            decoded = itertools.starmap(self.model.decode, codes.batches(self.model.log_unit))
            pieces = ([self.scale.invert(expected.cpu())] for expected in decoded)
            total += _gathered(pieces, len(Z), 1, np.float64)[0]
        return total / len(draws)

    def prior_draws(self, n: int, random_state: Any) -> np.ndarray:
        """Return codes drawn from the prior, ``(n, n_components)``."""
        check(self.estimator, "n", n, POSITIVE_INTEGER)
        drawn = self.model.latent.prior_draws(n, self.n_components, check_random_state(random_state))
        codes: np.ndarray = drawn.cpu().double().numpy()
        return codes

    def as_table(self, expected: np.ndarray, index: Any = None) -> Any:
        """Return expected rows as a table where columns are of several kinds, else as they are."""
        return expected if self.columns is None else self.columns.decode(expected, index)

    def _precision(self, rows: Rows) -> type[np.floating]:
        return rows.precision if self.columns is None else np.float64


@torch.no_grad()
def _gathered(
    pieces: Iterable[Sequence[Tensor]], n_rows: int, n_arrays: int, dtype: type[np.floating]
) -> list[np.ndarray]:
    """Return arrays of all rows from their pieces, each batch of which has one per array.

    One array each: small results kept between large batches would scatter the heap.
    """
    arrays, n_done = [np.empty(0, dtype) for _ in range(n_arrays)], 0
    for batch in pieces:
        made = [piece.cpu().numpy() for piece in batch]
        if not n_done:
            arrays = [np.empty((n_rows, *piece.shape[1:]), dtype) for piece in made]
        done = slice(n_done, n_done + len(made[0]))
        for array, piece in zip(arrays, made, strict=True):
            array[done] = piece
        n_done = done.stop
    return arrays
