"""Files at addresses are read as those of this machine: in memory, in an archive, behind a prefix."""

import re
import sys

import fsspec
import numpy as np
import pandas as pd
import pytest

from tests.data.pictures import encoded, noise
from vaetools import VAE, ImageReader, load, read_images, stream_codes, stream_scores
from vaetools.__main__ import main
from vaetools.data.addresses import Address, addresses, files_below, open_filesystem
from vaetools.data.sources import kind_of

QUICK = {"max_iter": 2, "hidden_layer_sizes": (16,), "random_state": 0}


@pytest.fixture
def memory():
    """A filesystem of fsspec, which is empty before and afterwards."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


@pytest.fixture
def photos(memory, tmp_path):
    """120 images in two sub-folders, one of them broken, and a note: in memory, and here."""
    for i in range(120):
        name = f"{'good' if i % 2 else 'bad'}/{i:03}.png"
        content = b"broken" if i == 7 else encoded(noise(8, 8, seed=i).convert("L"), "png")
        memory.pipe(f"/photos/{name}", content)
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    memory.pipe("/photos/notes.txt", b"no image")
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    return tmp_path / "photos"


@pytest.fixture
def orders(memory, tmp_path):
    """100 rows of 3 columns: a Parquet file in memory, two that make it, and a frame."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=["a", "b", "c"])
    for name, part in {"all": frame, "parts/1": frame[:50], "parts/2": frame[50:]}.items():
        part.to_parquet(tmp_path / "part.parquet")
        memory.pipe(f"/orders/{name}.parquet", (tmp_path / "part.parquet").read_bytes())
    memory.pipe("/orders/parts/_SUCCESS", b"")
    return frame


def names(paths, folder):
    """Paths from a folder on."""
    return [str(path).removeprefix(f"{folder}/") for path in paths]


def test_images_are_those_of_a_folder_here(photos):
    here, there = read_images(photos), read_images("memory://photos")
    np.testing.assert_array_equal(there.X, here.X)
    assert there.labels.tolist() == here.labels.tolist()
    assert names(there.paths, "memory://photos") == names(here.paths, photos)
    assert [name for name, _ in there.failed] == ["memory://photos/good/007.png"]
    assert there.ignored == {"memory://photos/notes.txt": ".txt"}
    some = read_images("memory://photos", include="good/", exclude="*5.png")
    assert names(some.paths, "memory://photos/good") == names(
        read_images(photos / "good", exclude="*5.png").paths, photos / "good"
    )


def test_a_transformer_takes_addresses(photos):
    paths = [f"photos/{name}" for name in ("bad/000.png", "good/001.png")]
    reader = ImageReader(size=8).fit([f"memory://{path}" for path in paths])
    here = reader.transform([str(photos.parent / path) for path in paths])
    np.testing.assert_array_equal(reader.transform([f"memory://{path}" for path in paths]), here)


def test_commands_read_images_there(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--set", "hidden_channels=()", "--max-iter", "2", "-q"]
    assert main(["fit", "memory://photos", "-o", "there.safetensors", *options]) == 1
    assert main(["fit", "photos", "-o", "here.safetensors", *options]) == 1
    there, here = load("there.safetensors"), load("here.safetensors")
    assert there[-1].offset_ == here[-1].offset_
    for data, output in (("memory://photos", "there.csv"), ("photos", "here.csv")):
        assert main(["score", "here.safetensors", data, "-o", output]) == 1
    err = capsys.readouterr().err
    assert len(re.findall(r"^(?:bad +60|good +59) +\d+$", err, re.MULTILINE)) == 4  # by sub-folder
    table = pd.read_csv("there.csv")
    table["path"] = table["path"].str.removeprefix("memory://")
    pd.testing.assert_frame_equal(table, pd.read_csv("here.csv"))
    query = ["similar", "here.safetensors", "memory://photos/bad/000.png", "memory://photos", "-k", "2"]
    assert main(query) == 1
    assert "memory://photos/bad/000.png" not in capsys.readouterr().out


def test_tables_are_parquet_there(orders, tmp_path):
    vae = VAE(2, **QUICK).fit(orders)
    for data in ("memory://orders/all.parquet", "memory://orders/parts"):
        assert kind_of(data) == "table"
        parts = stream_scores(vae, data)
        scores = pd.concat([part.table for part in parts])
        np.testing.assert_allclose(scores["score"], vae.score_samples(orders), rtol=1e-9)
    assert parts.source.listing.ignored == {"memory://orders/parts/_SUCCESS": "without extension"}
    codes = pd.concat([part.table for part in stream_codes(vae, ["memory://orders/all.parquet"])])
    np.testing.assert_allclose(codes.iloc[:, 1:], vae.transform(orders), rtol=1e-9)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("memory://none", FileNotFoundError, "memory://none: no such file or folder"),
        ("memory://orders/rows.csv", ValueError, "rows.csv: at an address images and Parquet files are read"),
        ("memory://orders/rows.npy", ValueError, "rows.npy: at an address images and Parquet files are read"),
        ("memory://orders/*.parquet", ValueError, "a glob is for files of this machine"),
        ("nowhere://orders", ValueError, "nowhere://orders: there is no such filesystem"),
    ],
)
def test_what_cannot_be_read_there(data, error, message, memory):
    memory.pipe("/orders/rows.csv", b"a,b")
    memory.pipe("/orders/rows.npy", b"")
    with pytest.raises(error, match=message):
        kind_of(data)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match=r"memory://a: .* pip install 'vaetools\[remote\]'"):
        open_filesystem("memory://a")


def test_files_of_this_machine_need_no_package(photos, orders, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    orders.to_parquet(tmp_path / "orders.parquet")
    assert len(read_images(f"file://{photos}").paths) == len(read_images(photos).paths) == 119
    assert kind_of(tmp_path / "orders.parquet") == kind_of(f"file://{tmp_path}/orders.parquet") == "table"


def test_an_address_knows_where_it_is_wherever_it_goes(photos):
    import pickle

    (folder,) = addresses(["memory://photos"])
    (file, place), *others = files_below(folder)
    assert (file, file.path, place) == ("memory://photos/bad/000.png", "/photos/bad/000.png", "bad/000.png")
    assert len(others) == 120
    again = pickle.loads(pickle.dumps(file))
    assert isinstance(again, Address)
    assert (again, again.path) == (file, file.path)
    assert files_below(file) is None
