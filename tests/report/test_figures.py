import numpy as np
import pytest

from vaetools.report.figures import COLORS, INK, SYMBOLS, latent_map, score_histogram


def test_latent_map_has_a_trace_per_label_with_its_own_points():
    points = np.arange(12.0).reshape(6, 2)
    labels = np.array([7, 2, 5, 2, 7, 9])
    figure = latent_map(points, labels, unknown=5, title="VAE")
    assert [trace.name for trace in figure.data] == ["2", "7", "9", "5 (unknown)"]
    for trace, label in zip(figure.data, [2, 7, 9, 5], strict=True):
        assert np.array_equal(np.column_stack([trace.x, trace.y]), points[labels == label])
    assert [trace.meta for trace in figure.data] == [None, None, None, INK]
    assert figure.layout.title.text == "VAE"


def test_ten_labels_are_told_apart_by_color_and_by_symbol():
    figure = latent_map(np.zeros((10, 2)), np.arange(10), unknown=3, title="")
    assert len({trace.marker.color for trace in figure.data}) == 10
    assert len({trace.marker.symbol for trace in figure.data}) == 10
    assert len(set(COLORS)) == len(set(SYMBOLS)) == 10


def test_latent_map_escapes_labels_and_title():
    figure = latent_map(np.zeros((2, 2)), np.array(["<b>&", "x"]), unknown="x", title="<i>")
    assert figure.data[0].name == "&lt;b&gt;&amp;"
    assert figure.layout.title.text == "&lt;i&gt;"


def test_histogram_shares_sum_to_a_hundred_and_keep_the_order():
    rng = np.random.default_rng(0)
    known, unknown = rng.normal(10, 1, 400), rng.normal(-5, 3, 180)
    figure = score_histogram(known, unknown, threshold=8.0, unknown_name="<4>")
    first, second = figure.data
    assert first.y.sum() == pytest.approx(100)
    assert second.y.sum() == pytest.approx(100)
    assert (first.x * first.y).sum() / 100 == pytest.approx(10, abs=0.3)  # bins are 0.5 wide
    assert (second.x * second.y).sum() / 100 == pytest.approx(-5, abs=0.8)  # the odd tail is pulled in
    assert second.name == "unknown digit &lt;4&gt;"
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 8.0


def test_histogram_of_equal_scores():
    figure = score_histogram(np.ones(3), np.ones(2), threshold=1.0, unknown_name="4")
    assert [trace.y.sum() for trace in figure.data] == [pytest.approx(100)] * 2
