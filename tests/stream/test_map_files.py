"""Maps as files: on every image, at its size, under its name; all of them, or none."""

from __future__ import annotations

import errno
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline

from tests.data.pictures import write_hostile
from tests.estimators.test_patch_detector import SIDE, detector, photographs, scratched
from tests.stream.test_evaluation import write
from vaetools import VAE, ImageReader, PatchDetector, save, stream_scores
from vaetools.__main__ import main
from vaetools.stream import Collected, MapFiles, Sink


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A folder of train/good, test/good and test/scratch."""
    folder = tmp_path_factory.mktemp("parts")
    write(folder / "train" / "good", photographs(100, 1))
    write(folder / "test" / "good", photographs(12, 2))
    write(folder / "test" / "scratch", scratched(8, 3)[0])
    return folder


@pytest.fixture(scope="module")
def model(parts):
    paths = sorted(map(str, (parts / "train" / "good").iterdir()))
    return make_pipeline(ImageReader(n_jobs=1), detector()).fit(paths)


@pytest.fixture(scope="module")
def whole_model(parts):
    """A model of whole images."""
    paths = sorted(map(str, (parts / "train" / "good").iterdir()))
    small = VAE(2, image_shape=(1, SIDE, SIDE), hidden_channels=(), max_iter=2, random_state=0)
    return make_pipeline(ImageReader(n_jobs=1), small).fit(paths)


@pytest.fixture
def saved(whole_model, tmp_path):
    save(whole_model, tmp_path / "whole.safetensors")
    return tmp_path / "whole.safetensors"


def files_below(folder):
    return sorted(
        os.path.relpath(os.path.join(top, file), folder)
        for top, _, files in os.walk(folder)
        for file in files
    )


def written(model, data, folder, root=None):
    maps = MapFiles(folder, model, root)
    tables = [part.table for part in stream_scores(model, data)]
    stream_scores(model, data).into(maps)
    return maps, tables[0]


def test_every_image_has_an_overlay_a_map_and_a_mask(parts, model, tmp_path):
    maps, table = written(model, parts / "test", tmp_path / "maps", parts / "test")
    names = [os.path.relpath(path, parts / "test")[:-4] for path in table["path"]]
    endings = [".png", ".tif", "_mask.png"]
    assert files_below(tmp_path / "maps") == sorted(name + ending for name in names for ending in endings)
    values = model[-1].heat_maps(model[:-1].transform(table["path"]))
    for name, score, expected, verdict in zip(names, table["score"], values, table["verdict"], strict=True):
        with Image.open(tmp_path / "maps" / f"{name}.tif") as raw:
            said, found = raw.tag_v2[270], np.asarray(raw)
        assert np.array_equal(found, expected)
        assert found.max() == -score
        assert said == f"std; odd beyond {-model[-1].offset_:.9g}"
        mask = np.asarray(Image.open(tmp_path / "maps" / f"{name}_mask.png"))
        assert np.array_equal(mask, np.where(found > -model[-1].offset_, 255, 0))
        assert mask.any() == (verdict == "odd")
        colors = np.asarray(Image.open(tmp_path / "maps" / f"{name}.png")).astype(int)
        is_red = colors[..., 0] > colors[..., 1] + 110
        assert np.array_equal(is_red, mask > 0)
    assert (table["verdict"] == "odd").sum() >= 6
    assert (maps.unit, maps.limit, maps.is_verdict) == ("std", -model[-1].offset_, True)
    assert maps.failed == []
    assert maps.renamed == {}


def test_maps_have_the_size_of_the_photograph(model, parts, tmp_path):
    large = Image.open(parts / "test" / "scratch" / "00.png").resize(
        (4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST
    )
    photograph = Image.new("L", (5 * SIDE, 4 * SIDE), 0)
    photograph.paste(large, (SIDE // 2, 0))
    (tmp_path / "in").mkdir()
    photograph.convert("RGB").save(tmp_path / "in" / "a.jpg", quality=95)
    with pytest.warns(UserWarning, match=r"about as large as .* 48 × 48 .* got 192 × 240"):
        _, table = written(model, tmp_path / "in", tmp_path / "maps", tmp_path / "in")
    mask = np.asarray(Image.open(tmp_path / "maps" / "a_mask.png"))
    assert mask.shape == (4 * SIDE, 5 * SIDE)
    assert mask.any() == (table["verdict"][0] == "odd")
    assert np.asarray(Image.open(tmp_path / "maps" / "a.png")).shape == (4 * SIDE, 5 * SIDE, 3)


def test_a_model_of_whole_images_has_no_masks(parts, whole_model, tmp_path):
    maps, _ = written(whole_model, parts / "test", tmp_path / "maps", parts / "test")
    assert len(files_below(tmp_path / "maps")) == 2 * 20
    assert (maps.unit, maps.is_verdict) == ("nats", False)
    paths = sorted(map(str, (parts / "test" / "good").iterdir()))
    explanation = whole_model[-1].explain(whole_model[:-1].transform(paths))
    overlay = np.asarray(Image.open(tmp_path / "maps" / "good" / "03.png")).astype(int)
    assert np.abs(overlay - explanation.overlays()[3]).max() <= 1


def test_of_several_questions_only_the_one_with_places_has_maps(parts, tmp_path, capsys):
    paths = sorted(map(str, (parts / "train" / "good").iterdir()))
    small = {"image_shape": (1, SIDE, SIDE), "hidden_channels": (), "max_iter": 2}
    asks = VAE(2, anomaly_score="images", random_state=0, **small)
    model = make_pipeline(ImageReader(n_jobs=1), asks).fit(paths)
    maps, table = written(model, parts / "train", tmp_path / "maps", parts / "train")
    explained = asks.explain(model[:-1].transform(table["path"]))
    decided = explained.question == "structure"
    assert 0 < decided.sum() < 100
    others = dict(zip(table["path"][~decided], explained.question[~decided], strict=True))
    assert maps.without == others
    assert len(files_below(tmp_path / "maps")) == 2 * decided.sum()
    assert maps.unit == "std²"
    old = os.path.relpath(table["path"][~decided].iloc[0], parts / "train")
    (tmp_path / "maps" / old).write_text("of another model")
    save(model, tmp_path / "images.safetensors")
    command = ["score", str(tmp_path / "images.safetensors"), str(parts / "train")]
    assert main([*command, "-o", str(tmp_path / "s.csv"), "--maps", str(tmp_path / "maps")]) == 0
    said = capsys.readouterr().err
    assert f"Without a map: {len(others)} of 100 images, decided by what has no place on an image (" in said
    assert f"{tmp_path / 'maps'}: 1 file of an earlier run about these images, such as {old}." in said
    assert not (tmp_path / "maps" / old).exists()


def test_names_that_collide_keep_their_extension(model, parts, tmp_path):
    (tmp_path / "in").mkdir()
    with Image.open(parts / "test" / "good" / "00.png") as image:
        for name in ("7.png", "7.jpg", "7_mask.png", "8.PNG", "8.png"):
            image.save(tmp_path / "in" / name)
    maps, table = written(model, tmp_path / "in", tmp_path / "maps", tmp_path / "in")
    names = {os.path.basename(path): name for path, name in maps.renamed.items()}
    assert len(files_below(tmp_path / "maps")) == 3 * 5
    _, *others = [os.path.basename(path) for path in table["path"] if "/7" in path]
    assert "7.png" in files_below(tmp_path / "maps")
    assert set(names) == {*others, "8.png"}
    assert names["7_mask.png"] == "7_mask.png.png"


def test_files_from_everywhere_and_rows_of_arrays_have_names(model, parts, tmp_path):
    paths = [str(parts / "test" / kind / "00.png") for kind in ("good", "scratch")]
    maps, _ = written(model, paths, tmp_path / "maps")
    assert [file for file in files_below(tmp_path / "maps") if file.endswith(".tif")] == [
        "00.png.tif",
        "00.tif",
    ]
    assert maps.renamed == {paths[1]: "00.png.png"}
    np.save(tmp_path / "X.npy", scratched(3, 3)[0])
    written(model[-1], tmp_path / "X.npy", tmp_path / "of array")
    assert [file for file in files_below(tmp_path / "of array") if file.endswith(".tif")] == [
        "0.tif",
        "1.tif",
        "2.tif",
    ]


def test_the_network_runs_once_for_scores_and_maps(model, parts, tmp_path, monkeypatch):
    n_images, run = [], PatchDetector.heat_maps
    monkeypatch.setattr(PatchDetector, "heat_maps", lambda self, X: n_images.append(len(X)) or run(self, X))
    monkeypatch.setattr(PatchDetector, "score_samples", lambda *_: pytest.fail("it runs again"))
    stream_scores(model, parts / "test").into(MapFiles(tmp_path / "maps", model), Collected(len))
    assert sum(n_images) == 20


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_a_full_disk_and_an_interruption_leave_nothing(fault, saved, parts, tmp_path, monkeypatch, capsys):
    write_image, calls = Image.Image.save, []

    def fail(self, file, *arguments, **options):
        calls.append(file)
        if len(calls) == 5:
            raise fault
        write_image(self, file, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", fail)
    files = [str(saved), str(parts / "test"), "-o", str(tmp_path / "s.csv"), "--maps", str(tmp_path / "maps")]
    status = main(["score", *files, "-q"])
    assert os.listdir(tmp_path) == ["whole.safetensors"]
    if isinstance(fault, OSError):
        assert status == 2
        assert f"{tmp_path}/maps cannot be written: No space left on device." in capsys.readouterr().err
    else:
        assert status == 130


def test_what_a_killed_process_left_is_removed(model, parts, tmp_path):
    for name in (".maps.01234567.tmp", ".other.01234567.tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "00.png").write_text("half")
    written(model, parts / "test" / "good", tmp_path / "maps")
    assert sorted(os.listdir(tmp_path)) == [".other.01234567.tmp", "maps"]


@pytest.mark.filterwarnings("ignore:ImageReader. images should have 8 bits:UserWarning")  # one has 16
def test_hostile_names_are_names_of_maps(saved, tmp_path, capsys):
    data = tmp_path / "in"
    data.mkdir()
    good, bad = write_hostile(data)
    long = "x" * 250 + ".png"
    shutil.copy(data / "good0.png", data / long)
    command = ["score", str(saved), str(data), "--maps", str(tmp_path / "maps"), "--json"]
    assert main(command) == 1
    said = json.loads(capsys.readouterr().out)
    maps = [name for name in files_below(tmp_path / "maps") if name.endswith(".tif")]
    assert len(maps) == len(good) + 1
    assert len(said["failed"]) == len(bad)


class Fails(Sink):
    """Takes nothing."""

    def add(self, part):
        raise OSError("enough")


@pytest.mark.parametrize("is_new", [True, False])
def test_all_files_appear_or_none(model, parts, tmp_path, is_new):
    folder = tmp_path / "maps"
    if not is_new:
        folder.mkdir()
        for name in ("00.png", "mine.txt"):
            (folder / name).write_text("old")
    with pytest.raises(OSError, match="enough"):
        stream_scores(model, parts / "test" / "good").into(MapFiles(folder, model), Fails())
    assert os.listdir(tmp_path) == ["maps"] * (not is_new)
    written(model, parts / "test" / "good", folder, parts / "test" / "good")
    assert os.listdir(tmp_path) == ["maps"]
    assert len(os.listdir(folder)) == 36 + (not is_new)
    if not is_new:
        assert (folder / "00.png").read_bytes()[:4] == b"\x89PNG"
        assert (folder / "mine.txt").read_text() == "old"


def test_photographs_are_not_written_over(model, parts, tmp_path):
    shutil.copytree(parts / "test" / "good", tmp_path / "in")
    paths = [str(tmp_path / "in" / "00.png")]
    before = (tmp_path / "in" / "00.png").read_bytes()
    with pytest.raises(
        ValueError, match=r"MapFiles: folder must not be one that images lie in, .*in/00\.png"
    ):
        stream_scores(model, paths).into(MapFiles(tmp_path / "in", model))
    assert (tmp_path / "in" / "00.png").read_bytes() == before
    assert len(os.listdir(tmp_path / "in")) == 12


def test_an_image_that_is_gone_is_told(model, parts, tmp_path):
    shutil.copytree(parts / "test" / "good", tmp_path / "in")

    class Removes(Sink):
        """Takes an image away between score and map."""

        def add(self, part):
            (tmp_path / "in" / "03.png").unlink()

    maps = MapFiles(tmp_path / "maps", model, tmp_path / "in")
    stream_scores(model, tmp_path / "in").into(Removes(), maps)
    assert maps.failed == [(str(tmp_path / "in" / "03.png"), "No such file or directory")]
    assert len(files_below(tmp_path / "maps")) == 33


def test_a_model_without_maps_is_refused(tmp_path):
    vae = VAE(max_iter=1, random_state=0).fit(np.random.default_rng(0).normal(size=(100, 3)))
    with pytest.raises(ValueError, match=r"model must be fitted on images, .* got a VAE of image_shape=None"):
        MapFiles(tmp_path / "maps", vae)


def test_the_command_writes_maps_and_says_so(saved, parts, tmp_path, capsys):
    folder = tmp_path / "maps"
    assert main(["score", str(saved), str(parts / "test"), "--maps", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["maps"]
    assert said["folder"] == str(folder)
    assert (said["unit"], said["is_verdict"], said["renamed"]) == ("nats", False, {})
    assert said["red_above"] > 0
    assert "scratch/00.png" in files_below(folder)
    files = [str(parts / "test" / kind / "00.png") for kind in ("good", "scratch")]
    assert main(["score", str(saved), *files, "--maps", str(tmp_path / "some"), "-q"]) == 0
    assert files_below(tmp_path / "some") == [
        "good/00.png",
        "good/00.tif",
        "scratch/00.png",
        "scratch/00.tif",
    ]


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("{data}/maps", "would be read as data from then on"),
        ("{data}", "would be read as data from then on"),
        ("{tmp}/none/maps", "does not exist"),
        ("{data}/..", "folder must not be one that images lie in"),
    ],
)
def test_a_folder_that_cannot_be_is_refused(folder, said, saved, parts, tmp_path, capsys):
    data = tmp_path / "some" / "photos"
    shutil.copytree(parts / "test" / "good", data)
    folder = folder.format(data=data, tmp=tmp_path)
    assert main(["score", str(saved), str(data), "--maps", folder]) == 2
    assert said in capsys.readouterr().err
    assert len(files_below(tmp_path)) == 13


def test_a_model_of_rows_writes_no_maps(tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(100, 3))
    save(VAE(max_iter=1, random_state=0).fit(rows), tmp_path / "rows.safetensors")
    np.save(tmp_path / "rows.npy", rows)
    arguments = ["score", str(tmp_path / "rows.safetensors"), str(tmp_path / "rows.npy")]
    assert main([*arguments, "--maps", str(tmp_path / "maps")]) == 2
    assert "--maps: needs a model of images" in capsys.readouterr().err


def test_a_file_of_an_earlier_version_gets_a_scale(tmp_path, parts, capsys):
    small = {"image_shape": (1, SIDE, SIDE), "hidden_channels": (), "max_iter": 2}
    asks = VAE(2, anomaly_score="images", random_state=0, **small).fit(photographs(100, 1))
    del asks.structure_range_
    save(asks, tmp_path / "old.safetensors")
    command = [
        "score",
        str(tmp_path / "old.safetensors"),
        str(parts / "test"),
        "--maps",
        str(tmp_path / "maps"),
    ]
    assert main(command) == 2
    assert "of an earlier version as it is: vaetools recalibrate sets one." in capsys.readouterr().err
    page = tmp_path / "odd.html"
    assert main([*command[:3], "--html", str(page), "--top", "20", "-q"]) == 0
    assert "Decided by " in page.read_text()
    assert "What is odd about" not in page.read_text()
    assert main(["evaluate", *command[1:3], "--truth", str(tmp_path)]) == 0
    good, new = str(parts / "train"), str(tmp_path / "new.safetensors")
    assert main(["recalibrate", str(tmp_path / "old.safetensors"), good, "-o", new, "-q"]) == 0
    assert main(["score", new, *command[2:], "-q"]) == 0


def test_a_name_that_no_file_can_have_is_told(model, parts, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(parts / "test" / "good" / "00.png", tmp_path / "in" / "00.png")
    long = tmp_path / "in" / ("x" * 249 + ".png")  # "_mask.png" makes it longer than 255
    shutil.copy(parts / "test" / "good" / "00.png", long)
    maps, _ = written(model, tmp_path / "in", tmp_path / "maps", tmp_path / "in")
    assert maps.failed == [(str(long), "no map can be called like it: File name too long")]
    assert files_below(tmp_path / "maps") == ["00.png", "00.tif", "00_mask.png"]


def test_what_an_earlier_run_wrote_about_these_images_goes(model, whole_model, parts, tmp_path):
    folder = tmp_path / "maps"
    shutil.copytree(parts / "test" / "scratch", tmp_path / "in" / "scratch")
    shutil.copytree(parts / "test" / "good", tmp_path / "in" / "good")
    written(model, tmp_path / "in", folder, tmp_path / "in")
    (folder / "good" / "03.jpg.png").write_text("another image's")
    (folder / "good" / "mine_mask.png").write_text("mine")
    (tmp_path / "in" / "good" / "00.png").unlink()
    (tmp_path / "in" / "scratch" / "07.png").write_text("no image")
    maps, _ = written(whole_model, tmp_path / "in", folder, tmp_path / "in")
    of_now = [f"good/{i:02}" for i in range(1, 12)] + [f"scratch/{i:02}" for i in range(7)]
    left = ["good/00.png", "good/00.tif", "good/00_mask.png", "good/03.jpg.png", "good/mine_mask.png"]
    assert files_below(folder) == sorted(
        [*left, *(name + ending for name in of_now for ending in (".png", ".tif"))]
    )
    gone = [f"scratch/07{ending}" for ending in (".png", ".tif", "_mask.png")]
    assert maps.removed == sorted([f"{name}_mask.png" for name in of_now] + gone)


def test_what_an_earlier_run_wrote_about_images_that_come_alone_goes_too(model, parts, tmp_path, monkeypatch):
    """Also where nothing of a part can be read, as where no image of it has a context."""
    monkeypatch.setattr("vaetools.data.reader._BATCH_ROWS", 1)
    folder, maps = tmp_path / "in", tmp_path / "maps"
    shutil.copytree(parts / "test" / "good", folder)
    written(model, folder, maps, folder)
    (folder / "03.png").write_text("no image")
    sink, _ = written(model, folder, maps, folder)
    assert sink.removed == [f"03{ending}" for ending in (".png", ".tif", "_mask.png")]
    assert not (maps / "03.tif").exists()


def test_a_name_that_no_file_can_have_stops_no_maps(model, parts, tmp_path):
    paths = [str(parts / "test" / "good" / "00.png"), "a\0b.png"]
    written(model, paths, tmp_path / "maps")
    assert files_below(tmp_path / "maps") == ["00.png", "00.tif", "00_mask.png"]


def test_an_image_that_cannot_be_read_must_not_lie_in_the_folder(model, parts, tmp_path):
    shutil.copytree(parts / "test" / "good", tmp_path / "maps")
    (tmp_path / "maps" / "00.png").write_text("no image")
    paths = [str(parts / "test" / "good" / "01.png"), str(tmp_path / "maps" / "00.png")]
    with pytest.raises(ValueError, match="folder must not be one that images lie in"):
        stream_scores(model, paths).into(MapFiles(tmp_path / "maps", model))
    assert len(files_below(tmp_path / "maps")) == 12
