"""Names of files and folders may hold anything that a filesystem takes; no command minds."""

import json
import os

import numpy as np
import pandas as pd
import pytest

import vaetools
from tests.data.pictures import encoded, noise
from tests.report.browser import Parsed
from vaetools.__main__ import main
from vaetools.data.batches import Failure

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="names are bytes"),
    pytest.mark.filterwarnings("default:.* the label is hardly used"),
]

QUICK = ["--max-iter", "1", "--set", "hidden_channels=()", "--n-components", "2"]
NAMES = [
    b"f\xfcr",
    b"new\nline",
    b"tab\tquo\"te'",
    b"<b>bold",
    b"x" * 251,
    "😀é".encode(),
    b"-o",
    b"\xed\xb3\xbc",  # a surrogate, as some systems encode it
    b"=1+1",
    b"a,b",
    b" lead",
    b"cr\rx",
    b"\x1b[31mred",
    b"#hash",
    b"[a]*",
]
LABELS = (b"l\xfcbel", b"<blink>\n")


def run(*arguments):
    return main([os.fsdecode(a) if isinstance(a, (bytes, os.PathLike)) else str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """100 images in two folders, one image that is broken, and a file that is none; as bytes."""
    folder = os.path.join(os.fsencode(tmp_path_factory.mktemp("names")), b"fold\xe9r <b>\n")
    names = NAMES + [b"%03d" % i for i in range(50 - len(NAMES))]
    for number, label in enumerate(LABELS):
        os.makedirs(os.path.join(folder, label))
        for i, name in enumerate(names):
            content = encoded(noise(8, 8, seed=50 * number + i).convert("L"), "png")
            put(os.path.join(folder, label, name + b".png"), content)
    put(os.path.join(folder, LABELS[0], b"br\xf6ken.png"), b"x")
    put(os.path.join(folder, b"t\xf6xt.t\xfct"), b"x")
    return folder


def put(path, content):
    with open(path, "wb") as file:
        file.write(content)


@pytest.fixture(scope="module")
def model(folder, tmp_path_factory):
    path = os.path.join(os.fsencode(tmp_path_factory.mktemp("model")), b"m\xfcdel.safetensors")
    assert run("fit", folder, "-o", path, "-q", "--model", "cvae", *QUICK) == 1
    return path


@pytest.fixture
def output(tmp_path, monkeypatch):
    """A folder to write to, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(folder, model):
    """What each command is called with, and the files it writes."""
    first, second = (os.path.join(folder, label, NAMES[0] + b".png") for label in LABELS)
    csv, parquet, page, image = b"\xfc.csv", b"\xfc.parquet", b"\xfc.html", b"\xfc.png"
    fit = [
        "fit",
        folder,
        "-o",
        b"\xfc.safetensors",
        *QUICK,
        "--cache",
        b"\xfc.npy",
        "--checkpoint",
        b"\xfc.ckpt",
    ]
    return [
        fit,
        ["score", model, folder, "-o", csv, "--html", page, "--top", "100"],
        ["score", model, folder, "-o", parquet, "--fdr", "0.2"],
        ["labels", model, folder, "-o", csv, "--top", "100"],
        ["labels", model, folder, "-o", parquet],
        ["embed", model, folder, "-o", csv, "--tsv", b"ts\xfc", "--map", "pca"],
        ["embed", model, folder, "-o", parquet],
        ["similar", model, first, folder, "-o", csv, "--html", page],
        ["report", b"\xfc=" + model, folder, "-o", page, "--map", "pca", "--outlier", LABELS[0]],
        ["recalibrate", model, folder, "-o", b"\xfc.safetensors"],
        ["morph", model, first, second, "-o", image],
        ["sample", model, "-n", "2", "--label", LABELS[0], "-o", image],
        ["info", model],
    ]


@pytest.mark.parametrize("number", range(13))
@pytest.mark.parametrize("options", [[], ["--json"], ["-v"]])
def test_every_command_takes_any_name(number, options, folder, model, output, capsys):
    name, *arguments = commands(folder, model)[number]
    if options and (name in ("morph", "sample") or (name, options) == ("info", ["-v"])):
        pytest.skip("it has no such option")
    reads_folder = name not in ("morph", "sample", "info")
    assert run(name, *arguments, *options) == int(reads_folder)
    out, err = capsys.readouterr()
    for text in (out, err):
        text.encode("utf-8")  # no surrogate that a terminal or a pipe cannot take
        assert "\x1b" not in text
        assert "\r" not in text
    if reads_folder:
        assert "br\\xf6ken.png: not an image" in err
    if reads_folder and options == ["-v"]:
        assert "t\\xf6xt.t\\xfct (.t\\xfct)" in err
    if options == ["--json"]:
        json.dumps(json.loads(out), ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("command", ["score", "labels", "embed"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_results_name_every_file(command, suffix, folder, model, output):
    path = output / f"r.{suffix}"
    assert run(command, model, folder, "-o", path, "-q") == 1
    table = (pd.read_csv if suffix == "csv" else pd.read_parquet)(path)
    shown = [
        os.path.join(folder, label, name).decode("utf-8", "backslashreplace")
        for label in LABELS
        for name in NAMES
    ]
    names = {name.replace("\r", "\\r") + ".png" for name in shown}
    assert names <= set(table["path"])
    assert len(table) == 100
    if command == "labels":
        assert set(table["label"]) == {"l\\xfcbel", "<blink>\n"}


@pytest.mark.parametrize("number", [1, 7, 8])
def test_pages_show_every_name_as_text(number, folder, model, output):
    assert run(*commands(folder, model)[number], "-q") == 1
    page = Parsed((output / os.fsdecode(b"\xfc.html")).read_text(encoding="utf-8"))
    assert "l\\xfcbel" in " ".join(page.text)
    assert page.all("blink") == []


def test_labels_that_no_row_had_are_named(folder, model, output, capsys):
    other = os.path.join(os.fsencode(output), b"n\xf6w")
    os.symlink(os.path.join(folder, LABELS[0]), other)
    assert run("labels", model, output) == 1
    assert "'n\\xf6w' (50)" in capsys.readouterr().err
    assert run("labels", model, output, "--json") == 1
    assert json.loads(capsys.readouterr().out)["unknown"] == {"n\\xf6w": 50}


def test_files_named_one_by_one_or_in_a_list(folder, model, output, capsys):
    paths = [os.path.join(folder, LABELS[0], name + b".png") for name in NAMES]
    assert run("score", model, *paths, "-o", "s.csv") == 0
    assert len(pd.read_csv("s.csv")) == len(NAMES)
    put(b"l\xefst.txt", b"\0".join(paths) + b"\0")
    assert run("score", model, b"l\xefst.txt", "-o", "t.csv") == 0
    pd.testing.assert_frame_equal(pd.read_csv("t.csv"), pd.read_csv("s.csv"))
    os.chdir(os.path.join(folder, LABELS[0]))
    assert run("score", model, "-o", output / "u.csv", "--", "-o.png", "[a]*.png", "#hash.png") == 0
    assert pd.read_csv(output / "u.csv")["path"].tolist() == ["'-o.png", "[a]*.png", "#hash.png"]
    capsys.readouterr()


def test_what_is_not_there_is_named_readably(model, output, capsys):
    for arguments in (["score", model, b"n\xf6"], ["fit", b"n\xf6", "-o", "m.safetensors"]):
        assert run(*arguments) == 2
        assert "n\\xf6: no such file or folder" in capsys.readouterr().err


def test_python_takes_any_name(folder, model, tmp_path):
    path = os.path.join(folder, LABELS[0], NAMES[0] + b".png")
    images = vaetools.read_images(folder)
    assert set(images.labels) == {os.fsdecode(label) for label in LABELS}
    assert images.failed == [
        Failure(os.fsdecode(os.path.join(folder, LABELS[0], b"br\xf6ken.png")), images.failed[0].reason)
    ]
    assert list(images.ignored.values()) == [os.fsdecode(b".t\xfct")]
    pipeline = vaetools.load(model)
    vaetools.save(pipeline, os.fsencode(tmp_path / "copy.safetensors"))
    assert (tmp_path / "copy.safetensors").is_file()
    (scores,) = [part.table for part in vaetools.stream_scores(pipeline, folder)]
    assert scores["path"].tolist() == images.paths
    (codes,) = [
        part.table
        for part in vaetools.stream_codes(
            pipeline, [path], include=[b"f\xfcr*".decode("utf-8", "surrogateescape")]
        )
    ]
    assert codes["path"].tolist() == [os.fsdecode(path)]
    cvae = vaetools.CVAE(2, image_shape=images.image_shape, hidden_channels=(), max_iter=1, random_state=0)
    rows = pd.DataFrame(images.X, index=pd.Index(images.paths, dtype=object))
    cvae.fit(rows, images.labels)
    assert set(cvae.score_table(rows).index) == set(images.paths)
    assert set(cvae.explain(rows).table(1)["row"]) == set(images.paths)
    comparison = vaetools.compare({"CVAE\udcfc": cvae}, rows, images.labels, method="pca")
    assert set(comparison.to_frame().columns.get_level_values(0)) == {"CVAE\\xfc"}
    assert np.array_equal(comparison.data.names, images.paths)
    comparison.to_html(os.fsencode(tmp_path / "page.html"))
    assert "l\\xfcbel" in (tmp_path / "page.html").read_text(encoding="utf-8")
    json.loads(comparison.to_json())


@pytest.mark.parametrize("suffix", [b".csv", b".csv.gz", b".parquet", b".feather", b".npy", b".npz", b""])
def test_tables_and_arrays_may_be_called_anything(suffix, output, capsys):
    rows = np.random.default_rng(0).normal(size=(120, 3))
    table = pd.DataFrame(rows, columns=["a", "b", "c"])
    path = b"t\xfc<b>\n" + (suffix or b"/part.parquet")
    os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
    with open(path, "wb") as file:
        if suffix in (b".npy", b".npz"):
            (np.save if suffix == b".npy" else np.savez)(file, rows)
        elif suffix in (b".parquet", b""):
            file.write(table.to_parquet())  # pandas 2 decodes the name of an open file
        elif suffix == b".feather":
            table.to_feather(file)
        else:
            table.to_csv(file, index=False, compression="gzip" if suffix == b".csv.gz" else None)
    data = path if suffix else os.path.dirname(path)
    assert run("fit", data, "-o", "m.safetensors", "--max-iter", "1") == 0
    assert run("score", "m.safetensors", data, "-o", "s.csv") == 0
    expected = vaetools.load("m.safetensors").score_samples(table if b"n" not in suffix[:2] else rows)
    np.testing.assert_allclose(pd.read_csv("s.csv")["score"], expected, rtol=1e-9)
    assert run("report", "m.safetensors", data, "-o", "r.html", "--map", "pca") == 0
    out, err = capsys.readouterr()
    (out + err).encode("utf-8")


def test_ids_are_no_formulas_in_csv(order_model, orders, tmp_path):
    ids = ["=HYPERLINK(1)", "+cmd", "-1+2", "@SUM(A1)", "\tx", "-3", "+4.5e6", "a=b", "'=x"]
    table, output = pd.read_csv(orders).iloc[: len(ids)].assign(order=ids), tmp_path / "scores.csv"
    table.to_csv(tmp_path / "orders.csv", index=False)
    for path in (output, output.with_suffix(".parquet")):
        assert run("score", order_model, tmp_path / "orders.csv", "-o", path, "--id", "order") == 0
    found = pd.read_csv(output, dtype={"order": str}, keep_default_na=False)
    inert = ["'=HYPERLINK(1)", "'+cmd", "'-1+2", "'@SUM(A1)", "'\tx", "-3", "+4.5e6", "a=b", "'=x"]
    assert found["order"].tolist() == inert
    assert (found["score"] < 0).any()  # negative numbers are no texts
    assert pd.read_parquet(output.with_suffix(".parquet"))["order"].tolist() == ids


def test_an_id_column_is_no_formula_in_the_header(order_model, orders, tmp_path, capsys):
    pd.read_csv(orders).rename(columns={"order": "=order"}).to_csv(tmp_path / "orders.csv", index=False)
    assert run("score", order_model, tmp_path / "orders.csv", "--id", "=order") == 0
    assert capsys.readouterr().out.startswith("'=order,score,")


@pytest.mark.parametrize(("label", "typed"), [(LABELS[0], r"l\xfcbel"), (LABELS[1], r"<blink>\n")])
def test_a_label_may_be_typed_as_it_is_shown(label, typed, folder, model, output):
    for text, name in ((label, "a.png"), (typed, "b.png")):
        assert run("sample", model, "-n", "2", "--label", text, "-o", name) == 0
    assert (output / "a.png").read_bytes() == (output / "b.png").read_bytes()
    for text, name in ((label, "a.html"), (typed, "b.html")):
        assert run("report", model, folder, "-o", name, "--map", "pca", "--outlier", text) == 1
    assert (output / "a.html").read_bytes() == (output / "b.html").read_bytes()


def test_labels_that_are_offered_can_be_typed(folder, model, output, capsys):
    assert run("sample", model, "-n", "2", "--label", "none", "-o", "a.png") == 2
    assert r"must be one of '<blink>\n', 'l\xfcbel'; got 'none'" in capsys.readouterr().err
    assert run("report", model, folder, "--map", "pca", "--outlier", "none") == 2
    assert r"has the label 'none': there are '<blink>\n', 'l\xfcbel'." in capsys.readouterr().err
