"""Which files are read, and as what the others are left out."""

import os

import numpy as np
import pytest
from torchvision.datasets import FakeData

from tests.data.pictures import encoded, noise, write_gray
from vaetools import read_images
from vaetools.data.batches import Failure
from vaetools.data.listing import counted_kinds, list_images
from vaetools.data.patterns import chosen_by
from vaetools.data.sources import kind_of, open_source, read_training


@pytest.fixture
def folder(tmp_path):
    """Good and bad images, masks of the bad ones, and what lies beside them."""
    for name in ("good", "bad", "ground_truth/bad"):
        (tmp_path / name).mkdir(parents=True)
    write_gray(tmp_path / "good", 2)
    write_gray(tmp_path / "bad", 2)
    for i in range(2):
        noise(12, 12).convert("L").save(tmp_path / "ground_truth" / "bad" / f"{i:04}_MASK.png")
    for name in ("notes.txt", "more.TXT", "LICENSE", ".hidden.png", "good/Thumbs.db", "a.very-long-part"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".git").mkdir()
    return tmp_path


def names(folder, listing):
    return [os.path.relpath(path, folder).replace(os.sep, "/") for path in listing.paths]


def test_all_that_is_met_is_read_or_left_out_as_something(folder):
    listing = list_images(folder)
    kinds = {os.path.relpath(path, folder): kind for path, kind in listing.ignored.items()}
    assert kinds == {
        "notes.txt": ".txt",
        "more.TXT": ".txt",
        "LICENSE": "without extension",
        "a.very-long-part": "without extension",
        ".hidden.png": "hidden",
        "good/Thumbs.db": ".db",
        ".git": "hidden folder",
    }
    met = sum(len(files) for _, _, files in os.walk(folder))
    assert len(listing.paths) + len(listing.ignored) == met + 1  # and the hidden folder
    expected = "2 .txt, 2 without extension, 1 hidden folder, 1 hidden, 1 .db"
    assert sorted(counted_kinds(listing.ignored).split(", ")) == sorted(expected.split(", "))
    assert read_images(folder).ignored == listing.ignored


def test_a_folder_that_is_called_like_an_image_is_one_if_images_are_in_it(tmp_path):
    (tmp_path / "full.png").mkdir()
    (tmp_path / "empty.png").mkdir()
    write_gray(tmp_path / "full.png", 2)
    read = read_images(tmp_path)
    assert read.paths == [f"{tmp_path}/full.png/{i:04}.png" for i in range(2)]
    assert read.failed == [Failure(f"{tmp_path}/empty.png", "a folder")]


def test_the_commonest_kinds_are_named():
    ignored = {f"{i}{j}": f".{i}" for i in range(9) for j in range(i + 1)}
    assert counted_kinds(ignored) == "9 .8, 8 .7, 7 .6, 6 .5, 5 .4, 4 .3, 6 others"
    assert counted_kinds({str(i): f".{i}" for i in range(7)}).endswith(", 1 .5, 1 other")


@pytest.mark.parametrize("extension", ["avif", "HEIC", "jxl", "cr2", "dng", "psd", "jp2"])
def test_images_that_cannot_be_read_are_failures(tmp_path, extension):
    write_gray(tmp_path, 3)
    (tmp_path / f"photo.{extension}").write_bytes(b"x")
    images = read_images(tmp_path)
    assert [os.path.basename(failure.id) for failure in images.failed] == [f"photo.{extension}"]
    assert images.ignored == {}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"exclude": "ground_truth/"}, ["bad/0000.png", "bad/0001.png", "good/0000.png", "good/0001.png"]),
        ({"exclude": ["*_mask.png", "good"]}, ["bad/0000.png", "bad/0001.png"]),
        (
            {"include": "bad/"},
            ["bad/0000.png", "bad/0001.png"] + [f"ground_truth/bad/000{i}_MASK.png" for i in (0, 1)],
        ),
        ({"include": "/bad/*"}, ["bad/0000.png", "bad/0001.png"]),
        (
            {"include": ["good", "bad"], "exclude": ["**/0001*", "ground_truth"]},
            ["bad/0000.png", "good/0000.png"],
        ),
        ({"include": "./*/*1.png"}, ["bad/0001.png", "good/0001.png"]),
    ],
)
def test_patterns_choose_files(folder, options, expected):
    listing = list_images(folder, **options)
    assert names(folder, listing) == expected
    assert sum(kind == "excluded" for kind in listing.ignored.values()) == 6 - len(expected)
    assert names(folder, read_images(folder, **options)) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.png", "a/b.PNG", True),
        ("a*", "b/a1/c.png", True),
        ("a/", "b/a", False),  # a file
        ("a/", "b/a/c.png", True),
        ("a/b", "a/b/c.png", True),
        ("a/b", "x/a/b/c.png", False),
        ("**/a/b", "x/a/b/c.png", True),
        ("a/**/c.png", "a/c.png", True),
        ("a/**/c.png", "a/b/d/c.png", True),
        ("a/*", "a/b/c.png", True),
        ("*/c.png", "a/b/c.png", False),
        ("[ab].png", "b.png", True),
        ("?.png", "ab.png", False),
        ("f\udcfc*", "f\udcfcr.png", True),
    ],
)
def test_a_pattern_fits(pattern, path, fits):
    path = path.replace("/", os.sep)
    assert chosen_by(include=pattern)(path) is fits
    assert chosen_by(exclude=[pattern])(path) is not fits


@pytest.mark.parametrize("pattern", ["", "/", "./"])
def test_a_pattern_has_a_name(pattern):
    with pytest.raises(ValueError, match=rf"exclude must be patterns .*; got '{pattern}'"):
        chosen_by(exclude=[pattern])
    with pytest.raises(TypeError, match=r"include must be patterns .*; got bytes"):
        chosen_by(include=[b"*.png"])


def test_nothing_left_says_what_was_left_out(folder):
    with pytest.raises(
        FileNotFoundError,
        match=r": exclude='\*\.png' leaves none of 6 images, [^;]*; left out: 6 excluded, 2 [^;]*$",
    ):
        list_images(folder, exclude="*.png")


def test_files_without_extension_may_be_named_by_a_glob(tmp_path):
    write_gray(tmp_path, 1)
    (tmp_path / "0000.png").rename(tmp_path / "0000")
    with pytest.raises(FileNotFoundError, match=r"1 without extension; the glob .*\* takes files whatever"):
        list_images(tmp_path)
    assert len(read_images(str(tmp_path / "*")).X) == 1


def test_patterns_are_for_images(tmp_path):
    np.save(tmp_path / "rows.npy", np.zeros((3, 2)))
    for read in (open_source, read_training):
        with pytest.raises(ValueError, match="patterns to include or exclude need images; got array"):
            read(tmp_path / "rows.npy", exclude="*.png")
    with pytest.raises(ValueError, match="include and exclude need files; got FakeData"):
        read_images(FakeData(size=2), include="*.png")


def test_a_path_that_is_named_twice_is_read_once(folder):
    first = str(folder / "good" / "0000.png")
    other_way = os.path.join(folder, "good", "..", "good", "0000.png")
    images = read_images([first, other_way, folder / "good", first])
    assert images.paths == [first, str(folder / "good" / "0001.png")]
    assert images.ignored == {
        other_way: "named again",
        first: "named again",
        str(folder / "good" / "Thumbs.db"): ".db",
    }
    twice = list_images([folder / "good", folder])
    assert len(twice.paths) == 6
    everything = list_images(str(folder / "**"))
    assert len(everything.paths) == len(set(everything.paths))


def test_a_folder_of_tables_may_hold_hidden_images_and_links_to_itself(tmp_path):
    (tmp_path / ".thumbnails").mkdir()
    write_gray(tmp_path / ".thumbnails", 1)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path, target_is_directory=True)
    assert kind_of(tmp_path) == "table"
    write_gray(tmp_path, 1)
    assert kind_of(tmp_path) == "images"
    assert len(list_images(tmp_path).paths) == 1


def test_a_list_of_one_path_is_that_path(folder):
    for path in (folder, folder / "good", folder / "goo*"):
        alone, listed = list_images(path), list_images([path])
        assert (listed.paths, listed.folder, listed.labels) == (alone.paths, alone.folder, alone.labels)


@pytest.mark.skipif(os.name != "posix", reason="names are bytes")
def test_paths_may_be_bytes(folder):
    folder_name, path = os.fsencode(folder), os.fsencode(folder / "good" / "0000.png")
    assert list_images(folder_name).paths == list_images(folder).paths
    assert read_images(os.fsencode(folder / "good")).paths == read_images(folder / "good").paths
    assert kind_of(path) == kind_of([path, path]) == "images"
    assert read_images([path]).paths == [str(folder / "good" / "0000.png")]


@pytest.mark.parametrize("name", ["photos.zip", "photos.TAR.gz", "photos.7z", "photos.rar"])
def test_an_archive_is_named_as_such(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        ValueError,
        match=rf"{name}: a \w+ archive, which is not read: unpack it, and name the folder or the file",
    ):
        kind_of(tmp_path / name)


def test_an_archive_among_images_is_known_by_content(tmp_path):
    write_gray(tmp_path, 1)
    path = tmp_path / "photos.bin"
    path.write_bytes(b"PK\x03\x04" + bytes(99))
    (failure,) = read_images([tmp_path / "0000.png", path]).failed
    assert failure.reason == "a zip archive: unpack it, and name the folder or the file"


def test_a_raw_photograph_is_not_taken_for_its_thumbnail(tmp_path):
    write_gray(tmp_path, 1)
    (tmp_path / "photo.NEF").write_bytes(encoded(noise(8, 8), "tif"))
    (failure,) = read_images([tmp_path / "0000.png", tmp_path / "photo.NEF"]).failed
    assert failure.reason == "a raw photograph (NEF), which is not read: export it as TIFF, PNG or JPEG"


def test_a_folder_of_arrays_is_told_what_to_do(tmp_path):
    for name in ("0.npy", "1.npz"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        FileNotFoundError, match=r"no image; left out: 1 \.npy, 1 \.npz; an array is read one"
    ):
        list_images(tmp_path)
    (tmp_path / "1.npz").rename(tmp_path / "1.txt")
    (tmp_path / "0.npy").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"there is no image; left out: 1 \.txt; text is read, .* such as .*1\.txt\.$",
    ):
        list_images(tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"include": "*.jpg"}, "include='*.jpg' fits none of 6 images"),
        ({"include": ["*.jpg", "x/"]}, "include='*.jpg, x/' fits none of 6 images"),
        (
            {"include": "bad/", "exclude": "*.png"},
            "include='bad/' and exclude='*.png' leave none of 6 images",
        ),
    ],
)
def test_patterns_that_leave_nothing_are_named(folder, options, said):
    with pytest.raises(FileNotFoundError) as raised:
        list_images(folder, **options)
    assert said in str(raised.value)
    assert "there is no image" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.jsonl", r"a\.jsonl: a table must be CSV .*; got JSONL\. Convert it with pandas: .*"),
        ("a.zip", r"left out: 1 zip archive; .*a\.zip: a zip archive, which is not read: unpack it"),
        ("a.db", r"a\.db: a table must be .*; got DB"),
    ],
)
def test_a_folder_of_what_is_not_read_says_the_way_to_go(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match=said):
        list_images(tmp_path)


def test_what_is_left_out_is_called_what_it_is(tmp_path):
    write_gray(tmp_path, 1)
    for name in ("a.png~", "b.JPG~", "c.tar.gz", "d.ZIP", "e.7z"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("nowhere", "below.txt", ".hidden"):
        (tmp_path / name).symlink_to("gone")
    listing = list_images(tmp_path)
    assert counted_kinds(listing.ignored) == (
        "2 backup copy, 2 broken link, 1 hidden, 1 tar archive, 1 zip archive, 1 7z archive"
    )
    assert listing.ignored[str(tmp_path / "nowhere")] == "broken link"


def test_a_broken_link_says_where_it_leads(tmp_path):
    write_gray(tmp_path, 1)
    (tmp_path / "b.png").symlink_to("gone.png")
    (tmp_path / "c.png").symlink_to("0000.png")
    images = read_images(tmp_path)
    assert len(images.X) == 2
    assert [failure.reason for failure in images.failed] == ["a broken link: 'gone.png' is not there"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "a.ico",
            b"\0\0\1\0\1\0",
            "a Windows icon image, which is not read: convert it to PNG, TIFF or JPEG",
        ),
        ("a.svg", b"<svg/>", "an SVG drawing, which has no pixels: export it as PNG"),
        ("a.svg", b'<?xml version="1.0"?>\n<svg/>', "an SVG drawing, which has no pixels: export it as PNG"),
    ],
)
def test_icons_and_drawings_are_images_that_could_not_be_read(tmp_path, name, content, reason):
    write_gray(tmp_path, 1)
    (tmp_path / name).write_bytes(content)
    images = read_images(tmp_path)
    assert [failure.reason for failure in images.failed] == [reason]
    assert images.ignored == {}


def test_an_animated_png_is_read_under_its_own_name(tmp_path):
    first, second = noise(8, 8, seed=1), noise(8, 8, seed=2)
    first.save(tmp_path / "a.apng", format="PNG", save_all=True, append_images=[second])
    assert np.array_equal(read_images(tmp_path).X[0], np.asarray(first).transpose(2, 0, 1).ravel())
