import numpy as np
import pandas as pd
import pytest

from vaetools.report import figures
from vaetools.report.figures import INK, MOST_POINTS, SCALE, escaped, panels
from vaetools.report.questions.dimensions import kl_per_component
from vaetools.report.questions.gaps import code_density
from vaetools.report.questions.neighbors import latent_maps, symbol_numbers
from vaetools.report.questions.odd import detection_curves, score_histograms
from vaetools.report.questions.reconstruction import loss_curves, rate_distortion
from vaetools.report.questions.round import aggregated_posterior

HOSTILE = "<b>&\n" + "x" * 100


def rng():
    return np.random.default_rng(0)


def titles_of(figure):
    return [
        annotation.text.removeprefix("<b>").removesuffix("</b>") for annotation in figure.layout.annotations
    ]


def axes_of(figure):
    return [(trace.xaxis, trace.yaxis) for trace in figure.data]


def test_colors_are_backed_by_symbols_and_dashes():
    assert len(set(figures.COLORS)) == len(set(figures.SYMBOLS)) == 10
    assert len(set(figures.DASHES)) == 6


def test_the_first_hundred_labels_differ_in_color_or_symbol():
    labels = np.arange(100)
    assert len(set(zip(labels % 10, symbol_numbers(labels), strict=True))) == 100


def test_names_lose_markup_and_length():
    name = escaped(HOSTILE)
    assert name.startswith("&lt;b&gt;&amp;\\n")
    assert "…" in name
    assert len(name) < 50
    assert escaped('the "odd" one\'s') == 'the "odd" one\'s'  # which plotly shows as it stands


@pytest.mark.parametrize(
    ("n", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 2), (6, 2, 3), (7, 3, 3)]
)
def test_panels_have_axes_of_their_own(n, rows, columns):
    figure = panels([HOSTILE] * n, x="across", y="up", height=100)
    assert (figure.layout.grid.rows, figure.layout.grid.columns) == (rows, columns)
    assert figure.layout.height == 100 * rows
    assert figure.layout.meta == {"panels": n, "height": 100}
    assert titles_of(figure) == [escaped(HOSTILE)] * n
    for i in range(n):
        assert figure.layout[f"xaxis{i + 1}"].title.text == "across"
        assert figure.layout[f"yaxis{i + 1}"].anchor == ("x" if i == 0 else f"x{i + 1}")


def test_maps_have_a_trace_per_model_with_the_rows_in_order():
    points, labels = [rng().normal(size=(30, 2)), rng().normal(size=(30, 2))], np.arange(30) % 12
    figure = latent_maps(points, ["AE", "VAE"], labels=labels)
    assert axes_of(figure) == [("x", "y"), ("x2", "y2")]
    assert titles_of(figure) == ["AE", "VAE"]
    for trace, own in zip(figure.data, points, strict=True):
        assert trace.type == "scattergl"
        assert np.allclose(np.column_stack([trace.x, trace.y]), own, atol=1e-6)
        assert np.array_equal(trace.marker.color, labels % 10)
        assert trace.marker.symbol[0] != trace.marker.symbol[10]  # of the same color


def test_maps_are_colored_by_score_or_not_at_all():
    points, shares = [rng().normal(size=(5, 2))], [np.linspace(0, 1, 5)]
    (trace,) = latent_maps(points, ["VAE"], scores=shares).data
    assert np.allclose(trace.marker.color, shares[0])
    assert trace.meta == SCALE
    (plain,) = latent_maps(points, ["VAE"]).data
    assert plain.marker.color == figures.COLORS[0]


@pytest.mark.parametrize(
    ("method", "first"),
    [("umap", "UMAP 1 (no unit)"), ("tsne", "t-SNE 1 (no unit)"), ("pca", "principal component 1")],
)
def test_axes_of_maps_are_named_after_the_method(method, first):
    layout = latent_maps([np.zeros((3, 2))], ["VAE"], method=method).layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == (first, first.replace("1", "2"))


def test_more_points_than_stay_smooth_become_a_density():
    points = rng().normal(size=(MOST_POINTS + 1, 2))
    (trace,) = latent_maps([points], ["VAE"]).data
    assert trace.type == "heatmap"
    assert trace.text.sum() == len(points)


def test_the_density_of_codes_is_empty_where_there_is_none():
    codes = np.concatenate([rng().normal(-9, 0.1, (200, 2)), rng().normal(9, 0.1, (100, 2))])
    figure = code_density([codes], [(4, 7)], ["AE"], [0])
    heat, half, most = figure.data
    assert heat.text.sum() == 300
    assert np.array_equal(np.isnan(heat.z), heat.text == 0)
    assert np.nanmin(heat.z) >= 0
    centers = heat.x0 + heat.dx * np.arange(heat.z.shape[1])
    assert np.isnan(heat.z[:, np.abs(centers) < 7]).all()
    draws = np.linalg.norm(rng().normal(size=(100_000, 2)), axis=1)
    for circle, share in ((half, 0.5), (most, 0.95)):
        assert (draws < np.hypot(circle.x, circle.y)[0]).mean() == pytest.approx(share, abs=0.01)
        assert circle.meta == INK
    assert figure.layout.xaxis.title.text == "component 5 (no unit)"
    assert figure.layout.yaxis.title.text == "component 8 (no unit)"


@pytest.mark.parametrize("codes", [np.zeros((5, 2)), np.ones((1, 2))])
def test_codes_at_one_place_have_a_density(codes):
    heat = code_density([codes], [(0, 1)], ["VAE"], [0]).data[0]
    assert heat.text.tolist() == [[len(codes)]]


def test_the_posterior_of_each_dimension_stands_at_its_component():
    draws = np.column_stack([rng().normal(0, 1, 4_000), rng().normal(5, 0.1, 4_000), np.full(4_000, 2.0)])
    figure = aggregated_posterior([draws], [np.array([0, 1, 2])], ["VAE"])
    shapes, outlines = figure.data
    modes = [heights[np.argmax(reaches)] for heights, reaches in (_right_half(shapes, i) for i in range(3))]
    assert modes == pytest.approx([0, 5, 2], abs=0.3)
    same = np.interp(0.8, *_right_half(shapes, 0)), np.interp(0.8, *_right_half(outlines, 0))
    assert same[0] == pytest.approx(same[1], abs=0.02)  # the first is N(0, 1)
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "3"]
    low, high = figure.layout.yaxis.range
    assert low <= -3.4
    assert high > 5


def _right_half(trace, at):
    """Heights and reaches of the right side of a shape."""
    chosen = (trace.x >= at) & (trace.x <= at + 0.43)
    order = np.argsort(trace.y[chosen], kind="stable")
    return trace.y[chosen][order], trace.x[chosen][order] - at


def test_profiles_draw_a_line_per_row_and_steps_grow():
    rows = rng().normal(size=(3, 2))
    content = {"one": [("data", rows[:1], None), (HOSTILE, rows, 2)], "two": [("way", rows, 1)]}
    figure, growing = (
        figures.profiles(content, ["a", "<i>"], unit="std", grows=grows) for grows in (False, True)
    )
    assert len(figure.data) == 7
    assert np.allclose([trace.y for trace in figure.data[1:4]], rows)
    assert figure.data[0].meta == INK
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False, True, False, False]
    assert len({trace.line.width for trace in figure.data}) == 1
    widths = [trace.line.width for trace in growing.data[4:]]
    assert widths[0] < widths[1] < widths[2]
    assert growing.data[4].line.dash == "solid" != figure.data[4].line.dash
    assert list(figure.layout.xaxis2.ticktext) == ["a", "&lt;i&gt;"]
    assert figure.layout.yaxis.title.text == "std"


def test_the_name_of_the_first_column_has_room_to_the_left():
    content = {"one": [("data", np.zeros((1, 2)), None)]}
    short, long, escaped_ = (
        figures.profiles(content, [first, "b"], unit="std").layout.margin.l
        for first in ("a", "eighteen characters"[:18], "&" * 18)
    )
    assert short < long == escaped_


def test_kl_is_sorted_and_a_model_without_any_keeps_its_color():
    kl = {"AE": np.zeros(3), "VAE": np.array([0.1, 3.0, 0.001])}
    active = {"AE": np.ones(3, bool), "VAE": np.array([True, True, False])}
    (trace,) = kl_per_component(kl, active).data
    assert trace.name == "VAE"
    assert trace.marker.color == figures.COLORS[1]
    assert trace.y.tolist() == [3.0, 0.1, 0.001]
    assert trace.customdata.tolist() == [2, 1, 3]
    assert [symbol.endswith("-open") for symbol in trace.marker.symbol] == [False, False, True]


@pytest.mark.parametrize(("n", "dtick"), [(1, 1), (3, 1), (16, 1), (64, None)])
def test_components_and_epochs_are_marked_once_each(n, dtick):
    kl = kl_per_component({"VAE": np.linspace(1, 2, n)}, {"VAE": np.ones(n, bool)})
    losses = loss_curves({"VAE": pd.DataFrame({"epoch": np.arange(1, n + 1), "loss": 1.0})})
    for axis in (kl.layout.xaxis, losses.layout.xaxis):
        assert (axis.dtick, axis.tickformat) == (dtick, "d")


def test_loss_curves_compare_train_with_held_out_and_are_not_squeezed():
    epochs = np.arange(1, 101)
    history = pd.DataFrame({"epoch": epochs, "loss": 1e6 * (epochs == 1) + 10.0, "held_out_loss": 12.0})
    figure = loss_curves({"A": history, "B": history.drop(columns="held_out_loss")})
    assert [trace.name for trace in figure.data] == ["trained on", "held out", "trained on"]
    assert [trace.line.dash for trace in figure.data] == ["solid", "dash", "solid"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False]
    assert figure.layout.yaxis.range[1] < 100


def test_rate_and_distortion_have_error_bars_and_an_ae_has_no_rate():
    rate = {"VAE": np.array([9.0, 8.0, 11.0]), "AE": np.array([np.nan] * 3)}
    distortion = {"AE": np.array([20.0, np.nan, np.nan]), "VAE": np.array([25.0, 24.0, 26.5])}
    ae, vae = rate_distortion(rate, distortion).data
    assert (ae.mode, ae.y.tolist(), ae.name) == ("lines", [20.0, 20.0], "AE (no rate)")
    assert (vae.x[0], vae.y[0]) == (9.0, 25.0)
    assert (vae.error_x.array[0], vae.error_x.arrayminus[0]) == (2.0, 1.0)
    assert (vae.error_y.array[0], vae.error_y.arrayminus[0]) == (1.5, 1.0)
    assert vae.marker.color == figures.COLORS[1]


def test_histograms_sum_to_a_hundred_for_each_kind_of_row():
    scores = np.concatenate([rng().normal(10, 1, 400), rng().normal(-5, 3, 100), [-1e9, np.nan]])
    outliers = np.arange(502) >= 400
    figure = score_histograms({"VAE": scores}, [8.0], ["nats"], outliers)
    normal, odd, threshold = figure.data
    assert normal.y.sum() == pytest.approx(100)
    assert odd.y.sum() == pytest.approx(100)
    assert (normal.x * normal.y).sum() / 100 == pytest.approx(10, abs=0.6)
    assert normal.y[normal.x < 8].sum() == pytest.approx(100 * (scores[:400] < 8).mean())
    assert figure.layout.shapes[0].x0 == threshold.x[0] == 8.0
    assert (odd.marker.pattern.shape, odd.showlegend, normal.showlegend) == ("/", True, False)


def test_a_model_keeps_its_color_in_histograms_and_densities():
    codes, outliers = rng().normal(size=(50, 2)), np.arange(50) < 5
    scores = {"A": codes[:, 0], "B": codes[:, 1]}
    bars = score_histograms(scores, [None, None], ["nats", "nats"], outliers).data
    assert [bar.marker.color for bar in bars[::2]] == list(figures.COLORS[:2])
    assert bars[1].marker.color == bars[3].marker.color not in figures.COLORS
    densities = code_density([codes, codes], [(0, 1), (0, 1)], ["A", "B"], [0, 1]).data[::3]
    assert [heat.colorscale[1][1] for heat in densities] == list(figures.COLORS[:2])


def test_histograms_without_outliers_or_threshold():
    scores = rng().normal(size=50)
    figure = score_histograms({"A": scores, "B": -scores}, [None, 0.0], ["nats", HOSTILE])
    assert [trace.type for trace in figure.data] == ["bar", "bar", "scatter"]
    assert [trace.xaxis for trace in figure.data] == ["x", "x2", "x2"]
    assert "<" not in figure.layout.xaxis2.title.text


def test_curves_of_a_perfect_and_of_a_useless_judge():
    outliers = np.arange(1_000) % 10 == 0
    figure = detection_curves({"perfect": -outliers.astype(float), "useless": np.zeros(1_000)}, outliers)
    lines = {(trace.name, trace.xaxis): trace for trace in figure.data}
    assert lines["perfect", "x"].y[np.argmax(lines["perfect", "x"].x > 0) - 1] == 100
    assert lines["perfect", "x2"].y[lines["perfect", "x2"].x == 100].max() == 100
    assert lines["useless", "x"].y.tolist() == lines["useless", "x"].x.tolist()
    assert lines["guessing", "x2"].y == (10.0, 10.0)
    assert lines["perfect", "x"].line.dash != lines["useless", "x"].line.dash
    noisy = detection_curves({"noisy": rng().normal(size=1_000)}, outliers)
    assert max(len(trace.x) for trace in noisy.data) <= 400
