"""``vaetools similar``: which images or rows are most like one."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, counted_rows, print_json, source_as_json
from vaetools.words import few

if TYPE_CHECKING:
    import numpy as np

    from vaetools.stream.flow import Parts
    from vaetools.stream.keeping import Nearest


@click.command(short_help="Find the images or rows most like one.")
@command.model_argument
@click.argument("query")
@command.data_argument
@click.option("-k", "k", type=click.IntRange(1), default=12, show_default=True, help="How many to find.")
@command.output_option("CSV or Parquet file to write.")
@command.file_option("--html", "Page to write: the images with their distances.")
@command.reading_options
@command.talk_options
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

    \b
    Keys of --json:
      query, n_searched, hits [{distance, and what "id" says}], id, output, html,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    outputs.check_output(output, outputs.TABLES, [model, query, *data])
    outputs.check_output(html, (".html",), [model, query, *data], "--html")
    from vaetools.stream import Nearest, stream_codes
    from vaetools.stream.table_file import write_table

    opened = command.Opened(model, device, codes_for="similar")
    if opened.kind == "images":
        opened.refuse_context()
    if html is not None and (opened.image_shape is None or opened.image_shape[0] not in (1, 3)):
        raise command.misuse("--html", "needs a model of gray or RGB images.")

    def codes() -> "Parts":
        return stream_codes(opened.whole, data, verbose=talk.progress, **reading)

    code, row, is_itself = _target(query, opened, codes, data)
    nearest = Nearest(code, k, is_itself)
    parts = codes().into(nearest)
    if not nearest.n_searched:
        raise click.ClickException(f"{data[0]}: there is nothing to search but {query} itself.")
    if output is not None or not (html or talk.as_json):
        write_table(output, nearest.table)
    if html is not None:
        _write_page(html, query, row, nearest, opened, len(parts.failed), few(data, 3))
    if talk.as_json:
        found = {"id": nearest.table.columns[0], "hits": nearest.table.to_dict(orient="records")}
        found |= {"query": query, "n_searched": nearest.n_searched, "output": output, "html": html}
        print_json(found | source_as_json(parts.source, parts.failed))
    talk.say(f"{counted_rows(nearest.n_searched, opened.kind)} searched.")
    return talk.end(parts.source, parts.failed, output, html)


def _target(
    query: str, opened: command.Opened, codes: "Callable[[], Parts]", data: tuple[str, ...]
) -> "tuple[np.ndarray, np.ndarray, Callable[[Any], bool]]":
    """Return code and row of what is looked for, an image file or a row of data, and how to know it again."""
    import numpy as np

    from vaetools.data.addresses import is_address
    from vaetools.data.reader import reader_for
    from vaetools.data.sources import kind_of

    reader = opened.reader or reader_for(opened.estimator)
    if reader is not None and (os.path.isfile(query) or is_address(query)):
        row, place = reader.transform([query]), os.path.realpath(query)
        return opened.estimator.transform(row), row, lambda name: os.path.realpath(str(name)) == place
    if reader is not None and kind_of(data) == "images":
        found = "a folder" if os.path.isdir(query) else "no such file"
        raise command.misuse("QUERY", f"must be an image file; got {query!r}: {found}.")
    for part in codes():
        named = [i for i, name in enumerate(part.table.iloc[:, 0]) if str(name) == query]
        if named:
            code, row = part.table.iloc[named[:1], 1:].to_numpy(), np.asarray(part.X)[named[:1]]
            return code, row, lambda name: str(name) == query
    raise command.misuse("QUERY", f"must be the name or number of a row of {data[0]}; got {query!r}.")


def _write_page(
    path: Path,
    query: str,
    row: "np.ndarray",
    nearest: "Nearest",
    opened: command.Opened,
    n_failed: int,
    source: str,
) -> None:
    from vaetools.files import write_atomically
    from vaetools.report.page.gallery import render_likeness

    shown = opened.estimator.input_scale_.shown
    page = render_likeness(
        model=opened.in_words,
        source=source,
        n_searched=nearest.n_searched,
        n_failed=n_failed,
        image_shape=opened.image_shape,
        query=query,
        query_image=shown(row[0]),
        names=[str(name) for name in nearest.table.iloc[:, 0]],
        images=shown(nearest.X),
        distances=nearest.table["distance"].to_numpy(),
    )
    write_atomically(path, page.encode())
