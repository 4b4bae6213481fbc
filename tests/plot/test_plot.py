"""Every figure holds the numbers that it is asked for, says what they are, and how to read them."""

import base64
import io
import warnings

import numpy as np
import pandas as pd
import plotly.io
import pytest
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import AE, CVAE, VAE, LatentMap, plot
from vaetools.anomaly.calibration import flagged_interval

HOSTILE = "<b>&\n" + "x" * 100
FIGURES = sorted(plot.__all__)


def fitted(estimator, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few epochs teach little
        return estimator.fit(*data)


@pytest.fixture(scope="module")
def images(digits):
    """Rows, labels, and three models of them: dense, convolutional, conditional."""
    X, y = digits
    options = {"image_shape": (1, 8, 8), "random_state": 0}
    models = {
        "AE": fitted(AE(3, hidden_channels=(), max_iter=5, **options), X[:600]),
        "VAE": fitted(VAE(3, hidden_channels=(8,), max_iter=5, **options), X[:600]),
        "CVAE": fitted(CVAE(3, hidden_channels=(), max_iter=5, **options), X[:600], y[:600]),
    }
    return X[600:700], y[600:700], models


@pytest.fixture(scope="module")
def table(iris):
    X, y = iris
    return X, y, fitted(VAE(2, max_iter=30, random_state=0), X)


def every(model, X):
    """All figures of a model."""
    return {
        "latent_map": lambda: plot.latent_map(model, X, method="pca"),
        "codes": lambda: plot.codes(model, X),
        "samples": lambda: plot.samples(model, 4),
        "traversal": lambda: plot.traversal(model, X, n_dimensions=2, n_steps=3),
        "interpolation": lambda: plot.interpolation(model, X[:2], n_steps=3),
        "reconstructions": lambda: plot.reconstructions(model, X[:3]),
        "loss_history": lambda: plot.loss_history(model),
        "score_histogram": lambda: plot.score_histogram(model, X),
        "calibration_curve": lambda: plot.calibration_curve(model, X),
        "kl_per_dimension": lambda: plot.kl_per_dimension(model),
    }


def picture(figure):
    """The picture of a figure, as pixels and what is visible of them."""
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(figure.data[0].source.split(",")[1]))))
    return pixels[..., :3], pixels[..., 3] > 0


@pytest.mark.parametrize("kind", ["AE", "VAE", "CVAE", "table"])
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_of_every_model_has_a_title_and_says_how_to_read_it(name, kind, images, table):
    X, model = (table[0], table[2]) if kind == "table" else (images[0], images[2][kind])
    if (name, kind) == ("kl_per_dimension", "AE"):
        with pytest.raises(ValueError, match="must have a prior, as those of a VAE; got AE"):
            plot.kl_per_dimension(model)
        return
    figure = every(model, X)[name]()
    assert figure.layout.title.text.startswith("<b>")
    said = figure.layout.title.subtitle.text
    assert said.replace("<br>", " ") == figure.layout.meta["reading"]
    assert said.endswith(".")
    assert max(map(len, said.split("<br>"))) <= 100
    assert len(figure.data)
    figure.to_json()


def test_maps_have_a_trace_per_class_whose_points_are_the_rows(images):
    X, y, models = images
    figure = plot.latent_map(models, X, y, method="pca")
    assert len(figure.data) == 3 * 10
    codes = models["VAE"].transform(X)
    places = PCA(2).fit_transform(codes)
    (sevens,) = [each for each in figure.data if each.name == "7" and each.xaxis == "x2"]
    assert np.array_equal(sevens.customdata, np.flatnonzero(y == 7))
    found = np.abs(np.column_stack([sevens.x, sevens.y]))  # axes have no sign
    assert np.allclose(found, np.abs(places[y == 7]), atol=1e-4)
    assert [each.showlegend for each in figure.data[:11]] == [True] * 10 + [False]


def test_codes_are_those_of_two_components_as_they_are(images):
    X, _, models = images
    codes = models["VAE"].transform(X)
    figure = plot.codes(models["VAE"], X, components=(2, 0))
    assert np.allclose(figure.data[0].x, codes[:, 2], atol=1e-6)
    assert np.allclose(figure.data[0].y, codes[:, 0], atol=1e-6)
    assert len(figure.data) == 3  # two circles of the prior
    radius = np.hypot(figure.data[2].x, figure.data[2].y)
    assert np.allclose(radius, 2.4477, atol=1e-3)  # of 95 % of N(0, I)
    told = np.where(models["VAE"].active_units_, models["VAE"].kl_per_component_, -1)
    chosen = plot.codes(models["VAE"], X)
    numbers = [int(axis.title.text.split()[1]) - 1 for axis in (chosen.layout.xaxis, chosen.layout.yaxis)]
    assert numbers == sorted(np.argsort(-told, kind="stable")[:2])
    assert len(plot.codes(models["AE"], X).data) == 1  # which has no prior


def test_arrays_take_the_place_of_models(images):
    X, y, models = images
    codes = models["VAE"].transform(X)
    for draw, options in ((plot.latent_map, {"method": "pca"}), (plot.codes, {"components": (0, 1)})):
        own, other = draw(codes, y=y, **options), draw(models["VAE"], X, y, **options)
        assert np.allclose(own.data[3].x, other.data[3].x, atol=1e-5)
    scores = models["VAE"].score_samples(X)
    bars = plot.score_histogram(scores, threshold=models["VAE"].offset_).data[0]
    assert np.array_equal(bars.y, plot.score_histogram(models["VAE"], X).data[0].y)
    assert np.array_equal(
        plot.calibration_curve(models["VAE"].p_values(X)).data[-1].y,
        plot.calibration_curve(models["VAE"], X).data[-1].y,
    )
    assert np.array_equal(
        plot.kl_per_dimension(models["VAE"].kl_per_component_).data[0].y,
        plot.kl_per_dimension(models["VAE"]).data[0].y,
    )
    history = models["VAE"].history_
    assert np.array_equal(plot.loss_history(history).data[0].y, history["loss"])


def test_points_are_colored_by_values_too(images):
    X, _, models = images
    scores = models["VAE"].score_samples(X)
    (points, *_) = plot.latent_map(models["VAE"], X, scores, method="pca").data
    assert np.array_equal(points.marker.color, scores)
    assert points.marker.showscale


def test_reconstructions_stand_below_their_rows(images):
    X, _, models = images
    pixels, _ = picture(plot.reconstructions(models["VAE"], X[:14]))
    expected = models["VAE"].reconstruct(X[:14])
    for i, (row, column) in {0: (0, 0), 11: (0, 11), 13: (2, 1)}.items():  # twelve in a line
        for rows, line in ((X, row), (expected, row + 1)):
            own = pixels[9 * line : 9 * line + 8, 9 * column : 9 * column + 8, 0] / 255
            assert np.abs(own - rows[i].reshape(8, 8).clip(0, 1)).max() <= 0.5 / 255 + 1e-6
    figure = plot.reconstructions(models, X[:5])
    assert list(figure.layout.yaxis.ticktext) == ["data", "AE", "VAE", "CVAE"]


def test_names_of_labels_are_shown_as_text(digits):
    X, y = digits[0][:200], np.where(digits[1][:200] == 0, "other", HOSTILE)
    cvae = fitted(CVAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=2, random_state=0), X, y)
    said = plot.traversal(cvae, n_steps=3).layout.meta["reading"]
    assert "Decoded as &lt;b&gt;&amp;" in said
    assert "<b>" not in said
    assert not any("<b>" in trace.name for trace in plot.codes(cvae, X, y).data[:2])


def test_integers_are_shown_as_their_reconstructions_are(digits):
    X = (digits[0] * 255).round().astype(np.uint8)
    vae = fitted(VAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=2, random_state=0), X[:300])
    pixels, _ = picture(plot.reconstructions(vae, X[:3]))
    assert np.array_equal(pixels[:8, :8, 0], X[0].reshape(8, 8))


def test_images_on_no_known_scale_go_from_black_to_white(digits):
    X = 3 * digits[0][:200] - 5
    vae = fitted(VAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=2, random_state=0), X)
    pixels, visible = picture(plot.reconstructions(vae, X[:3]))
    assert (pixels[visible].min(), pixels[visible].max()) == (0, 255)


def test_samples_and_walks_are_what_the_decoder_makes(images):
    _, _, models = images
    pixels, visible = picture(plot.samples(models["VAE"], 13, random_state=3))
    made = models["VAE"].sample(13, random_state=np.random.RandomState(3)).clip(0, 1)
    assert np.abs(pixels[9:17, :8, 0] / 255 - made[12].reshape(8, 8)).max() <= 0.5 / 255 + 1e-6
    assert not visible[9:, 9:].any()  # the second line has a single image
    figure = plot.traversal(models["VAE"], n_steps=5)
    pixels, _ = picture(figure)
    codes = models["VAE"].reference_codes_.astype(float)
    center = models["VAE"].inverse_transform(codes.mean(axis=0)[None]).clip(0, 1)
    assert np.abs(pixels[:8, 18:26, 0] / 255 - center.reshape(8, 8)).max() <= 0.5 / 255 + 1e-6
    assert list(figure.layout.xaxis.ticktext) == ["−2.0", "−1.0", "0.0", "1.0", "2.0"]


def test_a_line_of_an_interpolation_goes_from_one_reconstruction_to_the_next(images):
    X, _, models = images
    pixels, _ = picture(plot.interpolation(models["VAE"], X[:3], n_steps=4))
    ends = models["VAE"].reconstruct(X[:3]).clip(0, 1)
    for row, line, column in ((0, 0, 0), (1, 0, 3), (1, 1, 0), (2, 1, 3)):
        own = pixels[9 * line : 9 * line + 8, 9 * column : 9 * column + 8, 0] / 255
        assert np.abs(own - ends[row].reshape(8, 8)).max() <= 0.5 / 255 + 1e-6


def test_tables_are_lines_in_standard_deviations(table):
    X, _, vae = table
    figure = plot.reconstructions(vae, X[:1])
    scale = vae.input_scale_
    assert np.allclose(figure.data[0].y, (X[0] - scale.shift) / scale.scale, atol=1e-5)
    assert np.allclose(figure.data[1].y, (vae.reconstruct(X[:1])[0] - scale.shift) / scale.scale, atol=1e-5)
    assert list(figure.layout.xaxis.ticktext) == ["0", "1", "2", "3"]
    assert len(plot.samples(vae, 5).data) == 5


def test_columns_have_their_names(iris):
    X = pd.DataFrame(iris[0], columns=["a", "b", HOSTILE, "d"])
    vae = fitted(VAE(2, max_iter=5, random_state=0), X)
    assert list(plot.samples(vae, 2).layout.xaxis.ticktext)[:2] == ["a", "b"]
    assert "<b>" not in plot.samples(vae, 2).layout.xaxis.ticktext[2]
    assert len(plot.reconstructions(vae, X[:2]).data) == 4


def test_pipelines_are_taken_apart(iris):
    X, _ = iris
    pipeline = fitted(make_pipeline(StandardScaler(), VAE(2, max_iter=5, random_state=0)), X)
    codes = pipeline.transform(X)
    assert np.allclose(plot.codes(pipeline, X, components=(0, 1)).data[0].x, codes[:, 0], atol=1e-6)
    for draw in every(pipeline, X).values():
        draw()


def test_models_that_return_tables_are_drawn_alike(iris):
    X = pd.DataFrame(iris[0], columns=[*"abcd"])
    pipeline = make_pipeline(StandardScaler(), VAE(2, max_iter=5, random_state=0))
    fitted(pipeline.set_output(transform="pandas"), X)
    assert all(len(draw().data) for draw in every(pipeline, X).values())
    codes = pipeline.transform(X)
    assert np.allclose(plot.codes(pipeline, X, components=(0, 1)).data[0].y, codes["vae1"], atol=1e-6)


def test_a_map_that_is_there_gives_new_codes_a_place(images):
    X, _, models = images
    codes = models["VAE"].transform(X)
    known = LatentMap(method="pca").fit(codes[:50])
    figure = plot.latent_map(models["VAE"], X[50:], method=known)
    assert np.allclose(figure.data[0].x, known.transform(codes[50:])[:, 0], atol=1e-5)
    assert figure.layout.xaxis.title.text == "principal component 1"
    with pytest.raises(ValueError, match=r"n_components=2; got 3"):
        plot.latent_map(models["VAE"], X, method=LatentMap(method="pca", n_components=3).fit(codes))
    with pytest.raises(ValueError, match=r"method must be fitted; got LatentMap\(\)"):
        plot.latent_map(models["VAE"], X, method=LatentMap())


def test_the_threshold_is_the_model_s(images):
    X, _, models = images
    odd = np.arange(100) >= 80
    figure = plot.score_histogram({"A": models["AE"], HOSTILE: models["VAE"]}, X, odd)
    assert [shape.x0 for shape in figure.layout.shapes] == [models["AE"].offset_, models["VAE"].offset_]
    assert all(np.isclose(bars.y.sum(), 100) for bars in figure.data if bars.type == "bar")
    assert "reconstruction_kl, nats" in figure.layout.xaxis.title.text
    assert "<b>&\n" not in figure.to_json()


def test_a_curve_of_p_values_is_their_distribution():
    p_values = np.array([0.01, 0.02, 0.5, 0.5, 1.0])
    *_, asked, curve = plot.calibration_curve(p_values).data
    assert np.array_equal(asked.x, asked.y)
    found = dict(zip(curve.x.round(1), curve.y, strict=True))
    assert (found[0.0], found[1.0], found[2.0], found[50.0], found[100.0]) == (0, 20, 40, 80, 100)


def test_the_interval_of_shares_holds_what_calibration_gives():
    """Of exchangeable scores, shares of p-values below a rate, simulated."""
    rng = np.random.default_rng(0)
    n_rows, n_calibrating, rate = 50, 39, 0.1
    calibrating = np.sort(rng.random((4000, n_calibrating)), axis=1)
    rows = rng.random((4000, n_rows))
    threshold = calibrating[:, int(rate * (n_calibrating + 1)) - 1]
    shares = (rows < threshold[:, None]).mean(axis=1)
    low, high = (float(end[0]) for end in flagged_interval(np.array([rate]), n_rows, n_calibrating))
    assert np.mean(shares < low) <= 0.035
    assert np.mean(shares > high) <= 0.035
    assert 0.94 <= np.mean((shares >= low) & (shares <= high)) <= 0.985  # counts are few and coarse
    narrower = flagged_interval(np.array([rate]), n_rows)
    assert low <= narrower[0][0] < narrower[1][0] < high


def test_kl_is_averaged_over_rows_and_hollow_where_unused(images):
    X, _, models = images
    (line,) = plot.kl_per_dimension(models["VAE"], X).data
    posterior = models["VAE"].posterior(X)
    kl = (posterior.mean**2 + posterior.std**2 - 1) / 2 - np.log(posterior.std)
    assert np.allclose(line.y, np.sort(kl.mean(axis=0))[::-1], atol=1e-6)
    assert len(plot.kl_per_dimension(models["CVAE"], X).data[0].y) == 3
    hollow = plot.kl_per_dimension([0.0, 2.0]).data[0].marker.symbol
    assert hollow == ("circle", "circle-open")


def test_colors_of_text_and_ground_are_those_that_plotly_is_told(images, monkeypatch):
    assert plot.samples(images[2]["VAE"], 2).layout.template == plotly.io.templates["plotly"]
    monkeypatch.setattr(plotly.io.templates, "default", "plotly_dark")
    assert plot.samples(images[2]["VAE"], 2).layout.template == plotly.io.templates["plotly_dark"]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda X, y, m: plot.latent_map("VAE", X),
            TypeError,
            r"plot.latent_map: model must be .*; got 'VAE'",
        ),
        (lambda X, y, m: plot.latent_map(VAE, X), TypeError, "got <class"),
        (lambda X, y, m: plot.latent_map({}, X), ValueError, r"plot.latent_map: model must be .*; got \{\}"),
        (lambda X, y, m: plot.samples(VAE(7)), ValueError, r"must be fitted; got VAE\(n_components=7\)"),
        (lambda X, y, m: plot.latent_map(m["VAE"]), ValueError, "X must be rows to encode; got None"),
        (
            lambda X, y, m: plot.latent_map(X, X),
            ValueError,
            "X must be None where codes are given; got ndarray",
        ),
        (lambda X, y, m: plot.latent_map(X[0]), ValueError, r"2 dimensions; got shape \(64,\)"),
        (lambda X, y, m: plot.codes(X * np.nan), ValueError, "finite numbers; got nan"),
        (lambda X, y, m: plot.latent_map(m["VAE"], X, method="mds"), ValueError, "'pca'; got 'mds'"),
        (lambda X, y, m: plot.latent_map(m["VAE"], X, y[:9]), ValueError, "each of the 100 rows; got 9"),
        (lambda X, y, m: plot.codes(m["VAE"], X, components=(0, 3)), ValueError, r"0 to 2; got \(0, 3\)"),
        (lambda X, y, m: plot.codes(X[:, :1]), ValueError, "at least 2 components; got 1"),
        (lambda X, y, m: plot.samples(m["VAE"], 0), ValueError, "n must be a positive integer; got 0"),
        (lambda X, y, m: plot.traversal(m), ValueError, r"single one; got \['AE', 'VAE', 'CVAE'\]"),
        (lambda X, y, m: plot.traversal(m["VAE"], n_steps=1), ValueError, "at least 2; got 1"),
        (lambda X, y, m: plot.interpolation(m["VAE"], X[:1]), ValueError, "at least 2 rows; got 1"),
        (lambda X, y, m: plot.score_histogram(m["VAE"]), ValueError, "needs X, .* got X of type NoneType"),
        (lambda X, y, m: plot.score_histogram(m["VAE"], X, y), ValueError, r"booleans, .*\(100,\) of int64"),
        (lambda X, y, m: plot.score_histogram(X), ValueError, r"one dimension, .* got shape \(100, 64\)"),
        (lambda X, y, m: plot.calibration_curve([0.5, 2.0]), ValueError, "0.5 to 2 "),
        (lambda X, y, m: plot.calibration_curve(m["VAE"]), ValueError, "normal rows .*; got None"),
        (lambda X, y, m: plot.loss_history(pd.DataFrame({"a": [1]})), ValueError, r"columns \['a'\]"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_value(call, error, said, images):
    with pytest.raises(error, match=said):
        call(*images)


def test_what_was_not_trained_has_no_history(iris):
    with pytest.raises(ValueError, match="at least one epoch; got 0 epochs"):
        plot.loss_history(fitted(VAE(2, max_iter=0, random_state=0), iris[0]))


def test_mixed_tables_are_mapped_and_judged_and_not_decoded():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=200), "b": rng.choice(["x", "y"], 200)})
    mixed = fitted(VAE(2, likelihood="mixed", max_iter=3, random_state=0), X)
    for draw in (plot.latent_map(mixed, X, method="pca"), plot.score_histogram(mixed, X)):
        assert len(draw.data)
    with pytest.raises(ValueError, match=r"plot.samples: .* numbers alone; got likelihood='mixed'"):
        plot.samples(mixed)


def test_models_of_different_images_are_no_figure(images, table):
    with pytest.raises(ValueError, match=r"one kind; got image_shape=\(1, 8, 8\) and None"):
        plot.samples({"A": images[2]["VAE"], "B": table[2]})
