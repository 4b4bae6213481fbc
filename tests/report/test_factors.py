"""Known factors, and several models of a kind: what `compare` tells of single dimensions."""

import numpy as np
import pandas as pd
import pytest

from vaetools import AE, VAE, compare
from vaetools.latent import organization as of

RNG = np.random.default_rng(0)
FACTORS = pd.DataFrame({"size": RNG.normal(size=300), "kind": RNG.choice(["a", "b", "c"], size=300)})
ROWS = (
    np.c_[FACTORS["size"], FACTORS["kind"].factorize()[0], FACTORS["size"] * 2]
    + RNG.normal(size=(300, 3)) / 20
)
MEASURES = (
    "mutual_information_gap",
    "disentanglement",
    "completeness",
    "informativeness",
    "attribute_predictability",
)


@pytest.fixture(scope="module")
def models():
    kinds = {"VAE 0": VAE(2, random_state=0), "VAE 1": VAE(2, random_state=1), "AE": AE(2, random_state=0)}
    return {name: model.fit(ROWS[:200]) for name, model in kinds.items()}


def test_measures_are_those_of_codes_and_factors(models):
    X, factors = ROWS[200:], FACTORS.iloc[200:]
    comparison = compare(models, X, factors=factors, continuous=["size"], method="pca")
    table = comparison.to_frame()
    assert set(MEASURES) <= set(table.index)
    numbers = np.c_[factors["size"], factors["kind"].factorize()[0]]
    for name, model in models.items():
        codes = model.transform(X).astype(np.float64)
        found = of.dci(codes, numbers, continuous=[True, False])
        gap = of.mutual_information_gap(codes, numbers, continuous=[True, False])
        assert table.loc["informativeness", (name, "value")] == pytest.approx(found["informativeness"].value)
        assert table.loc["mutual_information_gap", (name, "value")] == pytest.approx(gap.value)
    assert table.loc["informativeness", ("AE", "value")] > 0.7
    assert "SAP score of known factors" in comparison.to_json()


def test_models_of_a_kind_are_asked_what_they_share(models):
    table = compare(models, ROWS[200:], method="pca").to_frame()
    assert not set(MEASURES) & set(table.index)  # no factor is known
    shared = table.loc["matched_correlation"]
    codes = [models[name].transform(ROWS[200:]) for name in ("VAE 0", "VAE 1")]
    used = [each[:, models[f"VAE {i}"].active_units_] for i, each in enumerate(codes)]
    expected = of.matched_correlation(*used)
    assert tuple(shared["VAE 0"][["value", "low", "high"]]) == pytest.approx(tuple(expected))
    assert shared["VAE 1"]["value"] == pytest.approx(expected.value)
    assert np.isnan(shared["AE"]["value"])  # alone of its kind
    assert (
        "matched_correlation"
        not in compare({"VAE": models["VAE 0"]}, ROWS[200:], method="pca").to_frame().index
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"factors": FACTORS, "continuous": ["size"]},
            "factors must hold a value for each of the 100 rows; got 300 rows",
        ),
        ({"factors": FACTORS[:100].assign(size=None)}, "each of the 100 rows; got missing ones"),
        (
            {"factors": FACTORS[:100], "continuous": ["angle"]},
            r"continuous must name factors among \['size', 'kind'\]; got 'angle'",
        ),
        (
            {"factors": FACTORS[:100]},
            "the factors that are numbers, and 'size' looks like one: 100 different",
        ),
        (
            {"continuous": ["size"]},
            r"continuous must name some of factors, and there are none; got \['size'\]",
        ),
    ],
)
def test_factors_that_do_not_fit_are_refused(options, message, models):
    with pytest.raises(ValueError, match=message):
        compare(models, ROWS[200:], method="pca", **options)
