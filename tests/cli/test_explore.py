import json

import pandas as pd

from tests.report.browser import Parsed
from vaetools.__main__ import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def about(page):
    parsed = Parsed(page.read_text("utf-8"))
    kinds = [attributes.get("type") for attributes in parsed.all("script")]
    return json.loads(parsed.raw["script"][kinds.index("application/json")])


def test_a_folder_of_images_becomes_a_page(photos, photo_model, tmp_path, capsys):
    page = tmp_path / "space.html"
    assert run("explore", photo_model, photos, "-o", page, "--map", "pca") == 0
    assert f"Written: {page}" in capsys.readouterr().err
    known = about(page)
    assert (known["n"], known["n_components"], known["method"]) == (100, 3, "PCA")
    assert known["image_shape"] == [1, 8, 8]


def test_sub_folders_are_labels(photos, photo_model, tmp_path):
    for i, photo in enumerate(sorted(photos.iterdir())[:8]):
        (tmp_path / "in" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / "ab"[i % 2] / photo.name).write_bytes(photo.read_bytes())
    assert (
        run("explore", photo_model, tmp_path / "in", "-o", tmp_path / "s.html", "--map", "latent", "-q") == 0
    )
    assert about(tmp_path / "s.html")["labels"][0]["texts"] == ["a", "b"]


def test_a_column_of_a_table_is_the_label_and_json_is_a_summary(orders, order_model, tmp_path, capsys):
    frame = pd.read_csv(orders)
    frame.assign(region=["north", "south"] * 100).to_csv(tmp_path / "o.csv", index=False)
    options = ["--id", "order", "--labels", "region", "--map", "pca", "--json"]
    assert run("explore", order_model, tmp_path / "o.csv", "-o", tmp_path / "s.html", *options) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_explored"], summary["decodes"], summary["failed"]) == (200, True, [])
    known = about(tmp_path / "s.html")
    assert known["columns"] == ["a", "b", "c"]
    assert known["labels"][0]["texts"] == ["north", "south"]


def test_what_cannot_be_read_is_listed(photos, photo_model, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"x")
    options = ["-o", tmp_path / "s.html", "--map", "pca"]
    assert run("explore", photo_model, photos, tmp_path / "a.png", *options) == 1
    assert "a.png: not an image" in capsys.readouterr().err
    assert about(tmp_path / "s.html")["n"] == 100


def test_a_page_goes_where_it_can_be_written(photos, photo_model, tmp_path, capsys):
    assert run("explore", photo_model, photos, "-o", tmp_path / "space.png") == 2
    assert "must end in .html" in capsys.readouterr().err
