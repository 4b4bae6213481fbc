"""What is nearest in latent space, whatever the data are, and without the query itself."""

import io
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import vaetools
from tests.report.browser import Parsed
from vaetools.__main__ import main


def run(*arguments):
    return main(["similar", *map(str, arguments)])


@pytest.fixture(scope="module")
def expected(photos, photo_model):
    """Paths of images, and their latent means."""
    images = vaetools.read_images(photos)
    return images.paths, vaetools.load(photo_model)[-1].transform(images.X)


def slow_search(codes, i):
    """Every other row, nearest first, with distances."""
    distances = np.sqrt(((codes - codes[i]) ** 2).sum(axis=1))
    order = [j for j in np.argsort(distances, kind="stable") if j != i]
    return order, distances[order]


def test_hits_are_the_nearest_images_without_the_query(photos, photo_model, expected, capsys):
    paths, codes = expected
    assert run(photo_model, paths[7], photos, "-k", 5) == 0
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    order, distances = slow_search(codes, 7)
    assert table.columns.tolist() == ["path", "distance"]
    assert table["path"].tolist() == [paths[j] for j in order[:5]]
    np.testing.assert_allclose(table["distance"], distances[:5], rtol=1e-6)
    assert err == "99 images searched.\n"


def test_a_query_from_elsewhere_finds_its_copy_at_distance_0(photos, photo_model, expected, tmp_path, capsys):
    copy, link = tmp_path / "copy.png", tmp_path / "link.png"
    shutil.copy(expected[0][3], copy)
    link.symlink_to(expected[0][3])
    assert run(photo_model, copy, photos, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_searched"], found["id"], len(found["hits"])) == (100, "path", 12)
    assert found["hits"][0]["path"] == expected[0][3]
    assert found["hits"][0]["distance"] == pytest.approx(0, abs=1e-9)
    assert run(photo_model, link, photos, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_searched"] == 99


@pytest.mark.filterwarnings("ignore:.* has no names of columns")
def test_rows_of_a_table_go_by_name_or_number(orders, order_model, tmp_path):
    codes = vaetools.load(order_model).transform(pd.read_csv(orders)[["a", "b", "c"]])
    order, distances = slow_search(codes, 150)
    assert run(order_model, "no 150", orders, "--id", "order", "-o", tmp_path / "hits.parquet", "-k", 3) == 0
    table = pd.read_parquet(tmp_path / "hits.parquet")
    assert table["order"].tolist() == [f"no {j}" for j in order[:3]]
    np.testing.assert_allclose(table["distance"], distances[:3], rtol=1e-6)
    np.save(tmp_path / "rows.npy", pd.read_csv(orders)[["a", "b", "c"]].to_numpy())
    assert run(order_model, 150, tmp_path / "rows.npy", "-o", tmp_path / "hits.csv", "-k", 3) == 0
    assert pd.read_csv(tmp_path / "hits.csv")["row"].tolist() == order[:3]


def test_all_is_found_whatever_the_batches(orders, order_model, tmp_path, monkeypatch, capsys):
    assert run(order_model, "no 9", orders, "--id", "order", "-k", 30) == 0
    whole = capsys.readouterr().out
    assert len(whole.splitlines()) == 31
    monkeypatch.setattr("vaetools.data.tables.MAX_VALUES", 21)  # 7 rows at a time
    assert run(order_model, "no 9", orders, "--id", "order", "-k", 30) == 0
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        line.split(",")[0] for line in whole.splitlines()
    ]


def test_the_page_shows_query_and_hits_and_escapes_names(photos, photo_model, tmp_path, capsys):
    folder = tmp_path / "<b>&"
    folder.mkdir()
    for i, name in enumerate(sorted(os.listdir(photos))[:6]):
        shutil.copy(photos / name, folder / f"{i}<script>.png")
    (folder / "broken.png").write_bytes(b"x")
    page = tmp_path / "page.html"
    assert run(photo_model, folder / "2<script>.png", folder, "-k", 3, "--html", page) == 1
    assert capsys.readouterr().out == ""
    parsed = Parsed(page.read_text())
    assert "2<script>.png" in parsed.words
    assert str(folder) in parsed.words
    assert not parsed.all("script")
    assert "5 compared, 1 could not be read" in parsed.words
    images = parsed.all("img")
    assert len(images) == 4
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)
    assert all(address.startswith("data:") for address in parsed.addresses)
    assert parsed.policy.startswith("default-src 'none'")


def test_a_model_with_a_map_searches_codes(photos, photo_model, expected, tmp_path, capsys):
    pipeline = vaetools.load(photo_model)
    codes = pipeline.transform(expected[0])
    pipeline.steps.append(("map", vaetools.LatentMap(method="pca").fit(codes)))
    vaetools.save(pipeline, tmp_path / "m.safetensors")
    assert run(tmp_path / "m.safetensors", expected[0][0], photos) == 0
    with_map = capsys.readouterr().out
    assert run(photo_model, expected[0][0], photos) == 0
    assert capsys.readouterr().out == with_map


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["{model}", "no.png", "{photos}"],
            "QUERY: must be an image file; got 'no.png': no such file.",
        ),
        (["{model}", "{photos}", "{photos}"], "': a folder."),
        (["{model}", "{model}", "{photos}"], "not an image in a known format"),
        (["{model}", "{photo}", "{photo}"], "there is nothing to search but"),
        (["{model}", "{photo}", "nowhere"], "nowhere: no such file or folder"),
        (["{model}", "{photo}", "{photos}", "-k", "0"], "0 is not in the range x>=1"),
        (
            ["{model}", "{photo}", "{photos}", "-o", "hits.txt"],
            "must end in .csv or .parquet; got 'hits.txt'",
        ),
        (["{model}", "{photo}", "{photos}", "--html", "{photo}"], "must end in .html"),
        (["{orders_model}", "no 7", "{orders}"], "a row of {orders}; got 'no 7'"),
        (
            ["{orders_model}", "no 7", "{orders}", "--id", "order", "--html", "p.html"],
            "model of gray or RGB images",
        ),
        (["{orders_model}", "{photo}", "{photos}"], "the model takes rows of numbers; got images"),
        (["{model}"], "Missing argument 'QUERY'"),
    ],
)
def test_an_error_is_one_line(
    arguments, message, photos, photo_model, orders, order_model, expected, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = {
        "model": photo_model,
        "photos": photos,
        "photo": expected[0][0],
        "orders": orders,
        "orders_model": order_model,
    }
    assert run(*(argument.format(**names) for argument in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message.format(**names) in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []
