import json
import pickle

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline

from tests.data.pictures import mutations, noise, write_gray, write_hostile
from vaetools import VAE, ImageFileError, ImageReader, read_images
from vaetools.data import reader as reading
from vaetools.data import workers
from vaetools.data.listing import list_images


@pytest.fixture
def folder(tmp_path):
    """Six gray images of 12×12 in two sub-folders, and their rows."""
    folder = tmp_path / "photos"
    rows = []
    for i, label in enumerate(("bad", "good")):
        (folder / label).mkdir(parents=True)
        rows.append(write_gray(folder / label, 3, first=3 * i))
    return folder, np.concatenate(rows)


# What is listed


def test_a_folder_is_searched_and_labeled_by_its_sub_folders(folder):
    images = read_images(folder[0])
    assert np.array_equal(images.X, folder[1])
    assert images.X.dtype == np.uint8
    assert images.image_shape == (1, 12, 12)
    assert images.labels.tolist() == ["bad"] * 3 + ["good"] * 3
    assert images.paths[0] == str(folder[0] / "bad" / "0000.png")


def test_images_beside_sub_folders_have_no_labels(folder):
    write_gray(folder[0], 1, first=9)
    assert read_images(folder[0]).labels is None


def test_other_files_are_ignored_and_named(folder):
    for name in ("notes.txt", ".hidden.png", "good/Thumbs.db"):
        (folder[0] / name).write_text("x")
    images = read_images(folder[0])
    assert len(images.X) == 6
    assert sorted(path[len(str(folder[0])) + 1 :] for path in images.ignored) == [
        ".hidden.png",
        "good/Thumbs.db",
        "notes.txt",
    ]


def test_globs_lists_and_single_files(folder):
    path = folder[0]
    assert np.array_equal(read_images(str(path / "good" / "*.png")).X, folder[1][3:])
    assert np.array_equal(read_images(str(path / "**" / "*3.png")).X, folder[1][[3]])
    one = path / "bad" / "0002.png"
    assert np.array_equal(read_images(one).X, folder[1][[2]])
    assert np.array_equal(
        read_images([one, path / "good", str(path / "bad" / "0000.*")]).X, folder[1][[2, 3, 4, 5, 0]]
    )


def test_a_name_with_glob_signs_is_a_name(tmp_path):
    write_gray(tmp_path, 1)
    (tmp_path / "0000.png").rename(tmp_path / "a[1].png")
    assert read_images(tmp_path / "a[1].png").X.shape == (1, 144)


def test_linked_folders_are_entered_once(folder, tmp_path):
    (tmp_path / "linked").mkdir()
    for name in ("a", "b"):
        (tmp_path / "linked" / name).symlink_to(folder[0], target_is_directory=True)
    (folder[0] / "self").symlink_to(folder[0], target_is_directory=True)
    assert len(list_images(tmp_path / "linked").paths) == 6


def test_one_of_many_that_is_not_there_is_listed(folder):
    paths = read_images(folder[0]).paths
    images = read_images([paths[0], "no/such.png", paths[1]])
    assert np.array_equal(images.X, folder[1][:2])
    assert images.failed == [("no/such.png", "No such file or directory")]


@pytest.mark.parametrize("source", ["no/such/folder", "no/such/*.png", ["no/such.png"]])
def test_what_is_not_there_is_an_error(source):
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        read_images(source)


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(FileNotFoundError, match=r"there is no image; left out: 1 \.txt; text is"):
        read_images(tmp_path)


# What shape they get


def test_size_and_mode_are_decided_by_the_images(tmp_path):
    noise(6, 9).convert("L").convert("RGB").save(tmp_path / "gray.png")
    assert read_images(tmp_path).image_shape == (1, 6, 9)
    noise(6, 9).save(tmp_path / "color.png")
    assert read_images(tmp_path).image_shape == (3, 6, 9)
    assert read_images(tmp_path, mode="gray", size=4).image_shape == (1, 4, 4)
    assert read_images(tmp_path, size=(2, 3)).image_shape == (3, 2, 3)
    assert read_images(tmp_path, image_shape=(1, 5, 7)).X.shape == (2, 35)


def test_sizes_that_differ_need_a_word(tmp_path):
    noise(6, 9).save(tmp_path / "a.png")
    noise(9, 9).save(tmp_path / "b.png")
    with pytest.raises(
        ValueError, match=r"size must be given .*; got [69] × 9 pixels .*\.png.* and [69] × 9"
    ):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 0}, "got size=0"),
        ({"size": "64"}, "got size='64'"),
        ({"size": (4, 4, 4)}, "got size="),
        ({"size": True}, "got size=True"),
        ({"mode": "RGB"}, "mode must be one of .* got 'RGB'"),
        ({"aspect": "fit"}, "aspect must be one of .* got 'fit'"),
        ({"image_shape": (2, 4, 4)}, r"got size=None and image_shape=\(2, 4, 4\)"),
        ({"image_shape": (1, 4, 4), "size": 4}, "says size and mode already"),
    ],
)
def test_wrong_parameters(folder, parameters, message):
    with pytest.raises(ValueError, match=message):
        read_images(folder[0], **parameters)


# What cannot be read


def test_hostile_files_stop_nothing(tmp_path):
    good, bad = write_hostile(tmp_path)
    with pytest.warns(UserWarning, match="got 16 bits in 1 of .* looked at: those of 16 lose the lower byte"):
        images = read_images(tmp_path, size=28)
    assert set(images.paths) == set(good)
    assert {failure.id for failure in images.failed} == set(bad)
    assert all(failure.reason and "\n" not in failure.reason for failure in images.failed)
    assert images.image_shape == (3, 28, 28)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_mutated_files_neither_crash_nor_hang(tmp_path):
    for i, content in enumerate(mutations(2000)):
        (tmp_path / f"{i}.png").write_bytes(content)
    images = read_images(tmp_path, size=16, mode="rgb")
    assert len(images.X) + len(images.failed) == 2000
    assert min(len(images.X), len(images.failed)) > 300


def test_strict_raises_for_the_first(folder):
    (folder[0] / "good" / "0003.png").write_bytes(b"broken")
    assert len(read_images(folder[0]).failed) == 1
    with pytest.raises(ImageFileError, match=r"0003\.png: not an image.*\(1 of 6 files"):
        read_images(folder[0], strict=True)


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(ImageFileError, match="no other file is readable"):
        read_images(tmp_path)
    with pytest.raises(ImageFileError, match=r"1 of 1 files could not be read"):
        read_images(tmp_path, image_shape=(1, 4, 4))


# In parallel


def test_other_processes_give_the_same_rows_in_order(folder, monkeypatch):
    (folder[0] / "good" / "0004.png").write_bytes(b"broken")
    alone = read_images(folder[0], n_jobs=1)
    for name, value in {"_PROBE": 0.0, "_WORTH": 0.0, "_TASK": 1e-9}.items():
        monkeypatch.setattr(workers, f"{name}_SECONDS", value)
    monkeypatch.setattr(workers, "_ROUND_TASKS", 1)
    monkeypatch.setattr(workers, "_PIECE", 1)
    decoded_here = count_decoded(monkeypatch)
    together = read_images(folder[0], image_shape=(1, 12, 12), n_jobs=2)
    assert np.array_equal(together.X, alone.X)
    assert together.paths == alone.paths
    assert together.failed == alone.failed
    assert decoded_here == alone.paths[:1]


def test_batches_do_not_depend_on_how_fast_files_are(folder):
    reader = ImageReader().fit(read_images(folder[0]).paths)
    (batch,) = reader.batches(read_images(folder[0]).paths)
    assert batch.X.shape == (6, 144)
    assert batch.ids == list(range(6))


# The cache


def count_decoded(monkeypatch):
    """Count the files that are decoded."""
    decoded = []
    original = workers.decode_many
    monkeypatch.setattr(
        workers, "decode_many", lambda sources, recipe: decoded.extend(sources) or original(sources, recipe)
    )
    return decoded


def test_a_cache_decodes_once(folder, tmp_path, monkeypatch):
    (folder[0] / "good" / "0004.png").write_bytes(b"broken")
    cache = tmp_path / "rows.npy"
    first = read_images(folder[0], cache=cache)
    decoded = count_decoded(monkeypatch)
    again = read_images(folder[0], cache=cache)
    assert decoded == []
    assert isinstance(again.X, np.memmap)
    for images in (first, again, read_images(folder[0])):
        assert np.array_equal(images.X, folder[1][[0, 1, 2, 3, 5]])
        assert images.failed == first.failed
        assert images.paths == first.paths
    assert np.array_equal(np.load(cache), first.X)  # a plain .npy file


@pytest.mark.parametrize("change", ["content", "settings", "fewer", "size", "lost"])
def test_a_cache_that_no_longer_fits_is_made_anew(folder, tmp_path, change):
    cache, options = tmp_path / "rows.npy", {}
    old = read_images(folder[0], cache=cache)
    before = old.X.copy()
    if change == "content":
        noise(12, 12, seed=99).convert("L").save(folder[0] / "bad" / "0000.png")
    elif change == "settings":
        options = {"size": 6}
    elif change == "fewer":
        (folder[0] / "bad" / "0000.png").unlink()
    elif change == "size":
        cache.write_bytes(cache.read_bytes()[:-1])
    else:
        cache.unlink()
    new = read_images(folder[0], cache=cache, **options)
    assert np.array_equal(new.X, read_images(folder[0], **options).X)
    if change not in ("size", "lost"):
        assert np.array_equal(old.X, before)  # who holds the old map keeps the old rows


@pytest.mark.parametrize("damage", ["whole lines", "half a line", "rows without a line"])
def test_an_interrupted_cache_goes_on(tmp_path, monkeypatch, damage):
    rows = write_gray(tmp_path, 6)
    (tmp_path / "0001.png").write_bytes(b"broken")
    cache, index = tmp_path / "rows.npy", tmp_path / "rows.npy.index"
    monkeypatch.setattr(reading, "_BATCH_ROWS", 2)
    original = workers.decode_many

    def stop(sources, recipe):
        if "0004.png" in str(sources):
            raise KeyboardInterrupt
        return original(sources, recipe)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "_PIECE", 2)
        patch.setattr(workers, "decode_many", stop)
        with pytest.raises(KeyboardInterrupt):
            read_images(tmp_path, cache=cache)
    lines = index.read_bytes().splitlines(keepends=True)
    assert 2 <= len(lines) <= 3
    if damage == "half a line":
        index.write_bytes(b"".join(lines)[:-5])
    elif damage == "rows without a line":
        index.write_bytes(b"".join(lines[:-1]))
    decoded = count_decoded(monkeypatch)
    images = read_images(tmp_path, cache=cache)
    assert np.array_equal(images.X, rows[[0, 2, 3, 4, 5]])
    assert [failure.id[-8:] for failure in images.failed] == ["0001.png"]
    assert len(decoded) == (6 - 3 if damage == "whole lines" else 6)
    assert np.array_equal(np.load(cache), images.X)


def test_new_files_at_the_end_are_appended(tmp_path, monkeypatch):
    first = write_gray(tmp_path, 3)
    cache = tmp_path / "rows.npy"
    read_images(tmp_path, cache=cache)
    second = write_gray(tmp_path, 2, first=3)
    decoded = count_decoded(monkeypatch)
    assert np.array_equal(read_images(tmp_path, cache=cache).X, np.concatenate([first, second]))
    assert len(decoded) == 2


def test_a_file_that_is_no_cache_is_left_alone(folder, tmp_path):
    mine = tmp_path / "mine.npy"
    np.save(mine, np.arange(3))
    with pytest.raises(ValueError, match="is no cache of images, and is left alone"):
        read_images(folder[0], cache=mine)
    assert np.load(mine).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"must be named \*\.npy"):
        read_images(folder[0], cache=tmp_path / "rows.bin")


def test_two_processes_do_not_fill_one_cache(folder, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    cache = tmp_path / "rows.npy"
    read_images(folder[0], cache=cache)
    with open(f"{cache}.index") as index:
        fcntl.flock(index, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another process is filling this cache"):
            read_images(folder[0], cache=cache)
    assert len(read_images(folder[0], cache=cache).X) == 6


def test_an_index_of_something_else_is_left_alone(folder, tmp_path):
    for name in ("rows.npy", "rows.npy.index"):
        (tmp_path / name).write_text('{"mine": 1}\n')
    with pytest.raises(ValueError, match="is no index of a cache, and is left alone"):
        read_images(folder[0], cache=tmp_path / "rows.npy")
    assert (tmp_path / "rows.npy").read_text() == '{"mine": 1}\n'


def test_it_is_shown_in_a_line(folder):
    (folder[0] / "good" / "0004.png").write_bytes(b"broken")
    assert repr(read_images(folder[0])) == "<ImageSet of 5 images of 1×12×12; 1 could not be read>"


def test_the_index_is_plain_json(folder, tmp_path):
    read_images(folder[0], cache=tmp_path / "rows.npy")
    head, *rest = (tmp_path / "rows.npy.index").read_text().splitlines()
    assert json.loads(head)["image_shape"] == [1, 12, 12]
    assert sum(len(json.loads(line)) for line in rest) == 6


# Datasets


class Listed:
    """A dataset as torch has them."""

    targets = (3, 1)

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def test_datasets_are_read_where_folders_are():
    images = read_images(Listed((noise(5, 5, 0), 3), (noise(5, 5, 1), 1)))
    assert images.image_shape == (3, 5, 5)
    assert images.labels.tolist() == [3, 1]
    assert images.paths == [0, 1]
    assert np.array_equal(images.X[1].reshape(3, 5, 5).transpose(1, 2, 0), np.asarray(noise(5, 5, 1)))


def test_torchvision_folders_are_read_as_files(folder):
    from torchvision.datasets import ImageFolder

    images = read_images(ImageFolder(folder[0]))
    assert np.array_equal(images.X, folder[1])
    assert images.labels.tolist() == ["bad"] * 3 + ["good"] * 3
    assert images.paths[0].endswith("0000.png")
    flipped = read_images(ImageFolder(folder[0], transform=lambda image: image.rotate(180)))
    assert np.array_equal(flipped.X, folder[1][:, ::-1])


def test_what_a_dataset_calls_samples_is_its_own_affair():
    dataset = Listed((noise(5, 5, 0), 3), (noise(5, 5, 1), 1))
    dataset.samples = [image for image, _ in dataset.items]
    assert len(read_images(dataset).X) == 2


def test_datasets_of_tensors_are_refused_and_not_cached(tmp_path):
    with pytest.raises(TypeError, match="a path or a PIL image; got ndarray"):
        read_images(Listed((np.zeros((3, 5, 5)), 0)))
    with pytest.raises(ValueError, match="cache needs files"):
        read_images(Listed((noise(), 0)), cache=tmp_path / "rows.npy")


# The transformer


def test_a_pipeline_takes_paths(folder):
    paths = read_images(folder[0]).paths
    vae = VAE(2, image_shape=(1, 6, 6), max_iter=2, contamination=0.1, random_state=0)
    pipeline = make_pipeline(ImageReader(size=6), vae).fit(paths)
    rows = read_images(folder[0], size=6).X
    np.testing.assert_array_equal(pipeline.score_samples(paths), pipeline[-1].score_samples(rows))
    assert pipeline.transform(paths[:2]).shape == (2, 2)


@pytest.mark.parametrize(
    "column",
    [
        list,
        np.array,
        lambda paths: np.array(paths, dtype=object)[:, None],
        pd.Series,
        lambda paths: pd.DataFrame({"path": paths}),
        lambda paths: [Image.open(path) for path in paths],
        lambda paths: [str(path).encode() for path in paths],
    ],
)
def test_columns_of_paths_and_images(folder, column):
    paths = read_images(folder[0]).paths
    assert np.array_equal(ImageReader().fit_transform(column(paths)), folder[1])
    assert np.array_equal(read_images(pd.DataFrame({"path": paths})).X, folder[1])


def test_a_column_transformer_gives_it_a_column(folder):
    table = pd.DataFrame({"path": read_images(folder[0]).paths, "weight": range(6)})
    both = ColumnTransformer([("image", ImageReader(), "path"), ("rest", "passthrough", ["weight"])])
    assert np.array_equal(both.fit_transform(table)[:, :-1], folder[1])
    assert both.get_feature_names_out()[0] == "image__imagereader0"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("photos", "must be a list or a column of paths; got 'photos'"),
        (pd.DataFrame({"a": [1], "b": [2]}), "got 2 columns"),
    ],
)
def test_other_input_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        ImageReader(4, mode="gray").fit(X)


def test_a_path_that_cannot_be_read_is_an_error(folder):
    paths = read_images(folder[0]).paths
    reader = ImageReader().fit(paths)
    for path in paths[1:3]:
        with open(path, "wb") as file:
            file.write(b"broken")
    with pytest.raises(ImageFileError, match=r"not an image.*\(2 of 6 files could not be read\)") as caught:
        reader.transform(paths)
    assert caught.value.path == paths[1]
    assert pickle.loads(pickle.dumps(caught.value)).path == paths[1]


def test_it_is_an_estimator(folder):
    paths = read_images(folder[0]).paths
    reader = ImageReader(size=4, aspect="crop")
    assert clone(reader).get_params() == reader.get_params()
    copied = pickle.loads(pickle.dumps(reader.fit(paths)))
    assert np.array_equal(copied.transform(paths), reader.transform(paths))
    assert reader.get_feature_names_out()[-1] == "imagereader15"
    frame = reader.set_output(transform="pandas").transform(paths[:1])
    assert frame.shape == (1, 16)
