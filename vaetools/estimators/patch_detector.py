"""PatchDetector: photographs judged place by place."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaetools.checks import IMAGE_SHAPE, POSITIVE_INTEGER, PROBABILITY, Requirement, is_instance, or_none
from vaetools.estimators.ae import AE
from vaetools.estimators.backbone import Backbone
from vaetools.estimators.building import resolve_device
from vaetools.estimators.constructor import check_parameters, from_fields, parameter
from vaetools.estimators.fields import DEVICE, SEED, VERBOSE
from vaetools.estimators.pictures import check_pictures, through
from vaetools.estimators.rows import split_rows
from vaetools.estimators.verdicts import Verdicts
from vaetools.nn.features import LITE0, layers_at
from vaetools.nn.patch_model import PatchModel
from vaetools.nn.places import greedy_cover, usual_costs

_STRIDES = (8, 16)  # of layers that see what is small
_N_TRAINED, _N_COVERED, _N_USUAL = (
    40_000,
    60_000,
    100_000,
)  # patches that train, that are covered, that are usual
_WATCHED, _MOST_WATCHED = 0.25, 200  # of training images, share and number that tell what is usual
_SPREAD = 1.4826  # of a normal distribution, in median absolute deviations


@from_fields
class PatchDetector(OutlierMixin, Verdicts, BaseEstimator):
    """Find small defects on photographs, place by place.

    A frozen network makes features of every place of an image. A place is odd where no training image has a
    place like it, and where an autoencoder of such patches cannot reconstruct it, each compared with what
    is usual at places alike: rims, edges and rich texture always cost more. The map of that, blurred to
    several sizes of defects, is the whole verdict: the score of an image is minus its greatest value, and
    the image is flagged exactly if its map goes beyond the threshold somewhere.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    model_ : PatchModel
        Images in [0, 1] in, maps out, as a module.
    estimator_ : AE, VAE or CVAE
        The fitted autoencoder of patches.
    backbone_ : Backbone
        The fitted network.
    input_scale_ : InputScale
        What is black and white.
    offset_ : float
        Threshold of the score: a map is odd above ``-offset_``.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores of the images that were held out to calibrate, sorted.
    n_samples_ : int
        Images that ``fit`` was given.
    n_features_in_ : int
        Values of an image.

    See Also
    --------
    VAE : Of thumbnails, and of tables.
    Backbone : The features alone, of places or of whole images.

    Notes
    -----
    Images go through one after the other, and of all training images at most 100,000 places are kept, so that
    memory does not grow with their number. Black borders are no part of an image.

    References
    ----------
    Roth et al. (2022), "Towards Total Recall in Industrial Anomaly Detection", CVPR.
    """

    estimator: Any = parameter(
        or_none(
            Requirement(
                "an AE, VAE or CVAE", lambda value: is_instance(value, "score_samples", "reconstruct")
            )
        ),
        "Autoencoder of patches, which are rows of standardized features; it is cloned. None takes a "
        "denoising `AE` of 32 components.",
        default=None,
        kw_only=False,
    )
    backbone: Any = parameter(
        Requirement(
            "the name of a network or a Backbone",
            lambda value: isinstance(value, str) or is_instance(value, "transform", "maps"),
        ),
        "Frozen network that makes features of places: a name as `Backbone` has them, or one with layers, "
        "which is cloned.",
        default=LITE0,
    )
    image_shape: tuple[int, int, int] | None = parameter(
        or_none(IMAGE_SHAPE),
        "Shape of the images whose pixels the rows of X hold, as (channels, height, width). It must "
        "be given.",
        default=None,
    )
    n_references: int = parameter(
        POSITIVE_INTEGER, "Patches of training images that places are compared with, at most.", default=6000
    )
    false_alarm_rate: float = parameter(
        PROBABILITY, "Probability that a new normal image is flagged.", default=0.05
    )
    calibration_fraction: float = parameter(
        PROBABILITY, "Share of the images that calibrate and touch nothing else.", default=0.2
    )
    device: Any = parameter(
        DEVICE, 'Where to compute; ``"auto"`` takes a GPU if there is one.', default="auto"
    )
    random_state: Any = parameter(SEED, "Seed of all that is drawn.", default=None)
    verbose: int = parameter(
        VERBOSE, "1 shows a progress bar, 2 writes a line now and then, for a log.", default=0
    )

    early_stopping = False  # images train or calibrate
    score_unit_ = "std"

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what good images look like, place by place.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)
            Images without defects.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
        """
        check_parameters(self)
        rows = check_pictures(self, X, reset=True)
        if len(rows) < 3:  # to train, to say what is usual, and to calibrate
            raise ValueError(f"{type(self).__name__}: X must have at least 3 images; got {len(rows)}.")
        self.n_samples_ = len(rows)
        rng = check_random_state(self.random_state)
        trained, _, calibrate = split_rows(self, len(rows), rng)
        n_watched = min(_MOST_WATCHED, max(1, int(_WATCHED * len(trained))))
        watched, train = np.split(rng.permutation(trained), [n_watched])
        generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
        self.backbone_ = self._make_backbone().fit(rows[:1])
        patches = self._sampled(rows[train], _N_COVERED, generator)
        blank = PatchModel(self.backbone_.features_, None, patches.shape[1], 1)
        patches = blank.standardize(patches)
        self.estimator_ = self._make_estimator(rng).fit(patches[:_N_TRAINED].numpy())
        chosen = greedy_cover(patches, self.n_references, generator)
        self.model_ = model = PatchModel(
            self.backbone_.features_, self.estimator_.model_.float(), patches.shape[1], len(chosen)
        ).to(resolve_device(self))
        model.mean, model.std, model.references = blank.mean, blank.std, patches[chosen]
        costs, which = model.costs(
            (self._sampled(rows[watched], _N_USUAL, generator) - model.mean) / model.std
        )
        model.center, model.spread = usual_costs(costs, which[:, 0], len(chosen))
        self._fit_levels(rows[watched])
        self._judge_by(self._scores(rows[calibrate]), stacklevel=2)
        return self

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        """Return minus the greatest value of every image's map; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)
        y : Ignored
            Present for API consistency.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
        """
        check_is_fitted(self)
        return self._scores(check_pictures(self, X, reset=False))

    def heat_maps(self, X: Any) -> np.ndarray:
        """Return how odd every pixel is.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)

        Returns
        -------
        maps : ndarray of shape (n_samples, height, width), float32
            In standard deviations of what the oddest places of good images are; above ``-offset_`` is odd.
        """
        check_is_fitted(self)
        rows = check_pictures(self, X, reset=False)
        assert self.image_shape is not None  # fit asked for it
        maps = np.empty((len(rows), *self.image_shape[1:]), np.float32)
        for where, piece in through(self, rows, self.model_, resolve_device(self)):
            maps[where] = piece
        return maps

    def recalibrate(self, X: Any, y: Any = None) -> Self:
        """Set threshold and p-values from new normal images, without training.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)
            Normal images that ``fit`` did not see.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
        """
        check_parameters(self)
        self._judge_by(self.score_samples(X), stacklevel=2)
        return self

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """Return minus the maxima of the maps of images that were checked."""
        scores = np.empty(len(rows))
        for where, maxima in through(
            self, rows, lambda images: self.model_(images).amax(dim=(1, 2)), resolve_device(self)
        ):
            scores[where] = -maxima.astype(np.float64)
        return scores

    def _make_backbone(self) -> Backbone:
        """Return the unfitted network."""
        if not isinstance(self.backbone, str):
            return clone(self.backbone).set_params(image_shape=self.image_shape, device=self.device)
        layers = layers_at(self.backbone, _STRIDES) or "auto"
        return Backbone(self.backbone, layers=layers, image_shape=self.image_shape, device=self.device)

    def _make_estimator(self, rng: np.random.RandomState) -> Any:
        """Return the unfitted autoencoder of patches, which are standardized already."""
        estimator = self.estimator
        if estimator is None:
            estimator = AE(
                32,
                hidden_layer_sizes=(256, 128),
                input_noise=0.3,
                max_iter=12,
                batch_size=256,
                device=self.device,
            )
        seed = int(rng.randint(2**31 - 1))
        return clone(estimator).set_params(standardize=False, random_state=seed, score_precision="float32")

    def _sampled(self, rows: np.ndarray, n: int, generator: torch.Generator) -> Tensor:
        """Return features of at most n places of images, as many of each, in any order."""
        per_image = -(-n // len(rows))
        model = PatchModel(self.backbone_.features_, None, self.backbone_.n_channels_, 1)

        def places(images: Tensor) -> Tensor:
            patches, inside = model.patches(images)
            return torch.cat([patches, inside[..., None]], dim=3).flatten(1, 2)

        found = []
        for _, piece in through(self, rows, places, resolve_device(self)):
            for of_image in torch.from_numpy(piece):
                within = of_image[of_image[:, -1] > 0, :-1]
                found.append(within[torch.randperm(len(within), generator=generator)[:per_image]])
        points = torch.cat(found)
        return points[torch.randperm(len(points), generator=generator)[:n]]

    def _fit_levels(self, rows: np.ndarray) -> None:
        """Learn how large maps of good images are at most, blur by blur."""
        model = self.model_

        def maxima(images: Tensor) -> Tensor:
            patches, inside = model.patches(images)
            levels = model.levels(model.places(patches), inside)
            return levels.masked_fill(inside[:, None] == 0, -torch.inf).amax(dim=(2, 3))

        found = np.concatenate([piece for _, piece in through(self, rows, maxima, resolve_device(self))])
        center = np.median(found, axis=0)
        model.level_center = torch.from_numpy(center)
        model.level_spread = torch.from_numpy(_SPREAD * np.median(np.abs(found - center), axis=0)).clamp(
            min=1e-3
        )
