"""The command writes a graph, and says what goes in and comes out."""

import json
import os
import sys

import onnxruntime
import pytest

import vaetools
from vaetools.__main__ import main
from vaetools.cli.commands.export import page


def run(*arguments):
    return main(["export", *map(str, arguments)])


@pytest.fixture(scope="module")
def told(order_model, tmp_path_factory):
    """What the command says of a table's model in JSON."""
    path = tmp_path_factory.mktemp("export") / "orders.onnx"
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("click.echo", lambda line, err=False: said.append((line, err)))
        assert run(order_model, "-o", path, "--json") == 0
    ((line, err),) = said
    assert not err
    return json.loads(line)


def test_json_says_what_the_graph_takes_and_gives(told, order_model):
    session = onnxruntime.InferenceSession(told["output"])
    dtypes = {"float32": "tensor(float)", "float64": "tensor(double)"}
    for key, values in {"inputs": session.get_inputs(), "outputs": session.get_outputs()}.items():
        assert [each["name"] for each in told[key]] == [value.name for value in values]
        assert [each["shape"] for each in told[key]] == [value.shape for value in values]
        assert [dtypes[each["dtype"]] for each in told[key]] == [value.type for value in values]
    assert told["inputs"] == [{"name": "X", "dtype": "float64", "shape": ["n_samples", 3]}]
    offset = vaetools.load(order_model).offset_
    assert told["metadata"]["feature_names"] == ["a", "b", "c"]
    assert told["metadata"]["threshold"] == pytest.approx(offset, rel=1e-3)


def test_the_page_says_it_for_people(told):
    lines = page(told).splitlines()
    assert lines[0].split() == ["name", "dtype", "shape"]
    assert lines[2].split() == ["in", "X", "float64", "n_samples", "×", "3"]
    assert [line.split()[:2] for line in lines[3:7]] == [["out", each["name"]] for each in told["outputs"]]
    assert lines[-1].startswith("VAE; flagged as odd where the score is below ")
    assert lines[-1].endswith(" nats")


@pytest.mark.parametrize(
    ("missing", "verdict"),
    [(["threshold"], "no threshold: the model's own score is another"), (["score", "threshold"], "no score")],
)
def test_the_page_says_why_there_is_no_verdict(missing, verdict, told):
    facts = {name: fact for name, fact in told["metadata"].items() if name not in missing}
    assert f"VAE; {verdict}" in page(told | {"metadata": facts})


def test_errors_are_one_line_and_leave_no_file(photo_model, tmp_path, capsys, monkeypatch):
    cases = {
        "must end in .onnx; got": (photo_model, "-o", tmp_path / "m.pt"),
        "does not exist": (tmp_path / "none", "-o", tmp_path / "m.onnx"),
        "Missing option": (photo_model,),
        "not a model file": (__file__, "-o", tmp_path / "m.onnx"),
        "pip install 'vaetools[onnx]'": (photo_model, "-o", tmp_path / "m.onnx"),
    }
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    for message, arguments in cases.items():
        assert run(*arguments) == 2
        out, err = capsys.readouterr()
        assert message in err
        assert (out, err.count("\n")) == ("", 1)
    assert os.listdir(tmp_path) == []
