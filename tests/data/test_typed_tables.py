"""Tables whose columns have types."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.data.tables import everything
from vaetools.data.batches import Failure
from vaetools.data.tables import open_table


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (pa.array([1, 0], pa.uint8()), [1, 0]),
        (pa.array([2**63 + 2**62, 2**53 + 1], pa.uint64()), [2.0**63 + 2.0**62, 2.0**53]),
        (pa.array([1.5, 2], pa.float32()), [1.5, 2]),
        (pa.array(np.array([1.5, 2], np.float16)), [1.5, 2]),
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


def test_an_index_with_a_name_is_left_out_unless_it_is_asked_for(tmp_path):
    path, frame = tmp_path / "t.parquet", pd.DataFrame({"x": [1.0, 2, 5], "y": [3.0, 4, 6]})
    frame.set_index(pd.Index([107, 103, 104], name="customer")).to_parquet(path)
    table = open_table(path)
    assert (table.columns, table.notes) == (["x", "y"], ["Left out as an index: 'customer'."])
    assert everything(open_table(path, id_column="customer"))[0] == ["107", "103", "104"]
    assert everything(open_table(path, columns=["customer", "x"]))[1] == [[107, 1], [103, 2], [104, 5]]
    frame.set_index(pd.MultiIndex.from_tuples([(1, 2), (3, 4), (3, 2)], names=["k", "l"])).to_parquet(path)
    table = open_table(path)
    assert (table.columns, table.notes) == (["x", "y"], ["Left out as an index: 'k'; 'l'."])
    assert open_table(path, labels="k").columns == ["x", "y"]


def test_a_table_for_a_model_without_names(tmp_path):
    path, frame = tmp_path / "t.parquet", pd.DataFrame({"x": [1.0], "y": [3.0]})
    frame.set_axis([1, 0], axis=1).to_parquet(path)
    table = open_table(path, n_features=2)
    assert (table.columns, table.by_position) == (["0", "1"], False)  # in whatever order
    frame.to_parquet(path)
    table = open_table(path, n_features=2)
    assert (table.columns, table.by_position) == (["x", "y"], True)
    message = r"t\.parquet: rows must have 1 values; got 2: 'x', 'y'\. The model knows .*\(--id\)\.$"
    with pytest.raises(ValueError, match=message):
        open_table(path, n_features=1)
    frame.assign(y="text").to_parquet(path)
    with pytest.raises(ValueError, match=r"must be what they were in training; got 'y' \(.*, not numbers\)"):
        open_table(path, n_features=2)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(
    ("cells", "kind"),
    [([[1, 2], [3]], "list<element: int64>"), ([{"x": 1}, {"x": 2}], "struct<x: int64>")],
)
def test_columns_of_lists_are_refused_with_what_to_do(write, cells, kind, mixed):
    with pytest.raises(ValueError, match="features must be columns of numbers") as error:
        open_table(write({"a": [1.0, 2], "b": cells}), mixed=mixed)
    came = f"got 'b' ({kind}). Write the parts of such a column as columns of numbers, or drop it."
    assert str(error.value).endswith(came)


def test_an_empty_column_is_to_be_dropped(write):
    path = write({"a": [1.0, 2], "b": pa.nulls(2)})
    with pytest.raises(ValueError, match=r"\(null\)\. Drop a column that is empty, as by drop=\['b'\]"):
        open_table(path)
    assert everything(open_table(path, drop=["b"]))[1] == [[1], [2]]
