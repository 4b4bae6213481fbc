"""The recommended scores against their definition, row by row."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from tests.anomaly.readings import reading_of, reference_of, rows_of, score
from vaetools import AE, CVAE, VAE
from vaetools.anomaly.recommended import QUESTIONS, deciding_question, fit_tables
from vaetools.anomaly.reference import KNN_NEIGHBORS, on
from vaetools.anomaly.scores import SCORES, fit_states
from vaetools.nn.latents import Point
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder

SHAPE = (1, 8, 8)
CONV = {"image_shape": SHAPE, "hidden_channels": (3, 4), "hidden_layer_sizes": (8,), "max_iter": 8}


@pytest.fixture(scope="module")
def model(digits):
    return VAE(4, **CONV, contamination=0.1, random_state=0).fit(digits[0][:300]).model_


@pytest.fixture(scope="module")
def read(model):
    def reading(X):
        with torch.no_grad():
            return model.read(torch.from_numpy(X))

    return reading


@pytest.fixture(scope="module")
def seen(read, digits):
    return read(digits[0][:100])


def strange(X):
    return np.concatenate([X, 1 - X[:10], X[:10] / 2, np.zeros((1, 64)), np.ones((1, 64))])


def naive_images(reading, seen, states):
    """Least of two log tail probabilities, each over its share of false alarms."""
    names = ("structure", "hidden_residual", "latent_knn")
    usual = {name: -score(name, seen, seen, SHAPE) for name in names}
    codes = states["latent_knn"]["codes"]
    for i, code in enumerate(codes):  # a code is not its own neighbor
        distances = np.linalg.norm(np.delete(codes, i, axis=0) - code, axis=1)
        usual["latent_knn"][i] = np.sort(distances)[:KNN_NEIGHBORS].mean()

    def total(distances):
        z = [(np.log(distances[n]) - np.log(usual[n]).mean()) / np.log(usual[n]).std() for n in names]
        return np.sum(z, axis=0)

    z = total({name: -score(name, reading, seen, SHAPE) for name in names}) / total(usual).std()
    level, excess = states["density_of_states"]["tail"]
    failed = norm.logsf(z) - np.log(0.9)
    # P(oddness) = 0.1 · exp(−(oddness − level) / excess), over a share of 0.1
    another_kind = -(-score("density_of_states", reading, seen, SHAPE) - level) / excess
    return np.minimum(failed, another_kind)


def test_images_is_the_rarer_of_two_tails(read, seen, digits):
    reading = read(strange(digits[0][300:400]))
    states = fit_states("images", reference_of(seen, SHAPE))
    expected = naive_images(reading, seen, states)
    np.testing.assert_allclose(score("images", reading, seen, SHAPE), expected, rtol=1e-3)  # logs + 1e-4


def test_images_tells_false_alarms_by_its_level(digits):
    """A log tail probability below log α is about as rare as α among rows like those of the state."""
    rng = np.random.default_rng(0)
    X = digits[0][rng.permutation(1797)]
    vae = VAE(4, **CONV, contamination=0.1, random_state=0, anomaly_score="images").fit(X[:900])
    rate = np.mean(vae.score_samples(X[900:]) < np.log(0.05))
    assert 0.01 < rate < 0.15
    assert np.mean(vae.score_samples(strange(X[900:])[-22:]) < np.log(0.05)) > 0.9


def test_what_only_one_tail_sees_is_found(read, seen, digits):
    """Constant images are reconstructed well enough: the density of states speaks against them."""
    reading = read(np.repeat(np.linspace(0, 1, 5)[:, None], 64, axis=1))
    states = fit_states("images", reference_of(seen, SHAPE))
    level, excess = states["density_of_states"]["tail"]
    guard = (score("density_of_states", reading, seen, SHAPE) + level) / excess
    scores = score("images", reading, seen, SHAPE)
    assert (scores <= guard).all()
    assert (scores < np.log(0.01)).all()


def of_rows(X, costs):
    n = X.shape[1]
    model = Autoencoder(torch.nn.Identity(), Gaussian(1.0).bind(n), Point, 1, torch.zeros(n))
    return reading_of(X, reconstruction=costs, model=model)


def naive_tables(X, costs, seen, seen_costs):
    """Sum of two oddnesses, in the spread of those of reference rows among the others."""
    center, reach = seen.mean(axis=0), 3 * np.maximum(seen.std(axis=0), 1)

    def away(row, others):
        drawn = [center + reach * np.arcsinh((rows - center) / reach) for rows in (row, others)]
        return np.sort(np.linalg.norm(drawn[1] - drawn[0], axis=1))[:2].mean()

    distances = np.array([away(row, np.delete(seen, i, axis=0)) for i, row in enumerate(seen)])
    closest = 1e-3 * np.mean(distances)

    def oddness(values, usual):
        median, high = np.quantile(usual, [0.5, 0.9])
        return (values - median) / (high - median)

    to_rows = np.array([away(x, seen) for x in X])
    farness = oddness(np.log(to_rows + closest), np.log(distances + closest))
    trust = len(seen) / (len(seen) + 100)
    return -farness - trust * np.arcsinh(oddness(costs, seen_costs))


def test_tables_adds_distance_and_cost_each_in_its_spread():
    rng = np.random.default_rng(0)
    X, costs = rng.normal(size=(60, 3)), rng.exponential(size=60)
    X[:5], costs[-5:] = X[20:25], 1e6  # copies of reference rows, and great costs
    X[5:8, 0] = 10.0, 30.0, -100.0
    reading = of_rows(X, costs)
    expected = naive_tables(X, costs, X[20:], costs[20:])
    np.testing.assert_allclose(
        score("tables", reading, rows_of(reading, slice(20, None))), expected, rtol=1e-9
    )


def test_tables_falls_with_distance_and_with_cost():
    rng = np.random.default_rng(0)
    seen = of_rows(rng.normal(size=(50, 2)), rng.exponential(size=50))
    X = np.array([[3.0, 0], [30, 0], [3e6, 0], [3, 0], [3, 0]])
    near, far, farthest, dear, dearest = score("tables", of_rows(X, [1.0, 1, 1, 10, 1e12]), seen)
    assert near > far > farthest > -100
    assert near > dear > dearest > -100


@pytest.mark.parametrize("index", [[0], [0, 0, 0], [0, 1]], ids=["one row", "copies", "two rows"])
def test_few_rows_leave_a_usable_state(read, seen, digits, index):
    reading = read(np.concatenate([strange(digits[0][:20]), 1e6 * digits[0][:5]]))
    for name in ("images", "tables"):
        scores = score(name, reading, rows_of(reading, index), SHAPE)
        assert np.isfinite(scores).all()
        assert scores[0] > np.median(scores)


def test_tables_draws_in_rows_beyond_three_standard_deviations():
    X = np.random.default_rng(0).normal(size=(900, 1))
    X[0] = 1e6
    rows = fit_tables(reference_of(of_rows(X, np.ones(900))), {})["rows"]
    usual = np.sort(rows[1:, 0])
    np.testing.assert_allclose(np.diff(usual), np.diff(np.sort(X[1:, 0])), rtol=0.01)
    assert 3 < (rows[0, 0] - X.mean()) / X.std() < 13


def test_tables_knows_no_value_better_than_half_a_step():
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 5, 200) * 0.5, rng.normal(size=200), np.full(200, 3.0), rng.random(200) < 0.01]
    X = np.stack([*columns, np.where(columns[3], np.nan, columns[0])], axis=1).astype(float)
    X[0, 3] = 1.0
    blur = fit_tables(reference_of(of_rows(X, np.ones(200))), {})["blur"]
    np.testing.assert_allclose(blur[[0, 2, 3, 4]], [0.25, 0, X[:, 3].std(), 0.25])
    assert 0 < blur[1] < 0.02


def test_tables_of_an_older_state_are_of_the_nearest_row_as_it_is():
    rng = np.random.default_rng(0)
    X, costs = rng.normal(size=(30, 3)), rng.exponential(size=30)
    seen = rng.normal(size=(50, 3))
    state = {
        "rows": seen, "closest": np.array(0.001), "distance": np.array([0.1, 2.0]),
        "reconstruction": np.array([1.0, 3.0]),
    }  # fmt: skip
    reading = of_rows(X, costs)
    found = SCORES["tables"].evaluate(reading, on({"tables": state}, reading.x))
    nearest = np.array([np.linalg.norm(seen - x, axis=1).min() for x in X])
    expected = -(np.log(nearest + 0.001) - 0.1) / 2 - np.arcsinh((costs - 1) / 3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("estimator", [AE, VAE, CVAE])
@pytest.mark.parametrize("name", ["images", "tables"])
def test_every_model_ranks_strange_images_last(digits, estimator, name):
    X, y = digits
    options = {**CONV, "max_iter": 40, "learning_rate_init": 0.01, "contamination": 0.1, "random_state": 0}
    model = estimator(4, **options, score_precision="float32", anomaly_score=name).fit(X[:400], y[:400])
    is_normal = np.repeat([1, 0], 100)
    images = np.concatenate([X[400:500], 1 - X[400:500]])
    scores = model.score_samples(images)
    assert roc_auc_score(is_normal, scores) > 0.95
    if estimator is CVAE:  # the state was fitted without labels, and is as good for rows with theirs
        given = model.score_samples(images, np.concatenate([y[400:500], y[400:500]]))
        assert roc_auc_score(is_normal, given) > 0.95
        assert np.median(given[:100]) == pytest.approx(np.median(scores[:100]), abs=2)
        assert not np.allclose(given, scores)


def test_the_guide_runs_and_names_every_score(monkeypatch):
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 2)
    monkeypatch.setattr("vaetools.estimators.building._AUTO_EPOCHS", 1)
    guide = (Path(__file__).parents[2] / "docs" / "scores.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL):
        exec(compile(block, "scores.md", "exec"), {})
    named = re.findall(r"^\| `(\w+)` \| (\w+) \|", guide, flags=re.MULTILINE)
    assert named == [(name, score.unit) for name, score in SCORES.items()]


def test_the_question_that_decides_is_the_oddest_of_them(model, read, seen, digits):
    states = on(fit_states("images", reference_of(seen, SHAPE)), seen.x)
    reading = read(strange(digits[0][100:160]))
    which = deciding_question(reading, states).tolist()
    scores = {name: SCORES[name].evaluate(reading, states) for name in QUESTIONS}
    usual, state = states["images"], list(QUESTIONS)
    logs = [
        (torch.log(1e-4 - scores[name]) - usual["mean"][i]) / usual["std"][i]
        for i, name in enumerate(state[:3])
    ]
    level, excess = states["density_of_states"]["tail"]
    by_guard = (scores["density_of_states"] + level) / excess
    decided = SCORES["images"].evaluate(reading, states)
    for i, number in enumerate(which):
        if number == 3:
            assert decided[i] == by_guard[i]
        else:
            assert decided[i] < by_guard[i]
            assert logs[number][i] == max(log[i] for log in logs)
    assert set(which) == {0, 1, 2, 3}
