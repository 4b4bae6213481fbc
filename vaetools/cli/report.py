"""``vaetools report``: models side by side on new data, as a page, a table and words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.options import (
    device_option,
    id_option,
    json_option,
    loudness_options,
    output_option,
    shows_progress,
)
from vaetools.cli.saying import list_failures, say
from vaetools.cli.score import UNREAD
from vaetools.cli.writing import check_any, check_output

if TYPE_CHECKING:
    import pandas as pd


class Model(click.ParamType):
    """``boards.safetensors``, or a name of its own before it: ``NAME=boards.safetensors``."""

    name = "model"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Path]:
        """Return name and path; a file that is called so comes first."""
        path = Path(value)
        name, equals, rest = str(value).partition("=")
        if equals and not path.exists():
            path = Path(rest)
        else:
            name = path.stem
        if not path.is_file():
            self.fail(f"there is no model file {str(path)!r}.", param, ctx)
        return name, path


@click.command(short_help="Compare models: a page, a table and words.")
@click.argument("models", nargs=-1, required=True, type=Model(), metavar="MODEL...")
@click.argument("data", metavar="DATA")
@output_option("Page to write (*.html).")
@click.option(
    "--labels",
    metavar="NAME",
    help="Classes: column of a table, array of an NPZ, or a file. Images: their sub-folders.",
)
@click.option(
    "--outlier",
    "outliers",
    metavar="LABEL",
    multiple=True,
    help="A class that is known to be odd, such as a sub-folder; can be repeated.",
)
@click.option(
    "--map",
    "method",
    type=click.Choice(["umap", "tsne", "pca"]),
    default="umap",
    show_default=True,
    help="How codes are mapped to two dimensions.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of maps, draws and choices.",
)
@id_option
@json_option
@device_option
@loudness_options
def report(
    models: tuple[tuple[str, Path], ...],
    data: str,
    output: Path | None,
    labels: str | None,
    outliers: tuple[str, ...],
    method: str,
    seed: int,
    id_column: str | None,
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Compare how trained MODELs organize what they learnt, on DATA that none was trained on.

    DATA is a folder of images, a text file of paths, or one CSV, Parquet, NPY, NPZ or IDX file, as for
    "vaetools score"; the first model says how it is read, and all models must take the same rows.
    Models are called by their files, or as you say: NAME=FILE.

    Prints what the numbers say, and all measures. With --output writes a page that needs no
    network. What cannot be read is listed with the reason, and the exit status is 1.

    \b
    Examples:
      vaetools report AE=ae.safetensors VAE=vae.safetensors photos/ -o page.html
      vaetools report boards.safetensors boards/test --outlier defective -o page.html
      vaetools report small.safetensors large.safetensors sales.csv --labels region --json
    """
    paths = [path for _, path in models]
    check_output(output, (".html",), [*paths, data])
    names = [name for name, _ in models]
    if twice := {name for name in names if names.count(name) > 1}:
        raise click.BadParameter(
            f"two are called {min(twice)!r}: give each a name of its own, as NAME=FILE.", param_hint="MODEL"
        )
    import numpy as np

    from vaetools.persistence import load, split_reader
    from vaetools.report.comparing import compare
    from vaetools.report.table import comparison_text

    whole = {name: load(path, device=device) for name, path in models}
    loaded = {name: split_reader(model) for name, model in whole.items()}
    _check_readers(loaded)
    X, y, failed = _read(data, whole[names[0]], labels, id_column)
    check_any(len(X), failed, [data])
    known = None
    if outliers:
        absent = [label for label in outliers if y is None or label not in y.astype(str)]
        if absent:
            raise click.BadParameter(f"no row of {data} has the label {absent[0]!r}.", param_hint="--outlier")
        known = np.isin(y.astype(str), outliers)
    comparison = compare(
        {name: estimator for name, (_, estimator) in loaded.items()},
        X,
        y,
        outliers=known,
        seed=seed,
        method=method,
        progress=say if shows_progress(quiet, verbose) else lambda line: None,
    )
    if output is not None:
        comparison.to_html(output)
    click.echo(comparison.to_json() if as_json else comparison_text(comparison))
    if output is not None and not quiet:
        say(f"Written: {output}")
    list_failures(failed)
    return UNREAD if failed else 0


def _check_readers(loaded: dict[str, tuple[Any, Any]]) -> None:
    """Raise, naming both, where two models read images differently."""
    (first, (reader, _)), *others = loaded.items()
    for name, (other, _) in others:
        ways = [each and (*each.image_shape_, each.aspect) for each in (reader, other)]
        if ways[0] != ways[1]:
            said = [f"as {' × '.join(map(str, way))}" if way else "not as images" for way in ways]
            raise click.ClickException(
                f"models must take the same rows; {first!r} reads {said[0]}, {name!r} {said[1]}."
            )


def _read(
    data: str, model: Any, labels: str | None, id_column: str | None
) -> tuple[pd.DataFrame, Any, list[Any]]:
    """Return rows under their names, their classes if there are any, and what could not be read."""
    import numpy as np

    from vaetools.data.arrays import read_array
    from vaetools.data.listing import list_images
    from vaetools.data.sources import kind_of
    from vaetools.streaming import read_rows

    X, failed = read_rows(model, data, id_column=id_column)
    kind = kind_of(data)
    y: Any = None
    if kind == "images":
        if labels is not None:
            raise click.BadParameter("images take their classes from sub-folders.", param_hint="--labels")
        listing = list_images(data)
        folders = dict(zip(listing.paths, listing.labels or [], strict=False))
        y = np.array([folders[path] for path in X.index]) if folders else None
    elif kind == "array":
        y = read_array(data, labels).labels
        y = None if y is None else y[X.index]
    elif labels is not None:
        y = read_rows(model, data, id_column=labels)[0].index.to_numpy().astype(str)
        missing = X.index[y == ""]
        if len(missing):
            raise click.BadParameter(
                f"column {labels!r} must name a class in every row; {len(missing)} of {len(y)} cells are "
                f"empty, the first in row {missing[0]}.",
                param_hint="--labels",
            )
    return X, y, failed
