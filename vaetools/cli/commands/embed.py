"""``vaetools embed``: latent means of images or rows, for other tools to draw and to search."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, counted_rows, print_json, source_as_json

if TYPE_CHECKING:
    import pandas as pd


@click.command(short_help="Write the latent means of images or rows.")
@command.model_argument
@command.data_argument
@command.output_option("CSV or Parquet file to write.")
@click.option(
    "--map",
    "map_method",
    type=click.Choice(["umap", "tsne", "pca"]),
    help="Add a map in two dimensions, as columns x and y (tsne needs the package openTSNE).",
)
@click.option(
    "--tsv",
    "projector",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write for TensorBoard's projector, with the images as its sprites.",
)
@command.seed_option("Of the map.")
@command.reading_options
@command.context_option
@command.talk_options
def embed(
    model: Path,
    data: tuple[str, ...],
    output: Path | None,
    map_method: str | None,
    projector: Path | None,
    seed: int,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
) -> int:
    """Embed images or rows with a trained MODEL.

    DATA is what it is for "vaetools score". There is a line for every image or row: its path or
    number, and its latent mean, one column per dimension. Parquet files also hold it as one column
    "vector". Without --output, --tsv or --json the lines go to standard output as CSV.

    Other tools read the files as they are: pandas; "embedding-atlas latents.parquet --vector vector", or
    with --map "--x x --y y"; "tensorboard --logdir FOLDER" for the folder of --tsv.

    \b
    Examples:
      vaetools embed boards.safetensors photos/ -o latents.parquet --map umap
      vaetools embed boards.safetensors photos/ --tsv projector/
      vaetools embed sales.safetensors today.csv > latents.csv

    \b
    Keys of --json:
      n_embedded, n_components, output, tsv,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    inputs = [model, *data, reading.get("context")]
    outputs.check_output(output, outputs.TABLES, inputs)
    outputs.check_output(projector, (), inputs, "--tsv")
    if map_method and talk.as_json and output is None:
        raise command.misuse("--map", "needs --output, or standard output without --json.")
    from vaetools.stream import Collected, TableFile, stream_codes

    opened = command.Opened(model, device, codes_for="embed")
    is_written = output is not None or not (projector or talk.as_json)
    form = _with_vectors if str(output).lower().endswith(".parquet") else lambda table: table
    tables, thumbnails = Collected(lambda part: part.table), Collected(_thumbnails(opened, projector))
    sinks: list[Any] = [tables, thumbnails] * bool(map_method or projector)
    sinks += [TableFile(output, form=form)] * (is_written and not map_method)
    parts = stream_codes(opened.whole, data, verbose=talk.progress, **reading).into(*sinks)
    if is_written and map_method:
        _write_map(output, tables.parts, map_method, seed, form, talk.progress)
    if projector:
        _write_projector(projector, tables.parts, thumbnails.parts)
    if talk.as_json:
        made: dict[str, Any] = {"n_embedded": parts.n_rows, "n_components": opened.n_components}
        made |= {"output": output, "tsv": projector}
        print_json(made | source_as_json(parts.source, parts.failed))
    talk.say(f"{counted_rows(parts.n_rows, opened.kind)} embedded in {opened.n_components} dimensions.")
    return talk.end(parts.source, parts.failed, output, projector)


def _thumbnails(opened: command.Opened, projector: Path | None) -> Callable[..., Any]:
    """Return a function that makes the thumbnails of a part, or none where they are not wanted."""
    from vaetools.report.pictures import make_thumbnails

    if projector is None or opened.image_shape is None:
        return lambda part: None
    shown, shape = opened.estimator.input_scale_.shown, opened.image_shape
    return lambda part: make_thumbnails(shown(part.X), shape)


def _write_map(
    output: Path | None, tables: list[Any], method: str, seed: int, form: Callable[..., Any], verbose: int
) -> None:
    """Write codes with a map of them in two dimensions, as columns x and y."""
    import pandas as pd

    from vaetools.latent.projection import LatentMap
    from vaetools.stream.table_file import write_table

    table = pd.concat(tables)
    latent_map = LatentMap(method=method, random_state=seed, verbose=verbose)
    points = latent_map.fit_transform(table.iloc[:, 1:].to_numpy("float32"))
    write_table(output, form(table).assign(x=points[:, 0], y=points[:, 1]))


def _write_projector(folder: Path, tables: list[Any], thumbnails: list[Any]) -> None:
    import numpy as np
    import pandas as pd

    from vaetools.report.pictures import write_projector

    table = pd.concat(tables)
    images = None if thumbnails[0] is None else np.concatenate(thumbnails)
    write_projector(
        folder, [str(name) for name in table.iloc[:, 0]], table.iloc[:, 1:].to_numpy("float32"), images
    )


def _with_vectors(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table with its codes as one column of lists too."""
    return table.assign(vector=list(table.iloc[:, 1:].to_numpy("float32")))
