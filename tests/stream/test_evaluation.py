"""Test sets in folders, with masks: figures equal what the parts give, and what does not fit is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline

from tests.estimators.test_patch_detector import SIDE, detector, photographs, scratched
from vaetools import VAE, ImageReader, load, save, stream_scores
from vaetools.__main__ import main
from vaetools.anomaly.localization import Localization
from vaetools.anomaly.rates import excess_p_value, expected_rate
from vaetools.stream.evaluation import Evaluation


def write(folder: Path, rows: np.ndarray, ending: str = "") -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [str(folder / f"{i:02}{ending}.png") for i in range(len(rows))]
    for path, row in zip(paths, rows, strict=True):
        Image.fromarray(row.reshape(SIDE, SIDE).astype(np.uint8)).save(path)
    return paths


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A folder of train/good, test/good, test/scratch, test/dent, and masks of both."""
    folder = tmp_path_factory.mktemp("parts")
    write(folder / "train" / "good", photographs(100, 1))
    write(folder / "test" / "good", photographs(12, 2))
    for kind, seed, ending in (("scratch", 3, "_mask"), ("dent", 4, "")):
        rows, masks = scratched(8, seed)
        write(folder / "test" / kind, rows)
        write(folder / "ground_truth" / kind, masks.reshape(8, -1) * 255, ending)
    return folder


@pytest.fixture(scope="module")
def model(parts):
    paths = sorted(map(str, (parts / "train" / "good").iterdir()))
    return make_pipeline(ImageReader(n_jobs=1), detector()).fit(paths)


def evaluated(model, folder, truth=None) -> Evaluation:
    evaluation = Evaluation(model, folder, truth)
    stream_scores(model, folder).into(evaluation)
    return evaluation


def test_figures_are_those_of_scores_and_maps(parts, model):
    figures = evaluated(model, parts / "test").figures()
    good = photographs(12, 2)
    (scratch, first), (dent, second) = scratched(8, 3), scratched(8, 4)
    fitted = model[-1]
    scores = fitted.score_samples(np.concatenate([good, scratch, dent]))
    odd = np.arange(28) >= 12
    assert figures["n"] == 16
    assert figures["image_auroc"] == pytest.approx(roc_auc_score(odd, -scores))
    assert figures["average_precision"] == pytest.approx(average_precision_score(odd, -scores))
    flagged = scores < fitted.offset_
    assert figures["share_flagged"] == pytest.approx(flagged[odd].mean())
    n_calibration, n_flagged = len(fitted.calibration_scores_), int(flagged[~odd].sum())
    assert figures["good"] == {
        "n": 12,
        "share_flagged": pytest.approx(n_flagged / 12),
        "share_expected": expected_rate(n_calibration, 0.05),
        "p_value": excess_p_value(n_flagged, 12, n_calibration, 0.05),
    }
    found = Localization()
    for map_ in fitted.heat_maps(good):
        found.add(map_)
    for map_, mask in zip(fitted.heat_maps(scratch), first, strict=True):
        found.add(map_, mask)
    of_scratch = figures["kinds"]["scratch"]
    assert of_scratch["pixel_auroc"] == pytest.approx(found.pixel_auroc)
    assert of_scratch["aupro_30"] == pytest.approx(found.aupro(0.3))
    assert of_scratch["image_auroc"] == pytest.approx(roc_auc_score(odd[:20], -scores[:20]))
    for map_, mask in zip(fitted.heat_maps(dent), second, strict=True):
        found.add(map_, mask)
    assert figures["pixel_auroc"] == pytest.approx(found.pixel_auroc)
    assert list(figures["kinds"]) == ["dent", "scratch"]


def test_without_masks_there_are_no_figures_of_pixels(parts, model, tmp_path):
    write(tmp_path / "good", photographs(4, 2))
    write(tmp_path / "scratch", scratched(4, 3)[0])
    figures = evaluated(model, tmp_path).figures()
    assert figures["pixel_auroc"] is None
    assert figures["kinds"]["scratch"]["aupro_05"] is None


def test_masks_that_are_missing_or_do_not_fit_are_told(parts, model, tmp_path, monkeypatch):
    monkeypatch.setattr("vaetools.data.reader._BATCH_ROWS", 1)
    test = tmp_path / "test"
    write(test / "good", photographs(4, 2))
    rows, masks = scratched(6, 3)
    Path(write(test / "scratch", rows)[5]).write_text("no image")  # whose mask is no stray
    paths = write(tmp_path / "masks" / "scratch", masks.reshape(6, -1), "_mask")
    write(tmp_path / "masks" / "good", masks[:1].reshape(1, -1))
    Path(paths[0]).unlink()
    Image.new("L", (20, 10)).save(paths[1])
    Path(paths[2]).write_text("damaged")
    Image.new("L", (SIDE, SIDE)).save(paths[3])
    stray = write(tmp_path / "masks" / "dent", masks[:1].reshape(1, -1))
    evaluation = evaluated(model, test, tmp_path / "masks")
    assert evaluation.unmarked == [str(test / "scratch" / "00.png")]
    (misfit, why), (damaged, reason) = evaluation.failed
    assert (misfit, why) == (paths[1], "the mask is 20×10, and its image 48×48 (width × height)")
    assert damaged == paths[2]
    assert reason.startswith("not an image in a known format")
    assert evaluation.blank == [paths[3]]
    assert evaluation.strays == stray
    assert evaluation.figures()["pixel_auroc"] > 0.5


@pytest.fixture(scope="module")
def file(parts):
    """The file of a small model of whole images."""
    paths = sorted(map(str, (parts / "train" / "good").iterdir()))
    small = VAE(2, image_shape=(1, SIDE, SIDE), hidden_channels=(), max_iter=2, random_state=0)
    path = parts / "parts.safetensors"
    save(make_pipeline(ImageReader(n_jobs=1), small).fit(paths), path)
    return path


def test_more_false_alarms_than_calibration_allows_are_told(file, tmp_path, capsys):
    brighter = np.minimum(photographs(12, 2).astype(int) + 90, 255).astype(np.uint8)
    for kind, rows in {"good": brighter, "scratch": scratched(4, 3)[0]}.items():
        write(tmp_path / "test" / kind, rows)
    assert main(["evaluate", str(file), str(tmp_path / "test")]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "100.0 % of 12 good images are flagged; " in said
    assert "these are not alike: recalibrate with good images" in said
    assert "No masks, so no figures of pixels: name their folder by --truth." in said


def test_scores_and_their_page_tell_more_false_alarms_than_calibration_allows(file, tmp_path, capsys):
    brighter = np.minimum(photographs(12, 2).astype(int) + 90, 255).astype(np.uint8)
    for share, rows in {"odd": brighter, "usual": photographs(12, 2)}.items():
        write(tmp_path / share / "ok", rows)
        write(tmp_path / share / "scratch", scratched(4, 3)[0])
        page = tmp_path / f"{share}.html"
        files = ["-o", str(tmp_path / "scores.csv"), "--html", str(page)]
        for folder in (tmp_path / share, tmp_path / share / "ok"):  # of which one is itself good
            assert main(["score", str(file), str(folder), *files]) == 0
            said = " ".join(capsys.readouterr().err.split())
            for told in (said, " ".join(page.read_text().replace("\u00a0", " ").split())):
                assert ("100.0 % of 12 good images are flagged; " in told) == (share == "odd")


def test_why_there_are_no_figures_of_pixels_and_what_would_find_more_is_told(
    parts, file, tmp_path, monkeypatch, capsys
):
    n = len(load(file)[-1].calibration_scores_)
    assert 19 <= n < 39
    for kind in ("dent", "scratch"):
        write(tmp_path / kind, np.zeros((8, SIDE * SIDE)))
    figures = Evaluation.figures
    for flagged, is_told in ((0.3, True), (0.9, False)):
        found = {"image_auroc": 0.85, "share_flagged": flagged}
        monkeypatch.setattr(Evaluation, "figures", lambda self, found=found: figures(self) | found)
        assert main(["evaluate", str(file), str(parts / "test"), "--truth", str(tmp_path)]) == 0
        said = capsys.readouterr().err
        assert (f"of {n} the oddest is the threshold; 39 or more find more." in said) == is_told
        assert "No figures of pixels: no mask marks a defect of an image." in said
        assert f"Masks that mark nothing, though their images are of defects: {tmp_path}/dent/00.png" in said


def test_the_case_of_a_folder_does_not_matter(parts, model, tmp_path):
    write(tmp_path / "OK", photographs(4, 2))
    write(tmp_path / "Scratch", scratched(4, 3)[0])
    figures = evaluated(model, tmp_path).figures()
    assert figures["good"]["n"] == 4
    assert list(figures["kinds"]) == ["Scratch"]


def test_a_set_without_good_images_is_refused(parts, model, tmp_path):
    write(tmp_path / "scratch", scratched(4, 3)[0])
    with pytest.raises(ValueError, match=r"a sub-folder of images without defects, .* got scratch\.$"):
        evaluated(model, tmp_path).figures()


def test_of_a_whole_set_its_test_set_is_named(parts, model):
    with pytest.raises(ValueError, match=rf"got ground_truth, test, train\. Name {parts}/test\.$"):
        evaluated(model, parts).figures()


def test_the_command_prints_a_table_or_json(parts, file, capsys):
    assert main(["evaluate", str(file), str(parts / "test")]) == 0
    heading, _, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:5] == ["folder", "images", "AUROC", "AP", "flagged"]
    assert [line.split()[0] for line in lines] == ["dent", "scratch", "all", "good"]
    assert lines[2].startswith("all defects")
    assert lines[3].split()[1:5] == ["12", "–", "–", lines[3].split()[4]]
    truth = str(parts / "ground_truth")
    assert main(["evaluate", str(file), str(parts / "test"), "--truth", truth, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert 0 <= said["image_auroc"] <= 1
    assert 0 <= said["kinds"]["dent"]["aupro_05"] <= 1
    assert said["good"]["n"] == 12
    assert main(["evaluate", str(file), str(parts / "train")]) == 2
    assert "a sub-folder of images without defects" in capsys.readouterr().err
