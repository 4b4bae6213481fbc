import csv
import io

import numpy as np
import pytest

from tests.explorer.spaces import HOSTILE, images, of_images, until
from tests.report.browser import needs_chromium, opened
from vaetools import LatentMap
from vaetools.explorer.rendering import render

pytestmark = needs_chromium

# the first channel of a canvas, read from a copy: the page's own is not made for it
PIXELS = """canvas => {
  const {width, height} = canvas, copy = Object.assign(document.createElement("canvas"), {width, height});
  const context = copy.getContext("2d", {willReadFrequently: true});
  context.drawImage(canvas, 0, 0);
  return [...context.getImageData(0, 0, width, height).data].filter((_, i) => i % 4 === 0);
}"""
# where a row lies in the window
PLACE = "row => explorer.stage.view.toScreen(...explorer.atlas.places.subarray(2 * row, 2 * row + 2))"
SELECTED = "[...document.querySelectorAll('#sheet .card')].map(card => Number(card.dataset.row))"


@pytest.fixture(scope="module")
def space():
    return of_images()


@pytest.fixture(scope="module")
def opened_page(space, tmp_path_factory):
    path = tmp_path_factory.mktemp("space") / "page.html"
    with opened(render(space[0]), path, width=1400, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        yield tab


@pytest.fixture
def tab(opened_page):
    """The page as it is at first, but still."""
    opened_page.evaluate("explorer.touched(), explorer.select(null), explorer.unpick(), explorer.unpin()")
    opened_page.evaluate("explorer.setLoops(false), explorer.useMap(null), explorer.fit()")
    opened_page.select_option("#coloring", "0")
    opened_page.select_option("#which-map", "made")
    opened_page.fill("#search", "")
    opened_page.mouse.move(30, 700)
    return opened_page


def seen(tab):
    """Wait until what was asked for is drawn."""
    until(tab, "!explorer.pending && !explorer.drawing")


def drag(tab, *places):
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=6)
    tab.mouse.up()


def loop_around(tab, rows):
    """Draw a loop around everything between some rows, and return who lies in it."""
    places = np.array([tab.evaluate(PLACE, row) for row in rows])
    (left, top), (right, bottom) = places.min(axis=0) - 3, places.max(axis=0) + 3
    tab.click("#loop")
    drag(tab, (left, top), (right, top), (right, bottom), (left, bottom))
    everyone = np.array([tab.evaluate(PLACE, row) for row in range(120)])
    inside = ((everyone > [left, top]) & (everyone < [right, bottom])).all(axis=1)
    return np.flatnonzero(inside).tolist()


def test_pointing_decodes_and_shows_the_row_there(tab, space):
    explorer, model = space
    tab.mouse.move(*tab.evaluate(PLACE, 7))
    seen(tab)
    assert tab.inner_text("#row-name") == "digits/7.png"
    facts = dict(line.split("\n") for line in tab.locator("#facts div").all_inner_texts())
    assert facts["label"] == "<b>7</b>"
    assert float(facts["score"].replace("−", "-")) == pytest.approx(explorer.numbers["score"][7], abs=0.06)
    code, made = tab.evaluate("[[...explorer.code], [...explorer.expected]]")
    np.testing.assert_allclose(made, model.inverse_transform([code])[0], atol=1 / 255)
    assert tab.locator("#glass").is_visible()
    np.testing.assert_allclose(
        tab.locator("#made").evaluate(PIXELS), 255 * model.inverse_transform([code])[0], atol=1
    )
    original = 255 * images()[0].to_numpy()[7]
    np.testing.assert_allclose(tab.locator("#real").evaluate(PIXELS), original, atol=60)  # compressed


def test_codes_of_a_place_are_weighted_and_off_the_map_it_says_so(tab, space):
    explorer, _ = space
    tab.mouse.move(1040, 60)
    tab.mouse.move(20, 790)
    seen(tab)
    assert tab.locator("#off").is_visible()
    assert "is-off" in tab.get_attribute("#glass", "class")
    row = 20
    found = tab.evaluate(
        "row => [...explorer.atlas.at(...explorer.atlas.places.subarray(2*row, 2*row+2)).code]", row
    )
    np.testing.assert_allclose(found, explorer.codes[row], atol=1e-3)


def test_off_is_what_latent_map_calls_so(tab, space):
    explorer, _ = space
    low, high = explorer.places.min(axis=0), explorer.places.max(axis=0)
    places = np.random.default_rng(0).uniform(low - 0.2 * (high - low), high + 0.2 * (high - low), (300, 2))
    known = LatentMap(method="pca").fit(explorer.places.astype(float)).off_map(places.astype(float))
    found = tab.evaluate("places => places.map(place => explorer.atlas.isOff(...place))", places.tolist())
    assert 30 < known.sum() < 270
    assert np.mean(np.array(found) == known) > 0.98  # but for the spacing of equal places


def test_a_loop_selects_what_lies_in_it_and_files_have_the_same(tab, space, tmp_path):
    explorer, _ = space
    inside = loop_around(tab, [0, 1, 2, 3, 10, 11])
    assert 6 <= len(inside) < 120
    assert sorted(tab.evaluate(SELECTED)) == inside
    assert tab.inner_text("#n-selected") == f"{len(inside)} of 120 rows"
    with tab.expect_download() as download:
        tab.click("#csv")
    content = download.value.path().read_bytes()
    assert b"caf\xe9.png" in content or 3 not in inside
    text = content.decode("utf-8", "surrogateescape")
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    by_row = {name: row for row, name in enumerate(explorer.names)}
    rows = [by_row[line["id"]] for line in table]
    assert sorted(rows) == inside
    codes = [[line["z1"], line["z2"], line["z3"]] for line in table]
    np.testing.assert_array_equal(np.array(codes, np.float32), explorer.codes[rows])
    scores = [line["score"] for line in table]
    np.testing.assert_array_equal(np.array(scores, np.float32), explorer.numbers["score"][rows])
    assert [line["label"] for line in table] == explorer.labels["label"][rows].tolist()
    with tab.expect_download() as download:
        tab.click("#list")
    names = download.value.path().read_bytes().decode("utf-8", "surrogateescape")
    assert names == "\n".join(explorer.names[rows]) + "\n"
    assert download.value.suggested_filename == "selection.txt"


def test_a_class_and_a_range_of_scores_select(tab, space):
    explorer, model = space
    tab.locator("#classes .chip").nth(3).click()
    threes = np.flatnonzero(explorer.labels["label"] == "<b>3</b>").tolist()
    assert sorted(tab.evaluate("explorer.selection")) == threes
    assert tab.inner_text("#counts").split() == ["<b>3</b>", str(len(threes))]
    tab.keyboard.press("Escape")
    assert not tab.locator("#tray").is_visible()
    scores = explorer.numbers["score"]
    tab.select_option("#coloring", label="score")
    middle = float(np.median(scores))
    tab.fill("#high", f"{middle:.3f}")
    tab.locator("#range button").click()
    assert sorted(tab.evaluate("explorer.selection")) == np.flatnonzero(scores <= middle + 5e-4).tolist()
    tab.click("#flagged")
    flagged = np.flatnonzero(model.predict(images()[0].to_numpy()) == -1).tolist()
    assert sorted(tab.evaluate("explorer.selection")) == flagged
    assert len(flagged) > 3
    sheet = tab.evaluate(SELECTED)
    assert sheet == sorted(sheet, key=lambda row: scores[row])


def test_the_mean_picture_and_what_differs_are_those_of_the_selection(tab, space):
    explorer, _ = space
    tab.locator("#classes .chip").nth(0).click()
    inside = explorer.labels["label"] == "<b>0</b>"
    expected = explorer.thumbnails[inside].mean(axis=0).ravel()
    np.testing.assert_allclose(tab.locator("#mean-in").evaluate(PIXELS), expected, atol=25)  # compressed
    assert np.abs(tab.locator("#mean-in").evaluate(PIXELS) - expected).mean() < 6
    varied = explorer.thumbnails.reshape(120, -1).astype(float)
    one, other = varied[inside], varied[~inside]
    spread, others = one.var(axis=0) + 64, other.var(axis=0) + 64
    nats = (
        spread / others - 1 - np.log(spread / others) + (one.mean(axis=0) - other.mean(axis=0)) ** 2 / others
    ) / 2
    told = float(tab.inner_text("#most-nats").split()[-2])
    assert told == pytest.approx(nats.max(), rel=0.5)  # compressed
    lines = [line.split("\t") for line in tab.locator("#typical tr").all_inner_texts()]
    score = explorer.numbers["score"]
    told = {name: numbers for name, *numbers in lines}
    one, other = score[inside], score[~inside]
    nats = 0.5 * (one.var() / other.var() - 1 - np.log(one.var() / other.var()))
    nats += 0.5 * (one.mean() - other.mean()) ** 2 / other.var()
    assert ("score" in told) == (nats > 0.05)
    if "score" in told:
        assert float(told["score"][2]) == pytest.approx(nats, rel=0.02)


def test_sliders_change_the_code_and_what_it_decodes_to(tab, space):
    _, model = space
    tab.mouse.move(*tab.evaluate(PLACE, 9))
    seen(tab)
    before = tab.evaluate("[...explorer.code]")
    slider = tab.locator("#sliders input").first
    component = int(slider.get_attribute("data-component"))
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    after, made = tab.evaluate("[[...explorer.code], [...explorer.expected]]")
    assert after[component] > before[component]
    kept = np.delete(np.arange(3), component)
    np.testing.assert_array_equal(np.array(after)[kept], np.array(before)[kept])
    np.testing.assert_allclose(made, model.inverse_transform([after])[0], atol=1 / 255)
    assert tab.locator("#unpin").is_visible()


def test_the_way_between_two_rows_starts_and_ends_at_them(tab, space):
    explorer, model = space
    rows = [12, 40]
    for row in rows:
        tab.evaluate("row => explorer.goTo(row)", row)
        seen(tab)
        tab.mouse.click(*tab.evaluate(PLACE, row))
    assert tab.evaluate("explorer.picked") == rows
    steps = tab.locator("#between button")
    assert steps.count() == 9
    line = np.linspace(explorer.codes[12], explorer.codes[40], 9)
    for i in (0, 4, 8):
        steps.nth(i).click()
        np.testing.assert_allclose(tab.evaluate("[...explorer.code]"), line[i], atol=1e-5)
        np.testing.assert_allclose(
            tab.evaluate("[...explorer.expected]"), model.inverse_transform(line[[i]])[0], atol=1 / 255
        )
    tab.click("#clear-picked")
    assert steps.count() == 0


def test_the_prior_is_drawn(tab, space):
    _, model = space
    tab.click("#draw")
    draws = tab.locator("#draws button")
    assert draws.count() == 12
    draws.nth(5).click()
    code, made = tab.evaluate("[[...explorer.code], [...explorer.expected]]")
    np.testing.assert_allclose(made, model.inverse_transform([code])[0], atol=1 / 255)


def test_rows_are_found_by_name(tab):
    tab.fill("#search", "ITS/11")
    assert tab.locator("#found button").all_inner_texts() == [
        f"digits/{i}.png" for i in (11, *range(110, 120))
    ]
    assert tab.evaluate("explorer.ringed") == [11, *range(110, 120)]
    tab.keyboard.press("Enter")
    seen(tab)
    assert tab.inner_text("#row-name") == "digits/11.png"
    width = tab.evaluate("explorer.stage.view.width - explorer.room().right")
    np.testing.assert_allclose(tab.evaluate(PLACE, 11), [width / 2, 450], atol=1)


def test_dragging_moves_the_map_and_the_wheel_grows_it_around_the_cursor(tab):
    before = np.array(tab.evaluate(PLACE, 5))
    drag(tab, (300, 300), (350, 260))
    np.testing.assert_allclose(tab.evaluate(PLACE, 5), before + np.array([50, -40]), atol=0.5)
    place = tab.evaluate("explorer.stage.view.toMap(400, 300)")
    tab.mouse.move(400, 300)
    tab.mouse.wheel(0, -400)
    until(tab, "explorer.stage.view.scale > 1.2 * explorer.stage.view.home")
    np.testing.assert_allclose(tab.evaluate("explorer.stage.view.toMap(400, 300)"), place, atol=1e-6)


def test_rows_are_never_lost_from_sight(tab):
    drag(tab, (300, 300), (900, 800))
    drag(tab, (300, 300), (900, 800))
    seen(tab)
    low, high = tab.evaluate("[explorer.atlas.grid.low, explorer.atlas.grid.high]")
    assert low[0] == pytest.approx(tab.evaluate("explorer.stage.view.x"))
    assert high[1] == pytest.approx(tab.evaluate("explorer.stage.view.y"))


def test_a_loop_around_nothing_selects_nothing(tab):
    tab.click("#loop")
    drag(tab, (4, 860), (12, 860), (12, 868))
    assert tab.evaluate("explorer.selection") is None
    assert not tab.locator("#tray").is_visible()


def test_keys_move_the_lens(tab):
    tab.locator("#stage").focus()
    tab.mouse.move(*tab.evaluate(PLACE, 5))
    seen(tab)
    before = tab.evaluate("explorer.place")
    tab.keyboard.press("ArrowRight")
    seen(tab)
    after = tab.evaluate("explorer.place")
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1], abs=1e-6)
    scale = tab.evaluate("explorer.stage.view.scale")
    tab.keyboard.press("+")
    assert tab.evaluate("explorer.stage.view.scale") == pytest.approx(1.4 * scale)


def test_two_latent_dimensions_become_the_map(tab, space):
    explorer, _ = space
    tab.select_option("#which-map", "latent")
    across, upwards = (int(tab.input_value(f"#{name}")) for name in ("across", "upwards"))
    assert [across, upwards] == explorer.in_use[:2].tolist()
    places = tab.evaluate("[...explorer.atlas.places]")
    np.testing.assert_allclose(np.reshape(places, (-1, 2)), explorer.codes[:, explorer.in_use[:2]])


def test_pictures_of_a_map_have_room_and_nobody_else_has(tab):
    rows, size = tab.evaluate("(({rows, size}) => [[...rows], size])(explorer.stage.pictured())")
    places = np.array([tab.evaluate(PLACE, row) for row in range(120)])
    apart = np.abs(places[:, None] - places[rows]).max(axis=2)
    assert 22 <= size < 84
    assert 10 < len(rows) < 120
    np.fill_diagonal(own := apart[rows], np.inf)
    assert own.min() >= size - 0.1
    others = np.setdiff1d(np.arange(120), rows)
    assert apart[others].min(axis=1).max() < size


def test_pictures_grow_where_few_rows_are_in_view(tab):
    tab.evaluate("explorer.goTo(7)")
    for _ in range(12):
        tab.keyboard.press("Escape")
        tab.evaluate("explorer.stage.view.zoom(1.6, 500, 450), explorer.moved()")
    seen(tab)
    assert tab.evaluate("explorer.stage.pictured().size") > 55


def test_hostile_names_are_text(tab):
    loop_around(tab, [0, 1, 2, 3, 4, 5])
    assert tab.title().startswith("vaetools explore: VAE")
    names = tab.locator("#sheet bdi").all_inner_texts()
    assert HOSTILE[0] in names
    assert "two\\nlines,\\u2028and \\x1b[2J a comma.png" in names
    assert "caf\\xe9.png" in names
    assert tab.locator("main b b, main script, #sheet img").count() == 0
