"""The rules of a model file, by class: what parameters may be, and what `fit` learnt."""

from typing import Any

from vaetools.anomaly.scores import SCORES
from vaetools.checks import (
    COUNT,
    FLAG,
    IMAGE_SHAPE,
    NONNEGATIVE,
    POSITIVE,
    POSITIVE_INTEGER,
    Requirement,
    integer,
    is_integer,
    is_number,
    one_of,
    or_none,
    refuse,
    text,
)
from vaetools.data import ASPECTS
from vaetools.estimators import REQUIREMENTS
from vaetools.estimators.fields import COLUMN_LIKELIHOODS
from vaetools.latent import MAP_PARAMETERS
from vaetools.nn import GAUSSIAN_SCALES, LIKELIHOOD_CLASSES
from vaetools.persistence.states import STATES
from vaetools.schema import (
    BELOW_INF,
    COUNTS,
    DISTANCES,
    FINITE,
    INCREASING,
    MODERATE,
    NOT_INFINITE,
    NUMBERS,
    PLAIN,
    POSITIVES,
    RANGE,
    REAL,
    SCALAR,
    SHARES,
    SORTED_SCORES,
    TEXT,
    Contents,
    Rule,
    array,
    either,
    only,
    optional,
    record,
    sequence,
    size,
)

MODELS, MAP = tuple(REQUIREMENTS), "LatentMap"
OF_LEVELS = ("pixels", "standardized_pixels")
SCALINGS = (*OF_LEVELS, "unit", "standardize", "identity")
EIGHT_BITS = [0, 255]  # black and white of pixels, where a file is too old to say
_BRIGHTEST = 2**62
_ARROW = "bool|u?int[0-9]+|halffloat|float|double|(large_)?string(_view)?"
_MOST_PROCESSES = 1024


def _texts(axis: str) -> Rule:
    """Return the rule of an array of texts."""
    return record({"strings": sequence(TEXT, axis=axis, least=1), "dtype": one_of("object", "str")})


_CATEGORIES = sequence(SCALAR, unique=True)
_COLUMN = record(
    {
        "kind": one_of(*COLUMN_LIKELIHOODS),
        "values": _CATEGORIES,
        "dtype": either(
            record({"categories": _CATEGORIES, "ordered": FLAG}),
            record({"arrow": text(_ARROW, "a text")}),
            text("bool|boolean|object|str|string|[uU]?[iI]nt[0-9]+|[fF]loat[0-9]+|<U[0-9]{1,4}", "a dtype"),
        ),
        "has_gaps": FLAG,
    }
)


def _column(name: str, value: Any, contents: Contents) -> None:
    """Check a column of a table, and that it has as many categories as its kind."""
    _COLUMN(name, value, contents)
    n_values, kind = len(value["values"]), value["kind"]
    if not {"gaussian": n_values == 0, "bernoulli": n_values == 2, "categorical": n_values > 0}[kind]:
        refuse(f"{name}.values", f"the categories of a {kind} column", value["values"])


def _columns(axis: str) -> dict[str, Rule]:
    return {"columns": sequence(_column, axis=axis), "names": optional(sequence(PLAIN, axis=axis))}


def _scale(axis: str) -> dict[str, Rule]:
    """Return the rules of what takes columns to scaled numbers."""
    return {
        "input_scale": one_of(*SCALINGS),
        "shift": array("f", axis, kept=MODERATE),
        "scale": array("f", axis, kept=POSITIVES),
    }


def _table(axis: str, index: Rule, *columns: str) -> Rule:
    """Return the rule of a written table of numbers, with some columns among others."""
    numbers = sequence(REAL, axis=axis)
    parts = record(
        {
            "index": sequence(index, axis=axis),
            "table": record(dict.fromkeys(columns, numbers), more=numbers),
            "dtypes": record({}, more=one_of("int64", "float64")),
        }
    )

    def check(name: str, value: Any, contents: Contents) -> None:
        parts(name, value, contents)
        if value["table"].keys() != value["dtypes"].keys():
            refuse(f"{name}.dtypes", f"those of {list(value['table'])}", value["dtypes"])

    return check


def pair_of_levels(name: str, value: Any, contents: Contents) -> None:
    """Check the levels of black and white."""
    sequence(integer(-_BRIGHTEST, _BRIGHTEST), least=2)(name, value, contents)
    if len(value) != 2 or value[0] >= value[1]:
        refuse(name, "black below white", value)


def _kept(rows: str) -> Rule:
    """Return the rule of rows that an estimator keeps to go on."""
    known: dict[str, Rule] = {"rows": array("biuf", rows, "n_features", kept=NOT_INFINITE), "n_seen": COUNT}
    told = either(array("iu", rows, kept=COUNTS), array("f", rows, "n_classes", kept=FINITE))  # of a context
    weights = array("f", rows, kept=POSITIVES)
    return record({"dict": record(known, {"labels": told, "weights": weights})})


_LEARNT: dict[str, Rule] = {
    "n_features_in_": size("n_features", POSITIVE_INTEGER),
    "_n_features_out": size("n_components", POSITIVE_INTEGER),
    "input_scale_": record(_scale("n_features"), {"levels": pair_of_levels}),
    "columns_": optional(record(_columns("n_features"))),
    "anomaly_score_": one_of(*SCORES),
    "score_state_": record({"dict": record({}, STATES)}),
    "n_iter_": size("n_iter_"),
    "max_iter_": COUNT,
    "history_": _table("n_iter_", PLAIN, "epoch"),
    "mean_terms_": _table("n_parts", one_of("train", "held_out"), "reconstruction", "kl"),
    "active_units_": array("b", "n_components"),
    "kl_per_component_": array("f", "n_components"),
    "code_range_": array("f", 2, "n_components", kept=FINITE),
    "reference_codes_": array("f", "n_reference", "n_components", kept=NUMBERS, least=1),
}
_LEARNT_OR_NOT: dict[str, Rule] = {
    **dict.fromkeys(("n_samples_", "n_marked_odd_"), POSITIVE_INTEGER),
    "tail_": optional(POSITIVE),
    "feature_names_in_": _texts("n_features"),
    "column_labels_": _texts("n_features"),
    "suspects_": array("iu", "n_suspects", kept=COUNTS),
    "kept_rows_": record(
        {
            "dict": record(
                {"trained": _kept("n_kept"), "calibrating": _kept("n_kept_aside")},
                {"watching": _kept("n_kept_watching")},
            )
        }
    ),
    "score_unit_": TEXT,
    "offset_": Requirement("finite or −inf", is_number),
    "calibration_scores_": array("f", "n_calibration", kept=SORTED_SCORES, least=1),
    "calibration_": one_of("split", "cross"),
    **dict.fromkeys(("heat_range_", "structure_range_"), array("f", 2, kept=RANGE)),
}
_LABELED: dict[str, Rule] = {
    "classes_": either(array("iub", "n_classes", kept=INCREASING, least=1), _texts("n_classes")),
    "class_prior_": array("f", "n_classes", kept=SHARES),
}
_OF_WORDS: dict[str, Rule] = {"word_counts_": array("iu", "n_words", kept=COUNTS)}
_OF_WORDS_OR_NOT: dict[str, Rule] = {"gaussian_scale_": one_of("global", "local")}
_CONTEXT = {
    "columns": record(
        _columns("n_context") | {"names": sequence(PLAIN, axis="n_context", unique=True, least=1)}
    ),
    "scale": record(_scale("n_context") | {"input_scale": one_of("standardize")}),
}
_SEEN: dict[str, Rule] = {
    "seen_groups": array("iu", "n_seen_groups", kept=INCREASING, least=1),
    "seen_range": array("f", 2, "n_context", kept=FINITE),
}
_LABELED_OR_NOT: dict[str, Rule] = {
    "context_": record({"context": record(_CONTEXT, _SEEN)}),
    "context_places_": array("iu", "n_context", kept=COUNTS),
    "context_information_": REAL,
    "label_information_": NONNEGATIVE,
    "calibration_labels_": array("iu", "n_calibration", kept=COUNTS),
    "label_calibration_scores_": array("f", "n_calibration", kept=BELOW_INF),
}
_MAPPED: dict[str, Rule] = {
    "n_features_in_": size("n_components", POSITIVE_INTEGER),
    "codes_": array("f", "n_mapped", "n_components", kept=MODERATE, least=1),
    "embedding_": array("f", "n_mapped", "n_axes", kept=MODERATE),
    "spacing_": array("f", "n_spacings", kept=DISTANCES, least=1),
    "center_": array("f", "n_components", kept=MODERATE),
    "axes_": optional(array("f", "n_axes", "n_components", kept=MODERATE)),
}
LEARNT: dict[str, tuple[dict[str, Rule], dict[str, Rule]]] = {
    **dict.fromkeys(MODELS, (_LEARNT, _LEARNT_OR_NOT)),
    "CVAE": (_LEARNT, _LEARNT_OR_NOT | _LABELED | _LABELED_OR_NOT),
    "VQVAE": (_LEARNT | _OF_WORDS, _LEARNT_OR_NOT | _OF_WORDS_OR_NOT),
    MAP: (_MAPPED, {"feature_names_in_": _texts("n_components")}),
}


# Parameters


def unwritten(value: Any) -> Any:
    """Return a parameter as it was before it was written, but for likelihoods and networks."""
    if isinstance(value, list):
        return [unwritten(item) for item in value]
    if isinstance(value, dict) and "tuple" in value:
        return tuple(unwritten(item) for item in value["tuple"])
    if isinstance(value, dict) and "dict" in value:
        return {unwritten(key): unwritten(item) for key, item in value["dict"]}
    return value


def written(requirement: Requirement) -> Rule:
    """Return the rule of a written parameter."""

    def check(name: str, value: Any, contents: Contents) -> None:
        if isinstance(value, dict) and set(value) not in ({"tuple"}, {"dict"}):
            refuse(name, requirement.words, value)
        requirement(name, unwritten(value))

    return check


_CLASS = one_of(*LIKELIHOOD_CLASSES.values())
_GAUSSIAN = only({}, {"scale": either(one_of(*GAUSSIAN_SCALES), POSITIVE), "floor": POSITIVE})


def _likelihood(name: str, value: Any, contents: Contents) -> None:
    """Check a likelihood: its name, or a written instance."""
    if type(value) is not dict:
        return REQUIREMENTS["AE"]["likelihood"](name, value)
    record({"likelihood": _CLASS})(name, value, contents)
    options = _GAUSSIAN if value["likelihood"] == "Gaussian" else only({})
    return only({"likelihood": _CLASS, "options": options})(name, value, contents)


_NEEDED = {  # of the network, which cannot be built without them
    *("n_components", "hidden_layer_sizes", "hidden_channels", "image_shape", "likelihood", "network"),
    *("conditioning", "condition_encoder", "false_alarm_rate", "n_words", "word_size", "prior"),
}


def _parameters(requirements: dict[str, Requirement]) -> Rule:
    """Return the rule of the parameters of an estimator: those of its constructor."""
    rules = {name: written(requirement) for name, requirement in requirements.items()}
    rules |= {"likelihood": _likelihood, "network": optional(record({"network": TEXT}))}
    return only({name: rules.pop(name) for name in sorted(_NEEDED & rules.keys())}, rules)


_VERBOSE, _SEED = (REQUIREMENTS["AE"][name] for name in ("verbose", "random_state"))
PARAMETERS = {name: _parameters(requirements) for name, requirements in REQUIREMENTS.items()}
_OF_MAP = {**MAP_PARAMETERS, "random_state": _SEED, "verbose": _VERBOSE}
PARAMETERS[MAP] = only({"n_components": MAP_PARAMETERS["n_components"]}, _OF_MAP)


def _is_size(value: Any) -> bool:
    sides = value if isinstance(value, (tuple, list)) and len(value) == 2 else [value]
    return value in (None, "auto") or all(is_integer(side, 1) for side in sides)


READER = only(
    {
        "aspect": one_of(*ASPECTS),
        "n_jobs": optional(either(integer(-_MOST_PROCESSES, -1), integer(1, _MOST_PROCESSES))),
    },
    {
        "size": written(Requirement("None, 'auto', an integer or (height, width)", _is_size)),
        "mode": one_of("auto", "gray", "rgb"),
        "image_shape": written(or_none(IMAGE_SHAPE)),
        "verbose": _VERBOSE,
    },
)
