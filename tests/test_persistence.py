"""One file, no pickle, equal scores; a file that is not whole or not ours is refused."""

import copy
import json
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save as save_safetensors
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import vaetools as vt
from tests.data.pictures import write_gray
from vaetools import AE, CVAE, VAE, Bernoulli, Gaussian, ImageReader, LatentMap, ModelFileError
from vaetools.files import _digest, _split, read_model_file
from vaetools.persistence.facts import read_facts
from vaetools.persistence.model_file import split_reader

OPTIONS = {"max_iter": 3, "random_state": 0}


def fit(model, iris):
    X, y = iris
    return model.fit(X if model.likelihood != Bernoulli else X / 8, np.array(["a", "b", "c"])[y])


MODELS = [
    AE(2, **OPTIONS),
    AE(hidden_layer_sizes=[8], anomaly_score="latent_knn", **OPTIONS),
    VAE(2, **OPTIONS),
    VAE(likelihood=Gaussian("predicted", floor=0.2), contamination=0.1, max_iter=3, random_state=3),
    VAE(image_shape=(1, 2, 2), early_stopping=True, learning_rate="constant", **OPTIONS),
    VAE(2, image_shape=(1, 2, 2), anomaly_score="images", **OPTIONS),
    CVAE(2, anomaly_score="aggregate", **OPTIONS),
    AE(2, anomaly_score="tables", **OPTIONS),
    VAE(max_iter=0, random_state=0),
    VAE(2, trimmed_fraction=0.1, **OPTIONS),
    CVAE(2, likelihood=Gaussian(scale=0.5), **OPTIONS),
    CVAE(2, conditioning="multiply", likelihood=Gaussian("per_feature"), **OPTIONS),
]


@pytest.fixture(params=MODELS, ids=str)
def fitted(request, iris):
    return fit(copy.deepcopy(request.param), iris)


def assert_same(loaded, model, X):
    assert type(loaded) is type(model)
    for method in (model.score_samples, model.transform, model.predict, model.reconstruct):
        np.testing.assert_array_equal(getattr(loaded, method.__name__)(X), method(X))
    assert set(vars(loaded)) == set(vars(model))
    pd.testing.assert_frame_equal(loaded.history_, model.history_)
    pd.testing.assert_frame_equal(loaded.mean_terms_, model.mean_terms_)
    assert str(loaded) == str(model)


def test_a_loaded_model_is_the_same(fitted, iris, tmp_path):
    vt.save(fitted, tmp_path / "model.safetensors")
    assert_same(vt.load(tmp_path / "model.safetensors"), fitted, iris[0])


def test_pickle_and_copy_give_the_same(fitted, iris):
    assert_same(pickle.loads(pickle.dumps(fitted)), fitted, iris[0])
    assert_same(copy.deepcopy(fitted), fitted, iris[0])


def test_names_and_labels_survive(iris, tmp_path):
    X, y = iris
    frame = pd.DataFrame(X, columns=["größe", "b<script>", "c", "d"])
    model = CVAE(2, **OPTIONS).fit(frame, np.array(["ä", "b", "c"])[y])
    vt.save(model, tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(loaded.feature_names_in_, frame.columns)
    np.testing.assert_array_equal(loaded.classes_, ["b", "c", "ä"])
    np.testing.assert_array_equal(loaded.score_samples(frame, "b"), model.score_samples(frame, "b"))


def test_parameters_become_plain_values(iris, tmp_path):
    options = {"random_state": np.int64(3), "device": torch.device("cpu"), "beta": np.float32(0.5)}
    vt.save(VAE(max_iter=1, **options).fit(iris[0]), tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    assert (loaded.random_state, loaded.device, loaded.beta) == (3, "cpu", 0.5)


def test_a_loaded_model_fits_again(iris, tmp_path):
    model = VAE(2, **OPTIONS).fit(iris[0])
    vt.save(model, tmp_path / "m.safetensors")
    again = vt.load(tmp_path / "m.safetensors", device="cpu").fit(iris[0])
    np.testing.assert_array_equal(again.score_samples(iris[0]), model.score_samples(iris[0]))


def test_header_tells_what_is_inside_without_torch(iris, tmp_path):
    vt.save(VAE(2, **OPTIONS).fit(iris[0]), tmp_path / "m.safetensors")
    header, arrays = read_model_file(tmp_path / "m.safetensors")
    assert (header["class"], header["format_version"]) == ("VAE", 1)
    assert header["parameters"]["n_components"] == 2
    assert header["fitted"]["n_features_in_"] == 4
    assert {"vaetools", "torch", "scikit-learn", "numpy", "python"} == set(header["versions"])
    assert arrays["calibration_scores_"].shape == (30,)
    trained = [a for name, a in arrays.items() if "weight" in name]
    assert {a.dtype for a in trained} == {np.dtype("float32")}  # half the size, and exact


@pytest.mark.parametrize(
    "value", [np.random.RandomState(0), torch.nn.Linear(4, 4)], ids=["random", "likelihood"]
)
def test_what_cannot_be_written_is_refused_by_name(value, iris, tmp_path):
    class Custom(Gaussian):
        pass

    name = "random_state" if isinstance(value, np.random.RandomState) else "likelihood"
    model = VAE(max_iter=1, **{name: value if name == "random_state" else Custom()}).fit(iris[0])
    with pytest.raises(TypeError, match=f"VAE: the parameter {name} cannot be written"):
        vt.save(model, tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_save_takes_our_models_only(tmp_path):
    with pytest.raises(TypeError, match="got 3"):
        vt.save(3, tmp_path / "m.safetensors")


@pytest.fixture
def whole(iris, tmp_path):
    vt.save(VAE(2, hidden_layer_sizes=(8,), **OPTIONS).fit(iris[0]), tmp_path / "m.safetensors")
    return (tmp_path / "m.safetensors").read_bytes()


class Bomb:
    """What a pickle would run."""

    def __reduce__(self):
        return os.system, ("touch exploded",)


def test_a_pickle_in_disguise_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelFileError, match=r"m\.safetensors: not a model file.*b'\\x80"):
        vt.load("m.safetensors")
    torch.save({"a": Bomb()}, "t.safetensors")
    with pytest.raises(ModelFileError, match=r"t\.safetensors: not a model file.*b'PK"):
        vt.load("t.safetensors")
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("share", [0.0, 0.0005, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_files_are_refused(whole, share, tmp_path):
    part = whole[: int(share * len(whole))]
    (tmp_path / "part").write_bytes(part)
    with pytest.raises(ModelFileError, match=f"part: .*{len(part)} bytes"):
        vt.load(tmp_path / "part")


def test_every_mutation_is_refused(whole, tmp_path):
    rng = np.random.default_rng(0)
    for position in rng.choice(len(whole), 200, replace=False):
        mutated = bytearray(whole)
        mutated[position] ^= 1 << rng.integers(8)
        (tmp_path / "mutated").write_bytes(mutated)
        with pytest.raises(ModelFileError, match="mutated: "):
            vt.load(tmp_path / "mutated")


def test_other_safetensors_files_are_refused(tmp_path):
    (tmp_path / "other").write_bytes(save_safetensors({"a": np.zeros(3)}))
    with pytest.raises(ModelFileError, match="other: not a model file"):
        vt.load(tmp_path / "other")


def rewritten(whole, change):
    """Return a file with a changed header and a checksum that fits it."""
    entries, values = _split(whole)
    header = json.loads(entries["__metadata__"]["vaetools"])
    change(header)
    entries["__metadata__"]["vaetools"] = json.dumps(header)
    entries["__metadata__"]["sha256"] = _digest(entries, values)
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.update(format_version=2), "format version 2, and this vaetools reads up to 1"),
        (lambda header: header.update(format_version="x"), "format version 'x'"),
        (lambda header: header.update({"class": "os.system"}), "os.system"),
        (lambda header: header["parameters"].update(n_components=-5), "n_components must be .*got -5"),
        (lambda header: header["parameters"].update(n_components=3), "no usable model"),
        (lambda header: header["parameters"].update(hidden_layer_sizes=[10**9]), "no usable model"),
        (lambda header: header["parameters"].update(__class__="VAE"), "no usable model"),
        (lambda header: header["parameters"].update(likelihood={"likelihood": "eval"}), "no usable model"),
        (lambda header: header["fitted"].pop("n_features_in_"), "no usable model"),
    ],
)
def test_crafted_headers_are_refused(whole, change, message, tmp_path):
    (tmp_path / "crafted").write_bytes(rewritten(whole, change))
    with pytest.raises(ModelFileError, match=f"crafted: .*{message}"):
        vt.load(tmp_path / "crafted")


@pytest.mark.parametrize("text", ["[" * 200_000, '{"__metadata__": null}', "{", "null"])
def test_broken_headers_are_refused(text, tmp_path):
    (tmp_path / "broken").write_bytes(len(text).to_bytes(8, "little") + text.encode())
    with pytest.raises(ModelFileError, match="broken: not a model file"):
        vt.load(tmp_path / "broken")


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_broken_descriptions_are_refused(whole, text, tmp_path):
    entries, values = _split(whole)
    entries["__metadata__"]["vaetools"] = text
    entries["__metadata__"]["sha256"] = _digest(entries, values)
    header = json.dumps(entries).encode()
    (tmp_path / "broken").write_bytes(len(header).to_bytes(8, "little") + header + values)
    with pytest.raises(ModelFileError, match="broken: not a model file"):
        vt.load(tmp_path / "broken")


def test_a_file_sets_fitted_numbers_and_nothing_else(whole, iris, tmp_path):
    planted = {"predict": "x", "fit": "x", "__class__": "x", "_rows": "x"}
    (tmp_path / "crafted").write_bytes(rewritten(whole, lambda header: header["fitted"].update(planted)))
    loaded = vt.load(tmp_path / "crafted")
    assert not set(planted) & set(vars(loaded))
    assert loaded.predict(iris[0]).shape == (150,)


@pytest.mark.parametrize("device", ["cuda:77", "xpu:88", "xpu"])
def test_a_model_of_a_device_that_is_not_here_is_loaded_where_one_is(whole, iris, tmp_path, device):
    moved = rewritten(whole, lambda header: header["parameters"].update(device=device))
    (tmp_path / "moved").write_bytes(moved)
    (tmp_path / "whole").write_bytes(whole)
    loaded = vt.load(tmp_path / "moved")
    assert loaded.device == "auto"
    expected = vt.load(tmp_path / "whole", device="cpu").score_samples(iris[0])
    np.testing.assert_allclose(loaded.score_samples(iris[0]), expected)
    with pytest.raises(ValueError, match=f"VAE: device must be one that torch finds .*; got '{device}'"):
        vt.load(tmp_path / "whole", device=device)


@pytest.mark.parametrize("device", ["cuda:abc", "cpu:x", "cpu:1", "auto:1", "cuda:07", "cuda:128", "tpu"])
def test_no_file_and_no_caller_has_a_device_of_another_name(whole, tmp_path, device):
    (tmp_path / "odd").write_bytes(
        rewritten(whole, lambda header: header["parameters"].update(device=device))
    )
    (tmp_path / "whole").write_bytes(whole)
    for read in (vt.load, read_facts):
        with pytest.raises(
            vt.ModelFileError, match=f"device must be 'auto', a device name .*; got '{device}'"
        ):
            read(tmp_path / "odd")
    with pytest.raises(ValueError, match=f"VAE: device must be 'auto', a device name .*; got '{device}'"):
        vt.load(tmp_path / "whole", device=device)


@pytest.mark.parametrize(("n_jobs", "here"), [(40, 2), (1, 1), (-1, -1), (-3, -3), (None, None)])
def test_a_file_starts_no_more_processes_than_there_are_cores(tmp_path, monkeypatch, n_jobs, here):
    monkeypatch.setattr("vaetools.persistence.readers.cpu_count", lambda: 2)
    write_gray(tmp_path, 40, size=4)
    paths = sorted(map(str, tmp_path.glob("*.png")))
    model = make_pipeline(
        ImageReader(n_jobs=1), VAE(2, image_shape=(1, 4, 4), contamination=0.1, **OPTIONS)
    ).fit(paths)
    model[0].n_jobs = n_jobs
    vt.save(model, tmp_path / "m.safetensors")
    assert vt.load(tmp_path / "m.safetensors")[0].n_jobs == here


def test_a_failed_save_leaves_the_old_file(whole, iris, tmp_path, monkeypatch):
    model = VAE(2, **OPTIONS).fit(iris[0])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        vt.save(model, tmp_path / "m.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    assert (tmp_path / "m.safetensors").read_bytes() == whole


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        vt.load(tmp_path / "nowhere")


# A reader in front of the model


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    """A fitted pipeline of paths, and its paths."""
    folder = tmp_path_factory.mktemp("photos")
    write_gray(folder, 20, size=8)
    paths = sorted(folder.iterdir())
    vae = VAE(2, image_shape=(3, 4, 6), hidden_channels=(), max_iter=1, contamination=0.1, random_state=0)
    return make_pipeline(ImageReader(size=(4, 6), mode="rgb", aspect="crop"), vae).fit(paths), paths


def test_a_pipeline_of_reader_and_model_comes_back(readers, tmp_path):
    pipeline, paths = readers
    vt.save(pipeline, tmp_path / "m.safetensors")
    loaded = vt.load(tmp_path / "m.safetensors")
    assert isinstance(loaded, Pipeline)
    assert [name for name, _ in loaded.steps] == [name for name, _ in pipeline.steps]
    assert loaded[0].get_params() == pipeline[0].get_params()
    assert loaded[0].image_shape_ == (3, 4, 6)
    np.testing.assert_array_equal(loaded.score_samples(paths), pipeline.score_samples(paths))


def assert_same_map(loaded, latent_map, codes):
    assert loaded.get_params() == latent_map.get_params()
    assert set(vars(loaded)) == set(vars(latent_map))
    assert np.array_equal(loaded.embedding_, latent_map.embedding_)
    assert np.array_equal(loaded.transform(codes), latent_map.transform(codes))
    assert np.array_equal(loaded.off_map(codes), latent_map.off_map(codes))


@pytest.fixture
def quick_layout(monkeypatch):
    """A layout that is no projection, and takes no time."""
    bend = {"umap": lambda settings, codes: np.sin(3 * codes[:, : settings.n_components])}
    monkeypatch.setattr("vaetools.latent.projection._LAYOUTS", bend)


@pytest.mark.parametrize("method", ["umap", "pca"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_map_comes_back(method, dtype, tmp_path, quick_layout):
    codes = np.random.default_rng(0).normal(size=(80, 5)).astype(dtype)
    latent_map = LatentMap(method=method, n_neighbors=7, random_state=3).fit(codes[:50])
    vt.save(latent_map, tmp_path / "map.safetensors")
    assert_same_map(vt.load(tmp_path / "map.safetensors"), latent_map, codes)


def test_pipelines_with_a_map_come_back(readers, iris, tmp_path, quick_layout):
    pipeline, paths = readers
    vae = fit(VAE(3, **OPTIONS), iris)
    for whole, X in (
        (Pipeline([("model", vae), ("map", LatentMap().fit(vae.transform(iris[0])))]), iris[0]),
        (Pipeline([*pipeline.steps, ("map", LatentMap(method="pca").fit(pipeline.transform(paths)))]), paths),
    ):
        vt.save(whole, tmp_path / "m.safetensors")
        loaded = vt.load(tmp_path / "m.safetensors")
        assert [name for name, _ in loaded.steps] == [name for name, _ in whole.steps]
        np.testing.assert_array_equal(loaded.transform(X), whole.transform(X))
        assert_same_map(loaded[-1], whole[-1], whole[:-1].transform(X))
        np.testing.assert_array_equal(loaded[:-1].score_samples(X), whole[:-1].score_samples(X))
        assert split_reader(loaded) == (loaded[0] if len(loaded) == 3 else None, loaded[-2])
    arrays = read_model_file(tmp_path / "m.safetensors")[1]
    assert {"map.codes_", "map.embedding_", "map.spacing_"} < set(arrays)


def test_a_map_that_was_not_fitted_or_holds_a_generator_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        vt.save(LatentMap(), tmp_path / "m.safetensors")
    drawn = LatentMap(method="pca", random_state=np.random.RandomState(0)).fit(np.eye(4))
    with pytest.raises(
        TypeError, match=r"LatentMap: the parameter random_state cannot be written.*RandomState"
    ):
        vt.save(drawn, tmp_path / "m.safetensors")
    vt.save(drawn.set_params(random_state=0), tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"must be an autoencoder, .*got LatentMap\(.* alone"):
        split_reader(vt.load(tmp_path / "m.safetensors"))
    bad = rewritten(
        (tmp_path / "m.safetensors").read_bytes(), lambda header: header["parameters"].update(method="mds")
    )
    (tmp_path / "bad").write_bytes(bad)
    with pytest.raises(ModelFileError, match=r"bad: .*method must be .*got 'mds'"):
        vt.load(tmp_path / "bad")


def test_other_pipelines_are_refused(readers, tmp_path):
    pipeline, _ = readers
    for steps in (
        [StandardScaler(), pipeline[1]],
        [pipeline[0], StandardScaler()],
        [*pipeline, StandardScaler()],
        [pipeline[1]],
        [LatentMap(), pipeline[1]],
    ):
        with pytest.raises(TypeError, match=r"or without some but the model; got Pipeline"):
            vt.save(make_pipeline(*steps), tmp_path / "m.safetensors")
    with pytest.raises(NotFittedError):
        vt.save(make_pipeline(ImageReader(), pipeline[1]), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []
