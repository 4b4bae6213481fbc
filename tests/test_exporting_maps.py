"""A graph of images says where they are odd and whether, as the model does."""

import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.pipeline import make_pipeline

from tests.estimators.test_patch_detector import SIDE, detector, photographs, scratched
from tests.test_exporting import GUIDE, Served
from vaetools import CVAE, VAE, ImageReader, stream_scores, to_onnx
from vaetools.persistence.operators import translations

IMAGES = np.concatenate([photographs(20, 4), scratched(20, 5)[0]])
BLACK = np.zeros((1, SIDE * SIDE), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("served")


def exported(model, folder, name):
    to_onnx(model, folder / f"{name}.onnx")
    return Served(folder / f"{name}.onnx")


@pytest.fixture(scope="module")
def patches(folder):
    model = detector().fit(photographs(120, 1))
    reader = ImageReader(image_shape=(1, SIDE, SIDE), n_jobs=1).fit([Image.new("L", (SIDE, SIDE))])
    return model, exported(make_pipeline(reader, model), folder, "patches")


@pytest.fixture(scope="module")
def whole(folder):
    """A model that judges whole images, and one with labels."""
    few = {"image_shape": (1, SIDE, SIDE), "anomaly_score": "images", "max_iter": 3, "random_state": 0}
    X = photographs(120, 1)
    models = {"VAE": VAE(4, **few).fit(X), "CVAE": CVAE(3, **few).fit(X, np.arange(120) % 2)}
    return {name: (model, exported(model, folder, name)) for name, model in models.items()}


def tied(model, X):
    """Return which images have a place that is as far from its fourth reference as from the fifth, or nearly.

    By the last digits either tells what is usual there.
    """
    maps, _ = model.model_.maps(torch.from_numpy(X.reshape(-1, 1, SIDE, SIDE)).float() / 255)
    found = np.zeros(len(X), bool)
    for group in model.model_.groups:
        points = ((group.features(maps) - group.mean) / group.std) @ group.axes
        distances = torch.cdist(points.double(), group.references.double())
        *_, fourth, fifth = distances.topk(5, largest=False).values.unbind(dim=-1)
        found |= (fifth / fourth < 1 + 1e-5).any(dim=(1, 2)).numpy()
    return found


@pytest.mark.parametrize("n", [1, 7, 40])
def test_a_detector_of_patches_answers_as_its_graph(n, patches):
    model, graph = patches
    X = IMAGES[-n:]
    answers = graph(X)
    assert list(answers) == ["score", "map", "flagged", "p_value"]
    sure = ~tied(model, X)
    assert sure.mean() > 0.8
    np.testing.assert_allclose(answers["map"][sure], model.heat_maps(X)[sure], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers["map"], model.heat_maps(X), atol=0.02)
    np.testing.assert_allclose(answers["score"], model.score_samples(X), rtol=5e-4, atol=5e-4)
    np.testing.assert_array_equal(answers["flagged"], model.predict(X) == -1)
    np.testing.assert_allclose(answers["p_value"], model.p_values(X), rtol=1e-6)


def test_a_detector_told_of_regions_answers_as_its_graph(folder):
    told = detector(estimator=CVAE(3, hidden_layer_sizes=(16,), max_iter=2)).fit(photographs(95, 1))
    answers = exported(told, folder, "regions")(IMAGES)
    np.testing.assert_allclose(answers["map"], told.heat_maps(IMAGES), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(answers["flagged"], told.predict(IMAGES) == -1)


@pytest.mark.parametrize("aspect", ["pad", "crop", "stretch"])
def test_rows_made_by_the_recipe_of_the_guide_are_those_of_the_reader(aspect, patches, folder):
    """Of images that shrink and grow, in color and gray: so scores are the model's."""
    model, graph = patches
    rng, names = np.random.default_rng(0), {"np": np}
    [recipe] = [block for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if "row_of" in block]
    exec(compile(recipe, "serving.md", "exec"), names)
    shapes = [(131, 77, 3), (40, 95, 3), (SIDE, SIDE), (2 * SIDE, SIDE), (30, 33)]
    pictures = [rng.integers(1, 256, shape, dtype=np.uint8) for shape in shapes]
    paths = [str(folder / f"{i}.png") for i in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    images = [each[None] if each.ndim == 2 else each.transpose(2, 0, 1) for each in pictures]
    for channels in (3, 1):
        shape = (channels, SIDE, SIDE)
        rows = np.stack([names["row_of"](image, shape, aspect) for image in images])
        reader = ImageReader(image_shape=shape, aspect=aspect, n_jobs=1).fit(paths)
        apart = np.abs(rows.astype(int) - np.asarray(reader.transform(paths)))
        assert apart.max() <= (aspect != "pad")
    if aspect == "pad":
        scores = pd.concat(part.table for part in stream_scores(make_pipeline(reader, model), paths))["score"]
        np.testing.assert_allclose(graph(rows)["score"], scores, rtol=5e-4, atol=5e-4)


def test_verdict_and_map_agree_in_the_graph_too(patches):
    _, graph = patches
    answers = graph(np.concatenate([IMAGES, BLACK]))
    beyond = (answers["map"] > -graph.facts["threshold"]).any(axis=(1, 2))
    np.testing.assert_array_equal(beyond, answers["flagged"])
    assert 15 < beyond.sum() < 30
    np.testing.assert_array_equal(-answers["map"].max(axis=(1, 2)), answers["score"])


def test_images_that_calibrated_are_no_odder_than_in_the_model(patches):
    model, graph = patches
    X = photographs(120, 1)
    assert (graph(X)["p_value"] >= model.p_values(X).astype(np.float32)).all()


def test_what_a_detector_says_of_itself(patches):
    model, graph = patches
    facts = graph.facts.copy()
    assert 0 < model.offset_ - facts.pop("threshold") < 1e-3 * max(abs(model.offset_), 1)
    assert facts.pop("versions").keys() == {"vaetools", "torch"}
    assert facts == {
        "model": "PatchDetector", "image_shape": [1, SIDE, SIDE], "levels": [0, 255], "aspect": "pad",
        "score": "patches", "unit": "std", "false_alarm_rate": 2 / 49, "n_calibration": 48,
    }  # fmt: skip
    assert graph.inputs == [("X", "tensor(uint8)", ["n_samples", SIDE * SIDE])]
    [map_] = [each for each in graph.session.get_outputs() if each.name == "map"]
    assert map_.shape == ["n_samples", SIDE, SIDE]
    [flagged] = [each for each in graph.session.get_outputs() if each.name == "flagged"]
    assert (flagged.type, flagged.shape) == ("tensor(bool)", ["n_samples"])


def test_a_detector_of_numbers_takes_them(folder):
    X = (photographs(100, 1) / 255).astype(np.float32)
    model = detector().fit(X)
    graph = exported(model, folder, "numbers")
    assert graph.inputs == [("X", "tensor(float)", ["n_samples", SIDE * SIDE])]
    assert "levels" not in graph.facts
    np.testing.assert_allclose(graph(X[:3])["score"], model.score_samples(X[:3]), rtol=1e-3, atol=1e-3)
    broken = X[:2].copy()
    broken[0, 7] = np.nan
    assert graph(broken)["flagged"].tolist()[0]


@pytest.mark.parametrize("name", ["VAE", "CVAE"])
def test_whole_images_are_judged_in_the_graph(name, whole):
    model, graph = whole[name]
    labels = ["label_proba"] if name == "CVAE" else []
    answers = graph(IMAGES)
    assert list(answers) == ["codes", "reconstruction", "score", *labels, "map", "flagged", "p_value"]
    usual = np.median(np.abs(model.calibration_scores_))
    np.testing.assert_allclose(answers["score"], model.score_samples(IMAGES), rtol=1e-3, atol=1e-3 * usual)
    # whitening multiplies what float32 rounds
    np.testing.assert_allclose(answers["map"], model.explain(IMAGES).heat_maps(), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(answers["flagged"], model.predict(IMAGES) == -1)
    np.testing.assert_allclose(answers["p_value"], model.p_values(IMAGES), rtol=1e-6)
    assert (graph.facts["score"], graph.facts["unit"]) == ("images", "nats")


def test_logs_of_normal_tails_are_right(tmp_path):
    """As the operation that ONNX lacks, in float64."""

    class Tail(torch.nn.Module):
        def forward(self, X):
            return torch.special.log_ndtr(X)

    x = torch.tensor([-np.inf, -1e4, -50.0, -10.0, -3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0, 50.0, np.inf])
    table = translations()
    program = torch.onnx.export(
        Tail().eval(), (x,), dynamo=True, verbose=False, custom_translation_table=table
    )
    program.save(tmp_path / "tail.onnx")
    session = Served(tmp_path / "tail.onnx").session
    [found] = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    np.testing.assert_allclose(found, torch.special.log_ndtr(x.double()), rtol=1e-6, atol=3e-7)
