"""Tables in the dialects that people write them in: every one gives the scores of its clean copy."""

import json

import numpy as np
import pandas as pd
import pytest

import vaetools
from vaetools.__main__ import main

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"amount": np.exp(RNG.normal(6, 1, 200)).round(2), "n": RNG.integers(1, 99, 200)})
CITIES = FRAME.assign(city=np.array(["Köln", "Bonn", "Århus"])[np.arange(200) % 3])


def run(*arguments):
    """What the command line returns."""
    return main([str(argument) for argument in arguments])


def german(frame):
    """Rows with decimal commas and points between thousands, between semicolons."""
    marks = str.maketrans(",.", ".,")
    cells = frame["amount"].map(lambda amount: f"{amount:,.2f}".translate(marks))
    return frame.assign(amount=cells).to_csv(sep=";", index=False)


def whole(frame):
    """Amounts without cents, all of them thousands."""
    return frame.assign(amount=(frame["amount"] + 1000).round())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dialects")
    FRAME.to_csv(folder / "clean.csv", index=False)
    path = folder / "m.safetensors"
    assert run("fit", folder / "clean.csv", "-o", path, "--max-iter", "2", "-q") == 0
    return path


@pytest.fixture(scope="module")
def city_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cities")
    CITIES.to_csv(folder / "clean.csv", index=False)
    path = folder / "m.safetensors"
    options = ["--max-iter", "2", "-q", "--likelihood", "mixed"]
    assert run("fit", folder / "clean.csv", "-o", path, *options) == 0
    return path


@pytest.fixture(scope="module")
def nameless_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("nameless") / "m.safetensors"
    vaetools.save(vaetools.VAE(1, max_iter=2, random_state=0).fit(FRAME.to_numpy()), path)
    return path


def scores(model, path, *options):
    """The scores that the command writes."""
    output = path.with_name("scores.csv")
    assert run("score", model, path, "-o", output, "-q", *options) == 0
    return pd.read_csv(output)["score"].to_numpy()


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (FRAME.to_csv(index=False, encoding="utf-8-sig"), []),
        (german(FRAME), []),
        (german(FRAME), ["--separator", ";", "--decimal", ",", "--thousands", "."]),
        ("sep=;\n" + german(FRAME), []),
        ("# logger 7\n# 2024\n" + FRAME.to_csv(index=False), []),
        (FRAME.assign(amount=FRAME["amount"].map("{:,.2f}".format)).to_csv(index=False), []),
        (FRAME.to_csv(index=False, sep="\t"), ["--separator", "tab"]),
        (FRAME.to_csv(index=False, sep=" "), ["--separator", "space"]),
        (FRAME.to_csv(index=False, sep="^"), ["--separator", "^"]),
        (FRAME.assign(amount=FRAME["amount"].map("{:_}".format)).to_csv(index=False), ["--thousands", "_"]),
    ],
)
def test_other_spellings_score_as_the_clean_copy(model, tmp_path, content, options):
    (tmp_path / "t.csv").write_text(content)
    expected = vaetools.load(model).score_samples(FRAME)
    np.testing.assert_allclose(scores(model, tmp_path / "t.csv", *options), expected, rtol=1e-9)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "mac_roman"])
def test_the_encoding_that_is_asked_for_scores_as_the_clean_copy(city_model, tmp_path, encoding, capsys):
    path = tmp_path / "t.csv"
    CITIES.to_csv(path, index=False, encoding=encoding)
    if not encoding.startswith("utf"):
        assert run("score", city_model, path, "-o", tmp_path / "s.csv") == 2
        message = capsys.readouterr().err
        assert "its text must be UTF-8; got the bytes" in message
        assert "in line 2" in message
        assert "such as --encoding cp1252." in message
        assert not (tmp_path / "s.csv").exists()
    CITIES.to_csv(tmp_path / "clean.csv", index=False)
    expected = scores(city_model, tmp_path / "clean.csv")
    assert np.array_equal(scores(city_model, path, "--encoding", encoding), expected)
    if encoding.startswith("utf"):
        assert np.array_equal(scores(city_model, path), expected)


def test_amounts_of_two_meanings_are_read_with_the_option_that_the_message_names(model, tmp_path, capsys):
    path = tmp_path / "t.csv"
    frame = whole(FRAME)
    frame.assign(amount=frame["amount"].map("{:,.0f}".format)).to_csv(path, index=False)
    assert run("score", model, path) == 2
    assert 'Say which: --decimal "," or --thousands ",".' in capsys.readouterr().err
    expected = vaetools.load(model).score_samples(frame)
    np.testing.assert_allclose(scores(model, path, "--thousands", ","), expected, rtol=1e-9)
    frame["amount"] /= 1000
    expected = vaetools.load(model).score_samples(frame)
    np.testing.assert_allclose(scores(model, path, "--decimal", ","), expected, rtol=1e-9)


def test_every_command_takes_a_dialect(model, tmp_path, capsys):
    path, said = tmp_path / "t.csv", ["--separator", "^"]
    FRAME.to_csv(path, index=False, sep="^")
    fitted = tmp_path / "m.safetensors"
    assert run("fit", path, "-o", fitted, "--max-iter", "1", "-q", *said) == 0
    assert vaetools.load(fitted).feature_names_in_.tolist() == ["amount", "n"]
    assert run("embed", model, path, "-o", tmp_path / "e.csv", *said) == 0
    assert run("recalibrate", model, path, "-o", fitted, *said) == 0
    assert run("similar", model, "3", path, "-o", tmp_path / "h.csv", *said) == 0
    assert run("report", model, path, "--map", "pca", "-q", *said) == 0
    assert capsys.readouterr().err.count("Read as '^' between cells, decimal points, UTF-8.") == 3


def test_fit_says_what_it_understood(tmp_path, capsys):
    path, output = tmp_path / "t.csv", tmp_path / "m.safetensors"
    path.write_text("sep=;\n;" + german(FRAME).replace("\n", "\nx;")[:-2])
    assert run("fit", path, "-o", output, "--max-iter", "1") == 0
    facts = " ".join(capsys.readouterr().out.split())
    words = "semicolons between cells, decimal commas, points between thousands, UTF-8, 1 line before the"
    assert f"Read as {words} header passed over" in facts
    assert "Columns Left out as an index: column 1, which has no name." in facts
    assert run("fit", path, "-o", output, "--max-iter", "1", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["dialect"] == {
        "separator": ";",
        "decimal": ",",
        "thousands": ".",
        "encoding": "utf-8",
        "skipped": 1,
    }
    assert summary["notes"] == ["Left out as an index: column 1, which has no name."]


def test_score_says_what_is_not_plain_and_all_with_v(model, tmp_path, capsys):
    FRAME.to_csv(tmp_path / "plain.csv", index=False)
    (tmp_path / "german.csv").write_text(german(FRAME))
    output = ["-o", tmp_path / "s.csv"]
    assert run("score", model, tmp_path / "plain.csv", *output) == 0
    assert "Read as" not in capsys.readouterr().err
    assert run("score", model, tmp_path / "plain.csv", *output, "-v") == 0
    assert "Read as commas between cells, decimal points, UTF-8." in capsys.readouterr().err
    assert run("score", model, tmp_path / "german.csv", *output) == 0
    assert "Read as semicolons between cells, decimal commas, points between" in capsys.readouterr().err
    assert run("score", model, tmp_path / "german.csv", *output, "-q") == 0
    assert capsys.readouterr().err == ""
    assert run("score", model, tmp_path / "german.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["dialect"]["decimal"] == ","


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--decimal", "x"], "Invalid value for '--decimal': must be '.' or ','; got 'x'."),
        (["--separator", "ab"], "Invalid value for '--separator': must be one ASCII character"),
        (["--encoding", "klingon"], "Invalid value for '--encoding': must be one that Python knows"),
        (["--decimal", ",", "--thousands", ","], "thousands must differ from decimal; got ',' for both"),
    ],
)
def test_a_dialect_of_nonsense_is_refused(model, tmp_path, options, message, capsys):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    assert run("score", model, tmp_path / "t.csv", *options) == 2
    assert message in capsys.readouterr().err


def test_a_dialect_is_for_tables(nameless_model, tmp_path, capsys):
    np.save(tmp_path / "t.npy", FRAME.to_numpy())
    assert run("score", nameless_model, tmp_path / "t.npy", "--decimal", ",") == 2
    assert "a table is written in a dialect; got array" in capsys.readouterr().err


def test_dates_are_named_with_a_way_to_go(tmp_path, capsys):
    path = tmp_path / "t.csv"
    FRAME.assign(day="2024-05-01").to_csv(path, index=False)
    assert run("fit", path, "-o", tmp_path / "m.safetensors", "--max-iter", "1") == 2
    message = capsys.readouterr().err
    assert "got 'day' ('2024-05-01'). Write a date as a number, such as days" in message
    assert "mixed" not in message


# Columns by position


POSITION = "by position"
as_for_users = pytest.mark.filterwarnings("default::UserWarning")


@as_for_users
def test_a_model_without_names_says_that_it_takes_columns_by_position(nameless_model, tmp_path, capsys):
    path = tmp_path / "t.csv"
    FRAME.to_csv(path, index=False)
    assert run("score", nameless_model, path, "-o", tmp_path / "s.csv") == 0
    message = capsys.readouterr().err
    assert message.count(POSITION) == 1
    words = f"warning: VAE was fitted on columns without names, so it takes those of {path} by position"
    assert words in message
    expected = vaetools.load(nameless_model).score_samples(FRAME.to_numpy())
    np.testing.assert_allclose(pd.read_csv(tmp_path / "s.csv")["score"], expected, rtol=1e-9)
    FRAME.assign(more=1).to_csv(path, index=False)
    assert run("score", nameless_model, path) == 2
    assert "rows must have 2 values; got 3" in capsys.readouterr().err


@as_for_users
def test_a_model_with_names_says_that_it_takes_an_array_by_position(model, nameless_model, tmp_path, capsys):
    np.save(tmp_path / "t.npy", FRAME.to_numpy())
    for command in ("score", "embed"):
        assert run(command, model, tmp_path / "t.npy", "-o", tmp_path / "s.csv") == 0
        words = "t.npy has no names of columns, so VAE takes them by position, as amount, n:"
        assert words in capsys.readouterr().err
    assert run("score", nameless_model, tmp_path / "t.npy", "-o", tmp_path / "s.csv") == 0
    assert POSITION not in capsys.readouterr().err


@as_for_users
def test_an_array_that_is_not_read_is_warned_of_in_no_way(model, tmp_path, capsys):
    np.save(tmp_path / "t.npy", FRAME.to_records(index=False))
    np.savez(tmp_path / "t.npz", train=FRAME.to_numpy(), test=FRAME.to_numpy())
    for name, words in (("t.npy", "an array must hold integers"), ("t.npz", "Say which, such as --array")):
        assert run("score", model, tmp_path / name) == 2
        err = capsys.readouterr().err
        assert words in err
        assert POSITION not in err


def test_names_on_both_sides_need_no_word(model, tmp_path, capsys):
    FRAME[["n", "amount"]].to_csv(tmp_path / "t.csv", index=False)
    expected = vaetools.load(model).score_samples(FRAME)
    np.testing.assert_allclose(scores(model, tmp_path / "t.csv"), expected, rtol=1e-9)
    assert capsys.readouterr().err == ""


def test_parts_are_scored_as_one_table(model, tmp_path, capsys):
    (tmp_path / "t").mkdir()
    for i in range(2):
        FRAME.iloc[100 * i : 100 * i + 100].to_parquet(tmp_path / "t" / f"part-{i}.parquet")
    output = tmp_path / "s.csv"
    assert run("score", model, tmp_path / "t", "-o", output) == 0
    assert capsys.readouterr().err.startswith("200 rows scored")
    result = pd.read_csv(output)
    names = [f"{tmp_path}/t/part-0.parquet:99", f"{tmp_path}/t/part-1.parquet:0"]
    assert result["row"].tolist()[99:101] == names
    np.testing.assert_allclose(result["score"], vaetools.load(model).score_samples(FRAME), rtol=1e-9)


def test_what_cannot_be_read_is_listed_with_the_option_that_reads_it(model, tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text('amount,n\n12.5,1\n"2,084",2\n3.5,"3\n')
    assert run("score", model, path, "-o", tmp_path / "s.csv", "--thousands", "none") == 1
    err = capsys.readouterr().err
    reason = "column 'amount' is '2,084', not a number with decimal points"
    assert f'row 1: {reason}; say --thousands "," if it is 2084' in err
    assert "row 2: has a quote that is opened in line 4 and never closed" in err
    assert run("score", model, path, "-o", tmp_path / "s.csv", "--thousands", ",") == 1
    assert "row 1:" not in capsys.readouterr().err


def test_the_row_is_named_where_none_can_be_read(model, tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("amount,n\nx,1\n")
    assert run("score", model, path) == 2
    assert "; the first: row 0: column 'amount' is 'x', not a number" in capsys.readouterr().err


def test_one_column_is_one(tmp_path, capsys):
    path = tmp_path / "t.csv"
    FRAME[["amount"]].to_csv(path, index=False)
    assert run("fit", path, "-o", tmp_path / "m.safetensors", "--max-iter", "1") == 0
    assert "1 column: amount" in capsys.readouterr().out


def test_names_that_are_numbers_are_taken_where_one_says_so(tmp_path, capsys):
    path, model = tmp_path / "spectra.csv", tmp_path / "m.safetensors"
    FRAME.set_axis(["400", "410"], axis=1).to_csv(path, index=False)
    fit = ["fit", path, "-o", model, "--max-iter", "2"]
    assert run(*fit) == 2
    assert (
        "If these are the names, say so: --skip 0, as no line comes before them." in capsys.readouterr().err
    )
    assert run(*fit, "--skip", 0) == 0
    assert vaetools.load(model).feature_names_in_.tolist() == ["400", "410"]
    assert len(scores(model, path)) == 200  # the model knows the names


@pytest.mark.filterwarnings("default:VAE. most cells")
def test_a_column_of_unseen_categories_is_said_once(city_model, tmp_path, capsys):
    CITIES.assign(city=CITIES["city"].str.upper()).to_csv(tmp_path / "new.csv", index=False)
    assert run("score", city_model, tmp_path / "new.csv", "-o", tmp_path / "scores.csv") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "counts as unseen" in line]
    assert len(said) == 1
    assert "others in column 'city' ('BONN', in fit 'Bonn')" in said[0]


def test_a_part_that_is_damaged_within_stops_no_other(model, tmp_path, capsys):
    folder = tmp_path / "parts"
    folder.mkdir()
    many = np.random.default_rng(0).normal(size=(80_000, 2))
    pd.DataFrame(many, columns=FRAME.columns).to_csv(folder / "0.csv.gz", index=False)
    (folder / "0.csv.gz").write_bytes((folder / "0.csv.gz").read_bytes()[:-100])
    FRAME.to_csv(folder / "1.csv.gz", index=False)
    assert run("score", model, folder, "-o", tmp_path / "scores.csv") == 1
    assert f"{folder}/0.csv.gz: not a readable CSV file: Compressed file ended" in capsys.readouterr().err
    rows = pd.read_csv(tmp_path / "scores.csv")["row"]
    assert rows.str.contains("1.csv.gz").sum() == 200
