"""Tables that are damaged or something else: one kind of error, of one line."""

import gzip
import io

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from vaetools.data.tables import open_table

PEOPLE = "name,age,born,tall\nAnn,30,2020-01-01,true\nBob,40,2020-01-02,false\n"


def packed(columns):
    """The bytes of a Parquet file."""
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, store_schema=False)
    return file.getvalue()


PARQUET = packed({"a": np.random.default_rng(0).normal(size=1000)})
BAD_NAME = packed({"long": [1.0, 2]}).replace(b"long", b"lo\xff\xfe")
GZIP = gzip.compress("".join(f"{i},{i**5}\n" for i in range(1000)).encode(), mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", PARQUET, r"not a CSV file in UTF-8: it is Parquet; name it so, as \*\.parquet"),
        ("rows.csv", b"PK\3\4" + bytes(9), r"not a CSV file in UTF-8: it is a zip archive, as Excel's workb"),
        ("rows.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "not a readable CSV file: 'utf-16-le' codec can't"),
        ("rows.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a CSV file in UTF-8: it holds zero bytes"),
        ("rows.csv", bytes(range(1, 256)) * 20, "its text must be UTF-8; got the bytes 80 in line 2"),
        ("rows.csv", bytes(range(1, 128)) * 20, "numbers"),
        ("rows.csv", b"\x1f\x8b no gzip", "not a readable CSV file: Unknown compression method"),
        (
            "rows.csv.gz",
            gzip.compress(PEOPLE.encode(), mtime=0)[:-9],
            "not a readable CSV file: Compressed file ended",
        ),
        (
            "rows.csv.gz",
            GZIP[:10] + b"\xff" + GZIP[11:],
            "not a readable CSV file: Error -3 while decompr",
        ),
        ("rows.csv.gz", GZIP[:-8] + b"\xff" * 8, "not a readable CSV file: CRC check failed"),
        ("rows.csv", b'"a\n' + 50_000 * b"1,2\n", r"not a readable CSV file: field larger than field limit"),
        ("rows.csv", b"a" * 2**24, "not a readable CSV file: its first line is longer than 16,777,216 char"),
        ("rows.parquet", BAD_NAME, "not a readable Parquet file: 'utf-8' codec can't decode byte 0xff"),
        ("rows.parquet", b"", "not a readable Parquet file: ."),
        ("rows.parquet", PEOPLE.encode(), "not a readable Parquet file: ."),
        ("rows.parquet", PARQUET[:-1], "not a readable Parquet file: ."),
        ("rows.parquet", PARQUET[:2000], "not a readable Parquet file: ."),
        ("rows.parquet", PARQUET[:20] + 2000 * b"\xff" + PARQUET[2020:], "not a readable Parquet file: ."),
    ],
)
def test_a_damaged_file_is_one_kind_of_error(write, name, content, message):
    path = write(content, name)
    with pytest.raises(ValueError, match=message) as error:
        list(open_table(path).batches())
    assert type(error.value) is ValueError
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_gzip_that_breaks_off_later_is_an_error_then(write):
    rng = np.random.default_rng(0)
    content = "a,b\n" + "".join(f"{x},{y}\n" for x, y in rng.normal(size=(80_000, 2)))
    table = open_table(write(gzip.compress(content.encode(), 1, mtime=0)[:-1000]))
    batches = table.batches()
    assert len(next(batches).X) > 10_000
    with pytest.raises(ValueError, match="not a readable CSV file: Compressed file ended"):
        list(batches)


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_missing_file_is_an_error_of_its_own(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=name):
        open_table(tmp_path / name)


@pytest.mark.parametrize("seed", range(100))
def test_parquet_with_changed_bytes_is_read_or_refused(write, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(PARQUET)
    for place in rng.integers(len(content) - 600, len(content), size=3):
        content[place] = rng.integers(256)
    try:
        list(open_table(write(bytes(content), "rows.parquet")).batches())
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017


def test_a_table_without_a_header_is_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("0.5,1.5\n2,3\n")
    with pytest.raises(ValueError, match=r"first line must name the columns; got 0\.5, 1\.5"):
        open_table(path)
    path.write_text("0,1\n2,3\n")  # as pandas names columns that have none
    assert open_table(path).columns == ["0", "1"]
