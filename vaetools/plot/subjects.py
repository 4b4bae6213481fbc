"""What is drawn: one fitted model or several by name, whole or behind the steps of a pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from vaetools.frames import as_pandas
from vaetools.report.models import Opened
from vaetools.words import joined

_ENCODES = ("transform", "reconstruct")
_JUDGES = ("score_samples", "p_values")


def is_array(model: Any) -> bool:
    """Return whether numbers stand where a model may."""
    return isinstance(model, (np.ndarray, list, tuple)) or hasattr(model, "iloc")


def numbers(owner: str, name: str, values: Any, n_dimensions: int) -> np.ndarray:
    """Return finite numbers as an array of so many dimensions."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != n_dimensions or not array.size:
        raise ValueError(
            f"plot.{owner}: {name} must be an array of at least one value and of {n_dimensions} "
            f"dimension{'' if n_dimensions == 1 else 's'}; got shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"plot.{owner}: {name} must hold finite numbers; got {array[~np.isfinite(array)][0]}. Leave it "
            "out."
        )
    return array


def estimators(owner: str, model: Any, *, judges: bool = False) -> dict[str, Any]:
    """Return fitted models by name, a single one by its class; ``judges`` takes detectors, too."""
    named = model if isinstance(model, Mapping) else {_kind(model): model}
    words = "an autoencoder or PatchDetector" if judges else "an autoencoder"
    if not named:
        raise ValueError(f"plot.{owner}: model must be {words}, or a dict of some by name; got {model!r}.")
    for each in named.values():
        last = _last(each)
        if isinstance(last, type) or not all(
            hasattr(last, name) for name in (_JUDGES if judges else _ENCODES)
        ):
            raise TypeError(
                f"plot.{owner}: model must be {words}, a pipeline that ends in one, or a dict of some by "
                f"name; got {each!r}."
            )
        check_is_fitted(last, msg=f"plot.{owner}: model must be fitted; got {last!r}. Call fit first.")
    return {str(name): each for name, each in named.items()}


def opened(owner: str, model: Any, X: Any = None, *, decodes: bool = False) -> list[Opened]:
    """Return models with rows as each takes them, None without rows; ``decodes`` asks for a decoder."""
    found = []
    for name, each in estimators(owner, model).items():
        last = _last(each)
        if decodes:
            _check_decoder(owner, last)
        shape = None if last.image_shape is None else tuple(last.image_shape)
        found.append(Opened(name, last, None if X is None else rows_of(each, X), None, shape))
    return found


def encoded(model: Opened) -> np.ndarray:
    """Return the latent means of a model's rows, whatever it is set to return."""
    return np.asarray(model.estimator.transform(model.rows), dtype=np.float64)


def rows_of(model: Any, X: Any) -> Any:
    """Return rows as the last step of a model takes them, those of a table with their names."""
    rows = as_pandas(model[:-1].transform(X) if hasattr(model, "steps") and len(model.steps) > 1 else X)
    return rows if hasattr(rows, "iloc") else np.asarray(rows)


def one_kind(owner: str, models: Iterable[Opened]) -> tuple[int, int, int] | None:
    """Return the shape of the images of all models, None of tables; refuse what cannot be one figure."""
    shapes = [each.image_shape for each in models]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"plot.{owner}: models must take rows of one kind; got image_shape="
            f"{joined(str(shape) for shape in dict.fromkeys(shapes))}."
        )
    shape = shapes[0]
    if shape is not None and shape[0] not in (1, 3):
        raise ValueError(f"plot.{owner}: images must have 1 or 3 channels; got image_shape={shape}.")
    return shape


def _kind(model: Any) -> str:
    """Return what a model is called that has no name."""
    return type(_last(model)).__name__


def _last(model: Any) -> Any:
    return model[-1] if hasattr(model, "steps") else model


def _check_decoder(owner: str, estimator: Any) -> None:
    """Raise where there is no decoder, or rows are no numbers."""
    if estimator.likelihood == "mixed":
        raise ValueError(
            f"plot.{owner}: model must decode to numbers alone; got likelihood='mixed', of columns of "
            "several kinds. Take inverse_transform, which returns a table."
        )
    estimator.inverse_transform(estimator.reference_codes_[:1])  # says so where there is no decoder
