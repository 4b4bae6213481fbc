"""Networks: ``posterior(x, condition)`` → mean and log standard deviation, ``decode(z, condition)``.

Rows go in and come out flat, ``(n_samples, n_features)``; an image is reshaped inside.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.nn import code_channels, feature_maps

_MAX_LOG_STD = 8.0  # a posterior between e^-8 and e^8 prior standard deviations


def mlp(widths: Sequence[int], activation: type[nn.Module]) -> nn.Sequential:
    """Return dense layers of the given widths with activations between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


class ConvStage(nn.Module):
    """Halve an image, rounding up: (n, c_in, h, w) → (n, c_out, ⌈h/2⌉, ⌈w/2⌉)."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel_size=4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the strided convolution, one pixel wider where a side is odd."""
        height, width = x.shape[-2:]
        if height % 2 or width % 2:
            x = F.pad(x, (0, width % 2, 0, height % 2))
        maps: Tensor = self.conv(x)
        return maps


class DeconvStage(nn.Module):
    """Double an image and crop it: the mirror of `ConvStage`."""

    def __init__(self, n_in: int, n_out: int, size: tuple[int, int]):
        super().__init__()
        self.conv = nn.ConvTranspose2d(n_in, n_out, kernel_size=4, stride=2, padding=1)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Apply the transposed convolution and keep ``size`` pixels."""
        height, width = self.size
        maps: Tensor = self.conv(x)[..., :height, :width]
        return maps


class ConvFeatures(nn.Module):
    """Rows → flattened feature map of a stack of halving convolutions."""

    def __init__(
        self, image_shape: tuple[int, int, int], channels: Sequence[int], activation: type[nn.Module]
    ):
        super().__init__()
        self.image_shape = image_shape
        self.shapes = feature_maps(image_shape, channels)
        stages: list[nn.Module] = []
        for (n_in, *_), (n_out, *_) in pairwise(self.shapes):
            stages += [ConvStage(n_in, n_out), activation()]
        self.stages = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n_samples, channels * height * width)`` of the last stage."""
        features: Tensor = self.stages(x.reshape(-1, *self.image_shape)).flatten(1)
        return features


class ConvImage(nn.Module):
    """Flattened feature map → likelihood parameters of every pixel: mirror of `ConvFeatures`."""

    def __init__(self, shapes: list[tuple[int, int, int]], n_parameters: int, activation: type[nn.Module]):
        super().__init__()
        self.map_shape = shapes[-1]
        stages: list[nn.Module] = []
        for (n_in, _, _), shape in pairwise(reversed(shapes)):
            n_out = shape[0] * (n_parameters if shape is shapes[0] else 1)
            stages += [activation(), DeconvStage(n_in, n_out, shape[1:])]
        self.stages = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n_samples, n_parameters * n_features)``."""
        features: Tensor = self.stages(x.reshape(-1, *self.map_shape)).flatten(1)
        return features


class SpatialHead(nn.Module):
    """A 1×1 convolution of a flattened feature map: the code keeps its place in the image."""

    def __init__(self, map_shape: tuple[int, int, int], n_channels: int):
        super().__init__()
        self.map_shape = map_shape
        self.conv = nn.Conv2d(map_shape[0], n_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(n_samples, n_channels * height * width)``."""
        images: Tensor = self.conv(x.reshape(-1, *self.map_shape)).flatten(1)
        return images


class UnitMean(nn.Module):
    """Squash the first ``n_features`` decoder outputs, the means, into [0, 1]."""

    def __init__(self, n_features: int):
        super().__init__()
        self.n_features = n_features

    def forward(self, parameters: Tensor) -> Tensor:
        """Return parameters of the same shape."""
        if parameters.shape[1] == self.n_features:
            return torch.sigmoid(parameters)
        mean, others = parameters[:, : self.n_features], parameters[:, self.n_features :]
        return torch.cat([torch.sigmoid(mean), others], dim=1)


class LabelJoin(nn.Module):
    """Let a one-hot label into the code of a conditional decoder.

    ``"concat"`` appends it, ``"add"`` adds a rectified linear projection of it to the code,
    ``"multiply"`` multiplies the code by one plus such a projection.
    """

    def __init__(self, conditioning: str, n_components: int, n_classes: int):
        super().__init__()
        self.conditioning = conditioning
        self.n_out = n_components + (n_classes if conditioning == "concat" else 0)
        if conditioning != "concat":
            self.project = nn.Sequential(nn.Linear(n_classes, n_components), nn.ReLU())

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """Return codes with their label, ``(n_samples, n_out)``."""
        if self.conditioning == "concat":
            return torch.cat([z, condition], dim=1)
        projection = self.project(condition)
        joined: Tensor = z + projection if self.conditioning == "add" else z * (1 + projection)
        return joined


class Network(nn.Module):
    """Encoder and decoder as built from an estimator's parameters; the decoder's layers mirror the encoder's.

    ``n_outputs`` are the parameters of the likelihood of a row, by default as many as inputs, and of an image
    a multiple of them. A ``variational`` encoder gives a standard deviation, too; with ``unit_mean`` decoded
    means pass a sigmoid. Where ``hidden_layer_sizes`` is empty and ``n_components`` is the size of the last
    feature map, the code is that map: no dense layer stands between. A code ``of_words`` is then a map even
    of more or fewer channels.
    """

    def __init__(
        self,
        n_inputs: int,
        n_components: int,
        hidden_layer_sizes: Sequence[int],
        activation: type[nn.Module],
        *,
        n_outputs: int | None = None,
        variational: bool = True,
        of_words: bool = False,
        image_shape: tuple[int, int, int] | None = None,
        hidden_channels: Sequence[int] = (),
        unit_mean: bool = False,
        n_classes: int = 0,
        conditioning: str = "concat",
        condition_encoder: bool = True,
    ):
        super().__init__()
        n_outputs = n_inputs if n_outputs is None else n_outputs
        self.variational, self.n_label_inputs = variational, n_classes if condition_encoder else 0
        self.join = LabelJoin(conditioning, n_components, n_classes) if n_classes else None
        n_code = self.join.n_out if self.join else n_components
        n_stats, hidden = 2 if variational else 1, list(hidden_layer_sizes)
        if hidden_channels:
            assert image_shape is not None  # checked with the parameters
            features = ConvFeatures(image_shape, hidden_channels, activation)
            self.features: nn.Module = features
            map_shape: tuple[int, int, int] | None = features.shapes[-1]
            n_flat = math.prod(features.shapes[-1])
            image: nn.Module = ConvImage(features.shapes, n_outputs // n_inputs, activation)
        else:
            self.features, image, n_flat, map_shape = nn.Identity(), nn.Identity(), n_inputs, None
        n_channels = code_channels(map_shape, n_components, of_words=of_words) if map_shape else 0
        if map_shape and n_channels and not hidden and n_code == n_components and not self.n_label_inputs:
            self.encoder = nn.Sequential(SpatialHead(map_shape, n_channels * n_stats))
            dense: nn.Module = SpatialHead((n_channels, *map_shape[1:]), map_shape[0])
        else:
            self.encoder = mlp([n_flat + self.n_label_inputs, *hidden, n_components * n_stats], activation)
            dense = mlp([n_code, *reversed(hidden), n_flat if map_shape else n_outputs], activation)
        self.decoder = nn.Sequential(dense, image, UnitMean(n_inputs) if unit_mean else nn.Identity())

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return mean and log standard deviation of q(z | x); the latter None for an autoencoder."""
        return self.posterior_of(self.hidden(x, condition))

    def hidden(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the last hidden layer of the encoder, ``(n_samples, n_hidden)``."""
        features: Tensor = self.features(x)
        if self.n_label_inputs:
            assert condition is not None
            features = torch.cat([features, condition], dim=1)
        for layer in self.encoder[:-1]:
            features = layer(features)
        return features

    def posterior_of(self, hidden: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what `posterior` does, from the last hidden layer."""
        stats = self.encoder[-1](hidden)
        if not self.variational:
            return stats, None
        mean, raw = stats.chunk(2, dim=1)
        return mean, _MAX_LOG_STD * torch.tanh(raw / _MAX_LOG_STD)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the likelihood parameters of every code, ``(n_samples, n_outputs)``."""
        parameters: Tensor = self.decoder(z if self.join is None else self.join(z, condition))
        return parameters


def draw_weights(network: nn.Module, seed: int) -> nn.Module:
    """Give a network that was made on the "meta" device float32 weights from a seed.

    PyTorch's usual distributions, but from a generator of their own: layers draw theirs from
    the process-wide one, which threads share.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    network = network.to(torch.float32).to_empty(device="cpu")
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            fan_in = layer.weight[0].numel()  # PyTorch counts so for transposed convolutions too
            bound = 1 / math.sqrt(fan_in)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return network


class EncoderDecoder(nn.Module):
    """Make a network of your own encoder and decoder, to pass as ``network=``.

    Parameters
    ----------
    encoder : Module
        Rows ``(n_samples, n_features)`` → latent means ``(n_samples, n_components)``, or a
        tuple of means and spreads.
    decoder : Module or None, default=None
        Codes ``(n_samples, n_components)`` → the likelihood's parameters: means for a
        Gaussian, logits for a Bernoulli. Without a decoder, the latents and the scores made of
        them alone are available.
    spread : {"log_variance", "log_std"}, default="log_variance"
        What the second output of the encoder is.
    image_shape : tuple (channels, height, width) or None, default=None
        Give it where the encoder takes images: rows are reshaped for it. Decoded images are
        flattened in any case.
    probabilities : bool, default=False
        Whether the decoder ends with a sigmoid and the likelihood is a Bernoulli, which takes
        logits: the sigmoid is then undone.

    Examples
    --------
    >>> import torch
    >>> from vaetools import EncoderDecoder
    >>> network = EncoderDecoder(torch.nn.Linear(4, 2), torch.nn.Linear(2, 4))
    >>> mean, log_std = network.posterior(torch.zeros(3, 4))
    >>> mean.shape, log_std, network.decode(mean).shape
    (torch.Size([3, 2]), None, torch.Size([3, 4]))
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module | None = None,
        *,
        spread: str = "log_variance",
        image_shape: tuple[int, int, int] | None = None,
        probabilities: bool = False,
    ):
        super().__init__()
        if spread not in ("log_variance", "log_std"):
            raise ValueError(f"EncoderDecoder: spread must be 'log_variance' or 'log_std'; got {spread!r}.")
        self.encoder, self.decoder = encoder, decoder
        self.spread, self.image_shape, self.probabilities = spread, image_shape, probabilities

    @property
    def can_decode(self) -> bool:
        """Whether there is a decoder."""
        return self.decoder is not None

    def posterior(self, x: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return mean and log standard deviation of q(z | x); the latter None where there is none."""
        if self.image_shape is not None:
            x = x.reshape(-1, *self.image_shape)
        out = self.encoder(x) if condition is None else self.encoder(x, condition)
        if isinstance(out, Tensor):
            return out.flatten(1), None
        mean, spread = out
        log_std = spread / 2 if self.spread == "log_variance" else spread
        return mean.flatten(1), log_std.flatten(1)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return the likelihood parameters of every code, flattened to rows."""
        if self.decoder is None:
            raise NotImplementedError("EncoderDecoder: the network has no decoder.")
        out = (self.decoder(z) if condition is None else self.decoder(z, condition)).flatten(1)
        return torch.logit(out, eps=1e-7) if self.probabilities else out
