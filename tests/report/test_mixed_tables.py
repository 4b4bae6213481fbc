"""Tables of several kinds of columns, with missing cells, are compared like others."""

import numpy as np
import pandas as pd
import pytest

from vaetools import AE, CVAE, VAE, compare
from vaetools.report.models import open_models

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 0, "likelihood": "mixed"}


@pytest.fixture(scope="module")
def cars():
    """Rows of three kinds of columns, a tenth of whose cells are missing; a fuel is rare."""
    rng = np.random.default_rng(0)
    age, kind = rng.uniform(0, 15, size=400), rng.integers(2, size=400)
    fuel = np.array(["diesel", "petrol"])[kind].astype(object)
    fuel[::50] = "gas"
    table = pd.DataFrame({"km": 15_000 * age * (1 + kind), "fuel": fuel, "warranty": age < 4})
    return table.mask(rng.random(table.shape) < 0.1), kind


@pytest.fixture(scope="module")
def models(cars):
    table, kind = cars
    rare = table["fuel"].eq("gas").to_numpy()
    return {
        "VAE": VAE(2, **QUICK).fit(table[:200]),
        "AE": AE(2, **QUICK).fit(table[:200][~rare[:200]]),  # knows no gas
        "CVAE": CVAE(2, **QUICK).fit(table[:200], kind[:200]),
    }


def test_categories_become_columns_that_all_models_share(models, cars):
    table = cars[0][200:]
    opened, rows = open_models(models, table)
    names = opened[0].spread.names
    assert names == [
        *("km", "fuel = diesel", "fuel = gas", "fuel = petrol", "warranty = False", "warranty = True")
    ]
    for place, name in enumerate(names[1:], 1):
        column, value = name.split(" = ")
        expected = table[column].astype(str).eq(value)
        np.testing.assert_array_equal(rows[:, place], expected)
    km = table["km"]
    np.testing.assert_allclose(rows[:, 0], km.fillna(km.mean()))
    without = opened[1].shared(models["AE"].reconstruct(table))
    assert without.shape == rows.shape
    assert not without[:, names.index("fuel = gas")].any()
    np.testing.assert_array_equal(without[:, 1:4].sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore:.*not among the categories")
def test_tables_are_compared_and_shown(models, cars, tmp_path):
    table, kind = cars[0][200:], cars[1][200:]
    comparison = compare(models, table, kind, method="pca")
    values = comparison.to_frame().xs("value", axis=1, level=1)
    assert values.loc["mse"].between(0, 2).all()
    assert (values.loc["knn_accuracy"] > 0.5).all()
    one = comparison.models[0]
    assert one.reconstructions.shape == (len(comparison.data.shown), 6)
    assert one.oddest.because[0]["column"].isin(table.columns).all()
    comparison.to_html(tmp_path / "page.html")
    assert "fuel = petrol" in (tmp_path / "page.html").read_text()
    best = compare({"VAE": models["VAE"]}, table, method="pca").to_frame()["VAE", "value"]
    assert best["mse"] == values["VAE"]["mse"]


def test_columns_must_be_of_the_same_kinds(cars):
    table = pd.DataFrame({"a": np.arange(60.0) % 5, "b": np.arange(60.0)})
    one = VAE(2, **QUICK, false_alarm_rate=0.1).fit(table)
    other = VAE(2, **QUICK, false_alarm_rate=0.1, column_likelihoods={"a": "categorical"}).fit(table)
    with pytest.raises(ValueError, match="compare: models must take columns as of the same kinds; got"):
        compare({"one": one, "other": other}, table)
    plain = VAE(2, **QUICK | {"likelihood": "gaussian"}, false_alarm_rate=0.1).fit(table)
    assert compare({"one": one, "plain": plain}, table, method="pca").data.columns.tolist() == ["a", "b"]
