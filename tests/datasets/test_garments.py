"""The garments that come with the package are those of Fashion-MNIST that they say, and do come with it."""

import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vaetools.data.arrays import read_idx
from vaetools.datasets import load_garments

ROOT = Path(__file__).parents[2]
ORIGINALS = Path(os.environ.get("VAETOOLS_DATA", ROOT.parent / "shared" / "data")) / "fashion_mnist"
FILES = ["vaetools/datasets/garments.npz", "vaetools/datasets/garments-LICENSE.txt"]


def test_there_are_five_hundred_of_each_of_ten_classes():
    garments = load_garments()
    assert garments.data.shape == (5000, 784)
    assert garments.data.dtype == np.uint8
    assert (garments.data.min(), garments.data.max()) == (0, 255)
    assert np.array_equal(np.bincount(garments.target), [500] * 10)
    assert len(garments.target_names) == 10
    assert np.array_equal(garments.images.reshape(5000, -1), garments.data)
    assert garments.image_shape == (1, 28, 28)
    assert [garments.feature_names[i] for i in (0, 29)] == ["pixel_0_0", "pixel_1_1"]
    assert "MIT" in garments.DESCR
    assert all(name in garments.DESCR for name in garments.target_names)


def test_rows_and_classes_alone():
    X, y = load_garments(return_X_y=True)
    garments = load_garments()
    assert np.array_equal(X, garments.data)
    assert np.array_equal(y, garments.target)
    with pytest.raises(ValueError, match="return_X_y must be True or False; got 1"):
        load_garments(return_X_y=1)


def test_what_one_caller_changes_no_other_sees():
    load_garments().data[:] = 0
    assert load_garments().data.any()


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="needs the original files of Fashion-MNIST")
def test_they_are_the_first_of_every_class_of_the_training_images():
    images = read_idx(ORIGINALS / "train-images-idx3-ubyte.gz").reshape(-1, 784)
    labels = read_idx(ORIGINALS / "train-labels-idx1-ubyte.gz")
    first = np.sort(np.concatenate([np.flatnonzero(labels == label)[:500] for label in range(10)]))
    X, y = load_garments(return_X_y=True)
    assert first.max() == 5402
    assert np.array_equal(X, images[first])
    assert np.array_equal(y, labels[first])


@pytest.mark.filterwarnings("ignore")  # of the builder
def test_wheel_and_sdist_hold_the_images_and_their_licence(tmp_path):
    wheel = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(ROOT))
    (path,) = wheel.build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        assert set(FILES) <= set(archive.namelist())
        assert archive.read(FILES[0]) == (ROOT / FILES[0]).read_bytes()
        licences = [name for name in archive.namelist() if "/licenses/" in name]
        assert sorted(Path(name).name for name in licences) == ["LICENSE", "garments-LICENSE.txt"]
    sdist = pytest.importorskip("hatchling.builders.sdist").SdistBuilder(str(ROOT))
    (path,) = sdist.build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(path) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames() if "/" in name]
    assert set(FILES) <= set(names)
