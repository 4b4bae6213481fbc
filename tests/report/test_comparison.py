"""`compare` on real digits and on tables: what it keeps, measures, refuses."""

import copy
import dataclasses
import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

from tests.data.pictures import write_gray
from tests.report.comparisons import LONG, SHAPE, make_comparison
from vaetools import AE, CVAE, VAE, EncoderDecoder, ImageReader, compare
from vaetools.latent import organization
from vaetools.report.compare import _shown
from vaetools.report.models import Opened
from vaetools.report.page.comparison import comparison_text
from vaetools.report.questions import MEASURES, QUESTIONS

IMAGES = {"image_shape": (1, 8, 8), "hidden_channels": (), "hidden_layer_sizes": (32,), "random_state": 0}
TABLE = {"hidden_layer_sizes": (16,), "max_iter": 10, "random_state": 0, "contamination": 0.1}
NEW = slice(600, 760)
ASKED_FOR = {  # by known factors, or two models of a kind
    *("mutual_information_gap", "disentanglement", "completeness", "informativeness"),
    *("attribute_predictability", "matched_correlation"),
}


@pytest.fixture(scope="module")
def models(digits):
    X, y = digits[0][:600], digits[1][:600]
    return {
        "AE": AE(4, max_iter=15, **IMAGES).fit(X),
        "VAE": VAE(4, max_iter=15, **IMAGES).fit(X),
        "CVAE": CVAE(4, max_iter=15, **IMAGES).fit(X, y),
    }


@pytest.fixture(scope="module")
def comparison(models, digits):
    X, y = digits[0][NEW], digits[1][NEW]
    return compare(models, X, y, outliers=y == 0, method="pca")


@pytest.fixture(scope="module")
def flowers(iris):
    return pd.DataFrame(iris[0], columns=["a", "b", "c", "d"], index=[f"flower {i}" for i in range(150)])


def value(comparison, measure, model="VAE"):
    return comparison.to_frame().loc[measure, (model, "value")]


def test_every_model_is_shown_the_same_rows(comparison, models, digits):
    X, y = digits[0][NEW], digits[1][NEW]
    data = comparison.data
    assert [model.name for model in comparison.models] == ["AE", "VAE", "CVAE"]
    assert [model.kind for model in comparison.models] == ["AE", "VAE", "CVAE"]
    assert np.array_equal(data.labels, y)
    assert data.image_shape == (1, 8, 8)
    assert np.array_equal(data.thumbnails[..., 0].reshape(-1, 64), np.rint(255 * X))
    assert np.array_equal(data.shown, X[data.shown_index])
    assert (data.mean, data.std) == (None, None)
    assert sorted(y[data.shown_index[:9]]) == list(range(1, 10))  # 0 is odd
    assert not data.outliers[data.shown_index].any()
    for view in comparison.models:
        model = models[view.name]
        np.testing.assert_allclose(view.codes, model.transform(X))
        np.testing.assert_allclose(view.scores, model.score_samples(X))
        np.testing.assert_allclose(view.p_values, model.p_values(X))
        np.testing.assert_allclose(view.reconstructions, model.reconstruct(data.shown))
        assert (view.threshold, view.score_unit) == (model.offset_, "nats")
        assert view.history is model.history_


def test_arrays_have_the_documented_shapes(comparison):
    for view in comparison.models:
        n_traversed, n_steps = view.traversal_values.shape
        assert view.points.shape == (160, 2)
        assert view.posterior_draws.shape == ((~comparison.data.outliers).sum(), 4)
        assert view.traversals.shape == (n_traversed, n_steps, 64)
        assert n_traversed == view.active_units.sum()
        assert view.active_units[view.traversed].all()
        assert view.grid.shape == (*map(len, view.grid_values), 64)
        assert view.interpolations.shape[0] == len(view.interpolated_pairs)
        assert len(view.samples) == len(view.nearest_to_samples)
        assert view.neighbors.shape[0] == 160
        assert (view.neighbors != np.arange(160)[:, None]).all()


def test_neighbors_are_the_nearest_codes(comparison):
    view = comparison.models[0]
    distances = np.linalg.norm(view.codes - view.codes[7], axis=1)
    assert view.neighbors[7].tolist() == np.argsort(distances)[1 : 1 + view.neighbors.shape[1]].tolist()


def test_pictures_are_decoded_codes_and_normal_rows(comparison, models, digits):
    view, vae = comparison.models[1], models["VAE"]
    assert view.traversed[0] == vae.kl_per_component_.argmax()
    code = view.codes[~comparison.data.outliers].mean(axis=0)
    code[view.traversed[0]] = view.traversal_values[0, 0]
    np.testing.assert_allclose(view.traversals[0, 0], vae.inverse_transform([code])[0])
    code[view.traversed[:2]] = view.grid_values[0][2], view.grid_values[1][5]
    np.testing.assert_allclose(view.grid[2, 5], vae.inverse_transform([code])[0])
    start, _ = view.interpolated_pairs[0]
    np.testing.assert_allclose(view.interpolations[0, 0], vae.inverse_transform(view.codes[[start]])[0])
    np.testing.assert_allclose(view.samples[:3], vae.sample(2000, random_state=0)[:3])
    rows = digits[0][NEW]
    distances = np.linalg.norm(view.samples[:, None] - rows, axis=2)
    distances[:, comparison.data.outliers] = np.inf
    assert view.nearest_to_samples.tolist() == distances.argmin(axis=1).tolist()


def test_all_components_of_an_ae_that_vary_are_in_use(digits):
    ae = AE(4, max_iter=1, **IMAGES).fit(digits[0][:600])
    assert not ae.active_units_.all()  # by the scale of a prior that an AE has not
    found = compare({"AE": ae}, digits[0][NEW], method="pca")
    view = found.models[0]
    spread = view.codes.std(axis=0)
    assert view.active_units.all()
    assert view.traversed.tolist() == np.argsort(-spread).tolist()
    assert view.facts["components"] == "4, 4 in use"
    assert value(found, "active_units", "AE") == 4
    constant = np.where(np.arange(4) == 2, 7.0, ae.reference_codes_)
    fitted = Opened("AE", copy.copy(ae), digits[0], None, None)
    fitted.estimator.reference_codes_ = constant
    assert fitted.in_use.tolist() == [True, True, False, True]


def test_pairs_are_of_two_classes_and_none_is_an_outlier(comparison):
    pairs = comparison.models[0].interpolated_pairs
    labels = comparison.data.labels[pairs]
    assert (labels[:, 0] != labels[:, 1]).all()
    assert not comparison.data.outliers[pairs].any()


def test_a_conditional_model_decodes_as_its_commonest_label(comparison, models):
    view, cvae = comparison.models[2], models["CVAE"]
    commonest = cvae.classes_[cvae.class_prior_.argmax()]
    assert view.facts["decoded as"] == str(commonest)
    code = view.codes[~comparison.data.outliers].mean(axis=0)
    code[view.traversed[0]] = view.traversal_values[0, 0]
    np.testing.assert_allclose(view.traversals[0, 0], cvae.inverse_transform([code], commonest)[0])


def test_the_oddest_come_first_with_their_reasons(comparison, models, digits):
    view = comparison.models[1]
    odd = view.oddest
    assert odd.index.tolist() == np.argsort(view.scores)[: len(odd.index)].tolist()
    np.testing.assert_allclose(odd.values, digits[0][NEW][odd.index])
    assert odd.overlays.shape == (len(odd.index), 8, 8, 3)
    assert len(odd.because) == len(odd.index)
    expected = models["VAE"].explain(odd.values[:1]).table(top=3).drop(columns="row")
    pd.testing.assert_frame_equal(odd.because[0], expected)


def test_measures_have_intervals_and_are_known_by_name(comparison):
    measures = comparison.measures
    assert measures.columns.tolist() == ["model", "measure", "value", "low", "high"]
    vae = measures[measures["model"] == "VAE"].set_index("measure")
    assert set(vae.index) == set(MEASURES) - ASKED_FOR
    assert set(measures[measures["model"] == "AE"]["measure"]) == set(MEASURES) - ASKED_FOR - {"rate"}
    with_interval = vae.drop(index="active_units")
    assert (with_interval["low"] <= with_interval["value"]).all()
    assert (with_interval["value"] <= with_interval["high"]).all()


def test_measures_leave_outliers_out(comparison, models, digits):
    X, y = digits[0][NEW], digits[1][NEW]
    normal = compare({"VAE": models["VAE"]}, X[y != 0], y[y != 0], method="pca")
    for measure in ("mse", "knn_accuracy", "distortion", "rate"):
        assert value(normal, measure) == pytest.approx(value(comparison, measure), rel=1e-9)
    assert "auroc" not in normal.to_frame().index
    errors = (models["VAE"].reconstruct(X[y != 0]) - X[y != 0]) ** 2
    assert value(comparison, "mse") == pytest.approx(errors.mean())
    terms = comparison.models[1].terms
    assert terms.loc["new", "kl"] == pytest.approx(value(comparison, "rate"))
    assert terms.index.tolist() == ["train", "held_out", "new"]


def test_draws_scatter_about_codes_as_their_posterior_does(comparison, models, digits):
    ae, vae, _ = comparison.models
    normal = ~comparison.data.outliers
    mean, std = models["VAE"].posterior(digits[0][NEW][normal])
    assert ((vae.posterior_draws - mean) / std).std() == pytest.approx(1, abs=0.1)
    assert np.array_equal(ae.posterior_draws, ae.codes[normal])


def test_measures_are_of_the_arrays_that_they_name(comparison, models, digits):
    X, odd = digits[0][NEW], comparison.data.outliers
    for name in ("AE", "VAE"):
        view = next(view for view in comparison.models if view.name == name)
        assert value(comparison, "auroc", name) == pytest.approx(roc_auc_score(~odd, view.scores))
        flagged = models[name].predict(X) == -1
        assert value(comparison, "false_alarms", name) == flagged[~odd].mean()
        assert value(comparison, "detected", name) == flagged[odd].mean()
        seen = organization.off_data(view.codes[~odd], models[name].reference_codes_)
        assert value(comparison, "off_training", name) == seen.value
        assert value(comparison, "moment_kl", name) == pytest.approx(
            organization.moment_kl(view.posterior_draws).value
        )
        assert value(comparison, "knn_accuracy", name) == pytest.approx(
            organization.knn_accuracy(view.codes[~odd], digits[1][NEW][~odd]).value
        )
    samples = models["VAE"].sample(2000, random_state=0)
    assert value(comparison, "coverage") == organization.coverage(samples, X[~odd]).value


def test_the_same_seed_gives_the_same_comparison(comparison, models, digits):
    X, y = digits[0][NEW], digits[1][NEW]
    again = compare(models, X, y, outliers=y == 0, method="pca")
    assert again.to_json() == comparison.to_json()
    other = compare({"AE": models["AE"]}, X, y, outliers=y == 0, method="pca", seed=1)
    assert not np.array_equal(other.models[0].samples, comparison.models[0].samples)


def test_to_frame_has_a_row_per_measure(comparison):
    frame = comparison.to_frame()
    assert frame.index.tolist() == [name for name in MEASURES if name not in ASKED_FOR]
    assert frame.columns.tolist()[:4] == [("AE", "value"), ("AE", "low"), ("AE", "high"), ("VAE", "value")]
    own = comparison.measures.query("model == 'CVAE' and measure == 'holes'").iloc[0]
    assert frame.loc["holes", "CVAE"].tolist() == own[["value", "low", "high"]].tolist()
    assert np.isnan(frame.loc["rate", ("AE", "value")])


def test_to_json_is_strict(comparison):
    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(comparison.to_json(), parse_constant=refuse)
    assert found["answer"] == list(comparison.answer)
    assert (found["n_samples"], found["method"], found["seed"]) == (160, "pca", 0)
    assert [model["name"] for model in found["models"]] == ["AE", "VAE", "CVAE"]
    assert found["models"][0]["terms"][-1]["rows"] == "new"
    units = [each for each in found["measures"] if each["measure"] == "active_units"]
    assert units[0]["low"] is None
    assert {each["unit"] for each in found["measures"]} >= {"%", "nats", "dB", ""}


def test_the_terminal_sees_all_measures_within_100_columns(comparison):
    text = comparison_text(comparison)
    assert max(map(len, text.splitlines())) <= 100
    assert all(question.title in text for question in QUESTIONS.values())
    assert all((row.label in text) == (name not in ASKED_FOR) for name, row in MEASURES.items())
    line = next(line for line in text.splitlines() if MEASURES["rate"].label in line)
    assert line.split()[3] == "–"


def test_two_models_have_intervals_in_the_terminal(models, digits):
    found = compare({name: models[name] for name in ("AE", "VAE")}, digits[0][NEW], method="pca")
    text = comparison_text(found)
    assert max(map(len, text.splitlines())) <= 100
    low, high = found.to_frame().loc["mse", "VAE"][["low", "high"]]
    assert f"({low:.4f}–{high:.4f})" in text
    assert MEASURES["knn_accuracy"].label not in text


def test_progress_is_told(models, digits):
    lines = []
    compare({"A": models["AE"]}, digits[0][:20], method="pca", progress=lines.append)
    assert len(lines) == 3
    assert all(line.startswith("A: ") for line in lines)


def test_a_page_is_written(comparison, tmp_path):
    path = tmp_path / "page.html"
    comparison.to_html(path)
    page = path.read_text()
    assert page.lower().startswith("<!doctype html>")
    assert all(question.title.replace("'", "&#39;") in page for question in QUESTIONS.values())


# Tables, pipelines, and rows of other kinds


def test_tables_keep_names_and_reasons(flowers, iris):
    models = {"AE": AE(2, **TABLE).fit(flowers[::2]), "VAE": VAE(2, **TABLE).fit(flowers[::2])}
    found = compare(models, flowers[1::2], [f"kind {kind}" for kind in iris[1][1::2]], method="pca")
    data = found.data
    assert data.names[0] == "flower 1"
    assert data.columns.tolist() == ["a", "b", "c", "d"]
    assert (data.image_shape, data.thumbnails) == (None, None)
    assert data.labels[0] == "kind 0"
    assert not {"ssim", "psnr"} & set(found.to_frame().index)
    odd = found.models[0].oddest
    assert odd.overlays is None
    assert set(odd.because[0]["column"]) <= {"a", "b", "c", "d"}
    rows = flowers[1::2]
    errors = (models["VAE"].reconstruct(rows) - rows) / rows.std(ddof=0)
    assert value(found, "mse") == pytest.approx((errors.to_numpy() ** 2).mean())


@pytest.mark.parametrize("n", [3, 13, 150, 597, 10_000])
@pytest.mark.parametrize("n_classes", [0, 3])
def test_rows_shown_are_of_every_class_and_from_everywhere(n, n_classes):
    labels = np.arange(n) % n_classes if n_classes else None
    index = _shown(np.arange(n), labels)
    assert len(set(index.tolist())) == len(index) == min(n, 12)
    if n_classes:
        assert sorted(labels[index[:n_classes]]) == [0, 1, 2]
    for n_first in (6, 12):  # tables show half as many as images
        gaps = np.diff(np.sort([0, *index[:n_first], n]))
        assert gaps.max() <= 2 * n / min(n, n_first - n_classes)


def test_columns_are_described_by_all_rows_that_are_not_odd(iris):
    X = np.column_stack([iris[0], np.full(150, 0.1), np.zeros(150)])
    X[149, 5] = 1e6
    odd = np.arange(150) > 140
    assert X[:141, 4].std() > 0  # by rounding alone
    data = compare({"AE": AE(2, **TABLE).fit(X[:100])}, X, outliers=odd, method="pca").data
    np.testing.assert_allclose(data.mean, X[:141].mean(axis=0))
    np.testing.assert_allclose(data.std[:4], X[:141, :4].std(axis=0))
    assert data.std[4:].tolist() == [0, 0]


def test_a_scaled_column_changes_no_measure_of_samples(iris):
    X = iris[0]
    scale = np.array([1, 1e3, 1, 1e-3])
    plain, scaled = (
        compare({"VAE": VAE(2, **TABLE).fit(rows[::2])}, rows[1::2], method="pca") for rows in (X, X * scale)
    )
    for measure in ("off_data", "coverage", "mse", "path_length"):
        assert value(scaled, measure) == pytest.approx(value(plain, measure), rel=1e-3)
    rows = X[1::2]
    samples = VAE(2, **TABLE).fit(X[::2]).sample(2000, random_state=0)
    spread = rows.std(axis=0)
    assert value(plain, "coverage") == organization.coverage(samples / spread, rows / spread).value


def test_a_pipeline_is_seen_in_units_of_X(iris):
    X = iris[0]
    pipe = make_pipeline(StandardScaler(), VAE(2, standardize=False, **TABLE)).fit(X[::2])
    alone = VAE(2, **TABLE).fit(X[::2])
    found = compare({"pipe": pipe, "alone": alone}, X[1::2], method="pca")
    first, second = found.models
    np.testing.assert_allclose(first.codes, pipe.transform(X[1::2]))
    expected = pipe.inverse_transform(pipe.transform(X[1::2]))[found.data.shown_index]
    np.testing.assert_allclose(first.reconstructions, expected)
    np.testing.assert_allclose(first.oddest.values, X[1::2][first.oddest.index])
    assert abs(first.samples.mean() - X.mean()) < 2
    assert second.reconstructions.shape == first.reconstructions.shape


@pytest.mark.parametrize(
    "step", [PCA(3), QuantileTransformer(n_quantiles=50), FunctionTransformer(np.log1p, np.expm1)]
)
def test_a_step_that_inverts_is_taken(step, iris):
    pipe = make_pipeline(step, AE(2, **TABLE)).fit(iris[0][::2])
    assert compare({"pipe": pipe}, iris[0][1::2], method="pca").data.columns.tolist() == list("0123")


@pytest.mark.parametrize("as_frame", [False, True])
def test_a_step_that_does_not_invert_is_named(as_frame, iris):
    X = pd.DataFrame(iris[0], columns=list("abcd")) if as_frame else iris[0]
    pipe = make_pipeline(StandardScaler(), FunctionTransformer(np.arctan), AE(2, **TABLE)).fit(X)
    with pytest.raises(ValueError, match=r"'pipe' must have steps.*; step 'functiontransformer' has not"):
        compare({"pipe": pipe}, X)


def test_a_pipeline_of_paths(tmp_path):
    rows = write_gray(tmp_path, 30, size=6)
    paths = sorted(str(path) for path in tmp_path.iterdir())
    pipe = make_pipeline(ImageReader(size=6), AE(2, **TABLE)).fit(paths)
    found = compare({"AE": pipe}, paths, method="pca")
    assert found.data.names.tolist() == paths
    assert found.data.image_shape == (1, 6, 6)
    np.testing.assert_allclose(found.data.shown, rows[found.data.shown_index] / 255)
    assert np.array_equal(found.data.thumbnails.reshape(30, 36), rows)


def test_images_of_another_range_are_shown_from_black_to_white(digits):
    X = digits[0][:200] * 6 - 3
    ae = AE(2, max_iter=3, **IMAGES).fit(X[:150])
    found = compare({"AE": ae}, X[150:], method="pca")
    low, high = X[150:].min(), X[150:].max()
    np.testing.assert_allclose(found.data.shown, (X[150:][found.data.shown_index] - low) / (high - low))
    made = ae.reconstruct(X[150:])[found.data.shown_index]
    np.testing.assert_allclose(found.models[0].reconstructions, (made - low) / (high - low))


@pytest.mark.parametrize("n_components", [1, 2])
def test_few_rows_and_few_components(n_components, iris):
    vae = VAE(n_components, **TABLE).fit(iris[0])
    vae.active_units_[:] = True  # which so short a training does not make them
    found = compare({"VAE": vae}, iris[0][:3], method="pca")
    assert found.models[0].neighbors.shape == (3, 2)
    assert found.models[0].grid.shape[0] == (1 if n_components == 1 else 12)
    json.loads(found.to_json())


# What is refused, and how


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ([], TypeError, r"must be a dict of names to fitted models; got \[\]"),
        ({}, TypeError, r"got \{\}"),
        ({"scaler": StandardScaler()}, TypeError, r"'scaler' must be an autoencoder.*StandardScaler"),
        ({"VAE": VAE()}, ValueError, r"'VAE' must be fitted; got VAE\(\)"),
    ],
)
def test_models_that_are_none(models, error, message, iris):
    with pytest.raises(error, match=message):
        compare(models, iris[0])


def test_a_model_without_a_decoder(iris):
    encoder = EncoderDecoder(torch.nn.Linear(4, 2))
    alone = AE(network=encoder, max_iter=0, anomaly_score="latent_knn", contamination=0.1).fit(iris[0])
    with pytest.raises(ValueError, match="inverse_transform must decode, and the network has no decoder"):
        compare({"alone": alone}, iris[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": [1, 2]}, r"y must hold a class for each of the 150 rows; got shape \(2,\)"),
        ({"y": [None] * 150}, "got missing ones"),
        ({"outliers": [0] * 150}, r"150 booleans, one per row; got shape \(150,\) of int64"),
        ({"outliers": [False] * 150}, "mark some rows and leave at least 3; got 0 of 150"),
        ({"outliers": [True] * 150}, "got 150 of 150"),
    ],
)
def test_labels_that_do_not_fit(options, message, iris):
    with pytest.raises(ValueError, match=message):
        compare({"VAE": VAE(2, **TABLE).fit(iris[0])}, iris[0], **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": None}, "compare: seed must be an integer from 0 .*; got None"),
        ({"seed": np.random.RandomState(0)}, "got RandomState"),
        ({"seed": -1}, "got -1"),
        ({"method": "mds"}, "compare: method must be 'umap', 'tsne' or 'pca'; got 'mds'"),
        ({"y": np.linspace(0, 1, 150)}, "looks continuous; got 150 different values such as 0 in 150 rows"),
    ],
)
def test_options_are_refused_before_any_work(options, message, iris):
    lines = []
    with pytest.raises(ValueError, match=message):
        compare({"VAE": VAE(2, **TABLE).fit(iris[0])}, iris[0], progress=lines.append, **options)
    assert lines == []


def test_names_that_are_the_same_as_text_and_values_too_large(iris):
    ae = AE(2, **TABLE).fit(iris[0])
    with pytest.raises(ValueError, match=r"must have different names, as text; got \[1, '1'\]"):
        compare({1: ae, "1": ae}, iris[0])
    with pytest.raises(ValueError, match=r"X must hold values up to 1e\+100; got 7.9e\+300"):
        compare({"AE": ae}, iris[0] * 1e300)


def test_an_index_of_several_levels(iris):
    ae = AE(2, **TABLE).fit(iris[0])
    rows = pd.MultiIndex.from_product([range(10), list("abcdefghijklmno")])
    columns = pd.MultiIndex.from_product([["petal", "sepal"], [1, 2]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fitted without names
        data = compare({"AE": ae}, pd.DataFrame(iris[0], rows, columns), list(iris[1]), method="pca").data
    assert data.names[:2].tolist() == ["0, a", "0, b"]
    assert data.columns.tolist() == ["petal, 1", "petal, 2", "sepal, 1", "sepal, 2"]


def test_models_of_other_rows_are_named(iris, flowers, digits):
    four, three = AE(2, **TABLE).fit(iris[0]), AE(2, **TABLE).fit(iris[0][:, :3])
    with pytest.raises(ValueError, match="'three' takes rows of 3 values; got 4, as 'four' takes them"):
        compare({"four": four, "three": three}, iris[0])
    with pytest.raises(ValueError, match=r"at least 3 rows of values; got shape \(2, 4\)"):
        compare({"four": four}, iris[0][:2])
    renamed = AE(2, **TABLE).fit(flowers.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match=r"'one' and 'other' make columns 'a', 'b', 'c', 'd' and 'z', 'b'"):
        compare({"one": AE(2, **TABLE).fit(flowers), "other": renamed}, flowers)
    wide = IMAGES | {"image_shape": (1, 4, 16)}
    X = digits[0][:100]
    models = {"high": AE(2, max_iter=1, **IMAGES).fit(X), "wide": AE(2, max_iter=1, **wide).fit(X)}
    with pytest.raises(ValueError, match=r"'high' and 'wide' make images of \(1, 8, 8\) and \(1, 4, 16\)"):
        compare(models, X)
    mixed = VAE(2, likelihood="mixed", **TABLE)
    with pytest.raises(ValueError, match="'piped' must be no pipeline, because likelihood='mixed'"):
        compare({"piped": make_pipeline(StandardScaler(), mixed).fit(iris[0])}, iris[0])


def test_integers_without_a_shape_are_columns_like_others(digits):
    X = np.rint(255 * digits[0]).astype(np.uint8)
    short = {"hidden_layer_sizes": (32,), "max_iter": 2, "random_state": 0}
    vae = VAE(4, **short).fit(X[:600])
    found, as_floats = (compare({"VAE": vae}, rows[NEW], method="pca") for rows in (X, X.astype(float)))
    assert found.data.image_shape is None
    assert value(found, "mse") == value(as_floats, "mse")


@pytest.mark.parametrize("image_shape", [SHAPE, None])
def test_objects_show_themselves_in_a_line(image_shape):
    comparison = make_comparison(("AE", LONG), image_shape=image_shape)
    shown = repr(comparison)
    assert shown.startswith("<Comparison of 'AE', 'long name ")
    assert shown.endswith(" on 60 rows>")
    model = comparison.models[1]
    for each in (comparison, comparison.data, model, model.oddest):
        assert len(repr(each)) < 120
        assert "\n" not in repr(each)
    assert repr(comparison.models[0]) == "<ModelView 'AE': AE, 60 codes of 3 components>"


def test_a_notebook_shows_the_findings(comparison):
    marked = dataclasses.replace(comparison, answer=("The “<b>” VAE", "second\nline"))
    assert marked._repr_markdown_() == "- The “&lt;b&gt;” VAE\n- second\\nline"


def test_a_context_beside_rows_makes_the_same_comparison_as_one_in_them():
    rng = np.random.default_rng(0)
    told = pd.DataFrame({"machine": rng.choice(["a", "b"], 400), "heat": rng.normal(size=400)})
    rows = rng.normal(size=(400, 3)) + np.outer((told["machine"] == "a") * 6 + told["heat"], [1, 0, 1])
    whole = pd.DataFrame(rows, columns=list("pqr")).join(told)
    settings = {"n_components": 2, "max_iter": 15, "random_state": 0}
    beside = CVAE(**settings).fit(rows, told)
    models = {"CVAE": beside, "VAE": VAE(**settings).fit(rows)}
    found = compare(models, rows, context=told, method="pca")
    within = CVAE(**settings, context=["machine", "heat"]).fit(whole)
    known = compare({"CVAE": within}, whole, method="pca")
    np.testing.assert_array_equal(found.models[0].scores, beside.score_samples(rows, told))
    np.testing.assert_array_equal(found.models[0].p_values, known.models[0].p_values)
    pd.testing.assert_frame_equal(found.to_frame()[["CVAE"]], known.to_frame()[["CVAE"]])
    for context, words in (
        (None, "got NoneType"),
        (told[["heat"]], "got 'heat'"),
        (told[:3], "400, or one; got 3"),
    ):
        with pytest.raises(ValueError, match=f"compare: context must .*{words}"):
            compare(models, rows, context=context)
