"""The commands on a table of numbers, booleans and text, of which some cells are missing."""

import io
import json

import numpy as np
import pandas as pd
import pytest

import vaetools
from vaetools.__main__ import main

pytestmark = pytest.mark.filterwarnings("default:.* the label is hardly used")  # by few epochs


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def cars(tmp_path_factory):
    """300 cars: plates with leading zeros, and tanks that only petrol cars have small."""
    rng = np.random.default_rng(0)
    diesel = rng.random(300) < 0.5
    frame = pd.DataFrame(
        {
            "plate": [f"{i:04}" for i in range(300)],
            "tank": np.where(diesel, 70, 40) + rng.normal(size=300).round(2),
            "doors": rng.choice([2, 4], 300),
            "fuel": np.where(diesel, "diesel", "petrol"),
            "warranty": rng.random(300) < 0.5,
            "zip": rng.choice(["0101", "0202"], 300),
        }
    )
    gaps = rng.random((300, 4)) < 0.1
    frame[["tank", "doors", "fuel", "warranty"]] = frame[["tank", "doors", "fuel", "warranty"]].mask(gaps)
    path = tmp_path_factory.mktemp("cars") / "cars.csv"
    frame["doors"] = frame["doors"].astype("Int64")
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def car_model(cars, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "cars.safetensors"
    options = ["--likelihood", "mixed", "--set", "column_likelihoods={'zip': 'categorical'}"]
    assert run("fit", cars, "-o", path, "-q", "--id", "plate", "--max-iter", "60", *options) == 0
    return path


def read_cars(path):
    """Cars as pandas reads them, with the types that the model learnt."""
    types = {"doors": "Int64", "warranty": "boolean", "zip": str}
    return pd.read_csv(path, dtype=types).drop(columns="plate")


def test_fit_is_that_of_python(cars, car_model):
    vae, X = vaetools.load(car_model), read_cars(cars)
    assert vae.feature_names_in_.tolist() == ["tank", "doors", "fuel", "warranty", "zip"]
    assert [column.kind for column in vae.columns_.columns] == [
        "gaussian",
        "gaussian",
        "categorical",
        "bernoulli",
        "categorical",
    ]
    assert vae.columns_.columns[4].values == ["0101", "0202"]
    again = vaetools.VAE(
        likelihood="mixed", column_likelihoods={"zip": "categorical"}, max_iter=60, random_state=0
    ).fit(X)
    np.testing.assert_array_equal(again.score_samples(X), vae.score_samples(X))
    assert vae.reconstruct(X).dtypes.astype(str).to_dict() == X.dtypes.astype(str).to_dict()


def test_fit_says_what_it_found(cars, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run("fit", cars, "-o", path, "--drop", "zip", "--likelihood", "mixed", "--max-iter", "1") == 0
    out = capsys.readouterr().out
    missing = pd.read_csv(cars).drop(columns="zip").isna().to_numpy().mean()
    assert "300 rows from " in out
    facts = {line.split()[0]: line.split()[1:] for line in out.splitlines()[:8]}
    assert facts["Numbers"] == ["tank,", "doors"]
    assert facts["Booleans"] == ["warranty"]
    assert facts["Categories"] == ["plate", "(300),", "fuel", "(2)"]
    assert "Caution     Most rows have a value of their own in 'plate': give what names rows" in out
    assert f"{100 * missing:.1f} % of the cells" in out


def test_names_and_numbers_that_would_be_categories_are_pointed_out(tmp_path, capsys):
    frame = pd.DataFrame({"a": np.arange(200.0), "price": [f"USD {i}.50" for i in range(200)]})
    frame["born"] = pd.date_range("2020-01-01", periods=200).astype(str)
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = ["--likelihood", "mixed", "--max-iter", "1"]
    assert run("fit", tmp_path / "t.csv", "-o", tmp_path / "m.safetensors", *options) == 0
    out = capsys.readouterr().out
    assert "Categories  price (200), born (200)" in out
    assert "Dates       born: read as categories; write a date as a number, such as days, or --drop it" in out
    assert "Caution     Most rows have a value of their own in 'price', 'born': give what names ro" in out
    likelihood = "column_likelihoods={'a': 'categorical'}"
    options = [*options, "--set", likelihood, "--drop", "price", "--drop", "born"]
    assert run("fit", tmp_path / "t.csv", "-o", tmp_path / "m.safetensors", *options) == 0
    out = capsys.readouterr().out
    assert "Categories  a (200)" in out
    assert "Dates" not in out


def test_a_table_with_text_is_refused_with_what_to_do(cars, tmp_path, capsys):
    assert run("fit", cars, "-o", tmp_path / "m.safetensors") == 2
    assert "--likelihood mixed" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_scores_are_those_of_python(format, cars, car_model, tmp_path):
    path, X = cars, read_cars(cars)
    if format == "parquet":
        path = tmp_path / "cars.parquet"
        X.assign(plate=pd.read_csv(cars, dtype=str)["plate"]).to_parquet(path)
    assert run("score", car_model, path, "--id", "plate", "-q", "-o", tmp_path / "scores.csv") == 0
    scores = pd.read_csv(tmp_path / "scores.csv", dtype={"plate": str})
    vae = vaetools.load(car_model)
    assert scores["plate"].tolist() == [f"{i:04}" for i in range(300)]
    np.testing.assert_allclose(scores["score"], vae.score_samples(X), rtol=1e-9)
    np.testing.assert_array_equal(scores["verdict"] == "odd", vae.predict(X) == -1)


def test_the_oddest_rows_are_named_with_the_cell_that_is_to_blame(cars, car_model, tmp_path, capsys):
    odd = pd.read_csv(cars, dtype=str).head(3)
    odd.loc[0, ["tank", "doors", "fuel", "warranty"]] = "70", "4", "petrol", "true"
    odd.loc[1, ["tank", "doors", "fuel", "warranty"]] = "9000", "4", "petrol", "true"
    odd.loc[2, ["tank", "doors", "fuel", "warranty"]] = "40", "4", "kerosene, refined and dyed", "true"
    path = tmp_path / "odd.csv"
    odd.to_csv(path, index=False)
    assert run("score", car_model, path, "--id", "plate", "--top", "3", "-q") == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    reasons = {line.split()[0]: line for line in out.splitlines()[2:]}
    assert "tank 9e+03 (expected " in reasons["0001"]
    assert "fuel kerosene… (expected petrol)" in reasons["0002"]
    assert "petrol (expected diesel)" in reasons["0000"] or "tank 70 (expected " in reasons["0000"]
    assert out.splitlines()[2].startswith("0001")
    assert run("score", car_model, path, "--top", "1", "--json") == 0
    (oddest,) = json.loads(capsys.readouterr().out)["oddest"]
    assert oddest["because"].startswith("tank 9e+03 (expected ")


def test_a_row_without_cells_has_nothing_to_blame(car_model, tmp_path, capsys):
    path = tmp_path / "empty.csv"
    path.write_text("tank,doors,fuel,warranty,zip\n,,,,\n")
    assert run("score", car_model, path, "--top", "1", "-q") == 0
    out = capsys.readouterr().out
    assert "expected" not in out
    assert out.splitlines()[2].split()[0] == "0"


def test_a_table_of_a_header_alone_is_refused(car_model, tmp_path, capsys):
    path = tmp_path / "empty.csv"
    path.write_text("tank,doors,fuel,warranty,zip\n")
    assert run("recalibrate", car_model, path, "-o", tmp_path / "m.safetensors") == 2
    assert "there is nothing that could be read" in capsys.readouterr().err


def test_categories_of_numbers_are_named_whole(tmp_path, capsys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=300), "code": rng.choice([123456, 123457], 300, p=[0.9, 0.1])})
    frame.to_parquet(tmp_path / "t.parquet")
    model = tmp_path / "m.safetensors"
    likelihood = "column_likelihoods={'code': 'categorical'}"
    options = ["--likelihood", "mixed", "--set", likelihood, "--max-iter", "30", "-q"]
    assert run("fit", tmp_path / "t.parquet", "-o", model, *options) == 0
    frame.assign(x=0.0, code=123457).head(1).to_csv(tmp_path / "t.csv", index=False)
    assert run("score", model, tmp_path / "t.csv", "--top", "1", "-q") == 0
    assert "code 123457 (expected 123456)" in capsys.readouterr().out


def test_a_cell_of_another_kind_is_listed(cars, car_model, tmp_path, capsys):
    table = pd.read_csv(cars, dtype=str)
    table.loc[7, "tank"] = "full"
    table.loc[9, "warranty"] = "void"
    table.to_csv(tmp_path / "new.csv", index=False)
    assert run("score", car_model, tmp_path / "new.csv", "-o", tmp_path / "scores.csv") == 1
    err = capsys.readouterr().err
    assert "298 rows scored" in err
    assert "7: column 'tank' is 'full', not a number" in err
    assert "9: column 'warranty' is 'void', neither true nor false" in err
    assert 7 not in pd.read_csv(tmp_path / "scores.csv")["row"].tolist()


def test_the_other_commands_take_it_too(cars, car_model, tmp_path, capsys):
    vae, X = vaetools.load(car_model), read_cars(cars)
    assert run("embed", car_model, cars, "-o", tmp_path / "codes.csv", "-q") == 0
    codes = pd.read_csv(tmp_path / "codes.csv")
    np.testing.assert_allclose(codes.iloc[:, 1:], vae.transform(X), rtol=1e-5, atol=1e-6)

    assert run("sample", car_model, "-n", "20", "-o", tmp_path / "drawn.csv") == 0
    drawn = pd.read_csv(tmp_path / "drawn.csv", dtype={"zip": str})
    assert set(drawn["fuel"]) <= {"diesel", "petrol"}
    assert set(drawn["zip"]) <= {"0101", "0202"}
    assert drawn["doors"].dtype == int
    vae.score_samples(drawn.astype({"doors": "Int64"}))

    capsys.readouterr()
    assert run("similar", car_model, "0003", cars, "--id", "plate", "-k", "2", "-q") == 0
    hits = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype={"plate": str})
    assert len(hits) == 2
    assert "0003" not in hits["plate"].tolist()

    path = tmp_path / "later.safetensors"
    assert run("recalibrate", car_model, cars, "--id", "plate", "-o", path, "-q") == 0
    np.testing.assert_array_equal(vaetools.load(path).calibration_scores_, np.sort(vae.score_samples(X)))

    assert run("info", car_model, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["column_kinds"] == {"gaussian": 2, "bernoulli": 1, "categorical": 2}


def test_a_graph_needs_numbers(car_model, tmp_path, capsys):
    assert run("export", car_model, "-o", tmp_path / "m.onnx") == 2
    assert "mixed" in capsys.readouterr().err


def test_images_are_no_table(photos, car_model, capsys):
    assert run("score", car_model, photos) == 2
    assert "the model takes tables, with --likelihood mixed; got images" in capsys.readouterr().err


def test_a_model_of_an_array_is_told_from_one_of_named_columns(cars, tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(100, 2))
    path = tmp_path / "array.safetensors"
    vaetools.save(vaetools.AE(1, likelihood="mixed", max_iter=1).fit(rows), path)
    assert run("score", path, cars) == 2
    assert "fitted on an array. Read the file with pandas" in capsys.readouterr().err


def test_labels_stand_beside_a_mixed_table(cars, tmp_path, capsys):
    path = tmp_path / "cvae.safetensors"
    options = ["--model", "cvae", "--labels", "fuel", "--likelihood", "mixed", "--max-iter", "1", "-q"]
    assert run("fit", cars, "-o", path, "--id", "plate", *options) == 1
    n_missing = int(pd.read_csv(cars)["fuel"].isna().sum())
    err = capsys.readouterr().err
    assert f"{n_missing} " in err
    assert "column 'fuel' is missing" in err
    cvae = vaetools.load(path)
    assert cvae.classes_.tolist() == ["diesel", "petrol"]
    assert run("labels", path, cars, "--labels", "fuel", "--id", "plate", "-q") == 1
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype={"plate": str}).set_index("plate")
    X = read_cars(cars).set_axis([f"{i:04}" for i in range(300)]).loc[table.index]
    codes = np.searchsorted(cvae.classes_, X["fuel"])
    expected = cvae.label_log_proba(X.drop(columns="fuel"))[np.arange(len(X)), codes]
    np.testing.assert_allclose(table["log_probability"], expected, rtol=1e-8)
