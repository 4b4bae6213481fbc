"""What a detector sees of good images at fit: places, wholes, and both of images with planted defects."""

import math
from typing import Any

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from torch import Tensor
from torch.nn import functional as F

from vaetools.estimators.building import resolve_device
from vaetools.estimators.pictures import through
from vaetools.nn.borders import unframed, within
from vaetools.nn.patch_model import grid_of
from vaetools.nn.places import regions
from vaetools.nn.planting import planted

_N_SEEN = 30_000  # places that train and are covered
_LEAST, _MOST, _PIXELS = 10, 60, 2**23  # images with one defect, that tell how much the whole counts
_LEAST_TOLD, _MOST_TOLD, _PIXELS_TOLD = 30, 300, 2**25  # images with several, by which places are told apart
_PIXELS_A_DEFECT, _DEFECTS = 2**14, (2, 24)  # of each of these; how many at least and at most
_N_TOLD = 30_000, 40_000  # places of defects, and good ones
_N_HIDDEN, _N_EPOCHS, _BATCH, _NOISE = 128, 8, 512, 0.5


def seen(
    detector: Any, rows: np.ndarray, index: np.ndarray, generator: torch.Generator
) -> tuple[list[Tensor], np.ndarray, Tensor]:
    """Return features of places, as many of each image, in any order, by group; their regions; wholes."""
    model, per_image = detector.model_, -(-_N_SEEN // len(index))

    def look(images: Tensor) -> list[Tensor]:
        maps, extent = model.maps(images)
        features = [group.features(maps).flatten(1, 2) for group in model.groups]
        inside = within(extent, grid_of(maps)).flatten(1)
        drawn = _drawn(inside, per_image, generator)
        where = regions(grid_of(maps)).to(drawn.device)[drawn]
        chosen = [_of(each, drawn) for each in features]
        return [_of(inside, drawn) > 0, where, model.directions(maps, extent), *chosen]

    found = through(detector, rows, look, resolve_device(detector), index=index, task="looking")
    counts, where, directions, *chosen = found
    order = torch.randperm(int(counts.sum()), generator=generator)
    points = [torch.from_numpy(each[counts])[order] for each in chosen]
    return points, where[counts][order.numpy()], torch.from_numpy(directions)


def planted_wholes(detector: Any, rows: np.ndarray, index: np.ndarray, generator: torch.Generator) -> Tensor:
    """Return what the first of some images are as a whole, with a small defect each."""
    index = index[: max(_LEAST, _affordable(detector, _MOST, _PIXELS))]
    model = detector.model_

    def look(images: Tensor) -> list[Tensor]:
        whole, extent = unframed(images)
        changed, _ = planted(whole, extent, generator)
        return [model.directions(model.features(changed), extent)]

    [found] = through(detector, rows, look, resolve_device(detector), index=index, task="what defects change")
    return torch.from_numpy(found)


def learn_defects(
    detector: Any,
    rows: np.ndarray,
    index: np.ndarray,
    rng: np.random.RandomState,
    generator: torch.Generator,
) -> None:
    """Learn, group by group, what tells places of planted defects from good places of the same images.

    With noise on features, so that it is about what good images have in common.
    """
    points, is_odd = _planted_places(detector, rows, index, generator)
    for group, features in zip(detector.model_.groups, points, strict=True):
        standard = features.sub_(group.mean.cpu()).div_(group.std.cpu())
        judge = MLPClassifier(_N_HIDDEN, batch_size=min(_BATCH, len(is_odd)), random_state=rng)
        for _ in range(_N_EPOCHS):
            noise = _NOISE * torch.randn(standard.shape, generator=generator)
            judge.partial_fit(noise.add_(standard).numpy(), is_odd, classes=[False, True])
        group.inward, outward = map(torch.from_numpy, judge.coefs_)
        group.bias, group.outward = torch.from_numpy(judge.intercepts_[0]), outward[:, 0]


def _planted_places(
    detector: Any, rows: np.ndarray, index: np.ndarray, generator: torch.Generator
) -> tuple[list[Tensor], np.ndarray]:
    """Return features of places of images with planted defects, by group, and which are of a defect."""
    n_images = n_planted(detector)
    n_defects = np.clip(math.prod(detector.image_shape[1:]) // _PIXELS_A_DEFECT, *_DEFECTS)
    model, index = detector.model_, np.resize(index, n_images)

    def look(images: Tensor) -> list[Tensor]:
        changed, extent = unframed(images)
        mask = torch.zeros(images[:, 0].shape, dtype=torch.bool, device=images.device)
        for _ in range(n_defects):
            changed, its_own = planted(changed, extent, generator)
            mask |= its_own
        maps = model.features(changed)
        inside = within(extent, grid_of(maps)).flatten(1)
        odd = F.adaptive_max_pool2d(mask[:, None].float(), list(grid_of(maps)))
        near = F.max_pool2d(odd, 3, 1, 1).flatten(1)  # places beside a defect are of neither kind
        kinds = odd.flatten(1) * inside, (1 - near) * inside
        numbers = [-(-n // n_images) for n in _N_TOLD]
        drawn = torch.cat([_drawn(*each, generator) for each in zip(kinds, numbers, strict=True)], dim=1)
        features = [group.features(maps).flatten(1, 2) for group in model.groups]
        return [*(_of(kind, drawn) > 0 for kind in kinds), *(_of(each, drawn) for each in features)]

    task = "telling defects"
    is_odd, is_good, *found = through(detector, rows, look, resolve_device(detector), index=index, task=task)
    counts = is_odd | is_good
    points = [torch.from_numpy(found.pop(0)[counts]) for _ in model.groups]  # one in memory twice at a time
    return points, is_odd[counts]


def _drawn(which: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """Return n places of every image in any order, those first that count, ``(n_images, n)``."""
    lots = torch.rand(which.shape, generator=generator).to(which.device) + which
    return lots.topk(min(n, lots.shape[1]), dim=1).indices


def _of(values: Tensor, drawn: Tensor) -> Tensor:
    if values.ndim == 2:
        return values.gather(1, drawn)
    return values.gather(1, drawn[:, :, None].expand(-1, -1, values.shape[2]))


def n_planted(detector: Any) -> int:
    """Return how many images with planted defects tell places apart."""
    return max(_LEAST_TOLD, _affordable(detector, _MOST_TOLD, _PIXELS_TOLD))


def _affordable(detector: Any, most: int, n_pixels: int) -> int:
    """Return how many images of so many pixels may be looked at once more."""
    affordable: int = n_pixels // math.prod(detector.image_shape[1:])
    return min(most, affordable)
