"""``vaetools score --engine ray``: the same lines, made by many machines, in a folder of Parquet files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vaetools.cli.left_out import left_out_as_json, say_left_out
from vaetools.cli.options import one_or_many, shown_progress
from vaetools.cli.saying import UNREAD, list_failures
from vaetools.cli.score import conclude
from vaetools.cli.tally import Tally
from vaetools.cli.writing import check_output


def score_with_ray_engine(
    model: Path,
    data: tuple[str, ...],
    output: Path | str | None,
    *,
    elsewhere: dict[str, Any],
    reading: dict[str, Any],
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Score, and say what came of it; options that need all rows in one place are refused."""
    for name, value in elsewhere.items():
        if value is not None:
            raise click.BadParameter(
                f"does not go with --engine ray, which keeps no rows; got {value}. Read the output instead.",
                param_hint=name,
            )
    if others := sorted(reading.keys() - {"include", "exclude"}):
        raise click.BadParameter(
            f"does not go with --engine ray, of images and Parquet files; got {reading[others[0]]!r}.",
            param_hint={"dialect": "CSV's dialect"}.get(others[0], f"--{others[0]}"),
        )
    if output is None:
        raise click.BadParameter("is needed with --engine ray: a folder to make.", param_hint="--output")
    if isinstance(output, Path):
        check_output(output, (".parquet",), [model, *data])
    from vaetools.cluster.scoring import score_with_ray
    from vaetools.persistence import load, split_reader

    detector = load(model)
    _, estimator = split_reader(detector)
    tally = Tally(estimator, None, n_oddest=0, keep_scores=False)
    tally.n_scored, tally.n_odd, tally.failed, ignored, folders = score_with_ray(
        detector, one_or_many(data), output, verbose=shown_progress(quiet), **reading, **options
    )
    tally.folders.judged.update(folders)
    if as_json:
        summary = tally.summary(estimator, output, None) | left_out_as_json(ignored)
        click.echo(json.dumps(summary, indent=2, allow_nan=False))
    elif not quiet:
        conclude(tally, estimator, output, None)
    if verbose or not (quiet or as_json):
        say_left_out(ignored, verbose=verbose)
    list_failures(tally.failed)
    return UNREAD if tally.failed else 0
