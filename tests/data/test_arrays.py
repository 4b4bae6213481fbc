import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from tests.data.test_idx import idx
from vaetools.data.arrays import array_batches, read_array
from vaetools.data.batches import Failure


def images(*shape, dtype="u1"):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def save(path, **arrays):
    """Write an array or several, as the name of the file says."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".npy":
        np.save(path, arrays["X"])
    else:
        path.write_bytes(gzip.compress(idx(arrays["X"])))
    return path


every_format = pytest.mark.parametrize("name", ["x.npy", "x.npz", "x-idx3-ubyte.gz"])


@every_format
@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_rows_keep_values_and_type(tmp_path, name, dtype):
    X = images(5, 3, dtype=dtype)
    data = read_array(save(tmp_path / name, X=X))
    assert data.X.dtype == X.dtype
    assert np.array_equal(data.X, X)
    assert data.image_shape is None
    assert data.labels is None


@every_format
@pytest.mark.parametrize(
    ("shape", "image_shape", "channels_last"),
    [
        ((5, 4, 6), (1, 4, 6), False),
        ((5, 1, 4, 6), (1, 4, 6), False),
        ((5, 3, 4, 6), (3, 4, 6), False),
        ((5, 2, 4, 6), (2, 4, 6), False),
        ((5, 4, 6, 3), (3, 4, 6), True),
        ((5, 4, 6, 1), (1, 4, 6), True),
        ((5, 1, 6, 3), (1, 6, 3), False),
        ((5, 4, 6, 8), (4, 6, 8), False),
        ((5, 8, 16, 4), (4, 8, 16), True),
        ((5, 8, 9, 2), (2, 8, 9), True),
    ],
)
def test_images_become_rows_with_channels_first(tmp_path, name, shape, image_shape, channels_last):
    X = images(*shape, dtype="i4")
    data = read_array(save(tmp_path / name, X=X))
    assert data.image_shape == image_shape
    expected = np.moveaxis(X, -1, 1) if channels_last else X.reshape(5, *image_shape)
    assert np.array_equal(data.X.reshape(5, *image_shape), expected)


@every_format
@pytest.mark.parametrize("shape", [(5, 3, 6, 3), (5, 8, 8, 13), (5, 13, 8, 8), (5, 8, 4, 4), (5, 4, 8, 4)])
def test_two_possible_places_of_channels_are_never_guessed(tmp_path, name, shape):
    X = images(*shape, dtype="i4")
    path = save(tmp_path / name, X=X)
    a, b, c = shape[1:]
    with pytest.raises(ValueError, match="may have") as error:
        read_array(path)
    assert str(error.value) == (
        f"{path}: images of shape {(a, b, c)} may have {a} channels of {b} × {c} pixels (height × width), or "
        f"{c} channels of {a} × {b} pixels. Say channels='first' or channels='last'."
    )
    rows = {"first": X.reshape(5, -1), "last": np.moveaxis(X, -1, 1).reshape(5, -1)}
    for place, image_shape in {"first": (a, b, c), "last": (c, a, b)}.items():
        said = read_array(path, channels=place)
        known = read_array(path, image_shape=image_shape)
        for data in (said, known):
            assert data.image_shape == image_shape
            assert np.array_equal(data.X, rows[place])


def test_channels_that_fit_neither_the_file_nor_the_model_are_refused(tmp_path):
    path = save(tmp_path / "x.npy", X=images(5, 8, 16, 4))
    message = r"must be of shape \(4, 16, 8\), \(channels, height, width\), as .*; got \(4, 8, 16\)\."
    with pytest.raises(ValueError, match=message):
        read_array(path, image_shape=(4, 16, 8))
    with pytest.raises(ValueError, match=r"got \(8, 16, 4\)"):
        read_array(path, channels="first", image_shape=(4, 8, 16))
    with pytest.raises(ValueError, match=r"channels must be one of .*; got 'middle'"):
        read_array(path, channels="middle")
    flat = save(tmp_path / "flat.npy", X=images(5, 8))
    with pytest.raises(ValueError, match=r"channels='last' is for images .*; got an array of shape \(5, 8\)"):
        read_array(flat, channels="last")


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 6), (5, 3, 4, 6), (5, 4, 6, 1)])
def test_npy_stays_on_disk(tmp_path, shape):
    path = save(tmp_path / "x.npy", X=images(*shape))
    X = read_array(path).X
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    assert X[-1, -1] == 255
    with pytest.raises(ValueError, match="read-only"):
        X[0] = 1


@pytest.mark.parametrize("dtype", [">f4", ">i2", "?", "f2", "u8"])
def test_other_numbers_arrive_in_native_order(tmp_path, dtype):
    X = images(3, 2).astype(dtype)
    read = read_array(save(tmp_path / "x.npy", X=X)).X
    assert read.dtype == X.dtype.newbyteorder("=")
    assert read.dtype.isnative
    assert np.array_equal(read, X)


@pytest.mark.parametrize("dtype", ["U3", "S3", "c8", "M8[D]", [("a", "i4")]])
@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_other_types_are_refused(tmp_path, name, dtype):
    path = save(tmp_path / name, X=np.zeros((3, 2), dtype))
    with pytest.raises(ValueError, match="integers, floats or booleans; got ") as error:
        read_array(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(np.dtype(dtype)) in str(error.value)


class Pickled:
    ran = False

    def __reduce__(self):
        return setattr, (Pickled, "ran", True)


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_nothing_is_unpickled(tmp_path, name):
    path = tmp_path / name
    array = np.full((2, 2), Pickled(), dtype=object)
    np.savez(path, X=array) if name == "x.npz" else np.save(path, array)
    with pytest.raises(ValueError, match=f"not a readable {path.suffix} file: .*[Oo]bject"):
        read_array(path)
    assert not Pickled.ran


@every_format
@pytest.mark.parametrize("shape", [(5,), (5, 0), (1, 1, 2, 2, 2), (2, 0, 3)])
def test_other_shapes_are_refused(tmp_path, name, shape):
    path = save(tmp_path / name, X=np.zeros(shape, "u1"))
    with pytest.raises(ValueError, match="rows × features") as error:
        read_array(path)
    assert str(error.value).endswith(f"got shape {shape}.")


# Labels


def test_npz_labels_are_y_or_named(tmp_path):
    X, y, other = images(3, 2), np.array([4, 5, 6]), np.array(["a", "b", "c"])
    path = save(tmp_path / "x.npz", X=X, y=y, other=other)
    assert read_array(path).labels.tolist() == [4, 5, 6]
    assert read_array(path, labels="other").labels.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match=r"labels must name .* X \(3, 2\), y \(3,\), other .*; got 'z'"):
        read_array(path, labels="z")


@pytest.mark.parametrize("form", ["csr", "coo"])
def test_a_sparse_matrix_is_to_be_saved_in_full(tmp_path, form):
    path = tmp_path / "x.npz"
    sparse.save_npz(path, sparse.coo_array(np.eye(3, 4)).asformat(form))
    with pytest.raises(ValueError, match="an array must be dense; got a sparse matrix of SciPy") as error:
        read_array(path)
    assert str(error.value).endswith("by numpy.save('rows.npy', scipy.sparse.load_npz(path).toarray()).")
    np.save(tmp_path / "rows.npy", sparse.load_npz(path).toarray())
    assert read_array(tmp_path / "rows.npy").X.shape == (3, 4)


def test_npz_takes_the_only_array_that_can_be_samples(tmp_path):
    path = save(tmp_path / "x.npz", ids=np.arange(3), y=np.array([4, 5, 6]), pixels=images(3, 2, 2))
    data = read_array(path)
    assert (data.X.shape, data.labels.tolist()) == ((3, 4), [4, 5, 6])


@pytest.mark.parametrize(
    "arrays", [{"a": images(3, 2), "b": images(3, 2)}, {"a": np.arange(3)}, {"y": images(3, 2)}]
)
def test_npz_without_clear_samples_is_refused(tmp_path, arrays):
    with pytest.raises(ValueError, match="'X' or one array of two or more axes; got ") as error:
        read_array(save(tmp_path / "x.npz", **arrays))
    for name, array in arrays.items():
        assert f"{name} {array.shape}" in str(error.value)


def test_npz_samples_are_those_that_are_named(tmp_path):
    X, y = images(3, 2), np.array([4, 5, 6])
    path = save(tmp_path / "x.npz", X=X, y=y, train=images(5, 2), test=images(3, 4), few=np.arange(5))
    assert np.array_equal(read_array(path, name="train").X, images(5, 2))
    assert read_array(path, name="train").labels is None  # y has other rows
    assert read_array(path, name="test").labels.tolist() == [4, 5, 6]
    assert read_array(path, "few", name="train").labels.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"array must name one of its arrays, X \(3, 2\), .*; got 'z'"):
        read_array(path, name="z")
    with pytest.raises(ValueError, match=r"only an NPZ file has arrays to choose from; got array='X'"):
        read_array(save(tmp_path / "x.npy", X=X), name="X")


@pytest.mark.parametrize("name", ["x.npy", "x-idx2-ubyte.gz"])
@pytest.mark.parametrize("labels", ["y.npy", "y-idx1-ubyte.gz"])
def test_labels_from_another_file(tmp_path, name, labels):
    path, labels = save(tmp_path / name, X=images(3, 2)), save(tmp_path / labels, X=np.array([4, 5, 6], "u1"))
    assert read_array(path, labels=labels).labels.tolist() == [4, 5, 6]


@pytest.mark.parametrize("y", [np.arange(4), np.zeros((3, 1)), np.zeros(3, "c8")])
def test_labels_must_match(tmp_path, y):
    path = save(tmp_path / "x.npz", X=images(3, 2), y=y)
    with pytest.raises(ValueError, match="labels must be 3 numbers or texts") as error:
        read_array(path)
    assert str(error.value) == (
        f"{path}: labels must be 3 numbers or texts, one per row; got shape {y.shape} of {y.dtype}."
    )


# Damaged files


def npy(array, shape=None):
    """The bytes of a .npy file, with a shape in its header that may not be that of the array."""
    file = io.BytesIO()
    np.save(file, array)
    if shape is None:
        return file.getvalue()
    old, new = str(array.shape), str(shape)
    return file.getvalue().replace(
        old.encode() + b", }" + b" " * (len(new) - len(old)), new.encode() + b", }"
    )


def npz(member, name="X.npy"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, member)
    return file.getvalue()


GOOD = npy(images(3, 2))
HUGE = npy(images(3, 2), shape=(10**12, 10**5))
LONG = npy(images(3, 2), shape=(4, 2))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.npy", b""),
        ("x.npy", GOOD[:50]),
        ("x.npy", GOOD[:-1]),
        ("x.npy", HUGE),
        ("x.npy", LONG),
        ("x.npy", GOOD.replace(b"False", b"__im(")),
        ("x.npy", npz(GOOD)),
        ("x.npz", b""),
        ("x.npz", GOOD),
        ("x.npz", npz(GOOD)[:-30]),
        ("x.npz", npz(b"no array")),
        ("x.npz", npz(GOOD[:-1])),
        ("x.npz", npz(HUGE)),
        ("x.npz", npz(LONG)),
        ("x.npz", npz(GOOD).replace(bytes(range(6)), bytes([9, 1, 2, 3, 4, 5]))),  # against its checksum
    ],
)
def test_a_damaged_file_is_one_kind_of_error(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"not a readable {path.suffix} file: .") as error:
        read_array(path)
    assert str(error.value).startswith(f"{path}: ")
    assert type(error.value) is ValueError


def test_the_damaged_shapes_are_in_the_headers():
    assert b"(1000000000000, 100000), }" in HUGE
    assert b"(4, 2), }" in LONG


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.idx"])
def test_a_missing_file_is_an_error_of_its_own(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        read_array(tmp_path / name)


# Batches


@pytest.mark.parametrize("n_rows", [1, 3, 10, 11])
def test_batches_are_the_rows_in_order(n_rows):
    X = images(10, 2)
    batches = list(array_batches(X, n_rows))
    assert [len(batch.X) for batch in batches[:-1]] == [n_rows] * (len(batches) - 1)
    assert np.array_equal(np.concatenate([batch.X for batch in batches]), X)
    assert [row for batch in batches for row in batch.ids] == list(range(10))
    assert all(batch.failed == [] and np.shares_memory(batch.X, X) for batch in batches)
    assert batches[0].X.dtype == X.dtype


def test_no_rows_are_no_batches():
    assert list(array_batches(np.empty((0, 3)))) == []


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_rows_that_are_not_finite_fail_with_the_first_column(dtype):
    X = images(6, 4, dtype=dtype)
    X[1, 3], X[4, 2], X[4, 3], X[5, 0] = np.nan, -np.inf, np.nan, np.inf
    first, second = array_batches(X, n_rows=3)
    assert (first.ids, first.failed) == ([0, 2], [Failure(1, "column 3 is nan")])
    assert (second.ids, second.X.tolist()) == ([3], [[12, 13, 14, 15]])
    assert second.failed == [Failure(4, "column 2 is -inf"), Failure(5, "column 0 is inf")]


@pytest.mark.skipif("VAETOOLS_DATA" not in os.environ, reason="$VAETOOLS_DATA names no folder of data")
def test_mnist():
    folder = Path(os.environ["VAETOOLS_DATA"], "mnist")
    data = read_array(folder / "t10k-images-idx3-ubyte.gz", labels=folder / "t10k-labels-idx1-ubyte.gz")
    assert (data.X.shape, data.X.dtype, data.image_shape) == ((10000, 784), np.uint8, (1, 28, 28))
    assert data.labels[:5].tolist() == [7, 2, 1, 0, 4]
