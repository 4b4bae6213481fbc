"""``vaetools similar``: which images or rows are most like one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
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
from vaetools.cli.writing import SUFFIXES, check_any, check_output, open_table_writer
from vaetools.words import few, readable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaetools.streaming import Part, Parts


@click.command(short_help="Find the images or rows most like one.")
@model_argument
@click.argument("query")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("-k", "k", type=click.IntRange(1), default=12, show_default=True, help="How many to find.")
@output_option("CSV or Parquet file to write.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Page to write: the images with their distances.",
)
@id_option
@reading_options
@json_option
@device_option
@loudness_options
def similar(
    model: Path,
    query: str,
    data: tuple[str, ...],
    k: int,
    output: Path | None,
    html: Path | None,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Find what is most like QUERY among DATA, according to a trained MODEL.

    QUERY is an image file, which need not be among DATA; or a row of DATA, by its number from 0 or, with
    --id, by its name. DATA is what it is for "vaetools score".

    The result is a line per hit, nearest first: its path, number or name, and its distance, which is the
    Euclidean one between latent means. QUERY itself is left out where it is among DATA; a copy of it is
    not, and comes first at distance 0. Without --output, --html or --json the lines go to standard output
    as CSV.

    \b
    Examples:
      vaetools similar faces.safetensors ann.jpg photos/ --html likeness.html
      vaetools similar boards.safetensors odd.png boards/ -k 5 -o hits.csv
      vaetools similar sales.safetensors 1042 today.csv --id order
    """
    check_output(output, SUFFIXES, [model, query, *data])
    check_output(html, (".html",), [model, query, *data], "--html")
    from vaetools.data.reader import reader_for
    from vaetools.data.recognition import kind_of
    from vaetools.persistence import load, split_reader
    from vaetools.streaming import stream_codes

    embedder = load(model, device=device)
    reader, estimator = split_reader(embedder)
    image_shape = estimator.image_shape if reader is None else reader.image_shape_
    if html is not None and (image_shape is None or image_shape[0] not in (1, 3)):
        raise click.BadParameter("needs a model of gray or RGB images.", param_hint="--html")
    source, progress = one_or_many(data), shown_progress(quiet)

    def codes() -> Parts:
        return stream_codes(embedder, source, id_column=id_column, verbose=progress, **reading)

    reader = reader or reader_for(estimator)
    if reader is not None and os.path.isfile(query):
        target = _image(query, reader, estimator)
    elif reader is not None and kind_of(source) == "images":
        found = "a folder" if os.path.isdir(query) else "no such file"
        raise click.BadParameter(f"must be an image file; got {query!r}: {found}.", param_hint="QUERY")
    else:
        target = _row(query, codes(), data)
    parts = codes()
    hits = _find(target, parts, k, data)
    if output is not None or not (html or as_json):
        with open_table_writer(output) as write:
            write(hits.table)
    if html is not None:
        _write_page(html, target, hits, estimator, image_shape, data)
    if as_json:
        summary = _summary(query, hits, output, html) | source_as_json(parts.source)
        click.echo(json.dumps(summary, indent=2))
    elif not quiet:
        kind = "rows" if image_shape is None else "images"
        say(f"{counted_rows(hits.n_searched, kind)} searched.")
        for path in (output, html):
            if path is not None:
                say(f"Written: {path}")
    if verbose or not (quiet or as_json):
        say_source(parts.source, verbose=verbose)
    list_failures(hits.failed)
    return UNREAD if hits.failed else 0


class Target(NamedTuple):
    """What is looked for: its name, code (1, n_components), row (1, n_features), and how to know it again."""

    name: str
    code: np.ndarray
    row: np.ndarray
    is_named: Callable[[Any], bool]


class Hits(NamedTuple):
    """What was found: a table of names and distances, their rows, how many were searched, what failed."""

    table: pd.DataFrame
    rows: np.ndarray
    n_searched: int
    failed: list[Any]


def _image(path: str, reader: Any, estimator: Any) -> Target:
    """Return the image of a file as a target."""
    row = reader.transform([path])
    place = os.path.realpath(path)
    return Target(path, estimator.transform(row), row, lambda name: os.path.realpath(str(name)) == place)


def _row(query: str, parts: Iterator[Part], data: tuple[str, ...]) -> Target:
    """Return the row of that name as a target."""
    import numpy as np

    for part in parts:
        named = [i for i, name in enumerate(part.table.iloc[:, 0]) if str(name) == query]
        if named:
            code = part.table.iloc[named[:1], 1:].to_numpy()
            return Target(query, code, np.asarray(part.X)[named[:1]], lambda name: str(name) == query)
    raise click.BadParameter(
        f"must be the name or number of a row of {data[0]}; got {query!r}.", param_hint="QUERY"
    )


def _find(target: Target, parts: Iterator[Part], k: int, data: tuple[str, ...]) -> Hits:
    """Return what is nearest to a target in all that streams by."""
    import numpy as np
    import pandas as pd

    from vaetools.latent.similarity import similar as nearest_codes

    table, rows = pd.DataFrame(), np.empty(0)
    n_read = n_searched = 0
    failed: list[Any] = []
    for part in parts:
        failed += part.failed
        n_read += len(part.table)
        others = np.array([not target.is_named(name) for name in part.table.iloc[:, 0]], bool)
        if not others.any():
            continue
        n_searched += int(others.sum())
        codes, X = part.table[others], np.asarray(part.X)[others]
        found = nearest_codes(codes.iloc[:, 1:], target.code, min(k, len(codes)))
        near = codes.iloc[found.indices[0], :1].assign(distance=found.distances[0])
        near_rows = X[found.indices[0]]
        if len(table):
            near, near_rows = pd.concat([table, near]), np.concatenate([rows, near_rows])
        order = np.argsort(near["distance"].to_numpy(), kind="stable")[:k]
        table, rows = near.iloc[order], near_rows[order]
    check_any(n_read, failed, data)
    if not n_searched:
        raise click.ClickException(f"{data[0]}: there is nothing to search but {target.name} itself.")
    return Hits(table, rows, n_searched, failed)


def _write_page(
    path: Path, target: Target, hits: Hits, estimator: Any, image_shape: Any, data: tuple[str, ...]
) -> None:
    """Write the query beside what is most like it."""
    from vaetools.files import write_atomically
    from vaetools.report.page.likeness import Likeness, render_likeness

    shown = estimator.input_scale_.shown
    page = render_likeness(
        Likeness(
            model=f"{type(estimator).__name__}, {estimator._n_features_out} components",
            source=few(data, 3),
            n_searched=hits.n_searched,
            n_failed=len(hits.failed),
            image_shape=image_shape,
            query=target.name,
            query_image=shown(target.row[0]),
            names=[str(name) for name in hits.table.iloc[:, 0]],
            images=shown(hits.rows),
            distances=hits.table["distance"].to_numpy(),
        )
    )
    write_atomically(path, page.encode())


def _summary(query: str, hits: Hits, output: Path | None, html: Path | None) -> dict[str, Any]:
    """Return everything as JSON takes it."""
    return {
        "query": readable(query),
        "n_searched": hits.n_searched,
        "n_failed": len(hits.failed),
        "id": hits.table.columns[0],
        "hits": [
            {key: readable(value) for key, value in hit.items()}
            for hit in hits.table.to_dict(orient="records")
        ],
        "failed": failed_as_json(hits.failed),
        "output": None if output is None else readable(str(output)),
        "html": None if html is None else readable(str(html)),
    }
