"""Maps of codes in two or three dimensions, on which new codes find their place."""

import math
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from vaetools.checks import PROBABILITY, check
from vaetools.geometry import similar
from vaetools.latent import MAP_PARAMETERS
from vaetools.mixins import ClassNamePrefixFeaturesOutMixin
from vaetools.progress import bar_options

_N_SPACINGS = 10_000  # codes whose distance to their neighbors is measured
_N_STEPS = 50  # of the search for a median
_SMALLEST = 1e-150  # a distance that can be divided by


class LatentMap(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Map of codes, such as latent means, in two or three dimensions.

    UMAP and t-SNE keep neighbors together: of their maps, read who lies beside whom, not how far apart
    groups are or how large. Principal components keep large distances, and everything else is
    flattened.

    The map is made by `fit`, and stays. `transform` gives new codes a place on it: the weighted
    geometric median of the places of their ``n_neighbors`` nearest training codes, with weights
    1/d - 1/r, where d is a neighbor's distance and r that of the next code that no longer counts. So a
    training code keeps its place, a small move of a code moves its place little, and a code that has
    neighbors in two groups goes to the nearer one instead of the gap between. The place depends on that
    code and the map alone. On principal components new codes are projected.

    Parameters
    ----------
    n_components : int, default=2
        Dimensions of the map. t-SNE is slow in more than 2.
    method : {"umap", "tsne", "pca"}, default="umap"
        UMAP, t-SNE (by openTSNE: ``pip install 'vaetools[tsne]'``) or principal components. Codes that have
        no more dimensions than the map are only rotated, to their principal axes, and so are fewer
        different codes than ``n_components + 3``.
    n_neighbors : int, default=15
        Training codes that UMAP keeps together, that place a new code, and from which `off_map` measures
        distances; all if there are fewer.
    perplexity : float, default=30
        About how many neighbors of a code t-SNE attends to; less if there are fewer than three times
        as many codes.
    random_state : int, RandomState instance or None, default=None
        Seed of the map. With a seed one thread makes it, and the same codes give the same map, in
        whatever order; without, all cores do.
    verbose : int, default=0
        1 shows a progress bar, 2 writes a line now and then, for a log.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_samples, n_components)
        Places of the training codes; equal codes have one place.
    codes_ : ndarray of shape (n_samples, n_features)
        The training codes.
    spacing_ : ndarray of shape (n_spacings,)
        Mean distances of different training codes, at most 10,000 of them, to their nearest others, sorted.
    center_ : ndarray of shape (n_features,)
        Mean training code.
    axes_ : ndarray of shape (n_components, n_features) or None
        Principal axes, where they make the map; rows of zeros where there are too few.
    n_features_in_ : int
        Dimensions of the codes.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns; absent if Z had none.

    See Also
    --------
    vaetools.similar : The nearest codes themselves.

    References
    ----------
    McInnes, Healy, Melville (2018), "UMAP: Uniform Manifold Approximation and Projection for Dimension
    Reduction".

    Poličar, Stražar, Zupan (2019), "openTSNE: a modular Python library for t-SNE dimensionality
    reduction and embedding".

    Examples
    --------
    >>> import numpy as np
    >>> from vaetools import LatentMap
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.normal(size=(200, 8)) * [9, 4, 1, 1, 1, 1, 1, 1]
    >>> latent_map = LatentMap(method="pca").fit(codes)
    >>> latent_map.transform(codes[:3]).shape
    (3, 2)
    >>> latent_map.off_map([8 * [0.0], 8 * [20.0]])
    array([False,  True])
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        method: str = "umap",
        n_neighbors: int = 15,
        perplexity: float = 30,
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.n_components = n_components
        self.method = method
        self.n_neighbors = n_neighbors
        self.perplexity = perplexity
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, Z: Any, y: Any = None) -> Self:
        """Make the map.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features)
            Codes.
        y : Ignored

        Returns
        -------
        self : LatentMap

        Raises
        ------
        ValueError
            If a parameter breaks its rule, or Z is not a table of finite numbers.
        ImportError
            If the method is t-SNE and openTSNE is not installed.
        """
        check_map_parameters(self)
        Z = validate_data(self, Z, dtype=(np.float64, np.float32))
        self.codes_ = np.array(Z)
        self.center_ = Z.mean(axis=0, dtype=np.float64)
        # one place for equal codes: no layout has a use for neighbors at distance 0
        codes, number = np.unique(Z, axis=0, return_inverse=True)
        self.spacing_ = self._spacing(codes)
        n_codes, n_features = codes.shape
        self.axes_: np.ndarray | None = None
        if self.method == "pca" or n_features <= self.n_components or n_codes <= self.n_components + 2:
            self.axes_ = principal_axes(Z - self.center_, self.n_components)
            places = (Z - self.center_) @ self.axes_.T
        else:
            centered = codes - codes.mean(axis=0, dtype=np.float64)  # sorted: in one order for any rows
            unit = np.abs(centered).max()  # the libraries compute in float32, which not all codes fit
            places = _LAYOUTS[self.method](self, centered / unit)[number.ravel()]
        self.embedding_ = places.astype(Z.dtype)
        return self

    def fit_transform(self, Z: Any, y: Any = None) -> np.ndarray:
        """Make the map and return the places of its codes.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features)
            Codes.
        y : Ignored

        Returns
        -------
        places : ndarray of shape (n_samples, n_components)
            A copy of ``embedding_``.
        """
        places: np.ndarray = self.fit(Z).embedding_.copy()
        return places

    def transform(self, Z: Any) -> np.ndarray:
        """Return the places of codes on the map, which does not change.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features)
            Codes.

        Returns
        -------
        places : ndarray of shape (n_samples, n_components)
            float32 for float32 codes, else float64.
        """
        check_is_fitted(self)
        Z = validate_data(self, Z, dtype=(np.float64, np.float32), reset=False)
        if self.axes_ is not None:
            places = (Z - self.center_) @ self.axes_.T
        else:
            places = place(Z, self.codes_, self.embedding_, self.n_neighbors)
        cast: np.ndarray = places.astype(Z.dtype)
        return cast

    def off_map(self, Z: Any, *, share: float = 0.01) -> np.ndarray:
        """Return which codes are unlike any that the map was made of, so that their place means little.

        A code is off the map if its mean distance to the nearest training codes is greater than that
        of training codes to their nearest others, but for the farthest ``share`` of these. Equal codes
        count once there, or all that is no copy would be off a map of copies.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features)
            Codes.
        share : float, default=0.01
            How many new codes like the training codes are off the map: about this share of them, or
            one in n + 1 if there are only n training codes and that is more; fewer if many of these are
            equal.

        Returns
        -------
        off : ndarray of shape (n_samples,), bool

        Raises
        ------
        ValueError
            If ``share`` is not above 0 and below 1.
        """
        check_is_fitted(self)
        check(self, "share", share, PROBABILITY)
        Z = validate_data(self, Z, dtype=(np.float64, np.float32), reset=False)
        n = len(self.spacing_)
        limit = self.spacing_[min(n, math.ceil((1 - share) * (n + 1))) - 1]
        nearest = similar(self.codes_, Z, self._n_nearest(len(self.codes_)))
        are_off: np.ndarray = nearest.distances.mean(axis=1) > limit
        return are_off

    def _n_nearest(self, n: int) -> int:
        """How many of n training codes distances are measured from; a training code does not count itself."""
        return max(1, min(self.n_neighbors, n - 1))

    def _spacing(self, codes: np.ndarray) -> np.ndarray:
        """Return how far different training codes are from their nearest others, sorted."""
        n = len(codes)
        if n == 1:
            return np.zeros(1)
        some = np.linspace(0, n - 1, min(n, _N_SPACINGS)).astype(int)
        distances = similar(codes, codes[some], self._n_nearest(n) + 1).distances
        return np.sort(distances[:, 1:].mean(axis=1))

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def place(Z: np.ndarray, codes: np.ndarray, places: np.ndarray, n_neighbors: int) -> np.ndarray:
    """Return places for codes on a map of at least two others: medians of their neighbors' places.

    Weights end at a radius, as those of Franke and Nielson (1980), "Smooth interpolation of large sets of
    scattered data", International Journal for Numerical Methods in Engineering.
    """
    indices, distances = similar(codes, Z, min(n_neighbors + 1, len(codes)))
    nearness = 1 / np.maximum(distances, _SMALLEST)
    weights = nearness[:, :-1] - nearness[:, -1:]  # who comes next counts 0: no step where neighbors change
    weights[~weights.any(axis=1)] = 1  # all equally far
    return geometric_median(places[indices[:, :-1]].astype(np.float64), weights)


def geometric_median(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the points from which the weighted sums of distances are least, ``(n_samples, n_components)``.

    Of points ``(n_samples, n_points, n_components)``, by the steps of Weiszfeld (1937), "Sur le point pour
    lequel la somme des distances de n points donnés est minimum", Tohoku Mathematical Journal.

    Examples
    --------
    >>> points = np.array([[[0.0, 0.0], [0.0, 1.0], [9.0, 0.0]]])
    >>> geometric_median(points, np.array([[3.0, 1.0, 1.0]])).round(6)
    array([[0., 0.]])
    """
    share = weights / weights.sum(axis=1, keepdims=True)
    for _ in range(_N_STEPS):
        near = np.einsum("np,npc->nc", share, points)
        distances = np.linalg.norm(points - near[:, None], axis=2)
        share = weights / np.maximum(distances, 1e-9)
        share /= share.sum(axis=1, keepdims=True)
    medians: np.ndarray = np.einsum("np,npc->nc", share, points)
    return medians


def principal_axes(centered: np.ndarray, n: int) -> np.ndarray:
    """Return n principal axes of rows with mean 0, zeros where there are fewer, ``(n, n_features)``."""
    from sklearn.utils.extmath import svd_flip

    left, _, axes = np.linalg.svd(centered, full_matrices=False)
    axes = svd_flip(left, axes, u_based_decision=False)[1][:n]
    return np.pad(axes, ((0, n - len(axes)), (0, 0)))


def _umap(settings: LatentMap, codes: np.ndarray) -> np.ndarray:
    """Return the places of different codes by UMAP; one thread honors a seed to the last bit."""
    from threadpoolctl import threadpool_limits
    from umap import UMAP

    layout = UMAP(
        n_components=settings.n_components,
        n_neighbors=min(settings.n_neighbors, len(codes) - 1),
        init="pca",
        random_state=settings.random_state,
        n_jobs=-1 if settings.random_state is None else 1,
        tqdm_kwds={"desc": "UMAP", "unit": "epoch", **bar_options(settings.verbose)},
    )
    # Numba, under UMAP, gives all OpenMP code of the process as many threads as there are cores
    with threadpool_limits(limits=None if settings.random_state is None else 1, user_api="openmp"):
        places: np.ndarray = layout.fit_transform(codes)
        return places


def _tsne(settings: LatentMap, codes: np.ndarray) -> np.ndarray:
    """Return the places of different codes by t-SNE, on as many threads as `_umap`."""
    try:
        from openTSNE import TSNE
    except ImportError:
        raise ImportError(
            "LatentMap: method='tsne' needs the package openTSNE, which is not installed. Run pip install "
            "'vaetools[tsne]', or take method='umap'."
        ) from None
    from tqdm import tqdm

    with tqdm(desc="t-SNE", unit="epoch", **bar_options(settings.verbose, has_end=False)) as bar:

        def advance(iteration: int, error: float, embedding: np.ndarray) -> None:
            bar.update(layout.callbacks_every_iters)  # and returns nothing: True would stop openTSNE

        layout = TSNE(
            n_components=settings.n_components,
            perplexity=min(settings.perplexity, (len(codes) - 1) / 3),
            random_state=settings.random_state,
            n_jobs=-1 if settings.random_state is None else 1,
            # the fast method knows no third dimension
            negative_gradient_method="auto" if settings.n_components <= 2 else "bh",
            callbacks=advance if settings.verbose else None,
        )
        bar.total = layout.early_exaggeration_iter + layout.n_iter
        return np.asarray(layout.fit(codes))


_LAYOUTS: dict[str, Callable[[LatentMap, np.ndarray], np.ndarray]] = {"umap": _umap, "tsne": _tsne}


def check_map_parameters(settings: LatentMap) -> None:
    """Raise where a constructor parameter breaks its rule, naming owner, rule and value."""
    for name, requirement in MAP_PARAMETERS.items():
        check(settings, name, getattr(settings, name), requirement)
