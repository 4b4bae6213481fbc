"""An alarm that may be looked at every day: rows come in, and it is told when they are not what they were."""

import itertools
import math
import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from vaetools.checks import PROBABILITY, check, integer
from vaetools.estimators.constructor import parameters_in_force
from vaetools.files import write_atomically
from vaetools.frames import as_pandas
from vaetools.persistence.model_file import split_reader
from vaetools.report.page.watch import render_watch
from vaetools.watch.alarm import Alarm
from vaetools.watch.digest import digest_of
from vaetools.watch.evidence import GROUPS, N_FIRST, Evidence
from vaetools.watch.names import as_texts, key
from vaetools.watch.showing import page_of
from vaetools.watch.state_file import read, write
from vaetools.watch.statistics import Measure
from vaetools.words import counted, see, warn

SEED = integer(0, 2**32 - 1)
_FEWEST = 20  # rows of a reference
_KEPT = "watch.md#what-is-kept-and-what-counts"
_RECENT = 32  # images in a mean of recent ones, about
_MOST_NAMES, _MOST_SEEN = 1000, 1_000_000  # that are remembered


class Watch:
    """Watch whether new rows are still like the normal rows of a reference.

    Rows come in day by day, and every day the alarm may be looked at: while rows are exchangeable with the
    reference, it is *ever* raised with a probability of at most ``false_alarm_probability``. Watched are
    the share of odd rows, the score of the others, and of rows that the model does not flag every column, or
    brightness, contrast and blocks of images, and every latent mean in use; an alarm says which of
    them changed, since when and by how much. Where rows are judged given a context, it may change: rows are
    then compared within their groups, and columns less what is usual in the context.

    Parameters
    ----------
    model : autoencoder or PatchDetector, or a pipeline of an ImageReader and one of those
        Fitted.
    reference : array-like of shape (n_reference, n_features) or None, default=None
        Normal rows that ``fit`` did not see, 20 or more; several hundred find changes sooner. Without them
        scores are compared with those that calibrated the model, and all else with the first 200 rows that
        come and are not flagged, which must be normal.
    y : DataFrame of shape (n_reference, n_columns) or None, default=None
        Its context, of a model whose context comes beside X.
    false_alarm_probability : float, default=0.01
        That the alarm is ever raised without a change, over rows, reference and lots.
    random_state : int, default=0
        Seed of the lots by which equal values are put in order.

    Attributes
    ----------
    alarm : Alarm or None
        It stays until `reset`.
    n_rows : int
        Rows that came.
    n_flagged : int
        Those of them that the model flags.
    recent : list of str
        What the last 1,000 rows are called, if they have names.
    id_column : str or None
        Column of tables that names rows, for who reads them.

    Notes
    -----
    p-values among reference and all rows so far, with lots among equals, are independent and uniform while
    rows are exchangeable. On each of several statistics fixed bets are made, in the form of Shiryaev and
    Roberts, whose capital is a martingale of mean 1; Ville's inequality bounds the probability that it ever
    reaches 1 / (share of the probability), and shares add up. `vaetools.anomaly.ranks` and
    `vaetools.anomaly.betting` have the argument.

    Memory does not grow with the number of rows. Rows that trained the model must not be the reference: they
    score higher than new ones.

    Examples
    --------
    >>> from vaetools import VAE, Watch
    >>> rng = np.random.default_rng(0)
    >>> vae = VAE(max_iter=20, random_state=0).fit(rng.normal(size=(400, 4)))
    >>> watch = Watch(vae, rng.normal(size=(300, 4)))
    >>> watch.update(rng.normal(size=(500, 4))).alarm is None
    True
    >>> alarm = watch.update(rng.normal(size=(100, 4)) + [0, 0, 2, 0]).alarm
    >>> alarm.causes[0].kind, alarm.causes[0].name, 500 < alarm.row < 530
    ('column', '2', True)
    """

    def __init__(
        self,
        model: Any,
        reference: Any = None,
        y: Any = None,
        *,
        false_alarm_probability: float = 0.01,
        random_state: int = 0,
    ):
        check("Watch", "false_alarm_probability", false_alarm_probability, PROBABILITY)
        check("Watch", "random_state", random_state, SEED)
        self._begin(model, float(false_alarm_probability), int(random_state))
        if reference is None:
            self._learn_calibration()
        else:
            self._learn(as_pandas(reference), y)

    def _begin(self, model: Any, probability: float, seed: int) -> None:
        """Know the model, and nothing else yet."""
        _, self.estimator = split_reader(model)
        self._judged_by = self.estimator.model_, self.estimator.offset_
        self.digest = digest_of(model)
        self._measure = Measure(self.estimator)
        self.evidence = Evidence(
            self._measure.statistics,
            offset=0.0 if hasattr(self.estimator, "context_") else float(self.estimator.offset_),
            rate=float(parameters_in_force(self.estimator)["false_alarm_rate"]),
            probability=probability,
            seed=seed,
        )
        self.recent: list[str] = []
        self.seen: dict[bytes, None] = {}
        self.id_column: str | None = None
        self.usual_picture: np.ndarray | None = None  # means of images, in [0, 1]
        self.recent_picture: np.ndarray | None = None
        self.n_pictures = 0

    @property
    def alarm(self) -> Alarm | None:
        """The alarm, which stays until `reset`."""
        return self.evidence.alarm

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Of images, or None."""
        return self._measure.image_shape

    @property
    def n_rows(self) -> int:
        """Rows that came."""
        return self.evidence.n_rows

    @property
    def n_flagged(self) -> int:
        """Those of them that the model flags."""
        return self.evidence.n_flagged

    @property
    def false_alarm_probability(self) -> float:
        """That the alarm is ever raised without a change, at most."""
        return self.evidence.probability

    @property
    def limit(self) -> float:
        """Decimal logarithm of the evidence at which the alarm is raised."""
        return -math.log10(self.evidence.probability)

    @property
    def n_waiting(self) -> int:
        """Rows that are still to come before anything but scores is watched."""
        return 0 if self.evidence.others is not None else N_FIRST - len(self.evidence.waiting)

    @property
    def history(self) -> pd.DataFrame:
        """Evidence of a change by the number of rows, at most 256 points.

        Decimal logarithms, of the share of odd rows, the score, columns or looks, and latents, of each the
        best; the alarm is raised where one reaches ``limit``.
        """
        return pd.DataFrame(self.evidence.history, columns=["row", *GROUPS])

    @property
    def since(self) -> list[str]:
        """What the rows are called that came since the change, as far as they are among ``recent``.

        If what changed is the new normal, they are what to recalibrate the model with.
        """
        if self.alarm is None:
            return []
        return self.recent[-(self.n_rows - self.alarm.since + 1) :]

    def update(self, X: Any, names: Sequence[Any] | None = None, y: Any = None) -> Self:
        """Look at new rows, in their order.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        names : sequence or None, default=None
            What they are called, each another. A row whose name was among the last million is left out;
            rows without a name (empty or missing) count whenever they come.
        y : DataFrame of shape (n_samples, n_columns) or None, default=None
            Their context, of a model whose context comes beside X.

        Returns
        -------
        self : object
        """
        if self._judged_by != (self.estimator.model_, self.estimator.offset_):
            raise ValueError(
                "Watch: the model was fitted or recalibrated since the watch began, and is another one. "
                "Begin a new watch of it."
            )
        X = as_pandas(X)
        if names is not None:
            names = as_texts(names)
            if len(names) != len(X):
                raise ValueError(
                    f"Watch: names must be as many as rows; got {len(names):,} for {counted(len(X), 'row')}."
                )
            new = [i for i, name in enumerate(names) if not name or key(name) not in self.seen]
            names = [names[i] for i in new]
            y = y if y is None or len(y) == 1 else as_pandas(y).iloc[new]
            X = X.iloc[new] if isinstance(X, pd.DataFrame) else np.asanyarray(X)[new]
        if not len(X):
            return self
        scores, values, pictures = self._measure(X, y)
        for i, (score, row) in enumerate(zip(scores.tolist(), values, strict=True)):
            self.evidence.add(score, row)
            if pictures is not None:
                self._show(pictures[i])
        if names is not None:
            self.recent = [*self.recent, *names][-_MOST_NAMES:]
            self._remember(names)
        return self

    def reset(self) -> Self:
        """Forget the alarm, and what rows were like since the reference; names are remembered.

        From then on the probability of a false alarm is what it was at first.

        Returns
        -------
        self : object
        """
        self.evidence.restart()
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to one small file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            By convention, ``*.safetensors``.
        """
        write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: Any) -> Self:
        """Go on where a state says: with the same rows all is the same, bit for bit.

        Parameters
        ----------
        path : str or path-like
        model : autoencoder or PatchDetector, or a pipeline of an ImageReader and one of those
            The one that was watched.

        Returns
        -------
        watch : Watch

        Raises
        ------
        ModelFileError
            If the file is damaged, no state, or that of another model.
        """
        watch = cls.__new__(cls)
        watch._begin(model, 0.5, 0)  # which the file says
        read(watch, path, model)
        return watch

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page: whether there is an alarm, what changed, and how the evidence grew.

        Parameters
        ----------
        path : str or path-like
        """
        page = page_of(self, model=type(self.estimator).__name__, source="rows in memory")
        write_atomically(path, render_watch(page).encode())

    def _learn(self, reference: Any, y: Any) -> None:
        """Take normal rows as the reference."""
        if len(reference) < _FEWEST:
            raise ValueError(
                f"Watch: reference must have {_FEWEST} rows or more; got {len(reference)}. Without it the "
                "first rows that come are taken."
            )
        scores, values, pictures = self._measure(reference, y)
        evidence = self.evidence
        evidence.learn_scores(scores)
        normal = ~evidence.is_flagged(scores)
        if (n := normal.sum()) < _FEWEST:
            raise ValueError(
                f"Watch: reference must have {_FEWEST} rows that the model takes for normal; {n:,} of "
                f"{len(scores):,} are. Give more, or recalibrate it if it flags many that are normal."
            )
        evidence.learn(values[normal])
        if pictures is not None:
            self.usual_picture = pictures.mean(axis=0)

    def _learn_calibration(self) -> None:
        """Take the scores of those rows that calibrated the model; all else waits for rows."""
        if hasattr(self.estimator, "context_"):
            raise ValueError(
                "Watch: reference must be given, because the model's calibration rows made thresholds of its "
                "groups, within which rows are compared; got None. Pass normal rows that fit did not see. "
                f"{see(_KEPT)}"
            )
        if getattr(self.estimator, "calibration_", None) == "cross":
            raise ValueError(
                "Watch: reference must be given, because the rows that calibrated the model taught it, too; "
                f"got None. Pass normal rows that fit did not see. {see(_KEPT)}"
            )
        scores = getattr(self.estimator, "calibration_scores_", None)
        if scores is None or len(scores) < _FEWEST:
            has = "no" if scores is None else str(len(scores))
            raise ValueError(
                f"Watch: reference must be given, because the model has {has} calibration rows and it takes "
                f"{_FEWEST}. Pass normal rows that fit did not see. {see(_KEPT)}"
            )
        self.evidence.learn_scores(scores)

    def _show(self, picture: np.ndarray) -> None:
        """Let the mean of recent images follow; the first are the usual ones where there is no reference."""
        self.n_pictures += 1
        if self.recent_picture is None:
            self.recent_picture = np.zeros_like(picture)
        self.recent_picture += (picture - self.recent_picture) / min(self.n_pictures, _RECENT)
        if self.usual_picture is None and self.evidence.others is not None:
            self.usual_picture = self.recent_picture.copy()

    def _remember(self, names: Sequence[str]) -> None:
        """Know names when they come again."""
        self.seen |= dict.fromkeys(map(key, filter(None, names)))
        if (n_forgotten := len(self.seen) - _MOST_SEEN) > 0:
            warn(
                f"Watch: {_MOST_SEEN:,} names are remembered, and the oldest {n_forgotten:,} forgotten: such "
                "rows would count again. Give new rows alone.",
            )
            for oldest in list(itertools.islice(self.seen, n_forgotten)):
                del self.seen[oldest]
