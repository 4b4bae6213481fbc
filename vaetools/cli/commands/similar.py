"""``vaetools similar``: which images or rows are most like one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vaetools.cli.command import (
    TABLES,
    check_output,
    file_option,
    model_argument,
    one_or_many,
    open_model,
    output_option,
    reading_options,
    talk_options,
)
from vaetools.cli.saying import Talk, counted_rows, failed_as_json, print_json, source_as_json
from vaetools.words import few

if TYPE_CHECKING:
    import numpy as np

    from vaetools.stream.parts import Parts
    from vaetools.stream.sinks import Nearest


@click.command(short_help="Find the images or rows most like one.")
@model_argument
@click.argument("query")
@click.argument("data", nargs=-1, required=True, metavar="DATA...")
@click.option("-k", "k", type=click.IntRange(1), default=12, show_default=True, help="How many to find.")
@output_option("CSV or Parquet file to write.")
@file_option("--html", "Page to write: the images with their distances.")
@reading_options
@talk_options
def similar(
    model: Path,
    query: str,
    data: tuple[str, ...],
    k: int,
    output: Path | None,
    html: Path | None,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
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
    check_output(output, TABLES, [model, query, *data])
    check_output(html, (".html",), [model, query, *data], "--html")
    from vaetools.stream import Nearest, stream_codes
    from vaetools.stream.writers import write_table

    opened = open_model(model, device)
    if html is not None and (opened.image_shape is None or opened.image_shape[0] not in (1, 3)):
        raise click.BadParameter("needs a model of gray or RGB images.", param_hint="--html")

    def codes() -> Parts:
        return stream_codes(opened.whole, one_or_many(data), verbose=talk.progress, **reading)

    target = _target(query, opened, codes, data)
    nearest = Nearest(target.code, k, target.is_named)
    parts = codes().into(nearest)
    if not nearest.n_searched:
        raise click.ClickException(f"{data[0]}: there is nothing to search but {target.name} itself.")
    if output is not None or not (html or talk.as_json):
        write_table(output, nearest.table)
    if html is not None:
        _write_page(html, target, nearest, opened, len(parts.failed), data)
    if talk.as_json:
        summary = _summary(query, nearest, parts) | {"output": output, "html": html}
        print_json(summary | source_as_json(parts.source))
    talk.say(f"{counted_rows(nearest.n_searched, opened.kind)} searched.")
    talk.written(output, html)
    return talk.end(parts.source, parts.failed)


class Target(NamedTuple):
    """What is looked for: its name, code (1, n_components), row (1, n_features), and how to know it again."""

    name: str
    code: np.ndarray
    row: np.ndarray
    is_named: Callable[[Any], bool]


def _target(query: str, opened: Any, codes: Callable[[], Parts], data: tuple[str, ...]) -> Target:
    """Return the image of a file, or a row of the data, as a target."""
    from vaetools.data.addresses import is_address
    from vaetools.data.reader import reader_for
    from vaetools.data.sources import kind_of

    reader = opened.reader or reader_for(opened.estimator)
    if reader is not None and (os.path.isfile(query) or is_address(query)):
        return _image(query, reader, opened.estimator)
    if reader is not None and kind_of(one_or_many(data)) == "images":
        found = "a folder" if os.path.isdir(query) else "no such file"
        raise click.BadParameter(f"must be an image file; got {query!r}: {found}.", param_hint="QUERY")
    return _row(query, codes(), data)


def _image(path: str, reader: Any, estimator: Any) -> Target:
    """Return the image of a file as a target."""
    row = reader.transform([path])
    place = os.path.realpath(path)
    return Target(path, estimator.transform(row), row, lambda name: os.path.realpath(str(name)) == place)


def _row(query: str, parts: Parts, data: tuple[str, ...]) -> Target:
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


def _write_page(
    path: Path, target: Target, nearest: Nearest, opened: Any, n_failed: int, data: tuple[str, ...]
) -> None:
    """Write the query beside what is most like it."""
    from vaetools.files import write_atomically
    from vaetools.report.page.gallery import render_likeness

    shown = opened.estimator.input_scale_.shown
    page = render_likeness(
        model=opened.in_words,
        source=few(data, 3),
        n_searched=nearest.n_searched,
        n_failed=n_failed,
        image_shape=opened.image_shape,
        query=target.name,
        query_image=shown(target.row[0]),
        names=[str(name) for name in nearest.table.iloc[:, 0]],
        images=shown(nearest.X),
        distances=nearest.table["distance"].to_numpy(),
    )
    write_atomically(path, page.encode())


def _summary(query: str, nearest: Nearest, parts: Parts) -> dict[str, Any]:
    """Return what was found as JSON takes it."""
    return {
        "query": query,
        "n_searched": nearest.n_searched,
        "n_failed": len(parts.failed),
        "id": nearest.table.columns[0],
        "hits": nearest.table.to_dict(orient="records"),
        "failed": failed_as_json(parts.failed),
    }
