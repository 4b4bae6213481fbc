"""An ONNX graph answers as the model does, says what a server must know, and leaves the model alone."""

import json
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import vaetools
from tests.data.pictures import write_gray
from vaetools import (
    AE,
    CVAE,
    VAE,
    VQVAE,
    EncoderDecoder,
    Gaussian,
    ImageReader,
    LatentMap,
    load,
    save,
    to_onnx,
)
from vaetools.estimators.groups import compared_with
from vaetools.persistence.exporting import _facts
from vaetools.persistence.graphs import RowGraph

FEW = {"max_iter": 3, "random_state": 0}
GUIDE = (Path(__file__).parents[1] / "docs" / "serving.md").read_text(encoding="utf-8")
VERSIONS = {"vaetools": vaetools.__version__, "torch": torch.__version__}


class Served:
    """A graph in onnxruntime: outputs by name, and facts."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.path, self.session = path, onnxruntime.InferenceSession(path, options)
        self.inputs = [(value.name, value.type, value.shape) for value in self.session.get_inputs()]
        self.names = [output.name for output in self.session.get_outputs()]
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.facts = {name: json.loads(fact) for name, fact in metadata.items()}

    def __call__(self, X, **told):
        return dict(zip(self.names, self.session.run(None, {"X": X, **told}), strict=True))


@pytest.fixture(scope="module")
def table(correlated):
    """Few different rows, many times each, one of their columns a time stamp."""
    X = np.repeat(correlated[:40], 6, axis=0)
    X[:, 0] += 1.7e9
    return pd.DataFrame(X, columns=["größe", "b", "c", "d", "e", "f"])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    write_gray(folder, 120, size=9)
    return sorted(map(str, folder.glob("*.png")))


@pytest.fixture(scope="module")
def cases(table, photos, digits):
    """A model of every kind, with what it was fitted on and what its graph takes of that."""
    images = digits[0][:300].astype(np.float32)
    labels = np.array(["ä", "b"])[digits[1][:300] % 2]
    reader = ImageReader(size=(8, 6), aspect="crop", n_jobs=1)
    detector = make_pipeline(reader, AE(4, image_shape=(1, 8, 6), likelihood=Gaussian(scale=0.5), **FEW))
    conditional = CVAE(4, image_shape=(1, 8, 8), likelihood="continuous_bernoulli", **FEW)
    binary = VAE(4, likelihood="bernoulli", activation="gelu", contamination=0.1, **FEW)
    of_a_map = {"image_shape": (1, 8, 8), "hidden_layer_sizes": (), "n_words": 16}
    words = VQVAE(prior="autoregressive", **of_a_map, **FEW)
    return {
        "table": (VAE(likelihood=Gaussian("predicted"), **FEW).fit(table), table, table.to_numpy()),
        "labels": (conditional.fit(images, labels), images, images),
        "photos": (detector.fit(photos), photos, reader.transform(photos)),
        "binary": (binary.fit(images), images, images),
        "words": (words.fit(images), images, images),
    }


@pytest.fixture(scope="module")
def served(cases, tmp_path_factory):
    """Graphs of models that were saved and loaded, by name."""
    folder, graphs = tmp_path_factory.mktemp("served"), {}
    for name, (model, _, _) in cases.items():
        save(model, folder / f"{name}.safetensors")
        to_onnx(load(folder / f"{name}.safetensors"), folder / f"{name}.onnx")
        graphs[name] = Served(folder / f"{name}.onnx")
    return graphs


@pytest.mark.parametrize("n", [1, 7])
@pytest.mark.parametrize("name", ["table", "labels", "photos", "binary"])
def test_the_graph_answers_as_the_model(name, n, cases, served):
    model, given, rows = cases[name]
    model, given = (model[-1], rows[-n:]) if name == "photos" else (model, given[-n:])
    answers = served[name](rows[-n:])
    assert answers["score"].shape == (n,)
    np.testing.assert_allclose(answers["score"], model.score_samples(given), rtol=1e-4)
    np.testing.assert_allclose(answers["codes"], model.transform(given), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers["reconstruction"], model.reconstruct(given), rtol=1e-4, atol=1e-5)
    if "p_value" in answers:
        steps = (len(model.calibration_scores_) + 1) * (answers["p_value"] - model.p_values(given))
        assert np.abs(steps).max() < 1.01  # a row may change places with a neighbor


@pytest.mark.parametrize(
    ("name", "dtype", "outputs"),
    [
        ("table", "double", ["codes", "reconstruction", "score", "p_value"]),
        ("labels", "float", ["codes", "reconstruction", "score", "label_proba", "p_value"]),
        ("photos", "uint8", ["codes", "reconstruction", "score", "p_value"]),
        ("words", "float", ["codes", "reconstruction", "score", "p_value"]),
        ("binary", "float", ["codes", "reconstruction", "score"]),  # a threshold, but no calibration rows
    ],
)
def test_what_goes_in_and_comes_out(name, dtype, outputs, cases, served):
    graph, rows = served[name], cases[name][2]
    assert graph.inputs == [("X", f"tensor({dtype})", ["n_samples", rows.shape[1]])]
    assert graph.names == outputs
    dtypes = {output: answer.dtype for output, answer in graph(rows[:2]).items()}
    assert dtypes.pop("reconstruction") == (np.float64 if dtype == "double" else np.float32)
    assert set(dtypes.values()) == {np.dtype("float32")}


@pytest.mark.parametrize(
    ("black", "dtype", "standardize"),
    [(0, "uint16", "auto"), (-1000, "int16", "auto"), (-1000, "int16", True), (0, "uint16", True)],
)
def test_a_graph_takes_levels_of_16_bits(black, dtype, standardize, digits, tmp_path):
    X = (4000 * digits[0][:200] + black).astype(dtype)
    vae = VAE(4, image_shape=(1, 8, 8), hidden_channels=(), standardize=standardize, **FEW).fit(X)
    to_onnx(vae, tmp_path / "deep.onnx")
    graph = Served(tmp_path / "deep.onnx")
    assert graph.inputs == [("X", f"tensor({dtype})", ["n_samples", 64])]
    np.testing.assert_allclose(graph(X)["score"], vae.score_samples(X), rtol=1e-4, atol=1e-4)
    made = graph(X)["reconstruction"]
    assert made.dtype == (np.float64 if standardize is True else np.float32)
    np.testing.assert_allclose(made, vae.reconstruct(X), atol=1e-4)


def test_facts(cases, served):
    facts = {name: graph.facts.copy() for name, graph in served.items()}
    for name in ("table", "labels", "photos", "binary", "words"):
        model = cases[name][0]
        offset = (model[-1] if name == "photos" else model).offset_
        assert 0 < offset - facts[name].pop("threshold") < 1e-3 * abs(offset)
    score = {"score": "reconstruction_kl", "unit": "nats", "versions": VERSIONS}
    names = ["größe", "b", "c", "d", "e", "f"]
    assert facts == {
        "table": {
            "model": "VAE", "feature_names": names, "false_alarm_rate": 2 / 49, "n_calibration": 48, **score
        },
        "labels": {
            "model": "CVAE", "image_shape": [1, 8, 8], "labels": ["b", "ä"], "false_alarm_rate": 3 / 61,
            "n_calibration": 60, **score
        },
        "photos": {
            "model": "AE", "image_shape": [1, 8, 6], "levels": [0, 255], "aspect": "crop",
            "false_alarm_rate": 1 / 25, "n_calibration": 24, **score
        },
        "binary": {"model": "VAE", **score},
        "words": {
            "model": "VQVAE", "image_shape": [1, 8, 8], "false_alarm_rate": 3 / 61,
            "n_calibration": 60, **score
        },
    }  # fmt: skip


def test_columns_of_a_large_mean_keep_their_digits(cases, served):
    model, table, rows = cases["table"]
    made, spread = served["table"](rows)["reconstruction"][:, 0], rows[:, 0].std()
    np.testing.assert_allclose(made - 1.7e9, model.reconstruct(table)[:, 0] - 1.7e9, atol=1e-3 * spread)


def test_a_copy_of_a_normal_row_is_never_odder(cases, served):
    """Float32 takes some bits of its score, and where few rows are different all would hang on them."""
    model, table, rows = cases["table"]
    answers, facts = served["table"](rows), served["table"].facts
    assert (answers["p_value"] >= model.p_values(table).astype(np.float32)).all()
    odd = ~(answers["score"] >= facts["threshold"])
    np.testing.assert_array_equal(odd, model.predict(table) == -1)
    np.testing.assert_array_equal(odd, answers["p_value"] <= facts["false_alarm_rate"])


def test_a_row_without_a_number_is_odd(cases, served):
    rows = cases["table"][2][:2].copy()
    rows[0, 3] = np.nan
    answers = served["table"](rows)
    assert np.isnan(answers["score"]).tolist() == [True, False]
    assert answers["p_value"][0] == np.float32(1 / 49)


def test_labels_are_told(cases, served):
    model, images, _ = cases["labels"]
    proba = served["labels"](images[:50])["label_proba"]
    np.testing.assert_allclose(proba, model.label_proba(images[:50]), rtol=1e-2, atol=1e-5)


@pytest.fixture(scope="module")
def machines():
    """Rows of three machines, one noisy and one rare, and their weather, of which a column depends."""
    rng = np.random.RandomState(0)
    machine = rng.choice(["a", "b", "c"], 600, p=[0.48, 0.48, 0.04])
    outside = rng.uniform(-10, 30, 600)
    noise = rng.randn(600, 3) * np.where(machine == "b", 3, 1)[:, None]
    rows = noise + outside[:, None] * [1, 0, 0] + (machine == "a")[:, None] * 5
    return pd.DataFrame(rows, columns=["x", "y", "z"]).assign(machine=machine, outside=outside)


@pytest.fixture(scope="module")
def in_context(machines, tmp_path_factory):
    """A model that finds the context in X, and its graph."""
    with pytest.warns(UserWarning, match="1 of 3 groups of the context has fewer than 19"):
        model = CVAE(context=["machine", "outside"], **FEW).fit(machines)
    path = tmp_path_factory.mktemp("context") / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_onnx(model, path)
    return model, Served(path)


def told_of(graph, table):
    """What a graph takes of a table."""
    columns = [
        table[each["name"]].map(each["categories"].index) if each["categories"] else table[each["name"]]
        for each in graph.facts["context"]
    ]
    judged = table[graph.facts["feature_names"]].to_numpy()
    return judged, np.column_stack(columns).astype(float)


@pytest.mark.parametrize("n", [1, 200])
def test_a_graph_judges_rows_in_their_context(n, in_context, machines):
    model, graph = in_context
    assert graph.inputs == [
        ("X", "tensor(double)", ["n_samples", 3]),
        ("context", "tensor(double)", ["n_samples", 2]),
    ]
    rows = machines[:n].assign(x=machines["x"][:n] + np.linspace(0, 20, n))
    X, context = told_of(graph, rows)
    answers = graph(X, context=context)
    np.testing.assert_allclose(answers["score"], model.score_samples(rows), rtol=1e-4)
    np.testing.assert_allclose(answers["codes"], model.transform(rows), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers["reconstruction"], model.reconstruct(rows), rtol=1e-4, atol=1e-5)
    assert answers["flagged"].tolist() == (model.predict(rows) == -1).tolist()
    assert n == 1 or 20 < answers["flagged"].sum() < 180
    _, counts = np.unique(model.calibration_labels_, return_counts=True)
    assert counts.min() < 19  # group c has no threshold of its own
    np.testing.assert_allclose(answers["p_value"], model.p_values(rows), atol=1.01 / (1 + counts[:2].min()))


def test_a_graph_compares_rows_within_their_group(in_context, machines):
    """The same score is odd of a calm machine, and usual of a noisy one."""
    model, graph = in_context
    assert "threshold" not in graph.facts
    verdict, (large, sets) = RowGraph(model).verdict, compared_with(model)
    assert large.tolist() == [0, 1]
    assert [len(known) for _, known in sets] == verdict.n_known.tolist()
    score = torch.full((3,), (sets[1][0] + sets[2][0]) / 2)
    calm, noisy = (1, 2) if sets[1][0] > sets[2][0] else (2, 1)
    groups = torch.tensor([calm, noisy, 0])
    assert verdict.is_odd(score, groups)[:2].tolist() == [True, False]
    naive = [(1 + (known <= score[0].item()).sum()) / (1 + len(known)) for _, known in sets]
    expected = [naive[group] for group in groups.tolist()]
    np.testing.assert_allclose(verdict.p_value(score, groups), expected, atol=0.02)


def test_a_code_that_is_no_category_makes_a_row_odd(in_context, machines):
    _, graph = in_context
    X, context = told_of(graph, machines[:3])
    context[0, 0] = 7
    answers = graph(X, context=context)
    assert np.isnan(answers["score"]).tolist() == [True, False, False]
    assert answers["flagged"][0]


def test_a_graph_takes_the_context_that_comes_beside_rows(machines, in_context, tmp_path):
    _, other = in_context
    machines = machines[machines["machine"] != "c"]
    rows, beside = machines[["x", "y", "z"]], machines[["machine", "outside"]]
    model = CVAE(**FEW).fit(rows, beside)
    to_onnx(model, tmp_path / "m.onnx")
    graph = Served(tmp_path / "m.onnx")
    assert graph.inputs == other.inputs
    X, context = told_of(graph, machines)
    np.testing.assert_allclose(
        graph(X, context=context)["score"], model.score_samples(rows, beside), rtol=1e-4
    )


def test_a_model_of_another_score_has_no_verdict_here(correlated):
    """And one that scales nothing takes what fits into float32."""
    X = correlated[:, 1:3].astype(np.float32)
    model = VAE(2, likelihood=Gaussian("per_feature"), standardize=False, anomaly_score="neg_kl", **FEW).fit(
        X
    )
    graph = RowGraph(model)
    answers = graph.answers(torch.from_numpy(X))
    assert list(answers) == ["codes", "reconstruction", "score"]
    assert {answer.dtype for answer in answers.values()} == {torch.float32}
    expected = model.score_table(X, scores=["reconstruction_kl"])["reconstruction_kl"]
    np.testing.assert_allclose(answers["score"], expected, rtol=1e-4)
    assert _facts(graph, model, None).keys() == {"model", "score", "unit", "versions"}


def test_a_graph_of_another_score_than_the_model_s_is_told(correlated, tmp_path):
    model = VAE(2, anomaly_score="neg_kl", **FEW).fit(correlated)
    with pytest.warns(UserWarning, match="score 'reconstruction_kl', and no verdict.* compute 'neg_kl'"):
        to_onnx(model, tmp_path / "m.onnx")
    assert Served(tmp_path / "m.onnx").facts["score"] == "reconstruction_kl"


@pytest.mark.parametrize("n_known", [19, 31, 32, 33])
def test_p_values_of_any_number_of_calibration_rows(n_known, correlated):
    model = AE(1, contamination=0.1, **FEW).fit(correlated).recalibrate(correlated[:n_known])
    verdict = RowGraph(model).verdict
    known = verdict.known[:n_known]
    np.testing.assert_allclose(known, model.calibration_scores_, rtol=1e-3)
    scores = torch.cat([known, known + 0.5, torch.tensor([-np.inf, np.inf, np.nan])])
    naive = [sum(score >= each for each in known.tolist()) for score in scores.tolist()]
    assert verdict.n_at_most(scores).tolist() == naive
    assert naive[-3:] == [0, n_known, 0]  # NaN is odd


def test_the_model_is_left_as_it_was(iris, tmp_path, capfd):
    """And an encoder without a decoder gives codes."""
    X = iris[0]
    network = EncoderDecoder(nn.Linear(4, 2, dtype=torch.float64))
    model = AE(network=network, max_iter=0, anomaly_score="latent_knn").fit(X)
    model.model_.train()
    model.model_.network.requires_grad_(True)
    before = {name: weight.clone() for name, weight in model.model_.state_dict().items()}
    to_onnx(model, tmp_path / "m.onnx")
    assert capfd.readouterr() == ("", "")
    assert model.model_.training
    assert all(weight.requires_grad for weight in model.model_.network.parameters())
    after = model.model_.state_dict()
    assert {weight.dtype for weight in after.values()} == {torch.float64}
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    graph = Served(tmp_path / "m.onnx")
    assert graph.names == ["codes"]
    assert graph.facts == {"model": "AE", "versions": VERSIONS}
    taken = X if graph.inputs[0][1] == "tensor(double)" else X.astype(np.float32)
    np.testing.assert_allclose(graph(taken)["codes"], model.transform(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["table", "labels", "photos"])
def test_the_file_is_one_sound_graph_that_tells_nothing_of_its_origin(name, served):
    path = served[name].path
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert {(opset.domain, opset.version) for opset in proto.opset_import} == {("", 18)}
    assert {each.suffix for each in path.parent.iterdir()} == {".onnx", ".safetensors"}
    for place in {Path(vaetools.__file__).parents[1], Path(torch.__file__).parents[1], Path.home()}:
        assert str(place).encode() not in path.read_bytes()
    for value in [*proto.graph.input, *proto.graph.output]:
        assert value.type.tensor_type.shape.dim[0].dim_param == "n_samples"


class Undecided(nn.Module):
    """An encoder whose way depends on the rows, which no graph can say."""

    def forward(self, x):
        return x[:, :2] if x.sum() > 0 else x[:, 2:]


def test_what_no_graph_can_say_is_refused(tmp_path, iris):
    frame = pd.DataFrame(iris[0]).assign(text="a")
    mixed = VAE(2, likelihood="mixed", **FEW).fit(frame.set_axis(list("abcde"), axis=1))
    with pytest.raises(ValueError, match=r"likelihood of VAE must be .*got 'mixed'"):
        to_onnx(mixed, tmp_path / "m.onnx")
    network = EncoderDecoder(Undecided())
    odd = AE(network=network, max_iter=0, anomaly_score="latent_knn").fit(iris[0])
    with pytest.raises(ValueError, match="export can translate; got EncoderDecoder: "):
        to_onnx(odd, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_fitted_model_is_refused(tmp_path, iris):
    with pytest.raises(NotFittedError, match="VAE"):
        to_onnx(VAE(), tmp_path / "m.onnx")
    with pytest.raises(TypeError, match=r"to_onnx: model must be .*; got 3"):
        to_onnx(3, tmp_path / "m.onnx")
    scaled = make_pipeline(StandardScaler(), VAE(2, **FEW)).fit(iris[0])
    with pytest.raises(TypeError, match=r"got Pipeline(.|\n)*pass the last step"):
        to_onnx(scaled, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="got LatentMap"):
        to_onnx(LatentMap(), tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(package, tmp_path, iris, monkeypatch):
    model = VAE(2, **FEW).fit(iris[0])
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"and {package} is not installed.*'vaetools\[onnx\]'"):
        to_onnx(model, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_the_guide_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 20)
    monkeypatch.setattr("vaetools.estimators.building._AUTO_EPOCHS", 1)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL):
        exec(compile(block, "serving.md", "exec"), names)
    np.testing.assert_array_equal(names["odd"], names["model"].predict(names["rows"]) == -1)
    assert (names["p_value"] <= names["facts"]["false_alarm_rate"]).tolist() == names["odd"].tolist()


def test_the_guide_names_every_fact_and_output(served, in_context):
    told = set(re.findall(r"`(\w+)`", GUIDE))
    for graph in (*served.values(), in_context[1]):
        assert {*graph.facts, *graph.names} <= told
