"""What a file says twice, it must say alike; what a model's own history makes differ, it may."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from tests.variants import VARIANTS, Squashed
from vaetools import AE, CVAE, VAE, VQVAE, Gaussian, ImageReader, ModelFileError, load, save
from vaetools.anomaly.scores import SCORES
from vaetools.estimators.building import n_classes_of
from vaetools.estimators.constructor import check_parameters
from vaetools.files import read_model_file, write_model_file
from vaetools.latent.projection import LatentMap
from vaetools.nn import ACTIVATIONS as ACTIVATION_MODULES
from vaetools.nn import CONDITIONINGS as ALL_CONDITIONINGS
from vaetools.nn.likelihoods import LIKELIHOODS
from vaetools.persistence import rules as declared
from vaetools.persistence.facts import read_facts
from vaetools.persistence.weights import weight_shapes
from vaetools.schema import Contents

FOLDER = Path(__file__).with_name("format_1")
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 1, "random_state": 0}
IMAGES = [
    VAE(image_shape=(1, 7, 9), max_iter=1),
    AE(image_shape=(1, 7, 9), hidden_channels=(3, 5), hidden_layer_sizes=(), max_iter=1),
    VAE(16, image_shape=(7, 3, 3), hidden_channels=(4,), hidden_layer_sizes=(), max_iter=1),
    AE(16, image_shape=(7, 3, 3), hidden_channels=(4,), hidden_layer_sizes=(), anomaly_score="images"),
    CVAE(16, image_shape=(7, 3, 3), hidden_channels=(4,), hidden_layer_sizes=(), condition_encoder=False),
    CVAE(image_shape=(1, 9, 7), conditioning="add", anomaly_score="structure", max_iter=1),
    VAE(image_shape=(1, 9, 7), likelihood=Gaussian("predicted"), anomaly_score="hidden_residual", max_iter=1),
    VAE(image_shape=(1, 9, 7), hidden_channels=(), likelihood="bernoulli", max_iter=1),
    VQVAE(image_shape=(1, 9, 7), word_size=3),
    VAE(image_shape=(1, 9, 7), likelihood=Gaussian("local"), max_iter=1),
    VQVAE(image_shape=(1, 9, 7), n_words=8, word_size=3, likelihood=Gaussian()),
    VQVAE(image_shape=(1, 9, 7), hidden_layer_sizes=(), n_words=8, prior="autoregressive"),
    VQVAE(80, image_shape=(7, 3, 3), hidden_channels=(4,), hidden_layer_sizes=(), n_words=8),
]
OURS = [variant for variant in VARIANTS.values() if not isinstance(variant, Squashed)]


def refused(header, arrays, message, tmp_path, *, of_numbers=False):
    """Load and info refuse a file alike, but for what numbers of arrays must be, which only load reads."""
    path = tmp_path / "m.safetensors"
    write_model_file(path, header, arrays)
    for read in (load,) if of_numbers else (load, read_facts):
        with pytest.raises(ModelFileError) as error:
            read(path)
        assert message in str(error.value)


def kept(model, tmp_path):
    """A model, saved and loaded."""
    save(model, tmp_path / "m.safetensors")
    return load(tmp_path / "m.safetensors")


@pytest.fixture
def table():
    header, arrays = read_model_file(FOLDER / "table.safetensors")
    return copy.deepcopy(header), dict(arrays)


@pytest.fixture
def images():
    header, arrays = read_model_file(FOLDER / "images.safetensors")
    return copy.deepcopy(header), dict(arrays)


# Thresholds


@pytest.mark.parametrize("offset", [-math.inf, -1e9, 1e9])
def test_a_threshold_that_no_calibration_row_gives(offset, table, tmp_path):
    table[0]["fitted"]["offset_"] = offset
    refused(*table, "offset_ must be one of calibration_scores_, less rounding; got", tmp_path)


def test_another_rate_since_the_threshold_was_set(iris, tmp_path):
    vae = VAE(2, **SMALL).fit(iris[0])
    offset, n = vae.offset_, len(vae.calibration_scores_)
    again = kept(vae.set_params(false_alarm_rate=0.4), tmp_path)
    assert again.offset_ == offset
    facts = read_facts(tmp_path / "m.safetensors")
    assert facts.false_alarm_rate == pytest.approx(1 / (n + 1))  # that of the threshold, not 0.4
    kept(again.set_params(false_alarm_rate=0.4).recalibrate(iris[0]), tmp_path)
    assert read_facts(tmp_path / "m.safetensors").false_alarm_rate == 60 / 151


def test_thresholds_from_training_rows_and_from_later_ones(iris, tmp_path):
    vae = VAE(2, contamination=0.1, **SMALL).fit(iris[0])
    assert kept(vae, tmp_path).offset_ == vae.offset_
    assert read_facts(tmp_path / "m.safetensors").false_alarm_rate is None
    vae.set_params(score_precision="float32").recalibrate(iris[0] * 1.1)
    assert kept(vae, tmp_path).offset_ == vae.offset_
    assert kept(vae.set_params(contamination=0.3), tmp_path).offset_ == vae.offset_


# Scores


def test_a_score_of_another_name_than_its_state(table, tmp_path):
    table[0]["fitted"]["anomaly_score_"] = "reconstruction_kl"
    refused(*table, "score_state_.tables is no part of reconstruction_kl", tmp_path)


def test_a_score_for_the_next_fit_changes_nothing(iris, tmp_path):
    vae = VAE(2, **SMALL).fit(iris[0]).set_params(anomaly_score="latent_knn")
    again = kept(vae, tmp_path)
    assert (again.anomaly_score, again.anomaly_score_) == ("reconstruction_kl", "reconstruction_kl")
    np.testing.assert_array_equal(again.score_samples(iris[0]), vae.score_samples(iris[0]))
    assert read_facts(tmp_path / "m.safetensors").anomaly_score == "reconstruction_kl"


# Images


def test_a_reader_of_other_images(images, tmp_path):
    images[0]["reader"]["image_shape"] = [1, 4, 16]
    refused(*images, "reader.image_shape must be image_shape = [1, 8, 8]; got [1, 4, 16]", tmp_path)


@pytest.mark.parametrize(
    ("dtype", "levels", "fits"),
    [
        ("uint8", [0, 255], True),
        ("uint8", [0, 1], True),
        ("uint8", [0, 4095], False),
        ("uint8", [10, 255], False),
        ("uint16", [0, 255], True),
        ("uint16", [61440, 65535], True),
        ("uint16", [0, 2**17], False),
        ("uint16", [-1024, 4095], False),
        ("int16", [-1024, 4095], True),
        ("int16", [0, 65535], True),
        ("int16", [-65536, 4095], False),
    ],
)
def test_levels_of_a_reader(dtype, levels, fits, images, tmp_path):
    images[0]["reader"]["dtype"] = dtype
    images[0]["fitted"]["input_scale_"]["levels"] = levels
    if not fits:
        refused(*images, f"levels must be levels of images of reader.dtype = '{dtype}'", tmp_path)
        return
    write_model_file(tmp_path / "m.safetensors", *images)
    assert load(tmp_path / "m.safetensors")[-1].input_scale_.levels == tuple(levels)
    assert read_facts(tmp_path / "m.safetensors").levels == levels


@pytest.mark.parametrize(("mode", "white"), [("I;16", 20_000), ("I;16", 200), ("L", 255), ("L", 1)])
def test_levels_as_files_have_them_can_be_saved(mode, white, tmp_path):
    rng, paths = np.random.default_rng(0), []
    for i in range(100):
        pixels = rng.integers(0, white + 1, (6, 6)).astype(np.uint16 if mode != "L" else np.uint8)
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(pixels).save(paths[-1])
    model = make_pipeline(ImageReader(6, n_jobs=1), VAE(2, image_shape=(1, 6, 6), **SMALL)).fit(paths)
    again = kept(model, tmp_path)
    np.testing.assert_array_equal(again.score_samples(paths), model.score_samples(paths))


# Networks


@pytest.mark.parametrize("model", [*OURS, *IMAGES], ids=lambda model: str(model)[:60])
def test_weights_follow_from_what_a_file_says(model, tmp_path):
    rng, y = np.random.default_rng(0), np.arange(100) % 3
    X = rng.normal(size=(100, 5)) if model.image_shape is None else rng.integers(0, 256, (100, 63))
    model = clone(model).set_params(max_iter=1, random_state=0).fit(X, y)
    save(model, tmp_path / "m.safetensors")
    header, _ = read_model_file(tmp_path / "m.safetensors")
    sizes = {"n_classes": n_classes_of(model), "n_words": len(getattr(model, "word_counts_", ()))}
    found = {name: tuple(weight.shape) for name, weight in model.model_.state_dict().items()}
    assert weight_shapes(header, sizes) == found
    load(tmp_path / "m.safetensors")


def test_another_class_than_its_parameters_and_weights(iris, tmp_path):
    save(VAE(2, **SMALL).fit(iris[0]), tmp_path / "vae.safetensors")
    header, arrays = read_model_file(tmp_path / "vae.safetensors")
    header["class"] = "AE"
    refused(header, arrays, "parameters.beta is not known", tmp_path)
    del header["parameters"]["beta"], header["parameters"]["kl_warmup"]
    refused(header, arrays, "encoder.2.bias must have the shape (2,), by the parameters; got (4,)", tmp_path)


@pytest.mark.parametrize(
    ("likelihood", "message"),
    [
        ("bernoulli", "model_.likelihood.raw_log_scale must not be there, by the parameters; got (1,)"),
        ({"likelihood": "Gaussian", "options": {"scale": "per_feature"}}, "must have the shape (4,)"),
        ({"likelihood": "Gaussian", "options": {"scale": "predicted"}}, "raw_log_scale must not be there"),
        ({"likelihood": "Gaussian", "options": {"scale": -1.0}}, "options.scale must be a positive number"),
        ({"likelihood": "Bernoulli", "options": {"scale": 1.0}}, "options.scale is not known"),
        ("mixed", "columns_ must be those of a table for likelihood = 'mixed'; got None"),
    ],
)
def test_another_likelihood_than_its_weights(likelihood, message, table, tmp_path):
    table[0]["parameters"]["likelihood"] = likelihood
    refused(*table, message, tmp_path)


def test_units_and_shares_are_those_that_were_learnt(table, tmp_path):
    header, arrays = table
    arrays["model_.log_unit"] = arrays["model_.log_unit"] + 1
    message = "must be the logarithm of what was learnt"
    refused(header, arrays, f"model_.log_unit {message}", tmp_path, of_numbers=True)
    header, arrays = read_model_file(FOLDER / "mixed.safetensors")
    arrays["class_prior_"] = np.array([0.5, 0.25, 0.25])
    refused(header, arrays, f"model_.log_label_prior {message}", tmp_path, of_numbers=True)


# Parameters


def holds(name, parameter, value):
    """Whether a file may give a parameter a value."""
    written = {p: v for p, v in FOUND[name].items() if p != parameter} | {parameter: value}
    try:
        declared.PARAMETERS[name]("", written, Contents({}))
    except ValueError:
        return False
    return True


def takes(cls, parameter, value):
    """Whether an estimator may have a value."""
    try:
        check_parameters(cls().set_params(**{parameter: value}))
    except (TypeError, ValueError):
        return False
    return True


FOUND = {
    name: read_model_file(FOLDER / f"{file}.safetensors")[0]["parameters"]
    for name, file in {"AE": "table", "VAE": "images", "CVAE": "mixed"}.items()
}
NUMBERS = [True, 0, 1, 2, -1, 2**32, 0.0, 0.5, 1.0, 3.5, math.inf, math.nan]
NAMES = ["auto", "x", "cpu", "cuda:1", "one_cycle", "constant", "float32", "float64", "bfloat16", "mixed"]
VALUES = [None, *NUMBERS, *NAMES, [], [1], [1, 2, 3], [0], *ACTIVATION_MODULES, *ALL_CONDITIONINGS, *SCORES]


@pytest.mark.parametrize(("name", "cls"), [("AE", AE), ("VAE", VAE), ("CVAE", CVAE)])
def test_what_a_constructor_takes_a_file_may_say(name, cls):
    parameters = set(cls().get_params())
    assert set(FOUND[name]) <= parameters  # others came later
    for parameter in parameters - {"network", "column_likelihoods", "image_shape"}:
        for value in [*VALUES, *LIKELIHOODS]:
            assert holds(name, parameter, value) == takes(cls, parameter, value), (parameter, value)


def test_a_dict_is_written_as_one():
    assert holds("AE", "column_likelihoods", {"dict": [["likelihood", "gaussian"]]})
    for value in ({"likelihood": "gaussian"}, {"dict": [["a", "gamma"]]}, {"dict": [], "tuple": []}):
        assert not holds("AE", "column_likelihoods", value)


def test_the_names_of_parameters_are_those_of_constructors():
    for cls, rule in {ImageReader: declared.READER, LatentMap: declared.PARAMETERS["LatentMap"]}.items():
        rule("", cls().get_params(), Contents({}))
        with pytest.raises(ValueError, match="other is not known"):
            rule("", cls().get_params() | {"other": 1}, Contents({}))
