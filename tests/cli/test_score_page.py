"""The page of ``score --html``: photographs from their files, by sub-folder, with what is odd about them."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from tests.estimators.test_patch_detector import SIDE, photographs, scratched
from tests.report.browser import Parsed, needs_chromium, opened
from tests.report.test_gallery import pixels
from tests.stream.test_evaluation import write
from vaetools import AE, VAE, ImageReader, PatchDetector, load, save
from vaetools.__main__ import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of train/good, test/good and test/scratch, and two models."""
    folder = tmp_path_factory.mktemp("parts")
    paths = write(folder / "train" / "good", photographs(95, 1))
    write(folder / "test" / "good", photographs(5, 2))
    write(folder / "test" / "scratch", np.concatenate([scratched(9, 3)[0], photographs(3, 5)]))
    small = AE(4, hidden_layer_sizes=(32,), max_iter=2, batch_size=256)
    places = {"scope": "places", "n_references": 50}
    detector = PatchDetector(small, image_shape=(1, SIDE, SIDE), random_state=0, **places)
    save(make_pipeline(ImageReader(n_jobs=1), detector).fit(paths), folder / "detector.safetensors")
    vae = VAE(2, image_shape=(1, SIDE, SIDE), hidden_channels=(), max_iter=2, random_state=0)
    save(make_pipeline(ImageReader(n_jobs=1), vae).fit(paths), folder / "whole.safetensors")
    return folder


def page_of(model, *data, tmp_path, options=()):
    path = tmp_path / "odd.html"
    arguments = [
        "score",
        str(model),
        *map(str, data),
        "-o",
        str(tmp_path / "s.csv"),
        "--html",
        str(path),
        "-q",
    ]
    assert main([*arguments, *options]) == 0
    return path.read_text()


def test_a_detector_shows_photographs_by_folder(folder, tmp_path):
    page = page_of(folder / "detector.safetensors", folder / "test", tmp_path=tmp_path)
    parsed = Parsed(page)
    model = load(folder / "detector.safetensors")
    paths = sorted(map(str, (folder / "test" / "scratch").iterdir()))
    scores, offset = model.score_samples(paths), model[-1].offset_
    n = int((scores < offset).sum())
    assert 0 < n < 12
    order = [os.path.basename(paths[i]) for i in np.argsort(scores)]
    words = parsed.words.replace("\u00a0", " ")
    assert f"scratch {n} of 12 flagged, {100 * n / 12:.0f} %" in words
    assert words.index("scratch 1") > 0
    section = words[words.index(f"scratch {n} of 12 flagged") : words.index(" of 5 flagged")]
    shown = [name for name in section.split() if name.endswith(".png")]
    n_missed = min(6, 12 - n)
    assert shown == order[: n + n_missed]
    assert f"Not flagged: {12 - n}" in section
    assert "Red is beyond the threshold: it is what flagged the image." in words
    assert "PatchDetector, patches by features of efficientnet-lite0, images of 48×48" in words
    good = words[words.index(" of 5 flagged") :]
    assert good.count("not flagged") == 0
    first = [image for image in parsed.all("img") if image["alt"].endswith(f"scratch/{order[0]}")]
    expected = np.asarray(Image.open(folder / "test" / "scratch" / order[0]))
    assert np.array_equal(pixels(first[0]["src"]), expected)


def test_a_folder_of_good_images_is_known_in_capitals_too(folder, tmp_path):
    shutil.copytree(folder / "test" / "good", tmp_path / "in" / "OK")
    shutil.copytree(folder / "test" / "scratch", tmp_path / "in" / "scratch")
    words = Parsed(page_of(folder / "whole.safetensors", tmp_path / "in", tmp_path=tmp_path)).words
    assert words.index("of 12 flagged") < words.index("of 5 flagged")
    assert "Not flagged: " not in words[words.index("of 5 flagged") :]


@pytest.mark.filterwarnings("ignore:ImageReader. images should be about as large:UserWarning")
def test_photographs_are_shown_larger_than_the_model_sees_them(folder, tmp_path):
    (tmp_path / "in").mkdir()
    for name, side in (("a.jpg", 100), ("b.png", 3000)):
        Image.fromarray(photographs(1, 4).reshape(SIDE, SIDE)).resize((side, side)).save(
            tmp_path / "in" / name
        )
    parsed = Parsed(page_of(folder / "whole.safetensors", tmp_path / "in", tmp_path=tmp_path))
    sizes = {image["alt"].replace(f"{tmp_path}/in/", ""): image["width"] for image in parsed.all("img")}
    assert sizes["a.jpg"] == "100"
    assert sizes["b.png"] == sizes["What is odd about b.png, in colors"] == "512"
    assert sizes["Reconstruction of a.jpg"] == sizes["Reconstruction of b.png"] == str(SIDE)
    assert "The 2 oddest images, oddest first" in parsed.words
    assert "By folder" not in parsed.words


@pytest.mark.filterwarnings("always:ImageReader. images should:UserWarning")
def test_what_is_warned_of_stands_on_the_page_and_small_defects_are_of_these_images(folder, tmp_path):
    named = tmp_path / "a <b> & c"
    named.mkdir()
    deep = photographs(4, 4).reshape(4, SIDE, SIDE).astype(np.uint16) * 257
    for i, image in enumerate(deep):
        Image.fromarray(image).resize((1200, 1000)).save(named / f"{i}.png")
    words = Parsed(page_of(folder / "whole.safetensors", named, tmp_path=tmp_path)).words
    assert "got 16 bits in 4 of 4 that were looked at" in words
    assert f"such as {named}/" in words
    assert "or their verdicts mean nothing." in words
    assert "of 48 × 48 pixels (height × width); got 1,000 × 1,200." in words
    assert "narrower than about 75 of 1,200 pixels." in words


def test_top_is_of_each_folder_and_a_selection_decides(folder, tmp_path):
    data = {"tmp_path": tmp_path, "options": ["--top", "2"]}
    page = page_of(folder / "whole.safetensors", folder / "test", **data)
    for section in page.split("<h2 ")[1:]:
        assert section.count("<header>") <= 2 + 4
    data["options"] = ["--fdr", "0.9", "--top", "30"]
    words = Parsed(page_of(folder / "detector.safetensors", folder / "test", **data)).words
    assert "it is what the model alone flags." in words
    n = int(words.split(" of 12 flagged")[0].split()[-1])
    section = words.split(" of 12 flagged")[1].split(" of 5 flagged")[0]
    assert section.count(" flagged image") - section.count("not flagged image") == n


def test_images_of_an_array_are_shown_from_the_array(folder, tmp_path):
    np.save(tmp_path / "X.npy", scratched(3, 3)[0])
    parsed = Parsed(page_of(folder / "whole.safetensors", tmp_path / "X.npy", tmp_path=tmp_path))
    alts = {image["alt"]: image["src"] for image in parsed.all("img")}
    assert np.array_equal(pixels(alts["1"]), scratched(3, 3)[0][1].reshape(SIDE, SIDE))


def test_it_says_which_question_decided_and_shows_no_other_map(folder, tmp_path):
    paths = sorted(map(str, (folder / "train" / "good").iterdir()))
    asks = VAE(2, anomaly_score="images", hidden_channels=(), image_shape=(1, SIDE, SIDE), max_iter=2)
    model = make_pipeline(ImageReader(n_jobs=1), asks.set_params(random_state=0)).fit(paths)
    save(model, tmp_path / "images.safetensors")
    page = page_of(tmp_path / "images.safetensors", folder / "train", tmp_path=tmp_path)
    n_maps = 0
    for card in page.split("<header>")[1:]:
        words = Parsed(card).words
        has_map = "What is odd about" in card
        n_maps += has_map
        assert ("Decided by structure" in words) == has_map
        assert ("so there is no map" in words) != has_map
    assert 0 < n_maps < page.count("<header>")


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (360, "dark")])
def test_a_browser_shows_folders(folder, tmp_path, width, scheme):
    page = page_of(folder / "detector.safetensors", folder / "test", tmp_path=tmp_path)
    with opened(page, tmp_path / "page.html", width=width, scheme=scheme) as tab:
        tab.locator("a", has_text="scratch").click()
        bar = tab.locator(".folders i").first.bounding_box()
    assert bar["width"] > 40
