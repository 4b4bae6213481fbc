import io
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import vaetools
from tests.data.pictures import write_gray, write_hostile
from tests.report.browser import Parsed
from vaetools.__main__ import main

COLUMNS = ["score", "reconstruction", "kl", "p_value", "verdict"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def expected(photos, photo_model):
    """Paths and scores, as Python gives them."""
    images = vaetools.read_images(photos)
    return images.paths, vaetools.load(photo_model)[-1].score_samples(images.X)


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet", None])
def test_one_line_per_image(name, photos, photo_model, expected, tmp_path, capsys):
    if name is None:
        assert run("score", photo_model, photos) == 0
        table = pd.read_csv(io.StringIO(capsys.readouterr().out))
    else:
        assert run("score", photo_model, photos, "-o", tmp_path / name) == 0
        table = (pd.read_csv if name.endswith("csv") else pd.read_parquet)(tmp_path / name)
        assert capsys.readouterr().out == ""
    assert table.columns.tolist() == ["path", *COLUMNS]
    assert table["path"].tolist() == expected[0]
    np.testing.assert_allclose(table["score"], expected[1], rtol=1e-9)


def test_rows_of_a_table_have_numbers_or_names(orders, order_model, capsys):
    assert run("score", order_model, orders) == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["row"].tolist() == list(range(200))
    assert run("score", order_model, orders, "--id", "order") == 0
    out, err = capsys.readouterr()
    assert pd.read_csv(io.StringIO(out))["order"].iloc[-1] == "no 199"
    assert "200 rows scored" in err
    assert "would be if all were normal" in err


def test_top_is_a_table_of_the_oddest(photos, photo_model, expected, capsys):
    assert run("score", photo_model, photos, "--top", "3", "-q") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    order = np.argsort(expected[1])
    assert len(lines) == 5
    assert max(map(len, lines)) <= 100
    for line, i in zip(lines[2:], order, strict=False):
        assert os.path.basename(expected[0][i]) in line
        assert f"{expected[1][i]:.1f}".replace("-", "−") in line
    assert err == ""


def test_the_least_p_value_is_called_so(orders, order_model, tmp_path, capsys):
    table = pd.read_csv(orders).head(20)
    table.to_csv(tmp_path / "plain.csv", index=False)
    table.loc[[3, 5], "b"] = 1e6
    table.to_csv(tmp_path / "far.csv", index=False)
    for name, told in (("plain", False), ("far", True)):
        assert run("score", order_model, tmp_path / f"{name}.csv", "--id", "order", "--top", "2") == 0
        err = capsys.readouterr().err
        assert ("is the least that 40 calibration rows can give: rows that share it" in err) == told


def test_a_row_beyond_all_numbers_is_the_oddest(orders, order_model, tmp_path, capsys):
    table = pd.read_csv(orders).head(20)
    table.loc[7, "b"], table.loc[9, "b"] = 1e307, -1e12
    table.to_csv(tmp_path / "far.csv", index=False)
    assert main(["score", str(order_model), str(tmp_path / "far.csv"), "--id", "order", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[-2:]] == ["7", "9"]
    assert max(map(len, lines)) <= 100


def test_top_rows_of_a_table_say_why(orders, order_model, tmp_path, capsys):
    odd = pd.read_csv(orders).head(3)
    odd.loc[1, "b"] = 1.2e6
    odd.to_csv(tmp_path / "odd.csv", index=False)
    assert run("score", order_model, tmp_path / "odd.csv", "--top", "2", "-q") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("verdict  because")
    assert " b 1.2e+06 (expected " in lines[2]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("batch", [7, 4096])
def test_the_oddest_are_the_same_however_they_stream_by(
    batch, photos, photo_model, expected, monkeypatch, capsys
):
    monkeypatch.setattr("vaetools.data.reader._BATCH_ROWS", batch)
    assert run("score", photo_model, photos, "--top", "10", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    order = np.argsort(expected[1])[:10]
    assert [row["path"] for row in summary["oddest"]] == [expected[0][i] for i in order]
    assert summary["n_scored"] == 100
    assert summary["n_odd"] == (expected[1] < summary["threshold"]).sum()
    assert summary["false_alarm_rate"] == 1 / 21


def test_a_score_without_bound_is_null_in_json(orders, order_model, tmp_path, capsys):
    pd.read_csv(orders).head(3).assign(b=[1e5, 1e200, 1e5]).to_csv(tmp_path / "odd.csv", index=False)
    assert run("score", order_model, tmp_path / "odd.csv", "--top", "2", "--json") == 0
    oddest = json.loads(capsys.readouterr().out)["oddest"]
    assert (oddest[0]["row"], oddest[0]["score"], oddest[0]["verdict"]) == (1, None, "odd")
    assert oddest[1]["score"] is not None


def test_the_page_shows_the_oddest_images(photos, photo_model, expected, tmp_path):
    page = tmp_path / "odd.html"
    assert (
        run("score", photo_model, photos, "-o", tmp_path / "s.csv", "--html", page, "--top", "4", "-q") == 0
    )
    text = " ".join(Parsed(page.read_text()).text)
    order = np.argsort(expected[1])
    shown = [text.find(os.path.basename(expected[0][i])) for i in order[:4]]
    assert -1 not in shown
    assert shown == sorted(shown)
    assert os.path.basename(expected[0][order[4]]) not in text
    assert "Of 100 images" in text
    assert "about 4.8 % of normal images are red somewhere" in text


def test_a_model_of_columns_has_no_page(orders, order_model, tmp_path, capsys):
    assert run("score", order_model, orders, "--html", tmp_path / "odd.html") == 2
    assert "needs a model of images" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["list.txt", "-", "glob", "files"])
def test_images_can_be_listed(kind, photos, photo_model, expected, tmp_path, monkeypatch, capsys):
    chosen = expected[0][:9]
    if kind == "list.txt":
        (tmp_path / kind).write_text("\n".join(chosen))
        data = [tmp_path / kind]
    elif kind == "-":
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(chosen) + "\n"))
        data = ["-"]
    else:
        data = chosen if kind == "files" else [os.path.join(photos, "000[0-8].png")]
    assert run("score", photo_model, *data, "-q") == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["path"].tolist() == chosen


@pytest.mark.filterwarnings("ignore:ImageReader. images should have 8 bits:UserWarning")  # one has 16
@pytest.mark.filterwarnings("ignore:ImageReader. images should be about as large:UserWarning")
def test_hostile_names_and_files_survive(photo_model, tmp_path, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    good, bad = write_hostile(folder)
    readable = {os.fsencode(name).decode("utf-8", "backslashreplace") for name in good}
    assert run("score", photo_model, folder, "-o", tmp_path / "s.csv", "--html", tmp_path / "s.html") == 1
    err = capsys.readouterr().err
    assert f"{len(bad)} could not be read" in err
    assert len(err.splitlines()) == len(bad) + 6  # summary, two cautions, two files, heading
    assert "\x1b" not in err
    assert run("score", photo_model, folder, "-o", tmp_path / "s.parquet") == 1
    for table in (pd.read_csv(tmp_path / "s.csv"), pd.read_parquet(tmp_path / "s.parquet")):
        assert set(table["path"]) == readable
        assert table["score"].notna().all()
    page = (tmp_path / "s.html").read_bytes().decode("utf-8")
    assert "<script" not in page
    assert run("score", photo_model, folder, "--json") == 1
    summary = json.loads(capsys.readouterr().out)
    assert len(summary["failed"]) == len(bad)


def test_a_name_with_a_carriage_return_stays_one_line(photo_model, tmp_path):
    write_gray(tmp_path, 2, size=8)
    (tmp_path / "0000.png").rename(tmp_path / "a\rb.png")
    assert run("score", photo_model, tmp_path, "-o", tmp_path / "s.csv") == 0
    assert [name[-8:] for name in pd.read_csv(tmp_path / "s.csv")["path"]] == ["0001.png", "a\\rb.png"]


@pytest.mark.parametrize(
    "arguments",
    [["score", "{model}", "{data}", "-o", "{data}"], ["embed", "{model}", "{data}", "-o", "{data}"]],
)
def test_what_is_read_is_not_written_over(arguments, orders, order_model, tmp_path, capsys):
    data = tmp_path / "orders.csv"
    data.write_bytes(orders.read_bytes())
    assert run(*(argument.format(model=order_model, data=data) for argument in arguments)) == 2
    assert "is an input too" in capsys.readouterr().err
    assert data.read_bytes() == orders.read_bytes()


def test_a_folder_that_cannot_be_written_is_found_before_the_work(orders, order_model, monkeypatch, capsys):
    monkeypatch.setattr("vaetools.persistence.model_file.load", lambda *a, **k: pytest.fail("loaded"))
    assert run("score", order_model, orders, "-o", "/proc/s.csv") == 2
    assert "'/proc/s.csv' cannot be written" in capsys.readouterr().err


def test_standard_output_is_utf8_whatever_the_terminal_says(photo_model, tmp_path):
    write_gray(tmp_path, 1, size=8)
    (tmp_path / "0000.png").rename(tmp_path / "käse.png")
    command = [sys.executable, "-m", "vaetools", "score", str(photo_model), str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0
    assert "käse.png" in done.stdout.decode("utf-8")


def test_bad_rows_are_listed_and_the_rest_is_scored(orders, order_model, tmp_path, capsys):
    lines = orders.read_text().splitlines()
    lines[3] = "1,,3,no 2"
    lines[5] = "1,two,3,no 4"
    (tmp_path / "damaged.csv").write_text("\n".join(lines))
    assert run("score", order_model, tmp_path / "damaged.csv", "-o", tmp_path / "s.csv") == 1
    assert len(pd.read_csv(tmp_path / "s.csv")) == 198
    err = capsys.readouterr().err
    assert "row 2: column 'b' is missing" in err
    assert "row 4: column 'b' is 'two', not a number" in err


def test_nothing_readable_is_an_error_and_leaves_the_old_file(photo_model, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "s.csv").write_text("old")
    assert run("score", photo_model, tmp_path / "a.png", "-o", tmp_path / "s.csv") == 2
    err = capsys.readouterr().err
    assert "nothing that could be read; the first:" in err
    assert err.count("\n") == 1
    assert (tmp_path / "s.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.safetensors", "{photos}"], "'no.safetensors' does not exist"),
        (["{orders}", "{photos}"], "not a model file of vaetools"),
        (["{photo_model}", "/no/folder"], "/no/folder: no such file or folder"),
        (["{photo_model}"], "Missing argument 'DATA...'"),
        (["{photo_model}", "{photos}", "-o", "s.xlsx"], "must end in .csv or .parquet; got 's.xlsx'"),
        (["{photo_model}", "{photos}", "--html", "s.csv"], "must end in .html; got 's.csv'"),
        (["{photo_model}", "{photos}", "--top", "0"], "0 is not in the range"),
        (["{photo_model}", "{photos}", "--id", "order"], "id column needs a table"),
        (["{photo_model}", "{photos}", "--device", "abacus"], "abacus"),
        (["{order_model}", "{photos}"], "takes rows of numbers; got images"),
        (
            ["{photo_model}", "{orders}"],
            "takes images; got a table. Paths come in a .txt, a file a line.",
        ),
        (["{order_model}", "none.csv"], "none.csv: no such file or folder"),
        (["{order_model}", "{orders}", "--id", "nothing"], "'nothing'"),
    ],
)
def test_an_error_is_one_line(
    arguments, message, photos, orders, photo_model, order_model, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    names = {"photos": photos, "orders": orders, "photo_model": photo_model, "order_model": order_model}
    assert main(["score", *(argument.format(**names) for argument in arguments)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_no_half_written_file(photos, photo_model, tmp_path, monkeypatch, capsys):
    from vaetools.stream import flow

    original, calls = flow.verdicts, []

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr("vaetools.data.reader._BATCH_ROWS", 30)
    monkeypatch.setattr(flow, "verdicts", interrupt)
    for name in ("s.csv", "s.parquet"):
        calls.clear()
        assert run("score", photo_model, photos, "-o", tmp_path / name) == 130
        assert os.listdir(tmp_path) == []


def test_a_reader_that_has_seen_enough_is_no_error(photos, photo_model, tmp_path):
    write_gray(tmp_path, 400, size=8)
    command = f"{sys.executable} -m vaetools score {photo_model} {tmp_path} {photos} -q | head -n 2"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 2


# A false-discovery rate


@pytest.fixture(scope="module")
def damaged(orders, tmp_path_factory):
    """The table of orders with 20 rows that no order looks like, at its end."""
    table = pd.read_csv(orders)
    table.loc[table.index[180:], ["a", "b", "c"]] *= [300, 20, -20]
    path = tmp_path_factory.mktemp("damaged") / "damaged.csv"
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet", None])
def test_discoveries_are_made_of_the_whole_input(name, damaged, order_model, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("vaetools.data.tables.MAX_VALUES", 21)  # 7 rows at a time
    output = [] if name is None else ["-o", tmp_path / name]
    tables = []
    for fdr in ([], ["--fdr", "0.3"]):
        assert run("score", order_model, damaged, "--id", "order", *output, *fdr) == 0
        read = pd.read_csv if name is None or name.endswith("csv") else pd.read_parquet
        out, err = capsys.readouterr()
        tables.append(read(io.StringIO(out) if name is None else tmp_path / name))
    before, after = tables
    pd.testing.assert_frame_equal(before.drop(columns="verdict"), after.drop(columns="verdict"))
    selected = vaetools.discoveries(after["p_value"], 0.3)
    assert 20 <= selected.sum() < 40
    assert (after["verdict"] == "odd").tolist() == selected.tolist()
    assert f"{selected.sum()} flagged as odd; selected so that at most 30 % of them are expected" in err
    assert [path.name for path in tmp_path.iterdir()] == ([] if name is None else [name])


def test_summary_and_table_of_discoveries(damaged, order_model, capsys):
    assert run("score", order_model, damaged, "--fdr", "0.3", "--json", "--top", "60") == 0
    summary = json.loads(capsys.readouterr().out)
    odd = [row for row in summary["oddest"] if row["verdict"] == "odd"]
    assert summary["n_odd"] == len(odd) < 60
    assert summary["oddest"][: len(odd)] == odd
    assert all(row["score"] < summary["threshold"] for row in odd)
    assert summary["oddest"][len(odd)]["score"] >= summary["threshold"]
    assert summary["false_alarm_rate"] == pytest.approx(max(row["p_value"] for row in odd))
    assert summary["false_discovery_rate"] == 0.3
    assert (summary["confidence"], 0 < summary["most_mistakes"] <= len(odd)) == (0.95, True)
    assert summary["why_none_odd"] is None
    assert run("score", order_model, damaged, "--fdr", "0.3", "--top", "60", "-q") == 0
    assert capsys.readouterr().out.count(" odd") == len(odd)


@pytest.mark.parametrize(
    ("fdr", "why"),
    [
        ("0.06", "it takes at least 80 of 100 to tell any from chance, with 20 calibration images"),
        (
            "0.01",
            "no selection is possible: a rate of 1 % takes 99 calibration images or more; the model has 20",
        ),
    ],
)
def test_where_nothing_can_be_found_it_is_said(fdr, why, photos, photo_model, tmp_path, capsys):
    page = tmp_path / "odd.html"
    assert run("score", photo_model, photos, "--fdr", fdr, "--html", page, "--top", "3") == 0
    assert f"0 flagged as odd; {why}." in capsys.readouterr().err
    text = " ".join(Parsed(page.read_text()).text)
    assert f"Of 100 images none was flagged; {why}." in text
    assert "about 4.8 % of normal images are red somewhere" in text  # as without a selection
    assert run("score", photo_model, photos, "--fdr", fdr, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_odd"], summary["threshold"], summary["why_none_odd"]) == (0, None, why)


@pytest.mark.filterwarnings("ignore:.*no row is left to calibrate")
def test_a_discovery_needs_calibration_rows_and_a_rate(orders, tmp_path, capsys):
    model = tmp_path / "m.safetensors"
    options = ["--max-iter", "1", "--id", "order", "--set", "contamination=0.1"]
    assert run("fit", orders, "-o", model, "-q", *options) == 0
    assert run("score", model, orders, "--fdr", "0.1", "-o", tmp_path / "s.csv") == 2
    err = capsys.readouterr().err
    assert "the model held none out. Fit it again without --contamination." in err
    assert err.count("\n") == 1
    one = tmp_path / "one.safetensors"
    pd.read_csv(orders).head(1).to_csv(tmp_path / "one.csv", index=False)
    assert run("fit", tmp_path / "one.csv", "-o", one, "-q", "--max-iter", "1", "--id", "order") == 0
    assert run("score", one, orders, "--fdr", "0.1") == 2
    assert "Fit it again with at least 19 rows; it had 1." in capsys.readouterr().err
    assert run("score", model, orders, "--top", "2", "-q") == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert all("  –  " in line and "nan" not in line for line in lines)  # no p-value
    assert run("score", model, orders, "--fdr", "1.5") == 2
    assert "1.5 is not in the range" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors", "one.safetensors", "one.csv"}


@pytest.mark.parametrize("name", ["score", "because"])
def test_an_id_called_like_a_result_is_refused(name, orders, order_model, tmp_path, capsys):
    pd.read_csv(orders).rename(columns={"order": name}).to_csv(tmp_path / "t.csv", index=False)
    assert run("score", order_model, tmp_path / "t.csv", "--id", name, "--top", "2") == 2
    assert "is called like a column of the result: rename it." in capsys.readouterr().err


def test_ids_may_be_called_row(orders, order_model, tmp_path, capsys):
    pd.read_csv(orders).rename(columns={"order": "row"}).to_csv(tmp_path / "t.csv", index=False)
    assert run("score", order_model, tmp_path / "t.csv", "--id", "row", "-q") == 0
    assert pd.read_csv(io.StringIO(capsys.readouterr().out))["row"].iloc[-1] == "no 199"
