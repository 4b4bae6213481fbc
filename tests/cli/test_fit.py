import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaetools
from tests.data.pictures import write_gray
from vaetools.__main__ import main
from vaetools.files import read_model_file
from vaetools.nn.training import Trainer

QUICK = ["--max-iter", "1", "--set", "hidden_layer_sizes=8,"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_a_folder_becomes_a_pipeline_that_takes_paths(photos, photo_model):
    pipeline = vaetools.load(photo_model)
    images = vaetools.read_images(photos)
    reader, vae = pipeline
    assert reader.image_shape_ == vae.image_shape == (1, 8, 8)
    assert vae.n_components == 3
    assert (vae.verbose, reader.verbose) == (0, 0)
    expected = vaetools.VAE(3, image_shape=(1, 8, 8), max_iter=2, hidden_channels=(), random_state=0).fit(
        images.X
    )
    np.testing.assert_array_equal(pipeline.score_samples(images.paths), expected.score_samples(images.X))


def test_a_table_becomes_a_model_of_its_columns(orders, order_model):
    vae = vaetools.load(order_model)
    frame = pd.read_csv(orders)[["a", "b", "c"]]
    assert vae.feature_names_in_.tolist() == ["a", "b", "c"]
    expected = vaetools.VAE(max_iter=2, random_state=0).fit(frame)
    np.testing.assert_allclose(vae.score_samples(frame), expected.score_samples(frame), rtol=1e-12)


def test_it_says_what_it_understood_and_what_came_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = Path("in")
    folder.mkdir()
    for label, first in (("dark", 0), ("light", 50)):
        (folder / label).mkdir()
        write_gray(folder / label, 50, size=8, first=first)
    (folder / "dark" / "broken.png").write_bytes(b"x")
    (folder / "dark" / "notes.txt").write_bytes(b"x")
    path = "m.safetensors"
    assert run("fit", folder, "-o", path, "--set", "hidden_channels=()", *QUICK) == 1
    out, err = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 100
    low, high = (f(vaetools.read_images(folder).X) for f in (np.min, np.max))
    for words in (
        f"100 images from {folder}",
        "8 × 8 pixels (height × width), gray",
        f"{low} to {high} (uint8)",
        "8-bit pixels, divided by 255",
        "dark (50), light (50); only a cvae uses them",
        "1 that could not be read; 1 .txt",
        "nats on training rows",
        "nats on held-out rows",
        "m.safetensors: VAE of gray images of 8 × 8 pixels",
        "16 components",
        "1 epoch",
        "4.8 % of new normal images, from 20 calibration images",
    ):
        assert words in out, words
    assert "broken.png: not an image" in err


@pytest.mark.parametrize(
    ("name", "scaling"), [("gaussian", "to mean 0 and standard deviation 1"), ("bernoulli", "left as it is")]
)
def test_the_scaling_is_told_before_training(tmp_path, capsys, name, scaling):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).random((100, 4)))
    path = tmp_path / "m.safetensors"
    assert run("fit", tmp_path / "rows.npy", "-o", path, "--likelihood", name, *QUICK) == 0
    assert scaling in capsys.readouterr().out.split("Trained in")[0]
    kind = vaetools.load(path).input_scale_.kind
    assert kind == {"gaussian": "standardize", "bernoulli": "unit"}[name]


def test_pixels_are_standardized_where_that_is_asked_for(photos, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    options = ["-o", path, *QUICK, "--set", "standardize=True"]
    assert run("fit", photos, *options) == 0
    words = "8-bit pixels, divided by 255, then every column to mean 0 and standard deviation 1"
    assert capsys.readouterr().out.count(words) == 2  # before training, and of the model
    assert vaetools.load(path)[-1].input_scale_.kind == "standardized_pixels"
    assert run("sample", path, "-o", tmp_path / "drawn.png") == 0
    assert "have no fixed range" not in capsys.readouterr().err
    assert run("fit", photos, *options, "--likelihood", "bernoulli") == 2
    assert "Leave standardize out, or choose --likelihood gaussian." in capsys.readouterr().err


def test_options_reach_the_model(orders, tmp_path):
    path = tmp_path / "m.safetensors"
    options = [
        "--model",
        "ae",
        "--n-components",
        "2",
        "--contamination",
        "0.1",
        "--score-precision",
        "float32",
    ]
    options += ["--set", "input_noise=0.5", "--set", "activation=relu", "--set", "hidden_layer_sizes=(9, 7)"]
    options += ["--seed", "3", "--drop", "c", "--drop", "order", "--max-iter", "1", "--device", "cpu", "-q"]
    assert run("fit", orders, "-o", path, *options) == 0
    ae = vaetools.load(path)
    assert type(ae) is vaetools.AE
    assert ae.feature_names_in_.tolist() == ["a", "b"]
    expected = {"n_components": 2, "contamination": 0.1, "score_precision": "float32", "input_noise": 0.5}
    expected |= {"activation": "relu", "hidden_layer_sizes": (9, 7), "random_state": 3, "device": "cpu"}
    assert {name: ae.get_params()[name] for name in expected} == expected


def test_the_recommended_score_of_images_decides(photos, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run("fit", photos, "-o", path, "-q", "--anomaly-score", "images", *QUICK) == 0
    pipeline = vaetools.load(path)
    assert run("score", path, photos, "-q", "-o", tmp_path / "scores.csv") == 0
    scores = pd.read_csv(tmp_path / "scores.csv")["score"]
    images = vaetools.read_images(photos)
    np.testing.assert_allclose(scores, pipeline.score_samples(images.paths), rtol=1e-9)
    assert pipeline[-1].anomaly_score_ == "images"
    capsys.readouterr()
    assert run("fit", photos, "-o", path, "--anomaly-score", "pictures", *QUICK) == 2
    assert "'pictures'" in capsys.readouterr().err


def test_a_cvae_takes_its_labels_from_sub_folders_columns_and_files(tmp_path):
    for label, first in (("good", 0), ("bad", 50)):
        (tmp_path / "in" / label).mkdir(parents=True)
        write_gray(tmp_path / "in" / label, 50, size=8, first=first)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["a", "b"])
    frame.assign(kind=["x", "y"] * 50).to_csv(tmp_path / "rows.csv", index=False)
    np.save(tmp_path / "rows.npy", frame.to_numpy())
    np.save(tmp_path / "labels.npy", np.arange(100) % 3)
    path = tmp_path / "m.safetensors"
    for data, more, classes in (
        ("in", ["--set", "hidden_channels=()"], ["bad", "good"]),
        ("rows.csv", ["--labels", "kind"], ["x", "y"]),
        ("rows.npy", ["--labels", tmp_path / "labels.npy"], [0, 1, 2]),
    ):
        assert run("fit", tmp_path / data, "-o", path, "--model", "cvae", "-q", *more, *QUICK) == 0
        model = vaetools.load(path)
        assert (model[-1] if data == "in" else model).classes_.tolist() == classes


def test_size_aspect_and_mode_travel_in_the_file(photos, tmp_path):
    path = tmp_path / "m.safetensors"
    options = ["--size", "4x6", "--aspect", "crop", "--mode", "rgb", "--cache", tmp_path / "rows.npy"]
    assert run("fit", photos, "-o", path, "-q", *options, *QUICK) == 0
    reader = vaetools.load(path)[0]
    assert (reader.image_shape_, reader.aspect) == ((3, 4, 6), "crop")
    assert np.load(tmp_path / "rows.npy").shape == (100, 72)


def test_json_is_all_that_is_printed(orders, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    assert run("fit", orders, "-o", path, "--json", "--id", "order", *QUICK) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    vae = vaetools.load(path)
    assert err == ""
    assert summary["threshold"] == vae.offset_
    assert summary["n_samples"] == vae.n_samples_ == 200
    assert summary["n_calibration"] == 40
    assert summary["mean_terms"]["train"]["kl"] == vae.mean_terms_.loc["train", "kl"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/no/such/folder", "-o", "m.safetensors"], "/no/such/folder: no such file or folder"),
        (["{photos}", "-o", "m.pt"], "must end in .safetensors; got 'm.pt'"),
        (["{photos}", "-o", "/no/such/m.safetensors"], "folder of '/no/such/m.safetensors' does not exist"),
        (["{photos}", "-o", "m.safetensors", "--checkpoint", "run.pt"], "must end in .ckpt; got 'run.pt'"),
        (
            ["{photos}", "-o", "m.safetensors", "--checkpoint", "/no/run.ckpt"],
            "'/no/run.ckpt' does not exist",
        ),
        (["{photos}"], "Missing option"),
        (["{photos}", "-o", "m.safetensors", "--model", "gan"], "'gan' is not one of"),
        (["{photos}", "-o", "m.safetensors", "--size", "0"], "got '0'"),
        (["{photos}", "-o", "m.safetensors", "--size", "4x4x4"], "got '4x4x4'"),
        (["{photos}", "-o", "m.safetensors", "--set", "beta"], "must be NAME=VALUE; got 'beta'"),
        (["{photos}", "-o", "m.safetensors", "--set", "gamma=1"], "no parameter 'gamma'"),
        (
            ["{photos}", "-o", "m.safetensors", "--likelihood", "mixed"],
            "--likelihood mixed is for tables (CSV, Parquet); got images",
        ),
        (["{photos}", "-o", "m.safetensors", "--set", "network=x"], "no parameter 'network'"),
        (["{photos}", "-o", "m.safetensors", "--set", "tol=-1"], "tol must be a number at least 0; got -1"),
        (["{photos}", "-o", "m.safetensors", "--contamination", "0.9"], "got 0.9"),
        (["{photos}", "-o", "m.safetensors", "--model", "cvae"], "a cvae needs labels"),
        (
            ["{photos}", "-o", "m.safetensors", "--labels", "a"],
            "take their labels from sub-folders; got --labels a",
        ),
        (
            ["{photos}", "-o", "m.safetensors", "--drop", "a"],
            "columns to drop or to take as ids need a table",
        ),
        (["{orders}", "-o", "m.safetensors"], "'order'"),
        (["{orders}", "-o", "{orders}"], "must end in .safetensors"),
        (
            ["{photos}", "-o", "m.safetensors", "--contamination", "0.1", "--false-alarm-rate", "0.1"],
            "give one",
        ),
        (["{orders}", "-o", "m.safetensors", "--drop", "order", "--size", "8"], "is for images; got"),
        (["{orders}", "-o", "m.safetensors", "--drop", "nothing"], "'nothing'"),
        (
            ["{orders}", "-o", "m.safetensors", "--id", "order", "--likelihood", "bernoulli"],
            r"must lie in [0, 1]",
        ),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(
    arguments, message, photos, orders, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    filled = [argument.format(photos=photos, orders=orders) for argument in arguments]
    assert main(["fit", *filled]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_the_old_model(orders, tmp_path, monkeypatch, capsys):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaetools.nn.training.Trainer.run", interrupt)
    assert run("fit", orders, "-o", path, "--id", "order", "-q") == 130
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["m.safetensors"]


def comparable(path):
    """What a model file says; the order of its entries is by chance."""
    header, arrays = read_model_file(path)
    return header, {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_ctrl_c_writes_what_was_learnt_and_the_command_goes_on(orders, tmp_path, monkeypatch, capsys):
    path, checkpoint, made = tmp_path / "m.safetensors", tmp_path / "run.ckpt", []
    command = ["fit", orders, "-o", path, "--id", "order", "-q", "--max-iter", "3", "--set", "batch_size=16"]
    assert run(*command) == 0
    expected = comparable(path)
    monkeypatch.setattr("vaetools.nn.training.SYNC_STEPS", 4)
    step = Trainer._train_step

    def interrupt(trainer, batch):
        made.append(trainer.step)
        if len(made) == 16:
            raise KeyboardInterrupt
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "_train_step", interrupt)
    assert run(*command, "--checkpoint", checkpoint) == 130
    out, err = capsys.readouterr()
    assert out == ""
    warning, said = err.splitlines()
    assert warning.startswith("vaetools: warning: VAE: interrupted in epoch 2 of 3: ")
    assert said == f"vaetools: interrupted; {path} holds what was learnt so far."
    assert len(vaetools.load(path).history_) == 1
    assert run(*command, "--checkpoint", checkpoint) == 0
    assert made[16] in (4, 8, 12)  # where a copy of the state was last due
    assert comparable(path) == expected
    assert run(*command, "--checkpoint", checkpoint, "--beta", "2") == 2
    assert "beta is 1 in the file and 2 now" in capsys.readouterr().err
    assert comparable(path) == expected


@pytest.mark.filterwarnings("default::UserWarning")
def test_warnings_are_lines_too(tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(12, 2)))
    assert run("fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", "--json", *QUICK) == 0
    out, err = capsys.readouterr()
    assert err.startswith(
        "vaetools: warning: VAE: --false-alarm-rate 0.05 takes 19 calibration rows; got 12. "
    )
    assert err.count("\n") == 1
    assert json.loads(out)["warnings"] == [err.removeprefix("vaetools: warning: ").strip()]


def test_learning_by_heart_is_told(tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(120, 20))  # nothing to learn but the rows themselves
    np.save(tmp_path / "rows.npy", rows)
    options = ["-o", tmp_path / "m.safetensors", "--n-components", "16", "--set", "learning_rate_init=0.01"]
    options += ["--set", "early_stopping=False"]
    for epochs, told in ((1, False), (800, True)):
        assert run("fit", tmp_path / "rows.npy", *options, "--max-iter", epochs) == 0
        out = capsys.readouterr().out
        assert ("learnt much of those by heart" in out) == told
    assert "--max-iter 200" in out
    assert max(map(len, out.splitlines())) <= 100 or str(tmp_path) in out


@pytest.mark.filterwarnings("ignore:.*latent dimensions are active:sklearn.exceptions.ConvergenceWarning")
def test_advice_on_rows_learnt_by_heart_fits_the_model(tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(120, 20)))
    command = ["fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", "--n-components", "16"]
    command += ["--max-iter", "800", "--set", "learning_rate_init=0.01", "--set"]
    assert run(*command, "input_noise=0.05", "--set", "early_stopping=False") == 0
    out = capsys.readouterr().out
    assert "Its\nthreshold holds all the same" in out
    assert "or --max-iter 200.\n" in out  # there is noise already
    watched = ["--set", "learning_rate=constant", "--set", "n_iter_no_change=800", "--set", "tol=0"]
    watched += ["--set", "learning_rate_init=0.01", "--contamination", "0.1", "--set", "batch_size=32"]
    assert run(*command[:5], "16", *watched, "--set", "early_stopping=True", "--max-iter", "60") == 0
    assert "holds all the same" not in capsys.readouterr().out  # training rows set it


def test_short_training_is_told(tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(200, 1)) * [1, 2, 3])
    command = ["fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", "--set", "batch_size=40"]
    for n, told in ((1, "Trained for 4 steps alone, which may teach"), (50, "")):
        assert run(*command, "--max-iter", n) == 0
        out = capsys.readouterr().out
        assert told in out
        assert ("Raise --max-iter" in out) == bool(told)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_short_training_on_few_rows_is_not_learning_by_heart(n, tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(n, 4)))
    assert run("fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", "--max-iter", 2) == 0
    out = capsys.readouterr().out
    assert "Trained for 2 steps alone, which may teach it nothing; hundreds are usual. Raise" in out
    assert "by heart" not in out
    assert "threshold holds" not in out
    assert ("higher is more normal; its threshold means nothing" in out) == (n == 1)
    assert ("flagged as odd below" in out) == (n > 1)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rows_learnt_by_heart_that_hardly_calibrate_promise_no_threshold(tmp_path, capsys):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(20, 20)))
    command = ["fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", "--n-components", "16"]
    for epochs, advice in (
        (799, "More rows may help, or --set input_noise=0.1."),  # a quarter would be called short
        (800, "More rows may help, or --max-iter 200, or --set input_noise=0.1."),
    ):
        options = ["--max-iter", epochs, "--set", "learning_rate_init=0.01", "--set", "calibration=split"]
        assert run(*command, *options) == 0
        out = capsys.readouterr().out
        assert f"learnt much of those by heart.\n{advice}\n" in out
        assert "Raise --max-iter" not in out


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (np.zeros((0, 4)), ""),
        (np.zeros((0, 8, 8), np.uint8), ""),
        (np.array([[0.0, np.nan], [1.0, np.inf]]), " (row 0: column 1 is nan)"),
    ],
    ids=["rows", "images", "gaps"],
)
def test_arrays_without_rows_are_refused_before_anything_is_said(rows, why, tmp_path, capsys):
    path = tmp_path / "rows.npy"
    np.save(path, rows)
    assert run("fit", path, "-o", tmp_path / "m.safetensors") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"vaetools: {path}: a model needs rows; got none that can be used{why}.\n"


@pytest.mark.filterwarnings("default::UserWarning")
def test_equal_images_are_warned_of(tmp_path, capsys):
    for i in range(100):
        Image.fromarray(np.full((8, 8), 128, np.uint8)).save(tmp_path / f"{i:03}.png")
    options = ["--set", "hidden_channels=()", "--set", "hidden_layer_sizes=8,", "--max-iter", "200"]
    assert run("fit", tmp_path, "-o", tmp_path / "m.safetensors", "-q", *options) == 0
    told = (
        "vaetools: warning: VAE: all of 72 training rows are the same: there is nothing to learn from them."
    )
    assert told in capsys.readouterr().err.splitlines()


def test_rows_that_are_not_finite_are_listed(tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(101, 3))
    rows[7, 1] = np.nan
    np.save(tmp_path / "rows.npy", rows)
    assert run("fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", *QUICK) == 1
    out, err = capsys.readouterr()
    assert "100 rows" in out
    assert "row 7: column 1 is nan" in err


def test_flat_rows_can_be_images(tmp_path):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).integers(0, 256, (100, 64), dtype=np.uint8))
    options = ["-q", "--set", "image_shape=1,8,8", "--set", "hidden_channels=()"]
    assert run("fit", tmp_path / "rows.npy", "-o", tmp_path / "m.safetensors", *options, *QUICK) == 0
    assert vaetools.load(tmp_path / "m.safetensors").image_shape == (1, 8, 8)


def test_images_are_read_as_the_shape_that_is_set(photos, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    shaped = ["fit", photos, "-o", model, "-q", "--set", "image_shape=1,4,4", "--set", "hidden_channels=()"]
    assert run(*shaped, *QUICK) == 0
    assert vaetools.load(model)[0].image_shape_ == vaetools.load(model)[1].image_shape == (1, 4, 4)
    assert run(*shaped, *QUICK, "--size", "8") == 2
    assert "image_shape says size and mode already" in capsys.readouterr().err


def test_an_image_shape_that_is_not_that_of_the_images_is_refused(tmp_path, capsys):
    np.save(tmp_path / "t.npy", np.random.default_rng(0).integers(0, 256, (100, 6, 6), dtype=np.uint8))
    options = ["-o", tmp_path / "m.safetensors", "--set", "image_shape=1,4,9"]
    assert run("fit", tmp_path / "t.npy", *options, *QUICK) == 2
    words = "Invalid value for --set: the shape must be that of the images, (1, 6, 6); got (1, 4, 9). Leave"
    assert words in capsys.readouterr().err


def test_suspects_are_named(tmp_path, capsys):
    rows = np.random.default_rng(0).normal(size=(300, 2))
    rows[[7, 250]] = [[9, 9], [30, 30]]
    frame = pd.DataFrame(rows, columns=["a", "b"]).assign(order=[f"no {i}" for i in range(300)])
    frame.loc[3, "a"] = np.nan  # a row that is lost does not shift the others
    frame.to_csv(tmp_path / "t.csv", index=False)
    np.save(tmp_path / "t.npy", rows)
    options = ["-o", tmp_path / "m.safetensors", "--set", "trimmed_fraction=0.1", "--max-iter", "20"]
    options += ["--contamination", "0.05", "--n-components", "1"]
    assert run("fit", tmp_path / "t.csv", *options, "--id", "order") == 1
    out = capsys.readouterr().out.splitlines()
    start = out.index("Left out of training, the least like the others first:")
    assert out[start + 1 : start + 3] == ["  no 250", "  no 7"]
    assert out[start + 21] == "  and 9 more, which -v or --json lists"
    assert run("fit", tmp_path / "t.csv", *options, "--drop", "order", "--json") == 1
    suspects = json.loads(capsys.readouterr().out)["suspects"]
    assert (len(suspects), suspects[:2]) == (29, [250, 7])
    assert run("fit", tmp_path / "t.npy", *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["suspects"][:2] == [250, 7]


def test_suspected_images_are_named_by_their_paths(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 50, size=(40, 8, 8))
    images = (np.arange(64).reshape(8, 8) * 3 + noise).astype(np.uint8)
    images[30] = images[30][::-1]
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i:04}.png")
    (tmp_path / "0003.png").write_bytes(b"broken")
    options = ["-o", tmp_path / "m.safetensors", "--set", "trimmed_fraction=0.05", *QUICK, "--json"]
    assert run("fit", tmp_path, *options, "--contamination", "0.05", "--set", "hidden_channels=()") == 1
    assert json.loads(capsys.readouterr().out)["suspects"] == [str(tmp_path / "0030.png")]


def test_advice_is_another_where_suspects_were_left_out(tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 1)) + rng.normal(size=(400, 4)) / 10
    rows[::20] += rng.normal(size=(20, 4)) * 30  # some of them are held out to calibrate
    pd.DataFrame(rows, columns=list("abcd")).to_csv(tmp_path / "t.csv", index=False)
    options = ["-o", tmp_path / "m.safetensors", "--max-iter", "60"]
    assert run("fit", tmp_path / "t.csv", *options, "--set", "trimmed_fraction=0.1") == 0
    out = capsys.readouterr().out
    assert "the threshold lies too low: give --contamination" in out
    assert "learnt much of those by heart" not in out
