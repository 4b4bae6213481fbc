import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.explorer.spaces import images, of_images, of_mixed_table, of_table, until
from tests.report.browser import needs_chromium, opened
from vaetools import CVAE, VAE, explore
from vaetools.explorer.rendering import render

pytestmark = needs_chromium
# but for classes, which scroll sideways in a narrow window
WIDE = """[...document.querySelectorAll('main *:not(#classes *)')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)"""
CELLS = "lines => lines.map(line => [...line.children].map(cell => cell.innerText))"
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


def fingers(session, kind, *places):
    """Let fingers lie on some places of the window, or on none."""
    points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
    session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def test_one_finger_moves_the_lens_and_two_move_the_map(space, tmp_path):
    with opened(render(space[0]), tmp_path / "page.html", width=360, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        session = tab.context.new_cdp_session(tab)
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
        box = tab.locator("#stage").bounding_box()
        left, top = box["x"] + 100, box["y"] + 150
        fingers(session, "Start", (left, top))
        fingers(session, "Move", (left + 60, top + 40))
        until(tab, "!explorer.pending && !explorer.drawing && !explorer.wanderer.runs")
        expected = tab.evaluate("explorer.stage.view.toMap(160, 190)")
        np.testing.assert_allclose(tab.evaluate("explorer.place"), expected, atol=1e-6)
        fingers(session, "End")
        scale = tab.evaluate("explorer.stage.view.scale")
        ends = "explorer.atlas.grid.low[i] + explorer.atlas.grid.high[i]"  # what is there stays in sight
        x, y = tab.evaluate(f"explorer.stage.view.toScreen(...[0, 1].map(i => ({ends}) / 2))")
        middle = tab.evaluate(f"explorer.stage.view.toMap({x}, {y})")
        left, top = box["x"] + x, box["y"] + y
        fingers(session, "Start", (left - 30, top), (left + 30, top))
        fingers(session, "Move", (left - 60, top), (left + 60, top))
        until(tab, f"explorer.stage.view.scale > 1.5 * {scale}")
        fingers(session, "End")
        assert tab.evaluate("explorer.stage.view.scale") == pytest.approx(2 * scale)
        after = tab.evaluate(f"explorer.stage.view.toMap({x}, {y})")
        np.testing.assert_allclose(after, middle, atol=1e-6)
        assert tab.evaluate("scrollY") == 0  # the map keeps the page where it is


def test_it_moves_by_itself_until_somebody_is_there(space, tmp_path):
    with opened(render(space[0]), tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        first = tab.evaluate("explorer.place")
        row = tab.evaluate("explorer.atlas.grid.nearest(...explorer.wanderer.from, 1)[0].row")
        assert space[0].numbers["score"][row] > np.median(space[0].numbers["score"])  # what is known well
        until(tab, f"explorer.place[0] !== {first[0]}")
        assert tab.evaluate("explorer.wanderer.from.join() !== explorer.wanderer.to.join()")
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
        assert lines[0][0] == explorer.table.names[explorer.reasons["which"][11, 0]]
        assert sorted(line[0] for line in lines) == sorted(explorer.table.names)
        value = float(next(line[2] for line in lines if line[0] == "column a").replace("−", "-"))
        assert value == pytest.approx(X["a"].iloc[11], abs=6e-3)
        assert not tab.locator("#glass").is_visible()
        tab.evaluate("explorer.select([11])")
        assert ", expected " in tab.inner_text("#sheet small")


def test_categories_are_shown_by_name_and_missing_cells_as_such(tmp_path):
    explorer, _, X = of_mixed_table()
    with opened(render(explorer), tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(0)")
        lines = {name: rest for name, *rest in tab.locator("#columns tr").evaluate_all(CELLS)}
        assert lines["color"][1] == "</script>"
        assert lines["color"][0] in {"red", "blue"}
        assert tab.locator("#columns .odd").first.inner_text() == "</script>"
        tab.evaluate("explorer.goTo(10)")
        lines = {name: rest for name, *rest in tab.locator("#columns tr").evaluate_all(CELLS)}
        assert (lines["color"][1], lines["column score"][1]) == ("–", "–")
        assert lines["whole"][1] == str(X["whole"].iloc[10]).replace("-", "−") + ".00"
        tab.select_option("#coloring", label="color")
        assert tab.locator("#classes bdi").all_inner_texts() == ["–", "</script>", "blue", "red"]
        tab.locator("#classes .chip").nth(3).click()
        red = np.flatnonzero(X["color"] == "red").tolist()
        assert sorted(tab.evaluate("explorer.selection")) == red
        told = {name: rest for name, *rest in tab.locator("#typical tr").evaluate_all(CELLS)}
        assert "column score" in told
        with tab.expect_download() as download:
            tab.click("#csv")
        table = pd.read_csv(download.value.path(), keep_default_na=False)
        assert table["color"].tolist() == ["red"] * len(red)
        cells = X["score"].iloc[red].map(lambda value: "" if np.isnan(value) else value)
        found = [float(cell) if cell else "" for cell in table["column score"].astype(str)]
        np.testing.assert_array_equal([each == "" for each in found], cells == "")
        tab.select_option("#coloring", label="column score")
        tab.locator("#range button").click()  # all that have a value
        assert sorted(tab.evaluate("explorer.selection")) == np.flatnonzero(X["score"].notna()).tolist()


def test_what_is_typical_of_a_selection_may_be_a_category(tmp_path):
    explorer, _, X = of_mixed_table()
    with opened(render(explorer), tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.select_option("#coloring", label="is")
        high = np.flatnonzero(X["whole"] > 10)
        tab.evaluate("rows => (explorer.touched(), explorer.select(rows))", high.tolist())
        told = {name: rest for name, *rest in tab.locator("#typical tr").evaluate_all(CELLS)}
    colors = explorer.labels["color"]
    names = np.unique(colors)
    counts = [
        np.array([(some == each).sum() for each in names]) + 0.5
        for some in (colors[high], np.delete(colors, high))
    ]
    p, q = (each / each.sum() for each in counts)
    assert float(told["color"][2]) == pytest.approx((p * np.log(p / q)).sum(), rel=0.01)
    red = names.tolist().index("red")
    assert told["color"][:2] == [f"red {100 * each[red]:.0f}\xa0%" for each in (p, q)]


def test_a_long_name_of_a_column_leaves_room_for_numbers(tmp_path):
    wine = load_wine(as_frame=True).data
    explorer = explore(VAE(2, max_iter=3, random_state=0).fit(wine), wine, method="latent")
    with opened(render(explorer), tmp_path / "page.html", width=1300, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched()")
        widths = "row => (explorer.goTo(row), [panel.scrollWidth, panel.clientWidth])"
        for needed, there in (tab.evaluate(widths, row) for row in range(0, 178, 9)):
            assert needed == there


def test_a_long_label_to_decode_as_stays_in_the_panel(tmp_path):
    X, y = images(60)
    labels = np.where(y == y[0], "x" * 200, y)
    settings = {"image_shape": (1, 8, 8), "hidden_channels": (), "max_iter": 2, "random_state": 0}
    model = CVAE(3, **settings, contamination=0.1).fit(X.to_numpy(), labels)
    page = render(explore(model, X, labels, method="pca"))
    with opened(page, tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(0)")
        assert tab.locator("#label").is_visible()
        assert tab.evaluate("label.getBoundingClientRect().right <= innerWidth")


def test_numbers_of_a_file_have_no_digits_of_the_machine(tmp_path):
    explorer, _ = of_images()
    prices = np.full(120, 7, np.float32)
    prices[20:27] = [0.24, 11420.655, -3e-7, 1 / 3, 16777213, np.nan, np.inf]
    page = render(dataclasses.replace(explorer, labels={}, numbers={"price": prices}))
    with opened(page, tmp_path / "page.html", width=1000, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.select([20, 21, 22, 23, 24, 25, 26])")
        told = pd.read_csv(io.StringIO(tab.evaluate("explorer.tray.csv()")), dtype=str, keep_default_na=False)
    assert told["price"].tolist() == ["0.24", "11420.655", "-3e-7", "0.33333334", "16777213", "", "inf"]


def test_rows_without_labels_and_a_model_that_cannot_decode(tmp_path):
    explorer, _ = of_images()
    bare = dataclasses.replace(explorer, labels={}, numbers={}, decoder=None, thumbnails=None, flagged=None)
    with opened(render(bare), tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        tab.evaluate("explorer.touched(), explorer.goTo(9), explorer.select([1, 2])")
        assert tab.inner_text("#row-name") == "digits/9.png"
        assert not tab.locator("#make").is_visible()


def test_units_of_a_pipeline_are_those_of_its_rows(tmp_path):
    X = pd.DataFrame(np.random.default_rng(0).gamma(3, 1e4, size=(60, 3)), columns=list("abc"))
    pipeline = make_pipeline(StandardScaler(), VAE(2, max_iter=3, random_state=0, contamination=0.1)).fit(X)
    page = render(explore(pipeline, X, method="pca"))
    with opened(page, tmp_path / "page.html", width=1000, scheme="dark") as tab:
        tab.wait_for_selector("html.whole")
        codes = np.random.default_rng(0).normal(size=(200, 2))
        found = tab.evaluate("codes => codes.map(code => [...explorer.decoder.decode(code)])", codes.tolist())
    expected = pipeline[0].inverse_transform(pipeline[-1].inverse_transform(codes))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


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
