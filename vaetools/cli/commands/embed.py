"""``vaetools embed``: latent means of images or rows, for other tools to draw and to search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
    data_argument,
    device_option,
    id_option,
    json_option,
    loudness_options,
    model_argument,
    one_or_many,
    output_option,
    reading_options,
    shown_progress,
)
from vaetools.cli.saying import UNREAD, counted_rows, failed_as_json, list_failures, say
from vaetools.cli.writing import SUFFIXES, check_any, check_apart, check_output, open_table_writer
from vaetools.words import readable

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
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the map.")
@id_option
@reading_options
@json_option
@device_option
@loudness_options
def embed(
    model: Path,
    data: tuple[str, ...],
    output: Path | None,
    map_method: str | None,
    projector: Path | None,
    seed: int,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
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
    check_output(output, SUFFIXES, [model, *data])
    if projector is not None:
        check_apart(projector, data, "--tsv")
    if map_method and as_json and output is None:
        raise click.BadParameter("needs --output, or standard output without --json.", param_hint="--map")
    import numpy as np
    import pandas as pd

    from vaetools.persistence import load, split_reader
    from vaetools.report.pictures import make_thumbnails
    from vaetools.report.projector import write_projector
    from vaetools.streaming import stream_codes

    embedder = load(model, device=device)
    reader, estimator = split_reader(embedder)
    image_shape = estimator.image_shape if reader is None else reader.image_shape_
    source = one_or_many(data)
    progress = shown_progress(quiet)
    parts = stream_codes(embedder, source, id_column=id_column, verbose=progress, **reading)
    lines_wanted = output is not None or not (projector or as_json)
    has_vectors = output is not None and output.suffix.lower() == ".parquet"
    tables: list[pd.DataFrame] = []
    thumbnails: list[np.ndarray] = []
    failed: list[Any] = []
    n_rows = 0
    with open_table_writer(output) as write:
        for part in parts:
            failed += part.failed
            if not len(part.table):
                continue
            n_rows += len(part.table)
            if map_method or projector:
                tables.append(part.table)
            if projector and image_shape:
                thumbnails.append(make_thumbnails(estimator.input_scale_.shown(part.X), image_shape))
            if lines_wanted and not map_method:
                write(_with_vectors(part.table) if has_vectors else part.table)
        check_any(n_rows, failed, data)
        if map_method:
            table = _with_map(pd.concat(tables), map_method, seed, progress)
            if lines_wanted:
                write(_with_vectors(table, n_last=2) if has_vectors else table)
    if projector:
        table = pd.concat(tables)
        write_projector(
            projector,
            [str(name) for name in table.iloc[:, 0]],
            table.iloc[:, 1:].to_numpy("float32"),
            np.concatenate(thumbnails) if thumbnails else None,
        )
    if as_json:
        summary = _summary(estimator, n_rows, failed, output, projector)
        click.echo(json.dumps(summary | source_as_json(parts.source), indent=2))
    elif not quiet:
        kind = "rows" if image_shape is None else "images"
        say(f"{counted_rows(n_rows, kind)} embedded in {estimator._n_features_out} dimensions.")
        for path in (output, projector):
            if path is not None:
                say(f"Written: {path}")
    if verbose or not (quiet or as_json):
        say_source(parts.source, verbose=verbose)
    list_failures(failed)
    return UNREAD if failed else 0


def _with_vectors(table: pd.DataFrame, n_last: int = 0) -> pd.DataFrame:
    """Return a table with its codes as one column of lists too, before its last columns."""
    n_codes = table.shape[1] - 1 - n_last
    codes = table.iloc[:, 1 : 1 + n_codes].to_numpy("float32")
    result = table.copy(deep=False)
    result.insert(1 + n_codes, "vector", list(codes))
    return result


def _with_map(table: pd.DataFrame, method: str, seed: int, verbose: int) -> pd.DataFrame:
    """Return a table with a map of its codes in two dimensions, as columns x and y."""
    from vaetools.latent.projection import LatentMap

    latent_map = LatentMap(method=method, random_state=seed, verbose=verbose)
    points = latent_map.fit_transform(table.iloc[:, 1:].to_numpy("float32"))
    return table.assign(x=points[:, 0], y=points[:, 1])


def _summary(
    model: Any, n_rows: int, failed: list, output: Path | None, projector: Path | None
) -> dict[str, Any]:
    """Return everything as JSON takes it."""
    return {
        "n_embedded": n_rows,
        "n_components": model._n_features_out,
        "n_failed": len(failed),
        "failed": failed_as_json(failed),
        "output": None if output is None else readable(str(output)),
        "tsv": None if projector is None else readable(str(projector)),
    }
