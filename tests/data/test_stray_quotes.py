"""Quotes that are never closed, or far too late, and text of several lines."""

import numpy as np
import pytest

from tests.data.tables import everything
from vaetools.data import csv_files
from vaetools.data.batches import Failure
from vaetools.data.tables import open_table

X = np.random.default_rng(0).normal(size=(150, 3)).round(2)


def content(cells, separator=","):
    """A table with a column of text, in which some cells are other ones."""
    rows = [[*map(str, X[i]), cells.get(i, f"n{i}")] for i in range(150)]
    return "".join(f"{separator.join(row)}\n" for row in [["a", "b", "c", "t"], *rows])


def never(line):
    return f"has a quote that is opened in line {line} and never closed"


def closed(line, end):
    return f"has a quote that is opened in line {line} and closed in line {end}"


STRAY = [
    ({10: '"n10'}, {10: never(12)}),
    ({0: '"n0'}, {0: never(2)}),
    ({149: '"n149'}, {149: never(151)}),
    ({10: '"n10', 100: '"n100'}, {10: closed(12, 102) + ", in the middle of a cell", 100: never(102)}),
    ({10: '"n10', 100: 'n100"'}, {10: closed(12, 102) + ", behind what look like rows"}),
    ({10: '"n10', 11: '"n11'}, {10: closed(12, 13) + ", in the middle of a cell", 11: never(13)}),
    ({10: '"n10', 11: 'n11"'}, {10: closed(12, 13) + ", in what looks like the next row"}),
    ({10: '"', 11: '"'}, {10: closed(12, 13) + ", in what looks like the next row", 11: never(13)}),
    ({10: '"', 100: '"'}, {10: closed(12, 102) + ", behind what look like rows", 100: never(102)}),
    ({10: '"n10', 50: '""', 99: '"a ""b"""'}, {10: closed(12, 101) + ", in the middle of a cell"}),
]


@pytest.mark.parametrize("block", [50, 1000, 2**21])
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
@pytest.mark.parametrize(("cells", "faults"), STRAY)
def test_a_stray_quote_costs_its_own_row(write, monkeypatch, cells, faults, separator, block):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    if separator == " " and 99 in cells:
        pytest.skip("no cell with a space")
    table = open_table(write(content(cells, separator)), drop=["t"])
    ids, rows, failed = everything(table)
    assert failed == [Failure(row, reason) for row, reason in faults.items()]
    good = np.setdiff1d(np.arange(150), list(faults))
    assert ids == good.tolist()
    assert np.array_equal(rows, X[good])


def test_many_stray_quotes_cost_their_own_rows(write):
    ids, rows, failed = everything(open_table(write("a,b\n" + 3000 * '1,2\n3,"4\n')))
    assert (ids, rows) == ([*range(0, 6000, 2)], 3000 * [[1, 2]])
    assert [failure.id for failure in failed] == [*range(1, 6000, 2)]
    assert failed[7].reason == closed(17, 19) + ", in the middle of a cell"
    assert failed[-1].reason == never(6001)


def test_a_stray_quote_in_a_column_of_numbers_costs_its_own_row_too(write):
    lines = content({}).splitlines(keepends=True)
    lines[21] = '"' + lines[21]
    ids, rows, failed = everything(open_table(write("".join(lines)), drop=["t"]))
    assert (len(ids), failed) == (149, [Failure(20, never(22))])
    assert np.array_equal(rows, np.delete(X, 20, axis=0))


@pytest.mark.parametrize("block", [7, 2**21])
def test_two_stray_quotes_in_adjacent_rows_lose_no_row_in_silence(write, monkeypatch, block):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    path = write('a,t,b\n1,"x,2\n3,y",4\n5,z,6\n')  # as one row: 1, 'x,2\n3,y', 4
    fault = Failure(0, closed(2, 3) + ", in what looks like the next row")
    assert everything(open_table(path, drop=["t"])) == ([1, 2], [[3, 4], [5, 6]], [fault])


def test_lines_are_counted_from_the_start_of_the_file(write):
    before = '# made by hand\n\nsep=,\n"a\nb",t\n1,"x\ny"\n2,z\n'
    assert everything(open_table(write(f'{before}3,"z\n4,z\n'), drop=["t"])) == (
        [0, 1, 3],
        [[1], [2], [4]],
        [Failure(2, never(9))],
    )


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "Ann\n5 Long Road, Berlin, X, Y\nGermany",
        "\n\n\n",
        "Dear all,\nthe 3 numbers are:\n1.5, 2.5\nbest",
        'he said ""no"",\nand\nleft',
        "1\n2\n3\n4",
        "Dear Sir,\nno, thanks",
        "1, 2\n3, 4",
    ],
)
@pytest.mark.parametrize("block", [7, 2**21])
def test_text_of_several_lines_is_one_cell(write, monkeypatch, text, block):
    monkeypatch.setattr(csv_files, "BLOCK", block)
    table = open_table(write(content(dict.fromkeys(range(0, 150, 7), f'"{text}"'))), id_column="t")
    ids, rows, failed = everything(table)
    assert (ids[7], failed) == (text.replace('""', '"'), [])
    assert np.array_equal(rows, X)


def test_a_quote_that_is_not_closed_in_the_longest_row_is_not_waited_for(write, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK", 100)
    monkeypatch.setattr(csv_files, "MAX_ROW", 1000)
    path = write("a,b\n" + 100 * "1,2\n" + '3,"4\n' + 1000 * "1,2\n" + '3,"4"\n')
    ids, rows, failed = everything(open_table(path))
    assert (len(ids), rows[-1], failed) == (1101, [3, 4], [Failure(100, never(102))])


def test_a_row_that_is_too_long_is_an_error_with_the_rows_before(write, monkeypatch):
    monkeypatch.setattr(csv_files, "BLOCK", 100)
    monkeypatch.setattr(csv_files, "MAX_ROW", 1000)
    path = write("a,b\n" + 100 * "1,2\n" + 2000 * "3" + ",4\n")
    before = []
    with pytest.raises(ValueError, match="a row is longer than 1,000 characters") as error:
        before.extend(len(batch.X) for batch in open_table(path).batches())
    assert sum(before) == 100
    assert str(path) in str(error.value)
