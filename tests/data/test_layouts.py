"""Separators, and what stands before the names of the columns."""

import re

import pytest

from tests.data.tables import everything
from vaetools.data.dialect import Dialect
from vaetools.data.tables import open_table


@pytest.mark.parametrize(
    ("content", "separator", "names"),
    [
        ("Temp, C;Press, bar;n\n1;2.5;3\n4;5.5;6\n", ";", ["Temp, C", "Press, bar", "n"]),
        ("price, USD\tqty\n1.5\t2\n3.5\t4\n", "\t", ["price, USD", "qty"]),
        ("a;b|c\n1|2\n3|4\n", "|", ["a;b", "c"]),
        ("a, in;b, in\n1,5;2,5\n3,5;4,5\n", ";", ["a, in", "b, in"]),  # both fit: numbers decide
        ("time, s;v\n1,5;2\n2,5;3\n", ";", ["time, s", "v"]),
        ("price, EUR\n1\n2\n", ";", ["price, EUR"]),  # no row has a comma
        ("weight\n1,5\n2,5\n", ";", ["weight"]),
        ("a b,c\n1,2\n3,4\n", ",", ["a b", "c"]),
        ("date time,v\n2020-01-01 00:00,1\n2020-01-02 00:00,2\n", ",", ["date time", "v"]),
        ("x  y   z\n 1   2  3\n4 5 6 \n", " ", ["x", "y", "z"]),
        ('x y\n"1"  2\n3 4\n', " ", ["x", "y"]),
        ("a\n1\n2\n", ",", ["a"]),
    ],
)
def test_the_separator_is_the_one_under_which_rows_fit_the_header(write, content, separator, names):
    table = open_table(write(content), mixed=True)
    assert (table.dialect.separator, table.columns) == (separator, names)
    assert len(table.read()[0]) == 2


def test_two_spaces_in_quotes_stay(write):
    assert open_table(write('x name\n1  "a  b"\n'), id_column="name").read()[0].index.tolist() == ["a  b"]


@pytest.mark.parametrize("separator", ["^", "]", "\\", "-", ":", "~", ".", "#"])
def test_any_separator_can_be_said(write, separator):
    rows = f'a{separator}"b\nc"\n1{separator}2\n"3"{separator}4\n'
    table = open_table(write(rows), dialect=Dialect(separator=separator))
    assert (table.columns, everything(table)) == (["a", "b\nc"], ([0, 1], [[1, 2], [3, 4]], []))


@pytest.mark.parametrize(
    ("before", "skipped"),
    [
        ("", 0),
        ("\n\n", 0),  # nothing is passed over
        ("sep=;\n", 1),
        ('"SEP=;"\n', 1),
        ("sep=;;;\n", 1),
        ("# logger 7\n# 2024\n", 2),
        ("# logger 7\n\n# of; May; 2024\n", 3),
        ("sep=;\n# logger 7\n", 2),
        ("Report of May\n", 1),
        ("Logger 7;Berlin\n\nof;May\n", 3),
        ("Report of May;;\n;;\n", 2),  # as spreadsheets fill lines up
    ],
)
@pytest.mark.parametrize("rows", ["1;2.5;3\n4;5.5;6\n", "1;2,5;3\n4;5,5;6\n"])
def test_what_stands_before_the_header_is_passed_over(write, before, skipped, rows):
    table = open_table(write(f"{before}a;b;c\n{rows}"))
    assert (table.columns, table.dialect.skipped) == (["a", "b", "c"], skipped)
    assert everything(table) == ([0, 1], [[1, 2.5, 3], [4, 5.5, 6]], [])


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("# x y z\n1 2 3\n4 5 6\n", ["x", "y", "z"]),  # as NumPy writes it
        ("# x,y,z\n1,2,3\n4,5,6\n", ["x", "y", "z"]),
        ("# made by hand\n#x,y,z\n1,2,3\n4,5,6\n", ["#x", "y", "z"]),
        ("#x,y,z\n1,2,3\n4,5,6\n", ["#x", "y", "z"]),
    ],
)
def test_a_comment_may_be_the_header(write, content, names):
    table = open_table(write(content))
    assert (table.columns, everything(table)[1]) == (names, [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\nAnn,30,x\nBob,40,y\n", "row 0 that has 3 cells instead of 2"),  # no row names columns
        ("a,b\n1,5,2\n2,5,3\n3,5,3\n", "row 0 that has 3 cells instead of 2"),  # 1.5 and 2?
        ("a,b\nAnn,1,200\nBob,2,300\n", "row 0 that has 3 cells instead of 2"),  # 1200?
        ("a;b\n7;5;2\n2;5;3\n4;5;3\n", "row 0 that has 3 cells instead of 2"),
        ("a,b\n1,5,2,5\n1,5,2,5\n", "row 0 that has 4 cells instead of 2"),
        ("a,b,c\n1,2\n3,4\n5,6\n", "row 0 that has 2 cells instead of 3"),  # no column "a,b,c" of 1.2
    ],
)
def test_rows_that_do_not_fit_the_header_are_no_header(write, content, reason):
    with pytest.raises(ValueError, match=reason):
        open_table(write(content))


def test_most_rows_must_fit_the_header_of_a_new_table(write):
    path = write("id,x\n" + "".join(f"{i},{i * 1000:,}\n" for i in range(10)))
    with pytest.raises(ValueError, match=r"most rows must have 2 cells, .* another number in 90 %"):
        open_table(path)
    assert len(everything(open_table(path, columns=["x"]))[2]) == 9  # a model lists what it cannot use
    assert open_table(write("a,b\n1,2,3\n1,2\n4,5\n")).columns == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "came"),
    [
        ("0.5,1.5\n2,3\n", "0.5, 1.5"),
        ("1,5;2,5\n3,5;4,5\n", "1,5, 2,5"),
        ("5.1,3.5,1.4,setosa\n4.9,3.0,1.4,setosa\n", "5.1, 3.5, 1.4, setosa"),
        ("setosa;5.1\nvirginica;5.9\nsetosa;5.0\n", "setosa, 5.1"),
    ],
)
def test_a_table_without_a_header_is_refused(write, content, came):
    with pytest.raises(ValueError, match=rf"line must name the columns; got {re.escape(came)}\. Write"):
        open_table(write(content), mixed=True)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("0,1\n2,3\n", ["0", "1"]),  # as pandas names columns that have none
        ("country,2019,2020\nDE,1,2\nFR,3,4\n", ["country", "2019", "2020"]),
        ("id,400.5,401.0\nid,1,2\nx,3,4\n", ["id", "400.5", "401.0"]),
        ("name,7\nAnn,1\nBob,2\n", ["name", "7"]),
    ],
)
def test_numbers_may_be_names(write, content, names):
    assert open_table(write(content), mixed=True).columns == names


@pytest.mark.parametrize("header", ["400,410,420", "5.1,3.5,x"])
def test_numbers_are_names_where_one_says_so(write, header):
    path = write(f"{header}\n1,2,x\n3,5,x\n")
    with pytest.raises(ValueError, match="the first line must name the columns") as error:
        open_table(path, drop=[header.split(",")[2]])
    assert str(error.value).endswith(
        "If these are the names, say so: skipped=0, as no line comes before them."
    )
    names = header.split(",")
    table = open_table(path, drop=names[2:], dialect=Dialect(skipped=0))
    assert (table.columns, everything(table)[1]) == (names[:2], [[1, 2], [3, 5]])
    below = write(f"of May\n{header}\n1,2,x\n", "below.csv")
    assert open_table(below, drop=names[2:], dialect=Dialect(skipped=1)).columns == names[:2]


def test_a_column_without_a_name_is_a_feature_under_the_name_that_pandas_gives_it(write):
    table = open_table(write("a,,c\n1,2.5,3\n4,5.5,6\n"))
    assert (table.columns, table.notes) == (["a", "Unnamed: 1", "c"], [])
    assert everything(table)[1] == [[1, 2.5, 3], [4, 5.5, 6]]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (",a\n7,1\n9,2\n", "Left out as an index: column 1, which has no name."),
        ("a,\n1,0\n2,1\n", "Left out as an index: column 2, which has no name and counts rows."),
    ],
)
def test_an_index_is_left_out_and_named(write, content, note):
    path = write(content)
    table = open_table(path)
    assert (table.columns, table.notes) == (["a"], [note])
    assert open_table(path, columns=["a"]).notes == []  # others than the model's are left out anyway
    assert open_table(path, id_column="").notes == []


def test_columns_of_nothing_are_not_worth_a_word(write):
    table = open_table(write("a,b,,\n1,2,,\n"))
    assert (table.columns, table.notes) == (["a", "b"], [])


@pytest.mark.parametrize("separator", [" ", "\t", ",", ";"])
@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "3"],
        ['"1"', '"2"', '"3"'],
        ['"17"', '"3"', '"25"'],  # of some rows of another table
        ['"Mazda RX4"', '"Datsun 710"', '"Fiat X1-9"'],
        ["Ann", "Bob", "Eve"],
    ],
)
def test_names_of_rows_above_which_there_is_none_are_an_index(write, separator, names):
    rows = [["x", '"y z"'], [names[0], "1.5", "7"], [names[1], "2.5", "9"], [names[2], "3.5", "8"]]
    path = write("".join(separator.join(row) + "\n" for row in rows))
    if separator == "," and names[0][0] != '"':  # half of a number with a comma?
        with pytest.raises(ValueError, match="row 0 that has 3 cells instead of 2"):
            open_table(path)
        return
    table = open_table(path)
    assert (table.columns, table.dialect.separator) == (["x", "y z"], separator)
    assert table.notes == ["Left out as an index: column 1, which has no name."]
    assert everything(table) == ([0, 1, 2], [[1.5, 7], [2.5, 9], [3.5, 8]], [])
    assert everything(open_table(path, columns=["y z"]))[1] == [[7], [9], [8]]
    assert everything(open_table(path, id_column=""))[0] == [name.strip('"') for name in names]


def test_numbers_of_some_rows_are_their_names_where_no_decimal_comma_can_be_meant(write):
    rows = "x{0}y\n3{0}1.5{0}7\n17{0}2.5{0}9\n25{0}3.5{0}8\n"
    assert everything(open_table(write(rows.format("\t"))))[1] == [[1.5, 7], [2.5, 9], [3.5, 8]]
    with pytest.raises(ValueError, match="row 0 that has 3 cells instead of 2"):
        open_table(write(rows.format(",")))


@pytest.mark.parametrize("name", ["b", " b", "b "])
def test_a_model_may_have_kept_the_space_around_names(write, name):
    table = open_table(write("a, b\n1, 2\n3, 4\n"), columns=[name])
    assert (table.columns, everything(table)[1]) == ([name], [[2], [4]])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_at_the_ends_of_rows_alone_are_left_out_and_that_is_said(write, separator):
    rows = "a,b,c\n1,2.5,3\n4,5.5,6\n".replace(",", separator)
    table = open_table(write(rows.replace("3\n", f"3{separator}\n").replace("6\n", f"6{separator}\n")))
    note = "Rows end with a separator that the header has not: what is behind it is left out."
    assert (table.columns, everything(table)[1], table.notes) == (
        ["a", "b", "c"],
        [[1, 2.5, 3], [4, 5.5, 6]],
        [note],
    )
    assert open_table(write(rows)).notes == []


def test_rows_of_which_some_end_with_a_separator_have_cells_too_many(write):
    table = open_table(write("a,b\n1,2,\n3,4\n5,6\n"))
    assert (everything(table)[1], table.notes) == ([[3, 4], [5, 6]], [])
