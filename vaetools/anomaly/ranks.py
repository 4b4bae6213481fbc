"""P-values of a stream of rows, exact and in constant memory: places among rows that are kept as counts.

Sort n reference values of a statistic. If these and the values of a stream are exchangeable, a new value
falls with equal probability into each of the n + 1 gaps between them, and after values have fallen, into a
gap with c of them with probability proportional to 1 + c: an urn of Pólya. Gaps may be joined, for an urn of
groups is one too. So with U uniform

    p = (weight of the gaps below + U · weight of its own gap) / (weight of all),  weight = gaps joined + c,

is uniform on [0, 1] whatever the p-values before were: independent p-values, though the reference is one set
that all rows share. (P-values among the reference alone are uniform one by one, but not jointly.) Equal
values are put in order by lots, which a discrete statistic needs.

References
----------
Vovk, Gammerman, Shafer (2005), "Algorithmic Learning in a Random World", Springer (smoothed p-values).
Blackwell, MacQueen (1973), "Ferguson Distributions via Polya Urn Schemes", Annals of Statistics 1(2).
"""

from typing import Self

import numpy as np

_N_EDGES, _FARTHEST = 63, 3.0  # of gaps, and where they lie: as normal quantiles, close at both ends


class Ranks:
    """Places of values among reference values and all values since, of several statistics at once.

    Attributes
    ----------
    edges, lots : ndarray of shape (n_statistics, n_edges)
        Some of the reference values, sorted, and what puts equal ones in order.
    gaps : ndarray of shape (n_edges + 1,)
        Those between reference values that were joined between two edges.
    weights : ndarray of shape (n_statistics, n_edges + 1)
        These, and values that fell into them since.

    Examples
    --------
    >>> ranks = Ranks.learn(np.arange(19.0)[:, None], np.random.default_rng(0))
    >>> halves, fed = np.full((2, 1), 0.5), np.array([True])
    >>> [ranks.add(np.array([each]), halves, fed).item() for each in (-1.0, 30.0)]  # of 20 gaps, then of 21
    [0.025, 0.9761904761904762]
    """

    def __init__(self, edges: np.ndarray, lots: np.ndarray, gaps: np.ndarray, weights: np.ndarray):
        self.edges, self.lots, self.gaps, self.weights = edges, lots, gaps, weights

    @classmethod
    def learn(cls, values: np.ndarray, rng: np.random.Generator) -> Self:
        """Return ranks among reference values, ``(n_reference, n_statistics)``; NaN is below all numbers."""
        from scipy.special import ndtr

        n, n_statistics = values.shape
        values = np.where(np.isnan(values), -np.inf, values).T
        lots = rng.random(values.shape)
        order = np.lexsort((lots, values), axis=1)
        quantiles = ndtr(np.linspace(-_FARTHEST, _FARTHEST, _N_EDGES))
        places = np.unique(np.clip(np.rint(quantiles * (n + 1)), 1, n).astype(int))
        chosen = order[:, places - 1]
        gaps = np.diff(places, prepend=0, append=n + 1)
        edges, lots = (np.take_along_axis(each, chosen, axis=1) for each in (values, lots))
        return cls(edges, lots, gaps, np.tile(gaps, (n_statistics, 1)))

    def forget(self) -> None:
        """Go back to the reference alone."""
        self.weights = np.tile(self.gaps, (len(self.edges), 1))

    def add(self, values: np.ndarray, chances: np.ndarray, fed: np.ndarray) -> np.ndarray:
        """Return the p-values of a new value of each statistic, small for low ones, and count those fed.

        Parameters
        ----------
        values : ndarray of shape (n_statistics,)
        chances : ndarray of shape (2, n_statistics)
            Uniform numbers: the first put values in order among equal reference values, the others are U.
        fed : ndarray of shape (n_statistics,), bool
            Which values are of the stream.

        Returns
        -------
        p_values : ndarray of shape (n_statistics,)
        """
        values = np.where(np.isnan(values), -np.inf, values)[:, None]
        lots, smoothing = chances
        is_above = (self.edges < values) | ((self.edges == values) & (self.lots < lots[:, None]))
        own = np.arange(len(values)), is_above.sum(axis=1)
        below = (self.weights[:, :-1] * is_above).sum(axis=1)
        p_values: np.ndarray = (below + smoothing * self.weights[own]) / self.weights.sum(axis=1)
        self.weights[own] += fed
        return p_values
