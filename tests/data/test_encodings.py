"""Text in whatever encoding: recognized where that is sure, else said; never guessed."""

import codecs
import gzip

import pytest

from tests.data.tables import everything
from vaetools.data import csv_files, encodings
from vaetools.data.dialect import Dialect
from vaetools.data.encodings import TextFile
from vaetools.data.tables import open_table

CITIES = "city,größe\nKöln,1\nÅrhus,2\nKöln,3\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (CITIES.encode(), "utf-8"),
        (CITIES.encode("utf-8-sig"), "utf-8"),
        (CITIES.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + CITIES.encode("utf-16-be"), "utf-16"),
        (CITIES.encode("utf-16-le"), "utf-16-le"),
        (CITIES.encode("utf-16-be"), "utf-16-be"),
        (CITIES.encode("utf-32"), "utf-32"),
        (gzip.compress(CITIES.encode("utf-16"), mtime=0), "utf-16"),
    ],
)
def test_unicode_is_recognized(write, content, encoding):
    table = open_table(write(content), id_column="city")
    assert table.dialect.encoding == encoding
    assert (table.columns, everything(table)[:2]) == (["größe"], (["Köln", "Århus", "Köln"], [[1], [2], [3]]))


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "utf-16", "utf-8"])
def test_the_encoding_that_is_said_gives_what_its_clean_copy_gives(write, encoding):
    clean = open_table(write(CITIES, "clean.csv"), mixed=True).read()[0]
    path = write(CITIES.encode(encoding))
    table = open_table(path, mixed=True, dialect=Dialect(encoding=encoding))
    assert table.read()[0].equals(clean)
    assert table.dialect.is_plain == (encoding == "utf-8")


@pytest.mark.parametrize(
    ("content", "said", "message"),
    [
        (
            CITIES.encode("cp1252"),
            None,
            r"UTF-8; got the bytes f6 in line 1, in 'city,gr\ufffd\ufffde'",
        ),
        (b"a,b\n1,2\n3,x\xe9\n", None, r"must be UTF-8; got the bytes e9 in line 3, in '3,x\ufffd'"),
        (b"a,b\n1,\x81\n", "cp1252", "must be CP1252; got the bytes 81 in line 2"),
        (CITIES.encode("cp1252"), "utf-8", "must be UTF-8; got the bytes f6"),
    ],
)
def test_another_encoding_is_refused_with_its_first_bytes_and_the_option(write, content, said, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as error:
        TextFile(path, said)
    assert str(error.value).startswith(f"{path}: its text ")
    assert str(error.value).endswith("Say which encoding it is written in, such as encoding='cp1252'.")


def test_what_is_utf8_is_advised_as_such(write):
    path = write("Łódź,b\n1,2\n".encode())
    with pytest.raises(ValueError, match="must be CP1252; got the bytes 81") as error:
        TextFile(path, "cp1252")
    assert str(error.value).endswith("Say which encoding it is written in, such as encoding='utf-8'.")


def test_rows_in_another_encoding_far_below_are_listed_and_others_go_on(write, monkeypatch):
    monkeypatch.setattr(encodings, "SAMPLE", 20)
    monkeypatch.setattr(csv_files, "BLOCK", 30)
    rows = [f"{i},no {i},x" for i in range(20)]
    rows[11] = "11,no \xf6\xe4,x"
    rows[13] = "13,no 13,\xf6"  # in a column that nobody asked for
    content = "\n".join(["a,name,other", *rows]).encode("latin-1")
    ids, X, failed = everything(open_table(write(content), columns=["a"], id_column="name"))
    assert [row for (row,) in X] == [*range(11), *range(12, 20)]
    assert ids[11] == "no 12"
    assert failed == [(11, "column 'name' holds bytes that are not UTF-8 (f6 e4): say the encoding")]


def test_zero_bytes_are_no_text(write):
    with pytest.raises(ValueError, match="not a CSV file in UTF-8: it holds zero bytes"):
        TextFile(write(b"a,b\n1,\0\n"))


@pytest.mark.parametrize(
    ("content", "encoding", "is_said"),
    [
        (CITIES.encode(), "cp1252", True),
        (CITIES.encode("cp1252"), "cp1252", False),
        (CITIES.encode(), "utf-8", False),
        (CITIES.encode("utf-16"), "utf-16", False),
        (b"city,n\nRome,1\n", "cp1252", False),  # the same text in both
    ],
)
def test_it_is_said_where_text_in_the_encoding_that_was_said_is_utf_8(write, content, encoding, is_said):
    table = open_table(write(content), mixed=True, dialect=Dialect(encoding=encoding))
    note = f"Read as {encoding}, as was said; its bytes are UTF-8 as well."
    assert (note in table.notes) == is_said
