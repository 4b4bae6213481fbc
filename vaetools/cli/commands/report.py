"""``vaetools report``: models side by side on new data, as a page, a table and words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vaetools.cli.info import finite
from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
    device_option,
    id_option,
    json_option,
    labels_option,
    loudness_options,
    output_option,
    reading_options,
    shown_progress,
)
from vaetools.cli.saying import UNREAD, failed_as_json, list_failures, say
from vaetools.cli.writing import check_any, check_output
from vaetools.words import few, printable

_KNOWN_LABELS = 20  # that an error lists


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
@labels_option
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
@reading_options
@json_option
@device_option
@loudness_options
def report(
    models: tuple[tuple[str, Path], ...],
    data: str,
    output: Path | None,
    label_name: str | None,
    outliers: tuple[str, ...],
    method: str,
    seed: int,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Compare how trained MODELs organize what they learnt, on DATA that none was trained on.

    DATA is a folder of images, a text file of paths, a table, or one NPY, NPZ or IDX file, as for
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

    from vaetools.cli.labeled import label_called, read_labeled
    from vaetools.persistence import load, split_reader
    from vaetools.report.compare import compare
    from vaetools.report.table import comparison_text

    whole = {name: load(path, device=device) for name, path in models}
    loaded = {name: split_reader(model) for name, model in whole.items()}
    _check_readers(loaded)
    _, X, y, failed, source = read_labeled(data, whole[names[0]], label_name, id_column, **reading)
    check_any(len(X), failed, [data])
    known = None
    if outliers:
        classes = np.full(len(X), "") if y is None else y.astype(str)
        named = {text: label_called(text, set(classes)) for text in outliers}
        if absent := [text for text, label in named.items() if label is None]:
            there = few((f"'{printable(label)}'" for label in sorted(set(classes))), _KNOWN_LABELS, gap=" … ")
            raise click.BadParameter(
                f"no row of {data} has the label {absent[0]!r}: "
                + ("rows have no labels." if y is None else f"there are {there}."),
                param_hint="--outlier",
            )
        known = np.isin(classes, [label for label in named.values() if label is not None])
    comparison = compare(
        {name: estimator for name, (_, estimator) in loaded.items()},
        X,
        y,
        outliers=known,
        seed=seed,
        method=method,
        progress=say if shown_progress(quiet) else lambda line: None,
    )
    if output is not None:
        comparison.to_html(output)
    if as_json:
        lost = {"n_failed": len(failed), "failed": failed_as_json(failed), **source_as_json(source)}
        click.echo(json.dumps(json.loads(comparison.to_json()) | finite(lost), indent=2, allow_nan=False))
    else:
        click.echo(comparison_text(comparison))
    if output is not None and not quiet:
        say(f"Written: {output}")
    if verbose or not quiet:
        say_source(source, verbose=verbose)
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
