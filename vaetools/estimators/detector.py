"""The other half of the face: scores, calibration, explanations."""

import functools
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaetools.anomaly.bounds import elbo_with_error
from vaetools.anomaly.calibration import nan_as_oddest
from vaetools.anomaly.explanation import (
    WITH_PLACES,
    Explanation,
    heat_range,
    map_levels,
    pixel_surprise,
    smoothed,
)
from vaetools.anomaly.recommended import QUESTIONS
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.columns import names_in_fit
from vaetools.estimators.constructor import check_parameters, keep_parameters
from vaetools.estimators.context import in_words
from vaetools.estimators.continuing import Continuing
from vaetools.estimators.description import N_DESCRIBED
from vaetools.estimators.engine import Engine
from vaetools.estimators.judges import Judge, Question, judged, unlabeled
from vaetools.estimators.verdicts import Verdicts
from vaetools.frames import as_pandas
from vaetools.nn.batches import Rows
from vaetools.nn.model import Reading
from vaetools.words import warn


class Detector(Verdicts, Continuing):
    """Scores of rows, and what makes them odd."""

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        """Return the score chosen by ``anomaly_score``; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
            By default log p(x | z = posterior mean) − KL in nats, with densities in units of X. −inf for
            rows so far away that numbers end; never NaN.
        """
        engine = Engine(self)
        [scores] = engine.ask(X, engine.score(), y=y)
        return scores

    @property
    def score_unit_(self) -> str:
        """Unit of ``score_samples``."""
        return SCORES[self.anomaly_score_].unit

    def score_columns(self, X: Any, y: Any = None) -> dict[str, np.ndarray]:
        """Return scores, and in the same pass the costs that they are made of.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.

        Returns
        -------
        columns : dict of ndarray of shape (n_samples,)
            ``score``, and if the network can decode ``reconstruction`` and ``kl``, costs in nats.
        """
        engine = Engine(self)
        asked: dict[str, Question] = {}
        if engine.can_decode:
            asked = {"reconstruction": lambda r: r.reconstruction.sum(dim=1), "kl": lambda r: r.kl.sum(dim=1)}
        is_sum = self.anomaly_score_ == "reconstruction_kl" and engine.can_decode
        if not is_sum:
            asked = {"score": engine.score(), **asked}
        columns = dict(zip(asked, engine.map(engine.rows(X, y), *asked.values()), strict=True))
        if is_sum:  # in float64, whatever the model's precision
            columns = {"score": nan_as_oddest(-columns["reconstruction"] - columns["kl"]), **columns}
        return columns

    def recalibrate(self, X: Any, y: Any = None) -> Self:
        """Set threshold and p-values from new normal rows, without training.

        From then on rows are flagged at ``false_alarm_rate``, whatever ``contamination`` was.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Normal rows that ``fit`` did not see. With fewer than 1 / ``false_alarm_rate`` − 1 of them
            more of new normal rows are flagged than that, which a warning says. With a ``confidence``
            they must be as many as it takes.
        y : array-like of shape (n_samples,), a label or None, default=None
            Their labels, for ``p_values(X, y)`` of a `CVAE`, which without them can no longer be had.
            Other models ignore it.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If they are too few for ``confidence``; the message says which rate or confidence is possible.
        """
        check_parameters(self)
        engine = Engine(self)
        judges = [(self, engine.rows(X, y))]
        [scores] = judged(unlabeled(judges), lambda engine: [engine.score()])
        self._judge_by(scores)
        self.calibration_ = "split"
        keep_parameters(self, "false_alarm_rate", "confidence")
        self._fit_heat(judges)
        self._calibrate_labels(judges)
        return self

    def score_table(self, X: Any, y: Any = None, *, scores: Sequence[str] | None = None) -> pd.DataFrame:
        """Return scores side by side.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as, for a `CVAE`; None marginalizes over labels. Other models ignore it.
        scores : sequence of str or None, default=None
            Names from the table in `vaetools.anomaly.scores`; None takes all that the model has: those
            that need no state, the one that was chosen as ``anomaly_score``, and its parts.

        Returns
        -------
        scores : DataFrame of shape (n_samples, n_scores)
            Higher is more normal. Beside ``elbo`` stands ``elbo_error``, its Monte-Carlo standard
            error in nats. The index is that of X if it is a DataFrame.

        Raises
        ------
        ValueError
            If the model does not have a score that was asked for.
        """
        if isinstance(scores, str):
            raise ValueError(
                f"{type(self).__name__}: scores must be a list of names, such as [{scores!r}]; got "
                f"{scores!r}."
            )
        engine = Engine(self)
        rows = engine.rows(X, y)
        names = self._names_of_scores(engine, scores)
        functions = [
            (lambda r: torch.stack(elbo_with_error(r), dim=1)) if name == "elbo" else engine.score(name)
            for name in names
        ]
        columns = dict(zip(names, engine.map(rows, *functions), strict=True))
        if "elbo" in columns:
            bound, error = columns["elbo"].T
            columns["elbo"], columns["elbo_error"] = nan_as_oddest(bound), -nan_as_oddest(-error)
        order = [column for name in names for column in (name, f"{name}_error") if column in columns]
        index = X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(len(rows))
        return pd.DataFrame(columns, columns=order, index=index)

    def explain(self, X: Any, y: Any = None) -> Explanation:
        """Return what makes rows odd: costs and surprise of every column, and of the code.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A few rows: five numbers of 8 bytes are returned per value.
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to explain the rows as, for a `CVAE`; None averages over labels, weighted by
            ``label_proba``, and ``kl`` then has one more column, the cost of the label. Other models
            ignore it.

        Returns
        -------
        explanation : Explanation
            Arrays of ``reconstruction``, ``kl`` and ``surprise`` in nats, ``value`` and ``expected``
            in units of X; ``table()`` ranks the columns of every row, ``heat_maps()`` and
            ``overlays()`` show images.

        Raises
        ------
        ValueError
            If the network has no decoder.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from vaetools import VAE, Gaussian
        >>> X = load_wine(as_frame=True).data
        >>> vae = VAE(likelihood=Gaussian("per_feature"), random_state=0).fit(X)
        >>> odd = X.iloc[:1].assign(ash=9.0)  # others have at most 3.2
        >>> vae.explain(odd).table(top=1)["column"].tolist()
        ['ash']
        """
        engine, X, y = Engine(self), as_pandas(X), as_pandas(y)
        rows = engine.rows(X, y)
        engine.require_decoder("explain")
        costs = attrgetter("reconstruction"), attrgetter("kl"), attrgetter("surprise")
        questions = [engine.structure_map] if self.anomaly_score_ in WITH_PLACES else []
        questions += [engine.question] if self.anomaly_score_ == "images" else []
        reconstruction, kl, surprise, expected, *answers = engine.map(
            rows, *costs, engine.in_units, *questions
        )
        structure, which = (*answers, None, None)[:2]
        table, told = engine.parted(X, y)
        value, is_mixed = self.input_scale_.shown(rows.X), self.columns_ is not None
        named = names_in_fit(self)
        names = np.arange(rows.X.shape[1]) if named is None else np.array(named, object)
        if self.columns_ is not None and self.columns_.names is not None:
            names = pd.Index(self.columns_.names).to_numpy()
        return Explanation(
            reconstruction=reconstruction,
            kl=kl,
            surprise=surprise,
            value=_cells(table) if is_mixed else value,
            expected=_cells(engine.as_table(expected)) if is_mixed else expected.astype(rows.precision),
            rows=np.asarray(X.index) if isinstance(X, pd.DataFrame) else np.arange(len(rows)),
            columns=names,
            image_shape=self.image_shape,
            heat_range=getattr(self, "heat_range_" if structure is None else "structure_range_", None),
            question=None if which is None else np.array(list(QUESTIONS))[which.astype(int)],
            structure=structure,
            context=None if engine.context is None else in_words(told, len(rows)),
        )

    def _fit_heat(self, judges: Sequence[Judge]) -> None:
        """Fix the scale of heat maps, from rows that are normal."""
        shape = self.image_shape
        if shape is None or not Engine(self).can_decode:
            return

        def surprise(reading: Reading) -> Tensor:
            values = reading.surprise.cpu().double().numpy()
            return torch.from_numpy(map_levels(pixel_surprise(values, shape)))

        def structure(engine: Engine, reading: Reading) -> Tensor:
            values = engine.structure_map(reading).cpu().double().numpy()
            return torch.from_numpy(map_levels(smoothed(values)))

        def asked(engine: Engine) -> list[Question]:
            questions: list[Question] = [surprise, functools.partial(structure, engine)]
            return questions[: len(names)]

        names = ["heat_range_", "structure_range_"][: 1 + (self.anomaly_score_ in WITH_PLACES)]
        some = [(judge, rows.some(N_DESCRIBED)) for judge, rows in unlabeled(judges)]
        for name, found in zip(names, judged(some, asked), strict=True):
            setattr(self, name, heat_range(found, self.false_alarm_rate, self.confidence))

    def _names_of_scores(self, engine: Engine, asked: Sequence[str] | None) -> list[str]:
        """Return the names of scores that were asked for, or of all that the model has."""
        can = [name for name in SCORES if engine.can_score(name)]
        has = [name for name in can if not SCORES[name].learns or name in self.score_state_]
        for name in asked or []:
            if name not in has:
                needs_fit = f" It compares with training rows: fit with anomaly_score={name!r}."
                raise ValueError(
                    f"{type(self).__name__}: scores must be among {has}; got {name!r}."
                    f"{needs_fit if name in can else ''}"
                )
        return has if asked is None else list(asked)

    def _calibrate(self, seen: Rows, judges: Sequence[Judge]) -> None:
        """Set the threshold from calibration rows, or where there are none from those that fit saw."""
        for name in ("offset_", "calibration_", "calibration_scores_", "heat_range_", "structure_range_"):
            self.__dict__.pop(name, None)
        normal = judges or [(self, seen)]
        self._fit_heat(normal)
        if not Engine(self).can_score(self.anomaly_score):  # no decoder: transform is of use all the same
            return
        [scores] = judged(unlabeled(normal), lambda engine: [engine.score()])
        if judges:
            self._judge_by(scores)
            self.calibration_ = "split" if judges[0][0] is self else "cross"
            return
        share = self.contamination
        if share == "auto":
            share = self.false_alarm_rate
            warn(
                f"{type(self).__name__}: no row is left to calibrate, so that verdicts mean nothing; got "
                f"n_samples={self.n_samples_}. {self._how_to_calibrate}",
            )
        self.offset_ = float(np.percentile(scores, 100 * float(share)))

    def _calibrate_labels(self, judges: Sequence[Judge]) -> None:
        """Keep what rows are compared with as their label, in a conditional model."""


def _cells(table: Any) -> np.ndarray:
    """Return a table as objects, each column in its own type: an integer beside a float stays one."""
    cells: np.ndarray = pd.DataFrame(table).to_numpy(dtype=object)
    return cells
