"""``vaetools report``: models side by side on new data, as a page, a table and words."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, print_json, say, source_as_json
from vaetools.words import few, printable

_KNOWN_LABELS = 20  # that an error lists


class Model(click.ParamType):  # type: ignore[type-arg]
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
@command.output_option("Page to write (*.html).")
@command.labels_option
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
    "--explore",
    is_flag=True,
    help="With --output, also make a page of every model on which its latent space can be touched: beside "
    "the other, which links to it, such as page-explore.html.",
)
@command.seed_option("Of maps, draws and choices.")
@command.reading_options
@command.context_option
@command.talk_options
def report(
    models: tuple[tuple[str, Path], ...],
    data: str,
    output: Path | None,
    label_name: str | None,
    outliers: tuple[str, ...],
    method: str,
    explore: bool,
    seed: int,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
) -> int:
    """Compare how trained MODELs organize what they learnt, on DATA that none was trained on.

    DATA is a folder of images, a text file of paths, a table, or one NPY, NPZ or IDX file, as for
    "vaetools score"; the first model says how it is read, and all models must take the same rows.
    Models are called by their files, or as you say: NAME=FILE.

    Images that are judged given columns of a table are compared with --context TABLE; the first model is one
    that takes it. They have no labels then.

    Prints what the numbers say, and all measures. With --output writes a page that needs no
    network. What cannot be read is listed with the reason, and the exit status is 1.

    \b
    Examples:
      vaetools report AE=ae.safetensors VAE=vae.safetensors photos/ -o page.html
      vaetools report boards.safetensors boards/test --outlier defective -o page.html
      vaetools report boards.safetensors boards/test -o page.html --explore
      vaetools report small.safetensors large.safetensors sales.csv --labels region --json

    \b
    Keys of --json:
      answer [sentences], notes, n_samples, method, seed, models [{name, and what it is}],
      measures [{model, measure, value, low, high, and what it means}], output, explorers {model: page},
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    names = [name for name, _ in models]
    pages = _explorers(output, names) if explore else {}
    inputs = [data, reading.get("context"), *(path for _, path in models)]
    for page in (output, *pages.values()):
        outputs.check_output(page, (".html",), inputs)
    _check_names(names)
    from vaetools.report.compare import compare
    from vaetools.report.page.comparison import comparison_text

    opened = {name: command.Opened(path, device, codes_for="report") for name, path in models}
    _check_readers(opened)
    first = opened[models[0][0]]
    rows = first.read((data,), label_name, in_context=True, **reading)
    known = rows.apart(first.estimator)
    comparison = compare(
        {name: each.estimator for name, each in opened.items()},
        known.X,
        known.labels,
        context=known.context,
        outliers=_known_outliers(known, outliers, data) if outliers else None,
        seed=seed,
        method=method,
        progress=say if talk.progress else lambda line: None,
    )
    for name, page in pages.items():
        talk.say(f"{name}: making its explorer ...")
        _explore(opened[name].estimator, known, method, seed, page)
    if output is not None:
        comparison.to_html(output, _by_shown_name(comparison, pages))
    if talk.as_json:
        pages_made = {"output": output, "explorers": pages}
        print_json(json.loads(comparison.to_json()) | pages_made | source_as_json(rows.source, rows.failed))
    else:
        click.echo(comparison_text(comparison))
    heard = talk._replace(as_json=False)  # what it says beside JSON it says too
    return heard.end(rows.source, rows.failed, output)


def _check_names(names: Sequence[str]) -> None:
    if twice := {name for name in names if names.count(name) > 1}:
        rule = f"two are called {min(twice)!r}: give each a name of its own, as NAME=FILE."
        raise command.misuse("MODEL", rule)


def _explorers(output: Path | None, names: Sequence[str]) -> dict[str, Path]:
    """Return where the explorer of every model is written: beside the page."""
    if output is None:
        raise command.misuse("--explore", "takes --output, the page that links to what it makes.")
    numbers = [""] if len(names) == 1 else [f"-{i}" for i, _ in enumerate(names, 1)]
    return {
        name: output.with_name(f"{output.stem}-explore{number}{output.suffix}")
        for name, number in zip(names, numbers, strict=True)
    }


def _explore(model: Any, rows: Any, method: str, seed: int, page: Path) -> None:
    from vaetools.explorer.explore import explore

    context = rows.context if hasattr(model, "context_") else None
    explore(model, rows.X, rows.labels, context=context, method=method, seed=seed).to_html(page)


def _by_shown_name(comparison: Any, pages: dict[str, Path]) -> dict[str, Path]:
    return {model.name: page for model, page in zip(comparison.models, pages.values(), strict=False)}


def _known_outliers(rows: Any, outliers: Sequence[str], data: str) -> Any:
    """Return which rows have a label that is known to be odd."""
    import numpy as np

    from vaetools.stream.labeled import label_called

    classes = np.full(len(rows.X), "") if rows.labels is None else rows.labels.astype(str)
    known = {text: label_called(text, set(classes)) for text in outliers}
    if absent := [text for text, label in known.items() if label is None]:
        there = few((f"'{printable(label)}'" for label in sorted(set(classes))), _KNOWN_LABELS, gap=" … ")
        are = "rows have no labels" if rows.labels is None else f"there are {there}"
        raise command.misuse("--outlier", f"no row of {data} has the label {absent[0]!r}: {are}.")
    return np.isin(classes, [label for label in known.values() if label is not None])


def _check_readers(opened: dict[str, command.Opened]) -> None:
    """Raise, naming both, where two models read images differently."""
    ways = {
        name: each.reader and (*each.reader.image_shape_, each.reader.aspect) for name, each in opened.items()
    }
    said = {name: f"as {' × '.join(map(str, way))}" if way else "not as images" for name, way in ways.items()}
    first, *others = opened
    for name in others:
        if ways[name] != ways[first]:
            raise click.ClickException(
                f"models must take the same rows; {first!r} reads {said[first]}, {name!r} {said[name]}."
            )
