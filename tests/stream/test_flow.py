import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from tests.data.pictures import write_gray
from vaetools import AE, CVAE, VAE, ImageReader, read_images, stream_codes, stream_scores
from vaetools.data import reader as reading
from vaetools.data import sources

COLUMNS = ["score", "reconstruction", "kl", "p_value", "verdict"]
QUICK = {"max_iter": 2, "hidden_layer_sizes": (16,), "random_state": 0}


def whole(parts):
    """All tables as one, and all failures."""
    parts = list(parts)
    return pd.concat([part.table for part in parts], ignore_index=True), [f for p in parts for f in p.failed]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of 100 gray images of 8×8, one of which is broken."""
    folder = tmp_path_factory.mktemp("photos")
    write_gray(folder, 100, size=8)
    (folder / "0007.png").write_bytes(b"broken")
    return folder


@pytest.fixture(scope="module")
def images(photos):
    return read_images(photos)


@pytest.fixture(scope="module")
def pipeline(images):
    vae = VAE(3, image_shape=(1, 8, 8), hidden_channels=(), **QUICK)
    return make_pipeline(ImageReader(size=8, mode="gray"), vae).fit(images.paths)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """200 rows of 3 named columns as CSV, with a name for each and a missing cell, and as they are."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)) * [1, 100, 0.01], columns=["a", "b", "c"])
    written = frame.assign(order=[f"no {i}" for i in range(200)], note="text")
    written.loc[5, "b"] = np.nan
    written.to_csv(folder / "orders.csv", index=False)
    written.to_parquet(folder / "orders.parquet")
    return folder, frame


def test_a_folder_is_scored_as_its_rows_are(pipeline, photos, images, monkeypatch):
    monkeypatch.setattr(reading, "_BATCH_ROWS", 40)
    parts = list(stream_scores(pipeline, photos))
    assert [len(part.table) for part in parts] == [40, 40, 19]
    scores, failed = whole(parts)
    vae = pipeline[-1]
    assert scores.columns.tolist() == ["path", *COLUMNS]
    assert scores["path"].tolist() == images.paths
    np.testing.assert_allclose(scores["score"], vae.score_samples(images.X), rtol=1e-12)
    np.testing.assert_allclose(scores["score"], -scores["reconstruction"] - scores["kl"], rtol=1e-12)
    np.testing.assert_array_equal(scores["p_value"], vae.p_values(images.X))
    assert (scores["verdict"] == "odd").tolist() == (vae.predict(images.X) == -1).tolist()
    assert [(name[-8:], reason[:12]) for name, reason in failed] == [("0007.png", "not an image")]
    assert np.array_equal(np.concatenate([part.X for part in parts]), images.X)


def test_it_is_looked_once_at_which_kind_of_data_it_is(pipeline, photos, monkeypatch):
    folders = []
    monkeypatch.setattr(sources, "has_image", lambda folder: folders.append(folder) or True)
    list(stream_scores(pipeline, photos))
    assert folders == [str(photos)]


def test_codes_too(pipeline, photos, images):
    codes, failed = whole(stream_codes(pipeline, photos))
    assert codes.columns.tolist() == ["path", "vae0", "vae1", "vae2"]
    np.testing.assert_allclose(codes.iloc[:, 1:], pipeline[-1].transform(images.X), rtol=1e-9)
    assert len(failed) == 1


def test_a_model_of_8_bit_images_reads_images_without_being_told_how(pipeline, photos):
    alone, _ = whole(stream_scores(pipeline[-1], photos))
    pd.testing.assert_frame_equal(alone, whole(stream_scores(pipeline, photos))[0])


@pytest.mark.parametrize(
    "model", [AE(2, **QUICK), CVAE(2, **QUICK), VAE(2, anomaly_score="latent_knn", **QUICK)]
)
def test_every_model_and_score(model, table):
    folder, frame = table
    model.fit(frame, np.arange(200) % 2)
    scores, _ = whole(stream_scores(model, folder / "orders.csv"))
    expected = model.score_samples(frame.drop(index=5))
    np.testing.assert_allclose(scores["score"], expected, rtol=1e-9)
    assert (scores["kl"] == 0).all() == isinstance(model, AE)


@pytest.mark.parametrize("name", ["orders.csv", "orders.parquet"])
def test_tables_are_read_by_name(table, name):
    folder, frame = table
    vae = VAE(2, **QUICK).fit(frame[["c", "a", "b"]])
    scores, failed = whole(stream_scores(vae, folder / name, id_column="order"))
    assert scores["order"].tolist() == [f"no {i}" for i in range(200) if i != 5]
    np.testing.assert_allclose(
        scores["score"], vae.score_samples(frame[["c", "a", "b"]].drop(index=5)), rtol=1e-9
    )
    assert failed == [(5, "column 'b' is missing")]


def test_tables_that_lack_a_column_are_refused_at_once(table):
    folder, frame = table
    vae = VAE(2, **QUICK).fit(frame.rename(columns={"b": "weight"}))
    with pytest.raises(ValueError, match="'weight'"):
        stream_scores(vae, folder / "orders.csv")


def test_arrays_stay_on_disk_and_bad_rows_are_listed(tmp_path, table):
    frame = table[1]
    vae = VAE(2, **QUICK).fit(frame.to_numpy())
    rows = frame.to_numpy().copy()
    rows[3, 1] = np.nan
    np.save(tmp_path / "rows.npy", rows)
    scores, failed = whole(stream_scores(vae, tmp_path / "rows.npy"))
    assert scores["row"].tolist() == [i for i in range(200) if i != 3]
    assert scores["row"].dtype == np.int64
    assert failed == [(3, "column 1 is nan")]
    np.testing.assert_allclose(scores["score"], vae.score_samples(np.delete(rows, 3, axis=0)), rtol=1e-9)


def test_without_calibration_there_is_a_verdict_and_no_p_value(table):
    folder, frame = table
    vae = VAE(2, contamination=0.1, **QUICK).fit(frame)
    scores, _ = whole(stream_scores(vae, folder / "orders.csv"))
    assert scores["p_value"].isna().all()
    assert 15 <= (scores["verdict"] == "odd").sum() <= 21


def test_data_of_another_kind_are_refused(table, photos, pipeline):
    folder, frame = table
    vae = VAE(2, **QUICK).fit(frame)
    with pytest.raises(ValueError, match="takes rows of numbers; got images"):
        stream_scores(vae, photos)
    with pytest.raises(ValueError, match="id column needs a table; got images"):
        stream_scores(pipeline, photos, id_column="order")
    with pytest.raises(FileNotFoundError):
        stream_scores(vae, folder / "none.csv")
    np.save(folder / "rows.npy", frame.to_numpy())
    with pytest.raises(ValueError, match="must have 64 values; got 3"):
        list(stream_scores(pipeline[-1], [folder / "rows.npy"]))


def test_a_model_of_scaled_floats_does_not_guess_how_images_were_scaled(images, photos):
    vae = VAE(2, image_shape=(1, 8, 8), hidden_channels=(), **QUICK).fit(images.X / 255)
    with pytest.raises(ValueError, match="got images"):
        stream_scores(vae, photos)


@pytest.mark.parametrize("names", [[0, 1, 2], [10, 20, 30], [("a", 1), ("a", 2), ("b", 1)]])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_names_that_are_no_strings_are_found_in_whatever_order(tmp_path, table, names, suffix, recwarn):
    frame = table[1].set_axis(pd.Index(names), axis=1)
    vae = VAE(2, **QUICK).fit(frame)
    written = frame.iloc[:, [2, 0, 1]].set_axis([str(names[i]) for i in (2, 0, 1)], axis=1)
    path = tmp_path / f"t.{suffix}"
    written.to_csv(path, index=False) if suffix == "csv" else written.to_parquet(path)
    recwarn.clear()
    scores, _ = whole(stream_scores(vae, path))
    np.testing.assert_allclose(scores["score"], vae.score_samples(frame), rtol=1e-9)
    assert not recwarn.list


@pytest.mark.parametrize("kind", ["DataFrame", "ndarray", "an empty list", "BufferedReader"])
def test_rows_in_memory_are_not_taken_for_files(table, kind):
    folder, frame = table
    vae = VAE(2, **QUICK).fit(frame)
    with open(folder / "orders.csv", "rb") as file:
        data = {"DataFrame": frame, "ndarray": frame.to_numpy(), "an empty list": []}.get(kind, file)
        with pytest.raises(TypeError, match=rf"sequence of those; got {kind}\. Rows .* score_samples"):
            stream_scores(vae, data)


def test_a_dialect_is_a_dialect(table):
    folder, frame = table
    vae = VAE(2, **QUICK).fit(frame)
    with pytest.raises(TypeError, match=r"orders\.csv: dialect must be a Dialect; got \{'decimal': ','\}"):
        stream_scores(vae, folder / "orders.csv", dialect={"decimal": ","})


def test_what_is_no_table_is_told_what_is_one(tmp_path, table):
    vae = VAE(2, **QUICK).fit(table[1])
    told = {
        "rows.rows": r"got a file of another kind\. It must be CSV",
        "rows.csv.lz4": "not a readable CSV file",
    }
    for name, message in told.items():
        (tmp_path / name).write_bytes(b"\4\x22\x4d\x18\0\xff\xfe")
        with pytest.raises(ValueError, match=rf"{name}: .*{message}"):
            stream_scores(vae, tmp_path / name)
    (tmp_path / "arrays").mkdir()
    np.save(tmp_path / "arrays" / "1.npy", table[1].to_numpy())
    with pytest.raises(ValueError, match=r"got a folder without a table\. Of arrays \(\.npy, \.npz\) and"):
        stream_scores(vae, tmp_path / "arrays")
