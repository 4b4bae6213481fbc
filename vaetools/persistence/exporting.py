"""A fitted model as one ONNX graph, for servers that have neither Python nor PyTorch.

Input scaling, network, score and verdict are one graph of any number of rows. What it takes and gives is
in ``docs/serving.md``.
"""

import json
import os
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import vaetools
from vaetools.anomaly.rates import flagged_rate
from vaetools.data.reader import ImageReader
from vaetools.estimators import is_estimator
from vaetools.estimators.context_columns import of_judged
from vaetools.estimators.detector import Detector
from vaetools.estimators.patch_detector import PatchDetector
from vaetools.files import write_atomically
from vaetools.persistence.graphs import Graph, PatchGraph, RowGraph
from vaetools.persistence.model_file import split_reader
from vaetools.persistence.operators import translations
from vaetools.words import see, warn

_INPUT, _CONTEXT, _ROWS = "X", "context", "n_samples"
_OPSET = 18  # of 2022: what any runtime in use knows
# of the input, by the kind of scaling: where digits would be lost the graph subtracts the mean in float64
_DTYPES = {"unit": torch.float32, "identity": torch.float32, "standardize": torch.float64}


def to_onnx(model: Detector | PatchDetector | Pipeline, path: str | os.PathLike[str]) -> None:
    """Write a fitted model as one ONNX graph, atomically: an interrupted write leaves the old file.

    The graph takes ``X`` of shape (n_samples, n_features), any number of rows in the units that the
    model was fitted in: uint8 for 8-bit images, uint16 or int16 for those of 16 bits, float64 for other
    columns that the model standardizes, else float32. Of a `CVAE` of a context X has the judged columns
    alone, and beside it the graph takes ``context`` of shape (n_samples, n_columns), float64: numbers, and of
    categories their places among those that the metadata list; any other makes NaN, which is odd. It gives,
    in this order, in float32 unless said otherwise:

    - ``codes`` (n_samples, n_components), as ``transform``;
    - ``reconstruction`` (n_samples, n_features), as ``reconstruct``, in float64 if columns are standardized;
    - ``score`` (n_samples,), ``images`` if the model's ``anomaly_score`` is that, else ``reconstruction_kl``;
    - ``label_proba`` (n_samples, n_classes) of a `CVAE` of labels, which otherwise answers without them;
    - ``map`` (n_samples, height, width) beside the score ``images``;
    - ``flagged`` (n_samples,), bool, beside that score, and of a context, whose groups have thresholds;
    - ``p_value`` (n_samples,), if the model was calibrated for that score.

    Where the model decides by another score than those, a warning says so. A network without a decoder gives
    ``codes`` alone, and a `PatchDetector`, with its frozen network inside, ``score``, ``map``, ``flagged``
    and ``p_value``. Names, labels, categories, image shape and the threshold below which a row is odd are in
    the file's metadata, each value as JSON.

    Parameters
    ----------
    model : autoencoder, PatchDetector or Pipeline
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
    is_detector = type(estimator) is PatchDetector
    if not is_estimator(estimator) and not is_detector:
        raise TypeError(
            "to_onnx: model must be an autoencoder or PatchDetector, or a pipeline of an ImageReader and "
            f"one; got {model!r}. Of another pipeline pass the last step, and do the others where the rows "
            "come from."
        )
    check_is_fitted(estimator)
    if estimator.columns_ is not None:
        raise ValueError(
            f"to_onnx: the likelihood of {type(estimator).__name__} must be one of rows of numbers; got "
            f"{estimator.likelihood!r}, whose texts and missing cells have no place in a tensor. "
            f"{see('serving.md#what-is-not-in-the-graph')}"
        )
    with torch.inference_mode(False), torch.no_grad():
        graph = (PatchGraph if is_detector else RowGraph)(estimator).eval()
        if graph.score not in (None, estimator.anomaly_score_):
            warn(
                f"to_onnx: the graph gives the score {graph.score!r}, and no verdict: it cannot compute "
                f"{estimator.anomaly_score_!r}, by which the model decides. "
                f"{see('serving.md#what-is-not-in-the-graph')}",
            )
        proto = _translate(graph, estimator)
    for name, fact in _facts(graph, estimator, reader).items():
        proto.metadata_props.add(key=name, value=json.dumps(fact))
    write_atomically(path, proto.SerializeToString())


def _translate(asked: Graph, estimator: Any) -> Any:
    """Return a graph as an ONNX ``ModelProto``."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs the packages onnx and onnxscript, and {error.name} is not installed. Run pip "
            "install 'vaetools[onnx]'."
        ) from None
    scale = estimator.input_scale_
    dtype = _DTYPES.get(scale.kind) or torch.from_numpy(np.empty(0, scale.level_type)).dtype
    examples = {_INPUT: torch.zeros(3, len(scale.shift), dtype=dtype)}
    # the graph takes one row, too, which tracing alone holds for a case of its own
    sizes: dict[str, Any] = {_INPUT: {0: torch.export.Dim(_ROWS, min=2)}}
    if hasattr(estimator, "context_"):
        examples[_CONTEXT] = torch.zeros(3, len(estimator.context_.names), dtype=torch.float64)
        sizes[_CONTEXT] = {0: torch.export.Dim.DYNAMIC}  # it is found out that they are as many
    try:
        program = torch.onnx.export(
            asked,
            tuple(examples.values()),
            dynamo=True,
            verbose=False,
            optimize=True,
            opset_version=_OPSET,
            input_names=list(examples),
            output_names=list(asked.answers(*examples.values())),
            dynamic_shapes=sizes,
            custom_translation_table=translations(),
        )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().split("\n")[0]
        raise ValueError(
            "to_onnx: the network must be one that torch.onnx.export can translate; got "
            f"{_network(estimator)}: {reason}"
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


def _columns_of_context(estimator: Any) -> list[dict[str, Any]] | None:
    """Return the columns that rows are judged given, with the categories that codes stand for."""
    if not hasattr(estimator, "context_"):
        return None
    context = estimator.context_
    return [
        {"name": name, "categories": column.values or None}
        for name, column in zip(context.names, context.columns.columns, strict=True)
    ]


def _network(estimator: Any) -> str:
    """Return what a network that may be a user's is called."""
    is_detector = isinstance(estimator, PatchDetector)
    return type(estimator.backbone_.network if is_detector else estimator.model_.network).__name__


def _facts(graph: Graph, estimator: Any, reader: ImageReader | None) -> dict[str, Any]:
    """Return what a server must know besides the graph; what does not apply is left out."""
    scale = estimator.input_scale_
    facts: dict[str, Any] = {
        "model": type(estimator).__name__,
        "feature_names": getattr(of_judged(estimator), "feature_names_in_", None),
        "context": _columns_of_context(estimator),
        "image_shape": estimator.image_shape if reader is None else reader.image_shape_,
        "levels": scale.levels if scale.of_levels else None,
        "aspect": reader and reader.aspect,
        "labels": getattr(estimator, "classes_", None),
        "score": graph.score,
        "unit": graph.unit,
        "versions": {"vaetools": vaetools.__version__, "torch": torch.__version__},
    }
    if graph.verdict is not None and graph.told is None:
        facts["threshold"] = graph.verdict.threshold
        known = getattr(estimator, "calibration_scores_", None)
        if known is not None:
            facts["false_alarm_rate"] = flagged_rate(
                estimator.offset_, known, estimator.false_alarm_rate, estimator.confidence
            )
            facts["n_calibration"] = len(known)
    return {
        name: fact.tolist() if isinstance(fact, np.ndarray) else fact
        for name, fact in facts.items()
        if fact is not None
    }
