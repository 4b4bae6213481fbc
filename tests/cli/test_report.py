import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.data.pictures import write_gray
from tests.report.browser import Parsed
from vaetools.__main__ import main
from vaetools.report.questions import QUESTIONS


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def photo_ae(photos, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "flat.safetensors"
    options = ["--model", "ae", "--n-components", "3", "--max-iter", "1", "--set", "hidden_channels=()"]
    assert run("fit", photos, "-o", path, "-q", *options) == 0
    return path


@pytest.fixture(scope="module")
def two_kinds(tmp_path_factory):
    """30 images in two folders, and a file that is none."""
    folder = tmp_path_factory.mktemp("kinds")
    for name, first, n in (("good", 200, 24), ("torn", 300, 6)):
        (folder / name).mkdir()
        write_gray(folder / name, n, size=8, first=first)
    (folder / "good" / "z.png").write_bytes(b"none")
    return folder


def test_folders_are_classes_and_one_may_be_odd(photo_ae, photo_model, two_kinds, tmp_path, capsys):
    page = tmp_path / "page.html"
    options = ["--map", "pca", "--outlier", "torn", "-o", page]
    assert run("report", photo_ae, f"my VAE={photo_model}", two_kinds, *options) == 1
    out, err = capsys.readouterr()
    assert "z.png: not an image" in err
    assert f"Written: {page}" in err
    assert max(map(len, out.splitlines())) <= 100
    assert "AUROC of the known outliers" in out
    assert ["flat", "my", "VAE"] in [line.split() for line in out.splitlines()]
    assert "Only 24 rows that are not known to be odd were compared" in out
    headings = re.findall(r"<h2[^>]*>\s*(.*?)\s*</h2>", page.read_text())
    titles = [question.title for question in QUESTIONS.values()]
    assert [heading for heading in headings if heading in titles] == titles
    assert "torn" in page.read_text()


def test_explorers_lie_beside_the_page_which_links_to_them(photo_ae, photo_model, two_kinds, tmp_path):
    page = tmp_path / "two pages.html"
    options = ["--map", "pca", "-o", page, "--explore", "-q"]
    assert run("report", photo_ae, f"my <VAE>={photo_model}", two_kinds, *options) == 1
    links = [found for found in Parsed(page.read_text("utf-8")).all("a") if ".html" in found["href"]]
    assert [found["href"] for found in links] == [
        "two%20pages-explore-1.html",
        "two%20pages-explore-2.html",
    ]
    first, second = (tmp_path / f"two pages-explore-{i}.html" for i in (1, 2))
    assert "<title>vaetools explore: AE, " in first.read_text("utf-8")
    assert "<title>vaetools explore: VAE, " in second.read_text("utf-8")


def test_json_is_the_comparison(order_model, orders, capsys):
    assert run("report", order_model, orders, "--id", "order", "--map", "pca", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in found["models"]] == ["orders"]
    assert found["n_samples"] == 200
    assert "knn_accuracy" not in {each["measure"] for each in found["measures"]}


def test_a_column_holds_the_classes(order_model, orders, tmp_path, capsys):
    table = pd.read_csv(orders).assign(kind=["left", "right", "middle", "right"] * 50)
    table.loc[3, "b"] = np.nan
    table.to_csv(tmp_path / "kinds.csv", index=False)
    options = ["--labels", "kind", "--outlier", "right", "--map", "pca", "--json"]
    assert run("report", order_model, tmp_path / "kinds.csv", *options) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["n_samples"] == 199
    assert {"knn_accuracy", "auroc"} <= {each["measure"] for each in found["measures"]}
    assert "row 3: column 'b' is missing" in err


def test_a_row_without_a_class_is_listed(order_model, orders, tmp_path, capsys):
    table = pd.read_csv(orders).assign(kind=["left", "right"] * 100)
    table.loc[[7, 9], "kind"] = None
    table.to_csv(tmp_path / "kinds.csv", index=False)
    assert run("report", order_model, tmp_path / "kinds.csv", "--labels", "kind", "--map", "pca", "-q") == 1
    err = capsys.readouterr().err
    assert "2 could not be read" in err
    assert "row 7: column 'kind' is missing" in err


def test_arrays_bring_their_labels(tmp_path, capsys):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    X[5, 1] = np.nan
    np.savez(tmp_path / "rows.npz", X=X, y=np.arange(120) % 3)
    model = tmp_path / "m.safetensors"
    assert run("fit", tmp_path / "rows.npz", "-o", model, "-q", "--max-iter", "1") == 1
    capsys.readouterr()
    assert run("report", model, tmp_path / "rows.npz", "--outlier", "2", "--map", "pca", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["n_samples"] == 119
    assert "auroc" in {each["measure"] for each in found["measures"]}


def test_models_that_read_otherwise_are_both_named(photo_model, order_model, photos, tmp_path, capsys):
    larger = tmp_path / "larger.safetensors"
    options = ["--size", "10", "--max-iter", "1", "--n-components", "2", "--set", "hidden_channels=()"]
    assert run("fit", photos, "-o", larger, "-q", *options) == 0
    assert run("report", photo_model, larger, photos) == 2
    said = "'photos' reads as 1 × 8 × 8 × pad, 'larger' as 1 × 10 × 10 × pad."
    assert said in capsys.readouterr().err
    assert run("report", photo_model, order_model, photos) == 2
    assert "'photos' reads as 1 × 8 × 8 × pad, 'orders' not as images." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL", "MODEL", "DATA"], "two are called 'orders': give each a name of its own, as NAME=FILE"),
        (["none.safetensors", "DATA"], "there is no model file 'none.safetensors'"),
        (["A=none.safetensors", "DATA"], "there is no model file 'none.safetensors'"),
        (["MODEL", "DATA", "-o", "page.pdf"], "must end in .html; got 'page.pdf'"),
        (["MODEL", "DATA", "--outlier", "x"], "has the label 'x': rows have no labels."),
        (["MODEL", "DATA", "--labels", "nothing"], "there is no column 'nothing'"),
        (["MODEL", "nowhere.csv"], "nowhere.csv: no such file"),
        (["MODEL", "DATA", "--explore"], "--explore: takes --output, the page that links to what it makes"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments, message, order_model, orders, capsys):
    names = {"MODEL": order_model, "DATA": orders}
    assert run("report", *(names.get(each, each) for each in arguments)) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def test_images_have_no_column_of_labels(photo_model, photos, capsys):
    assert run("report", photo_model, photos, "--labels", "kind") == 2
    assert "images take their labels from folders" in capsys.readouterr().err


def test_a_name_may_hold_an_equals_sign(order_model, orders, tmp_path, capsys):
    copy = tmp_path / "beta=4.safetensors"
    copy.write_bytes(order_model.read_bytes())
    assert run("report", copy, orders, "--map", "pca", "--json") == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["name"] == "beta=4"
