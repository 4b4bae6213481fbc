import numpy as np
import pytest

from tests.report.browser import needs_chromium, opened
from tests.report.comparisons import HOSTILE, LONG, make_comparison
from vaetools.report.html import render

pytestmark = needs_chromium

SIX = ("AE", "VAE", HOSTILE, LONG, "שלום", "beta-VAE")
DRAWN = "document.querySelectorAll('.plot .main-svg').length"
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
def page(comparison):
    return render(comparison)


@pytest.fixture
def maps(page, tmp_path):
    """A tab in which the maps are drawn."""
    with opened(page, tmp_path / "page.html", width=1400, scheme="light") as tab:
        show_maps(tab)
        yield tab


def show_maps(tab):
    tab.evaluate("document.getElementById('neighbors').scrollIntoView({behavior: 'instant'})")
    tab.wait_for_function("document.getElementById('maps')._fullData?.length > 0")
    tab.wait_for_timeout(200)  # the smooth hand of plotly lets no event through at once


def scroll_through(tab):
    for i in range(tab.locator(".plot").count()):
        plot = f"document.querySelectorAll('.plot')[{i}]"
        tab.evaluate(f"{plot}.scrollIntoView({{behavior: 'instant'}})")
        tab.wait_for_function(f"{plot}._fullData")


def drag(tab, *places):
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=8)
    tab.mouse.up()


@pytest.mark.parametrize(
    ("options", "width", "scheme"),
    [
        ({}, 1400, "dark"),
        ({"names": SIX, "n_components": 1}, 400, "light"),
        ({"names": SIX, "image_shape": None}, 400, "dark"),
        ({"names": ("VAE",), "image_shape": None, "labels": False, "outliers": False}, 1400, "light"),
    ],
)
def test_every_page_draws_all_figures_within_its_width_and_runs_nothing(options, width, scheme, tmp_path):
    # `opened` asserts that nothing complains, is fetched, is broken or sticks out
    with opened(
        render(make_comparison(**options)), tmp_path / "page.html", width=width, scheme=scheme
    ) as tab:
        scroll_through(tab)
        assert tab.evaluate(
            "[...document.querySelectorAll('.plot')].every(p => p.querySelector('.main-svg'))"
        )
        assert tab.title().startswith("vaetools: ")
        tall = tab.evaluate(
            "Math.max(...[...document.querySelectorAll('th, .name, h3')].map(e => e.clientHeight))"
        )
        assert tall < 250
        if width == 400:
            columns = tab.evaluate(
                "new Set([...document.querySelectorAll('.plot')].map(p => p.layout.grid?.columns ?? 1)).size"
            )
            assert columns == 1


def test_only_what_is_near_is_drawn(page, tmp_path):
    with opened(page, tmp_path / "page.html", width=1400, scheme="light") as tab:
        tab.wait_for_function("typeof Plotly === 'object'")
        n_drawn, n_all = tab.evaluate(
            "[[...document.querySelectorAll('.plot')].filter(p => p._fullData).length,"
            " document.querySelectorAll('.plot').length]"
        )
    assert n_drawn < n_all


def test_pointing_at_a_dot_shows_its_row_and_its_neighbors(maps, comparison):
    model, row = 1, 3
    maps.mouse.move(*maps.evaluate(PLACE, [model, row]))
    card = maps.locator("#card")
    card.wait_for(state="visible")
    words = card.inner_text()
    assert "row 3" in words
    assert "label <script>document" in words
    assert f"VAE: {comparison.models[1].scores[row]:.1f}".replace("-", "−") in words
    names = card.locator(".near span").all_inner_texts()
    assert [name.split(" · ")[1][:12] for name in names] == [
        str(comparison.data.names[other]).split("/")[-1][:12] for other in comparison.models[1].neighbors[row]
    ]
    assert card.locator("canvas").count() == 6
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


def test_a_click_selects_a_row_with_its_neighbors_in_every_map(maps, comparison):
    maps.mouse.click(*maps.evaluate(PLACE, [0, 5]))
    maps.wait_for_function(f"({SELECTED})[1].length > 0")
    expected = [5, *comparison.models[0].neighbors[5].tolist()]
    assert maps.evaluate(SELECTED) == [expected, expected]


def test_the_name_of_a_class_selects_its_rows(maps):
    key = maps.locator(".key").nth(1)
    key.click()
    expected = [row for row in range(60) if row % 3 == int(maps.evaluate("rows.codes[row = 1]"))]
    assert key.get_attribute("aria-pressed") == "true"
    first, second = maps.evaluate(SELECTED)
    assert first == second
    assert {maps.evaluate(f"rows.codes[{row}]") for row in first} == {1}
    assert len(first) == len(expected)
    key.click()
    assert maps.evaluate(SELECTED) == [[], []]


def test_coloring_switches_between_label_score_and_outliers(maps, comparison):
    colors = "maps._fullData.map(trace => [...trace.marker.color])"
    by_label = maps.evaluate(colors)
    assert by_label[0] == by_label[1] == maps.evaluate("[...rows.codes]")
    maps.get_by_text("score", exact=True).first.click()
    for own, model in zip(maps.evaluate(colors), comparison.models, strict=True):
        assert np.array_equal(np.argsort(own), np.argsort(model.scores))
    assert maps.locator(".scale").is_visible()
    maps.get_by_text("known outliers", exact=True).first.click()
    assert maps.evaluate(colors)[0] == comparison.data.outliers.astype(int).tolist()
    maps.get_by_text("label", exact=True).first.click()
    assert maps.evaluate(colors) == by_label
    assert maps.locator(".scale").is_hidden()


def test_figures_follow_the_scheme_and_paper_is_light(page, tmp_path):
    ink = "document.getElementById('maps').layout.font.color"
    with opened(page, tmp_path / "page.html", width=1400, scheme="dark") as tab:
        show_maps(tab)
        dark = tab.evaluate(ink)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert tab.evaluate("[...document.querySelectorAll('.plot')].every(plot => plot._fullData)")
        assert (
            tab.evaluate("Math.max(...[...document.querySelectorAll('.plot')].map(p => p.layout.width))")
            <= 680
        )
        light = tab.evaluate(ink)
        tab.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.evaluate(ink) == dark
        tab.emulate_media(color_scheme="light")
        tab.wait_for_function(f"{ink} === '{light}'")
    assert dark != light
