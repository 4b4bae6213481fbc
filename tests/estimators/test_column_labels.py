"""Columns whose names are no strings: their order is looked at all the same."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from vaetools import VAE, load, save, stream_scores
from vaetools.__main__ import main

X = np.random.default_rng(0).normal(size=(120, 3)) * [1, 10, 100]
NAMES = [
    [5, 7, 9],
    [0, 1, 2],
    [1.5, 0.5, 2.5],
    pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]),
    pd.date_range("2020-01-01", periods=3),
]


def fitted(data):
    """A model, as quickly as can be."""
    return VAE(1, max_iter=1, random_state=0).fit(data)


@pytest.fixture(params=NAMES, ids=["integers", "places", "floats", "tuples", "dates"])
def frame(request):
    return pd.DataFrame(X, columns=request.param)


@pytest.mark.parametrize("is_saved", [False, True])
def test_other_orders_are_refused(frame, is_saved, tmp_path):
    model = fitted(frame)
    if is_saved:
        save(model, tmp_path / "m.safetensors")
        model = load(tmp_path / "m.safetensors")
    expected = model.score_samples(frame)
    moved = frame.iloc[:, [2, 0, 1]]
    here, there = moved.columns.map(str)[0], frame.columns.map(str)[0]
    with pytest.raises(ValueError, match="VAE: X must have the columns of fit in their order") as error:
        model.score_samples(moved)
    assert f"got {here!r} in the place of {there!r}. Select them by name" in str(error.value)
    assert np.array_equal(model.score_samples(moved[frame.columns]), expected)


def test_a_model_of_an_array_refuses_places_that_were_moved():
    model = fitted(X)
    frame = pd.DataFrame(X)
    assert np.array_equal(model.score_samples(frame), model.score_samples(X))
    with pytest.raises(ValueError, match="got '2' in the place of '0'"):
        model.score_samples(frame[[2, 0, 1]])


NAMES_IN_FIT = "X does not have valid feature names, but VAE was fitted with feature names"
NAMES_NOT_IN_FIT = "X has feature names, but VAE was fitted without feature names"


def said_of(model, data):
    """The scores of rows, and the warnings."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        scores = model.score_samples(data)
    return scores, [str(warning.message) for warning in told]


@pytest.mark.parametrize("likelihood", ["gaussian", "mixed"])
@pytest.mark.parametrize("names", [[5, 7, 9], [2.5, 0.5, 1.5], list("abc")])
def test_names_on_one_side_alone_are_warned_of(names, likelihood):
    frame = pd.DataFrame(X, columns=names)
    for data, other, words in ((frame, X, NAMES_IN_FIT), (X, frame, NAMES_NOT_IN_FIT)):
        model = VAE(1, max_iter=1, random_state=0, likelihood=likelihood).fit(data)
        expected, told = said_of(model, data)
        assert told == []
        scores, told = said_of(model, other)
        assert np.array_equal(scores, expected)  # by position
        assert told == [words]


@pytest.mark.parametrize("likelihood", ["gaussian", "mixed"])
def test_places_are_no_names(likelihood):
    for data, other in ((pd.DataFrame(X), X), (X, pd.DataFrame(X))):
        model = VAE(1, max_iter=1, random_state=0, likelihood=likelihood).fit(data)
        assert said_of(model, other)[1] == []


def test_names_as_text_are_those_of_fit(frame):
    model = fitted(frame)
    as_text = frame.set_axis(frame.columns.map(str), axis=1)
    scores, told = said_of(model, as_text)
    assert np.array_equal(scores, model.score_samples(frame))
    assert told == ([] if hasattr(model, "column_labels_") else [NAMES_NOT_IN_FIT])  # "0" is no place


def test_names_of_numbers_are_kept_only_where_they_say_something():
    assert not hasattr(fitted(X), "column_labels_")
    assert not hasattr(fitted(pd.DataFrame(X)), "column_labels_")
    assert not hasattr(fitted(pd.DataFrame(X, columns=list("abc"))), "column_labels_")
    model = fitted(pd.DataFrame(X, columns=[5, 7, 9]))
    assert model.column_labels_.tolist() == ["5", "7", "9"]
    assert not hasattr(model.fit(X), "column_labels_")


def test_another_number_of_columns_is_said_as_ever():
    frame = pd.DataFrame(X, columns=[5, 7, 9])
    with pytest.raises(ValueError, match="X has 2 features, but VAE is expecting 3"):
        fitted(frame).score_samples(frame[[5, 7]])


def test_files_are_read_by_these_names(tmp_path):
    frame = pd.DataFrame(X, columns=[5, 7, 9])
    model = fitted(frame)
    frame[[9, 5, 7]].to_csv(tmp_path / "t.csv", index=False)
    (part,) = stream_scores(model, tmp_path / "t.csv")
    np.testing.assert_allclose(part.table["score"], model.score_samples(frame), rtol=1e-9)
    assert model.explain(frame).columns.tolist() == ["5", "7", "9"]


@pytest.mark.filterwarnings("error")
def test_commands_know_these_names(tmp_path, capsys):
    frame = pd.DataFrame(X, columns=[5, 7, 9])
    save(fitted(frame), tmp_path / "m.safetensors")
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert main(["score", str(tmp_path / "m.safetensors"), str(tmp_path / "t.csv"), "--top", "3"]) == 0
    out, err = capsys.readouterr()
    assert re.search("odd      [579] ", out)
    assert "warning" not in err
    assert main(["sample", str(tmp_path / "m.safetensors"), "-n", "2"]) == 0
    assert capsys.readouterr().out.startswith("5,7,9\n")


def test_names_of_several_parts_are_read_as_arrow_writes_them(tmp_path):
    frame = pd.DataFrame(X, columns=NAMES[3])
    model = fitted(frame)
    frame.iloc[:, [2, 0, 1]].to_parquet(tmp_path / "t.parquet")
    (part,) = stream_scores(model, tmp_path / "t.parquet")
    np.testing.assert_allclose(part.table["score"], model.score_samples(frame), rtol=1e-9)
    frame.iloc[:, :2].to_parquet(tmp_path / "u.parquet")
    with pytest.raises(ValueError, match="there is no column \"\\('b', '1'\\)\""):
        list(stream_scores(model, tmp_path / "u.parquet"))
