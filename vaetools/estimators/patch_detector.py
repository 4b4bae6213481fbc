"""PatchDetector: photographs judged place by place."""

from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaetools.estimators.ae import AE
from vaetools.estimators.anew import wholly
from vaetools.estimators.backbone import Backbone, check_network
from vaetools.estimators.building import resolve_device
from vaetools.estimators.card import Card
from vaetools.estimators.constructor import check_parameters, from_fields, keep_parameters
from vaetools.estimators.image_fields import PATCHES, PATCHES_UNIT, THUMBNAIL, PatchFields
from vaetools.estimators.looking import learn_defects, planted_wholes, seen
from vaetools.estimators.pictures import SHARE_HELD_OUT, check_pictures, enlarged, split_images, through
from vaetools.estimators.verdicts import Verdicts
from vaetools.mixins import OutlierMixin
from vaetools.nn import PIXELS
from vaetools.nn.borders import within
from vaetools.nn.layers import LAYERS_NEEDED, N_REGIONS, layers_at
from vaetools.nn.patch_model import Group, PatchModel, grid_of
from vaetools.nn.places import LEAST
from vaetools.nn.whole import Whole

_STRIDES = {"places": (4, 8, 16), "whole": (32,), "both": (4, 8, 16, 32)}
_OF_PATCHES = AE(32, hidden_layer_sizes=(256, 128), input_noise=0.3, max_iter=8, batch_size=256)


@from_fields
class PatchDetector(Card, OutlierMixin, Verdicts, PatchFields, BaseEstimator):  # type: ignore[misc]
    """Find small defects on photographs, place by place.

    A frozen network makes features of every place of an image. A place is odd where no training image has a
    place like it, where an autoencoder of such patches cannot reconstruct it, and where it is like small
    defects that ``fit`` plants on good images, each compared with what is usual at places alike: rims, edges
    and rich texture always cost more. The map of that, blurred to
    several sizes of defects, is the whole verdict: the score of an image is minus its greatest value, and
    the image is flagged exactly if its map goes beyond the threshold somewhere.

    What is odd only on the whole, as another thing than usual is, is told by the mean of features: of
    thumbnails that is the verdict, on photographs it makes what is oddest odder, by as much as planted
    defects show there.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    model_ : PatchModel
        Images in [0, 1] in, maps out, as a module.
    estimators_ : list of AE or VAE
        The fitted autoencoders of patches, one per group of layers.
    backbone_ : Backbone
        The fitted network.
    scope_ : {"places", "whole", "both"}
        What is judged.
    input_scale_ : InputScale
        What is black and white.
    offset_ : float
        Threshold of the score: a map is odd above ``-offset_``.
    calibration_scores_ : ndarray of shape (n_calibration,)
        Scores of the images that calibrate, sorted.
    calibration_ : {"cross", "split"}
        Whether most of these also train or tell what is usual, each judged by others, or none does.
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
    Images go through a few at a time; about 30,000 places of all that train are kept, and the costs of at
    most 400 that tell what is usual, and calibrate by what is usual in others of them. So memory does not
    grow with the number of images. Black borders are no part of an image.

    References
    ----------
    Roth et al. (2022), "Towards Total Recall in Industrial Anomaly Detection", CVPR.
    Li et al. (2021), "CutPaste: Self-Supervised Learning for Anomaly Detection and Localization", CVPR.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> good = rng.integers(100, 120, (100, 48 * 48), dtype=np.uint8)
    >>> detector = PatchDetector(backbone=None, image_shape=(1, 48, 48), random_state=0).fit(good)
    >>> detector.heat_maps(good[:2]).shape
    (2, 48, 48)
    """

    early_stopping = False  # images train or calibrate
    score_unit_ = PATCHES_UNIT
    anomaly_score_ = PATCHES
    columns_ = None  # it takes images alone

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
            A fit that fails leaves it as it was.
        """
        check_parameters(self)
        with wholly(self):
            self._fit(X)
        return self

    def _fit(self, X: Any) -> None:
        rows = check_pictures(self, X, reset=True)
        self.n_samples_ = len(rows)
        self.scope_ = self.chosen_scope()
        self.backbone_ = self.make_backbone().fit(rows[:1])
        n_layers = LAYERS_NEEDED[self.scope_]
        if len(self.backbone_.layers_) < n_layers:
            raise ValueError(
                f"{type(self).__name__}: backbone must have {n_layers} or more layers, from fine to coarse, "
                f"for scope={self.scope_!r}; got layers={self.backbone_.layers_}."
            )
        rng = check_random_state(self.random_state)
        train, telling, calibrating = split_images(self, len(rows), rng)
        generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
        device = resolve_device(self)
        self.model_ = self.make_model().to(device)
        patches, places, directions = seen(self, rows, train, generator)
        self.estimators_ = [
            self._fit_group(group, points, places, rng, generator)
            for group, points in zip(self.model_.groups, patches, strict=True)
        ]
        self.model_.to(device)
        if self.model_.groups:
            learn_defects(self, rows, train, rng, generator)
            self.model_.to(device)
        crossed = self._learn_usual(rows, telling, directions, generator)
        self.model_.to(device)
        known = crossed if self.confidence is None else crossed[:0]
        if len(calibrating):
            known = np.append(known, self._scores(rows, calibrating, task="calibrating"))
        self.calibration_ = "cross" if self.confidence is None else "split"
        self._judge_by(known)

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
        [maps] = through(self, rows, lambda images: [self.model_(images)], resolve_device(self))
        return maps

    def recalibrate(self, X: Any, y: Any = None) -> Self:
        """Set threshold and p-values from new normal images, without training.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)
            Normal images that ``fit`` did not see; as many as ``confidence`` takes.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : object
        """
        check_parameters(self)
        self._judge_by(self.score_samples(X))
        self.calibration_ = "split"
        keep_parameters(self, "false_alarm_rate", "confidence")
        return self

    def _scores(self, rows: np.ndarray, index: np.ndarray | None = None, task: str = "") -> np.ndarray:
        """Return minus the maxima of the maps of images that were checked."""

        def greatest(images: Tensor) -> list[Tensor]:
            return [self.model_(images).amax(dim=(1, 2))]

        [maxima] = through(self, rows, greatest, resolve_device(self), index=index, task=task)
        return -maxima.astype(np.float64)

    @property
    def _calibrating_share(self) -> float:
        of_few = 1.0 if self.chosen_scope() == "whole" else SHARE_HELD_OUT
        return max(self.calibration_fraction, of_few if self.confidence is None else 0)

    def make_backbone(self) -> Backbone:
        """Return the unfitted network."""
        network = PIXELS if self.backbone is None else self.backbone
        if not isinstance(network, str):
            backbone: Backbone = clone(network).set_params(image_shape=self.image_shape, device=self.device)
            return backbone
        check_network(type(self).__name__, "backbone", network)
        assert self.image_shape is not None  # which was checked
        scope = getattr(self, "scope_", None) or self.chosen_scope()
        layers = layers_at(network, _STRIDES[scope]) or "auto"
        size = None if self.backbone is None else enlarged(self.image_shape[1:])
        return Backbone(network, layers=layers, size=size, image_shape=self.image_shape, device=self.device)

    def make_model(self) -> PatchModel:
        """Return the module that judges, which has learnt nothing yet."""
        features, n_channels = self.backbone_.features_, self.backbone_.n_channels_
        if self.scope_ == "places":
            return PatchModel(features, n_channels)
        of_places = () if self.scope_ == "whole" else n_channels[:-1]
        return PatchModel(features, of_places, Whole(n_channels[-1]))

    def chosen_scope(self) -> str:
        """Return what is judged of images of ``image_shape``: ``scope``, or what ``"auto"`` takes."""
        if self.scope != "auto":
            return self.scope
        if not isinstance(self.backbone, str):
            return "places"
        assert self.image_shape is not None  # which was checked
        return "whole" if max(self.image_shape[1:]) <= THUMBNAIL else "both"

    def _fit_group(
        self,
        group: Group,
        points: Tensor,
        places: np.ndarray,
        rng: np.random.RandomState,
        generator: torch.Generator,
    ) -> Any:
        """Learn what places of good images are like; return the autoencoder of patches."""
        group.mean, group.std = points.mean(dim=0), points.std(dim=0).clamp(min=LEAST)
        points = (points - group.mean) / group.std
        estimator = clone(self.estimator or _OF_PATCHES)
        given = {"random_state": int(rng.randint(2**31 - 1)), "device": self.device, "verbose": self.verbose}
        estimator.set_params(standardize=False, score_precision="float32", **given)
        is_told = hasattr(estimator, "label_proba")
        if is_told and (n := len(np.unique(places))) < N_REGIONS:
            raise ValueError(
                f"{type(self).__name__}: estimator must be an AE or VAE unless images fill all {N_REGIONS} "
                f"regions of their frame; got a {type(estimator).__name__}, and places in {n}. Crop black "
                "borders."
            )
        estimator.fit(points.cpu().numpy(), places if is_told else None)
        group.autoencoder = estimator.model_.cpu()
        group.learn_places(points, torch.from_numpy(places), self.n_references, generator)
        return estimator

    def _learn_usual(
        self, rows: np.ndarray, index: np.ndarray, trained: Tensor, generator: torch.Generator
    ) -> np.ndarray:
        """Learn what is usual, and the whole from the directions of images that train; return scores."""
        model = self.model_
        if model.whole is not None and not model.groups:
            return -model.whole.cpu().learn_crossed(trained, len(index)).numpy().astype(np.float64)

        def look(images: Tensor) -> list[Tensor]:
            maps, extent = model.maps(images)
            costs = [each for group in model.groups for each in group.costs(maps)]
            return [within(extent, grid_of(maps)), model.directions(maps, extent), *costs]

        found = through(self, rows, look, resolve_device(self), index=index, task="what is usual")
        inside, directions, *costs = map(torch.from_numpy, found)
        if model.whole is not None:
            model.whole.cpu().learn(trained)  # where these are
            model.whole.learn_usual(directions)
        pairs = zip(model.groups, costs[::2], costs[1::2], strict=True)
        groups = [group.learn_usual(*costs_and_which, inside) for group, *costs_and_which in pairs]
        model.learn_levels(model.pyramid(groups, inside), inside)
        if model.whole is not None:
            with_defect = planted_wholes(self, rows, index, generator)
            model.whole.learn_share(directions[: len(with_defect)], with_defect)
        greatest, size = np.empty(len(index)), (self.image_shape or ())[1:]
        for i in torch.arange(len(index)).split(1):
            greatest[i] = model.judged([each[i] for each in groups], inside[i], directions[i], size).amax()
        return -greatest
