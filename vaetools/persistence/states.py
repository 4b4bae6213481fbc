"""What a model file may say of what scores learnt from training rows, by score."""

from vaetools.schema import COUNTS, FINITE, POSITIVES, RANGE, SPREAD, SQUARES, Rule, array, record

_PAIR = array("f", 2, kept=SPREAD)
_LIMITS = {"image_shape": array("iu", 3, kept=COUNTS), "limits": array("f", 2, kept=RANGE)}


def _points(rows: str, columns: str) -> Rule:
    """Return the rule of at least one row of finite numbers."""
    return array("f", rows, columns, kept=FINITE, least=1)


def _whitening(axis: str) -> dict[str, Rule]:
    """Return the rules of a mean, and of what whitens differences from it."""
    return {"mean": array("f", axis, kept=FINITE), "whitening": array("f", axis, axis, kept=FINITE)}


def _state(required: dict[str, Rule], others: dict[str, Rule] | None = None) -> Rule:
    """Return the rule of what a score learnt."""
    return record({"dict": record(required, others)})


STATES: dict[str, Rule] = {
    "latent_knn": _state({**_whitening("n_components"), "codes": _points("n_codes", "n_components")}),
    "aggregate": _state(
        {"mean": _points("n_posteriors", "n_components"), "log_std": _points("n_posteriors", "n_components")}
    ),
    "density_of_states": _state(
        {
            "reconstruction": _PAIR,
            **_whitening("n_statistics"),
            "points": _points("n_points", "n_statistics"),
            "tail": _PAIR,
        },
        _LIMITS,
    ),
    "structure": _state({**_whitening("n_cells"), **_LIMITS}),
    "hidden_residual": _state(_whitening("n_hidden")),
    "perceptual": _state({"mean": array("f", 2, kept=FINITE), "std": array("f", 2, kept=POSITIVES)}),
    "images": _state(
        {
            "mean": array("f", 3, kept=FINITE),
            "std": array("f", 3, kept=POSITIVES),
            "spread": array("f", kept=POSITIVES),
        }
    ),
    "tables": _state(
        {
            "rows": _points("n_rows", "n_inputs"),
            "closest": array("f", kept=POSITIVES),
            "distance": _PAIR,
            "reconstruction": _PAIR,
        },
        {
            "center": array("f", "n_inputs", kept=FINITE),
            "reach": array("f", "n_inputs", kept=POSITIVES),
            "blur": array("f", "n_features", kept=SQUARES),
            "trust": array("f", kept=POSITIVES),
        },
    ),
    "marked": _state(
        {
            "cost": _PAIR,
            "mean": array("f", "n_inputs", kept=FINITE),
            "std": array("f", "n_inputs", kept=POSITIVES),
            "weights": array("f", "n_inputs", kept=FINITE),
        }
    ),
}
