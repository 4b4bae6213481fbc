import base64
import dataclasses
import io
import os

import numpy as np
import pytest
from PIL import Image

from tests.report.browser import Parsed, needs_chromium, opened
from vaetools.report.figures import bin_scores
from vaetools.report.page.gallery import (
    N_FAILED_SHOWN,
    Card,
    Gallery,
    Group,
    Scale,
    render_gallery,
    shown,
    summarize,
)
from vaetools.words import printable

HOSTILE = [
    "<script>alert('a & b')</script>.png",
    '"><img src=x onerror=alert(1)>.png',
    "two\nlines\u2028\x1b[2J.png",
    os.fsdecode(b"caf\xe9/\xff.png"),
    "\u202egnp.{{ 7 * 7 }}.png",
    "lot 7/" + "x" * 300 + ".png",
]


def make_gallery(n=6, image_shape=(1, 8, 8), **changes):
    """Return a gallery of n shown images out of 1,000, the first two of them flagged."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([np.linspace(-1234.5, 3.25, n), rng.normal(20, 3, 1000 - n)])
    paths = changes.pop("paths", [f"lot {i}/camera/{i}.png" for i in range(n)])
    cards = make_cards(paths, scores, image_shape, rng)
    fields = {
        "model": "VAE, 16 components",
        "source": "photos/<b>",
        "n_scored": 1000,
        "n_flagged": 61,
        "failed": [],
        "score_name": "reconstruction_kl",
        "unit": "nats",
        "threshold": -512.5,
        "false_alarm_rate": 0.05,
        "groups": [Group("", 1000, 61, cards)],
        "scale": Scale(("#fed976", "#fd8d3c", "#bd0026"), False),
        "histogram": bin_scores(scores, -512.5),
    }
    return Gallery(**fields | changes)


def make_cards(paths, scores, image_shape, rng):
    """Return cards of images of noise."""
    channels, height, width = image_shape
    n = len(paths)
    costs = zip(np.linspace(1300.25, 7.125, n), np.linspace(17.75, 4.5, n), strict=True)
    names = {"image": "{}", "reconstruction": "Reconstruction of {}", "what is odd": "What is odd about {}"}
    p_values = np.linspace(0.00084, 0.5, n)

    def noise(name):
        shape = (height, width, 3) if channels == 3 or name == "what is odd" else (height, width)
        return rng.integers(0, 256, shape, np.uint8)

    return [
        Card(
            path,
            [shown(name, noise(name), words.format(path)) for name, words in names.items()],
            score,
            score < -512.5,
            p_value,
            {"reconstruction": reconstruction, "KL": kl},
        )
        for path, score, p_value, (reconstruction, kl) in zip(paths, scores[:n], p_values, costs, strict=True)
    ]


def bare(card):
    """The card of a model that knows little."""
    return card._replace(pictures=card.pictures[:2], flagged=None, p_value=None, costs={})


def cards_of(page):
    """The words of every card, in order."""
    cards = page.split("<li>")[1:]
    return [Parsed(card.split("</li>")[0]).words for card in cards]


def pixels(address):
    kind, _, data = address.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_it_opens_with_the_verdict_in_plain_words():
    words = Parsed(render_gallery(make_gallery())).words
    assert "Of 1,000 images 61 were flagged; about 50 would be if all were normal." in words
    assert "below −512.5 nats" in words
    assert "VAE, 16 components" in words
    assert "photos/<b>" in words
    assert "58 more flagged images are not shown." in words
    assert "could not be read" not in words


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ({"n_flagged": 0}, "Of 1,000 images none was flagged; about 50 would be if all were normal."),
        ({"n_flagged": 1, "false_alarm_rate": None}, "Of 1,000 images 1 was flagged."),
        (
            {"n_scored": 12_345, "n_flagged": 2000},
            "Of 12,345 images 2,000 were flagged; about 617 would be if",
        ),
        ({"n_scored": 9, "n_flagged": 2}, "Of 9 images 2 were flagged; fewer than 1 would be if all"),
        ({"n_scored": 1, "n_flagged": 1}, "The only image was flagged; of normal images 5.0 % are."),
        ({"n_scored": 1, "n_flagged": 0, "false_alarm_rate": None}, "The only image was not flagged."),
        ({"selection": "selected so"}, "Of 1,000 images 61 were flagged; selected so."),
        ({"n_scored": 1, "n_flagged": 0, "selection": "none"}, "The only image was not flagged; none."),
        ({"n_flagged": None}, "1,000 images were scored. The model has no threshold, so it flags none."),
        ({"n_scored": 0, "n_flagged": 0}, "No image could be scored."),
    ],
)
def test_the_verdict_fits_the_numbers(changes, summary):
    assert summarize(make_gallery(**changes)).startswith(summary)


def test_cards_are_in_order_with_their_own_numbers():
    cards = cards_of(render_gallery(make_gallery()))
    assert len(cards) == 6
    assert cards[0] == (
        "1 flagged image reconstruction what is odd lot 0/camera/ 0.png score, nats −1,234 p-value 0.0008 "
        "reconstruction, nats 1,300 KL, nats 17.8"
    )
    assert cards[5] == (
        "6 not flagged image reconstruction what is odd lot 5/camera/ 5.png score, nats 3.25 p-value 0.500 "
        "reconstruction, nats 7.12 KL, nats 4.50"
    )
    assert [" flagged" in card and "not flagged" not in card for card in cards] == [True] * 3 + [False] * 3


def test_what_is_absent_is_not_shown():
    cards = [bare(card) for card in make_gallery().groups[0].cards]
    absent = dict.fromkeys(["histogram", "threshold", "n_flagged", "scale"])
    page = render_gallery(make_gallery(groups=[Group("", 1000, 0, cards)], **absent))
    parsed = Parsed(page)
    assert cards_of(page)[0] == "1 image reconstruction lot 0/camera/ 0.png score, nats −1,234"
    assert not parsed.all("svg")
    for words in ("p-value", "KL", "flagged below", "not flagged", "yellow", "By folder"):
        assert words not in parsed.words


def test_pictures_are_the_pixels_and_keep_their_size():
    rng = np.random.default_rng(0)
    gray, color = rng.integers(0, 256, (20, 30), np.uint8), rng.integers(0, 256, (5, 4, 3), np.uint8)
    card = Card("a.png", [shown("image", gray, "a.png"), shown("what is odd", color, "in colors")], -3.0)
    pictures = Parsed(render_gallery(make_gallery(groups=[Group("", 1, 0, [card])]))).all("img")
    assert [(p["width"], p["height"], p["alt"]) for p in pictures] == [
        ("30", "20", "a.png"),
        ("4", "5", "in colors"),
    ]
    assert np.array_equal(pixels(pictures[0]["src"]), gray)
    assert np.array_equal(pixels(pictures[1]["src"]), color)


def test_photographs_are_stored_with_a_loss():
    large = np.zeros((300, 200, 3), np.uint8)
    large[100:] = 200
    assert shown("image", large, "")["uri"].startswith("data:image/webp;base64")


def test_folders_are_told_apart_with_their_share():
    odd, rest = make_gallery().groups[0].cards[:3], make_gallery().groups[0].cards[3:]
    groups = [Group("crack<b>", 40, 30, odd, rest), Group("good", 9, 0, [])]
    page = render_gallery(make_gallery(groups=groups))
    parsed = Parsed(page)
    assert "folder images flagged crack<b> 40 30 good 9 0" in parsed.words
    assert "crack<b> 30 of 40 flagged, 75 %" in parsed.words.replace("\u00a0", " ")
    assert "The 3 oddest; 27 more flagged are not shown." in parsed.words
    assert "Not flagged: 10, of which these are the oddest" in parsed.words
    assert "good 0 of 9 flagged, 0 %" in parsed.words.replace("\u00a0", " ")
    assert "--share: 75.0%" in page
    assert {"#folder-1", "#folder-2"} <= set(parsed.addresses)
    assert {a["id"] for a in parsed.all("h2") if "id" in a} == {"folder-1", "folder-2"}
    numbers = [card.split()[0] for card in cards_of(page)]
    assert numbers == ["1", "2", "3"] * 2


@pytest.mark.parametrize(
    ("selection", "said"),
    [(None, "it is what flagged the image."), ("so", "it is what the model alone flags.")],
)
def test_of_a_detector_red_is_the_verdict(selection, said):
    scale = Scale(("#fed976", "#fd8d3c", "#bd0026"), True)
    words = Parsed(render_gallery(make_gallery(scale=scale, selection=selection))).words
    assert "Red is beyond the threshold: " + said in words
    assert "about 5.0 % of good ones are red somewhere" in words
    assert "did not expect" not in words


def test_what_is_flagged_reads_as_beyond_the_threshold():
    """Scores that two decimals do not tell from the threshold have more, and it has as many."""
    cards = [
        card._replace(score=score)
        for card, score in zip(make_gallery().groups[0].cards, [-8.754, -4.1632], strict=False)
    ]
    page = render_gallery(make_gallery(groups=[Group("", 6, 2, cards)], threshold=-4.1598))
    assert "below −4.160 nats" in Parsed(page).words
    assert ["−8.75" in card for card in cards_of(page)] == [True, False]
    assert "−4.163" in cards_of(page)[1]
    far = [card._replace(score=-9.0) for card in cards]
    assert (
        "below −4.16 nats"
        in Parsed(render_gallery(make_gallery(groups=[Group("", 6, 2, far)], threshold=-4.1598))).words
    )


def test_it_says_what_decided_and_what_is_not_seen():
    cards = [card._replace(because="The <code> is far.") for card in make_gallery().groups[0].cards]
    caution = "Defects narrower than 4 pixels are missed."
    page = render_gallery(make_gallery(groups=[Group("", 6, 0, cards)], cautions=[caution]))
    assert "The <code> is far." in cards_of(page)[0]
    words = Parsed(page).words
    assert words.index(caution) < words.index("oddest first")  # on top


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.05, "about 5.0 % of normal images are red somewhere"),
        (None, "normal images are seldom red anywhere"),
    ],
)
def test_it_says_how_to_read_the_colors(rate, words):
    page = render_gallery(make_gallery(false_alarm_rate=rate))
    assert (
        "What is odd pixels that the model did not expect, from clear over yellow to red:"
        in Parsed(page).words
    )
    assert f"fixed in training: {words}" in Parsed(page).words
    assert "linear-gradient(to right, transparent, #fed976, #fd8d3c 75%, #bd0026 75%)" in page


@pytest.mark.parametrize(("side", "shown_as"), [(8, "pixels"), (128, "enlarged-pixels"), (256, "photograph")])
def test_only_small_images_are_shown_as_squares(side, shown_as):
    page = render_gallery(make_gallery(1, (1, side, side)))
    assert {image["class"] for image in Parsed(page).all("img")} == {shown_as}
    assert "img.pixels, [open] img.enlarged-pixels { image-rendering: pixelated; }" in page


def test_names_from_disk_do_no_harm():
    gallery = make_gallery(
        paths=HOSTILE,
        failed=[(path, f"reason of {path}") for path in HOSTILE],
        source=HOSTILE[0],
        model=HOSTILE[1],
        score_name=HOSTILE[2],
        unit=HOSTILE[3],
    )
    page = render_gallery(gallery)
    parsed = Parsed(page)
    assert page.encode("utf-8")
    assert not parsed.all("script")
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)
    assert len(parsed.all("img")) == 3 * len(HOSTILE)
    assert not {"\u202e", "\x1b", "\u2028"} & set(page)
    text = "".join(parsed.text)
    for path in HOSTILE:
        assert text.count(printable(path)) >= 3  # card, list, reason
        assert printable(path) in {image["alt"] for image in parsed.all("img")}


def test_nothing_is_fetched_and_nothing_runs():
    parsed = Parsed(render_gallery(make_gallery(failed=[("a.png", "broken")])))
    assert all(address.startswith(("data:", "#")) for address in parsed.addresses)
    assert "#failed" in parsed.addresses
    assert "failed" in {attributes.get("id") for attributes in parsed.all("h2")}
    assert not any(word in style for style in parsed.raw["style"] for word in ("url(", "@import"))
    assert parsed.policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not parsed.all("script")


def test_files_that_could_not_be_read_are_listed_at_the_end():
    failed = [(f"bad/{i}.png", f"reason {i}") for i in range(N_FAILED_SHOWN + 1234)]
    page = render_gallery(make_gallery(failed=failed))
    assert "1,334 files could not be read." in Parsed(page).words
    listed = cards_of(page)[6:]
    assert listed[:2] == ["bad/ 0.png reason 0", "bad/ 1.png reason 1"]
    assert len(listed) == N_FAILED_SHOWN
    assert "… and 1,234 more." in Parsed(page).words


def test_one_unreadable_file_is_one():
    words = Parsed(render_gallery(make_gallery(failed=[("a.png", "empty")]))).words
    assert "1 file could not be read." in words
    assert "more." not in words


def test_a_folder_without_a_readable_image_is_a_page_too():
    gallery = make_gallery(groups=[Group("", 0, 0, [])], n_scored=0, n_flagged=0, failed=[("a.png", "empty")])
    words = Parsed(render_gallery(dataclasses.replace(gallery, histogram=None))).words
    assert "No image could be scored." in words
    assert "oddest first" not in words
    assert "a.png empty" in words


def test_the_histogram_is_drawn_with_the_threshold():
    gallery = make_gallery(histogram=(np.array([3, 0, 7]), np.array([-2.0, -1, 0, 1])), threshold=-1.0)
    parsed = Parsed(render_gallery(gallery))
    assert [(bar["class"], bar["x"], bar["width"]) for bar in parsed.all("rect")] == [
        ("bar odd", "0.0%", "33.333%"),
        ("bar", "66.667%", "33.333%"),
    ]
    assert [line["x1"] for line in parsed.all("line") if line.get("class") == "limit"] == ["33.333%"]
    for words in ("−2.0 to −1.0 nats: 3", "◂ flagged below −1.00", "score in nats (higher = more normal)"):
        assert words in parsed.words
    assert "holds everything" not in parsed.words


def test_open_bins_are_explained():
    gallery = make_gallery(histogram=(np.array([3, 2, 7]), np.array([-np.inf, -1, 0, np.inf])))
    words = Parsed(render_gallery(gallery)).words
    assert "The first bar holds everything below −1.0." in words
    assert "The last bar holds everything from 0.0." in words


def test_a_hundred_images_make_a_small_page():
    page = render_gallery(make_gallery(100, (1, 64, 64)))  # noise, which no PNG can shrink
    assert len(page.encode()) < 3_000_000


@needs_chromium
@pytest.mark.parametrize(
    ("width", "scheme", "image_shape"), [(1400, "light", (3, 12, 16)), (400, "dark", (1, 300, 300))]
)
def test_a_browser_shows_it_and_the_keyboard_enlarges(tmp_path, width, scheme, image_shape):
    failed = [(path, path) for path in HOSTILE]
    page = render_gallery(
        make_gallery(image_shape=image_shape, paths=HOSTILE, failed=failed, source=HOSTILE[-1])
    )
    with opened(page, tmp_path / "page.html", width=width, scheme=scheme) as tab:
        before = tab.locator("img").nth(3).bounding_box()
        tab.locator("summary").first.focus()
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        after = tab.locator("img").nth(3).bounding_box()
        other = tab.locator("img").first.bounding_box()
        bars = tab.evaluate(
            "[...document.querySelectorAll('rect')].map(e => e.getBoundingClientRect().width)"
        )
    assert after["width"] > 2.5 * before["width"]
    assert other["width"] == pytest.approx(before["width"])
    assert len(bars) > 3
    assert min(bars) > 1


@needs_chromium
def test_tall_images_stay_within_the_window(tmp_path):
    page = render_gallery(make_gallery(2, (1, 640, 20)))
    with opened(page, tmp_path / "page.html", width=1400, scheme="light") as tab:
        assert tab.locator("img").first.bounding_box()["height"] < 300
        tab.locator("summary").first.press("Enter")
        assert 300 < tab.locator("img").first.bounding_box()["height"] <= 900


def test_it_says_that_p_values_are_the_least_there_are():
    said = "p = 0.007 is the least that 140 calibration rows can give"
    page = render_gallery(make_gallery(floor=said))
    assert said in Parsed(page).words
    assert said.replace("p = ", "p\u00a0=\u00a0") in page  # a line does not end within it
    assert "least that" not in Parsed(render_gallery(make_gallery())).words
