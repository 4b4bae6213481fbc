"""What holds for all measures: few or equal rows, seeds, types, docstrings."""

import math

import numpy as np
import pytest
from numpydoc.validate import validate

from tests.test_docstrings import CODES
from vaetools.latent import organization as o

MEASURES = {
    "neighbors_kept": lambda Z, y: o.neighbors_kept(Z, Z[:, :1])["continuity"],
    "trustworthiness": lambda Z, y: o.trustworthiness(Z, Z[:, :1]),
    "continuity": lambda Z, y: o.continuity(Z, Z[:, :1]),
    "neighborhood_overlap": lambda Z, y: o.neighborhood_overlap(Z, Z[:, :1]),
    "knn_accuracy": o.knn_accuracy,
    "silhouette": o.silhouette,
    "cluster_agreement": o.cluster_agreement,
    "linear_probe": o.linear_probe,
    "moment_kl": lambda Z, y: o.moment_kl(Z),
    "sliced_wasserstein": lambda Z, y: o.sliced_wasserstein(Z),
    "effective_rank": lambda Z, y: o.effective_rank(Z),
    "correlation": lambda Z, y: o.correlation(Z),
    "prior_empty": lambda Z, y: o.prior_empty(Z),
    "holes": lambda Z, y: o.holes(Z),
    "off_codes": lambda Z, y: o.off_codes(Z, Z[:5]),
    "off_data": lambda Z, y: o.off_data(Z[:5], Z),
    "prdc": lambda Z, y: o.prdc(Z[:5], Z)["coverage"],
    "precision": lambda Z, y: o.precision(Z[:5], Z),
    "recall": lambda Z, y: o.recall(Z[:5], Z),
    "density": lambda Z, y: o.density(Z[:5], Z),
    "coverage": lambda Z, y: o.coverage(Z[:5], Z),
    "class_entropy": lambda Z, y: o.class_entropy(np.abs(Z)),
    "ambiguity": lambda Z, y: o.ambiguity(np.abs(Z)),
    "path_length": lambda Z, y: o.path_length(np.stack([Z, Z + 1, Z**2], axis=1)),
    "jumps": lambda Z, y: o.jumps(np.stack([Z, Z + 1, Z**2], axis=1)),
    "mse": lambda Z, y: o.mse(Z, Z + 1),
    "psnr": lambda Z, y: o.psnr(Z, Z + 1),
    "ssim": lambda Z, y: o.ssim(Z, Z + 1, (1, 1, 3)),
    "intrinsic_dimension": lambda Z, y: o.intrinsic_dimension(Z),
    "separation": lambda Z, y: o.separation(Z),
    "mutual_information_gap": o.mutual_information_gap,
    "dci": lambda Z, y: o.dci(Z, y)["completeness"],
    "attribute_predictability": o.attribute_predictability,
    "matched_correlation": lambda Z, y: o.matched_correlation(Z, Z**2),
}
every_measure = pytest.mark.parametrize("name", MEASURES)
OTHERS = {"Measure", "active_units", "collapsed", "knn_probabilities"}


def spaces():
    """Codes and classes that are few, equal, or do not vary everywhere."""
    Z = np.random.default_rng(0).normal(size=(30, 3))
    y = np.arange(30) % 2
    yield from ((f"{n} rows", Z[:n], y[:n]) for n in (0, 1, 2, 3, 4, 12))
    yield "equal", np.full_like(Z, 0.1), y
    yield "twice", np.repeat(Z[:15], 2, axis=0), y
    yield "one dimension constant", Z * [1, 0, 1] + 0.1, y
    yield "far away", Z + 1e6, y
    yield "tiny", Z * 1e-12, y


RANGES = {
    "silhouette": (-1, 1),
    "cluster_agreement": (-0.5, 1),
    "ssim": (-1, 1 + 1e-5),  # far away digits are lost
    "off_codes": (0, math.inf),
    "separation": (0, math.inf),
    "effective_rank": (1, 3),
    "path_length": (1, math.inf),
    "jumps": (1, 2),
    "psnr": (-math.inf, math.inf),
    **dict.fromkeys(
        ["moment_kl", "sliced_wasserstein", "density", "mse", "intrinsic_dimension"], (0, math.inf)
    ),
}  # all others are from 0 to 1


@every_measure
def test_an_interval_stays_in_the_range_of_the_measure(name):
    least, most = RANGES.get(name, (0, 1))
    for space, Z, y in spaces():
        value, low, high = MEASURES[name](Z, y)
        if not math.isnan(low):
            assert least - 1e-9 <= low <= value <= high <= most + 1e-9, space


def test_no_measure_is_forgotten():
    assert set(MEASURES) | OTHERS == set(o.__all__)


@every_measure
@pytest.mark.parametrize(("Z", "y"), [pytest.param(Z, y, id=name) for name, Z, y in spaces()])
def test_a_number_or_nan_without_a_warning(name, Z, y):
    value, low, high = MEASURES[name](Z, y)
    assert not math.isinf(value)
    assert math.isnan(low) == math.isnan(high)
    assert math.isnan(low) or low <= value <= high


@every_measure
def test_enough_rows_give_numbers_the_same_every_time(name):
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    kept = Z.copy()
    measure = MEASURES[name](Z, y)
    assert isinstance(measure, o.Measure)
    assert [type(part) for part in measure] == [float, float, float]
    assert all(map(math.isfinite, measure))
    assert measure == MEASURES[name](Z, y)
    assert np.array_equal(Z, kept)
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("name", [name for name in o.__all__ if name != "Measure"])
def test_docstring(name):
    errors = validate(f"vaetools.latent.organization.{name}")["errors"]
    assert [error for error in errors if error[0] in CODES] == []
    doc = getattr(o, name).__doc__
    assert all(f"\n    {part}\n    ---" in doc for part in ("References", "Examples"))
