"""What a graph computes of rows: codes, reconstructions, scores, maps and verdicts."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.anomaly.explanation import SMOOTHING
from vaetools.anomaly.images import complexity, structure_map
from vaetools.anomaly.recommended import deciding_question
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.context import Context
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import compared_with
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.nn.model import Reading

# scores that a graph computes, and what float32 may take from them: relative to theirs or to the usual one
SLACK = {"reconstruction_kl": 1e-5, "images": 1e-3, "patches": 1e-4}
_REACH = 4  # standard deviations of a blur


class Verdict(nn.Module):
    """Scores → whether they are odd, and how often normal ones are as odd.

    A copy of a normal row must not look odd for a few bits: what scores are compared with lies a little lower
    than in the model. ``sets`` are what rows are compared with, each a threshold and scores in ascending
    order; ``group`` is the place of a row's among them.
    """

    known: Tensor  # of all sets, one after the other
    thresholds: Tensor
    n_known: Tensor

    def __init__(self, name: str, sets: Sequence[tuple[float, np.ndarray]]):
        super().__init__()
        offset, scores = sets[0]
        usual = np.median(np.abs(scores if len(scores) else offset))

        def lowered(scores: Any) -> Any:
            return scores - SLACK[name] * np.maximum(np.abs(scores), usual)

        self.threshold = float(lowered(offset))
        self.n_bits = max(len(scores) for _, scores in sets).bit_length()
        # as many as a binary search finds its way in without looking where it ends; none is at most NaN
        table = np.full((len(sets), 2**self.n_bits - 1), np.nan)
        for row, (_, scores) in zip(table, sets, strict=True):
            row[: len(scores)] = lowered(scores)
        self.register_buffer("known", torch.from_numpy(table).float().flatten())
        self.register_buffer("n_known", torch.tensor([len(scores) for _, scores in sets]))
        self.register_buffer("thresholds", torch.tensor([lowered(offset) for offset, _ in sets]).float())

    def is_odd(self, score: Tensor, group: Any = 0) -> Tensor:
        """Return which scores lie below the threshold; NaN is odd."""
        return ~(score >= self.thresholds[group])

    def p_value(self, score: Tensor, group: Any = 0) -> Tensor:
        """Return (1 + the number of calibration scores at most as high) / (their number + 1)."""
        return (1 + self.n_at_most(score, group)).to(score.dtype) / (self.n_known[group] + 1)

    def n_at_most(self, score: Tensor, group: Any = 0) -> Tensor:
        """Count the calibration scores that are at most as high, by a binary search."""
        found, before = torch.zeros_like(score, dtype=torch.int64), group * (2**self.n_bits - 1) - 1
        for i in reversed(range(self.n_bits)):
            found = found + 2**i * (self.known.index_select(0, before + found + 2**i) <= score).long()
        return found


class Told(nn.Module):
    """Columns of a context, of categories their codes → what a network is told, and places among sets.

    A code that is that of no category makes all of its row NaN.
    """

    large: Tensor

    def __init__(self, context: Context, large: np.ndarray):
        super().__init__()
        self.scale = context.scale
        self.n_categories = [len(column.values) for column in context.columns.columns]  # of numbers 0
        self.register_buffer("large", torch.from_numpy(large))

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return conditions ``(n_samples, sum of widths)``, and groups as a `Verdict` takes them."""
        parts, group = [], torch.zeros_like(codes[:, 0], dtype=torch.int64)
        for part, n in zip(
            self.scale.scaled(codes, torch.float64).split(1, dim=1), self.n_categories, strict=True
        ):
            if n:
                is_own = (part == torch.arange(n)).double()
                part = is_own / is_own.sum(dim=1, keepdim=True)
                group = n * group + is_own.argmax(dim=1)
            parts.append(part)
        places = (group[:, None] == self.large) * torch.arange(1, 1 + len(self.large))
        return torch.cat(parts, dim=1).float(), places.sum(dim=1)


class Graph(nn.Module):
    """Rows in units of X → what a server asks of them; weights are copied.

    Attributes
    ----------
    score, unit : str or None
        Name of the score that it gives, and in what.
    verdict : Verdict or None
        By that score, if the model decides by it.
    told : Told or None
        What rows are judged given, if they are.
    """

    score: str | None
    unit: str | None
    verdict: Any  # which nn.Module would hide
    told: Any

    def __init__(self, estimator: Any):
        super().__init__()
        self.model = copy.deepcopy(estimator.model_).to("cpu", torch.float32)
        self.scale, self.image_shape = estimator.input_scale_, estimator.image_shape
        self.told = None

    def forward(self, X: Tensor, context: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the answers without their names."""
        return tuple(self.answers(X, context).values())

    def answers(self, X: Tensor, context: Tensor | None = None) -> dict[str, Tensor]:
        """Return the outputs by name; see `to_onnx`."""
        raise NotImplementedError

    def _p_value(self, score: Tensor, group: Any = 0) -> dict[str, Tensor]:
        """Return p-values, if there are rows that calibrated."""
        is_known = self.verdict is not None and self.verdict.n_bits
        return {"p_value": self.verdict.p_value(score, group)} if is_known else {}


class RowGraph(Graph):
    """Of an autoencoder: codes, reconstructions and a score; of images that are judged as such a map too."""

    def __init__(self, estimator: Any):
        super().__init__(estimator)
        own = estimator.anomaly_score_
        self.score = self.unit = None
        if Engine(estimator).can_decode:
            self.score = own if own in SLACK else "reconstruction_kl"
            self.unit = SCORES[self.score].unit
        large, sets = compared_with(estimator)
        self.verdict = Verdict(own, sets) if self.score == own else None
        self.told = Told(estimator.context_, large) if hasattr(estimator, "context_") else None
        self.states = {name: _constants(state) for name, state in estimator.score_state_.items()}
        self.limits: Any = estimator.score_state_.get("density_of_states", {}).get("limits")
        self.heat_range: Any = getattr(estimator, "structure_range_", None)

    def answers(self, X: Tensor, context: Tensor | None = None) -> dict[str, Tensor]:
        """Return the outputs by name."""
        y, group = (None, 0) if self.told is None else self.told(context)
        reading = self.model.read(self.scale.scaled(X, torch.float32), y)
        if self.score is None:
            return {"codes": reading.mean}
        if self.score == "images":
            reading.made["complexity"] = self._complexity(X)
        expected = self.scale.invert(reading.expected)
        score = SCORES[self.score].evaluate(reading, self.states)
        answers = {"codes": reading.mean, "reconstruction": expected, "score": score}
        if self.told is None and reading.y is not None:
            answers["label_proba"] = reading.y
        if self.score == "images":
            answers |= self._map(reading)
        if self.score == "images" or (self.told is not None and self.verdict is not None):
            answers["flagged"] = self.verdict.is_odd(score, group)
        return answers | self._p_value(score, group)

    def _complexity(self, X: Tensor) -> Tensor:
        """Return the complexity of images, whose levels are rounded: in float32 some would be others."""
        limits = torch.from_numpy(self.limits)
        return complexity(self.scale.scaled(X, torch.float64), self.image_shape, limits).float()

    def _map(self, reading: Reading) -> dict[str, Tensor]:
        """Return what `Explanation.heat_maps` does, if its scale is known."""
        if self.heat_range is None:
            return {}
        maps = structure_map(reading, self.states)[:, None]
        reach = round(_REACH * SMOOTHING)
        weights = torch.softmax(-0.5 * (torch.arange(-reach, reach + 1) / SMOOTHING).square(), dim=0)
        maps = F.pad(maps, (reach, reach, reach, reach), mode="replicate")
        maps = F.conv2d(F.conv2d(maps, weights[None, None, :, None]), weights[None, None, None])[:, 0]
        low, high = map(float, self.heat_range)
        has_places = deciding_question(reading, self.states) == 0
        return {
            "map": torch.where(
                has_places[:, None, None], ((maps - low) / (high - low)).clamp(0, 1), torch.nan
            )
        }


class PatchGraph(Graph):
    """Of a detector of patches: the map, and the verdict that it is."""

    score, unit = PatchDetector.anomaly_score_, PatchDetector.score_unit_

    def __init__(self, estimator: PatchDetector):
        super().__init__(estimator)
        _, sets = compared_with(estimator)
        self.verdict = Verdict(estimator.anomaly_score_, sets)

    def answers(self, X: Tensor, context: Tensor | None = None) -> dict[str, Tensor]:
        """Return the outputs by name."""
        maps = self.model(self.scale.scaled(X, torch.float32).reshape(-1, *self.image_shape))
        score = -maps.amax(dim=(1, 2))
        return {"score": score, "map": maps, "flagged": self.verdict.is_odd(score)} | self._p_value(score)


def _constants(state: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the state of a score as a graph has it, where a shape is no tensor."""
    return {
        name: value if name == "image_shape" else torch.as_tensor(value).float()
        for name, value in state.items()
    }
