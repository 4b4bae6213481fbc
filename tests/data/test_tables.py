import csv
import datetime as dt
import decimal
import gzip
import io
import re

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from vaetools.data import table_files
from vaetools.data.batches import Failure
from vaetools.data.tables import open_table


@pytest.fixture
def write(tmp_path):
    """Write text, bytes or columns of Parquet, and return the path."""

    def write(content, name=None):
        path = tmp_path / (name or ("rows.parquet" if isinstance(content, dict) else "rows.csv"))
        if isinstance(content, dict):
            parquet.write_table(pa.table(content), path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def everything(table, n_rows=65536):
    """All ids, rows and failures of a table."""
    batches = list(table.batches(n_rows))
    assert all(batch.X.dtype == np.float64 and batch.X.shape[1] == len(table.columns) for batch in batches)
    assert all(len(batch.ids) == len(batch.X) for batch in batches)
    ids = [id for batch in batches for id in batch.ids]
    rows = [row for batch in batches for row in batch.X.tolist()]
    return ids, rows, [failure for batch in batches for failure in batch.failed]


# What a CSV file may look like


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
        ("a b, c", ["a b", " c"]),
        (b"Gr\xf6\xdfe,b", [r"Gr\xf6\xdfe", "b"]),
    ],
)
def test_names(write, header, names):
    header = header if isinstance(header, bytes) else header.encode()
    separator = b";" if header == b'"a,b";c' else b","
    table = open_table(write(header + b"\n1" + separator + b"2\n"))
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
        ('3,"1,5"', "column 'b' is '1,5', not a number"),
        ("3,1 2", "column 'b' is '1 2', not a number"),
        ("3,٣", "column 'b' is '٣', not a number"),
        ("3,2020-01-01", "column 'b' is '2020-01-01', not a number"),
        ('3,"a\nb"', "column 'b' is 'a\\nb', not a number"),
        ("3," + "x" * 1000, "column 'b' is 'xxxxxxxxxxxx...xxxxxxxxxxxxx', not a number"),
        ("3,inf", "column 'b' is inf, not a finite number"),
        ("3,-Infinity", "column 'b' is -inf, not a finite number"),
        ("1e999,3", "column 'a' is inf, not a finite number"),
        ("3", "has 1 cells instead of 2"),
        ("3,4,5", "has 3 cells instead of 2"),
        (b"3,\xff", r"column 'b' is '\\xff', not a number"),
        (b"3,\xff,5", "has 3 cells instead of 2"),
    ],
)
def test_a_row_that_cannot_be_used_does_not_stop_the_rest(write, row, reason):
    row = row if isinstance(row, bytes) else row.encode()
    table = open_table(write(b"a,b\n1,2\n" + row + b"\n5,6\n7,8\n"))
    expected = [[1, 2], [5, 6], [7, 8]], [Failure(1, reason)]
    assert everything(table) == ([0, 2, 3], *expected)
    X, y, failed = table.read()
    assert (X.to_numpy().tolist(), failed) == expected
    assert y is None


def test_every_unusable_row_is_listed_in_order(write):
    table = open_table(write("a,b\n1,2\n,2\n1\n1,x\n1,2,3\n1,inf\n5,6\n"))
    reasons = [
        Failure(1, "column 'a' is missing"),
        Failure(2, "has 1 cells instead of 2"),
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
    monkeypatch.setattr(table_files, "BLOCK", 16)
    numbers = "".join(f"{i},{i}\n" for i in range(50))
    table = open_table(write(f"a,b\n{numbers}0.5,true\nabc,1\n\n7,\n8\n9,9\n"))
    ids, rows, failed = everything(table)
    assert ids == [*range(51), 54]
    assert rows == [*([i, i] for i in range(50)), [0.5, 1], [9, 9]]
    assert failed == [
        Failure(51, "column 'a' is 'abc', not a number"),
        Failure(52, "column 'b' is missing"),
        Failure(53, "has 1 cells instead of 2"),
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
    monkeypatch.setattr(table_files, "BLOCK", block)
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


def test_a_quote_that_is_never_closed_ends_in_an_error_with_the_rows_before(write, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK", 100)
    monkeypatch.setattr(table_files, "MAX_ROW", 1000)
    path = write("a,b\n" + 100 * "1,2\n" + '3,"4\n' + 1000 * "1,2\n")
    before = []
    with pytest.raises(ValueError, match=r"longer than 1,000 characters; is a quote never closed\?") as error:
        before.extend(len(batch.X) for batch in open_table(path).batches())
    assert sum(before) == 100
    assert str(path) in str(error.value)


# Which columns are features

PEOPLE = "name,age,born,tall\nAnn,30,2020-01-01,true\nBob,40,2020-01-02,false\n"
COLUMNS = {
    "name": ["Ann", "Bob"],
    "age": [30, 40],
    "born": [dt.date(2020, 1, 1), dt.date(2020, 1, 2)],
    "tall": [True, False],
}
both_formats = pytest.mark.parametrize("content", [PEOPLE, COLUMNS], ids=["csv", "parquet"])


@both_formats
def test_features_are_all_numbers_and_booleans_that_are_nothing_else(write, content):
    table = open_table(write(content), drop=["born"], labels="name", id_column="age")
    assert (table.columns, table.labels, table.id_name) == (["tall"], "name", "age")
    assert everything(table) == (["30", "40"], [[1], [0]], [])
    X, y, failed = table.read()
    assert (X.columns.tolist(), X["tall"].tolist(), y.tolist(), failed) == (
        ["tall"],
        [1, 0],
        ["Ann", "Bob"],
        [],
    )


@both_formats
def test_named_columns_come_in_the_given_order_and_others_are_ignored(write, content):
    table = open_table(write(content), columns=["tall", "age"])
    assert table.columns == ["tall", "age"]
    assert everything(table) == ([0, 1], [[1, 30], [0, 40]], [])
    assert table.read()[0].columns.tolist() == ["tall", "age"]


@pytest.mark.parametrize(
    ("content", "options", "came"),
    [
        (PEOPLE, {}, "'name' ('Ann'), 'born' ('2020-01-01')"),
        (PEOPLE, {"drop": ["born"]}, "'name' ('Ann')"),
        (COLUMNS, {"labels": "name"}, "'born' (date32[day])"),
        ("a,b\n1,\n2,NA\n", {}, "'b' (empty)"),
        (
            "a,b,c,d,e,f,g,h\n" + 3 * "x,x,x,x,x,x,1,x\n",
            {},
            "'a' ('x'), 'b' ('x'), 'c' ('x'), 'd' ('x'), 'e' ('x') and 2 more",
        ),
    ],
)
def test_features_that_are_no_numbers_are_named_with_what_to_do(write, content, options, came):
    path = write(content)
    with pytest.raises(ValueError, match="features must be columns of numbers") as error:
        open_table(path, **options)
    assert str(error.value) == (
        f"{path}: features must be columns of numbers or booleans; got {came}. "
        "Drop such a column, use it as labels or id, or choose likelihood='mixed', which takes text."
    )


def test_columns_of_a_model_that_are_no_numbers_are_named(write):
    path = write(COLUMNS)
    with pytest.raises(ValueError, match="columns must be what they were in training") as error:
        open_table(path, columns=["age", "name"])
    came = "got 'name' (string, not numbers). Convert such a column first."
    assert str(error.value) == f"{path}: columns must be what they were in training; {came}"


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"columns": ["Age", "tall ", "x"]}, "'Age' (but 'age'), 'tall ' (but 'tall'), 'x'"),
        ({"columns": [*"stuvwxyz"]}, "'s', 't', 'u', 'v', 'w' and 3 more"),
        ({"drop": ["x"]}, "'x'"),
        ({"labels": "x"}, "'x'"),
        ({"id_column": ""}, "''"),
        ({"labels": "x", "drop": ["x"]}, "'x'"),
    ],
)
@both_formats
def test_missing_columns_are_named(write, content, options, missing):
    path = write(content)
    with pytest.raises(ValueError, match="there is no column") as error:
        open_table(path, **options)
    known = "Its columns are 'name', 'age', 'born', 'tall'."
    assert str(error.value) == f"{path}: there is no column {missing}. {known}"


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (
            PEOPLE,
            {"drop": ["name", "age", "born"], "id_column": "tall"},
            "no column is left as a feature, of 'name',",
        ),
        ("a,b\n1,2\n", {"columns": []}, "no column is left as a feature, of 'a', 'b'."),
        ("a,b,a,b,a\n1,2,3,4,5\n", {}, "names of columns must be unique; got 'a', 'b' more than once."),
        ("", {}, "a table must start with the names of its columns; got no text."),
        ("\n\n", {}, "a table must start with the names of its columns; got no text."),
        ("a,b\n", {}, "a table must have rows like its header; got only a header."),
        (
            "Title\na,b\n1,2\n",
            {},
            "a table must have rows like its header; got row 0 that has 2 cells instead of 1.",
        ),
    ],
)
def test_other_refusals_say_what_came(write, content, options, message):
    path = write(content)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        open_table(path, **options)
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [("1 2 x", True), ("1 x", False), ("x x 1", False), ("1 NA NA", True), ("x 1 1", True)],
)
def test_a_column_is_numbers_if_most_of_its_cells_are(write, cells, numbers):
    path = write("a,b\n" + "".join(f"{cell},0\n" for cell in cells.split()))
    if numbers:
        assert open_table(path).columns == ["a", "b"]
    else:
        with pytest.raises(ValueError, match=r"got 'a' \('x'\)"):
            open_table(path)


def test_an_index_of_pandas_is_no_feature_unless_asked_for(write, tmp_path):
    X = open_table(write("a,b\n1,2\n3,4\n")).read()[0]
    X.index = [7, 9]
    X.to_csv(tmp_path / "index.csv")
    X.to_parquet(tmp_path / "index.parquet")
    for path, name in [(tmp_path / "index.csv", ""), (tmp_path / "index.parquet", "__index_level_0__")]:
        assert everything(open_table(path)) == ([0, 1], [[1, 2], [3, 4]], [])
        assert everything(open_table(path, id_column=name))[0] == ["7", "9"]
        assert everything(open_table(path, columns=[name]))[1] == [[7], [9]]


def test_columns_without_names_may_be_many(write):
    assert everything(open_table(write("a,b,,\n1,2,,\n"))) == ([0], [[1, 2]], [])


@pytest.mark.parametrize(
    "content", ["a,b\n", "a,b", {"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}]
)
def test_no_rows_can_be_scored_but_not_fitted(write, content):
    path = write(content)
    table = open_table(path, columns=["b"])
    assert everything(table) == ([], [], [])
    with pytest.raises(ValueError, match="a model needs rows; got none that can be used") as error:
        table.read()
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "labels", "row"),
    [
        ("a,b\nx,1\n,2\n", None, "row 0: column 'a' is 'x', not a number"),
        ("a,b\n1,\n2,\n", "b", "row 0: column 'b' is missing"),
        ("a,b\n1\n2,\n", "b", "row 0: has 1 cells instead of 2"),
    ],
)
def test_a_model_needs_a_row_that_can_be_used(write, content, labels, row):
    table = open_table(write(content), columns=["a"], labels=labels)
    with pytest.raises(ValueError, match=rf"got none that can be used \({row}\)"):
        table.read()


# Labels and ids


@pytest.mark.parametrize(
    ("cells", "kind", "labels"),
    [
        (["1", "-1", "", "3"], np.int64, [1, -1, 3]),
        (["1", "2.5", "NA", "3"], np.float64, [1, 2.5, 3]),
        (["true", "False", "", "TRUE"], np.bool_, [True, False, True]),
        (["cat", " dog", "", "1"], np.str_, ["cat", "dog", "1"]),
    ],
)
def test_labels_of_csv(write, cells, kind, labels):
    path = write("x,label\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)) + ",1\n")
    X, y, failed = open_table(path, labels="label").read()
    assert (y.dtype.type, y.tolist()) == (kind, labels)
    assert X["x"].tolist() == [0, 1, 3]
    assert failed == [Failure(2, "column 'label' is missing"), Failure(4, "column 'x' is missing")]


def test_a_missing_label_does_not_keep_a_row_from_being_scored(write):
    assert everything(open_table(write("x,label\n1,a\n2,\n"), labels="label"))[0] == [0, 1]


@pytest.mark.parametrize(
    ("cells", "kind", "labels"),
    [
        (pa.array([1, None, 3], pa.int8()), np.int8, [1, 3]),
        (pa.array([1.5, np.nan, 3]), np.float64, [1.5, 3]),
        (pa.array([True, None, False]), np.bool_, [True, False]),
        (pa.array(["1", None, "x"]), np.str_, ["1", "x"]),
        (pa.array(["b", None, "a"]).dictionary_encode(), np.str_, ["b", "a"]),
        (pa.array([7, None, 8]).dictionary_encode(), np.int64, [7, 8]),
        (pa.array([dt.date(2020, 1, 1), None, None]), np.str_, ["2020-01-01"]),
    ],
)
def test_labels_of_parquet(write, cells, kind, labels):
    X, y, failed = open_table(write({"x": [0.0, 1, 2], "label": cells}), labels="label").read()
    assert (y.dtype.type, y.tolist()) == (kind, labels)
    assert len(X) == len(labels)
    assert failed[0] == Failure(1, "column 'label' is missing")


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        ("id,x\n9007199254740993,1\n NA,2\n,3\nb,\n", ["9007199254740993", " NA", ""]),
        (b"id,x\nJ\xf6rg,1\n", [r"J\xf6rg"]),
        ({"id": [2**63 - 1, None], "x": [1, 2]}, [str(2**63 - 1), ""]),
        ({"id": pa.array(["b", "a"]).dictionary_encode(), "x": [1, 2]}, ["b", "a"]),
    ],
)
def test_ids_are_texts_as_in_the_file(write, content, ids):
    table = open_table(write(content), id_column="id")
    assert table.id_name == "id"
    assert everything(table)[0] == ids


def test_a_column_called_row_can_hold_the_ids(write):
    assert everything(open_table(write("row,x\nr1,1\n"), id_column="row")) == (["r1"], [[1]], [])


@pytest.mark.parametrize("content", ["a,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}])
def test_a_column_may_have_two_roles(write, content):
    table = open_table(write(content), columns=["b", "a"], labels="a", id_column="b")
    assert everything(table) == (["2", "4"], [[2, 1], [4, 3]], [])
    assert table.read()[1].tolist() == [1, 3]


# Parquet


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (pa.array([1, 0], pa.uint8()), [1, 0]),
        (pa.array([2**63 + 2**62, 2**53 + 1], pa.uint64()), [2.0**63 + 2.0**62, 2.0**53]),
        (pa.array([1.5, 2], pa.float32()), [1.5, 2]),
        (pa.array([1.5, 2], pa.float16()), [1.5, 2]),
        (pa.array([True, False]), [1, 0]),
        (pa.array([decimal.Decimal("1.25"), decimal.Decimal("-3")]), [1.25, -3]),
        (pa.array([7, 8]).dictionary_encode(), [7, 8]),
    ],
)
def test_every_kind_of_number(write, cells, values):
    table = open_table(write({"a": cells}))
    assert table.n_rows == 2
    assert everything(table) == ([0, 1], [[value] for value in values], [])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2"], "string"),
        (pa.array(["x", "y"]).dictionary_encode(), "dictionary"),
        ([{"b": 1}, {"b": 2}], "struct<b: int64>"),
        ([[1], [2]], "list<"),
        ([dt.datetime(2020, 1, 1)] * 2, "timestamp"),
        (pa.nulls(2), "null"),
    ],
)
def test_every_other_kind_is_refused_unless_dropped(write, cells, kind):
    path = write({"a": cells, "a.b": [1, 2], "c": [3, 4]})
    with pytest.raises(ValueError, match=rf"got 'a' \({kind}"):
        open_table(path)
    assert everything(open_table(path, drop=["a"]))[1] == [[1, 3], [2, 4]]


def test_missing_and_infinite_cells_of_parquet(write):
    table = open_table(write({"a": [1.0, None, 3, np.nan, np.inf], "b": [1, 2, None, 4, 5]}))
    assert everything(table, n_rows=2) == (
        [0],
        [[1, 1]],
        [
            Failure(1, "column 'a' is missing"),
            Failure(2, "column 'b' is missing"),
            Failure(3, "column 'a' is missing"),
            Failure(4, "column 'a' is inf, not a finite number"),
        ],
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_wide_tables_come_in_few_rows(write, monkeypatch, suffix):
    monkeypatch.setattr("vaetools.data.tables.MAX_VALUES", 12)
    X = np.arange(35.0).reshape(7, 5)
    rows = "a,b,c,d,e\n" + "".join(",".join(map(str, row)) + "\n" for row in X)
    table = open_table(write(rows if suffix == "csv" else dict(zip("abcde", X.T, strict=True))))
    assert [len(batch.X) for batch in table.batches()] == [2, 2, 2, 1]
    assert everything(table) == (list(range(7)), X.tolist(), [])
    assert np.array_equal(table.read()[0], X)


# Damaged files


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
        ("rows.csv", PARQUET, "not a CSV file in UTF-8: it holds zero bytes"),
        ("rows.csv", "a,b\n1,2\n".encode("utf-16"), "not a CSV file in UTF-8: it holds zero bytes"),
        ("rows.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a CSV file in UTF-8: it holds zero bytes"),
        ("rows.csv", bytes(range(1, 256)) * 20, "numbers"),
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
