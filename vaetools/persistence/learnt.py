"""What `fit` learns and a model file holds, by class: kinds, sizes by named axes, and values that can be."""

from __future__ import annotations

import math
from typing import Any

from vaetools.estimators import ESTIMATORS
from vaetools.schema import (
    COUNTS,
    DISTANCES,
    FINITE,
    INCREASING,
    MODERATE,
    NUMBERS,
    POSITIVE,
    RANGE,
    SCORES,
    SHARES,
    SORTED_SCORES,
    SPREAD,
    Contents,
    Rule,
    array,
    choice,
    either,
    flag,
    number,
    optional,
    plain,
    real,
    record,
    refuse,
    scalar,
    sequence,
    text,
    whole,
    written_dict,
)

_PAIR = array("f", 2, kept=SPREAD)
_LIMITS = {"image_shape": array("iu", 3, kept=COUNTS), "limits": array("f", 2, kept=RANGE)}
MODELS, MAP = tuple(ESTIMATORS), "LatentMap"
OF_LEVELS = ("pixels", "standardized_pixels")
SCALINGS = (*OF_LEVELS, "unit", "standardize", "identity")
KINDS = ("gaussian", "bernoulli", "categorical")
EIGHT_BITS = [0, 255]  # black and white of pixels, where a file is too old to say
_BRIGHTEST = 2**62


def _points(rows: str, columns: str) -> Rule:
    """Return the rule of at least one row of finite numbers."""
    return array("f", rows, columns, kept=FINITE, least=1)


def _whitening(axis: str) -> dict[str, Rule]:
    """Return the rules of a mean, and of what whitens differences from it."""
    return {"mean": array("f", axis, kept=FINITE), "whitening": array("f", axis, axis, kept=FINITE)}


STATES: dict[str, Rule] = {
    "latent_knn": record({**_whitening("n_components"), "codes": _points("n_codes", "n_components")}),
    "aggregate": record(
        {"mean": _points("n_posteriors", "n_components"), "log_std": _points("n_posteriors", "n_components")}
    ),
    "density_of_states": record(
        {
            "reconstruction": _PAIR,
            **_whitening("n_statistics"),
            "points": _points("n_points", "n_statistics"),
            "tail": _PAIR,
        },
        _LIMITS,
    ),
    "structure": record({**_whitening("n_cells"), **_LIMITS}),
    "hidden_residual": record(_whitening("n_hidden")),
    "images": record(
        {
            "mean": array("f", 3, kept=FINITE),
            "std": array("f", 3, kept=POSITIVE),
            "spread": array("f", kept=POSITIVE),
        }
    ),
    "tables": record(
        {
            "rows": _points("n_rows", "n_inputs"),
            "closest": array("f", kept=POSITIVE),
            "distance": _PAIR,
            "reconstruction": _PAIR,
        }
    ),
}
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("reconstruction_kl", "elbo", "log_likelihood"), ()),
    **dict.fromkeys(("neg_reconstruction", "neg_kl", "likelihood_regret"), ()),
    **{name: (name,) for name in STATES},
    "images": ("images", "structure", "hidden_residual", "latent_knn", "density_of_states"),
}
OF_POSTERIORS = ("log_likelihood", "neg_kl", "likelihood_regret", "aggregate")  # which an AE has not


def _texts(axis: str) -> Rule:
    """Return the rule of an array of texts."""
    return record({"strings": sequence(text(), axis=axis, least=1), "dtype": choice("object", "str")})


_CATEGORIES = sequence(scalar, unique=True)
_COLUMN = record(
    {
        "kind": choice(*KINDS),
        "values": _CATEGORIES,
        "dtype": either(
            record({"categories": _CATEGORIES, "ordered": flag}),
            record({"arrow": text("bool|u?int[0-9]+|halffloat|float|double|(large_)?string(_view)?")}),
            text("bool|boolean|object|str|string|[uU]?[iI]nt[0-9]+|[fF]loat[0-9]+|<U[0-9]{1,4}", "a dtype"),
        ),
        "has_gaps": flag,
    }
)


def _column(name: str, value: Any, contents: Contents) -> None:
    """Check a column of a table, and that it has as many categories as its kind."""
    _COLUMN(name, value, contents)
    n_values, kind = len(value["values"]), value["kind"]
    if not {"gaussian": n_values == 0, "bernoulli": n_values == 2, "categorical": n_values > 0}[kind]:
        refuse(f"{name}.values", f"the categories of a {kind} column", value["values"])


_COLUMNS = record(
    {
        "columns": sequence(_column, axis="n_features"),
        "names": optional(sequence(plain, axis="n_features")),
    }
)


def _table(axis: str, index: Rule, *columns: str) -> Rule:
    """Return the rule of a written table of numbers, with some columns among others."""
    numbers = sequence(number, axis=axis)
    parts = record(
        {
            "index": sequence(index, axis=axis),
            "table": record(dict.fromkeys(columns, numbers), more=numbers),
            "dtypes": record({}, more=choice("int64", "float64")),
        }
    )

    def check(name: str, value: Any, contents: Contents) -> None:
        parts(name, value, contents)
        if value["table"].keys() != value["dtypes"].keys():
            refuse(f"{name}.dtypes", f"those of {list(value['table'])}", value["dtypes"])

    return check


def _levels(name: str, value: Any, contents: Contents) -> None:
    """Check the levels of black and white."""
    sequence(whole(-_BRIGHTEST, _BRIGHTEST), least=2, most=2)(name, value, contents)
    if value[0] >= value[1]:
        refuse(name, "black below white", value)


_LEARNT = {
    "n_features_in_": whole(1, axis="n_features"),
    "_n_features_out": whole(1, axis="n_components"),
    "input_scale_": record(
        {
            "input_scale": choice(*SCALINGS),
            "shift": array("f", "n_features", kept=MODERATE),
            "scale": array("f", "n_features", kept=POSITIVE),
        },
        {"levels": _levels},
    ),
    "columns_": optional(_COLUMNS),
    "anomaly_score_": choice(*NEEDS),
    "score_state_": written_dict(record({}, {name: written_dict(state) for name, state in STATES.items()})),
    "n_iter_": whole(axis="n_iter_"),
    "max_iter_": whole(),
    "history_": _table("n_iter_", plain, "epoch"),
    "mean_terms_": _table("n_parts", choice("train", "held_out"), "reconstruction", "kl"),
    "active_units_": array("b", "n_components"),
    "kl_per_component_": array("f", "n_components"),
    "code_range_": array("f", 2, "n_components", kept=FINITE),
    "reference_codes_": array("f", "n_reference", "n_components", kept=NUMBERS, least=1),
}
_LEARNT_OR_NOT = {
    "n_samples_": whole(1),
    "feature_names_in_": _texts("n_features"),
    "column_labels_": _texts("n_features"),
    "suspects_": array("iu", "n_suspects", kept=COUNTS),
    "score_unit_": text(),
    "offset_": real(high=math.nextafter(math.inf, 0), words="finite or −inf"),
    "calibration_scores_": array("f", "n_calibration", kept=SORTED_SCORES, least=1),
    "heat_range_": array("f", 2, kept=RANGE),
}
_LABELED = {
    "classes_": either(array("iub", "n_classes", kept=INCREASING, least=1), _texts("n_classes")),
    "class_prior_": array("f", "n_classes", kept=SHARES),
}
_LABELED_OR_NOT = {
    "label_information_": real(0),
    "calibration_labels_": array("iu", "n_calibration", kept=COUNTS),
    "label_calibration_scores_": array("f", "n_calibration", kept=SCORES),
}
_MAPPED = {
    "n_features_in_": whole(1, axis="n_components"),
    "codes_": array("f", "n_mapped", "n_components", kept=MODERATE, least=1),
    "embedding_": array("f", "n_mapped", "n_axes", kept=MODERATE),
    "spacing_": array("f", "n_spacings", kept=DISTANCES, least=1),
    "center_": array("f", "n_components", kept=MODERATE),
    "axes_": optional(array("f", "n_axes", "n_components", kept=MODERATE)),
}
LEARNT = {
    **dict.fromkeys(MODELS, (_LEARNT, _LEARNT_OR_NOT)),
    "CVAE": (_LEARNT | _LABELED, _LEARNT_OR_NOT | _LABELED_OR_NOT),
    MAP: (_MAPPED, {"feature_names_in_": _texts("n_components")}),
}
