"""Which files are tables, how they are opened, and which make one table together."""

import bz2
import gzip
import lzma
import re
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from tests.data.pictures import write_gray
from tests.data.tables import everything
from vaetools.data.batches import Failure
from vaetools.data.sources import kind_of
from vaetools.data.tables import open_table

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "name": ["x", "y", "z"]})
CSV = FRAME.to_csv(index=False)
ROWS = (["x", "y", "z"], [[1, 0.5], [2, 1.5], [3, 2.5]], [])


def as_stream(path):
    """A stream of Arrow in a file."""
    table = pa.Table.from_pandas(FRAME)
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


WRITERS = {
    "rows.csv": lambda path: path.write_text(CSV),
    "rows.TSV": lambda path: FRAME.to_csv(path, sep="\t", index=False),
    "rows.tab": lambda path: FRAME.to_csv(path, sep="\t", index=False),
    "rows.data": lambda path: FRAME.to_csv(path, sep=" ", index=False),
    "rows.txt": lambda path: path.write_text(CSV),
    "rows": lambda path: path.write_text(CSV),
    "rows.export": lambda path: path.write_text(CSV, encoding="utf-16"),
    "rows.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "rows.csv.bz2": lambda path: path.write_bytes(bz2.compress(CSV.encode())),
    "rows.csv.xz": lambda path: path.write_bytes(lzma.compress(CSV.encode())),
    "rows.csv.zst": lambda path: path.write_bytes(pa.compress(CSV.encode(), "zstd", asbytes=True)),
    "rows.csv.lz4": lambda path: path.write_bytes(pa.compress(CSV.encode(), "lz4", asbytes=True)),
    "rows.parquet": FRAME.to_parquet,
    "rows.pq": FRAME.to_parquet,
    "rows.feather": FRAME.to_feather,
    "plain.feather": lambda path: feather.write_feather(FRAME, path, compression="uncompressed"),
    "rows.arrow": as_stream,
    "rows.arrows": as_stream,
}


@pytest.mark.parametrize("name", WRITERS)
def test_one_table_in_many_formats(tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path)
    assert kind_of(path) == "table"
    table = open_table(path, id_column="name")
    assert (table.columns, everything(table)) == (["a", "b"], ROWS)
    assert everything(table, n_rows=2) == ROWS
    assert open_table(path, labels="name").read()[1].tolist() == ["x", "y", "z"]


def test_excel_is_read_where_its_package_is(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "rows.xlsx"
    FRAME.assign(mixed=[1, "b", None]).to_excel(path)
    table = open_table(path, id_column="name", drop=["mixed"])
    assert (table.columns, everything(table)) == (["a", "b"], ROWS)
    assert table.notes == ["Left out as an index: column 1, 'Unnamed: 0', whose numbers name rows."]
    with pd.ExcelWriter(path) as book:
        FRAME.to_excel(book, sheet_name="north", index=False)
        FRAME.to_excel(book, sheet_name="south", index=False)
    assert open_table(path, drop=["name"]).notes == ["Read: the first of 2 sheets, 'north'."]


def test_excel_names_the_package_that_it_takes(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    path = tmp_path / "rows.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "")
        file.writestr("xl/workbook.xml", "")
    with pytest.raises(ValueError, match=r"rows\.xlsx: workbooks .* are read with the package openpyxl"):
        open_table(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4" + bytes(99)])
@pytest.mark.parametrize("name", ["rows.xlsx", "rows.feather", "rows.arrow"])
def test_damaged_files_are_one_kind_of_error(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: not a readable (Excel|Arrow) file: .") as error:
        open_table(tmp_path / name)
    assert type(error.value) is ValueError
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.XLS", "rows.sqlite", "rows.json.gz"])
def test_other_tables_are_named_with_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0" if name.endswith("XLS") else b"{}")
    kind = name.split(".")[1].upper()
    with pytest.raises(ValueError, match=rf"{name}: a table must be CSV .* or \.xlsx; got {kind}\. Con"):
        kind_of(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("list.txt", "a.png\nb.png\n", "images"),
        ("list.txt", "\ufeff\n\nhere.csv\n", "images"),  # a file that is there
        ("list.txt", "nowhere\nhere.csv\nhere.csv\n", "images"),
        ("list.lst", CSV, "images"),
        ("rows.txt", CSV, "table"),
        ("rows.txt", "a.png,b\n1,2\n3,4\n", "table"),  # a name like an image's
        ("photo.PNG", CSV, "images"),
        ("photo", "\0\1\2", "images"),
        ("photo.txt", "", "images"),
    ],
)
def test_text_is_a_table_unless_it_lists_files(tmp_path, monkeypatch, name, content, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.csv").write_text(CSV)
    (tmp_path / name).write_text(content)
    assert kind_of(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("name", "content", "came"),
    [
        (
            "rows.xls",
            b"\n<html><table>",
            "HTML that is called XLS. Convert it with pandas: pandas.read_html",
        ),
        (
            "rows.xlsx",
            b"<!DOCTYPE html>",
            "HTML that is called XLSX. Convert it with",
        ),
        ("rows.xls", CSV.encode(), "text that is called XLS. Rename it to .csv"),
        ("rows.xls", b"PK\3\4", "new Excel that is called XLS. Rename it to .xlsx"),
        (
            "rows.xlsx",
            b"\xd0\xcf\x11\xe0",
            "old Excel that is called XLSX. Convert it",
        ),
    ],
)
def test_a_workbook_in_name_alone_is_told_what_it_is(tmp_path, name, content, came):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}: a table must be CSV .*; got {re.escape(came)}"):
        kind_of(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv.br", "Brotli"), ("a.csv.Z", "compress"), ("a.tar.lz4", "tar"), ("a.csv.lzma", "LZMA")],
)
def test_what_cannot_be_unpacked_is_named(tmp_path, name, kind):
    (tmp_path / name).write_bytes(b"...")
    with pytest.raises(ValueError, match=rf"{name}: a {kind} archive, which is not read: unpack it"):
        kind_of(tmp_path / name)


def parts(folder, suffix="parquet"):
    """Two parts of a table, as Spark leaves them."""
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate([FRAME, FRAME.iloc[:2]]):
        path = folder / f"part-0000{i}.{suffix}"
        frame.to_parquet(path) if suffix == "parquet" else frame.to_csv(path, index=False)
    for name in ("_SUCCESS", "_metadata", ".part-00000.parquet.crc", ".hidden.csv"):
        (folder / name).write_bytes(b"x")
    return folder


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("named", ["folder", "files", "glob"])
def test_parts_are_one_table_whose_rows_are_named_by_file(tmp_path, suffix, named):
    folder = parts(tmp_path / "sales", suffix)
    first, second = sorted(map(str, folder.glob(f"part-*.{suffix}")))
    data = {"folder": folder, "files": [first, second], "glob": str(folder / f"*.{suffix}")}[named]
    assert kind_of(data) == "table"
    table = open_table(data, drop=["name"])
    assert table.n_rows == (5 if suffix == "parquet" else None)
    ids, X, failed = everything(table)
    assert ids == [f"{first}:0", f"{first}:1", f"{first}:2", f"{second}:0", f"{second}:1"]
    assert (X, failed) == ([[1, 0.5], [2, 1.5], [3, 2.5], [1, 0.5], [2, 1.5]], [])
    X, y, failed = open_table(data, labels="name", id_column="a").read()
    assert (X.index.tolist(), y.tolist()) == (["1", "2", "3", "1", "2"], ["x", "y", "z", "x", "y"])


def test_folders_and_files_together_are_one_table(tmp_path):
    folder = parts(tmp_path / "old.csv", "csv")  # Spark names folders so
    (tmp_path / "new.csv").write_text(CSV)
    assert kind_of(folder) == kind_of([folder, tmp_path / "new.csv"]) == kind_of([folder, folder]) == "table"
    assert len(everything(open_table([folder, tmp_path / "new.csv"], drop=["name"]))[0]) == 8


def test_what_lies_beside_the_parts_is_counted_or_is_a_part(tmp_path):
    folder = parts(tmp_path / "t", "csv")
    FRAME.to_csv(folder / "z.txt", index=False)
    FRAME[["name", "b", "a"]].to_csv(folder / "part-2", index=False, sep="\t")
    for name in ("c.csv.zip", "c.jsonl", "x.json", "readme.md", "b.pdf", ".0.csv.crc"):
        (folder / name).write_bytes(b"x")
    (folder / "notes.txt").write_text("these, are\nnotes, of mine\n")
    FRAME.drop(columns="a").to_csv(folder / "other.dat", index=False)
    (folder / "_temporary").mkdir()
    table = open_table(folder, drop=["name"])
    rows = [[1, 0.5], [2, 1.5], [3, 2.5]]
    assert everything(table)[1] == [*rows, *rows[:2], *rows, *rows]
    hidden = ("_SUCCESS", "_metadata", ".part-00000.parquet.crc", ".hidden.csv", ".0.csv.crc")
    extensions = {"x.json": ".json", "readme.md": ".md"}
    extensions |= {"b.pdf": ".pdf", "notes.txt": ".txt", "other.dat": ".dat", "_temporary": "hidden folder"}
    expected = extensions | dict.fromkeys(hidden, "hidden")
    assert [failure.id for failure in table.listing.failed] == [
        f"{folder}/{n}" for n in ("c.csv.zip", "c.jsonl")
    ]
    assert table.listing.ignored == {f"{folder}/{name}": kind for name, kind in expected.items()}


def test_a_folder_that_is_a_link_is_looked_into(tmp_path):
    parts(tmp_path / "elsewhere")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "link").symlink_to(tmp_path / "elsewhere")
    assert len(everything(open_table(tmp_path / "t", drop=["name"]))[0]) == 5


def test_a_table_that_is_named_twice_is_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts(tmp_path / "t", "csv")
    (tmp_path / "d.csv").write_text("a,b\n1,2\n")
    table = open_table(["d.csv", "./d.csv", "d.csv"])
    assert everything(table) == ([0], [[1, 2]], [])
    assert table.listing.ignored == {"./d.csv": "named again", "d.csv": "named again"}
    table = open_table(["t", "t/part-00000.csv"], drop=["name"])
    assert len(everything(table)[0]) == 5
    assert table.listing.ignored["t/part-00000.csv"] == "named again"


def test_a_part_that_cannot_be_opened_is_listed(tmp_path):
    folder = parts(tmp_path / "t", "csv")
    (folder / "0.csv").write_bytes(b"")
    missing = f"{tmp_path}/none.csv"
    expected = [
        Failure(f"{folder}/0.csv", "a table must start with the names of its columns; got no text."),
        Failure(missing, f"[Errno 2] No such file or directory: {missing!r}"),
    ]
    table = open_table([folder, missing], drop=["name"])
    ids, _, failed = everything(table)
    assert (len(ids), failed) == (5, expected)
    assert table.read()[2] == expected
    (folder / "0.csv").rename(tmp_path / "1.csv")
    with pytest.raises(ValueError, match=r"1\.csv: a table must start"):
        open_table([tmp_path / "1.csv", missing])


def damaged(folder, kind, n_rows):
    """A part of two columns of numbers that is damaged behind its beginning."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(n_rows, 2)), columns=["a", "b"])
    path = folder / f"0.{kind}"
    if kind == "parquet":
        frame.to_parquet(path, row_group_size=n_rows // 4)
        content = bytearray(path.read_bytes())
        start = parquet.read_metadata(path).row_group(2).column(0).dictionary_page_offset
        content[start : start + 20] = bytes(20)
        path.write_bytes(content)
    else:
        frame.to_csv(path, index=False)
        path.write_bytes(path.read_bytes()[:-1000])
    return path


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(
    ("kind", "n_rows", "reason"),
    [
        ("csv.gz", 80_000, "not a readable CSV file: Compressed file ended"),
        ("csv.gz", 40_000, "not a readable CSV file: Compressed file ended"),  # behind what tells the dialect
        ("parquet", 80_000, "not a readable Parquet file: "),
    ],
)
def test_a_part_that_is_damaged_within_costs_the_rest_of_it(tmp_path, kind, n_rows, reason, mixed):
    path = damaged(tmp_path, kind, n_rows)
    whole = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [0.5, 0.25, 0.1]})
    if kind == "parquet":
        whole.to_parquet(tmp_path / f"1.{kind}")
    else:
        whole.to_csv(tmp_path / f"1.{kind}", index=False)
    table = open_table(tmp_path, mixed=mixed)
    X, _, failed = table.read()
    (failure,) = failed
    assert failure.id == str(path)
    assert failure.reason.startswith(reason)
    assert failure.reason.endswith(f"; {len(X) - 3:,} rows before that were read")
    assert X.index[-3:].tolist() == [f"{tmp_path}/1.{kind}:{row}" for row in range(3)]
    assert X.iloc[-3:].to_numpy().tolist() == whole.to_numpy().tolist()
    batches = list(open_table(tmp_path, columns=["b", "a"], id_column="a").batches())
    assert sum(len(batch.ids) for batch in batches) == len(X)
    assert [failure for batch in batches for failure in batch.failed] == failed


def test_a_failure_is_told_where_no_part_has_rows(tmp_path):
    (tmp_path / "0.csv").write_bytes(b"")
    (tmp_path / "1.csv").write_text("a,b\n")
    ids, _, failed = everything(open_table(tmp_path, columns=["a"]))
    assert (ids, [failure.id for failure in failed]) == ([], [f"{tmp_path}/0.csv"])


@pytest.mark.parametrize("mixed", [False, True])
def test_a_part_whose_numbers_are_written_otherwise_is_listed_once(tmp_path, mixed):
    (tmp_path / "a.csv").write_text("a,b\n" + 9 * "1.5,2\n")
    (tmp_path / "b.csv").write_text("a;b\n" + 5 * "1,5;2\n")
    (tmp_path / "c.csv").write_text("a;b\n1;2\n")  # may be either
    X, _, failed = open_table(tmp_path, columns=["a", "b"], mixed=mixed).read()
    assert X["a"].tolist() == [*9 * [1.5], 1]
    reason = (
        "its numbers are written otherwise (decimal commas) than those of the other files (decimal points): "
        "read it alone"
    )
    assert failed == [Failure(f"{tmp_path}/b.csv", reason)]


ASIDE = (
    "its numbers are written otherwise (decimal {}) than those of the other files (decimal {}): read it alone"
)
UNCLEAR = (
    "column 'a' must be written so that its numbers have one meaning; got '4,841', which may be 4.841 or "
    "4841. Say which: decimal=',' or thousands=','."
)


@pytest.mark.parametrize(
    ("first", "second", "numbers", "reason"),
    [
        ("a,b\n" + 9 * "4.84,8.17\n", "a;b\n4,841;8,174\n", 9 * [[4.84, 8.17]], f"{UNCLEAR} Read it alone."),
        (
            "a;b\n" + 9 * "4,84;8,17\n",
            "a,b\n4.841,8.174\n",
            9 * [[4.84, 8.17]],
            ASIDE.format("points", "commas"),
        ),
        (
            "a;b\n" + 9 * "4.84;8.17\n",
            "a;b\n4,841;0,174\n",  # with the same separator: its own cells tell
            9 * [[4.84, 8.17]],
            ASIDE.format("commas", "points"),
        ),
    ],
)
def test_what_one_part_leaves_open_no_other_separator_tells(tmp_path, first, second, numbers, reason):
    (tmp_path / "1.csv").write_text(first)
    (tmp_path / "2.csv").write_text(second)
    table = open_table(tmp_path)
    assert everything(table)[1:] == (numbers, [Failure(f"{tmp_path}/2.csv", reason)])
    assert table.dialect.separator == first[1]


@pytest.mark.parametrize(
    ("first", "second", "numbers"),
    [
        ("a;b\n4,84;8,17\n", "a;b\n4,841;8,174\n", [[4.84, 8.17], [4.841, 8.174]]),
        ("a;b\n1.234.567;5\n", "a;b\n1.234;8\n", [[1234567, 5], [1234, 8]]),
        ('a,b\n"1,234.5",5\n', "a,b\n0.5,8\n", [[1234.5, 5], [0.5, 8]]),
        ("a;b\n4,84;8,17\n", "a,b\n4841,8174\n", [[4.84, 8.17], [4841, 8174]]),
        ("a;b\n4.84;8.17\n", "a,b\n4.841,8.174\n", [[4.84, 8.17], [4.841, 8.174]]),
    ],
)
def test_parts_that_tell_the_same_are_read_together(tmp_path, first, second, numbers):
    (tmp_path / "1.csv").write_text(first)
    (tmp_path / "2.csv").write_text(second)
    assert everything(open_table(tmp_path))[1:] == (numbers, [])


def test_parts_are_refused_where_none_tells_of_fractions(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n" + 9 * "4,8\n")
    (tmp_path / "2.csv").write_text("a;b\n4,841;8,174\n")
    with pytest.raises(ValueError, match=re.escape(UNCLEAR)):
        open_table(tmp_path)


def test_the_dialect_is_that_of_the_parts_that_are_read(tmp_path):
    (tmp_path / "1.csv").write_text("a;b\n1,257;0,5\n")
    (tmp_path / "2.csv").write_text("a,b\n" + 9 * "1.257,0.5\n")
    table = open_table(tmp_path)
    assert str(table.dialect) == "commas between cells, decimal points, UTF-8"
    assert [failure.reason for failure in table.listing.failed] == [ASIDE.format("commas", "points")]


def test_one_part_is_a_table_with_plain_row_numbers(tmp_path):
    (tmp_path / "t").mkdir()
    FRAME.to_parquet(tmp_path / "t" / "part-0.parquet")
    assert everything(open_table(tmp_path / "t", drop=["name"]))[0] == [0, 1, 2]


def test_failures_name_file_and_row_in_order(tmp_path):
    for name, rows in (("1.csv", "1,2\n,3\n"), ("2.csv", "x,4\n" + 10 * "5,6\n" + "7\n")):
        (tmp_path / name).write_text("a,b\n" + rows)
    table = open_table(tmp_path)
    expected = [
        Failure(f"{tmp_path}/1.csv:1", "column 'a' is missing"),
        Failure(f"{tmp_path}/2.csv:0", "column 'a' is 'x', not a number"),
        Failure(f"{tmp_path}/2.csv:11", "has 1 cell instead of 2"),
    ]
    assert everything(table)[2] == table.read()[2] == expected


def test_a_delta_table_is_more_than_its_files(tmp_path):
    parts(tmp_path / "t")
    (tmp_path / "t" / "_delta_log").mkdir()
    with pytest.raises(ValueError, match="t: a Delta table has a log of the files that count"):
        open_table(tmp_path / "t")


def test_files_of_one_table_agree_in_their_columns_in_whatever_order(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("b;a\n2,5;1\n")
    assert everything(open_table(tmp_path))[1] == [[1, 2], [1, 2.5]]  # in a separator of its own, too
    (tmp_path / "3.csv").write_text("a,c\n1,2\n")
    with pytest.raises(ValueError, match=r"3\.csv: files .* must have the same columns; got no 'b', which"):
        open_table(tmp_path)
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=r"folder must be of one format; got .*\.csv and .*\.parquet"):
        open_table(tmp_path)


def test_all_files_say_how_numbers_are_written(tmp_path):
    (tmp_path / "1.csv").write_text('a,b\n"1,234",5\n')  # alone it could be a fraction
    (tmp_path / "2.csv").write_text('a,b\n"1,234,567",5\n')
    assert everything(open_table(tmp_path))[1] == [[1234, 5], [1234567, 5]]


def test_an_empty_part_is_no_obstacle(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n")
    (tmp_path / "2.csv").write_text("a,b\n1,2\n")
    assert everything(open_table(tmp_path))[1] == [[1, 2]]


def test_folders_named_after_a_column_are_told(tmp_path):
    FRAME.assign(year=[1, 1, 2]).drop(columns="name").to_parquet(tmp_path / "t", partition_cols=["year"])
    assert kind_of(tmp_path / "t") == "table"
    table = open_table(tmp_path / "t")
    assert table.notes == ["Not read: year, after which folders are named."]
    assert np.sort([row[0] for row in everything(table)[1]]).tolist() == [1, 2, 3]


def test_parts_of_several_types_go_together(tmp_path):
    for i, kind in enumerate([pa.int32(), pa.float64()]):
        table = pa.table({"a": pa.array([1, 2], kind), "label": pa.array([i, i + 1], kind)})
        parquet.write_table(table, tmp_path / f"{i}.parquet")
    X, y, _ = open_table(tmp_path, labels="label").read()
    assert (X["a"].tolist(), y.tolist()) == ([1, 2, 1, 2], [0, 1, 1, 2])


def test_mixed_parts_learn_their_kinds_together(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text("a,b\nx,2\n")
    assert open_table(tmp_path, mixed=True).read()[0]["a"].tolist() == ["1", "x"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.npy", "b.npy"], r"a\.npy: arrays are read one at a time; got 2 files"),
        (["a.csv", "photo.png"], r"a\.csv: tables are read with tables alone; got photo\.png beside it"),
    ],
)
def test_kinds_are_not_mixed(names, message):
    with pytest.raises(ValueError, match=message):
        kind_of(names)


def test_a_folder_with_an_image_is_images(tmp_path):
    parts(tmp_path / "t")
    write_gray(tmp_path / "t", 1)
    assert kind_of(tmp_path / "t") == "images"
    assert kind_of(tmp_path / "nowhere") == "images"
