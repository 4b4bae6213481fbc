"""Capital that grows only where p-values cease to be uniform: an alarm that may be looked at every day.

Who bets on p by a density f of [0, 1] has the capital f(p) for each coin that was staked, and 1 in the mean
while p is uniform, whatever was before. Here one coin is there at the start and is staked bit by bit, w_t on
the row t, to find changes that come late:

    S_t = (S_{t−1} + w_t) · f(p_t),    R_t = R_{t−1} − w_t,    R_0 = 1,    S_0 = 0.

S_t + R_t is a martingale of mean 1, and so is the mean of several over densities. By Ville's inequality it
ever reaches 1/α with probability at most α. Statistics have p-values that are uniform each given its own
past, not given that of all, so martingales of different statistics must not be averaged: each has a share
of α, shares add up to α, and so do the probabilities of false alarms.

References
----------
Ville (1939), "Étude critique de la notion de collectif", Gauthier-Villars.
Vovk, Nouretdinov, Gammerman (2003), "Testing Exchangeability On-Line", ICML.
Shin, Ramdas, Rinaldo (2024), "E-detectors: A Nonparametric Framework for Sequential Change Detection", New
England Journal of Statistics in Data Science 2(2).
"""

import math
from typing import Self

import numpy as np

_SHIFTS = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])  # of a standard normal number
_SCALES = np.array([0.5, 2.0])
_ODDS = np.array([2.0, 4.0, 8.0, 16.0])  # times those of an odd row
_EARLY = 20  # rows: about so many have the same stake at first
_TINY = 1e-300

N_BETS = len(_SHIFTS) + len(_SCALES)
N_SHARES = len(_ODDS)


def bets_on_values(p_values: np.ndarray) -> np.ndarray:
    """Return log densities of p-values where a normal statistic is moved, squeezed or spread.

    Examples
    --------
    >>> bets_on_values(np.array([0.5, 0.99])).round(1)
    array([[-2. , -0.5, -0.1, -0.1, -0.5, -2. ,  0.7, -0.7],
           [-6.7, -2.8, -1.3,  1. ,  1.8,  2.7, -7.4,  1.3]])
    """
    from scipy.special import ndtri

    z = ndtri(np.clip(p_values, _TINY, 1 - 2**-53))[:, None]
    moved = _SHIFTS * z - _SHIFTS**2 / 2
    spread = z**2 / 2 * (1 - 1 / _SCALES**2) - np.log(_SCALES)
    return np.concatenate([moved, spread], axis=1)


def bets_on_share(is_odd: np.ndarray, rate: float) -> np.ndarray:
    """Return log likelihood ratios of odd rows, at odds of 2, 4, 8 and 16 times those of a rate.

    Examples
    --------
    >>> bets_on_share(np.array([True, False]), 0.05).round(2)
    array([[ 0.64,  1.25,  1.78,  2.21],
           [-0.05, -0.14, -0.3 , -0.56]])
    """
    raised = _ODDS * rate / (1 - rate + _ODDS * rate)
    return np.where(np.asarray(is_odd)[:, None], np.log(raised / rate), np.log((1 - raised) / (1 - rate)))


class Capital:
    """Capital of bets on p-values of several statistics, and since when each would have won most.

    Attributes
    ----------
    n_rows : ndarray of shape (n_statistics,), int
        That were bet on.
    log_staked : ndarray of shape (n_statistics, n_bets)
        Log of S.
    log_best : ndarray of shape (n_statistics, n_bets)
        Of what was staked at one row, the log of what became most.
    since : ndarray of shape (n_statistics, n_bets), int
        That row, in numbers of the stream.
    n_since : ndarray of shape (n_statistics, n_bets), int
        Rows bet on since.
    sums : ndarray of shape (n_statistics, n_bets, n_numbers)
        Their sums of some numbers.
    """

    def __init__(
        self,
        n_rows: np.ndarray,
        log_staked: np.ndarray,
        log_best: np.ndarray,
        since: np.ndarray,
        n_since: np.ndarray,
        sums: np.ndarray,
    ):
        self.n_rows, self.log_staked, self.log_best = n_rows, log_staked, log_best
        self.since, self.n_since, self.sums = since, n_since, sums

    @classmethod
    def start(cls, n_statistics: int, n_bets: int, n_numbers: int = 1) -> Self:
        """Return what there is before the first row."""
        shape = n_statistics, n_bets
        return cls(
            n_rows=np.zeros(n_statistics, dtype=np.int64),
            log_staked=np.full(shape, -np.inf),
            log_best=np.full(shape, -np.inf),
            since=np.zeros(shape, dtype=np.int64),
            n_since=np.zeros(shape, dtype=np.int64),
            sums=np.zeros((*shape, n_numbers)),
        )

    def bet(self, log_bets: np.ndarray, row: int, numbers: np.ndarray, fed: np.ndarray) -> None:
        """Stake on a row, and let it win or lose; those statistics that are not fed stay as they are.

        Parameters
        ----------
        log_bets : ndarray of shape (n_statistics, n_bets)
            Log densities.
        row : int
            Its number in the stream.
        numbers : ndarray of shape (n_statistics, n_numbers)
            To sum since the change.
        fed : ndarray of shape (n_statistics,), bool
        """
        stakes = np.log(_reserve(self.n_rows) - _reserve(self.n_rows + 1))[:, None]
        begins = fed[:, None] & (stakes > self.log_best)
        for kept, first in ((self.log_best, stakes), (self.since, row), (self.n_since, 0)):
            np.copyto(kept, first, where=begins, casting="same_kind")
        self.sums[begins] = 0
        won = np.where(fed[:, None], log_bets, 0.0)
        self.log_staked = np.where(fed[:, None], np.logaddexp(self.log_staked, stakes) + won, self.log_staked)
        self.log_best += won
        self.n_since += fed[:, None]
        self.sums += np.where(fed[:, None], numbers, 0.0)[:, None]
        self.n_rows += fed

    @property
    def log_capital(self) -> np.ndarray:
        """Log of what each statistic has, in the mean over its bets, with what is not staked yet."""
        staked = np.logaddexp.reduce(self.log_staked, axis=1) - math.log(self.log_staked.shape[1])
        capital: np.ndarray = np.logaddexp(staked, np.log(_reserve(self.n_rows)))
        return capital

    def change(self, statistic: int) -> tuple[int, int, np.ndarray]:
        """Return since which row a statistic's best bet wins, of how many rows, and their mean numbers."""
        bet = int(self.log_best[statistic].argmax())
        n = int(self.n_since[statistic, bet])
        return int(self.since[statistic, bet]), n, self.sums[statistic, bet] / max(n, 1)


def _reserve(n_rows: np.ndarray) -> np.ndarray:
    """Return what is not staked after so many rows: it falls so slowly that late changes cost little more."""
    reserve: np.ndarray = math.log(_EARLY) / np.log(_EARLY + n_rows)
    return reserve
