"""Tables with text and missing cells, from CSV and Parquet."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from vaetools.data import csv_files
from vaetools.data.batches import Failure
from vaetools.data.dialect import BOOLEAN, INTEGER, NUMBER, TEXT, Kind
from vaetools.data.sources import read_training
from vaetools.data.tables import open_table

CARS = """plate,km,doors,fuel,warranty,zip
A1,1.5,4,diesel,true,01
A2, NA ,2, petrol ,False,02
A3,3e1,,,,
A4,-2,5,diesel,TRUE,01
"""
KINDS = {
    "km": Kind(NUMBER),
    "doors": Kind(INTEGER),
    "fuel": Kind(TEXT),
    "warranty": Kind(BOOLEAN),
    "zip": Kind(TEXT),
}


@pytest.fixture
def write(tmp_path):
    """Write text as CSV or columns as Parquet, and return the path."""

    def write(content):
        path = tmp_path / ("rows.csv" if isinstance(content, str) else "rows.parquet")
        if isinstance(content, str):
            path.write_text(content)
        else:
            parquet.write_table(pa.table(content), path)
        return path

    return write


def test_cells_say_what_a_column_of_csv_is(write):
    path = write(CARS)
    table = open_table(path, mixed=True, id_column="plate")
    assert table.kinds == KINDS
    X, y, failed = table.read()
    expected = pd.DataFrame(
        {
            "km": [1.5, np.nan, 30.0, -2.0],
            "doors": pd.array([4, 2, None, 5], dtype="Int64"),
            "fuel": pd.Series(["diesel", "petrol", None, "diesel"], dtype=X["fuel"].dtype),
            "warranty": pd.array([True, False, None, True], dtype="boolean"),
            "zip": pd.Series(["01", "02", None, "01"], dtype=X["fuel"].dtype),
        }
    )
    pd.testing.assert_frame_equal(X, expected.set_axis(["A1", "A2", "A3", "A4"]))
    assert (y, failed) == (None, [])
    (batch,) = table.batches()
    pd.testing.assert_frame_equal(batch.X, expected)
    assert batch.ids == ["A1", "A2", "A3", "A4"]


def test_numbers_are_text_if_one_says_so(write):
    table = open_table(write(CARS), mixed=True, as_text=["doors", "nowhere"], labels="fuel", drop=["plate"])
    assert table.kinds["doors"] == Kind(TEXT)
    X, y, failed = table.read()
    assert X["doors"].tolist() == ["4", "2", "5"]
    assert y.tolist() == ["diesel", "petrol", "diesel"]
    assert X.index.tolist() == [0, 1, 3]
    assert failed == [Failure(2, "column 'fuel' is missing")]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("1 2 3", INTEGER),
        ("+1 -2 NA None <NA>", INTEGER),
        ("1 2.0 3", NUMBER),
        ("1 x 3", TEXT),
        ("1 2 3 4 5 6 7 8 9 x", INTEGER),
        ("1 2 3 4 5 6 7 8 9 true", INTEGER),
        ("1 2 3 4 5 6 7 8 x", TEXT),
        ("1 2 3 4 5 6 7 8 .5 x", NUMBER),
        ("10 0 0.5 -0", NUMBER),
        ("10 01", TEXT),
        ("1 x", TEXT),
        ("x y 1", TEXT),
        ("0 1 1", INTEGER),
        ("true FALSE NA", BOOLEAN),
        ("true false x", TEXT),
        ("true 1 0", TEXT),
        ("NA null NaN", NUMBER),
        ("12345678901234567890 1", NUMBER),
    ],
)
@pytest.mark.parametrize("block", [4, 2**21])
def test_a_column_is_what_most_of_its_cells_are(write, cells, kind, block, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    path = write("a,b\n" + "".join(f"{cell},x\n" for cell in cells.split()))
    assert open_table(path, mixed=True).kinds == {"a": Kind(kind), "b": Kind(TEXT)}


def test_types_say_what_a_column_of_parquet_is(write):
    columns = {
        "byte": pa.array([1, None, 3], pa.int8()),
        "huge": pa.array([1, 2, 2**64 - 1], pa.uint64()),
        "half": pa.array([0.5, None, np.nan], pa.float32()),
        "money": pa.array(["1.5", None, "2.5"]).cast(pa.decimal128(5, 2)),
        "sure": [True, None, False],
        "word": ["NA", "", None],
        "large": pa.array(["x", "y", "x"], pa.large_string()),
        "coded": pa.array(["x", None, "x"]).dictionary_encode(),
        "nothing": pa.nulls(3),
    }
    table = open_table(write(columns), mixed=True)
    expected = [INTEGER, NUMBER, NUMBER, NUMBER, BOOLEAN, TEXT, TEXT, TEXT, NUMBER]
    assert [kind.type for kind in table.kinds.values()] == expected
    assert [name for name, kind in table.kinds.items() if kind.values is not None] == ["coded"]
    (batch,) = table.batches()
    assert batch.failed == []
    assert batch.X["byte"].tolist() == [1, pd.NA, 3]
    assert batch.X["huge"].tolist() == [1, 2, 2.0**64]
    assert batch.X["half"].isna().tolist() == [False, True, True]
    assert batch.X["money"].tolist()[::2] == [1.5, 2.5]
    assert batch.X["sure"].tolist() == [True, pd.NA, False]
    assert batch.X["word"].fillna("missing").tolist() == ["NA", "", "missing"]
    assert batch.X["coded"].isna().tolist() == [False, True, False]
    assert batch.X["nothing"].isna().all()


MODEL = {
    "km": Kind(NUMBER),
    "warranty": Kind(BOOLEAN, (False, True), is_closed=True),
    "sex": Kind(TEXT, ("f", "m"), is_closed=True),
    "level": Kind(NUMBER, (0, 1), is_closed=True),
    "fuel": Kind(TEXT, ("gas",)),
}
FAULTS = """fuel,extra,km,warranty,sex,level
gas,1,2,true,f,0
gas,1,x,true,f,0
,1,,,,
gas,1,-inf,true,f,0
gas,1,2,void,f,0
gas,1,2,0,x,0
gas,1,2,true,f,2
gas,1
gas,1,y,z,f,1.0
7,1,2,1.0,m,true
"""


@pytest.mark.parametrize("block", [40, 2**21])
def test_rows_with_cells_of_another_kind_are_listed_and_the_rest_goes_on(write, block, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    batches = list(open_table(write(FAULTS), columns=MODEL).batches())
    X = pd.concat([batch.X for batch in batches])
    assert X.columns.tolist() == list(MODEL)
    assert [row for batch in batches for row in batch.ids] == [0, 2, 9]
    assert X["fuel"].fillna("").tolist() == ["gas", "", "7"]
    assert X["level"].tolist() == [0, None, 1]
    assert X["warranty"].tolist() == [True, None, True]
    assert [failure for batch in batches for failure in batch.failed] == [
        Failure(1, "column 'km' is 'x', not a number"),
        Failure(3, "column 'km' is -inf, not a finite number"),
        Failure(4, "column 'warranty' is 'void', neither true nor false"),
        Failure(5, "column 'sex' is 'x', none of 'f', 'm'"),
        Failure(6, "column 'level' is '2', none of 0, 1"),
        Failure(7, "has 2 cells instead of 6"),
        Failure(8, "column 'km' is 'y', not a number"),
    ]


def test_a_file_of_other_types_is_refused(write):
    path = write({"km": ["1"], "warranty": [1], "sex": pa.nulls(1), "level": [True], "fuel": [7]})
    with pytest.raises(ValueError, match="columns must be what they were in training") as error:
        open_table(path, columns=MODEL)
    came = "got 'km' (string, not numbers), 'fuel' (int64, not text). Convert such a column first."
    assert str(error.value).endswith(came)
    dates = write({"a": [1], "born": pa.array([0], pa.date32())})
    with pytest.raises(
        ValueError, match=r"numbers, booleans or text; got 'born' \(date32\[day\]\)\. Write a date"
    ):
        open_table(dates, mixed=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a,b\n", "got none that can be used"), ("a,b\n1\n", r"row 0: has 1 cell instead of 2")],
)
def test_a_table_without_rows_is_refused(write, content, message):
    with pytest.raises(ValueError, match=message):
        open_table(write(content), mixed=True).read()


def test_arrays_are_no_tables(tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"likelihood='mixed' is for tables \(CSV, Parquet\); got array"):
        read_training(tmp_path / "rows.npy", mixed=True)


CODES = (2**60 + 7, 2**60 + 8)


@pytest.mark.parametrize(
    ("kind", "cells", "values"),
    [
        (
            Kind(TEXT, ("NA", "", " x", "y")),
            ["NA", "", " x", "x", "y ", "null"],
            ["NA", "", " x", "x", "y", None],
        ),
        (Kind(TEXT, ("1", "01")), ["1", "01", "1.0"], ["1", "01", "1.0"]),
        (Kind(NUMBER, CODES), [*map(str, CODES), str(2**60 + 9), "0.5"], [*CODES, 2**60 + 9, 0.5]),
        (Kind(NUMBER, (1, 2.5)), ["1", "1.0", "+1", "2.50", "true", "3"], [1, 1, 1, 2.5, 1, 3]),
        (
            Kind(BOOLEAN, (False, True)),
            ["True", "FALSE", "1", "0.0", "NaN"],
            [True, False, True, False, None],
        ),
        (Kind(TEXT, (1, 2.5, "x")), ["1", "2.5", "x", "2"], [1, 2.5, "x", "2"]),
    ],
)
def test_cells_of_csv_are_the_categories_that_a_model_knows(kind, cells, values, write):
    text = "a,b\n" + "".join(f'"{cell}",1\n' for cell in cells)
    (batch,) = open_table(write(text), columns={"a": kind}).batches()
    came = [None if pd.isna(value) else value for value in batch.X["a"]]
    assert came == values
    assert [type(value) for value in came] == [type(value) for value in values]
    assert batch.failed == []


def test_large_codes_of_parquet_are_exact(write):
    columns = {"code": pa.array([*CODES, 2**64 - 1], pa.uint64()), "size": [1.0, 2.0, None]}
    path = write(columns)
    X = open_table(path, mixed=True, as_text=["code", "size"]).read()[0]
    assert X["code"].tolist() == [*CODES, 2**64 - 1]
    assert X["code"].dtype.name == X["size"].dtype.name == "category"
    (batch,) = open_table(path, columns={"code": Kind(NUMBER, CODES), "size": Kind(NUMBER, (1, 2))}).batches()
    assert batch.X["code"].tolist() == [*CODES, 2**64 - 1]
    assert batch.X["size"].tolist() == [1, 2, None]


def test_categories_of_pandas_are_categories(tmp_path):
    frame = pd.DataFrame({"zip": [7, 9, None], "sure": [True, False, None], "word": ["x", "y", None]})
    frame.astype("category").assign(size=[1, 2, 3]).to_parquet(tmp_path / "t.parquet", row_group_size=1)
    X = open_table(tmp_path / "t.parquet", mixed=True).read()[0]
    assert X.dtypes.astype(str).tolist() == 3 * ["category"] + ["Int64"]
    assert [X[name].cat.categories.tolist() for name in frame] == [[7, 9], [False, True], ["x", "y"]]


def test_truths_among_numbers_are_one_and_zero(write):
    cells = [*map(str, range(18)), "true", "False"]
    for numbers in (cells, [cell + ".5" if cell.isdecimal() else cell for cell in cells]):
        X = open_table(write("a,b\n" + "".join(f"{cell},x\n" for cell in numbers)), mixed=True).read()[0]
        assert X["a"].tolist()[-2:] == [1, 0]


def test_known_numbers_are_known_in_any_type_of_parquet(write):
    money = pa.array(["0.1", "2.5", None]).cast(pa.decimal128(3, 1))
    kinds = dict.fromkeys(("half", "money", "whole"), Kind(NUMBER, (0.1, 2.5, 3)))
    path = write(
        {"half": pa.array([0.1, 2.5, None], pa.float32()), "money": money, "whole": [3.0, np.nan, None]}
    )
    (batch,) = open_table(path, columns=kinds).batches()
    assert batch.X["half"].tolist() == batch.X["money"].tolist() == [0.1, 2.5, None]
    assert batch.X["whole"].tolist() == [3, None, None]


def test_labels_with_leading_zeros_are_text(write):
    path = write("a,y\n1,01\n2,1\n3,2\n")
    assert open_table(path, labels="y").read()[1].tolist() == ["01", "1", "2"]
