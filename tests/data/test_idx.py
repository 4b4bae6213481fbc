import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from vaetools.data.arrays import IDX_TYPES, is_idx, read_idx


def idx(array):
    """The bytes of an IDX file."""
    codes = {kind: code for code, kind in IDX_TYPES.items()}
    header = bytes([0, 0, codes[array.dtype.str[1:]], array.ndim]) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = idx(np.arange(24, dtype="u1").reshape(2, 3, 4))


@pytest.fixture
def write(tmp_path):
    def write(data, name="data"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 3, 1), (1, 2, 1, 3, 1), (0,), (0, 28, 28)])
@pytest.mark.parametrize("kind", IDX_TYPES.values())
def test_every_type_and_shape_comes_back_in_native_order(write, kind, shape, pack):
    array = (np.arange(6)[: np.prod(shape)].reshape(shape) * 20 - 50).astype(kind)
    array += array.dtype.itemsize  # no symmetric byte patterns
    read = read_idx(write(pack(idx(array)), "named-after-nothing"))
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    assert read.shape == shape
    assert (read == array).all()
    read[:] = 0  # writable


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "one of 08 09 0b 0c 0d 0e, and its number of axes; got no byte"),
        (b"\0\0\x08", "got 00 00 08"),
        (b"\0\0\x0a\1" + bytes(8), "got 00 00 0a 01"),
        (b"\0\1\x08\1" + bytes(8), "got 00 01 08 01"),
        (b"P5 28 28", "got 50 35 20 32"),
        (IMAGES[:10], "3 axes need 12 bytes; got 6"),
        (IMAGES[:-1], r"shape \(2, 3, 4\) of uint8 needs 24 bytes of data; got only 23"),
        (IMAGES + b"x", r"shape \(2, 3, 4\) of uint8 needs 24 bytes of data; got more"),
        (idx(np.zeros(3, "f8"))[:-8], r"shape \(3,\) of float64 needs 24 bytes of data; got only 16"),
        (b"\0\0\x08" + bytes([200]) + 200 * b"\0\0\0\1" + b"x", "200"),  # more axes than numpy has
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_is_no_idx_is_refused_with_what_came(write, data, message, pack):
    path = write(pack(data))
    with pytest.raises(ValueError, match=message) as error:
        read_idx(path)
    assert str(error.value).startswith(f"{path}: not a readable IDX file: ")


def damaged(packed, at):
    """The bytes with one of them changed."""
    return packed[:at] + bytes([packed[at] ^ 255]) + packed[at + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(IMAGES, mtime=0)[:-3],
        gzip.compress(IMAGES, mtime=0)[:15],
        damaged(gzip.compress(IMAGES, mtime=0), at=2),
        damaged(gzip.compress(IMAGES, mtime=0), at=20),
        damaged(gzip.compress(IMAGES, mtime=0), at=-8),  # the checksum
        gzip.compress(IMAGES, mtime=0) + b"more",
    ],
    ids=["short end", "short", "method", "data", "checksum", "more"],
)
def test_damaged_gzip_is_refused(write, data):
    path = write(data)
    with pytest.raises(ValueError, match="not a readable IDX file") as error:
        read_idx(path)
    assert type(error.value) is ValueError
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (idx(np.zeros(10, "u1")) + bytes(2**24), "10 bytes of data; got more"),
        (b"\0\0\x0e\3" + 3 * struct.pack(">I", 2**32 - 1) + bytes(100), "bytes of data; got only 100"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_memory_follows_what_comes(write, data, message, pack):
    path = write(pack(data))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message):
            read_idx(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**22


def test_a_missing_file_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-idx1-ubyte"):
        read_idx(tmp_path / "nothing-idx1-ubyte")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("digits", IMAGES, True),
        ("digits", gzip.compress(IMAGES, mtime=0), True),
        ("train-images-idx3-ubyte.gz", b"damaged", True),
        ("train-labels.IDX1-ubyte", b"", True),
        ("digits.idx", b"", True),
        ("table.csv", b"a,b\n1,2\n", False),
        ("table.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0), False),
        ("table.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:5], False),
        ("icon.ico", b"\0\0\1\0\1\0", False),
        ("empty", b"", False),
    ],
)
def test_is_idx(write, name, data, expected):
    assert is_idx(write(data, name)) is expected


def test_a_folder_or_nothing_is_no_idx(tmp_path):
    assert not is_idx(tmp_path)
    assert not is_idx(tmp_path / "digits.idx")


@pytest.mark.skipif("VAETOOLS_DATA" not in os.environ, reason="$VAETOOLS_DATA names no folder of data")
def test_mnist():
    folder = Path(os.environ["VAETOOLS_DATA"], "mnist")
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
    assert (images.shape, images.dtype, images.min(), images.max()) == ((10000, 28, 28), np.uint8, 0, 255)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
