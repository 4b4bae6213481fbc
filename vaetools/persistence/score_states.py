"""What scores keep of training rows in a model file, and which scores need which of it."""

from __future__ import annotations

from vaetools.schema import COUNTS, FINITE, POSITIVE, RANGE, SPREAD, Rule, array, record

_PAIR = array("f", 2, kept=SPREAD)
_LIMITS = {"image_shape": array("iu", 3, kept=COUNTS), "limits": array("f", 2, kept=RANGE)}


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
