"""Scoring with Ray: what comes out is what one process makes, also if workers die."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from torch import nn

from tests.data.pictures import encoded, noise, write_gray
from vaetools import AE, VAE, EncoderDecoder, ImageReader, read_images, save, score_with_ray, stream_scores
from vaetools.__main__ import main
from vaetools.data import addresses
from vaetools.data.addresses import Address, fetched, new_folder
from vaetools.data.batches import Failure
from vaetools.stream import pieces
from vaetools.stream import ray as scoring
from vaetools.stream.pieces import RowReader, find_files, plan

PIXELS = RowReader("images", None, None, 64)
QUICK = {"max_iter": 2, "hidden_layer_sizes": (16,), "random_state": 0}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # about its own code


@pytest.fixture(scope="module")
def cluster():
    """Ray on this machine, with two cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS")
        patch.setattr(scoring, "_LOCAL", scoring._LOCAL | {"num_cpus": 2})
        ray = scoring.import_ray()
        with scoring.connected(ray, None):
            yield ray


@pytest.fixture
def in_process(monkeypatch):
    """Let one worker do all of it here, without Ray."""

    def receipts(ray, pieces, worker, n_workers, resource):
        here = scoring.Worker(*worker)
        for piece in pieces:
            yield from scoring.unpacked(here(scoring.packed([piece])))

    monkeypatch.setattr(
        scoring, "import_ray", lambda: SimpleNamespace(cluster_resources=lambda: {"CPU": 2.0})
    )
    monkeypatch.setattr(scoring, "connected", lambda *arguments: contextlib.nullcontext())
    monkeypatch.setattr(scoring, "_receipts", receipts)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """100 gray images of 8×8, one of which is broken and one empty, and a file that is no image."""
    folder = tmp_path_factory.mktemp("photos")
    write_gray(folder, 100, size=8)
    (folder / "0007.png").write_bytes(b"broken")
    (folder / "0050.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def photo_model(photos):
    images = read_images(photos)
    vae = VAE(3, image_shape=(1, 8, 8), hidden_channels=(), **QUICK)
    return make_pipeline(ImageReader(size=8, mode="gray"), vae).fit(images.paths)


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    """200 rows of 3 named columns, one of them with a missing cell, in row groups of 30; and half of it."""
    folder = tmp_path_factory.mktemp("orders")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)) * [1, 100, 0.01], columns=["a", "b", "c"])
    frame = frame.assign(order=[f"no {i}" for i in range(200)])
    frame.loc[155, "b"] = np.nan
    frame.to_parquet(folder / "orders.parquet", row_group_size=30)
    (folder / "halves").mkdir()
    frame[:100].to_parquet(folder / "halves" / "1.parquet", row_group_size=30)
    frame[100:].to_parquet(folder / "halves" / "2.parquet")
    return folder


@pytest.fixture(scope="module")
def order_model(orders):
    frame = pd.read_parquet(orders / "orders.parquet").drop(index=155)
    return VAE(2, **QUICK).fit(frame[["c", "a", "b"]])


def found(data):
    """What kind of files are found, and where they are in their filesystem."""
    kind, listing = find_files(data)
    return kind, [path.path if isinstance(path, Address) else path for path in listing.paths]


def one_process(model, data, **options):
    """What `stream_scores` says, as one table, and what it could not read."""
    parts = list(stream_scores(model, data, **options))
    return pd.concat([part.table for part in parts], ignore_index=True), [f for p in parts for f in p.failed]


def assert_same(output, expected, scored):
    """The files hold the rows of one process, in their order."""
    table = pd.read_parquet(output)
    assert table.columns.tolist() == expected[0].columns.tolist()
    name = table.columns[0]
    assert table[name].tolist() == expected[0][name].tolist()
    assert table["verdict"].tolist() == expected[0]["verdict"].tolist()
    for column in ("score", "reconstruction", "kl", "p_value"):
        np.testing.assert_allclose(table[column], expected[0][column], rtol=1e-9)
    assert scored.n_scored == len(table)
    assert scored.n_odd == (table["verdict"] == "odd").sum()
    assert scored.failed == expected[1]


def test_a_folder_is_scored_as_by_one_process(cluster, photos, photo_model, tmp_path):
    output = tmp_path / "scores.parquet"
    scored = score_with_ray(photo_model, photos, output, n_workers=2)
    assert_same(output, one_process(photo_model, photos), scored)
    assert [name[-8:] for name, _ in scored.failed] == ["0007.png", "0050.png"]
    assert len(list(output.iterdir())) > 2
    assert os.listdir(tmp_path) == ["scores.parquet"]


@pytest.mark.parametrize("id_column", [None, "order"])
def test_a_table_too(in_process, orders, order_model, id_column, tmp_path):
    data, output = orders / "orders.parquet", tmp_path / "scores.parquet"
    scored = score_with_ray(order_model, data, output, id_column=id_column)
    assert_same(output, one_process(order_model, data, id_column=id_column), scored)
    assert scored.failed == [Failure(155, "column 'b' is missing")]


def test_a_table_of_several_kinds(in_process, orders, tmp_path):
    frame = pd.read_parquet(orders / "orders.parquet")[["a", "b"]]
    mixed = frame.assign(b=frame["b"] > 0, c=np.where(frame["a"] > 0, "up", None))
    data, output = tmp_path / "mixed.parquet", tmp_path / "scores.parquet"
    mixed.to_parquet(data, row_group_size=30)
    model = VAE(likelihood="mixed", **QUICK).fit(mixed)
    assert_same(output, one_process(model, data), score_with_ray(model, data, output))


def test_addresses_are_read_and_written(in_process, orders, order_model, photos, photo_model, tmp_path):
    table, archive = tmp_path / "table", tmp_path / "photos.zip"
    scored = score_with_ray(order_model, f"file://{orders}/halves", f"file://{table}")
    assert_same(table, one_process(order_model, orders / "orders.parquet"), scored)
    assert (table / "_SUCCESS").exists()
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(photos.iterdir()):
            file.write(path, f"some/{path.name}")
    scored = score_with_ray(photo_model, f"zip://some::{archive}", tmp_path / "images")
    expected, failed = one_process(photo_model, photos)
    expected["path"] = [f"zip://some/{Path(path).name}" for path in expected["path"]]
    failed = [Failure(f"zip://some/{Path(path).name}", reason) for path, reason in failed]
    assert_same(tmp_path / "images", (expected, failed), scored)


def kill_one():
    """End the youngest process of Ray that scores, as a machine that fails would."""
    workers = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may be over already
            if "MapWorker" in "".join(process.cmdline()):
                workers[process.create_time()] = process.pid
    os.kill(workers[max(workers)], signal.SIGKILL)


def test_a_killed_worker_costs_no_row_and_repeats_none(cluster, order_model, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(30_000, 3)), columns=["a", "b", "c"])
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=200)
    output, killed = tmp_path / "scores.parquet", []

    def kill_later():
        while not (parts := list(tmp_path.glob(".scores.parquet.*.tmp/part-*"))):
            time.sleep(0.001)
        kill_one()
        killed.append(len(parts))

    killer = threading.Thread(target=kill_later, daemon=True)
    killer.start()
    scored = score_with_ray(order_model, tmp_path / "rows.parquet", output, n_workers=2)
    killer.join()
    assert 0 < killed[0] < len(list(output.iterdir())) / 2
    assert_same(output, one_process(order_model, tmp_path / "rows.parquet"), scored)
    assert pd.read_parquet(output)["row"].tolist() == list(range(30_000))


def test_a_worker_that_always_dies_is_given_up(cluster, order_model, orders, tmp_path, monkeypatch):
    class Deadly:
        def __init__(self, *work):
            pass

        def __call__(self, table):
            os._exit(1)

    monkeypatch.setattr(cluster.data.DataContext.get_current(), "execution_no_progress_timeout_s", 2)
    monkeypatch.setattr(scoring, "Worker", Deadly)
    with pytest.raises(Exception, match="made no progress for at least 2s"):
        score_with_ray(order_model, orders / "orders.parquet", tmp_path / "scores", n_workers=1)
    assert os.listdir(tmp_path) == []


def test_a_piece_that_is_scored_again_replaces_its_file(photos, photo_model, tmp_path):
    from pyarrow.fs import LocalFileSystem

    work, _ = plan(find_files(photos)[1].paths, PIXELS, 1)
    model = scoring._model_bytes(photo_model)
    piece = scoring.packed(work[:1])
    receipts, contents = [], []
    for _ in range(2):
        worker = scoring.Worker(model, "cpu", PIXELS, LocalFileSystem(), str(tmp_path))
        receipts.append(scoring.unpacked(worker(piece)))
        contents.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert receipts[0] == receipts[1]
    assert contents[0] == contents[1]
    assert list(contents[0]) == ["part-000000000000.parquet"]


def test_the_command_sums_up_as_json(in_process, photos, photo_model, tmp_path, capsys):
    save(photo_model, tmp_path / "m.safetensors")
    output = tmp_path / "s.parquet"
    arguments = ["score", tmp_path / "m.safetensors", photos, "-o", output, "--engine", "ray", "--json"]
    assert main([str(argument) for argument in arguments]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_scored"], summary["n_failed"], summary["output"]) == (98, 2, str(output))
    assert summary["ignored"] == {".txt": 1}
    assert summary["folders"] == {}  # there is no sub-folder
    assert summary["n_odd"] == (pd.read_parquet(output)["verdict"] == "odd").sum()
    arguments[4:5] = [tmp_path / "some.parquet", "--exclude", "*[5-9].png"]
    assert main([str(argument) for argument in arguments]) == 1  # of the broken ones the empty is left
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_scored"], summary["n_failed"]) == (49, 1)
    assert summary["ignored"] == {"excluded": 50, ".txt": 1}


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    """24 images of 12 bits in 16, half of them black, in two sub-folders, one deeper, and beside them."""
    folder = tmp_path_factory.mktemp("deep")
    rng = np.random.default_rng(0)
    for number, place in enumerate((".", "good", "bad", "bad/more")):
        (folder / place).mkdir(exist_ok=True)
        for i in range(6):
            levels = rng.integers(0, 4096, (8, 8), dtype=np.uint16) * (number < 2)
            Image.fromarray(levels).save(folder / place / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def deep_model(deep):
    images = read_images(deep)
    rows = np.random.default_rng(1).integers(0, 4096, (100, 64), dtype=np.uint16)
    vae = VAE(3, image_shape=(1, 8, 8), hidden_channels=(), **QUICK).fit(rows)
    assert images.reader.dtype_ == "uint16"
    return make_pipeline(images.reader, vae)


def test_images_of_16_bits_are_scored_as_by_one_process(cluster, deep, deep_model, tmp_path):
    scored = score_with_ray(deep_model, deep, tmp_path / "s.parquet", n_workers=2)
    expected = one_process(deep_model, deep)
    assert_same(tmp_path / "s.parquet", expected, scored)
    assert len(set(expected[0]["score"])) == 13  # the black ones are alike, and no others
    assert {name: counts.total() for name, counts in scored.folders.items()} == {".": 6, "bad": 12, "good": 6}


@pytest.mark.parametrize("address", ["", "file://"])
def test_sub_folders_are_counted_as_by_one_process(address, in_process, deep, deep_model, tmp_path, capsys):
    save(deep_model, tmp_path / "m.safetensors")
    start = ["score", str(tmp_path / "m.safetensors")]
    with_ray = ["--engine", "ray", "-o", str(tmp_path / "s.parquet")]
    assert main([*start, str(deep), "--json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    assert {name: count["n_scored"] for name, count in expected["folders"].items()} == {
        ".": 6,
        "bad": 12,
        "good": 6,
    }
    assert main([*start, f"{address}{deep}", *with_ray, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folders"], told["n_odd"]) == (expected["folders"], expected["n_odd"])
    shutil.rmtree(tmp_path / "s.parquet")
    assert main([*start, f"{address}{deep}", *with_ray]) == 0
    assert "folder  scored  flagged\n" in capsys.readouterr().err
    paths = sorted(f"{address}{path}" for path in deep.glob("*.png"))
    assert main([*start, *paths, *with_ray[:-1], str(tmp_path / "some.parquet"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folders"] == {}


def test_workers_have_a_thread_per_core(cluster):
    class Threads:
        def __call__(self, batch):
            import torch

            return {"n": np.array([torch.get_num_threads()])}

    data = cluster.data.range(1)
    data = data.map_batches(Threads, compute=cluster.data.ActorPoolStrategy(size=1), num_cpus=1)
    assert data.take_all() == [{"n": 1}]


@pytest.mark.filterwarnings("ignore:.* by position")
def test_errors_of_workers_are_those_of_one_process(in_process, photos, photo_model, tmp_path, orders):
    frame = pd.read_parquet(orders / "orders.parquet")[["a", "b"]]
    vae = VAE(2, **QUICK).fit(frame.dropna().to_numpy())
    frame.assign(c=0.0).to_parquet(tmp_path / "three.parquet")
    with pytest.raises(ValueError, match=r"three\.parquet: rows must have 2 values; got 3"):
        score_with_ray(vae, tmp_path / "three.parquet", tmp_path / "scores")
    with pytest.raises(ValueError, match=r"nothing that could be read; the first: .*0007.png: not an image"):
        score_with_ray(photo_model, [photos / "0007.png", photos / "0050.png"], tmp_path / "scores")
    assert os.listdir(tmp_path) == ["three.parquet"]


def test_the_command_starts_ray_and_leaves_nothing_behind(photos, photo_model, tmp_path):
    save(photo_model, tmp_path / "m.safetensors")
    arguments = ["score", tmp_path / "m.safetensors", photos, "-o", tmp_path / "s.parquet", "--engine", "ray"]
    done = subprocess.run(
        [sys.executable, "-m", "vaetools", *map(str, arguments), "--workers", "2"],
        capture_output=True,
        text=True,
        env=os.environ | {"STARTED_BY": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    others = re.compile(r".*core_worker\.cc|done: ")  # a remark of Ray, and progress if it takes long
    ours = [line for line in done.stderr.splitlines() if not others.match(line)]
    first, written, left_out, heading, *failed = ours
    assert first.startswith("98 images scored, ")
    assert written == f"Written: {tmp_path / 's.parquet'}"
    assert left_out == "1 file left out: 1 .txt (-v lists them)."
    assert heading == "2 could not be read:"
    assert [line.strip().partition(": ")[0] for line in failed] == [
        str(photos / name) for name in ("0007.png", "0050.png")
    ]
    assert len(pd.read_parquet(tmp_path / "s.parquet")) == 98
    left = [process for process in psutil.process_iter() if started_by(process, tmp_path)]
    assert psutil.wait_procs(left, timeout=60)[1] == []


def started_by(process, name):
    """Whether a process has the environment of a test, and so comes from it."""
    with contextlib.suppress(psutil.Error):
        return process.environ().get("STARTED_BY") == str(name)
    return False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--top", "3"], "--top: does not go with --engine ray, which keeps no rows; got 3."),
        (["--fdr", "0.1"], "--fdr: does not go with --engine ray, which keeps no rows; got 0.1."),
        (["--html", "a.html"], "--html: does not go with --engine ray, which keeps no rows; got a.html."),
        ([], "--output: is needed with --engine ray"),
        (["-o", "scores.csv"], "must end in .parquet; got 'scores.csv'"),
    ],
)
def test_what_the_command_cannot_do_with_ray(
    options, message, photos, photo_model, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    save(photo_model, "m.safetensors")
    assert main(["score", "m.safetensors", str(photos), "--engine", "ray", *options]) == 2
    assert message in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", "10.0.0.1:6379"], "--address: needs --engine ray; got 10.0.0.1:6379."),
        (["--workers", "2"], "--workers: needs --engine ray; got 2."),
        (["-o", "s3://bucket/s.parquet"], "an address needs --engine ray; got 's3://bucket/s.parquet'"),
    ],
)
def test_what_the_command_needs_ray_for(options, message, photos, photo_model, tmp_path, capsys):
    save(photo_model, tmp_path / "m.safetensors")
    assert main(["score", str(tmp_path / "m.safetensors"), str(photos), *options]) == 2
    assert message in capsys.readouterr().err


# What needs no Ray to be tested


def test_without_ray_the_extra_is_named(photos, photo_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'vaetools\[ray\]'"):
        score_with_ray(photo_model, photos, tmp_path / "scores")


@pytest.mark.filterwarnings("ignore:.* by position")
def test_models_and_data_that_do_not_fit(photos, photo_model, orders, order_model, tmp_path):
    output, rows = tmp_path / "scores", np.random.default_rng(0).normal(size=(120, 3))
    network = EncoderDecoder(*(nn.Linear(3, 3) for _ in range(2)))
    custom = AE(network=network, max_iter=0).fit(rows)
    np.save(tmp_path / "rows.npy", rows)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    for model, data, options, message in (
        (
            photo_model,
            photos,
            {"device": "tpu"},
            "device must be 'cpu' or 'cuda', which Ray tells apart; got 'tpu'",
        ),
        (photo_model, photos, {"n_workers": 0}, "n_workers must be None or a positive integer; got 0"),
        (photo_model, photos, {"n_workers": "2"}, "n_workers must be None or a positive integer; got '2'"),
        (photo_model, photos, {"id_column": "order"}, "an id column needs a table; got images"),
        (photo_model, orders / "orders.parquet", {}, "the model takes images; got a table"),
        (order_model, photos, {}, "takes rows of numbers; got images"),
        (order_model, tmp_path / "rows.npy", {}, "images and Parquet files; got another array"),
        (order_model, tmp_path / "rows.csv", {}, "images and Parquet files; got another table"),
        (
            custom,
            orders / "orders.parquet",
            {},
            "whole in the file that workers load; got network=EncoderDecoder",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            score_with_ray(model, data, output, **options)
    assert not output.exists()


def test_an_address_where_ray_runs_already_is_refused(cluster):
    with (
        pytest.raises(ValueError, match="address must be None where Ray runs already; got 'here:1'"),
        scoring.connected(cluster, "here:1"),
    ):
        pass


def test_the_environment_says_which_cluster_and_no_use_is_reported(monkeypatch):
    class Ray:
        """Notes how it was started."""

        def is_initialized(self):
            return False

        def init(self, address, **options):
            calls.append((address, options.get("include_dashboard"), os.environ["RAY_USAGE_STATS_ENABLED"]))

        def shutdown(self):
            calls.append("shutdown")

    calls = []

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    with scoring.connected(Ray(), None):
        pass
    monkeypatch.setenv("RAY_ADDRESS", "there:1")
    with scoring.connected(Ray(), None):
        pass
    assert calls == [("local", False, "0"), "shutdown", ("there:1", None, "0"), "shutdown"]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "1"


def test_files_are_found_at_an_address_as_on_this_machine(photos, orders):
    kind, here = find_files(photos)
    assert kind == "images"
    kind, there = find_files(f"file://{photos}/")
    assert kind == "images"
    assert there.paths == [f"file://{path}" for path in here.paths]
    assert [address.path for address in there.paths] == here.paths
    halves = [str(orders / "halves" / name) for name in ("1.parquet", "2.parquet")]
    for data in (orders / "halves", f"file://{orders}/halves", halves, [f"file://{path}" for path in halves]):
        assert found(data) == ("table", halves)


def test_files_elsewhere_are_chosen_and_left_out_as_here(photos, tmp_path):
    for name in ("good/sub", "good/.old", "ground_truth"):
        (tmp_path / name).mkdir(parents=True)
        shutil.copy(photos / "0001.png", tmp_path / name / "1.png")
    (tmp_path / "good" / ".hidden.png").touch()
    (tmp_path / "2.JSON").touch()
    _, here = find_files(tmp_path, include="good/", exclude="0*")
    _, there = find_files(f"file://{tmp_path}", include="good/", exclude="0*")
    assert here.paths == [address.path for address in there.paths] == [str(tmp_path / "good/sub/1.png")]
    kinds = {
        "2.JSON": ".json",
        "good/.hidden.png": "hidden",
        "ground_truth/1.png": "excluded",
        "good/.old/1.png": "hidden",
    }
    assert dict(there.ignored) == {f"file://{tmp_path}/{path}": kind for path, kind in kinds.items()}
    del kinds["good/.old/1.png"]
    kinds["good/.old"] = "hidden folder"
    assert dict(here.ignored) == {f"{tmp_path}/{path}": kind for path, kind in kinds.items()}
    with pytest.raises(FileNotFoundError, match=r"leaves none of 2 images.*; left out: .*2 excluded"):
        find_files(f"file://{tmp_path}", exclude="*.png")


def test_a_raw_photograph_elsewhere_is_not_taken_for_its_thumbnail(in_process, photo_model, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_gray(folder, 1, size=8)
    (folder / "photo.NEF").write_bytes(encoded(noise(8, 8), "tif"))
    scored = score_with_ray(photo_model, f"file://{folder}", tmp_path / "out")
    assert scored.n_scored == 1
    assert [failure.reason[:22] for failure in scored.failed] == ["a raw photograph (NEF)"]
    with pytest.raises(ValueError, match="patterns to include or exclude need images; got table"):
        find_files(["1.parquet", "2.parquet"], include="a")


def test_an_address_may_spell_a_space_as_a_link_does(photos, tmp_path):
    folder = tmp_path / "my photos, 100%"
    shutil.copytree(photos, folder)
    address = f"file://{tmp_path}/my%20photos,%20100%25"
    first, second = found(address)[1][:2]
    assert Path(first).parent == folder
    both = [f"{address}/{Path(path).name}" for path in (first, second)]
    assert found(both) == ("images", [first, second])


def test_a_table_may_be_a_folder_with_leftovers_of_a_killed_run(orders, tmp_path):
    folder = tmp_path / "scores.parquet"
    shutil.copytree(orders / "halves", folder)
    shutil.copytree(orders / "halves", tmp_path / ".other.parquet.0a.tmp")
    expected = [str(folder / name) for name in ("1.parquet", "2.parquet")]
    for data in (folder, tmp_path, f"file://{folder}", f"file://{tmp_path}"):
        assert found(data) == ("table", expected)


def test_a_device_that_the_cluster_lacks_is_refused(photos, photo_model, tmp_path, cluster):
    with pytest.raises(ValueError, match="device must be one that the cluster has; got 'cuda', and no GPU"):
        score_with_ray(photo_model, photos, tmp_path / "scores", device="cuda")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([], FileNotFoundError, "empty list"),
        ("{photos}/none", FileNotFoundError, "none: no such file or folder"),
        ("{photos}/none.parquet", FileNotFoundError, "none.parquet: no such file or folder"),
        ("file://{photos}/none", FileNotFoundError, "/none: no such file or folder"),
        ("file://{empty}", FileNotFoundError, "there is no image and no Parquet file"),
        (["file://{photos}/1.png", "file://{photos}/*.png"], ValueError, r"/\*.png: a glob is for"),
        (
            ["{tables}/1.csv", "{photos}/1.png"],
            ValueError,
            "1.csv: tables are read with tables alone; got",
        ),
        (
            ["file://{photos}/0001.png", "memory://0002.png"],
            ValueError,
            "one filesystem; got memory://0002.png",
        ),
        (
            ["file://{photos}/1.png", "file://{tables}/1.parquet"],
            ValueError,
            "got 1 Parquet files and 1 others",
        ),
        ("nowhere://bucket", ValueError, "nowhere"),
    ],
)
def test_files_that_are_not_there(data, error, message, photos, tmp_path):
    folders = {"photos": photos, "empty": tmp_path / "empty", "tables": tmp_path / "tables"}
    for folder in ("empty", "tables"):
        folders[folder].mkdir()
    (folders["tables"] / "1.parquet").touch()
    data = [name.format(**folders) for name in data] if isinstance(data, list) else data.format(**folders)
    with pytest.raises(error, match=message):
        find_files(data)


def test_fetched_files_come_in_order_and_each_has_its_own_error(tmp_path, monkeypatch):
    from pyarrow.fs import LocalFileSystem

    monkeypatch.setattr(addresses, "MAX_BYTES", 2000)
    paths = [str(tmp_path / f"{i}.png") for i in range(200)]
    for i in range(200):
        if i != 3:
            (tmp_path / f"{i}.png").write_bytes(encoded(noise(4, 4, seed=i), "png"))
    (tmp_path / "5.png").write_bytes(bytes(2001))
    reader = ImageReader(image_shape=(3, 4, 4), n_jobs=1).fit([])
    files = [Address.of("file://", path, LocalFileSystem()) for path in paths]
    assert sum(len(part) for part in fetched(files)) == 200
    (batch,) = reader.batches(files, paths)
    assert batch.ids == [path for i, path in enumerate(paths) if i not in (3, 5)]
    expected = np.stack([np.asarray(noise(4, 4, seed=i)).transpose(2, 0, 1).ravel() for i in (0, 199)])
    assert np.array_equal(batch.X[[0, -1]], expected)
    assert [failure.id for failure in batch.failed] == [paths[3], paths[5]]
    assert "No such file" in batch.failed[0].reason
    assert batch.failed[1].reason == "more than 2,000 bytes"


def test_pieces_cover_all_rows_once(orders):
    work, _ = plan([f"{i}.png" for i in range(1000)], PIXELS, 2)
    assert [path for piece in work for path in piece["paths"]] == [f"{i}.png" for i in range(1000)]
    assert len(work) == 1000 // 32 + 1
    work, _ = plan(find_files(orders / "halves")[1].paths, RowReader("table", ["a"], None, 1), 1)
    assert sum(piece["n_rows"] for piece in work) == 200
    assert [(piece["first"], piece["groups"]) for piece in work] == [
        (0, [0, 1]),
        (30, [1, 2]),
        (60, [2, 3]),
        (90, [3, 4]),
        (100, [0, 1]),
    ]


def test_pieces_are_not_longer_than_memory_allows(monkeypatch):
    monkeypatch.setattr(pieces, "MAX_ROWS", 10)
    assert len(plan(["a.png"] * 1000, PIXELS, 1)[0]) == 100


@pytest.mark.parametrize("address", ["", "file://"])
def test_a_folder_is_there_when_it_is_whole_and_never_mixed(address, tmp_path):
    output = f"{address}{tmp_path / 'scores'}"
    with pytest.raises(IsADirectoryError), new_folder(output) as (_, folder):
        Path(folder).write_text("a part")
    assert os.listdir(tmp_path) == []
    with new_folder(output) as (_, folder):
        Path(folder, "part").touch()
        whole = (tmp_path / "scores").exists() and "_SUCCESS" in os.listdir(tmp_path / "scores")
        assert not whole
    assert set(os.listdir(tmp_path / "scores")) == ({"part", "_SUCCESS"} if address else {"part"})
    with pytest.raises(FileExistsError, match="scores: exists already"), new_folder(output):
        pass


def test_a_folder_needs_one_that_exists(tmp_path):
    output = tmp_path / "none" / "scores"
    with (
        pytest.raises(FileNotFoundError, match="none/scores: the output must be in a folder that exists"),
        new_folder(output),
    ):
        pass


def test_a_row_or_a_file_that_is_missing_is_an_error(tmp_path):
    from pyarrow.fs import LocalFileSystem

    work, _ = plan(["a.png", "b.png"], PIXELS, 1)
    receipt = {"first": 0, "n_rows": 1, "n_odd": 0, "failed": [], "error": None}
    with pytest.raises(RuntimeError, match="2 rows must come back from the workers; got 1"):
        scoring._gather(iter([receipt]), work, LocalFileSystem(), str(tmp_path), 0)
    with pytest.raises(OSError, match=r"got none of the workers' part-000000000000.parquet and 1 others"):
        scoring._gather(iter([receipt, receipt | {"first": 1}]), work, LocalFileSystem(), str(tmp_path), 0)


def test_ray_does_not_decide_what_a_request_to_end_does():
    def exits(number, frame):
        raise SystemExit(number)

    ray = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda *_, **__: signal.signal(signal.SIGTERM, exits),
        shutdown=lambda: None,
    )
    before = signal.getsignal(signal.SIGTERM)
    with scoring.connected(ray, "local"):
        assert signal.getsignal(signal.SIGTERM) is before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("handler", [None, "ours"])
def test_a_request_to_end_while_ray_starts_is_answered_here(handler):
    class Ours(BaseException):
        """What a handler of this process raises."""

    def ends(number, frame):
        raise Ours

    def init(*_, **__):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    ended = []
    ray = SimpleNamespace(is_initialized=lambda: False, init=init, shutdown=lambda: ended.append(True))
    before = signal.signal(signal.SIGTERM, ends if handler else signal.SIG_DFL)
    try:
        with pytest.raises(Ours if handler else SystemExit), scoring.connected(ray, "local"):
            pytest.fail("Ray never started")
        assert signal.getsignal(signal.SIGTERM) is (ends if handler else signal.SIG_DFL)
        assert ended == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_lies_beside_parquet_files_is_counted(tmp_path):
    for name in ("t/0.parquet", "t/1.parquet"):
        (tmp_path / "t").mkdir(exist_ok=True)
        pd.DataFrame({"a": [1.0]}).to_parquet(tmp_path / name)
    for name in ("_SUCCESS", "readme.md"):
        (tmp_path / "t" / name).write_text("x")
    _, found = find_files([tmp_path / "t", tmp_path / "t" / "1.parquet"])
    assert found.paths == [f"{tmp_path}/t/{i}.parquet" for i in range(2)]
    kinds = {"_SUCCESS": "hidden", "readme.md": ".md", "1.parquet": "named again"}
    assert found.ignored == {f"{tmp_path}/t/{name}": kind for name, kind in kinds.items()}
    assert len(find_files(str(tmp_path / "t" / "*.parquet"))[1].paths) == 2
