"""Columns whose names are no strings: their order is looked at all the same."""

import numpy as np
import pandas as pd
import pytest

from vaetools import VAE, load, save, stream_scores

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
    assert np.array_equal(model.score_samples(frame.to_numpy()), expected)  # by position, as an array says


def test_a_model_of_an_array_refuses_places_that_were_moved():
    model = fitted(X)
    frame = pd.DataFrame(X)
    assert np.array_equal(model.score_samples(frame), model.score_samples(X))
    assert np.array_equal(model.score_samples(frame.set_axis([5, 9, 7], axis=1)), model.score_samples(X))
    with pytest.raises(ValueError, match="got '2' in the place of '0'"):
        model.score_samples(frame[[2, 0, 1]])


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
