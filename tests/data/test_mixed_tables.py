"""Tables with text and missing cells, from CSV and Parquet."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from vaetools.data import table_files
from vaetools.data.batches import Failure
from vaetools.data.kinds import BOOLEAN, INTEGER, NUMBER, TEXT, Kind
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
    "zip": Kind(INTEGER),
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
            "zip": pd.array([1, 2, None, 1], dtype="Int64"),
        }
    )
    pd.testing.assert_frame_equal(X, expected)
    assert (y, failed) == (None, [])
    (batch,) = table.batches()
    pd.testing.assert_frame_equal(batch.X, expected)
    assert batch.ids == ["A1", "A2", "A3", "A4"]


def test_numbers_are_text_if_one_says_so(write):
    table = open_table(write(CARS), mixed=True, as_text=["zip", "nowhere"], labels="fuel", drop=["plate"])
    assert table.kinds["zip"] == Kind(TEXT)
    X, y, failed = table.read()
    assert X["zip"].tolist() == ["01", "02", "01"]
    assert y.tolist() == ["diesel", "petrol", "diesel"]
    assert failed == [Failure(2, "column 'fuel' is missing")]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("1 2 3", INTEGER),
        ("+1 -2 NA", INTEGER),
        ("1 2.0 3", NUMBER),
        ("1 x 3", INTEGER),
        ("1 2.5 x 3", NUMBER),
        ("1 x", TEXT),
        ("x y 1", TEXT),
        ("0 1 1", INTEGER),
        ("true FALSE NA", BOOLEAN),
        ("true false x", TEXT),
        ("true 1 0", INTEGER),
        ("NA null NaN", NUMBER),
        ("12345678901234567890 1", NUMBER),
    ],
)
@pytest.mark.parametrize("block", [4, 2**21])
def test_a_column_is_what_most_of_its_cells_are(write, cells, kind, block, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK", block)
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
        "coded numbers": pa.array([3, None, 4]).dictionary_encode(),
        "nothing": pa.nulls(3),
    }
    table = open_table(write(columns), mixed=True, as_text=["byte"])
    expected = [INTEGER, NUMBER, NUMBER, NUMBER, BOOLEAN, TEXT, TEXT, TEXT, INTEGER, NUMBER]
    assert [kind.type for kind in table.kinds.values()] == expected
    (batch,) = table.batches()
    assert batch.failed == []
    assert batch.X["byte"].tolist() == [1, pd.NA, 3]
    assert batch.X["huge"].tolist() == [1, 2, 2.0**64]
    assert batch.X["half"].isna().tolist() == [False, True, True]
    assert batch.X["money"].tolist()[::2] == [1.5, 2.5]
    assert batch.X["sure"].tolist() == [True, pd.NA, False]
    assert batch.X["word"].fillna("missing").tolist() == ["NA", "", "missing"]
    assert batch.X["coded"].isna().tolist() == [False, True, False]
    assert batch.X["coded numbers"].tolist() == [3, pd.NA, 4]
    assert batch.X["nothing"].isna().all()


MODEL = {
    "km": Kind(NUMBER),
    "warranty": Kind(BOOLEAN),
    "sex": Kind(TEXT, ("f", "m")),
    "level": Kind(NUMBER, (0, 1)),
    "fuel": Kind(TEXT),
}
FAULTS = """fuel,extra,km,warranty,sex,level
gas,1,2,true,f,0
gas,1,x,true,f,0
,1,,,,
gas,1,-inf,true,f,0
gas,1,2,1,f,0
gas,1,2,true,x,0
gas,1,2,true,f,2
gas,1
gas,1,y,z,f,1.0
7,1,2,true,m,1.0
"""


@pytest.mark.parametrize("block", [40, 2**21])
def test_rows_with_cells_of_another_kind_are_listed_and_the_rest_goes_on(write, block, monkeypatch):
    monkeypatch.setattr(table_files, "BLOCK", block)
    batches = list(open_table(write(FAULTS), columns=MODEL).batches())
    X = pd.concat([batch.X for batch in batches])
    assert X.columns.tolist() == list(MODEL)
    assert [row for batch in batches for row in batch.ids] == [0, 2, 9]
    assert X["fuel"].fillna("").tolist() == ["gas", "", "7"]
    assert X["level"].fillna(-1).tolist() == [0, -1, 1]
    assert [failure for batch in batches for failure in batch.failed] == [
        Failure(1, "column 'km' is 'x', not a number"),
        Failure(3, "column 'km' is -inf, not a finite number"),
        Failure(4, "column 'warranty' is '1', neither true nor false"),
        Failure(5, "column 'sex' is 'x', none of 'f', 'm'"),
        Failure(6, "column 'level' is 2.0, none of 0, 1"),
        Failure(7, "has 2 cells instead of 6"),
        Failure(8, "column 'km' is 'y', not a number"),
    ]


def test_a_file_of_other_types_is_refused(write):
    path = write({"km": ["1"], "warranty": [1], "sex": pa.nulls(1), "level": [True], "fuel": [7]})
    with pytest.raises(ValueError, match="columns must be of their kinds in training") as error:
        open_table(path, columns=MODEL)
    assert str(error.value).endswith("got 'km' (string), 'warranty' (int64), 'fuel' (int64).")
    dates = write({"a": [1], "born": pa.array([0], pa.date32())})
    with pytest.raises(ValueError, match=r"numbers, booleans or text; got 'born' \(date32\[day\]\)\. Drop"):
        open_table(dates, mixed=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [("a,b\n", "got none that can be used"), ("a,b\n1\n", r"row 0: has 1 cells instead of 2")],
)
def test_a_table_without_rows_is_refused(write, content, message):
    with pytest.raises(ValueError, match=message):
        open_table(write(content), mixed=True).read()


def test_arrays_are_no_tables(tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"likelihood='mixed' is for tables \(CSV, Parquet\); got array"):
        read_training(tmp_path / "rows.npy", mixed=True)
