"""A file may say anything: load and info refuse alike what no model is, in a line, before they build it."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import vaetools.persistence.model_file as reading
from vaetools import AE, VAE, EncoderDecoder, ModelFileError, load, save
from vaetools.anomaly import bounds
from vaetools.anomaly.scores import SCORES, needed_states
from vaetools.data.reader import MODES
from vaetools.files import read_model_file, write_model_file
from vaetools.persistence.facts import MODES as CHANNELS
from vaetools.persistence.facts import read_facts
from vaetools.persistence.header import check_model
from vaetools.persistence.states import STATES

FOLDER = Path(__file__).with_name("format_1")
DELETED = object()


@pytest.fixture(scope="module")
def written():
    """Header and arrays of files as they should be, by name."""
    return {path.stem: read_model_file(path) for path in FOLDER.glob("*.safetensors")}


def lying(written, way, value):
    """Header and arrays of which one says something else: the array of a name, or what a way leads to."""
    header, arrays = copy.deepcopy(written[0]), dict(written[1])
    if isinstance(way, str):
        inside, last = arrays, way
        value = value(arrays[way]) if callable(value) else value
    else:
        *way, last = way
        inside = header
        for key in way:
            inside = inside[key]
    if value is DELETED:
        del inside[last]
    else:
        inside[last] = value
    return header, arrays


def put(place, value):
    def change(array):
        changed = array.copy()
        changed[place] = value
        return changed

    return change


def of_numbers(arrays, true):
    """Whether arrays have other numbers than true ones, which who describes a file does not look at."""
    kinds = [{name: (each.dtype.kind, each.shape) for name, each in some.items()} for some in (arrays, true)]
    return kinds[0] == kinds[1] and any((arrays[name] != true[name]).any() for name in true)


FITTED, PARAMETERS = ("fitted",), ("parameters",)
LIES = [
    (
        "table",
        (*FITTED, "n_features_in_"),
        10**9,
        "shift must be of n_features = 1000000000; got 4",
    ),
    (
        "table",
        (*FITTED, "_n_features_out"),
        10**9,
        "must be of n_components = 1000000000; got 2",
    ),
    (
        "table",
        (*PARAMETERS, "hidden_layer_sizes"),
        {"tuple": [6] * 100_000},
        "layer_sizes must be at most",
    ),
    ("images", (*PARAMETERS, "hidden_channels"), [4] * 99, "hidden_channels must be at most"),
    ("images", ("reader", "image_shape"), [1, 8, 9], "reader.image_shape must be of n_features = 64 values"),
    ("images", ("reader", "image_shape"), [1, 2**40, 8], "image_shape must be of n_features = 64"),
    ("images", ("reader", "steps"), ["a"], "steps must be 2 names; got ['a']"),
    ("images", ("reader", "steps"), ["a__b", "c"], "must be the name of a step"),
    ("images", ("reader", "parameters", "n_jobs"), 10**6, "n_jobs must be an integer from 1 to 1024"),
    ("images", (*PARAMETERS, "image_shape"), {"tuple": [1, 16, 8]}, "image_shape must be of n_features = 64"),
    ("images", (*PARAMETERS, "image_shape"), None, "must not be there, by the parameters"),
    ("images", "score_state_.density_of_states.image_shape", put(1, 7), ".image_shape must be [1, 8, 8]"),
    ("images", "score_state_.images.std", put(0, 0.0), "std must be finite and positive"),
    ("images", (*FITTED, "score_state_", "dict", "structure"), DELETED, "score_state_.structure is missing"),
    ("table", (*FITTED, "anomaly_score_"), "latent_knn", "score_state_.latent_knn is missing"),
    ("table", (*FITTED, "offset_"), DELETED, "offset_ is missing"),
    ("table", (*FITTED, "offset_"), math.nan, "offset_ must be finite or −inf; got nan"),
    ("table", (*FITTED, "offset_"), math.inf, "offset_ must be finite or −inf; got inf"),
    (
        "table",
        "calibration_scores_",
        lambda a: a[:0],
        "scores_ must hold 1 or more numbers; got 0",
    ),
    (
        "table",
        "calibration_scores_",
        put(3, np.nan),
        "must be finite or −inf, and sorted",
    ),
    (
        "table",
        "calibration_scores_",
        lambda a: a[::-1],
        "must be finite or −inf, and sorted",
    ),
    (
        "table",
        "calibration_scores_",
        lambda a: a[None],
        "wrong type or shape; got float64 of shape (1, ",
    ),
    ("table", "input_scale_.scale", put(1, 0.0), "input_scale_.scale must be finite and positive"),
    (
        "table",
        "input_scale_.shift",
        put(1, np.inf),
        "input_scale_.shift must be numbers whose squares are finite",
    ),
    ("table", "model_.network.encoder.0.weight", put((0, 0), np.nan), "encoder.0.weight must be finite"),
    ("table", "model_.network.encoder.0.bias", lambda a: a.astype(int), "encoder.0.bias has the wrong type"),
    ("table", "model_.log_unit", DELETED, "the array of model_.log_unit is missing"),
    ("table", "code_range_", lambda a: a[:1], "code_range_ must have a side of 2; got shape (1, 2)"),
    ("table", (*FITTED, "n_iter_"), 4, "history_.index must be of n_iter_ = 4; got 3"),
    ("table", (*FITTED, "n_marked_odd_"), 150, "n_marked_odd_ must be below n_samples_ = 150; got 150"),
    ("table", (*FITTED, "max_iter_"), 2, "n_iter_ must be at most max_iter_ = 2; got 3"),
    (
        "table",
        (*FITTED, "history_", "dtypes", "epoch"),
        "object",
        "epoch must be 'int64' or 'float64'",
    ),
    ("mapped", "suspects_", put(0, 150), "suspects_ must be below 150; got 150"),
    ("mapped", ("map", "steps"), ["a", "a"], "map.steps must be a list without repetitions"),
    ("mapped", ("map", "parameters", "n_components"), 3, "n_components must be n_axes = 2 of a map; got 3"),
    ("mapped", "map.codes_", lambda a: a[:, :2], "map.fitted.codes_ must be of n_components = 3; got 2"),
    ("mapped", "map.spacing_", put(0, -1.0), "spacing_ must be at least 0, finite and sorted"),
    (
        "mixed",
        (*FITTED, "classes_", "strings"),
        ["b", "a", "c"],
        "must be sorted, and all different",
    ),
    (
        "images",
        (*FITTED, "input_scale_", "levels"),
        [255, 0],
        "levels must be black below white; got [255, 0]",
    ),
    ("images", (*FITTED, "input_scale_", "levels"), [0], "levels must be"),
    ("images", ("reader", "dtype"), "float64", "reader.dtype must be 'uint8', 'uint16' or 'int16'"),
    ("mixed", (*FITTED, "class_prior_"), DELETED, "class_prior_ is missing"),
    ("mixed", "class_prior_", put(0, 2.0), "class_prior_ must be at least 0, and add up to 1"),
    ("mixed", "calibration_labels_", put(0, 3), "calibration_labels_ must be below 3; got 3"),
    (
        "mixed",
        "calibration_labels_",
        lambda a: a[1:],
        "must be of n_calibration = 30; got 29",
    ),
    (
        "mixed",
        "label_calibration_scores_",
        put(0, np.nan),
        "scores_ must be finite or −inf",
    ),
    ("mixed", "model_.log_label_prior", put(0, 0.5), "model_.log_label_prior must be at most 0"),
    ("mixed", "input_scale_.scale", put(-1, 3.0), "input_scale_.scale must be 1 for columns of categories"),
    ("mixed", (*FITTED, "columns_", "columns"), [], "columns must be of n_features = 5; got 0"),
    (
        "mixed",
        (*FITTED, "columns_", "columns", 3, "values"),
        [1],
        "must be the categories of a bernoulli",
    ),
    (
        "mixed",
        (*FITTED, "columns_", "columns", 4, "values"),
        ["a", "a"],
        "a list without repetitions",
    ),
    (
        "mixed",
        (*FITTED, "columns_", "columns", 4, "dtype"),
        "S999999999",
        "must be a dtype; got 'S999999999'",
    ),
]


@pytest.mark.parametrize(("name", "way", "value", "message"), LIES, ids=[lie[3][:60] for lie in LIES])
def test_what_no_model_is_is_refused(name, way, value, message, written, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "blank_model", lambda *_, **__: pytest.fail("it was built"))
    path = tmp_path / "m.safetensors"
    header, arrays = lying(written[name], way, value)
    write_model_file(path, header, arrays)
    for read in (load,) if of_numbers(arrays, written[name][1]) else (load, read_facts):
        with pytest.raises(ModelFileError) as error:
            read(path)
        found = str(error.value)
        assert found.startswith(f"{path}: the file holds no usable model: ")
        assert message in found
        assert len(found) < len(str(path)) + 260
        assert found.isprintable()


@pytest.mark.parametrize(
    ("name", "way", "value", "message"),
    [
        (
            "table",
            (*PARAMETERS, "n_components"),
            3,
            "decoder.0.0.weight must have the shape",
        ),
        ("table", "score_state_.tables.rows", lambda a: a[:, :2], "[0-9]"),
        ("table", (*FITTED, "anomaly_score_"), "log_likelihood", "the file holds no usable model: "),
    ],
)
def test_what_fits_no_network_is_refused_by_load(name, way, value, message, written, tmp_path):
    path = tmp_path / "m.safetensors"
    write_model_file(path, *lying(written[name], way, value))
    with pytest.raises(ModelFileError, match=message):
        load(path)


def test_scores_that_are_no_numbers_are_refused(written, tmp_path):
    header, arrays = written["table"]
    crafted = {"distance": [-1e300, 1e-300], "reconstruction": [1e300, 1e-300]}  # infinite, of either sign
    others = {f"score_state_.tables.{name}": np.array(pair) for name, pair in crafted.items()}
    write_model_file(tmp_path / "m.safetensors", header, arrays | others)
    with pytest.raises(
        ModelFileError, match="the score 'tables' must be a finite number; got -inf of a typical row"
    ):
        load(tmp_path / "m.safetensors")


def test_what_only_a_reader_of_the_file_would_notice_is_let_through(written, tmp_path):
    header, arrays = lying(written["table"], (*FITTED, "predict"), "x")
    header["fitted"]["note_"] = {"array": "nowhere"}
    write_model_file(tmp_path / "m.safetensors", header, arrays)
    loaded = load(tmp_path / "m.safetensors")
    assert {"predict", "note_"}.isdisjoint(vars(loaded))


def test_weights_of_a_network_of_ones_own_must_be_numbers(iris, tmp_path):
    network = EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4))
    path = tmp_path / "m.safetensors"
    save(AE(network=network, max_iter=0, random_state=0).fit(iris[0]), path)
    header, arrays = read_model_file(path)
    name = "model_.network.encoder.weight"
    write_model_file(path, header, arrays | {name: put((0, 0), np.nan)(arrays[name])})
    with pytest.raises(ModelFileError, match=r"network.encoder.weight must be numbers; got \[nan"):
        load(path, network=network)
    check_model(header, arrays | {name: put((0, 0), -np.inf)(arrays[name])})  # as of a mask


def test_minus_infinity_is_a_score(written, tmp_path):
    header, arrays = lying(written["table"], (*FITTED, "offset_"), -math.inf)
    arrays["calibration_scores_"] = put(0, -np.inf)(arrays["calibration_scores_"])
    write_model_file(tmp_path / "m.safetensors", header, arrays)
    assert load(tmp_path / "m.safetensors").offset_ == -math.inf


def test_what_could_not_be_read_is_not_written(iris, tmp_path):
    model = AE(2, max_iter=1, random_state=0).fit(iris[0])
    model.calibration_scores_ = model.calibration_scores_[::-1]
    with pytest.raises(ValueError, match="must be finite or −inf, and sorted"):
        save(model, tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_scores_of_rows_that_are_no_number_calibrate_as_the_oddest(iris, tmp_path, monkeypatch):
    model = VAE(2, max_iter=1, random_state=0).fit(iris[0])
    scores = torch.from_numpy(model.score_samples(iris[0][:40]))
    scores[3] = np.nan
    monkeypatch.setattr(bounds, "reconstruction_kl", lambda reading, states: scores)
    model.recalibrate(iris[0][:40])
    assert model.calibration_scores_[0] == -math.inf
    save(model, tmp_path / "m.safetensors")
    monkeypatch.undo()
    np.testing.assert_array_equal(
        load(tmp_path / "m.safetensors").calibration_scores_, model.calibration_scores_
    )


# What is declared is what there is


def test_what_every_score_learns_is_declared():
    assert {name for name, score in SCORES.items() if score.learns} == set(STATES)
    assert set(needed_states("images")) == {"images", *SCORES["images"].parts}


def test_every_kind_of_image_is_declared():
    assert {mode: channels for channels, mode in CHANNELS.items()} == MODES


@pytest.mark.parametrize("name", ["table", "images", "mixed", "mapped"])
def test_checking_changes_nothing(name, written):
    header, arrays = written[name]
    before = copy.deepcopy(header)
    check_model(header, arrays)
    assert header == before
