"""``vaetools embed``: latent means of images or rows, for other tools to draw and to search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.command import (
    TABLES,
    check_apart,
    check_output,
    data_argument,
    model_argument,
    one_or_many,
    open_model,
    output_option,
    reading_options,
    seed_option,
    talk_options,
)
from vaetools.cli.saying import Talk, counted_rows, failed_as_json, print_json, source_as_json

if TYPE_CHECKING:
    import pandas as pd


@click.command(short_help="Write the latent means of images or rows.")
@model_argument
@data_argument
@output_option("CSV or Parquet file to write.")
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
@seed_option("Of the map.")
@reading_options
@talk_options
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
    """
    _check_outputs(output, projector, map_method, talk, [model, *data])
    from vaetools.stream import Collected, TableFile, stream_codes

    opened = open_model(model, device)
    is_written = output is not None or not (projector or talk.as_json)
    form = _form(output)
    tables, thumbnails = Collected(lambda part: part.table), Collected(_thumbnails(opened, projector))
    sinks: list[Any] = [tables, thumbnails] * bool(map_method or projector)
    sinks += [TableFile(output, form=form)] * (is_written and not map_method)
    parts = stream_codes(opened.whole, one_or_many(data), verbose=talk.progress, **reading).into(*sinks)
    if is_written and map_method:
        _write_map(output, tables.parts, map_method, seed, form, talk.progress)
    if projector:
        _write_projector(projector, tables.parts, thumbnails.parts)
    n_components = opened.n_components
    if talk.as_json:
        made: dict[str, Any] = {
            "n_embedded": parts.n_rows,
            "n_components": n_components,
            "n_failed": len(parts.failed),
        }
        made |= {"failed": failed_as_json(parts.failed), "output": output, "tsv": projector}
        print_json(made | source_as_json(parts.source))
    talk.say(f"{counted_rows(parts.n_rows, opened.kind)} embedded in {n_components} dimensions.")
    talk.written(output, projector)
    return talk.end(parts.source, parts.failed)


def _check_outputs(
    output: Path | None, projector: Path | None, map_method: str | None, talk: Talk, inputs: list[Any]
) -> None:
    """Raise for what cannot be written or would be read as data, and for a map that would go nowhere."""
    check_output(output, TABLES, inputs)
    if projector is not None:
        check_apart(projector, inputs, "--tsv")
    if map_method and talk.as_json and output is None:
        raise click.BadParameter("needs --output, or standard output without --json.", param_hint="--map")


def _form(output: Path | None) -> Callable | None:
    """Return what is made of a table before it is written."""
    return _with_vectors if output is not None and output.suffix.lower() == ".parquet" else None


def _thumbnails(opened: Any, projector: Path | None) -> Callable:
    """Return a function that makes the thumbnails of a part, or none where they are not wanted."""
    from vaetools.report.pictures import make_thumbnails

    if projector is None or opened.image_shape is None:
        return lambda part: None
    shown, shape = opened.estimator.input_scale_.shown, opened.image_shape
    return lambda part: make_thumbnails(shown(part.X), shape)


def _write_map(
    output: Path | None, tables: list[Any], method: str, seed: int, form: Callable | None, verbose: int
) -> None:
    """Write codes with a map of them in two dimensions, as columns x and y."""
    import pandas as pd

    from vaetools.latent.projection import LatentMap
    from vaetools.stream.writers import write_table

    table = pd.concat(tables)
    latent_map = LatentMap(method=method, random_state=seed, verbose=verbose)
    points = latent_map.fit_transform(table.iloc[:, 1:].to_numpy("float32"))
    table = table if form is None else form(table)
    write_table(output, table.assign(x=points[:, 0], y=points[:, 1]))


def _write_projector(folder: Path, tables: list[Any], thumbnails: list[Any]) -> None:
    """Write a folder for TensorBoard's projector."""
    import numpy as np
    import pandas as pd

    from vaetools.report.pictures import write_projector

    table = pd.concat(tables)
    names = [str(name) for name in table.iloc[:, 0]]
    has_images = thumbnails[0] is not None
    codes = table.iloc[:, 1:].to_numpy("float32")
    write_projector(folder, names, codes, np.concatenate(thumbnails) if has_images else None)


def _with_vectors(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its codes as one column of lists too."""
    return table.assign(vector=list(table.iloc[:, 1:].to_numpy("float32")))
