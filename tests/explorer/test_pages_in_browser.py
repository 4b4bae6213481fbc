import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_wine

from tests.explorer.spaces import images, of_images, of_table, until
from tests.report.browser import needs_chromium, opened
from vaetools import CVAE, VAE, explore
from vaetools.explorer.rendering import render

pytestmark = needs_chromium
# but for classes, which scroll sideways in a narrow window
WIDE = """[...document.querySelectorAll('main *:not(#classes *)')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)"""
MOVABLE = "['glass', 'glass-made']"  # hang over the edge of the map, which cuts them


@pytest.fixture(scope="module")
def space():
    return of_images()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (360, "light"), (1400, "dark")])
def test_it_fits_into_any_window_and_scheme(space, width, scheme, tmp_path):
    with opened(render(space[0]), tmp_path / "page.html", width=width, scheme=scheme) as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.select([1, 2, 3])")
        box = tab.locator("#stage").bounding_box()
        tab.mouse.move(box["x"] + 100, box["y"] + 150)
        until(tab, "!explorer.pending && !explorer.drawing")
        ground = tab.evaluate("[...explorer.stage.frame.context.getImageData(2, 2, 1, 1).data]")
        assert (max(ground[:3]) < 60) == (scheme == "dark")
        assert tab.locator("#tray").is_visible()
        assert tab.locator("#panel").is_visible()
        assert tab.evaluate(f"{WIDE}.map(e => e.id).filter(id => !{MOVABLE}.includes(id))") == []


def test_it_moves_by_itself_until_somebody_is_there(space, tmp_path):
    with opened(render(space[0]), tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        first = tab.evaluate("explorer.place")
        until(tab, f"explorer.place[0] !== {first[0]}")
        tab.mouse.move(200, 300)
        assert not tab.evaluate("explorer.wanderer.runs")


def test_a_label_is_a_control_of_a_conditional_model(tmp_path):
    X, y = images(hostile=False)
    settings = {"image_shape": (1, 8, 8), "hidden_channels": (), "max_iter": 8, "random_state": 0}
    model = CVAE(3, **settings, contamination=0.1).fit(X.to_numpy(), y)
    page = render(explore(model, X, y, method="pca"))
    with opened(page, tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(13)")
        code = tab.evaluate("[...explorer.code]")
        for chosen, label in (("auto", "3"), ("8", "8"), ("all", None)):
            tab.select_option("#label", chosen)
            expected = model.inverse_transform([code], *([] if label is None else [label]))[0]
            np.testing.assert_allclose(tab.evaluate("[...explorer.expected]"), expected, atol=1 / 255)


def test_a_table_shows_columns_and_which_are_odd(tmp_path):
    explorer, _, X = of_table()
    with opened(render(explorer), tmp_path / "page.html", width=1200, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(11)")
        lines = [line.split("\t") for line in tab.locator("#columns tr").all_inner_texts()]
        assert lines[0][0] == X.columns[explorer.reasons[0][11, 0]]
        assert sorted(line[0] for line in lines) == sorted(X.columns)
        value = float(next(line[2] for line in lines if line[0] == "a").replace("−", "-"))
        assert value == pytest.approx(X["a"].iloc[11], abs=6e-3)
        assert not tab.locator("#glass").is_visible()
        tab.evaluate("explorer.select([11])")
        assert ", expected " in tab.inner_text("#sheet small")


def test_a_long_name_of_a_column_leaves_room_for_numbers(tmp_path):
    wine = load_wine(as_frame=True).data
    explorer = explore(VAE(2, max_iter=3, random_state=0).fit(wine), wine, method="latent")
    with opened(render(explorer), tmp_path / "page.html", width=1300, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched()")
        widths = "row => (explorer.goTo(row), [panel.scrollWidth, panel.clientWidth])"
        for needed, there in (tab.evaluate(widths, row) for row in range(0, 178, 9)):
            assert needed == there


def test_rows_without_labels_and_a_model_that_cannot_decode(tmp_path):
    explorer, _ = of_images()
    bare = dataclasses.replace(explorer, labels={}, numbers={}, decoder=None, thumbnails=None, flagged=None)
    with opened(render(bare), tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(9), explorer.select([1, 2])")
        assert tab.inner_text("#row-name") == "digits/9.png"
        assert not tab.locator("#make").is_visible()


def test_rows_that_all_lie_in_one_place(tmp_path):
    explorer, _, _ = of_table()
    scores = explorer.numbers["score"].copy()
    scores[:3] = -np.inf
    lost = dataclasses.replace(
        explorer, places=np.zeros_like(explorer.places), numbers=explorer.numbers | {"score": scores}
    )
    with opened(render(lost), tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.fit(), explorer.select([4, 0])")
        assert tab.evaluate("Number.isFinite(explorer.stage.view.scale)")
        assert tab.locator("#sheet .card").evaluate_all("cards => cards.map(card => card.dataset.row)") == [
            "0",
            "4",
        ]
        tab.select_option("#coloring", label="score")
        assert tab.locator("#ends span").first.inner_text() == "−∞"
