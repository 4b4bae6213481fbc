"""Evidence that rows are no longer like the reference, row by row, in constant memory."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from vaetools.anomaly.betting import N_BETS, N_SHARES, Capital, bets_on_share, bets_on_values
from vaetools.anomaly.ranks import Ranks
from vaetools.watch.alarm import ALL, NORMAL, SCORE, SHARE, Alarm, Cause
from vaetools.watch.statistics import COLUMN, IMAGE, LATENT, Statistic

N_FIRST = 200  # rows that become the reference of statistics that have none
GROUPS = (SHARE, SCORE, "rows", LATENT)
_SHARES = {SHARE: 0.125, SCORE: 0.125, "rows": 0.5, LATENT: 0.25}  # of the probability of a false alarm
_GROUP_OF = {COLUMN: "rows", IMAGE: "rows"}
_MOST_CAUSES = 10
_MOST_BESIDE, _CLEAR = 3, 5.0  # of what differs where more rows are odd, and standard errors that it takes
_MOST_POINTS = 256  # of the history


class Evidence:
    """Bets against "rows are exchangeable with the reference", and what they have made.

    There is one on the share of odd rows (p-values of the score up to ``rate``), one on the scores of the
    others, and one on every statistic of those rows that the model does not flag: for these the model's
    threshold is fixed before, so they are exchangeable too. Each has a share of ``probability``.

    Attributes
    ----------
    n_rows, n_flagged : int
        Since the beginning.
    begun : int
        Row after which bets began.
    share, moves : Capital
        Of bets on odd rows, and on the score of the others and all statistics.
    score, others : Ranks or None
        Places of scores and of statistics.
    typical : ndarray of shape (2, 1 + n_statistics)
        Means and standard deviations of the reference.
    waiting : list of ndarray
        Rows that will be the reference of statistics once they are enough.
    alarm : Alarm or None
    history : list of list of float
        Row, and decimal logarithm of the evidence of each group, in units of its share.
    """

    def __init__(
        self, statistics: Sequence[Statistic], *, offset: float, rate: float, probability: float, seed: int
    ):
        self.statistics = list(statistics)
        self.offset, self.rate, self.probability, self.seed = offset, rate, probability, seed
        self.n_rows = self.n_flagged = self.begun = 0
        self.score: Ranks | None = None
        self.others: Ranks | None = None
        self.typical = np.tile([[0.0], [1.0]], 1 + len(self.statistics))
        self.waiting: list[np.ndarray] = []
        self._named = [Statistic(SHARE, SHARE), Statistic(SCORE, SCORE), *statistics]
        kinds = [_GROUP_OF.get(each.kind, each.kind) for each in self._named]
        self._groups = np.array([GROUPS.index(kind) for kind in kinds])
        self._log_shares = np.log(_shares(self._groups, np.array([each.weight for each in self._named])))
        self._start()

    def _start(self) -> None:
        self.share = Capital.start(1, N_SHARES, 1 + len(self.statistics))
        self.moves = Capital.start(1 + len(self.statistics), N_BETS)
        self.alarm: Alarm | None = None
        self.history: list[list[float]] = []
        self.begun = self.n_rows

    def restart(self) -> None:
        """Forget the alarm and what rows since the reference were like, and begin to bet anew."""
        for ranks in filter(None, (self.score, self.others)):
            ranks.forget()
        self._start()

    def learn_scores(self, scores: np.ndarray) -> None:
        """Take the scores of the reference."""
        self.score = Ranks.learn(scores[:, None], np.random.default_rng([self.seed, 1]))
        self.typical[:, :1] = _typical(scores[:, None])

    def learn(self, values: np.ndarray) -> None:
        """Take the statistics of those rows of the reference that are not flagged."""
        self.others = Ranks.learn(values, np.random.default_rng([self.seed, 2]))
        self.typical[:, 1:] = _typical(values)

    def is_flagged(self, scores: np.ndarray) -> np.ndarray:
        """Whether the model flags rows."""
        return ~(scores >= self.offset)

    def add(self, score: float, values: np.ndarray) -> None:
        """Bet on a row."""
        assert self.score is not None  # who adds rows has a reference
        chances = self._chances()
        always = np.array([True])
        [p_value] = self.score.add(np.array([score]), chances[:, :1], always)
        is_odd, is_flagged = p_value <= self.rate, bool(self.is_flagged(np.array(score)))
        deviations = self._deviations(score, values)
        numbers = np.concatenate([[is_odd], deviations[1:]])[None]
        self.share.bet(bets_on_share(np.array([is_odd]), self.rate), self.n_rows, numbers, always)
        n = len(self.statistics)
        fed = np.array([not is_odd] + [not is_flagged and self.others is not None] * n)
        p_values = np.full(1 + n, (p_value - self.rate) / (1 - self.rate))
        if self.others is not None:
            p_values[1:] = self.others.add(values, chances[:, 1:], fed[1:])
        self.moves.bet(bets_on_values(p_values), self.n_rows, deviations[:, None], fed)
        self.n_rows += 1
        self.n_flagged += is_flagged
        self._judge()
        self._note()
        if not is_flagged and self.others is None:
            self._wait(values)

    def _chances(self) -> np.ndarray:
        """Return uniform numbers that depend on the seed and the number of the row alone."""
        draws = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, self.n_rows, 0, 0]))
        return draws.random((2, 1 + len(self.statistics)))

    def _wait(self, values: np.ndarray) -> None:
        self.waiting.append(values)
        if len(self.waiting) == N_FIRST:
            self.learn(np.stack(self.waiting))
            self.waiting = []

    def _deviations(self, score: float, values: np.ndarray) -> np.ndarray:
        """Return how far a row is from the mean of the reference, in standard deviations; 0 if unknown."""
        mean, spread = self.typical
        deviations = (np.concatenate([[score], values]) - mean) / spread
        return np.where(np.isfinite(deviations), deviations, 0.0)

    @property
    def log_capital(self) -> np.ndarray:
        """Log of what the bets on odd rows, on the score and on all statistics made of 1."""
        return np.concatenate([self.share.log_capital, self.moves.log_capital])

    def _judge(self) -> None:
        """Raise the alarm where a bet has won enough, and name what else has from then on."""
        limit, capital = -math.log(self.probability), self.log_capital
        won = capital + self._log_shares >= limit
        if not won.any():
            return
        if self.alarm is None:
            won |= capital >= limit  # they would tell by themselves
            causes: tuple[Cause, ...] = ()
        else:
            causes = self.alarm.causes
            known = {(cause.kind, cause.name) for cause in causes if cause.of == NORMAL}
            won &= [(each.kind, each.name) not in known for each in self._named]
        if len(causes) >= _MOST_CAUSES or not won.any():
            return
        places = np.flatnonzero(won)
        for place in places[np.argsort(-capital[places], kind="stable")].tolist():
            causes += (self._cause(place, float(capital[place])),)
            causes += tuple(self._beside_odd_rows()) if place == 0 else ()
        causes = causes[:_MOST_CAUSES]
        first = self.alarm or Alarm(self.n_rows, causes[0].since, (), self.rate)
        self.alarm = Alarm(first.row, first.since, causes, self.rate)

    def _cause(self, place: int, capital: float) -> Cause:
        """Return what is known of a change."""
        statistic, of_share = self._named[place], place == 0
        since, n_rows, means = (self.share if of_share else self.moves).change(max(place - 1, 0))
        mean = float(means[0])
        # what does not vary in the reference has no size, nor have missing cells, which count as exactly 0
        is_known = mean != 0 and not of_share and np.isfinite(self.typical[1, place - 1])
        return Cause(
            kind=statistic.kind,
            name=statistic.name,
            row=self.n_rows,
            since=since + 1,
            n_rows=n_rows,
            moved=mean if is_known else None,
            share=mean if of_share else None,
            evidence=capital / math.log(10),
        )

    def _beside_odd_rows(self) -> Iterator[Cause]:
        """Yield what all rows differ in since the share of odd ones rose: at most three, clearest first."""
        since, n_rows, means = self.share.change(0)
        clearness = np.abs(means[1:]) * math.sqrt(n_rows)
        for i in np.argsort(-clearness, kind="stable")[:_MOST_BESIDE].tolist():
            if clearness[i] >= _CLEAR:
                statistic = self.statistics[i]
                moved, row = float(means[1 + i]), self.n_rows
                yield Cause(statistic.kind, statistic.name, row, since + 1, n_rows, moved, None, None, ALL)

    def _note(self) -> None:
        """Note the evidence now and then: at most 256 times, at equal distances."""
        stride = 1
        n_rows = self.n_rows - self.begun
        while n_rows > stride * _MOST_POINTS:
            stride *= 2
        if n_rows % stride:
            return
        best = np.full(len(GROUPS), -np.inf)
        np.maximum.at(best, self._groups, self.log_capital + self._log_shares)
        kept = [point for point in self.history if (point[0] - self.begun) % stride == 0]
        self.history = [*kept, [self.n_rows, *(best / math.log(10)).tolist()]]


def _typical(values: np.ndarray) -> np.ndarray:
    """Return means and standard deviations of what is finite; of what does not vary the latter is NaN."""
    known = np.where(np.isfinite(values), values, np.nan)
    n = np.maximum(np.isfinite(values).sum(axis=0), 1)
    mean = np.nansum(known, axis=0) / n
    spread = np.sqrt(np.nansum((known - mean) ** 2, axis=0) / np.maximum(n - 1, 1))
    return np.stack([mean, np.where(spread > 1e-12 * np.abs(mean), spread, np.nan)])


def _shares(groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return shares of a probability that add up to 1: of groups that exist, by weight within each."""
    of_groups = np.array([_SHARES[name] for name in GROUPS])
    totals = np.bincount(groups, weights, minlength=len(GROUPS))
    shares: np.ndarray = (of_groups / of_groups[totals > 0].sum())[groups] * weights / totals[groups]
    return shares
