"""A fitted model at work: batches of rows through the network, scores and decoded rows out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaetools.anomaly.reference import on
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.columns import Columns
from vaetools.estimators.containers import unpacked
from vaetools.estimators.fields import FitFields, NetworkFields
from vaetools.estimators.rows import check_fitted_kind, check_rows, precision_of, slices
from vaetools.nn.batches import Rows
from vaetools.nn.model import Autoencoder, Reading, gaussian_kl
from vaetools.nn.scaling import InputScale

# that go through the network at once: so few that the layers' outputs fit into a cache (and windows that
# a float64 convolution unrolls into what malloc keeps), so many that the weights are worth reading
_PIECE_BYTES = {torch.float32: 3_000_000, torch.float64: 2_000_000}
_PIECE_ROWS = 4096


class Evaluator(FitFields, NetworkFields, BaseEstimator):
    """Private machinery of every fitted estimator; it changes nothing."""

    _variational: ClassVar[bool] = True
    model_: Autoencoder
    input_scale_: InputScale
    columns_: Columns | None

    @property
    def _n_classes(self) -> int:
        """Labels of a conditional model."""
        return 0

    def _check_new_rows(self, X: Any) -> np.ndarray:
        """Return checked rows of the kind that the model was fitted on."""
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        check_fitted_kind(self, X)
        return X

    def _rows(self, X: np.ndarray, labels: np.ndarray | None = None, index: np.ndarray | None = None) -> Rows:
        """Return some rows (default: all) as the model takes them."""
        index = np.arange(len(X)) if index is None else index
        return Rows(X, index, self.input_scale_, labels, self._n_classes)

    @property
    def _device(self) -> torch.device:
        return self.model_.log_unit.device

    @property
    def _can_decode(self) -> bool:
        return getattr(self.model_.network, "can_decode", True)

    def _can_score(self, name: str) -> bool:
        """Whether this model has the parts that a score needs."""
        score = SCORES[name]
        has_posterior = self._variational or not score.needs_posterior
        has_images = self.image_shape is not None or not score.needs_images
        return has_posterior and has_images and (self._can_decode or not score.decodes)

    def _require_decoder(self, what: str) -> None:
        """Raise where there is no decoder, naming what asked for it."""
        if not self._can_decode:
            scores = " and ".join(repr(name) for name in SCORES if self._can_score(name))
            raise ValueError(
                f"{type(self).__name__}: {what} must decode, and the network has no decoder; got "
                f"network={type(self.model_.network).__name__}. Without one there are transform and "
                f"anomaly_score={scores}."
            )

    def _batches(self, rows: Rows) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Yield scaled rows and conditions on the device, in the model's precision."""
        dtype = self.model_.log_unit.dtype
        n_features = rows.X.shape[1]
        most = max(512 // dtype.itemsize, _PIECE_BYTES[dtype] // (n_features * dtype.itemsize))
        for piece in slices(len(rows), n_features, most=min(most, _PIECE_ROWS)):
            yield rows.batch(piece, self._device, dtype)

    @torch.no_grad()
    def _evaluate(
        self, rows: Rows, function: Callable[..., Tensor], dtype: type[np.floating] = np.float64
    ) -> np.ndarray:
        """Return ``function(x, condition)`` of every row as one array."""
        made, n_done = np.empty(0), 0
        for x, condition in self._batches(rows):
            piece = function(x, condition).cpu().numpy()
            if not n_done:  # one array: small results kept between large batches would scatter the heap
                made = np.empty((len(rows), *piece.shape[1:]), dtype)
            made[n_done : n_done + len(piece)] = piece
            n_done += len(piece)
        return made

    def _codes_and_kl(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Latent means and KL costs side by side, ``(n_samples, 2 · n_components)``."""
        mean, log_std = self.model_.posterior(x, condition)
        kl = torch.zeros_like(mean) if log_std is None else gaussian_kl(mean, log_std)
        return torch.cat([mean, kl], dim=1)

    def _term_sums(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Reconstruction and KL cost of every row, ``(n_samples, 2)``."""
        terms = self.model_.terms(x, condition)
        return torch.stack([terms.reconstruction, terms.kl], dim=1)

    def _reconstruct(self, X: Any, labels: np.ndarray | None = None) -> np.ndarray:
        """Return expected rows at the latent means, in units of X."""
        rows = self._rows(self._check_new_rows(X), labels)
        self._require_decoder("reconstruct")
        return self._evaluate_rows(rows, self.model_.reconstruct, getattr(X, "index", None))

    def _decode(self, Z: Any, labels: np.ndarray | None = None) -> np.ndarray:
        """Return expected rows of codes, in units of X."""
        check_is_fitted(self)
        self._require_decoder("inverse_transform")
        Z = check_array(unpacked(Z), dtype=[np.float64, np.float32], input_name="Z")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"{type(self).__name__}: Z must have {self._n_features_out} columns, one per component; "
                f"got {Z.shape[1]}."
            )
        codes = dataclasses.replace(self._rows(Z, labels), scale=InputScale.fixed("identity", Z.shape[1]))
        return self._evaluate_rows(codes, self.model_.decoded_mean)

    def _evaluate_rows(self, rows: Rows, function: Callable[..., Tensor], index: Any = None) -> Any:
        """Return rows made by ``function``, in units of X and the precision of the given rows."""

        def inverted(x: Tensor, condition: Tensor | None) -> Tensor:
            return self.input_scale_.invert(function(x, condition).cpu())

        if self.columns_ is not None:
            return self.columns_.decode(self._evaluate(rows, inverted), index)
        return self._evaluate(rows, inverted, precision_of(rows.X))

    def _scores(self, X: Any, name: str | None = None, labels: np.ndarray | None = None) -> np.ndarray:
        """Return a named score (default: the one that was fitted) of every row of X, float64."""
        rows = self._rows(self._check_new_rows(X), labels)
        return self._evaluate_score(rows, name or self.anomaly_score_)

    def _evaluate_score(self, rows: Rows, name: str) -> np.ndarray:
        """Return a named score of checked rows."""
        if SCORES[name].decodes:
            self._require_decoder(f"the score {name!r}")
        return self._evaluate_scores(rows, [name])[:, 0]

    def _evaluate_scores(self, rows: Rows, names: Sequence[str]) -> np.ndarray:
        """Return named scores of checked rows, made in one pass, ``(n_samples, n_names)``."""

        def scores(reading: Reading) -> Tensor:
            states = on(self.score_state_, reading.x)
            return torch.stack([SCORES[name].evaluate(reading, states) for name in names], dim=1)

        return self._read(rows, scores, decodes=any(SCORES[name].decodes for name in names))

    def _read(self, rows: Rows, function: Callable[[Reading], Tensor], *, decodes: bool = True) -> np.ndarray:
        """Return ``function`` of the model's reading of every row as one float64 array."""
        return self._evaluate(rows, lambda x, c: function(self.model_.read(x, c, decode=decodes)))
