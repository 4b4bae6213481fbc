import base64
import dataclasses
import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    QuantileTransformer,
    RobustScaler,
)

import vaetools
from tests.explorer.spaces import HOSTILE, images, of_images, of_mixed_table, of_table
from tests.report.browser import Parsed
from vaetools import AE, CVAE, VAE, EncoderDecoder, Gaussian, LatentMap, explore
from vaetools.explorer.rendering import render


@pytest.fixture(scope="module")
def space():
    return of_images()


@pytest.fixture(scope="module")
def parsed(space):
    return Parsed(render(space[0]))


def contents(parsed):
    """What the page knows, as its script reads it."""
    kinds = [attributes.get("type") for attributes in parsed.all("script")]
    raw = dict(zip(kinds, parsed.raw["script"], strict=True))
    about = json.loads(raw["application/json"])
    data = gzip.decompress(base64.b64decode(raw["application/octet-stream"]))
    arrays = {
        each["name"]: np.frombuffer(data, f"<{each['kind']}", each["length"], each["offset"])
        for each in about["arrays"]
    }
    return about, arrays


def test_rows_are_read_as_the_model_reads_them(space):
    explorer, model = space
    X, _ = images()
    np.testing.assert_allclose(explorer.codes, model.transform(X.to_numpy()), rtol=1e-6)
    np.testing.assert_allclose(explorer.numbers["score"], model.score_samples(X.to_numpy()), rtol=1e-6)
    np.testing.assert_allclose(explorer.numbers["p-value"], model.p_values(X.to_numpy()), rtol=1e-6)
    assert explorer.names.tolist()[: len(HOSTILE)] == HOSTILE
    np.testing.assert_array_equal(explorer.flagged, model.predict(X.to_numpy()) == -1)
    assert explorer.thumbnails.shape == (120, 8, 8, 1)


def test_a_plane_is_the_map_and_other_maps_are_none(space):
    explorer, _ = space
    known = LatentMap(method="pca").fit(explorer.codes.astype(np.float64))
    center, axes = explorer.plane
    np.testing.assert_allclose(explorer.places, known.embedding_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose((explorer.codes - center) @ axes.T, explorer.places, rtol=1e-4, atol=1e-5)


def test_latent_dimensions_are_mapped_as_they_are():
    explorer, _ = of_images(method="latent")
    liveliest = np.argsort(-explorer.codes.var(axis=0))[:2]
    np.testing.assert_array_equal(explorer.places, explorer.codes[:, liveliest])


def test_a_map_is_called_what_it_is():
    explorer, _, _ = of_table()
    for method, plane, name in (
        ("umap", None, "UMAP"),
        ("umap", explorer.plane, "PCA"),  # of two dimensions, which are only rotated
        ("latent", explorer.plane, "Latent dimensions"),
    ):
        shown = dataclasses.replace(explorer, method=method, plane=plane)
        assert contents(Parsed(render(shown)))[0]["method"] == name


def test_surprising_columns_of_a_table_come_with_their_values():
    explorer, model, X = of_table()
    found, explained = explorer.reasons, model.explain(X)
    which, rows = found["which"][:, 0], np.arange(100)
    np.testing.assert_array_equal(which, explained.surprise.argmax(axis=1))
    np.testing.assert_allclose(found["nats"][:, 0], explained.surprise.max(axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["own"][:, 0], X.to_numpy()[rows, which], rtol=1e-6)
    np.testing.assert_allclose(found["expected"][:, 0], explained.expected[rows, which], rtol=1e-5)
    assert explorer.table.names.tolist() == ["column a", "<b>", "c", "d"]  # labels are called a
    np.testing.assert_array_equal(explorer.numbers["column a"], X["a"].to_numpy(np.float32))


def test_a_table_of_several_kinds_has_categories_by_name():
    explorer, model, X = of_mixed_table()
    assert explorer.table.categories == {1: ["blue", "red", "</script>"], 3: ["False", "True"]}
    assert explorer.table.whole == [2]
    assert explorer.labels["color"][:3].tolist() == ["</script>", "", X["color"].iloc[2]]
    np.testing.assert_array_equal(explorer.numbers["column score"], X["score"].to_numpy(np.float32))
    np.testing.assert_allclose(explorer.numbers["score"], model.score_samples(X), rtol=1e-6)
    found, explained = explorer.reasons, model.explain(X)
    assert found["which"][0, 0] == 1  # a color that no row had
    assert (found["own"][0, 0], found["nats"][1].min() > -np.inf) == (2.0, True)
    color = explorer.table.categories[1][int(found["expected"][0, 0])]
    assert color == explained.expected[0, 1]


def test_what_is_called_like_a_score_stays_apart():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["KL", "label"])
    model = VAE(2, max_iter=1, contamination=0.1).fit(X)
    explorer = explore(model, X, np.arange(40) % 2, method="latent")
    assert explorer.table.names.tolist() == ["column KL", "column label"]
    assert set(explorer.numbers) >= {"KL", "column KL", "column label"}


def test_columns_of_a_saved_selection_have_names_of_their_own():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=["id", "z1", "a"])
    model = VAE(2, max_iter=1, contamination=0.1).fit(X)
    explorer = explore(model, X, pd.Series(np.arange(40) % 2, name="score"), method="latent")
    assert explorer.table.names.tolist() == ["column id", "column z1", "a"]
    assert list(explorer.labels) == ["label score"]


def test_rows_beyond_every_map_are_refused_by_name():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=list("abc"))
    model = VAE(2, likelihood=Gaussian(), max_iter=1, contamination=0.1).fit(X)
    X.loc[7, "a"] = 1e100
    with pytest.raises(ValueError, match=r"others of 1 row, such as '7'. Leave such rows out"):
        explore(model, X, method="pca")


def test_a_conditional_model_says_what_it_believes():
    X, y = images()
    model = CVAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=2, random_state=0).fit(
        X.to_numpy(), y
    )
    explorer = explore(model, X, y, method="pca")
    believed = model.classes_[model.label_proba(X.to_numpy()).argmax(axis=1)]
    assert explorer.labels["label, as the model believes"].tolist() == believed.tolist()
    assert explorer.labels["label"].tolist() == y.tolist()


def machines(n=500, seed=0):
    rng = np.random.default_rng(seed)
    machine, outside = rng.choice(["large", "small"], n, p=[0.3, 0.7]), rng.uniform(-10, 30, n)
    power = np.where(machine == "large", 40, 15) + 0.3 * outside + rng.normal(size=n)
    rows = pd.DataFrame({"power": power, "heat": 50 + 0.5 * outside + rng.normal(size=n)})
    return rows, pd.DataFrame({"machine": machine, "outside": outside})


def test_rows_are_shown_and_judged_in_their_context():
    rows, told = machines()
    whole = told.join(rows)
    model = CVAE(2, context=["machine", "outside"], max_iter=20, random_state=0).fit(whole)
    explorer = explore(model, whole, method="pca")
    assert explorer.table.names.tolist() == ["power", "heat"]
    np.testing.assert_allclose(explorer.codes, model.transform(whole), rtol=1e-5, atol=1e-6)
    assert explorer.flagged.tolist() == (model.predict(whole) == -1).tolist()
    np.testing.assert_allclose(explorer.numbers["p-value"], model.p_values(whole), rtol=1e-6)
    assert explorer.labels["machine"].tolist() == told["machine"].tolist()
    np.testing.assert_allclose(explorer.numbers["outside"], told["outside"], rtol=1e-6)
    machine, outside = explorer.given
    assert (machine.name, machine.categories, machine.value) == ("machine", ["large", "small"], 1)
    of_small = told["outside"][told["machine"] == "small"]
    assert (outside.categories, outside.value) == ([], pytest.approx(of_small.median()))
    assert (outside.low, outside.high) == (told["outside"].min(), told["outside"].max())


def test_a_context_may_come_beside_rows():
    rows, told = machines()
    model = CVAE(2, max_iter=20, random_state=0).fit(rows, told)
    explorer = explore(model, rows, told["machine"], context=told, method="pca")
    np.testing.assert_allclose(explorer.codes, model.transform(rows, told), rtol=1e-5, atol=1e-6)
    assert explorer.labels["context machine"].tolist() == told["machine"].tolist()
    one = explore(model, rows, context=told[:1], method="pca")
    assert set(one.labels["machine"]) == {told["machine"][0]}
    with pytest.raises(ValueError, match=r"context must be a DataFrame of the columns .*'machine'"):
        explore(model, rows)
    with pytest.raises(
        ValueError, match="explore: context is of a model that judges rows given one; got a VAE"
    ):
        explore(VAE(2, max_iter=1).fit(rows), rows, context=told)


def test_numbers_are_colored_as_numbers_and_labels_as_labels():
    X, y = images()
    model = AE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=0).fit(X.to_numpy())
    ages = pd.Series(np.random.default_rng(0).normal(size=120), name="age")
    assert next(iter(explore(model, X, ages, method="pca").numbers)) == "age"
    some = np.where(np.arange(120) % 3, y, None)
    found = explore(model, X, some, method="pca").labels["label"]
    assert found.tolist() == ["" if each is None else each for each in some]


def test_only_the_page_s_own_script_may_run_and_nothing_is_fetched(parsed):
    script = parsed.raw["script"][-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert parsed.policy == (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:"
    )
    assert all(address.startswith("data:") for address in parsed.addresses)
    assert not re.search(r"^(import|export) |fetch\(|XMLHttpRequest|https?:", script, re.MULTILINE)


def test_names_reach_the_page_to_the_letter_and_add_no_element(parsed):
    about, arrays = contents(parsed)
    assert json.loads(arrays["names"].tobytes())[: len(HOSTILE)] == HOSTILE
    assert about["shown"]["2"] == "two\\nlines,\\u2028and \\x1b[2J a comma.png"
    assert about["labels"][0]["raw_texts"][0] == "<b>0</b>"
    assert len(parsed.all("script")) == 3
    assert len(parsed.all("b")) == 0


def test_arrays_reach_the_page_as_they_are(space, parsed):
    explorer, _ = space
    about, arrays = contents(parsed)
    np.testing.assert_array_equal(arrays["codes"].reshape(120, 3), explorer.codes)
    np.testing.assert_array_equal(arrays["weights"], explorer.decoder.weights)
    assert (about["n"], about["n_components"], about["image_shape"]) == (120, 3, [1, 8, 8])


def test_small_gray_pictures_may_be_drawn_as_ink_and_photographs_not(space):
    explorer, _ = space
    for shape, may_be in (((1, 64, 64), True), ((1, 65, 8), False), ((3, 8, 8), False)):
        shown = dataclasses.replace(explorer, image_shape=shape)
        assert contents(Parsed(render(shown)))[0]["pictures"]["may_be_ink"] == may_be


def test_it_is_written_and_shown_in_a_notebook(space, tmp_path):
    explorer, _ = space
    explorer.to_html(tmp_path / "space.html")
    page = (tmp_path / "space.html").read_text("utf-8")
    assert page == render(explorer)
    shown = Parsed(explorer._repr_html_())
    assert shown.all("iframe")[0]["srcdoc"] == page
    assert repr(explorer) == "<Explorer of 120 rows, VAE, 3 components>"


def test_pages_are_the_same_every_time(space):
    assert render(space[0]) == render(of_images()[0])


def test_scripts_and_styles_of_pages_are_installed():
    root = Path(vaetools.__file__).parents[1]
    wheel = pytest.importorskip("hatchling.builders.wheel").WheelBuilder(str(root))
    packed = {file.distribution_path for file in wheel.recurse_included_files()}
    pages = {*root.glob("vaetools/*/page/*.js"), *root.glob("vaetools/*/page/*.css")}
    pages |= {*root.glob("vaetools/*/page/*.html")}
    assert len(pages) > 25
    assert {path.relative_to(root).as_posix() for path in pages} <= packed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "som"}, "explore: method must be .*; got 'som'"),
        ({"seed": -1}, "explore: seed must be .*; got -1"),
        ({"y": [1, 2]}, r"explore: y must hold a label for each of the 120 rows; got shape \(2,\)"),
        ({"X": np.zeros((2, 64))}, "explore: X must hold 3 to 100,000 rows; got 2[.]$"),
    ],
)
def test_errors_say_what_came(options, message, space):
    X, y = images()
    given = {"X": X.to_numpy(), "y": y, "method": "pca"} | options
    with pytest.raises(ValueError, match=message):
        explore(space[1], given.pop("X"), given.pop("y"), **given)


def test_models_without_a_latent_space_are_refused():
    with pytest.raises(TypeError, match=r"explore: model must be an autoencoder.*; got PCA\(\)"):
        explore(PCA(), np.eye(4))


@pytest.fixture(scope="module")
def inner():
    """Rows of columns of very different units."""
    spread = np.array([1, 1e5, 1e-3, 1])
    return pd.DataFrame(np.random.default_rng(0).gamma(3, size=(60, 4)) * spread, columns=list("abcd"))


SMALL = {"max_iter": 2, "random_state": 0, "contamination": 0.1}


def test_steps_that_scale_columns_are_taken_back(inner):
    pipeline = make_pipeline(MinMaxScaler(), RobustScaler(), VAE(2, **SMALL)).fit(inner)
    explorer = explore(pipeline, inner, method="pca")
    decoder, codes = explorer.decoder, explorer.codes
    made = pipeline[-1].inverse_transform(codes)
    standard = (made - pipeline[-1].input_scale_.shift) / pipeline[-1].input_scale_.scale
    expected = pipeline[:-1].inverse_transform(made)
    np.testing.assert_allclose(standard * decoder.scale + decoder.shift, expected, rtol=1e-6)
    np.testing.assert_array_equal(explorer.numbers["b"], inner["b"].to_numpy(np.float32))
    which = explorer.reasons["which"][:, :1].astype(int)
    own = np.take_along_axis(inner.to_numpy(), which, axis=1)
    np.testing.assert_allclose(explorer.reasons["own"][:, :1], own, rtol=1e-6)
    reconstructed = np.take_along_axis(expected, which, axis=1)
    np.testing.assert_allclose(explorer.reasons["expected"][:, :1], reconstructed, rtol=1e-4)
    assert explorer.note == ""


@pytest.mark.parametrize(
    ("steps", "note", "columns", "has_reasons"),
    [
        ([FunctionTransformer(np.log1p, np.expm1)], "nothing is decoded", list("abcd"), True),
        ([PCA(2)], "nothing is decoded", list("abcd"), False),
        ([FunctionTransformer(np.log1p)], "cannot be inverted", list("abcd"), True),
        ([QuantileTransformer(n_quantiles=5)], "nothing is decoded", list("abcd"), True),
        (
            [ColumnTransformer([("some", RobustScaler(), ["c", "a"])])],
            "cannot be inverted",
            ["column 0", "column 1"],
            True,
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*but QuantileTransformer was fitted with")  # scikit-learn 1.6's inverse
def test_of_other_steps_the_page_says_what_it_cannot(steps, note, columns, has_reasons, inner):
    pipeline = make_pipeline(*steps, VAE(2, **SMALL)).fit(inner)
    explorer = explore(pipeline, inner, method="pca")
    assert note in explorer.note
    assert (explorer.decoder is None) == ("nothing is decoded" in note)
    assert explorer.table.names.tolist() == columns
    assert bool(explorer.reasons) == has_reasons
    shown = inner if explorer.decoder is None else pipeline[:-1].transform(inner)
    np.testing.assert_allclose(explorer.numbers[columns[0]], np.asarray(shown)[:, 0], rtol=1e-6)
    assert note in " ".join(Parsed(render(explorer)).words.split())


def test_text_that_became_numbers_is_shown_as_these(inner):
    X = pd.DataFrame({"color": ["red", "blue", "green"] * 20})
    pipeline = make_pipeline(OneHotEncoder(sparse_output=False), VAE(1, **SMALL)).fit(X)
    explorer = explore(pipeline, X, method="latent")
    assert explorer.numbers["column 1"].tolist() == [0, 0, 1] * 20
    assert "cannot be inverted" in explorer.note


def test_a_pipeline_of_a_model_alone_is_the_model(inner):
    pipeline = make_pipeline(VAE(2, **SMALL)).fit(inner)
    explorer = explore(pipeline, inner, method="pca")
    assert (explorer.note, explorer.table.names.tolist()) == ("", list("abcd"))


def test_features_of_pictures_are_shown_as_pictures():
    X, y = images()
    halves = FunctionTransformer(lambda X: np.reshape(X, (-1, 8, 2, 4)).mean(axis=3).reshape(-1, 16))
    halves.image_shape = (1, 8, 8)  # as a frozen network says what it takes
    pipeline = make_pipeline(halves, AE(2, **SMALL)).fit(X)
    explorer = explore(pipeline, X, y, method="pca")
    assert explorer.image_shape == (1, 8, 8)
    assert (explorer.decoder, explorer.table, explorer.reasons) == (None, None, {})
    np.testing.assert_allclose(explorer.thumbnails.reshape(120, -1), 255 * X.to_numpy(), atol=0.51)
    assert "features of the pictures" in explorer.note


def test_a_network_of_ones_own_is_said_to_decode_nothing():
    network = EncoderDecoder(torch.nn.Linear(4, 2), torch.nn.Linear(2, 4))
    X = np.random.default_rng(0).normal(size=(50, 4))
    model = AE(network=network, max_iter=0, contamination=0.1).fit(X)
    explorer = explore(model, X, method="pca")
    assert explorer.decoder is None
    assert "network is your own" in explorer.note
    encoder = EncoderDecoder(torch.nn.Linear(4, 2))
    blind = AE(network=encoder, max_iter=0, anomaly_score="latent_knn", contamination=0.1).fit(X)
    assert "no decoder" in explore(blind, X, method="pca").note
