import pytest

from tests.report.browser import needs_chromium, opened
from tests.report.comparisons import HOSTILE, LONG, make_comparison
from vaetools.report.page.comparison import render

pytestmark = needs_chromium

SIX = ("AE", "VAE", HOSTILE, LONG, "שלום", "beta-VAE")
PLOTS = "[...document.querySelectorAll('.plot')]"


@pytest.fixture(scope="module")
def page():
    return render(make_comparison())


def scroll_through(tab):
    for i in range(tab.locator(".plot").count()):
        plot = f"document.querySelectorAll('.plot')[{i}]"
        # again and again: figures above that are drawn meanwhile may push it away
        tab.wait_for_function(f"{plot}.scrollIntoView({{behavior: 'instant'}}), {plot}._fullData")


@pytest.mark.parametrize(
    ("options", "width", "scheme"),
    [
        ({"names": SIX, "n_components": 1}, 400, "light"),
        ({"names": SIX[1:3], "image_shape": None}, 400, "dark"),
        ({"names": ("VAE",), "image_shape": None, "labels": False, "outliers": False}, 1400, "light"),
    ],
)
def test_every_page_draws_all_figures_within_its_width_and_runs_nothing(options, width, scheme, tmp_path):
    # `opened` asserts that nothing complains, is fetched, is broken or sticks out
    page = render(make_comparison(**options))
    with opened(page, tmp_path / "page.html", width=width, scheme=scheme) as tab:
        scroll_through(tab)
        assert tab.evaluate(f"{PLOTS}.every(plot => plot.querySelector('.main-svg'))")
        assert tab.title().startswith("vaetools: ")
        heights = tab.evaluate("[...document.querySelectorAll('th, .name, h3')].map(e => e.clientHeight)")
        assert max(heights) < 250
        columns = tab.evaluate(f"{PLOTS}.map(plot => plot.layout.grid?.columns ?? 1)")
        assert (max(columns) > 1) == (width > 400)


def test_figures_are_drawn_when_they_come_near(page, tmp_path):
    with opened(page, tmp_path / "page.html", width=1400, scheme="light") as tab:
        tab.wait_for_function(f"{PLOTS}.some(plot => plot._fullData)")
        drawn = tab.evaluate(f"{PLOTS}.map(plot => Boolean(plot._fullData))")
        assert drawn == sorted(drawn, reverse=True)
        assert not drawn[-1]


def test_figures_follow_the_scheme_and_paper_is_light_and_narrow(page, tmp_path):
    ink = "document.getElementById('maps').layout?.font.color"
    with opened(page, tmp_path / "page.html", width=1400, scheme="dark") as tab:
        tab.wait_for_function(ink)
        dark = tab.evaluate(ink)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        widths = tab.evaluate(f"{PLOTS}.map(p => p.querySelector('.main-svg').getBoundingClientRect().width)")
        assert max(widths) <= 681
        light = tab.evaluate(ink)
        tab.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.evaluate(ink) == dark
        tab.emulate_media(color_scheme="light")
        tab.wait_for_function(f"{ink} === '{light}'")
    assert dark != light


def test_panels_that_were_seen_on_screen_find_their_places_on_paper(page, tmp_path):
    domains = (
        "Object.entries(document.querySelector('#gaps .plot')._fullLayout)"
        ".filter(([name]) => /^[xy]axis/.test(name)).map(([, axis]) => axis.domain)"
    )
    three = render(make_comparison(("A", "B", "C")))
    with opened(three, tmp_path / "page.html", width=1400, scheme="light") as tab:
        tab.wait_for_function(f"{PLOTS}.some(plot => plot._fullData)")  # what draws has been unpacked
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")  # drawn for paper at once
        expected = tab.evaluate(domains)
    with opened(three, tmp_path / "page.html", width=1400, scheme="light") as tab:
        scroll_through(tab)
        seen = tab.evaluate(domains)
        tab.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert tab.evaluate(domains) == expected != seen
        tab.evaluate("dispatchEvent(new Event('afterprint'))")
        assert tab.evaluate(domains) == seen


def test_a_table_lists_its_selected_rows(tmp_path):
    page = render(make_comparison(("VAE",), image_shape=None, labels=False, outliers=False))
    with opened(page, tmp_path / "page.html", width=1400, scheme="light") as tab:
        tab.evaluate("document.getElementById('maps').scrollIntoView({behavior: 'instant', block: 'center'})")
        tab.wait_for_function("document.getElementById('maps')._fullData?.length > 0")
        tab.evaluate("select([4, 7])")
        assert tab.locator(".selection li").all_inner_texts() == ["row 4", "row 7"]
