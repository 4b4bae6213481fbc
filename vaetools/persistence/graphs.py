"""What a graph computes of rows: codes, reconstructions, scores, maps and verdicts."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaetools.anomaly.explanation import SMOOTHING
from vaetools.anomaly.images import complexity, structure_map
from vaetools.anomaly.recommended import deciding_question
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.engine import Engine
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.nn.model import Reading

# scores that a graph computes, and what float32 may take from them: relative to theirs or to the usual one
SLACK = {"reconstruction_kl": 1e-5, "images": 1e-3, "patches": 1e-4}
_REACH = 4  # standard deviations of a blur


class Verdict(nn.Module):
    """Scores → whether they are odd, and how often normal ones are as odd.

    A copy of a normal row must not look odd for a few bits: what scores are compared with lies a little lower
    than in the model.
    """

    known: Tensor

    def __init__(self, estimator: Any):
        super().__init__()
        known = getattr(estimator, "calibration_scores_", np.empty(0))
        usual = np.median(np.abs(known if len(known) else estimator.offset_))
        slack = SLACK[estimator.anomaly_score_]

        def lowered(scores: Any) -> Any:
            return scores - slack * np.maximum(np.abs(scores), usual)

        self.threshold, self.n_known = float(lowered(estimator.offset_)), len(known)
        # as many as a binary search finds its way in without looking where it ends; none is at most NaN
        table = np.full(2 ** self.n_known.bit_length() - 1, np.nan)
        table[: self.n_known] = lowered(known)
        self.register_buffer("known", torch.from_numpy(table).float())

    def is_odd(self, score: Tensor) -> Tensor:
        """Return which scores lie below the threshold; NaN is odd."""
        return ~(score >= self.threshold)

    def p_value(self, score: Tensor) -> Tensor:
        """Return (1 + the number of calibration scores at most as high) / (their number + 1)."""
        return (1 + self.n_at_most(score)).to(score.dtype) / (self.n_known + 1)

    def n_at_most(self, score: Tensor) -> Tensor:
        """Count the calibration scores that are at most as high, by a binary search."""
        found = torch.zeros_like(score, dtype=torch.int64)
        for i in reversed(range(self.n_known.bit_length())):
            found = found + 2**i * (self.known.index_select(0, found + 2**i - 1) <= score).long()
        return found


class Graph(nn.Module):
    """Rows in units of X → what a server asks of them; weights are copied.

    Attributes
    ----------
    score, unit : str or None
        Name of the score that it gives, and in what.
    verdict : Verdict or None
        By that score, if the model decides by it.
    """

    score: str | None
    unit: str | None
    verdict: Any  # which nn.Module would hide

    def __init__(self, estimator: Any):
        super().__init__()
        self.model = copy.deepcopy(estimator.model_).to("cpu", torch.float32)
        self.scale, self.image_shape = estimator.input_scale_, estimator.image_shape

    def forward(self, X: Tensor) -> tuple[Tensor, ...]:
        """Return the answers without their names."""
        return tuple(self.answers(X).values())

    def answers(self, X: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name; see `to_onnx`."""
        raise NotImplementedError

    def _p_value(self, score: Tensor) -> dict[str, Tensor]:
        """Return p-values, if there are rows that calibrated."""
        known = self.verdict is not None and self.verdict.n_known
        return {"p_value": self.verdict.p_value(score)} if known else {}


class RowGraph(Graph):
    """Of an autoencoder: codes, reconstructions and a score; of images that are judged as such a map too."""

    def __init__(self, estimator: Any):
        super().__init__(estimator)
        own = estimator.anomaly_score_
        self.score = self.unit = None
        if Engine(estimator).can_decode:
            self.score = own if own in SLACK else "reconstruction_kl"
            self.unit = SCORES[self.score].unit
        self.verdict = Verdict(estimator) if self.score == own else None
        self.states = {name: _constants(state) for name, state in estimator.score_state_.items()}
        self.limits: Any = estimator.score_state_.get("density_of_states", {}).get("limits")
        self.heat_range: Any = getattr(estimator, "structure_range_", None)

    def answers(self, X: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name."""
        reading = self.model.read(self.scale.scaled(X, torch.float32))
        if self.score is None:
            return {"codes": reading.mean}
        if self.score == "images":
            reading.made["complexity"] = self._complexity(X)
        expected = self.scale.invert(reading.expected)
        score = SCORES[self.score].evaluate(reading, self.states)
        answers = {"codes": reading.mean, "reconstruction": expected, "score": score}
        if reading.y is not None:
            answers["label_proba"] = reading.y
        if self.score == "images":
            answers |= self._map(reading) | {"flagged": self.verdict.is_odd(score)}
        return answers | self._p_value(score)

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
        self.verdict = Verdict(estimator)

    def answers(self, X: Tensor) -> dict[str, Tensor]:
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
