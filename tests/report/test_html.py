import dataclasses
import json

import numpy as np
import pytest

from tests.report.browser import Parsed, needs_chromium, opened
from tests.report.demos import HOSTILE, UNKNOWN, make_demo
from vaetools.report.demo import N_SAMPLED
from vaetools.report.html import render, summarize


@pytest.fixture(scope="module")
def page():
    return render(make_demo())


@pytest.fixture(scope="module")
def parsed(page):
    return Parsed(page)


def test_nothing_is_fetched(parsed):
    assert parsed.addresses
    assert all(address.startswith("data:") for address in parsed.addresses)
    assert not any(word in style for style in parsed.raw["style"] for word in ("url(", "@import"))
    assert parsed.policy.startswith("default-src 'none'")


def test_labels_are_escaped_everywhere(page, parsed):
    assert HOSTILE not in page
    assert UNKNOWN not in page
    text = " ".join(parsed.text)
    assert HOSTILE in text  # and shown as they are
    assert UNKNOWN in text
    assert not parsed.all("b")
    # histogram, two maps, plotly.js and the page's own: no label has opened another
    assert len(parsed.all("script")) == 5


def test_figures_are_json_with_the_arrays_of_the_demo(parsed):
    figures = [
        json.loads(text)
        for attributes, text in zip(parsed.all("script"), parsed.raw["script"], strict=True)
        if attributes.get("type") == "application/json"
    ]
    assert [len(figure["data"]) for figure in figures] == [2, 3, 3]
    assert [figure["layout"]["title"]["text"] for figure in figures[1:]] == ["VAE", "CVAE"]


def test_plotly_is_there_once(page):
    assert page.count("plotly.js v") == 1


def test_images_have_words_and_hold_every_row(parsed):
    images = parsed.all("img")
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)
    # original and 2 models; 2 models x 2 rows of samples; 2 morphs; 3 odd ones
    assert len(images) == 3 + 4 + 2 + 3
    assert f"Samples of CVAE as a {HOSTILE}" in {image["alt"] for image in images}
    assert len(make_demo().views[0].samples) == 2 * N_SAMPLED


def test_the_numbers_of_the_demo_are_on_the_page(parsed):
    text = parsed.words
    for words in ("−31.2", "0.004", "0.020", "−35.5", "0.996", "6.2 %", "2 of these 3", "20.0 % are"):
        assert words in text
    assert text.count("not flagged") == 1


def test_the_summary_is_made_of_the_numbers():
    demo = make_demo()
    summary = summarize(demo)
    for words in ("1,234", f"ever saw a {UNKNOWN}", "99 times in 100", "PCA 80", "6.2 %", "75.0 %"):
        assert words in summary  # 0.996 is not rounded up to always
    perfect = dataclasses.replace(demo.table[0], auroc=1.0)
    assert "100 times in 100" in summarize(dataclasses.replace(demo, table=(perfect, *demo.table[1:])))


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_a_browser_draws_it_without_an_error_and_without_the_network(page, tmp_path, width, scheme):
    with opened(page, tmp_path / "page.html", width=width, scheme=scheme) as tab:
        tab.wait_for_function("document.querySelectorAll('.plot .main-svg').length >= 3")
        n_points = tab.evaluate("document.querySelectorAll('.scatterlayer .point').length")
        names = tab.evaluate("[...document.querySelectorAll('.legendtext')].map(e => e.textContent)")
        tab.emulate_media(color_scheme="light" if scheme == "dark" else "dark")  # redraws
    assert n_points == 2 * len(make_demo().mapped_labels)
    assert HOSTILE in names


def test_pictures_show_the_rows_that_they_are_named_after(monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "vaetools.report.html._strip",
        lambda demo, name, rows, alt, n: (
            shown.setdefault(alt, rows) is None or {"name": name, "uri": "", "alt": alt}
        ),
    )
    demo = make_demo()
    render(demo)
    vae, cvae = demo.views
    assert np.array_equal(shown["The same digits reconstructed by VAE"], vae.reconstructions)
    assert np.array_equal(shown["Samples of CVAE as a plain"], cvae.samples[N_SAMPLED:])
    assert np.array_equal(shown[f"A {HOSTILE} becomes a plain in CVAE"], cvae.morph)
