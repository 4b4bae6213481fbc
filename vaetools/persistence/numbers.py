"""What numbers in arrays of a model file must be by the header and by each other."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaetools.checks import refuse
from vaetools.persistence.detector_rules import WEIGHTS
from vaetools.persistence.rules import unwritten
from vaetools.schema import Contents


def check_numbers(header: dict[str, Any], contents: Contents) -> None:
    """Check numbers of an autoencoder of which the header, and types and shapes of arrays were checked."""
    fitted = header["fitted"]
    _check_image_shapes(header, contents)
    _check_scales(fitted, contents)
    if "context_places_" in fitted:
        _check_places(_array(fitted, "context_places_", contents), contents.sizes["n_features"])
    for name, numbers, most in _limited(fitted, contents):
        if (numbers >= most).any():
            refuse(name, f"below {most}", int(numbers.max()))
    _check_constants(fitted, contents)


def _array(written: dict[str, Any], name: str, contents: Contents) -> np.ndarray:
    array: np.ndarray = contents.arrays[written[name]["array"]]
    return array


def _check_image_shapes(header: dict[str, Any], contents: Contents) -> None:
    """Check that scores know images of no other shape."""
    given = unwritten(header["parameters"]["image_shape"])
    shape = given and list(given)
    for name, state in header["fitted"]["score_state_"]["dict"].items():
        if "image_shape" in state["dict"]:
            known = _array(state["dict"], "image_shape", contents).tolist()
            if known != shape:
                refuse(f"score_state_.{name}.image_shape", f"{shape}", known)


def _check_scales(fitted: dict[str, Any], contents: Contents) -> None:
    """Check that codes of categories are not scaled."""
    scales = {"input_scale_": (fitted["columns_"], fitted["input_scale_"])}
    if "context_" in fitted:
        context = fitted["context_"]["context"]
        scales["context_.scale"] = context["columns"], context["scale"]
    for name, (columns, scale) in scales.items():
        is_code = [bool(column["values"]) for column in columns["columns"]] if columns else []
        for part, value in {"shift": 0, "scale": 1}.items():
            found = _array(scale, part, contents)
            if is_code and (found[is_code] != value).any():
                refuse(f"{name}.{part}", f"{value} for columns of categories", found.tolist())


def _check_places(places: np.ndarray, n_features: int) -> None:
    """Check that columns of a context stand at different places."""
    n_columns = n_features + len(places)
    if (places >= n_columns).any() or len(set(places.tolist())) < len(places):
        refuse("context_places_", f"different places below {n_columns}", places.tolist())


def _limited(fitted: dict[str, Any], contents: Contents) -> Iterator[tuple[str, np.ndarray, float]]:
    """Yield numbers of rows and codes of labels with their names, and what they must be below."""
    if "suspects_" in fitted:
        yield "suspects_", _array(fitted, "suspects_", contents), fitted.get("n_samples_", math.inf)
    if "calibration_labels_" in fitted:
        codes = _array(fitted, "calibration_labels_", contents)
        yield "calibration_labels_", codes, _n_groups(fitted, contents)
    if "classes_" in fitted:
        for part, kept in fitted.get("kept_rows_", {"dict": {}})["dict"].items():
            codes = _array(kept["dict"], "labels", contents)
            yield f"kept_rows_.{part}.labels", codes, contents.sizes["n_classes"]


def _n_groups(fitted: dict[str, Any], contents: Contents) -> int:
    """Return how many labels or groups of a context there are."""
    if "context_" not in fitted:
        return contents.sizes["n_classes"]
    columns = fitted["context_"]["context"]["columns"]["columns"]
    return math.prod(len(column["values"]) or 1 for column in columns)


def _check_constants(fitted: dict[str, Any], contents: Contents) -> None:
    """Check that what a module holds beside its weights is what was learnt."""
    expected = {f"{WEIGHTS}log_unit": np.log(_array(fitted["input_scale_"], "scale", contents))}
    if "class_prior_" in fitted:
        with np.errstate(divide="ignore"):  # labels that no row that trained has
            expected[f"{WEIGHTS}log_label_prior"] = np.log(_array(fitted, "class_prior_", contents))
    for name, values in expected.items():
        found = contents.arrays[name]
        if not np.allclose(found, values, rtol=1e-5, atol=1e-5):
            refuse(name, "the logarithm of what was learnt", found[:5].tolist())
