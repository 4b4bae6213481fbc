"""Numbers as people write them."""

import re

import numpy as np
import pytest

from tests.data.tables import everything
from vaetools.data import csv_files
from vaetools.data.batches import Failure
from vaetools.data.dialect import NUMBER, Dialect, Kind
from vaetools.data.numerals import is_number
from vaetools.data.tables import open_table

AMOUNTS = [12.5, 980.25, 1234.5, 1234567.75, -2500.125, 0.5, 3.0]


def written(value, decimal, thousands):
    """A number as people write it."""
    return f"{value:,}".replace(",", "_").replace(".", decimal).replace("_", thousands)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("decimal", "thousands", "found"),
    [
        (".", "", ""),
        (".", ",", ","),
        (".", " ", " "),
        (".", "\u00a0", " "),
        (".", "'", "'"),
        (".", "\u2019", "'"),
        (",", "", ""),
        (",", ".", "."),
        (",", " ", " "),
        (",", "\u202f", " "),
    ],
)
def test_numbers_are_read_however_they_are_written(write, separator, decimal, thousands, found):
    rows = "".join(
        f'"{written(value, decimal, thousands)}"{separator}{i}\n' for i, value in enumerate(AMOUNTS)
    )
    table = open_table(write(f"amount{separator}n\n{rows}"))
    assert (table.dialect.decimal, table.dialect.thousands) == (decimal, found)
    assert everything(table)[1:] == ([[value, i] for i, value in enumerate(AMOUNTS)], [])
    assert table.dialect.has_plain_numbers == ((decimal, thousands) == (".", ""))


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ("245 331 980 1,234 2,500", [245, 331, 980, 1234, 2500]),  # whole numbers below 1,000 beside it
        ("1,234,567 1,234", [1234567, 1234]),
        ("12,5 1,234", [12.5, 1.234]),
        ("0,125 1,234", [0.125, 1.234]),
        ("1.5e3 .5 -2E-1 inf", [1500, 0.5, -0.2]),
        ("683 5 20 1.225 27.850 1.008.330", [683, 5, 20, 1225, 27850, 1008330]),
        ("1.008.330 27.850 14.500 12.025", [1008330, 27850, 14500, 12025]),  # one with two points tells
        ("683 5 20 1.225 27.850 0.126", [683, 5, 20, 1.225, 27.85, 0.126]),
        ("683 5 20 1.225 1234.567", [683, 5, 20, 1.225, 1234.567]),
        ("683 5 20 1.225 27.85", [683, 5, 20, 1.225, 27.85]),
    ],
)
def test_all_cells_decide_what_one_leaves_open(write, cells, numbers):
    path = write("a\n" + "\n".join(cells.split()), "t.tsv")
    assert [row for (row,) in everything(open_table(path))[1]] == numbers


@pytest.mark.parametrize("separator", [",", "\t", "|", " "])
@pytest.mark.parametrize("mixed", [False, True])
def test_points_that_may_stand_between_thousands_are_said(write, separator, mixed):
    text = "a,b\n1,683.000\n2,-1.225\n3,NA\n".replace(",", separator)
    path = write(text)
    with pytest.warns(UserWarning, match="should have one meaning") as told:
        X, _, _ = open_table(path, drop=["a"], mixed=mixed).read()
    assert X["b"].dropna().tolist() == [683, -1.225]
    (words,) = [str(each.message) for each in told]
    assert words == (
        f"{path}: a number such as '683.000' in column 'b' should have one meaning; it is read as 683.000, "
        "and may be 683000, as no number in the table has another kind of fraction. Say which: decimal='.' "
        "or thousands='.'."
    )
    with pytest.warns(UserWarning, match="'683.000' in column 'b'"):
        open_table(path, columns=["b"])
    for said, first in ((Dialect(decimal="."), 683), (Dialect(thousands="."), 683000)):
        X, _, _ = open_table(path, drop=["a"], mixed=mixed, dialect=said).read()
        assert X["b"].tolist()[0] == first


@pytest.mark.parametrize("more", ["0.125", "1.5", "12.3456", "1234.567"])
def test_one_other_fraction_tells_what_points_are(write, more):
    path = write(f"a,b,c\n1,683.000,{more}\n2,-1.225,7\n")
    assert everything(open_table(path))[1][0] == [1, 683, float(more)]


AMBIGUOUS = [
    ("a;b\n1,234;5\n12,345;6\n", ",", "1,234", "1.234", "1234"),
    ("a\n1,234\n2,500\n", ",", "1,234", "1.234", "1234"),
    ("a;b\n1.234;5\n12;6\n13;7\n14;8\n", ".", "1.234", "1.234", "1234"),
    ("a;b\n1.234;5\n12.345;6\n", ".", "1.234", "1.234", "1234"),
    ("a;b\n" + 50 * "12.345;5\n" + "1,5;2\n", ".", "12.345", "12.345", "12345"),
    ("a\n1.225\n27.850\n683\n5\n20\n", ".", "1.225", "1.225", "1225"),  # beside short whole numbers
    ("a\tb\n1.225\t1\n683\t2\n5\t3\n20\t4\n", ".", "1.225", "1.225", "1225"),
    ("a|b\n1.225|1\n683|2\n5|3\n20|4\n", ".", "1.225", "1.225", "1225"),
    ("a,b\n1.225,1\n683,2\n5,3\n20,4\n", ".", "1.225", "1.225", "1225"),
]


@pytest.mark.parametrize(("content", "mark", "cell", "fraction", "thousand"), AMBIGUOUS)
def test_two_meanings_are_refused_and_the_options_give_either(write, content, mark, cell, fraction, thousand):
    path = write(content)
    with pytest.raises(ValueError, match="column 'a' must be written so that its numbers have one") as error:
        open_table(path)
    assert str(error.value) == (
        f"{path}: column 'a' must be written so that its numbers have one meaning; got {cell!r}, which may "
        f"be {fraction} or {thousand}. Say which: decimal={mark!r} or thousands={mark!r}."
    )
    for said, value in ((Dialect(decimal=mark), fraction), (Dialect(thousands=mark), thousand)):
        assert everything(open_table(path, dialect=said))[1][0][0] == float(value)


def test_columns_in_two_ways_are_refused_unless_one_is_dropped_or_said(write):
    path = write("a;b\n1,5;5.5\n2,5;6.5\n3,5;7.5\n")
    with pytest.raises(ValueError, match=r"numbers must be written alike; got '1,5' in column 'a', and"):
        open_table(path)
    with pytest.raises(ValueError, match="must be written alike"):
        open_table(path, mixed=True)  # and amounts become no categories
    assert everything(open_table(path, drop=["a"]))[1] == [[5.5], [6.5], [7.5]]
    assert everything(open_table(path, drop=["b"]))[1] == [[1.5], [2.5], [3.5]]
    plain = Dialect(decimal=".", thousands="")
    assert open_table(path, mixed=True, dialect=plain).read()[0]["a"].tolist() == ["1,5", "2,5", "3,5"]


def test_cells_that_break_the_rule_are_listed(write):
    table = open_table(write("a;b\n1,5;1\n2.5;2\n3,5;x\n4,5;4\n5,5;1.00\n"))
    how = "not a number with decimal commas"
    assert everything(table) == (
        [0, 3],
        [[1.5, 1], [4.5, 4]],
        [
            Failure(1, f"column 'a' is '2.5', {how}"),
            Failure(2, "column 'b' is 'x', not a number"),
            Failure(4, f"column 'b' is '1.00', {how}"),
        ],
    )


def test_what_is_no_number_decides_nothing(write):
    rows = "".join(f'{i}.5,192.168.1{i}.20{i},"{i},5 and more",2020-01-0{i + 1}\n' for i in range(5))
    table = open_table(write(f"a,ip,text,day\n{rows}"), mixed=True)
    assert table.dialect.has_plain_numbers
    X = table.read()[0]
    assert X["a"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert X["text"].tolist() == [f"{i},5 and more" for i in range(5)]


def test_mixed_tables_have_integers_numbers_and_gaps_in_any_dialect(write):
    plain = "n,x,y\n1234567,1.5,a\n12,,b\n,-2500.25,\n7,0.5,a\n"
    german = "n;x;y\n1.234.567;1,5;a\n12;;b\n;-2.500,25;\n7;0,5;a\n"
    tables = [open_table(write(text), mixed=True).read()[0] for text in (plain, german)]
    assert tables[0].equals(tables[1])
    assert tables[1].dtypes.astype(str).tolist()[:2] == ["Int64", "float64"]


def test_codes_that_a_model_knows_as_numbers_are_read_in_the_dialect(write):
    known = open_table(write("code,x\n1.5,1.5\n2.5,2.5\n")).read()[0]
    kinds = {"code": Kind(NUMBER, (1.5, 2.5)), "x": Kind(NUMBER)}
    (batch,) = open_table(write("code;x\n1,5;1,5\n2,5;2,5\nz;1,5\n"), columns=kinds).batches()
    assert batch.X["code"].tolist() == known["code"].tolist()
    assert batch.failed == [Failure(2, "column 'code' is 'z', not a number")]


@pytest.mark.parametrize(
    "text", ["1", "-1.5", "1,5", "1,234.5", "1.234,5", "1 234", "1'234", " 2 ", "1e5", "nan"]
)
def test_texts_that_are_numbers(text):
    assert is_number(text)


@pytest.mark.parametrize(
    "text", ["", "a", "1,2,3", "1.2.3", "1 2", "2020-01-01", "٣", "0x1F", "1_000", "12:30", "5 %"]
)
def test_texts_that_are_none(text):
    assert not is_number(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": "ab"}, "separator must be one ASCII character, but no letter, digit or \"; got 'ab'"),
        ({"separator": "x"}, "separator must be one ASCII"),
        ({"separator": '"'}, "separator must be one ASCII"),
        ({"separator": "§"}, "separator must be one ASCII"),
        ({"decimal": "x"}, "decimal must be '.' or ','; got 'x'"),
        (
            {"thousands": "x"},
            "thousands must be one of ',', '.', ' ', \"'\" and '_', or '' for none; got 'x'",
        ),
        ({"thousands": ",", "decimal": ","}, "thousands must differ from decimal; got ',' for both"),
        (
            {"encoding": "klingon"},
            "encoding must be one that Python knows, such as 'cp1252' or 'utf-16'; got",
        ),
        ({"encoding": "a\0b"}, "encoding must be one that Python knows"),
        ({"encoding": "base64"}, "encoding must be one that Python knows"),
        ({"skipped": -1}, "skipped must be a number of lines; got -1"),
    ],
)
def test_no_dialect_of_nonsense(options, message):
    with pytest.raises(ValueError, match="Dialect: ") as error:
        Dialect(**options)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "commas between cells, decimal points, UTF-8"),
        (
            "sep=;\na;b\n1,5;2\n".encode("utf-16"),
            "semicolons between cells, decimal commas, UTF-16, 1 line before the header passed over",
        ),
        ('a\tb\n"1\'234.5"\t2\n', "tabs between cells, decimal points, apostrophes between thousands, UTF-8"),
    ],
)
def test_what_was_understood_is_said_in_words(write, content, words):
    dialect = open_table(write(content)).dialect
    assert str(dialect) == words
    assert dialect.is_plain == words.startswith("commas")


def test_large_samples_of_plain_numbers_stay_plain(write):
    X = np.random.default_rng(0).normal(size=(5000, 3))
    rows = "".join(";".join(f"{value:.3f}" for value in row) + "\n" for row in X)
    table = open_table(write(f"a;b;c\n{rows}"))
    assert table.dialect.has_plain_numbers
    assert np.array_equal(everything(table)[1], X.round(3))


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("n_fractions", [0, 1])
def test_thousands_that_begin_below_the_sample_are_listed(write, monkeypatch, separator, n_fractions):
    monkeypatch.setattr(csv_files, "SAMPLE", 1000)
    rows = [f"{i % 895 + 5}{separator}{i}" for i in range(500)] + [
        f"-2.084{separator}7",
        f"2.5{separator}0.126",
    ]
    first = [f"0.5{separator}1"] * n_fractions
    path = write("\n".join([f"a{separator}b", *first, *rows]))
    X = [[0.5, 1]] * n_fractions + [[i % 895 + 5, i] for i in range(500)]
    if n_fractions:
        assert everything(open_table(path))[1:] == ([*X, [-2.084, 7], [2.5, 0.126]], [])
        return
    assert everything(open_table(path))[1:] == (
        [*X, [2.5, 0.126]],
        [
            Failure(
                500, "column 'a' is '-2.084', not a number; say thousands='.' if it is -2084, or decimal='.'"
            )
        ],
    )
    for said, value in ((Dialect(decimal="."), -2.084), (Dialect(thousands="."), -2084)):
        assert everything(open_table(path, dialect=said))[1][500] == [value, 7]


def test_commas_between_thousands_that_begin_below_the_sample_are_listed(write, monkeypatch):
    monkeypatch.setattr(csv_files, "SAMPLE", 1000)
    path = write("a\n0.5\n" + "".join(f"{i}\n" for i in range(999)) + '"2,084"\n')
    ids, _, failed = everything(open_table(path))
    how = "not a number with decimal points; say thousands=',' if it is 2084"
    assert (len(ids), failed) == (1000, [Failure(1000, f"column 'a' is '2,084', {how}")])
    assert everything(open_table(path, dialect=Dialect(thousands=",")))[1][-1] == [2084]


@pytest.mark.parametrize(
    "text", ["1.234e3", "1.2345", "12.5", "0.125", "-1234.125", "5.", ".125", "inf", "7e2"]
)
def test_cells_with_one_meaning_are_numbers_where_points_are_open(text):
    assert re.match(Dialect(thousands="").written[NUMBER], text)


@pytest.mark.parametrize("text", ["1.234", "+123.456", "1.234.567", "1,5", "a", ""])
def test_cells_with_two_meanings_are_none_where_points_are_open(text):
    assert not re.match(Dialect(thousands="").written[NUMBER], text)


def test_addresses_do_not_tell_of_thousands(write):
    rows = "".join(f"{i}\t192.168.100.1{i}\n" for i in range(10, 90))
    with pytest.raises(ValueError, match=r"got 'ip' \('192.168.100.110'\)"):
        open_table(write(f"n\tip\n{rows}"))
    assert everything(open_table(write(f"n\tip\n{rows}"), id_column="ip"))[1][0] == [10]


def test_thousands_beside_columns_of_fractions_are_refused(write):
    rows = "".join(f"{i}.5;{i}.008.330\n{i}.25;12.345\n{i};7\n" for i in range(1, 9))
    with pytest.raises(ValueError, match=r"numbers must be written alike; got '1.008.330' in column 'b'"):
        open_table(write(f"a;b\n{rows}"))


@pytest.mark.parametrize("mixed", [False, True])
def test_signs_of_minus_and_spaces_that_break_no_line_are_those_of_numbers(write, mixed):
    path = write("a;n\n\u22121,5;\u22123\n\u00a02,5\u00a0;\u202f4\n1e\u22122;5\n")
    assert open_table(path, mixed=mixed).read()[0].to_numpy().tolist() == [[-1.5, -3], [2.5, 4], [0.01, 5]]


@pytest.mark.parametrize("cells", ["1,257E-01 -2,5e+00 3,125E2", "1,257E-01 3,125e2", "1,257E-01 1,234 683"])
@pytest.mark.parametrize("others", [["1", "2", "3"], ["1,5", "2", "3"]])
def test_commas_before_exponents_are_decimal(write, cells, others):
    rows = "".join(f"{cell};{other}\n" for cell, other in zip(cells.split(), others, strict=False))
    values = [float(cell.replace(",", ".")) for cell in cells.split()]
    assert [row[0] for row in everything(open_table(write(f"a;b\n{rows}")))[1]] == values


def test_thousands_have_no_exponent(write):
    table = open_table(
        write("a;b\n1.234.567;1,5\n1.234.567;1,5\n1.257E-01;2,5\n"),
        dialect=Dialect(decimal=",", thousands="."),
    )
    assert everything(table)[1] == 2 * [[1234567, 1.5]]  # and the other is not 125.7
    assert Dialect(thousands=",").number("1234.5e-3") == 1.2345


def test_what_neither_reading_explains_alone_is_no_raw_error(write):
    with pytest.raises(ValueError, match=r"got 'a' \('1,5'\). Say how numbers are written"):
        open_table(write("a;b\n1,234,567;0\n2,234,567;0\n1,5;0\n2,5;0\n"))


@pytest.mark.parametrize("said", [Dialect(), Dialect(thousands=",")])
def test_commas_group_as_in_india(write, said):
    table = open_table(
        write('a,b\n"1,10,100",1\n"12,34,567.5",2\n"-98,76,54,321",3\n"5,000",4\n'), dialect=said
    )
    assert everything(table)[1] == [[110100, 1], [1234567.5, 2], [-987654321, 3], [5000, 4]]
    assert not any(map(is_number, ("12,34,5", "123,45,678", "12.34.567")))


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(
    ("content", "cell"),
    [
        ("a,b\n1407.47,1\n(2.5),2\n(12),3\n", "(2.5)"),
        ('a,b\n"1,407.47",1\n(2.50),2\n"(12.00)",3\n', "(2.50)"),
        ("a;b\n1.407,47;1\n(2,5);2\n(12,0);3\n", "(2,5)"),
    ],
)
def test_numbers_in_parentheses_are_negative_and_that_is_said(write, content, cell, mixed):
    table = open_table(write(content), mixed=mixed, drop=["b"])
    note = f"Numbers in parentheses are negative, as in accounts: {cell} in column 'a'."
    values = table.read()[0]["a"].dropna().tolist()
    assert (table.notes, values) == ([note], [1407.47, -2.5, -12])


def test_words_in_parentheses_are_none_and_nothing_is_said(write):
    assert open_table(write("a\n1.5\n2.5\n(x)\n")).notes == []
    table = open_table(write("t,a\nx,1.5\n(1),2.5\ny,3.5\n"), mixed=True)
    assert (table.notes, table.read()[0]["t"].tolist()) == ([], ["x", "(1)", "y"])


@pytest.mark.parametrize(
    ("content", "said", "advice"),
    [
        ("a;b\n1.50;1\n2.25;2\n", Dialect(decimal=","), "such as decimal='.', or drop"),
        ("a;b\n1,50;1\n2,25;2\n", Dialect(decimal="."), "such as decimal=',', or drop"),
        ("a;b\n1280,85;1\n2,25;2\n", Dialect(thousands=","), "such as decimal=',', or drop"),
        ("a;b\n1,280.85;1\n2.25;2\n", Dialect(decimal=","), "such as decimal='.' and thousands=',', or drop"),
        ("a;b\n1.5;1\n2.5;2\n", Dialect(separator=","), "hold another separator: say separator=';'."),
        ("a\tb\n1.5\t1\n2.5\t2\n", Dialect(separator=";"), r"hold another separator: say separator='\t'."),
        ("a,b\n1.5,1\n2.5,2\n", Dialect(separator=";"), "hold another separator: say separator=','."),
        ("a;b\n1,5;1\n2,5;2\n", Dialect(separator=","), "separator its header has: separator=';'."),
    ],
)
def test_advice_never_names_what_was_said(write, content, said, advice):
    path = write(content)
    with pytest.raises(ValueError) as error:  # noqa: PT011
        open_table(path, dialect=said)
    assert advice in str(error.value)
    named = dict(re.findall(r"(decimal|thousands|separator)='(.|\\t)'", str(error.value)))
    better = Dialect(**{name: value.replace("\\t", "\t") for name, value in named.items()})
    assert len(everything(open_table(path, dialect=better))[1]) >= 1
