import numpy as np
import pytest

from vaetools.report.figures import bin_scores
from vaetools.report.page.gallery import HEIGHT, layout


@pytest.mark.parametrize("threshold", [-2.0, 0.123, 5.0, -9.0, None])
def test_every_score_is_counted_once_on_its_side_of_the_threshold(threshold):
    scores = np.random.default_rng(0).normal(size=1000)
    counts, edges = bin_scores(scores, threshold)
    assert counts.sum() == 1000
    assert np.isfinite(edges).all()
    assert 40 <= len(counts) <= 45
    assert (edges[0] <= scores.min(), scores.max() <= edges[-1]) == (True, True)
    if threshold is not None:
        assert threshold in edges
        assert counts[edges[:-1] < threshold].sum() == (scores < threshold).sum()


def test_a_score_on_the_threshold_is_not_flagged():
    counts, edges = bin_scores(np.array([1.0, 2.0, 2.0, 3.0]), 2.0)
    assert counts[edges[:-1] < 2.0].sum() == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_far_scores_share_an_open_bin_and_do_not_squeeze_the_others(sign):
    scores = sign * np.concatenate([np.random.default_rng(0).normal(size=100), [-1e9, -5e8]])
    counts, edges = bin_scores(scores)
    assert np.isinf(edges[:: len(edges) - 1]).tolist() == [sign == 1, sign == -1]
    assert counts[:: len(counts) - 1].max() == 2
    assert (counts > 0).sum() > 15


@pytest.mark.parametrize(
    "scores", [[7.0], [7.0, 7.0], [1e9, 1e9 + 1e-7], [np.nan, 1.0, 2.0], [-np.inf, np.inf], [], [0, 0, 0, 5]]
)
@pytest.mark.parametrize("threshold", [None, 1.5])
def test_odd_input_is_counted_and_drawn(scores, threshold):
    counts, edges = bin_scores(np.array(scores, dtype=float), threshold)
    assert counts.sum() == len(scores)
    chart = layout(counts, edges, threshold=threshold, unit="nats")
    places = np.array(
        [[bar[side] for side in ("left", "width", "top", "height")] for bar in chart["bars"]]
    ).reshape(-1, 4)
    assert np.isfinite(places).all()
    assert (places >= 0).all()
    assert len(chart["across"]) >= 2


def test_nan_is_among_the_oddest():
    counts, edges = bin_scores(np.array([np.nan, 1.0, 2.0, 3.0]))
    assert (edges[0], counts[0]) == (-np.inf, 1)


def test_bars_and_ticks_stand_where_the_numbers_say():
    chart = layout(np.array([1, 0, 4, 2]), np.array([-2.0, -1, 0, 1, 2]), threshold=-1.0, unit="nats")
    assert [tuple(bar.values())[:5] for bar in chart["bars"]] == [
        (0.0, 25.0, 0.75 * HEIGHT, 0.25 * HEIGHT, True),
        (50.0, 25.0, 0.0, HEIGHT, False),
        (75.0, 25.0, 0.5 * HEIGHT, 0.5 * HEIGHT, False),
    ]
    assert [bar["words"] for bar in chart["bars"]] == [
        "−2.0 to −1.0 nats: 1",
        "0.0 to 1.0 nats: 4",
        "1.0 to 2.0 nats: 2",
    ]
    assert chart["across"] == [(0, "−2"), (25, "−1"), (50, "0"), (75, "1"), (100, "2")]
    assert chart["down"] == [(HEIGHT * (4 - n) / 4, str(n)) for n in range(5)]
    assert (chart["threshold"], chart["open_below"], chart["open_above"]) == (25.0, None, None)


def test_a_threshold_within_a_bin_parts_its_bar_and_one_beyond_widens_the_axis():
    counts, edges = np.array([5]), np.array([0.0, 1.0])
    inside = layout(counts, edges, threshold=0.25, unit="nats")
    assert [(bar["left"], bar["width"], bar["flagged"]) for bar in inside["bars"]] == [
        (0, 25, True),
        (25, 75, False),
    ]
    beyond = layout(counts, edges, threshold=2.0, unit="nats")
    assert [(bar["left"], bar["width"], bar["flagged"]) for bar in beyond["bars"]] == [(0, 50, True)]
    assert beyond["threshold"] == 100


def test_open_bins_are_as_wide_as_their_neighbors_and_say_so():
    chart = layout(np.array([3, 1, 2]), np.array([-np.inf, 0.0, 10, np.inf]), threshold=None, unit="nats")
    assert [bar["left"] for bar in chart["bars"]] == pytest.approx([0, 100 / 3, 200 / 3], abs=1e-3)
    assert [bar["words"] for bar in chart["bars"]] == [
        "below 0 nats: 3",
        "0 to 10 nats: 1",
        "from 10 nats: 2",
    ]
    assert (chart["open_below"], chart["open_above"]) == ("0", "10")
    assert not any(bar["flagged"] for bar in chart["bars"])


def test_one_image_among_thousands_is_seen():
    chart = layout(np.array([1, 100_000]), np.array([0.0, 1, 2]), threshold=None, unit="nats")
    assert chart["bars"][0]["height"] >= 2
    assert chart["bars"][0]["top"] + chart["bars"][0]["height"] == HEIGHT
