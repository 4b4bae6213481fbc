"""Rows that somebody marked: the odd ones teach and do nothing else."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import AE, CVAE, VAE, ModelFileError, load, rows_to_mark, save

OPTIONS = {"max_iter": 20, "random_state": 0}


@pytest.fixture(scope="module")
def rows():
    """300 rows near a plane in eight columns, of which the last 30 lie elsewhere on the plane."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(2, 8))
    is_odd = np.arange(900) % 300 >= 270
    codes = rng.normal(size=(900, 2)) + np.where(is_odd, 1.8, 0)[:, None]
    X = codes @ plane + 0.3 * rng.normal(size=(900, 8))
    return X[:300], X[300:], is_odd[300:]


def marks_of(odd=(), normal=(), n=300):
    marks = np.zeros(n, int)
    marks[list(odd)], marks[list(normal)] = -1, 1
    return marks


ODD = range(270, 276)


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
def test_marks_teach_a_score(rows):
    X, new, is_odd = rows
    found = {}
    for name, marks in {"before": None, "after": marks_of(ODD, range(4))}.items():
        vae = VAE(2, anomaly_score="marked", **OPTIONS).fit(X, marks=marks)
        found[name] = roc_auc_score(is_odd, -vae.score_samples(new))
    plain = VAE(2, **OPTIONS).fit(X)
    assert found["before"] == roc_auc_score(is_odd, -plain.score_samples(new))  # costs alone
    assert found["before"] < 0.8
    assert found["after"] > 0.92


@pytest.mark.parametrize("estimator", [VAE(2, **OPTIONS), AE(2, contamination=0.1, **OPTIONS)])
def test_odd_rows_neither_train_nor_calibrate(rows, estimator):
    X, new, _ = rows
    other = X.copy()
    other[list(ODD)] = 1e3
    scores = [estimator.fit(each, marks=marks_of(ODD)).score_samples(new) for each in (X, other)]
    np.testing.assert_array_equal(*scores)
    assert estimator.n_samples_ == 300
    assert len(getattr(estimator, "calibration_scores_", [])) == (
        60 - 1 if estimator.contamination == "auto" else 0
    )


def test_normal_rows_calibrate_as_they_did(rows):
    X, new, _ = rows
    plain, marked = (VAE(2, **OPTIONS).fit(X, marks=marks) for marks in (None, marks_of(normal=range(50))))
    np.testing.assert_array_equal(plain.p_values(new), marked.p_values(new))


def test_few_rows_are_judged_without_the_odd_ones(rows):
    X = rows[0][230:]  # 40 normal, 30 odd
    vae = VAE(2, anomaly_score="marked", max_iter=5, random_state=0).fit(
        X, marks=marks_of(range(40, 60), n=70)
    )
    assert vae.calibration_ == "cross"
    assert len(vae.calibration_scores_) == 50


def test_how_rows_calibrate_is_chosen_by_those_that_are_not_odd(rows):
    X = rows[0][190:]
    vae = AE(2, max_iter=1, random_state=0).fit(X, marks=marks_of(range(80, 100), n=110))
    assert vae.calibration_ == "cross"
    assert len(vae.calibration_scores_) == 90


def test_rows_marked_normal_are_no_suspects(rows):
    X, options = rows[0], {"trimmed_fraction": 0.2, "contamination": 0.1, **OPTIONS}
    suspects = VAE(2, **options).fit(X).suspects_
    trusted = suspects[:5]
    found = VAE(2, **options).fit(X, marks=marks_of(normal=trusted)).suspects_
    assert len(found) == len(suspects)
    assert not set(trusted) & set(found)


def test_a_taught_score_is_kept_in_a_file(rows, tmp_path):
    X, new, _ = rows
    vae = VAE(2, anomaly_score="marked", **OPTIONS).fit(X, marks=marks_of(ODD))
    save(vae, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.score_samples(new), vae.score_samples(new))
    np.testing.assert_array_equal(again.predict(new), vae.predict(new))
    assert vae.score_table(new).columns[-1] == "marked"
    assert again.n_marked_odd_ == vae.n_marked_odd_ == 6
    assert not hasattr(vae.set_params(anomaly_score="elbo", max_iter=1).fit(X), "n_marked_odd_")


def test_labels_may_stand_beside_marks(rows):
    X, new, is_odd = rows
    y = np.arange(300) % 2
    cvae = CVAE(2, anomaly_score="marked", **OPTIONS).fit(X, y, marks=marks_of(ODD))
    assert roc_auc_score(is_odd, -cvae.score_samples(new)) > 0.9
    assert len(cvae.calibration_labels_) == len(cvae.calibration_scores_) == 59


@pytest.mark.filterwarnings("ignore:.*nothing taught the score")
def test_new_normal_rows_are_flagged_no_oftener():
    """Odd rows that nobody found calibrate, too: the rate is a bound."""
    rng = np.random.default_rng(0)
    flagged = []
    for seed in range(12):
        X = rng.normal(size=(250, 4)) * [3, 1, 1, 1]
        X[:25, 1:] += 2
        model = VAE(1, anomaly_score="marked", max_iter=2, random_state=seed)
        oddest = model.fit(X).score_samples(X).argsort()[:10]
        model.fit(X, marks=marks_of(oddest[oddest < 25], oddest[oddest >= 25], n=250))
        flagged.append(np.mean(model.predict(rng.normal(size=(500, 4)) * [3, 1, 1, 1]) == -1))
    assert np.mean(flagged) < 0.05
    assert np.mean(flagged) > 0.001


def test_a_checkpoint_is_of_its_marks(rows, tmp_path):
    X = rows[0]
    kept = {"checkpoint": tmp_path / "m.ckpt"}
    VAE(2, **OPTIONS).fit(X, marks=marks_of(ODD), **kept)
    VAE(2, **OPTIONS).fit(X, marks=marks_of(ODD), **kept)
    with pytest.raises(ModelFileError, match="marks"):
        VAE(2, **OPTIONS).fit(X, marks=marks_of([270]), **kept)


def test_new_rows_do_not_make_a_score_forget(rows):
    vae = VAE(2, anomaly_score="marked", **OPTIONS).fit(rows[0], marks=marks_of(ODD))
    with pytest.raises(ValueError, match=r"VAE: partial_fit keeps no marks.*Call fit with all rows"):
        vae.partial_fit(rows[1])


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([1, 0], r"marks must have one mark for each of 300 rows of X; got 2\."),
        (marks_of() + 2, r"marks must be −1 \(odd\), 1 \(normal\) or 0 \(not looked at\); got 2\."),
        (marks_of(range(300)), "marks must leave a row that is not odd"),
        (np.full(300, np.nan), "marks must be −1"),
        (marks_of(ODD) < 0, r"marks must be −1.*; got False\. If True is odd, pass np\.where"),
        ((marks_of(ODD) < 0).astype(object), r"marks must be −1.*; got False\. If True is odd"),
    ],
)
def test_marks_that_are_none(rows, marks, words):
    with pytest.raises(ValueError, match=f"VAE: {words}"):
        VAE(2, **OPTIONS).fit(rows[0], marks=marks)


@pytest.mark.parametrize("marks", [None, marks_of(), marks_of(normal=range(5))])
def test_a_score_that_nothing_taught_is_told(rows, marks):
    taught = VAE(2, anomaly_score="marked", max_iter=1, random_state=0).fit(rows[0], marks=marks_of(ODD))
    with pytest.warns(UserWarning, match=r"VAE: nothing taught the score 'marked'.*−1 is odd, 1 normal"):
        taught.fit(rows[0], marks=marks)
    assert not taught.score_state_["marked"]["weights"].any()


def test_what_marks_took_is_not_laid_to_weights_or_to_too_few_rows(rows):
    X = rows[0]
    kept = np.random.RandomState(0).permutation(300)[0]  # which calibrates
    with pytest.raises(ValueError, match=r"VAE: marks must leave a row of weight.* among those that train"):
        VAE(2, calibration="split", **OPTIONS).fit(X, marks=marks_of(set(range(300)) - {kept}))
    with pytest.raises(ValueError, match=r"got 5\d: .*Fit more rows, as those marked odd do not calibrate"):
        VAE(2, confidence=0.95, max_iter=1, random_state=0).fit(X, marks=marks_of(range(250, 300)))


def test_rows_that_were_looked_at_are_not_handed_out_again(rows):
    X = rows[0]
    vae = VAE(2, max_iter=1, random_state=0).fit(X)
    first = rows_to_mark(vae, X)
    second = rows_to_mark(vae, X, marks=marks_of(first[:5], first[5:]))
    assert len(set(first) | set(second)) == 20
    np.testing.assert_array_equal(rows_to_mark(vae, X, marks=marks_of()), first)
    assert len(rows_to_mark(vae, X, marks=marks_of(normal=range(300)))) == 0


def test_no_row_is_handed_out_twice(rows):
    X = np.repeat(rows[0][:2], 60, axis=0)
    vae = VAE(2, contamination=0.1, max_iter=0, random_state=0).fit(rows[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        places = rows_to_mark(vae, X)
    assert len(set(places.tolist())) == len(places) == 7
    assert len(rows_to_mark(vae, rows[0], n=1)) == 1


def test_the_last_step_of_a_pipeline_is_asked(rows):
    X = rows[0]
    model = make_pipeline(StandardScaler(), VAE(2, max_iter=1, random_state=0)).fit(X)
    with pytest.raises(
        ValueError, match=r"rows_to_mark: model must be an autoencoder.*got a Pipeline.*model"
    ):
        rows_to_mark(model, X)
    assert len(rows_to_mark(model[-1], model[:-1].transform(X))) == 10
