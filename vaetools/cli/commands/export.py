"""``vaetools export``: a saved model as an ONNX graph, and what goes in and comes out."""

import json
from pathlib import Path
from typing import Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import print_json, say
from vaetools.words import file_size, number, printable, text_table


@click.command(short_help="Write a saved model as an ONNX graph, for servers.")
@command.model_argument
@command.output_option("ONNX file to write.", required=True)
@command.json_option
def export(model: Path, output: Path, as_json: bool) -> None:
    """Write a saved MODEL as one ONNX graph, which runs without Python and PyTorch.

    The graph takes rows as the model was fitted on them, scales them itself, and gives codes,
    reconstructions, the score reconstruction_kl and, where the model was calibrated for that score,
    p-values. Of images that are judged by the score "images" it gives that one, a map and the verdict, and
    so it does of a detector of patches, whose frozen network it holds. Files are not read by it: decode and
    resize images where they come from. Of a model of a context it takes that as a second input. It needs the
    packages of vaetools[onnx].

    \b
    Examples:
      vaetools export boards.safetensors -o boards.onnx
      vaetools export boards.safetensors -o boards.onnx --json | jq .metadata.threshold

    \b
    Keys of --json:
      output, n_bytes, inputs and outputs [{name, dtype, shape}], metadata {model, versions, and where
      they apply: feature_names, context [{name, categories}], image_shape, levels, aspect, labels, score,
      unit, threshold, false_alarm_rate, n_calibration}
    """
    outputs.check_output(output, (".onnx",), [model])
    from vaetools.persistence.exporting import to_onnx
    from vaetools.persistence.model_file import load

    to_onnx(load(model, device="cpu"), output)
    graph = _read_graph(output)
    n_bytes = output.stat().st_size
    if as_json:
        print_json({"output": output, "n_bytes": n_bytes, **graph})
        return
    click.echo(page(graph))
    say(f"Written: {output} ({file_size(n_bytes)})")


def _read_graph(path: Path) -> dict[str, Any]:
    """Return inputs, outputs and metadata of an ONNX file."""
    import onnx
    from onnx.helper import tensor_dtype_to_np_dtype

    def described(value: Any) -> dict[str, Any]:
        tensor = value.type.tensor_type
        sizes = [size.dim_param or size.dim_value for size in tensor.shape.dim]
        return {"name": value.name, "dtype": str(tensor_dtype_to_np_dtype(tensor.elem_type)), "shape": sizes}

    proto = onnx.load(path)
    return {
        "inputs": list(map(described, proto.graph.input)),
        "outputs": list(map(described, proto.graph.output)),
        "metadata": {fact.key: json.loads(fact.value) for fact in proto.metadata_props},
    }


def page(graph: dict[str, Any]) -> str:
    """Return what goes in and comes out as a table, and where the threshold lies."""
    rows = [
        [way, value["name"], value["dtype"], " × ".join(map(str, value["shape"]))]
        for way, values in {"in": graph["inputs"], "out": graph["outputs"]}.items()
        for value in values
    ]
    facts, names = graph["metadata"], [value["name"] for value in graph["outputs"]]
    verdict = "no threshold: the model's own score is another, which the graph does not compute"
    if "score" not in facts:
        verdict = "no score: the network has no decoder"
    elif "flagged" in names and "context" in facts:
        verdict = "flagged as odd by the threshold of a row's group in its context"
    elif "threshold" in facts:
        verdict = f"flagged as odd where the score is below {number(facts['threshold'], 2)} {facts['unit']}"
        if facts["score"] == "patches":
            verdict += f", that is where its map goes beyond {number(-facts['threshold'], 2)}"
    columns = ", ".join(map(_in_words, facts.get("context", [])))
    told = f"\n\nContext: {columns}" if columns else ""
    return f"{text_table(['', 'name', 'dtype', 'shape'], rows, '<<<<')}{told}\n\n{facts['model']}; {verdict}"


def _in_words(column: dict[str, Any]) -> str:
    """Return the name of a column of a context, with the codes of its categories."""
    codes = ", ".join(f"{code} = {category}" for code, category in enumerate(column["categories"] or []))
    return printable(f"{column['name']} ({codes})" if codes else str(column["name"]))
