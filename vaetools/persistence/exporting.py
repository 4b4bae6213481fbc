"""A fitted model as one ONNX graph, for servers that have neither Python nor PyTorch.

Input scaling, encoder, reconstruction, score and p-value are one graph of any number of rows. What it
takes and gives is in ``docs/serving.md``.
"""

from __future__ import annotations

import copy
import json
import os
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

import vaetools
from vaetools.anomaly.calibration import flagged_rate
from vaetools.anomaly.scores import SCORES
from vaetools.data.reader import ImageReader
from vaetools.estimators import is_estimator
from vaetools.estimators.ae import AE
from vaetools.estimators.cvae import CVAE
from vaetools.estimators.engine import Engine
from vaetools.estimators.vae import VAE
from vaetools.files import write_atomically
from vaetools.persistence.model_file import split_reader

SCORE = "reconstruction_kl"
_INPUT, _ROWS = "X", "n_samples"
_OPSET = 18  # of 2022: what any runtime in use knows
_SLACK = 1e-5  # relative: what float32 may take from a score, and a copy of a normal row must not look odd
# of the input, by the kind of scaling: where digits would be lost the graph subtracts the mean in float64
_DTYPES = {"unit": torch.float32, "identity": torch.float32, "standardize": torch.float64}


def to_onnx(model: AE | VAE | CVAE | Pipeline, path: str | os.PathLike[str]) -> None:
    """Write a fitted model as one ONNX graph, atomically: an interrupted write leaves the old file.

    The graph takes ``X`` of shape (n_samples, n_features), any number of rows in the units that the
    model was fitted in: uint8 for 8-bit images, uint16 or int16 for those of 16 bits, float64 for other
    columns that the model standardizes, else float32. It gives, in this order, in float32 unless said
    otherwise:

    - ``codes`` (n_samples, n_components), as ``transform``;
    - ``reconstruction`` (n_samples, n_features), as ``reconstruct``, in float64 if columns are standardized;
    - ``score`` (n_samples,), always ``reconstruction_kl``, whatever the model's ``anomaly_score`` is;
    - ``label_proba`` (n_samples, n_classes) of a `CVAE`, which otherwise answers without labels;
    - ``p_value`` (n_samples,), if the model was calibrated for that score.

    A network without a decoder gives ``codes`` alone. Names, labels, image shape and the threshold below
    which a row is odd are in the file's metadata, each value as JSON.

    Parameters
    ----------
    model : AE, VAE, CVAE or Pipeline
        Fitted, with a likelihood other than ``"mixed"``. A pipeline is one of an ImageReader and a
        model; the graph takes what the reader gives. It is not changed.
    path : str or path-like
        By convention, ``*.onnx``.

    Raises
    ------
    ImportError
        If the packages of the extra ``onnx`` are not installed.
    sklearn.exceptions.NotFittedError
        If the model was not fitted.
    TypeError
        If it is something else than such a model.
    ValueError
        If it cannot be said as a graph: a mixed table, or a custom network that PyTorch cannot export.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import onnxruntime
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, to_onnx
    >>> X = load_iris().data
    >>> vae = VAE(2, max_iter=20, random_state=0).fit(X)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "iris.onnx")
    ...     to_onnx(vae, path)
    ...     session = onnxruntime.InferenceSession(path)
    >>> codes, reconstruction, score, p_value = session.run(None, {"X": X})
    >>> codes.shape, bool(np.allclose(score, vae.score_samples(X), rtol=1e-4, atol=1e-4))
    ((150, 2), True)
    """
    reader, estimator = split_reader(model)
    if not is_estimator(estimator):
        raise TypeError(
            "to_onnx: model must be an AE, VAE or CVAE, or a pipeline of an ImageReader and one; got "
            f"{model!r}. Of another pipeline pass the last step, and do the others where the rows come from."
        )
    check_is_fitted(estimator)
    if estimator.columns_ is not None:
        raise ValueError(
            f"to_onnx: the likelihood of {type(estimator).__name__} must be one of rows of numbers; got "
            f"{estimator.likelihood!r}, whose texts and missing cells have no place in a tensor."
        )
    proto = _translate(estimator)
    for name, fact in _facts(estimator, reader).items():
        proto.metadata_props.add(key=name, value=json.dumps(fact))
    write_atomically(path, proto.SerializeToString())


class Graph(nn.Module):
    """Rows in units of X → what a server asks of them; weights are copied."""

    known: Tensor

    def __init__(self, estimator: Any):
        super().__init__()
        self.model = copy.deepcopy(estimator.model_).to("cpu", torch.float32)
        self.scale = estimator.input_scale_
        self.can_decode = Engine(estimator).can_decode
        known = getattr(estimator, "calibration_scores_", None)
        self.n_known = len(known) if known is not None and _decides(estimator) else 0
        if self.n_known:
            # as many as a binary search finds its way in without looking where it ends; none is at most NaN
            table = np.full(2 ** self.n_known.bit_length() - 1, np.nan)
            table[: self.n_known] = _with_slack(known, estimator)
            self.register_buffer("known", torch.from_numpy(table).float())

    def forward(self, X: Tensor) -> tuple[Tensor, ...]:
        """Return the answers without their names."""
        return tuple(self.answers(X).values())

    def answers(self, X: Tensor) -> dict[str, Tensor]:
        """Return the outputs by name; see `to_onnx`."""
        reading = self.model.read(self.scale.scaled(X, torch.float32))
        if not self.can_decode:
            return {"codes": reading.mean}
        expected = self.scale.invert(reading.expected)
        score = SCORES[SCORE].evaluate(reading, {})
        answers = {"codes": reading.mean, "reconstruction": expected, "score": score}
        if reading.y is not None:
            answers["label_proba"] = reading.y
        if self.n_known:
            answers["p_value"] = (1 + self._n_at_most(score)).to(score.dtype) / (self.n_known + 1)
        return answers

    def _n_at_most(self, score: Tensor) -> Tensor:
        """Count the calibration scores that are at most as high, by a binary search."""
        found = torch.zeros_like(score, dtype=torch.int64)
        for i in reversed(range(self.n_known.bit_length())):
            found = found + 2**i * (self.known.index_select(0, found + 2**i - 1) <= score).long()
        return found


def _translate(estimator: Any) -> Any:
    """Return the model as an ONNX ``ModelProto``."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs the packages onnx and onnxscript, and {error.name} is not installed. Run pip "
            "install 'vaetools[onnx]'."
        ) from None
    network, scale = type(estimator.model_.network).__name__, estimator.input_scale_
    dtype = _DTYPES.get(scale.kind) or torch.from_numpy(np.empty(0, scale.level_type)).dtype
    with torch.inference_mode(False), torch.no_grad():
        asked = Graph(estimator).eval()
        example = torch.zeros(3, estimator.n_features_in_, dtype=dtype)
        try:
            program = torch.onnx.export(
                asked,
                (example,),
                dynamo=True,
                verbose=False,
                optimize=True,
                opset_version=_OPSET,
                input_names=[_INPUT],
                output_names=list(asked.answers(example)),
                dynamic_shapes={_INPUT: {0: torch.export.Dim(_ROWS)}},
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().split("\n")[0]
            raise ValueError(
                "to_onnx: the network must be one that torch.onnx.export can translate; got "
                f"{network}: {reason}"
            ) from error
    assert program is not None  # of an export with dynamo
    proto: Any = program.model_proto
    graph = proto.graph
    values = [*graph.input, *graph.output]
    del graph.value_info[:]  # what tracing noted of the code and its place
    for part in (graph, *graph.node, *graph.initializer, *values):
        del part.metadata_props[:]
    for value in values:
        value.type.tensor_type.shape.dim[0].dim_param = _ROWS
    return proto


def _facts(estimator: Any, reader: ImageReader | None) -> dict[str, Any]:
    """Return what a server must know besides the graph; what does not apply is left out."""
    facts: dict[str, Any] = {
        "model": type(estimator).__name__,
        "feature_names": getattr(estimator, "feature_names_in_", None),
        "image_shape": estimator.image_shape if reader is None else reader.image_shape_,
        "aspect": reader and reader.aspect,
        "labels": getattr(estimator, "classes_", None),
        "versions": {"vaetools": vaetools.__version__, "torch": torch.__version__},
    }
    if Engine(estimator).can_decode:
        facts |= {"score": SCORE, "unit": SCORES[SCORE].unit}
    if _decides(estimator):
        facts["threshold"] = float(_with_slack(estimator.offset_, estimator))
        known = getattr(estimator, "calibration_scores_", None)
        if known is not None:
            facts["false_alarm_rate"] = flagged_rate(estimator.offset_, known, estimator.false_alarm_rate)
            facts["n_calibration"] = len(known)
    return {
        name: fact.tolist() if isinstance(fact, np.ndarray) else fact
        for name, fact in facts.items()
        if fact is not None
    }


def _decides(estimator: Any) -> bool:
    """Whether the model's threshold is one of the graph's score."""
    return Engine(estimator).can_decode and estimator.anomaly_score_ == SCORE


def _with_slack(scores: Any, estimator: Any) -> np.ndarray:
    """Return scores to compare with, lower by what float32 may take from an equal one."""
    usual = np.median(np.abs(getattr(estimator, "calibration_scores_", estimator.offset_)))
    return scores - _SLACK * np.maximum(np.abs(scores), usual)
