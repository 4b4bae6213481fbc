"""What takes the parts of a stream: every row is counted, kept and written once, or nothing is."""

import os

import numpy as np
import pandas as pd
import pytest

from vaetools import VAE, discoveries
from vaetools.stream import (
    Collected,
    Nearest,
    Oddest,
    Selection,
    Sink,
    TableFile,
    Tally,
    stream_codes,
    stream_scores,
)

QUICK = {"max_iter": 2, "hidden_layer_sizes": (16,), "random_state": 0}


@pytest.fixture(scope="module")
def rows():
    """500 rows of 3 columns, the last 20 far away."""
    rows = np.random.default_rng(0).normal(size=(500, 3))
    rows[480:] *= 30
    return pd.DataFrame(rows, columns=["a", "b", "c"])


@pytest.fixture(scope="module")
def vae(rows):
    return VAE(2, **QUICK).fit(rows[:480])


@pytest.fixture
def path(rows, tmp_path, monkeypatch):
    """The rows in a file that is read 70 at a time."""
    monkeypatch.setattr("vaetools.data.tables.MAX_VALUES", 210)
    gappy = rows.copy()
    gappy.loc[3, "a"] = np.nan
    gappy.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def test_rows_are_counted_kept_and_written_once(vae, rows, path, tmp_path):
    tally, oddest, scores = Tally(vae), Oddest(7), Collected(lambda part: part.table["score"])
    parts = stream_scores(vae, path).into(tally, oddest, scores, TableFile(tmp_path / "s.parquet"))
    expected = vae.score_samples(rows.drop(index=3))
    assert len(scores.parts) == 8
    np.testing.assert_allclose(pd.concat(scores.parts), expected, rtol=1e-9)
    assert (parts.n_rows, parts.failed) == (499, [(3, "column 'a' is missing")])
    assert (tally.n_rows, tally.n_odd) == (499, (expected < vae.offset_).sum())
    assert tally.expected() == f"; about {499 * tally.false_alarm_rate:.0f} would be if all were normal"
    tally.n_rows = 9  # of which half a row would be
    assert tally.expected() == "; fewer than 1 would be if all were normal"
    numbers = np.delete(np.arange(500), 3)[np.argsort(expected, kind="stable")[:7]]
    assert oddest.table["row"].tolist() == numbers.tolist()
    np.testing.assert_allclose(oddest.X, rows.loc[numbers], rtol=1e-12)
    written = pd.read_parquet(tmp_path / "s.parquet")
    np.testing.assert_allclose(written["score"], expected, rtol=1e-9)


def test_a_selection_decides_for_the_sinks_behind_it(vae, path, tmp_path):
    selection = Selection(vae, 0.3)
    tally, oddest = Tally(vae, selection), Oddest(40, selection)
    stream_scores(vae, path).into(selection, tally, oddest, TableFile(tmp_path / "s.csv", selection))
    written = pd.read_csv(tmp_path / "s.csv")
    selected = discoveries(written["p_value"], 0.3)
    assert (written["verdict"] == "odd").tolist() == selected.tolist()
    assert 20 <= selected.sum() == selection.n_odd == tally.n_odd == (oddest.table["verdict"] == "odd").sum()
    assert tally.threshold == selection.threshold
    sure = f"; with 95 % confidence at most {tally.most_mistakes} are"
    assert tally.expected() == "; selected so that at most 30 % of them are expected to be normal" + sure
    assert 0 < tally.most_mistakes <= tally.n_odd
    with pytest.raises(ValueError, match=r"it must count rows before it judges them; got none\."):
        stream_scores(vae, path).into(TableFile(tmp_path / "t.csv", Selection(vae, 0.3)))
    assert sorted(os.listdir(tmp_path)) == ["rows.csv", "s.csv"]


def test_a_selection_needs_calibration_rows(rows):
    vae = VAE(2, contamination=0.1, **QUICK).fit(rows)
    with pytest.raises(ValueError, match="model must have calibration rows; got one that held none"):
        Selection(vae, 0.1)


def test_the_nearest_are_those_of_all_parts(vae, rows, path):
    codes = vae.transform(rows)
    nearest = Nearest(codes[:1], 5, lambda name: name == 0)
    stream_codes(vae, path).into(nearest)
    distances = np.linalg.norm(codes - codes[0], axis=1)
    distances[[0, 3]] = np.inf
    assert nearest.table["row"].tolist() == np.argsort(distances, kind="stable")[:5].tolist()
    np.testing.assert_allclose(nearest.table["distance"], np.sort(distances)[:5], rtol=1e-6)
    np.testing.assert_allclose(nearest.X, rows.loc[nearest.table["row"]], rtol=1e-12)
    assert nearest.n_searched == 498


@pytest.mark.parametrize("name", ["s.csv", "s.parquet"])
def test_where_one_sink_fails_no_file_is_left(name, vae, path, tmp_path):
    class Fails(Sink):
        """Takes three parts, and no more."""

        closed = n_parts = 0

        def add(self, part):
            self.n_parts += 1
            if self.n_parts == 4:
                raise OSError("enough")

        def close(self):
            self.closed = 1

    sink = Fails()
    with pytest.raises(OSError, match="enough"):
        stream_scores(vae, path).into(TableFile(tmp_path / name), sink)
    assert os.listdir(tmp_path) == ["rows.csv"]
    assert (sink.n_parts, sink.closed) == (4, 0)


def test_nothing_to_read_is_an_error_that_leaves_no_file(vae, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b,c\n1,,3\n")
    with pytest.raises(ValueError, match=r"rows\.csv: there is nothing that could be read; the first: row 0"):
        stream_scores(vae, tmp_path / "rows.csv").into(TableFile(tmp_path / "s.csv"))
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_what_is_written_may_have_another_form(vae, path, tmp_path):
    file = TableFile(tmp_path / "s.csv", form=lambda table: table[["row", "verdict"]])
    stream_scores(vae, path).into(file)
    assert pd.read_csv(tmp_path / "s.csv").columns.tolist() == ["row", "verdict"]
