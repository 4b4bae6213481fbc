import base64
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import vaetools.explorer
from tests.explorer.spaces import of_images, until
from tests.report.browser import Parsed, needs_chromium, opened
from vaetools.explorer.rendering import render

MODULE = Path(vaetools.explorer.__file__).with_name("page") / "widget.js"
# a notebook as the module sees it: a model with state, whose listeners hear of changes
NOTEBOOK = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><main></main>
<script type="application/json" id="state">STATE</script>
<script type="module">
const state = JSON.parse(document.getElementById("state").textContent), listeners = new Set();
globalThis.saved = [];
globalThis.notebook = {
  get: name => state[name],
  set(name, value) {
    state[name] = value;
    listeners.forEach(listener => listener());
  },
  on: (name, listener) => name === "change:selection" && listeners.add(listener),
  off: (name, listener) => listeners.delete(listener),
  save_changes: () => saved.push(state.selection),
};
const {default: widget} = await import("data:text/javascript;base64,MODULE");
globalThis.close = widget.render({model: notebook, el: document.querySelector("main")});
globalThis.listeners = listeners;
</script>"""


@pytest.fixture(scope="module")
def space():
    return of_images()[0]


@needs_chromium
def test_what_is_selected_in_the_page_and_in_python_is_the_same(space, tmp_path):
    state = {
        "page": render(space),
        "sandbox": "allow-scripts allow-downloads",
        "frame": "width:900px;height:700px",
        "selection": [],
    }
    text = json.dumps(state).replace("<", "\\u003c")
    module = base64.b64encode(MODULE.read_bytes()).decode()
    page = NOTEBOOK.replace("MODULE", module).replace("STATE", text)
    with opened(page, tmp_path / "notebook.html", width=1200, scheme="light") as tab:
        frame = tab.frame_locator("iframe")
        frame.locator("html.whole").wait_for()
        frame.locator("#classes .chip").nth(3).click()
        threes = np.flatnonzero(space.labels["label"] == "<b>3</b>").tolist()
        until(tab, "saved.length === 1")
        assert sorted(tab.evaluate("notebook.get('selection')")) == threes
        with tab.expect_download() as download:  # which a frame may do only if it is allowed to
            frame.locator("#list").click()
        assert len(download.value.path().read_bytes().splitlines()) >= len(threes)
        tab.evaluate("notebook.set('selection', [4, 8])")
        frame.get_by_text("2 of 120 rows").wait_for()
        assert tab.evaluate("saved.length") == 1  # what Python selected does not come back
        frame.locator("#clear").click()
        until(tab, "saved.length === 2")
        assert tab.evaluate("saved[1]") == []
        tab.evaluate("close()")
        assert tab.evaluate("listeners.size") == 0


def test_a_widget_hears_what_a_browser_says(space):
    pytest.importorskip("anywidget", reason="needs the extra notebooks")
    assert space.selection.tolist() == []
    update = {"method": "update", "state": {"selection": [3, 1]}, "buffer_paths": []}
    space._widget._handle_msg({"content": {"data": update}, "buffers": []})
    np.testing.assert_array_equal(space.selection, [3, 1])
    assert space.codes[space.selection].shape == (2, 3)
    space.select(np.array([7, 5]))
    assert space._widget.get_state()["selection"] == [7, 5]
    space.select([])
    assert len(space.selection) == 0
    with pytest.raises(ValueError, match=r"select: rows must be numbers from 0 to 119; got .120."):
        space.select([120])


def test_a_notebook_shows_a_widget_and_a_frame_for_all_others(space):
    pytest.importorskip("anywidget", reason="needs the extra notebooks")
    shown = space._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert shown["text/html"] == space._repr_html_()
    assert space._widget.page == render(space)


def test_without_anywidget_a_frame_is_shown_and_nothing_selected(monkeypatch):
    explorer, _ = of_images()
    find = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "anywidget" else find(name))
    assert set(explorer._repr_mimebundle_()) == {"text/plain", "text/html"}
    frame = Parsed(explorer._repr_html_()).all("iframe")[0]
    assert frame["sandbox"] == "allow-scripts allow-downloads"
    for ask in (lambda: explorer.selection, lambda: explorer.select([1])):
        with pytest.raises(ImportError, match=r"needs anywidget; pip install 'vaetools\[notebooks\]'"):
            ask()
