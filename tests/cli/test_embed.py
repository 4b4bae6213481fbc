import io
import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaetools
from vaetools.__main__ import main
from vaetools.progress import LINES


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def expected(photos, photo_model):
    """Images, and their latent means as Python gives them."""
    images = vaetools.read_images(photos)
    return images, vaetools.load(photo_model)[-1].transform(images.X)


def test_parquet_has_a_column_per_dimension_and_one_of_vectors(photos, photo_model, expected, tmp_path):
    assert run("embed", photo_model, photos, "-o", tmp_path / "l.parquet", "-q") == 0
    table = pd.read_parquet(tmp_path / "l.parquet")
    images, codes = expected
    assert table.columns.tolist() == ["path", "vae0", "vae1", "vae2", "vector"]
    assert table["path"].tolist() == images.paths
    np.testing.assert_allclose(table[["vae0", "vae1", "vae2"]], codes, rtol=1e-9)
    np.testing.assert_allclose(np.stack(table["vector"]), codes, rtol=1e-6)


def test_csv_goes_to_standard_output(orders, order_model, capsys):
    assert run("embed", order_model, orders, "--id", "order") == 0
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    assert table.columns.tolist() == ["order", "vae0", "vae1"]
    codes = vaetools.load(order_model).transform(pd.read_csv(orders)[["a", "b", "c"]])
    np.testing.assert_allclose(table.iloc[:, 1:], codes, rtol=1e-8)
    assert "200 rows embedded in 2 dimensions" in err


@pytest.mark.parametrize("method", ["pca", "umap", "tsne"])
def test_a_map_adds_two_columns(method, photos, photo_model, expected, tmp_path, monkeypatch):
    if method != "pca":  # layouts take long
        seen = []
        monkeypatch.setattr(
            "vaetools.latent.projection._LAYOUTS",
            {method: lambda settings, codes: seen.append(settings) or codes[:, :2] ** 3},
        )
    assert (
        run("embed", photo_model, photos, "-o", tmp_path / "l.parquet", "--map", method, "--seed", "4") == 0
    )
    table = pd.read_parquet(tmp_path / "l.parquet")
    assert table.columns.tolist() == ["path", "vae0", "vae1", "vae2", "vector", "x", "y"]
    if method != "pca":
        assert (seen[0].random_state, seen[0].n_components, seen[0].verbose) == (4, 2, LINES)
        centered = expected[1] - expected[1].mean(axis=0)
        scaled = (centered / np.abs(centered).max())[:, :2] ** 3
        np.testing.assert_allclose(table[["x", "y"]], scaled, rtol=1e-3, atol=1e-6)
    else:
        variances = np.linalg.eigvalsh(np.cov(expected[1].T))[::-1][:2]
        np.testing.assert_allclose(table[["x", "y"]].var(), variances, rtol=1e-4)


def test_a_map_without_its_package_is_one_line(photos, photo_model, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    assert run("embed", photo_model, photos, "-o", tmp_path / "l.csv", "--map", "tsne") == 2
    err = capsys.readouterr().err
    assert "pip install 'vaetools[tsne]'" in err
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_the_projector_gets_vectors_names_and_sprites(photos, photo_model, expected, tmp_path):
    folder = tmp_path / "projector"
    assert run("embed", photo_model, photos, "--tsv", folder, "-q") == 0
    images, codes = expected
    vectors = np.loadtxt(folder / "vectors.tsv", delimiter="\t")
    np.testing.assert_allclose(vectors, codes, rtol=1e-4, atol=1e-6)
    assert (folder / "metadata.tsv").read_text().splitlines() == images.paths
    sprite = np.asarray(Image.open(folder / "sprite.png"))
    assert sprite.shape == (80, 80)
    assert np.array_equal(sprite[:8, 8:16].ravel(), images.X[1])
    assert np.array_equal(sprite[72:, 72:].ravel(), images.X[99])
    config = (folder / "projector_config.pbtxt").read_text()
    for words in ('tensor_path: "vectors.tsv"', 'metadata_path: "metadata.tsv"', 'image_path: "sprite.png"'):
        assert words in config
    assert config.count("single_image_dim: 8") == 2


def test_tensorboard_reads_the_configuration(photos, photo_model, tmp_path):
    text_format = pytest.importorskip("google.protobuf.text_format")
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    assert run("embed", photo_model, photos, "--tsv", tmp_path / "p", "-q") == 0
    config = text_format.Parse((tmp_path / "p" / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (embedding,) = config.embeddings
    assert embedding.tensor_path == "vectors.tsv"
    assert list(embedding.sprite.single_image_dim) == [8, 8]


def test_a_table_has_no_sprites(orders, order_model, tmp_path):
    assert run("embed", order_model, orders, "--tsv", tmp_path / "p", "-q") == 0
    assert sorted(os.listdir(tmp_path / "p")) == ["metadata.tsv", "projector_config.pbtxt", "vectors.tsv"]


def test_json_is_a_summary(photos, photo_model, capsys):
    assert run("embed", photo_model, photos, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["n_embedded"], summary["n_components"], summary["failed"]) == (100, 3, [])


def test_a_broken_image_is_listed(photos, photo_model, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"x")
    assert run("embed", photo_model, photos, tmp_path / "a.png", "-o", tmp_path / "l.csv") == 1
    assert "a.png: not an image" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "l.csv")) == 100


@pytest.mark.parametrize("below", ["", "projector", "a/b"])
def test_what_the_next_run_would_read_is_not_written(below, photos, photo_model, tmp_path, capsys):
    folder = tmp_path / "in"
    shutil.copytree(photos, folder)
    assert run("embed", photo_model, folder, "--tsv", folder / below, "-q") == 2
    err = capsys.readouterr().err
    assert f"--tsv: {str(folder / below)!r} lies in {str(folder)!r}, and would be read as data" in err
    assert len(list(folder.iterdir())) == 100
    assert run("embed", photo_model, folder, "--tsv", tmp_path / "in2", "-q") == 0


def test_a_table_goes_into_a_folder_of_images_but_not_of_tables(
    photos, orders, photo_model, order_model, tmp_path
):
    (tmp_path / "photos").mkdir()
    (tmp_path / "tables").mkdir()
    shutil.copy(photos / "0000.png", tmp_path / "photos")
    shutil.copy(orders, tmp_path / "tables")
    (tmp_path / "link").symlink_to(tmp_path / "tables")
    assert run("embed", photo_model, tmp_path / "photos", "-o", tmp_path / "photos" / "l.csv", "-q") == 0
    for command in ("embed", "score"):
        for place in ("tables", "link"):
            assert run(command, order_model, tmp_path / "tables", "-o", tmp_path / place / "l.csv") == 2
            assert [path.name for path in (tmp_path / "tables").iterdir()] == ["orders.csv"]
    assert run("score", order_model, tmp_path / "tables", "-o", tmp_path / "l.csv", "-q") == 0
