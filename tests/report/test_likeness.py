import numpy as np
import pytest

from tests.report.browser import Parsed, needs_chromium, opened
from tests.report.test_gallery import HOSTILE, pixels
from vaetools.report.page.gallery import render_likeness
from vaetools.report.pictures import photo
from vaetools.words import printable


def make_likeness(n=12, image_shape=(1, 8, 8), **changes):
    """Return a page of a query and its n nearest images out of 1,000, and what stands on it."""
    rng = np.random.default_rng(0)
    fields = {
        "model": "VAE, 16 components",
        "source": "photos/<b>",
        "n_searched": 1000,
        "n_failed": 0,
        "image_shape": image_shape,
        "query": "ann.png",
        "query_image": rng.random(np.prod(image_shape)),
        "names": [f"lot {i}/{i}.png" for i in range(n)],
        "images": rng.random((n, np.prod(image_shape))),
        "distances": np.linspace(0, 2.34567, n),
    }
    fields |= changes
    return render_likeness(**fields), fields


@pytest.mark.parametrize("image_shape", [(1, 8, 8), (3, 6, 10)])
def test_query_and_hits_stand_in_order_with_their_distances(image_shape):
    page, fields = make_likeness(3, image_shape)
    parsed = Parsed(page)
    pictures = [pixels(image["src"]) for image in parsed.all("img")]
    expected = [fields["query_image"], *fields["images"]]
    for picture, row in zip(pictures, expected, strict=True):
        assert np.array_equal(picture, photo(row, image_shape))
    for words in (
        "query ann.png",
        "1 distance 0.00 lot 0/ 0.png",
        "2 distance 1.17 lot 1/",
        "3 distance 2.35",
        "1,000 compared",
    ):
        assert words in parsed.words
    assert "could not be read" not in parsed.words


def test_names_are_escaped():
    parsed = Parsed(make_likeness(6, names=HOSTILE, query=HOSTILE[1], source=HOSTILE[0])[0])
    assert not parsed.all("script")
    assert len(parsed.all("img")) == 7
    shown = parsed.words.replace(" ", "")
    for name in HOSTILE:
        assert printable(name).replace(" ", "") in shown
    assert all(address.startswith("data:") for address in parsed.addresses)


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_it_opens_in_a_browser(width, scheme, tmp_path):
    page, _ = make_likeness(6, names=HOSTILE)
    with opened(page, tmp_path / "page.html", width=width, scheme=scheme) as tab:
        assert tab.locator(".cards li").count() == 7
