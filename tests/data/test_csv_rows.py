"""Rows of CSV, in whatever form they come."""

import csv
import gzip
import io

import numpy as np
import pytest

from tests.data.tables import everything
from vaetools.data import csv_files
from vaetools.data.batches import Failure
from vaetools.data.tables import open_table


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "a,b\n1,2\n3,4",
        "\na,b\n1,2\n\n\n3,4\n\n",
        "\ufeffa,b\n1,2\n3,4\n",
        "a;b\n1;2\n3;4\n",
        "a|b\n1|2\n3|4\n",
        "a\tb\n1\t2\n3\t4\n",
        '"a","b"\n"1","2"\n"3","4"\n',
        "a,b\n1e0,2.0\n+3,.4E+1\n",
        "a,b\n 1 ,2\n3, 4\n",
        gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0),
    ],
)
@pytest.mark.parametrize("name", ["rows.csv", "rows.CSV", "rows.csv.gz", "rows.txt", "rows.tsv"])
def test_one_table_in_many_spellings(write, content, name):
    table = open_table(write(content, name))
    assert (table.columns, table.id_name, table.labels, table.n_rows) == (["a", "b"], "row", None, None)
    assert everything(table) == ([0, 1], [[1, 2], [3, 4]], [])
    assert len(list(table.batches())) == 1


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,b;c", ["a", "b;c"]),
        ('"a,b";c', ["a,b", "c"]),
        ('"a\nb","c, ""d"""', ["a\nb", 'c, "d"']),
        ("Größe,長さ", ["Größe", "長さ"]),
        ("a b, c", ["a b", "c"]),
        (' a , "b, c"', ["a", "b, c"]),
    ],
)
def test_names(write, header, names):
    separator = ";" if header == '"a,b";c' else ","
    table = open_table(write(f"{header}\n1{separator}2\n"))
    assert table.columns == names
    assert everything(table) == ([0], [[1, 2]], [])


def test_a_tsv_is_split_at_tabs_first(write):
    assert open_table(write("a,b\tc\n1\t2\n", "rows.tsv")).columns == ["a,b", "c"]
    assert open_table(write("a\n1\n2\n")).columns == ["a"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("true", 1),
        ("False", 0),
        ("TRUE", 1),
        ("9007199254740993", 2**53),
        ("123456789012345678901234567890", 123456789012345678901234567890.0),
        ("-1.5e-3", -0.0015),
        ("1e-400", 0),
        ("0.1", 0.1),
        ("5.", 5),
        ("00012", 12),
    ],
)
@pytest.mark.parametrize("beside", ["0", "abc"])  # read at once, or cell by cell
def test_cells(write, cell, value, beside):
    table = open_table(write(f"a,b\n1,1\n1,1\n{cell},2\n1,{beside}\n"))
    assert everything(table)[1][2] == [value, 2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("3,", "column 'b' is missing"),
        ("3,NA", "column 'b' is missing"),
        ("3,NaN", "column 'b' is missing"),
        ("3,nan", "column 'b' is missing"),
        ('3,""', "column 'b' is missing"),
        ("3,  ", "column 'b' is missing"),
        (",abc", "column 'a' is missing"),
        ("3,abc", "column 'b' is 'abc', not a number"),
        ("3,0x1F", "column 'b' is '0x1F', not a number"),
        ("3,1_000", "column 'b' is '1_000', not a number"),
        ('3,"1,5"', "column 'b' is '1,5', not a number with decimal points"),
        ("3,1 2", "column 'b' is '1 2', not a number"),
        ("3,٣", "column 'b' is '٣', not a number"),
        ("3,2020-01-01", "column 'b' is '2020-01-01', not a number"),
        ('3,"a\nb"', "column 'b' is 'a\\nb', not a number"),
        ("3," + "x" * 1000, "column 'b' is 'xxxxxxxxxxxx...xxxxxxxxxxxxx', not a number"),
        ("3,inf", "column 'b' is inf, not a finite number"),
        ("3,-Infinity", "column 'b' is -inf, not a finite number"),
        ("1e999,3", "column 'a' is inf, not a finite number"),
        ("3", "has 1 cell instead of 2"),
        ("3,4,5", "has 3 cells instead of 2"),
    ],
)
def test_a_row_that_cannot_be_used_does_not_stop_the_rest(write, row, reason):
    table = open_table(write(f"a,b\n1,2.5\n{row}\n5,6.5\n7,8\n"))
    expected = [[1, 2.5], [5, 6.5], [7, 8]], [Failure(1, reason)]
    assert everything(table) == ([0, 2, 3], *expected)
    X, y, failed = table.read()
    assert (X.to_numpy().tolist(), failed) == expected
    assert y is None


def test_every_unusable_row_is_listed_in_order(write):
    table = open_table(write("a,b\n1,2\n,2\n1\n1,x\n1,2,3\n1,inf\n5,6\n"))
    reasons = [
        Failure(1, "column 'a' is missing"),
        Failure(2, "has 1 cell instead of 2"),
        Failure(3, "column 'b' is 'x', not a number"),
        Failure(4, "has 3 cells instead of 2"),
        Failure(5, "column 'b' is inf, not a finite number"),
    ]
    assert everything(table) == ([0, 6], [[1, 2], [5, 6]], reasons)
    for n_rows in (1, 2, 3, 7):
        batches = list(table.batches(n_rows))
        assert max(len(batch.X) for batch in batches) <= n_rows
        assert everything(table, n_rows) == everything(table)


def test_what_follows_the_first_block_may_be_of_another_type(write, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK", 16)
    numbers = "".join(f"{i},{i}\n" for i in range(50))
    table = open_table(write(f"a,b\n{numbers}0.5,true\nabc,1\n\n7,\n8\n9,9\n"))
    ids, rows, failed = everything(table)
    assert ids == [*range(51), 54]
    assert rows == [*([i, i] for i in range(50)), [0.5, 1], [9, 9]]
    assert failed == [
        Failure(51, "column 'a' is 'abc', not a number"),
        Failure(52, "column 'b' is missing"),
        Failure(53, "has 1 cell instead of 2"),
    ]


def naive(content, features, id_column):
    """The slow and obvious twin: ids, rows and numbers of failed rows."""
    names, *rows = [row for row in csv.reader(io.StringIO(content)) if row]
    ids, X, failed = [], [], []
    for row, cells in enumerate(rows):
        try:
            named = dict(zip(names, cells, strict=True))
            X.append([float(named[name]) for name in features])
            ids.append(named[id_column])
        except ValueError:
            failed.append(row)
    return ids, X, failed


@pytest.mark.parametrize("block", [1, 3, 7, 20, 100, 2**21])
@pytest.mark.parametrize("seed", range(8))
def test_random_tables_equal_the_naive_reading_wherever_blocks_end(write, monkeypatch, block, seed):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    rng = np.random.default_rng(seed)
    texts = ["", "plain", 'a "quoted" word', "comma, here", "two\nlines", '"', '""', "\n", "ä€😀", '",\n"']
    numbers = ["1", "-2.5", "1e3", "", "word", "0"]
    file = io.StringIO()
    quoting = [csv.QUOTE_ALL, csv.QUOTE_MINIMAL][seed % 2]
    writer = csv.writer(file, quoting=quoting, lineterminator="\n")
    writer.writerow(["x", "text", "y", "id"])
    for i in range(40):
        cells = [rng.choice(numbers), rng.choice(texts), rng.choice(numbers), f"id {i}"]
        writer.writerow(cells[: rng.choice([4, 4, 4, 3, 1])])
    content = file.getvalue().replace("1e3,plain", '1e3,5" pipe')  # a quote inside a cell is a character
    table = open_table(write(content), columns=["y", "x"], id_column="id")
    ids, X, failed = everything(table, n_rows=int(rng.integers(1, 9)))
    assert (ids, X, [failure.id for failure in failed]) == naive(content, ["y", "x"], "id")
