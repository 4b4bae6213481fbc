"""The page and the JSON say what the model says; a file that lies is refused by name."""

import copy
import json
import struct
import unicodedata

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import make_pipeline
from torch import nn

import vaetools.persistence.header as header_of
from tests.cli.test_command_line import loaded_after
from vaetools import AE, CVAE, VAE, EncoderDecoder, Gaussian, ImageReader, ModelFileError, load, save
from vaetools.__main__ import main
from vaetools.anomaly.scores import SCORES
from vaetools.cli.commands.info import page
from vaetools.files import _digest, read_model_file, read_stored, write_model_file
from vaetools.persistence.facts import read_facts

OPTIONS = {"max_iter": 2, "random_state": 0}
HOSTILE = ["\x1b[31mred", "two\nlines", "\u202egnp.exe", "größe"]


class TwoHeads(nn.Module):
    """An encoder with a spread."""

    def __init__(self):
        super().__init__()
        self.mean, self.spread = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        return self.mean(x), self.spread(x)


def fit_models(iris, digits, folder):
    """One model of every kind that a file can hold, by name."""
    X, y = iris
    images, pixels = digits[0][:200], np.rint(255 * digits[0][:200]).astype(np.uint8)
    frame = pd.DataFrame(X, columns=HOSTILE)
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(60, 14)), columns=[f"c{i}" for i in range(14)])
    paths = [folder / f"{i}.png" for i in range(30)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, size=(9, 12, 3), dtype=np.uint8)).save(path)
    encoder = EncoderDecoder(TwoHeads())
    mixed = pd.DataFrame({1: X[:, 0], 2: y == 1, 3: np.array(["a", "b", "c"])[y], 4: X[:, 1]})
    return {
        "table": VAE(2, hidden_layer_sizes=(7, 5), beta=0, **OPTIONS).fit(frame),
        "wide": AE(likelihood=Gaussian("per_feature"), contamination=0.1, **OPTIONS).fit(wide),
        "few": AE(2, anomaly_score="latent_knn", max_iter=2).fit(X[:10]),
        "one": AE(2, max_iter=2).fit(X[:1]),
        "labels": CVAE(2, kl_warmup=0.5, **OPTIONS).fit(X, np.array(HOSTILE)[y]),
        "pixels": CVAE(2, image_shape=(1, 8, 8), hidden_channels=(), **OPTIONS).fit(pixels, digits[1][:200]),
        "unit": VAE(2, likelihood="bernoulli", image_shape=(1, 8, 8), **OPTIONS).fit(images),
        "files": make_pipeline(
            ImageReader(size=(8, 10), aspect="crop", n_jobs=1), VAE(2, image_shape=(3, 8, 10), **OPTIONS)
        ).fit(paths),
        "encoder": VAE(network=encoder, max_iter=0, anomaly_score="neg_kl").fit(X),
        "unscored": VAE(network=encoder, max_iter=0).fit(X),
        "trimmed": AE(2, trimmed_fraction=0.1, anomaly_score="tables", **OPTIONS).fit(X),
        "mixed": AE(2, likelihood="mixed", column_likelihoods={4: "gaussian"}, **OPTIONS).fit(mixed),
    }


NAMES = (
    *("table", "wide", "few", "one", "labels", "pixels", "unit"),
    *("files", "encoder", "unscored", "trimmed", "mixed"),
)


@pytest.fixture(scope="session")
def saved(iris, digits, tmp_path_factory):
    """Fitted models and their files, by name."""
    folder = tmp_path_factory.mktemp("info")
    with pytest.warns(UserWarning, match="calibrat"):  # "few", "one" and "files"
        models = fit_models(iris, digits, folder)
    for name, model in models.items():
        save(model, folder / f"{name}.safetensors")
    return {name: (model, folder / f"{name}.safetensors") for name, model in models.items()}


def page_of(saved, name, capsys):
    assert main(["info", str(saved[name][1])]) == 0
    return capsys.readouterr().out


def json_of(saved, name, capsys):
    assert main(["info", str(saved[name][1]), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_names_are_all_models(saved):
    assert tuple(saved) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_json_says_what_the_model_says(name, saved, capsys):
    model, path = saved[name]
    estimator = model[-1] if name == "files" else model
    facts = json_of(saved, name, capsys)
    assert facts["path"] == str(path)
    assert facts["file_size"] == path.stat().st_size
    assert facts["model"] == type(estimator).__name__
    assert facts["n_features"] == estimator.n_features_in_
    assert facts["n_samples"] == estimator.n_samples_
    assert facts["n_suspects"] == len(estimator.suspects_)
    assert facts["n_iter"] == estimator.n_iter_
    assert facts["max_iter"] == estimator.max_iter_
    assert facts["n_active"] == estimator.active_units_.sum()
    assert facts["n_components"] == len(estimator.active_units_)
    assert facts["input_scale"] == estimator.input_scale_.kind
    assert facts["anomaly_score"] == estimator.anomaly_score_
    assert facts["unit"] == SCORES[estimator.anomaly_score_].unit
    assert facts["threshold"] == getattr(estimator, "offset_", None)
    assert facts["n_calibration"] == len(getattr(estimator, "calibration_scores_", []))
    assert facts["mean_terms"] == estimator.mean_terms_.T.to_dict()
    weights = [*estimator.model_.network.parameters(), *estimator.model_.likelihood.parameters()]
    assert facts["n_weights"] == sum(weight.numel() for weight in weights)
    for parameter, value in estimator.get_params(deep=False).items():
        if value is None or isinstance(value, (bool, int, float, str)):
            assert facts["parameters"][parameter] == value
        elif isinstance(value, tuple):
            assert facts["parameters"][parameter] == list(value)
    assert facts["versions"]["numpy"] == np.__version__


def test_json_of_what_only_some_models_have(saved, capsys):
    facts = {name: json_of(saved, name, capsys) for name in NAMES}
    assert facts["table"]["feature_names"] == HOSTILE
    assert facts["few"]["feature_names"] is facts["few"]["column_kinds"] is None
    assert facts["mixed"]["feature_names"] == ["1", "2", "3", "4"]
    assert facts["mixed"]["parameters"]["column_likelihoods"] == {"4": "gaussian"}
    assert facts["mixed"]["column_kinds"] == {"gaussian": 2, "bernoulli": 1, "categorical": 1}
    shares = dict(zip(saved["labels"][0].classes_, saved["labels"][0].class_prior_, strict=True))
    assert {each["label"]: each["share"] for each in facts["labels"]["labels"]} == shares
    assert [each["label"] for each in facts["pixels"]["labels"]] == list(range(10))
    assert facts["files"]["reader"] == {
        "mode": "rgb",
        "size": [8, 10],
        "aspect": "crop",
        "typical_size": [9, 12],
    }
    assert facts["files"]["least_defect"] == 4  # 3 pixels, each of 9 / 8 or 12 / 10 in files
    assert facts["files"]["image_shape"] == [3, 8, 10]
    assert facts["unit"]["image_shape"] == [1, 8, 8]
    assert facts["unit"]["reader"] is None
    assert facts["table"]["hidden_layer_sizes"] == [7, 5]
    assert facts["wide"]["hidden_layer_sizes"] == [128, 128]
    assert facts["unit"]["hidden_channels"] == [16]
    assert facts["encoder"]["network"] == "EncoderDecoder"
    assert facts["encoder"]["hidden_layer_sizes"] is None
    assert facts["wide"]["parameters"]["likelihood"] == "Gaussian(scale='per_feature', floor=0.1)"
    assert facts["unscored"]["threshold"] is None
    assert facts["wide"]["false_alarm_rate"] is None  # contamination holds nothing out


def test_the_false_alarm_rate_is_what_the_threshold_stands_for(saved, capsys):
    model = saved["table"][0]
    n = len(model.calibration_scores_)
    n_at_most = (model.calibration_scores_ <= model.offset_ + 1e-6).sum()
    assert json_of(saved, "table", capsys)["false_alarm_rate"] == n_at_most / (n + 1) < 0.05


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "table",
            [
                "table.safetensors: VAE of rows of 4 columns",
                "Takes           4 columns: \\x1b[31mred, two\\nlines, \\u202egnp.exe, größe",
                "Scaling         every column to mean 0 and standard deviation 1",
                "Network         dense layers of 7, 5; 189 weights",
                "Training        150 rows, 2 epochs; beta=0, batch_size=128, learning_rate_init=auto,",
                "False alarms    3.2 % of new normal rows, from 30 calibration rows",
            ],
        ),
        (
            "wide",
            [
                "Takes           14 columns: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 … and 4 more",
                "Likelihood      Gaussian(scale='per_feature', floor=0.1)",
                "False alarms    not known, no calibration rows: 10.0 % of the training rows lie below",
            ],
        ),
        (
            "few",
            [
                "Takes           rows of 4 numbers, columns without names",
                "False alarms    9.1 % of new normal rows, from 10 calibration rows, each judged by a model",
                "of other rows; 5.0 % takes 19:",
            ],
        ),
        (
            "one",
            [
                "higher is more normal; its threshold means nothing",
                "False alarms    not known, no calibration rows: there were too few rows to hold some out",
            ],
        ),
        ("labels", ["Labels          \\x1b[31mred (", " two\\nlines (", "\\u202egnp.exe ("]),
        (
            "pixels",
            [
                "pixels.safetensors: CVAE of gray images of 8 × 8 pixels",
                "Takes           rows of 64 8-bit pixels, columns without names",
                "Scaling         8-bit pixels, divided by 255",
                "Labels          0\u00a0(",
            ],
        ),
        (
            "unit",
            [
                "unit.safetensors: VAE of gray images of 8 × 8 pixels",
                "Scaling         already in [0, 1], left as it is",
                "Network         convolutions of 16 channels, dense layers of 256; ",
                "Likelihood      bernoulli",
            ],
        ),
        (
            "files",
            [
                "files.safetensors: VAE of RGB images of 8 × 10 pixels (height × width)",
                "image files, read as rgb, scaled to 8 × 10 pixels, cropped to keep their aspect",
            ],
        ),
        (
            "encoder",
            [
                "Scaling         none, values are taken as they come",
                "Network         EncoderDecoder, a network of its own; 21 weights",
                "Training        150 rows, 0 epochs; beta=1.0, batch_size=128, learning_rate_init=auto",
                "Score           neg_kl in nats, higher is more normal; flagged as odd below −",
            ],
        ),
        ("unscored", ["Score           reconstruction_kl in nats, higher is more normal; no threshold"]),
        (
            "trimmed",
            [
                "Training        138 rows, 12 suspects left out, 2 epochs; trimmed_fraction=0.1,",
                "Score           tables in std, higher is more normal",
            ],
        ),
        (
            "mixed",
            [
                "Takes           4 columns: 1, 2, 3, 4",
                "Scaling         every column of numbers to mean 0 and standard deviation 1",
                "Likelihood      mixed: 2 columns of numbers, 1 column of booleans, 1 column of categories",
            ],
        ),
    ],
)
def test_the_page(name, lines, saved, capsys):
    text = page_of(saved, name, capsys)
    # a line break may stand where the test has a space, but not where it has none
    for line in lines:
        assert " ".join(line.split()) in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert all(unicodedata.category(character) != "Cc" for character in text.replace("\n", ""))
    assert "\u202e" not in text


def test_an_added_loss_is_told(digits, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    looks = {"image_shape": (1, 8, 8), "hidden_channels": (), "added_loss": "structure", "added_weight": 3.0}
    save(VAE(2, contamination=0.1, **looks, **OPTIONS).fit(digits[0][:100]), path)
    main(["info", str(path)])
    assert "Added loss      structure, weight 3, which no score in nats contains\n" in capsys.readouterr().out
    main(["info", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)["parameters"]
    assert (told["added_loss"], told["added_weight"]) == ("structure", 3.0)


def test_costs_on_the_page_are_those_of_the_model(saved, capsys):
    terms = saved["table"][0].mean_terms_
    text = page_of(saved, "table", capsys).replace("−", "-")
    for heading, term in {"Reconstruction": "reconstruction", "KL": "kl"}.items():
        train, held_out = terms[term]
        cost = f"{train:.2f} nats on training rows, {held_out:.2f} nats on held-out rows"
        assert f"\n{heading:16}{cost}\n" in text
    assert "\nKL " not in page_of(saved, "wide", capsys)  # an AE has none


@pytest.mark.parametrize(("max_iter", "planned"), [(40, "40"), ("auto", "500")])
def test_a_training_that_ended_early_says_so(max_iter, planned, iris, tmp_path, capsys):
    def interrupt(record, model):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    vae = VAE(max_iter=max_iter, random_state=0)  # an epoch of one step
    with pytest.warns(RuntimeWarning, match="interrupted"), pytest.raises(KeyboardInterrupt):
        vae.fit(iris[0], callbacks=[interrupt])
    save(vae, tmp_path / "m.safetensors")
    assert main(["info", str(tmp_path / "m.safetensors")]) == 0
    assert f"Training        150 rows, 2 of {planned} epochs; " in capsys.readouterr().out


def test_a_long_label_is_cut_but_not_its_share(saved, tmp_path, capsys):
    header, arrays = read_model_file(saved["labels"][1])
    header["fitted"]["classes_"]["strings"][0] = "long " * 100
    write_model_file(tmp_path / "m.safetensors", header, arrays)
    assert main(["info", str(tmp_path / "m.safetensors")]) == 0
    share = saved["labels"][0].class_prior_[0]
    text = capsys.readouterr().out.replace("\u00a0", " ")
    assert f"Labels          {'long ' * 9}lo… ({100 * share:.1f} %), " in text


@pytest.mark.parametrize("name", ["files", "labels", "mixed"])
def test_info_loads_neither_torch_nor_scikit_learn_nor_pandas_nor_numpy(name, saved):
    for option in ([], ["--json"]):
        arguments = ["info", str(saved[name][1]), *option]
        code = f"from vaetools.__main__ import main; assert main({arguments}) == 0"
        assert loaded_after(code) == "[]"


def test_what_json_cannot_say_is_null(saved, tmp_path, capsys):
    header, arrays = read_model_file(saved["table"][1])
    header["fitted"]["offset_"] = float("-inf")
    arrays["calibration_scores_"][0] = float("-inf")
    del header["fitted"]["score_unit_"]
    write_model_file(tmp_path / "m.safetensors", header, arrays)
    assert main(["info", str(tmp_path / "m.safetensors"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["threshold"] is facts["unit"] is None
    assert "reconstruction_kl, higher is more normal" in page(read_facts(tmp_path / "m.safetensors"))


# Files that lie


def places(value, path=()):
    """Every place in nested JSON."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def put(header, path, value):
    """Return a copy of a header with another value, or without it."""
    header = copy.deepcopy(header)
    *way, last = path
    inside = header
    for key in way:
        inside = inside[key]
    if value is places:
        del inside[last]
    else:
        inside[last] = value
    return header


def write_raw(path, header, tensors, values):
    """Write a header, as JSON, and arrays that may claim anything, with a true checksum."""
    entries = {"__metadata__": {"vaetools": header}, **tensors}
    entries["__metadata__"]["sha256"] = _digest(entries, values)
    text = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


LIES = [
    places,
    None,
    True,
    -1,
    2**70,
    1e308 * 10,
    "\x1b[2J\u202e" * 200,
    [],
    {},
    [["\x07"] * 3],
    {"array": "x"},
]
LIES += [
    {"strings": [1]},
    {"table": {}, "index": []},
    {"tuple": 3},
    {"likelihood": "\x1b", "options": {"\x1b": []}},
]
LIES += [
    {"array": "input_scale_.shift"},
    {"tuple": [1, 2]},
    {"tuple": [0, 0, 0]},
    {"network": "\x1b[31m" * 99},
]


def assert_refusal(message, path):
    assert message.startswith(f"{path}: the file holds no usable model: ")
    assert len(message) < len(str(path)) + 300


@pytest.mark.parametrize("name", ["labels", "pixels", "files", "encoder", "mixed"])
def test_a_crafted_header_gives_a_page_or_an_error_that_names_the_file(name, saved, monkeypatch):
    path = saved[name][1]
    header, arrays = read_stored(path)
    n_refused = n_cases = 0
    for place in list(places(header))[1:]:
        if place[:2] == ("fitted", "history_"):
            continue
        for lie in LIES:
            crafted = put(header, place, lie)
            monkeypatch.setattr(header_of, "read_stored", lambda path, h=crafted: (h, arrays))
            n_cases += 1
            try:
                facts = read_facts(path)
                shown = page(facts).replace("\u00a0", " ").splitlines()
                assert max(map(len, shown)) <= 100
            except ModelFileError as error:
                n_refused += 1
                shown = [str(error)]
                assert_refusal(shown[0], path)
            assert all(line.isprintable() for line in shown)
    assert n_refused > n_cases / 4


@pytest.mark.parametrize(
    ("name", "place", "lie", "message"),
    [
        (
            "table",
            ("class",),
            "os.system",
            "class must be 'AE', 'VAE', 'CVAE', 'VQVAE', 'LatentMap' or 'PatchDetector'; got 'os.system'",
        ),
        ("table", ("class",), places, "class is missing"),
        ("table", ("fitted", "n_iter_"), "7", "n_iter_ must be an integer at least 0; got '7'"),
        ("table", ("fitted", "n_iter_"), True, "n_iter_ must be an integer at least 0; got True"),
        ("table", ("fitted", "n_iter_"), -7, "n_iter_ must be an integer at least 0; got -7"),
        ("table", ("fitted", "offset_"), [1], "offset_ must be finite or −inf; got [1]"),
        (
            "table",
            ("fitted", "active_units_"),
            {"array": "none"},
            "the array of fitted.active_units_ is missing",
        ),
        ("table", ("fitted", "active_units_"), {"array": "code_range_"}, "got float64 of shape (2, 2)"),
        ("table", ("parameters", "false_alarm_rate"), 3, "must be a number above 0 and below 1; got 3"),
        ("unit", ("parameters", "image_shape"), [1, 8], "height, width) of positive integers; got [1, 8]"),
        ("files", ("reader", "image_shape"), [2, 8, 8], "must be of 1 or 3 channels; got [2, 8, 8]"),
        ("files", ("reader", "parameters", "aspect"), "\x1b[31m", "got '\\x1b[31m'"),
        (
            "labels",
            ("fitted", "class_prior_"),
            {"array": "kl_per_component_"},
            "class_prior_ must be of n_classes = 3; got 2",
        ),
        (
            "labels",
            ("fitted", "classes_"),
            {"strings": ["a", 1], "dtype": "str"},
            "classes_.strings[1] must be a text; got 1",
        ),
    ],
)
def test_a_crafted_file_is_refused_in_one_line(name, place, lie, message, saved, tmp_path, capsys):
    header, arrays = read_model_file(saved[name][1])
    path = tmp_path / "crafted.safetensors"
    write_model_file(path, put(header, place, lie), arrays)
    for option in ([], ["--json"]):
        assert main(["info", str(path), *option]) == 2
        out, err = capsys.readouterr()
        said = json.loads(out) if option else {"error": err.removeprefix("vaetools: "), "status": 2}
        assert said["status"] == 2
        assert said["error"].startswith(f"{path}: the file holds no usable model: ")
        assert message in said["error"]
        assert err.count("\n") == 1


@pytest.mark.parametrize("depth", [9, 300, 100_000])
def test_a_deep_header_is_refused(depth, saved, tmp_path, capsys):
    header = json.dumps(put(read_model_file(saved["table"][1])[0], ("parameters", "beta"), "DEEP"))
    path = tmp_path / "m.safetensors"
    write_raw(path, header.replace('"DEEP"', "[" * depth + "]" * depth), {}, b"")
    assert main(["info", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"vaetools: {path}: ")
    assert ("beta must be a number at least 0; got [[[" if depth < 1000 else "not a model file") in err
    assert err.count("\n") == 1


def test_arrays_that_are_none_are_refused(saved, tmp_path, capsys):
    header, _ = read_model_file(saved["table"][1])
    write_model_file(tmp_path / "m.safetensors", header, {})
    assert main(["info", str(tmp_path / "m.safetensors")]) == 2
    assert "the array of fitted.input_scale_.shift is missing" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\x80\x04]q\x00.", b"\xff" * 100])
def test_another_file_is_refused(content, tmp_path, capsys):
    path = tmp_path / "model.pkl"
    path.write_bytes(content)
    assert main(["info", str(path)]) == 2
    assert f"{path}: not a model file of vaetools" in capsys.readouterr().err


def test_a_damaged_file_is_refused(saved, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    data = bytearray(saved["table"][1].read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert main(["info", str(path)]) == 2
    assert "the file is damaged" in capsys.readouterr().err


def test_no_file(tmp_path, capsys):
    assert main(["info", str(tmp_path / "none.safetensors")]) == 2
    assert f"File '{tmp_path / 'none.safetensors'}' does not exist" in capsys.readouterr().err


def test_what_info_accepts_is_what_load_gives(saved):
    for name in ("table", "labels", "files"):
        model, path = saved[name]
        assert type(load(path)) is type(model)


@pytest.mark.parametrize(
    "tensor",
    [
        3,
        {"dtype": "F32", "shape": [9], "data_offsets": [0, 4]},
        {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "\x1b[31m", "shape": [2], "data_offsets": [0, 4]},
    ],
)
def test_a_crafted_array_is_refused(tensor, saved, tmp_path, capsys):
    path = tmp_path / "crafted.safetensors"
    write_raw(path, json.dumps(read_model_file(saved["table"][1])[0]), {"a": tensor}, b"1234")
    assert main(["info", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"vaetools: {path}: ")
    assert err.count("\n") == 1
    assert err[:-1].isprintable()


def test_names_that_are_no_strings_are_told(tmp_path, capsys):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=[10, 20, 30])
    save(VAE(max_iter=2).fit(frame), tmp_path / "m.safetensors")
    assert main(["info", str(tmp_path / "m.safetensors")]) == 0
    assert "Takes           3 columns: 10, 20, 30\n" in capsys.readouterr().out
