"""Rows are judged given their context: columns of numbers and categories in the place of labels."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from vaetools import CVAE, Gaussian, ModelFileError, load, save
from vaetools.files import read_model_file, write_model_file

MACHINES = np.array(list("abc"))
MEANS = np.array([[0, 0, 0], [3, 0, 3], [0, 3, 3]])


def drawn(n, seed, machines=MACHINES):
    """Rows that depend on their machine and on how hot it is, and these."""
    rng = np.random.RandomState(seed)
    place, heat = rng.randint(len(machines), size=n), rng.uniform(10, 40, n)
    rows = MEANS[place] + 0.3 * rng.randn(n, 3)
    rows[:, 0] += 0.2 * heat
    return rows, pd.DataFrame({"machine": machines[place], "heat": heat})


def wrong(context):
    """The context of another machine."""
    return context.assign(machine=MACHINES[(np.searchsorted(MACHINES, context["machine"]) + 1) % 3])


@pytest.fixture(scope="module")
def model():
    X, y = drawn(900, 0)
    return CVAE(2, likelihood=Gaussian("per_feature"), max_iter=60, random_state=0).fit(X, y)


def test_what_is_normal_elsewhere_is_odd_here(model):
    X, y = drawn(400, 1)
    is_right = np.repeat([1, 0], 400)
    scores = np.concatenate([model.score_samples(X, y), model.score_samples(X, wrong(y))])
    assert roc_auc_score(is_right, scores) > 0.98
    assert (model.predict(X, wrong(y)) == -1).mean() > 0.9
    assert (model.predict(X, y.assign(heat=50 - y["heat"])) == -1).mean() > 0.5
    assert (model.predict(X, y) == -1).mean() < 0.12
    assert model.context_information_ > 3


def test_contexts_are_taken_by_name(model):
    X, y = drawn(20, 2)
    moved = y[["heat", "machine"]].assign(other=1)
    np.testing.assert_array_equal(model.score_samples(X, moved), model.score_samples(X, y))
    one = y.iloc[[0]]
    of_all = pd.concat([one] * 20)
    np.testing.assert_array_equal(model.score_samples(X, one), model.score_samples(X, of_all))
    assert model.sample(3, one, random_state=0).shape == (3, 3)
    assert model.inverse_transform(model.transform(X, y), y).shape == X.shape


def test_rows_are_compared_with_their_own_group(model):
    """Groups of 19 calibration rows or more alone, the others together."""
    X, y = drawn(120, 3)
    few = pd.concat([y[y["machine"] != "c"], y[y["machine"] == "c"][:5]])
    few_rows = pd.DataFrame(X).loc[few.index].to_numpy()
    small = clone(model).set_params(max_iter=20).fit(*drawn(420, 0))
    words = "1 of 3 groups of the context has fewer than 19 .* and 5 together: it is compared"
    with pytest.warns(UserWarning, match=words):
        small.recalibrate(few_rows, few)
    new, told = drawn(200, 4)
    p_values, scores = small.p_values(new, told), small.score_samples(new, told)
    known = small.score_samples(few_rows, few)
    for machine in MACHINES:
        same = (told["machine"] == machine).to_numpy()
        own = known[(few["machine"] == machine).to_numpy()] if machine != "c" else known
        expected = (1 + (own <= scores[same][:, None]).sum(axis=1)) / (len(own) + 1)
        np.testing.assert_allclose(p_values[same], expected)
    np.testing.assert_array_equal(small.predict(new, told) == -1, p_values <= 0.05)


def test_a_context_is_told_and_not_guessed():
    X, context = drawn(120, 0)
    table = context.assign(**dict(zip("abc", X.T, strict=True)))
    within = CVAE(2, context=["machine", "heat"], max_iter=1, random_state=0).fit(table)
    with pytest.raises(ValueError, match="label_log_proba needs a model of labels; this one was fitted on a"):
        within.label_proba(table)
    with pytest.raises(ValueError, match=r"columns 'machine', 'heat'; got None\. See"):
        within.sample(2)
    assert within.sample(2, context[:1]).shape == (2, 3)


def test_false_alarms_hold_in_every_group():
    """Also of a machine that is much noisier than the others, over calibration sets."""
    rng = np.random.RandomState(0)
    X, y = drawn(3000, 5)
    noisy = (y["machine"] == "b").to_numpy()
    X[noisy] += rng.randn(noisy.sum(), 3)
    model = CVAE(2, max_iter=10, random_state=0).fit(X[:600], y[:600])
    shares = {machine: [] for machine in MACHINES}
    for _ in range(40):
        order = 600 + rng.permutation(2400)
        held_out, new = order[:300], order[300:]
        model.recalibrate(X[held_out], y.iloc[held_out])
        flagged = model.predict(X[new], y.iloc[new]) == -1
        for machine, share in shares.items():
            share.append(flagged[(y["machine"].iloc[new] == machine).to_numpy()].mean())
    for share in shares.values():
        assert 0.03 < np.mean(share) < 0.065


def test_an_explanation_names_the_context(model):
    X, y = drawn(2, 6)
    table = model.explain(X, y).table(top=1)
    assert table.columns.tolist() == ["row", "given", "column", "value", "expected", "surprise"]
    assert table["given"].tolist() == [
        f"machine={machine}, heat={heat:.4g}" for machine, heat in y.itertuples(index=False)
    ]


def test_files_hold_contexts(model, tmp_path):
    save(model, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    X, y = drawn(50, 7)
    np.testing.assert_array_equal(loaded.p_values(X, y), model.p_values(X, y))
    assert loaded.context_information_ == model.context_information_
    header, arrays = read_model_file(tmp_path / "model.safetensors")
    columns = header["fitted"]["context_"]["context"]["columns"]["columns"]
    columns[0]["values"].append("d")  # the network knows three machines
    write_model_file(tmp_path / "other.safetensors", header, arrays)
    with pytest.raises(ModelFileError, match="must have the shape"):
        load(tmp_path / "other.safetensors")


def test_images_have_contexts_too():
    rng = np.random.RandomState(0)
    bright = rng.permutation(["day", "night"] * 150)
    X = np.where(bright == "day", 200, 40)[:, None] + rng.randint(-20, 20, (300, 64))
    model = CVAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=30, random_state=0)
    model.fit(X.astype(np.uint8), pd.DataFrame({"light": bright}))
    seen = np.full((2, 64), 200, np.uint8)
    assert model.predict(seen, pd.DataFrame({"light": ["day", "night"]})).tolist() == [1, -1]


def test_labels_and_contexts_take_turns():
    X, y = drawn(100, 8)
    model = CVAE(2, max_iter=1, random_state=0).fit(X, y)
    assert not hasattr(model, "classes_")
    model.fit(X, y["machine"])
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert not hasattr(model, "context_")
    assert model.score_samples(X).shape == (100,)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "rows are judged given their context, so that y must be a DataFrame of the columns"),
        (["a", "b"], "y must be a DataFrame of the columns that rows are judged given, 'machine', 'heat'"),
        (pd.DataFrame({"heat": [20.0, 20.0]}), "y must have the column 'machine' of fit; got 'heat'"),
        (
            pd.DataFrame({"machine": ["a", "z"], "heat": [20.0, 20.0]}),
            "column 'machine' of y must be one of 'a', 'b', 'c'; got 'z'",
        ),
        (
            pd.DataFrame({"machine": ["a", "b"], "heat": [20.0, np.nan]}),
            "y must not miss a cell, because rows are judged given it; got NaN in column 'heat' of row 1",
        ),
        (
            pd.DataFrame({"machine": ["a"] * 3, "heat": [20.0] * 3}),
            "y must have as many rows as X, 2, or one; got 3",
        ),
    ],
)
def test_what_is_no_context_is_refused(y, message, model):
    with pytest.raises(ValueError, match=f"CVAE: {message}"):
        model.score_samples(np.zeros((2, 3)), y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (pd.DataFrame(index=range(9)), "y must have a column to judge rows by"),
        (pd.DataFrame(np.zeros((9, 2)), columns=["a", "a"]), "must have different names; got 'a' twice"),
        (
            pd.DataFrame(np.eye(9)[:, :2].astype(bool)[:, [0, 1] * 35], columns=[f"c{i}" for i in range(70)]),
            "categories of y must have at most 5e\\+18 combinations; got 1e\\+21",
        ),
    ],
)
def test_a_fit_refuses_what_is_no_context(y, message):
    with pytest.raises(ValueError, match=message):
        CVAE().fit(np.zeros((9, 2)), y)


def test_verdicts_are_those_of_the_rate_that_was_fitted(model):
    X, y = drawn(200, 9)
    before = model.predict(X, y)
    later = copy.copy(model).set_params(false_alarm_rate=0.5)
    np.testing.assert_array_equal(later.predict(X, y), before)
    assert (later.recalibrate(*drawn(300, 10)).predict(X, y) == -1).mean() > 0.3


def test_categories_that_no_row_that_trains_has_are_told():
    X, y = drawn(400, 4)
    y.loc[len(y) - 1, "machine"] = "rare"
    cvae, said = CVAE(2, max_iter=2, early_stopping=False), "in column 'machine' ('rare')"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for seed in range(12):
            clone(cvae).set_params(random_state=seed).fit(X, y)
    n_told = sum(said in str(warning.message) for warning in told)
    assert 0 < n_told < 12  # in a fifth of the fits the row calibrates


@pytest.mark.filterwarnings("ignore:.*groups of the context have fewer")
def test_contexts_unlike_those_of_training_are_told(tmp_path):
    """A combination of categories that none had, and a number more than a standard deviation off."""
    X, y = drawn(400, 5)
    y["site"] = np.where(y["machine"] == "a", "north", "south")
    model = CVAE(2, max_iter=2, random_state=0).fit(X, y)
    save(model, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    new = y[:3].assign(machine="a", site=["north", "south", "north"])
    words = r"no row that trained has: machine=a, heat=.*, site=south\. What is usual there was not learnt"
    for each in (model, loaded):
        each.predict(X, y)
        each.predict(X[:1], y[:1].assign(heat=45.0))
        with pytest.warns(UserWarning, match=f"combination of categories that {words}") as told:
            each.predict(X[:3], new)
        assert len(told) == 1
        with pytest.warns(UserWarning, match=r"heat=60, far from where it was in training, 1\d.* to \d"):
            each.transform(X[:1], y[:1].assign(heat=60.0))
    header, arrays = read_model_file(tmp_path / "model.safetensors")
    for part in ("seen_groups", "seen_range"):
        del header["fitted"]["context_"]["context"][part], arrays[f"context_.{part}"]
    write_model_file(tmp_path / "before.safetensors", header, arrays)
    before = load(tmp_path / "before.safetensors")  # which does not know
    np.testing.assert_array_equal(before.score_samples(X[:3], new), scores_in_silence(model, X[:3], new))


def scores_in_silence(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.score_samples(X, y)


@pytest.mark.filterwarnings("ignore:.*groups of the context have fewer")
def test_what_came_later_was_seen_too():
    X, y = drawn(600, 6)
    y["site"] = np.where(y["machine"] == "a", "north", "south")
    model = CVAE(2, max_iter=2, random_state=0).partial_fit(X[:300], y[:300])
    new = y[300:].assign(site="south")
    model.partial_fit(X[300:], new).predict(X[300:], new)
    model.predict(X[:300], y[:300])
    with pytest.warns(UserWarning, match="no row that trained has: machine=b, heat=.*, site=north"):
        model.predict(X[:1], y[:1].assign(machine="b", site="north"))
