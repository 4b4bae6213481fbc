"""A disk that is full is found before the training, and where it fills up later nothing is lost."""

import errno
import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.cli.test_endings import shell
from vaetools import AE, VAE, Gaussian, load, save
from vaetools.__main__ import main
from vaetools.files import write_atomically
from vaetools.nn.training import Trainer
from vaetools.persistence.sizes import estimated_size

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def full(monkeypatch):
    """Let no file appear in some folders."""

    def fill(*folders):
        replace = os.replace

        def refuse(source, target):
            if Path(target).parent in folders:
                raise FULL
            replace(source, target)

        monkeypatch.setattr(os, "replace", refuse)

    return fill


@pytest.fixture
def fit(orders, tmp_path):
    """Fit a model of orders, with a folder for temporary files; return the status, and the model's path."""

    def run(*options):
        path = tmp_path / "orders.safetensors"
        arguments = ["fit", str(orders), "-o", str(path), "--id", "order", "--max-iter", "2", "-q"]
        return main([*arguments, *options]), path

    return run


def test_a_model_that_cannot_be_written_is_kept_elsewhere(fit, full, tmp_path, monkeypatch, capsys):
    spare = tmp_path / "spare"
    spare.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    full(tmp_path)
    status, path = fit()
    assert status == 2
    (kept,) = spare.glob("*/orders.safetensors")
    err = capsys.readouterr().err
    assert (
        f"could not be written: [Errno 28] No space left on device: '{path}'. It is kept as {kept}: " in err
    )
    assert load(kept).n_iter_ == 2
    assert sorted(os.listdir(tmp_path)) == ["spare"]


def test_a_model_that_can_be_written_nowhere_is_said_to_be_lost(fit, full, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: (_ for _ in ()).throw(FULL))
    full(tmp_path)
    assert fit()[0] == 2
    assert "nor anywhere else. With --checkpoint the same command would not train" in capsys.readouterr().err


@pytest.mark.parametrize(("free", "left"), [(100_000, "100.0 kB"), (1_010_000, "1.0 MB")])
def test_too_little_room_is_found_before_the_training(free, left, fit, monkeypatch, capsys):
    monkeypatch.setattr(Trainer, "run", lambda *_, **__: pytest.fail("it trains"))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    status, path = fit("--set", "hidden_layer_sizes=500,500")
    assert status == 2
    err = capsys.readouterr().err
    assert f"Invalid value for --output: '{path}' will take about" in err
    assert f"MB, and {left} are left there. Make room" in err


def test_results_need_room_too(order_model, orders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=9_000))
    assert main(["score", str(order_model), str(orders), "-o", str(tmp_path / "s.csv"), "--id", "order"]) == 2
    err = capsys.readouterr().err
    assert "s.csv' needs some room, and 9.0 kB are left there. Make room" in err
    assert "will take" not in err


def test_what_fits_is_written(fit, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=300_000))
    status, path = fit()
    assert status == 0
    assert path.stat().st_size < 300_000


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device. Make room, or name a file on another disk; the old file"),
        (errno.EDQUOT, "Disk quota exceeded. Make room, or name a file on another disk; the old file"),
        (errno.EROFS, "Read-only file system. Name a file in another folder; the old file"),
        (errno.EACCES, None),
    ],
)
def test_a_disk_that_fills_while_rows_are_scored(
    number, words, order_model, orders, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "scores.csv"
    output.write_text("old")
    reason = OSError(number, os.strerror(number))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(reason))
    assert main(["score", str(order_model), str(orders), "-o", str(output), "--id", "order", "-q"]) == 2
    err = capsys.readouterr().err
    expected = f"vaetools: {output} cannot be written: {words}, if any, is as it was.\n"
    assert err == (expected if words else f"vaetools: {reason}\n")
    assert (os.listdir(tmp_path), output.read_text()) == (["scores.csv"], "old")


def test_a_limit_on_files_names_the_file(order_model, orders, tmp_path):
    names = {"model": order_model, "rows": orders, "output": tmp_path / "scores.csv"}
    command = "ulimit -f 2; {vaetools} score {model} {rows} --id order -o {output}"
    status, _, err = shell(command, **names)
    assert status == 2
    assert err == (
        f"vaetools: {tmp_path / 'scores.csv'} cannot be written: File too large. Raise the limit on the size "
        "of files (ulimit -f); the old file, if any, is as it was.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device here")
def test_a_full_standard_output_is_named(order_model):
    status, _, err = shell("{vaetools} info {model} > /dev/full", model=order_model)
    assert (status, err) == (2, "vaetools: standard output: No space left on device.\n")


def test_other_errors_keep_what_they_say(tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        write_atomically(tmp_path / "none" / "a", b"x")


@pytest.mark.parametrize(
    ("model", "n_rows", "n_features"),
    [
        (VAE(), 300, 5),
        (AE(20, hidden_layer_sizes=(300, 100)), 1000, 60),
        (VAE(image_shape=(1, 16, 16)), 200, 256),
        (VAE(likelihood=Gaussian("predicted"), anomaly_score="tables"), 3000, 40),
        (VAE(8, anomaly_score="aggregate"), 3000, 10),
    ],
    ids=str,
)
def test_the_estimate_is_about_the_size(model, n_rows, n_features, tmp_path):
    X = np.random.default_rng(0).normal(size=(n_rows, n_features))
    save(model.set_params(max_iter=1, random_state=0).fit(X), tmp_path / "m.safetensors")
    size = (tmp_path / "m.safetensors").stat().st_size
    assert size <= estimated_size(model, n_rows, n_features) < 1.7 * size + 50_000


@pytest.mark.parametrize("is_new", [True, False])
def test_a_folder_is_written_whole_or_not_at_all(orders, order_model, tmp_path, monkeypatch, capsys, is_new):
    folder = tmp_path / "projector"
    if not is_new:
        folder.mkdir()
        (folder / "vectors.tsv").write_text("old")
    write = Path.write_bytes

    def fill(path, content):
        if "metadata" in path.name:
            raise FULL
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    assert main(["embed", str(order_model), str(orders), "--tsv", str(folder), "--id", "order"]) == 2
    assert f"{folder} cannot be written: No space left on device. Make room" in capsys.readouterr().err
    assert folder.exists() == (not is_new)
    if not is_new:
        assert os.listdir(folder) == ["vectors.tsv"]
        assert (folder / "vectors.tsv").read_text() == "old"
