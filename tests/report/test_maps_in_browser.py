import numpy as np
import pytest

from tests.report.browser import needs_chromium, opened
from tests.report.comparisons import make_comparison
from vaetools.report.page.comparison import render

pytestmark = needs_chromium

SELECTED = "document.getElementById('maps').data.map(trace => [...trace.selectedpoints ?? []])"
# where a row lies on the screen: map number, row number
PLACE = """([map, row]) => {
  const plot = document.getElementById("maps"), {x, y, xaxis, yaxis} = plot._fullData[map];
  const name = axis => axis.replace(/^([xy])/, "$1axis"), layout = plot._fullLayout;
  const across = layout[name(xaxis)], down = layout[name(yaxis)], corner = plot.getBoundingClientRect();
  return [corner.left + across._offset + across.d2p(x[row]), corner.top + down._offset + down.d2p(y[row])];
}"""


@pytest.fixture(scope="module")
def comparison():
    return make_comparison()


@pytest.fixture(scope="module")
def opened_maps(comparison, tmp_path_factory):
    """A tab in which the maps are drawn."""
    page = render(comparison)
    with opened(page, tmp_path_factory.mktemp("maps") / "page.html", width=1400, scheme="light") as tab:
        tab.evaluate("document.getElementById('maps').scrollIntoView({behavior: 'instant', block: 'center'})")
        tab.wait_for_function("document.getElementById('maps')._fullData?.length > 0")
        yield tab


@pytest.fixture
def maps(opened_maps):
    """The tab with nothing selected, colored by label."""
    opened_maps.locator("fieldset label").first.click()
    opened_maps.evaluate("select(null)")
    opened_maps.mouse.move(5, 5)
    return opened_maps


def drag(tab, *places):
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=8)
    tab.mouse.up()


def test_pointing_at_a_dot_shows_its_row_and_its_neighbors(maps, comparison):
    model, row = 1, 3
    maps.mouse.move(*maps.evaluate(PLACE, [model, row]))
    card = maps.locator("#card")
    card.wait_for(state="visible")
    words = card.inner_text()
    assert "row 3" in words
    assert "label <script>document" in words
    assert f"VAE: {comparison.models[1].scores[row]:.1f}".replace("-", "−") in words
    names = card.locator(".near .name").all_inner_texts()
    true_names = [str(comparison.data.names[other]) for other in comparison.models[1].neighbors[row]]
    assert [name.lstrip("…")[-4:] for name in names] == [name[-4:] for name in true_names]
    assert card.locator("canvas").count() == 6
    codes = comparison.models[1].codes
    far = np.linalg.norm(codes[comparison.models[1].neighbors[row]] - codes[row], axis=1)
    assert card.locator(".near .distance").all_inner_texts() == [f"{distance:.2f}" for distance in far]
    maps.mouse.move(5, 5)
    card.wait_for(state="hidden")


def test_the_thumbnail_is_that_of_the_row(maps, comparison):
    pixels = maps.evaluate(
        "[...thumb(7, 20).getContext('2d').getImageData(0, 0, 5, 6).data].filter((_, i) => i % 4 === 0)"
    )
    truth = comparison.data.thumbnails[7, ..., 0].ravel()
    assert np.corrcoef(pixels, truth)[0, 1] > 0.8  # WebP is not exact


def test_a_loop_in_one_map_selects_the_same_rows_in_the_other(maps, comparison):
    (left, top), (right, bottom) = (
        maps.evaluate(
            """corner => { const {xaxis, yaxis} = maps._fullLayout, box = maps.getBoundingClientRect();
            return [box.left + xaxis._offset + corner * xaxis._length,
                    box.top + yaxis._offset + corner * yaxis._length]; }""",
            corner,
        )
        for corner in (0.02, 0.55)
    )
    drag(maps, (left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    maps.wait_for_function(f"({SELECTED})[1].length > 0")
    first, second = maps.evaluate(SELECTED)
    assert first == second
    assert 0 < len(first) < len(comparison.data.names)
    places = np.array([maps.evaluate(PLACE, [0, row]) for row in range(len(comparison.data.names))])
    inside = (places > [left, top]).all(axis=1) & (places < [right, bottom]).all(axis=1)
    assert first == np.flatnonzero(inside).tolist()
    assert f"{len(first)} rows selected" in maps.locator(".selection").inner_text()
    assert maps.locator(".selection canvas").count() == len(first)
    maps.locator(".selection button").click()
    assert maps.evaluate(SELECTED) == [[], []]
    assert maps.locator(".selection").is_hidden()


def test_selected_rows_are_listed_by_name_and_label(maps, comparison):
    maps.evaluate("select([4, 7])")
    items = maps.locator(".selection li")
    assert items.all_inner_texts() == ["row 4\nlabel plain", "row 7\nlabel plain"]
    assert items.first.evaluate("item => getComputedStyle(item).userSelect") != "none"
    maps.evaluate("select([...Array(60).keys()])")
    assert items.count() == 60


def test_a_click_selects_a_row_with_its_neighbors_in_every_map(maps, comparison):
    maps.mouse.click(*maps.evaluate(PLACE, [0, 5]))
    maps.wait_for_function(f"({SELECTED})[1].length > 0")
    expected = [5, *comparison.models[0].neighbors[5].tolist()]
    assert maps.evaluate(SELECTED) == [expected, expected]


def test_the_name_of_a_class_selects_its_rows(maps, comparison):
    key = maps.locator(".key").filter(has_text="plain")
    key.click()
    expected = np.flatnonzero(comparison.data.labels == "plain").tolist()
    assert key.get_attribute("aria-pressed") == "true"
    assert maps.evaluate(SELECTED) == [expected, expected]
    key.click()
    assert maps.evaluate(SELECTED) == [[], []]


def test_coloring_switches_between_label_score_and_outliers(maps, comparison):
    colors = "maps._fullData.map(trace => [...trace.marker.color])"
    by_label = maps.evaluate(colors)
    assert by_label[0] == by_label[1] == maps.evaluate("[...rows.codes]")
    maps.locator("fieldset label").nth(1).click()
    for own, model in zip(maps.evaluate(colors), comparison.models, strict=True):
        assert np.array_equal(np.argsort(own), np.argsort(model.scores))
    assert maps.locator(".scale").is_visible()
    maps.locator("fieldset label").nth(2).click()
    assert maps.evaluate(colors)[0] == comparison.data.outliers.astype(int).tolist()
    maps.locator("fieldset label").first.click()
    assert maps.evaluate(colors) == by_label
    assert maps.locator(".scale").is_hidden()
