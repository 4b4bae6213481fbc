"""Lists of paths, as editors and shells write them."""

import io
import os

import pytest

from tests.data.pictures import write_gray
from vaetools import read_images
from vaetools.data.listing import list_images
from vaetools.data.path_lists import as_paths, paths_in
from vaetools.data.sources import kind_of

PATHS = ["a.png", "b c.png", "#d.png", "grün.png", " e.png", "日本.png"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n  \n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_lines_are_paths_in_any_encoding(encoding, end):
    text = end.join(["", *PATHS, ""])
    assert paths_in(text.encode(encoding)) == PATHS
    assert paths_in(text.rstrip().encode(encoding)) == PATHS


def test_a_carriage_return_alone_ends_lines_where_nothing_else_does():
    assert paths_in(b"a.png\rb c.png\r") == ["a.png", "b c.png"]
    assert paths_in("a.png\rb.png".encode("utf-16")) == ["a.png", "b.png"]
    assert paths_in(b"a\rb.png\nc.png") == ["a\rb.png", "c.png"]


def test_names_that_are_no_text_are_kept():
    assert [os.fsencode(path) for path in paths_in(b"f\xfcr.png\nb.png")] == [b"f\xfcr.png", b"b.png"]
    assert paths_in(b"a\x0bb\x0cc\xe2\x80\xa8d.png\n") == ["a\x0bb\x0cc\u2028d.png"]  # no ends of lines


def test_find_print0_gives_names_with_line_breaks():
    assert paths_in(b"./a\nb.png\0./c.png\0") == ["./a\nb.png", "./c.png"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with two images."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_several_lists_and_paths_go_together(here, tmp_path):
    (tmp_path / "one.txt").write_text("a.png\n")
    (tmp_path / "two.LST").write_text("b.png\n")
    assert as_paths([tmp_path / "one.txt", "c.png", os.fsencode(tmp_path / "two.LST")]) == [
        "a.png",
        "c.png",
        "b.png",
    ]
    assert as_paths("c.png") == as_paths(["c.png"]) == ["c.png"]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n \r\n"])
def test_a_list_without_paths_is_an_error(tmp_path, content):
    (tmp_path / "none.txt").write_bytes(content)
    with pytest.raises(FileNotFoundError, match=r"none\.txt: a list without a path"):
        as_paths(tmp_path / "none.txt")


def test_standard_input_is_a_list(here, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("a.png\r\n\r\nb.png".encode("utf-16"))))
    assert as_paths("-") == ["a.png", "b.png"]
    monkeypatch.setattr("sys.stdin", io.StringIO("a.png\n"))
    assert as_paths(["-"]) == ["a.png"]
    monkeypatch.setattr("sys.stdin", io.StringIO("c.png\nd.png\n"))
    with pytest.raises(FileNotFoundError, match=r"^standard input: a line must be the path of a file"):
        as_paths("-")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(FileNotFoundError, match="standard input: a list without a path"):
        as_paths("-")


def test_relative_paths_start_in_the_current_folder(tmp_path, monkeypatch):
    write_gray(tmp_path, 2)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "all.txt").write_text("0001.png\nnone.png\n\n0000.png")
    monkeypatch.chdir(tmp_path)
    assert list_images(as_paths("lists/all.txt")).paths == ["0001.png", "none.png", "0000.png"]


def test_notes_beside_images_are_no_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_gray(tmp_path, 2)
    (tmp_path / "notes.txt").write_text("taken in June\nby Ann\n")
    (tmp_path / "more.txt").write_text("0001.png\n0002.png\n")
    assert as_paths(["0000.png", "notes.txt", "more.txt"]) == [
        "0000.png",
        "notes.txt",
        "0001.png",
        "0002.png",
    ]
    assert kind_of(["0000.png", "notes.txt"]) == "images"
    assert [failure.id for failure in read_images(["0000.png", "notes.txt"]).failed] == ["notes.txt"]
    assert kind_of(["notes.txt", "notes.txt"]) == "table"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_around_a_path_are_none_of_its_name(here, quote):
    (here / "list.txt").write_text(f"{quote}a.png{quote}\n{quote}none.png{quote}\nb.png\n{quote}\n")
    assert kind_of("list.txt") == "images"
    assert as_paths("list.txt") == ["a.png", "none.png", "b.png", quote]
    (here / f"{quote}a.png{quote}").write_bytes(b"x")
    assert as_paths("list.txt")[0] == f"{quote}a.png{quote}"


@pytest.mark.parametrize("beside", ["\t3", ",3", ", a class", ";3", " 3", "\ta class, or none"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_labels_beside_paths_are_refused_with_what_to_do(here, beside, quote):
    (here / "list.txt").write_text("".join(f"{quote}{name}{quote}{beside}\n" for name in ("a.png", "b.png")))
    assert kind_of("list.txt") == "images"
    with pytest.raises(FileNotFoundError) as raised:
        as_paths("list.txt")
    assert str(raised.value) == (
        f"list.txt: a line must be the path of a file that is there; got {f'{quote}a.png{quote}{beside}'!r} "
        f"first, and none of 2 is there. Relative paths start in the current folder, {str(here)!r}: keep "
        "'a.png' alone in its line, for images take their labels from folders."
    )


def test_a_table_with_more_columns_than_a_name_and_a_label_is_no_list(here):
    (here / "rows.txt").write_text("a.png,3,4\nb.png,3,4\n")
    assert kind_of("rows.txt") == "table"
    for name in ("0", "1"):
        (here / name).mkdir()
    (here / "rows.txt").write_text("0 1\n1 2\n")  # folders called like numbers make no list of these
    assert kind_of("rows.txt") == "table"


def test_a_list_of_nothing_that_is_there_says_where_it_looked(here, tmp_path, monkeypatch):
    (here / "list.txt").write_text("c.png\nd.png\n")
    with pytest.raises(FileNotFoundError) as raised:
        as_paths("list.txt")
    tried = "a line must be the path of a file that is there; got 'c.png' first, and none of 2 is there. "
    assert str(raised.value) == (
        f"list.txt: {tried}Relative paths start in the current folder, {str(here)!r}: run the command where "
        "they start, or write whole paths."
    )
    (here / "below").mkdir()
    (here / "list.txt").write_text("a.png\nb.png\n")
    monkeypatch.chdir(here / "below")
    with pytest.raises(FileNotFoundError) as raised:
        as_paths("../list.txt")
    assert str(raised.value).endswith(
        f"current folder, {str(here / 'below')!r}: it is there from the folder of the list; run the command "
        f"in {str(here)!r}."
    )


@pytest.mark.parametrize("line", ["s3://bucket/a.png", "*.png", "b.png"])
def test_one_path_that_may_be_there_is_enough(here, line):
    (here / "list.txt").write_text(f"c.png\n{line}\n")
    assert as_paths("list.txt") == ["c.png", line]
