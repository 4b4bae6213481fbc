"""What is said of numbers and of names of unknown origin."""

import unicodedata

import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaetools import VAE, words
from vaetools.words import floor_in_words, number, percent, printable, see


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain/ä 日本　.png", "plain/ä 日本　.png"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\x1b[2J\x07\x7f\x00", r"\x1b[2J\x07\x7f\x00"),
        ("\x85\x9b31m", r"\u0085\u009b31m"),  # one-character controls of terminals
        ("caf\udce9", r"caf\xe9"),  # os.fsdecode(b"caf\xe9"), and not the letter é
        ("\ud800", r"\ud800"),
        ("\u202egnp.exe\u2066\u200f\u061c", r"\u202egnp.exe\u2066\u200f\u061c"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("a\u200bb\ufeff\xad\U000e0001", r"a\u200bb\ufeff\u00ad\U000e0001"),
        ("می\u200cخواهم 👩\u200d🔬 שלום", "می\u200cخواهم 👩\u200d🔬 שלום"),
        ("C:\\photos\\new", "C:\\photos\\new"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_spelled_out(text, shown):
    assert printable(text) == shown
    assert printable(shown) == shown


def test_every_character_can_be_written_and_none_moves_a_cursor():
    shown = printable("".join(map(chr, range(0x110000))))
    assert shown.encode("utf-8")
    assert {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"} == set()
    assert {c for c in shown if unicodedata.category(c) == "Cf"} == {"\u200c", "\u200d"}


def test_numbers_and_absent_numbers():
    assert (number(-1.25, 1), number(0.98765, 3), number(None, 1)) == ("−1.2", "0.988", "–")
    assert (number(-3.4e38, 1), number(999_999_999_999, 0)) == ("−3.4e+38", "999999999999")
    assert (percent(0.0625), percent(None)) == ("6.2 %", "–")


@pytest.mark.parametrize(
    ("p_values", "n", "words"),
    [
        (
            [0.01, 0.01, 0.01, 0.02],
            99,
            "p = 0.010 is the least that 99 calibration rows can give: rows that share it are ordered",
        ),
        ([1 / 10_001] * 2, 10_000, "p = 0.00010 is the least that 10,000 calibration rows can give: rows"),
        ([0.01, 0.02], 99, ""),  # one alone is ordered already
        ([0.02, 0.02], 99, ""),
        ([float("nan")] * 3, 0, ""),  # no rows calibrate
        ([], 99, ""),
    ],
)
def test_it_is_said_where_p_values_are_the_least_there_are(p_values, n, words):
    said = floor_in_words(p_values, n)
    assert said.startswith(words)
    assert bool(said) == bool(words)


def test_errors_name_a_page_of_the_docs_or_of_the_site(monkeypatch):
    assert see("mixed.md") == "See docs/mixed.md."
    monkeypatch.setattr(words, "SITE", "https://site.example")
    assert see("promises.md#few-rows") == "See https://site.example/docs/promises.html#few-rows."


YEARS = [2023, 2024, 2025, 2026]


def test_a_warning_points_at_the_line_that_called_the_package(iris):
    X = iris[0][:10]
    model = make_pipeline(StandardScaler(), VAE(2, max_iter=0))
    with pytest.warns(UserWarning, match="VAE: false_alarm_rate=0.05 takes") as told:
        model.fit(X)
    assert {each.filename for each in told} == {__file__}
    search = GridSearchCV(model, {"vae__beta": [1.0]}, cv=2, scoring=lambda *_: 0.0)
    with pytest.warns(UserWarning, match="VAE: false_alarm_rate=0.05 takes") as told:
        search.fit(X)
    assert {each.filename for each in told} == {__file__}
    with pytest.warns(UserWarning, match="X does not have valid feature names") as told:
        VAE(2, max_iter=0, false_alarm_rate=0.5).fit(pd.DataFrame(X, columns=YEARS)).transform(X)
    assert {each.filename for each in told} == {__file__}


def test_a_caller_without_a_name_who_python_shows_no_warning_is_no_error(iris):
    names = {"VAE": VAE, "X": iris[0][:10], "__name__": None}
    exec("odd = VAE(2, max_iter=0).fit(X).predict(X)", names)
    assert len(names["odd"]) == 10
