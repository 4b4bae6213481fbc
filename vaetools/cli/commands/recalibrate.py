"""``vaetools recalibrate``: a new threshold for a saved model, from new normal data, without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vaetools.cli.info import finite
from vaetools.cli.left_out import say_source, source_as_json
from vaetools.cli.options import (
    data_argument,
    device_option,
    id_option,
    json_option,
    labels_option,
    loudness_options,
    model_argument,
    one_or_many,
    reading_options,
)
from vaetools.cli.saying import UNREAD, counted_rows, failed_as_json, list_failures, say
from vaetools.cli.writing import check_any, check_output
from vaetools.words import number, percent, readable


@click.command(short_help="Give a saved model a new threshold, without training.")
@model_argument
@data_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Model file to write (*.safetensors); it may be MODEL itself.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    metavar="SHARE",
    help="Share of new normal rows to flag; that of the model unless said.",
)
@labels_option
@id_option
@reading_options
@json_option
@device_option
@loudness_options
def recalibrate(
    model: Path,
    data: tuple[str, ...],
    output: Path,
    false_alarm_rate: float | None,
    label_name: str | None,
    id_column: str | None,
    reading: dict[str, Any],
    as_json: bool,
    device: str | None,
    quiet: bool,
    verbose: bool,
) -> int:
    """Set threshold and p-values of a trained MODEL from DATA, which must be normal and new to it.

    For data that changed since training (another camera, another season), for a model that was
    fitted with --contamination and so has no p-values, or for another rate of false alarms. DATA is
    what it is for "vaetools score", and is read into memory. Only the verdicts change: scores, codes and
    reconstructions stay as they are. A CVAE's p-values within labels, as of "vaetools labels", need labels.

    \b
    Examples:
      vaetools recalibrate boards.safetensors june/good -o boards-june.safetensors
      vaetools recalibrate sales.safetensors q2.csv --id order --false-alarm-rate 0.01 -o strict.safetensors

    \b
    Keys of --json:
      n_calibration, flagged_before (share of DATA below the old threshold), threshold_before,
      threshold, false_alarm_rate (expected), score, unit, n_failed, failed [{id, reason}], n_ignored,
      ignored {kind: files}, ignored_paths, output
    """
    check_output(output, (".safetensors",), data)
    from vaetools.cli.labeled import among_known, read_labeled
    from vaetools.persistence import load, save, split_reader

    calibrated = load(model, device=device)
    estimator = split_reader(calibrated)[1]
    is_labeled = hasattr(estimator, "classes_")
    if label_name is not None and not is_labeled:
        raise click.BadParameter(f"is for a CVAE; got a {type(estimator).__name__}.", param_hint="--labels")
    read = read_labeled(one_or_many(data), calibrated, label_name, id_column, needed=is_labeled, **reading)
    _, X, y, failed, source = read
    if is_labeled and y is not None:
        X, y, unknown = among_known(estimator, X, y)
        failed += unknown
    check_any(len(X), failed, data)
    if false_alarm_rate is not None:
        estimator.set_params(false_alarm_rate=false_alarm_rate)
    before = getattr(estimator, "offset_", None)
    estimator.recalibrate(X, y) if is_labeled else estimator.recalibrate(X)
    save(calibrated, output)
    facts = facts_of(estimator, before)
    if as_json:
        lost = failed_as_json(failed)
        summary = facts | {"n_failed": len(failed), "failed": lost, "output": readable(str(output))}
        summary |= source_as_json(source)
        click.echo(json.dumps(finite(summary), indent=2, allow_nan=False))
    elif not quiet:
        kind = "rows" if estimator.image_shape is None else "images"
        say(
            f"{counted_rows(len(X), kind)} calibrate: flagged as odd below {number(estimator.offset_, 2)} "
            f"{facts['unit']}, as {percent(facts['false_alarm_rate'])} of new normal ones will be."
        )
        if before is not None:
            flagged = percent(facts["flagged_before"])
            say(f"The threshold before, {number(before, 2)}, flagged {flagged} of these.")
        if is_labeled and y is None:
            hint = "Give --labels" if estimator.image_shape is None else "Put images into sub-folders"
            say(f"There were no labels: p-values within labels are no more. {hint} to keep them.")
        say(f"Written: {output}")
    if verbose or not (quiet or as_json):
        say_source(source, verbose=verbose)
    list_failures(failed)
    return UNREAD if failed else 0


def facts_of(model: Any, before: float | None) -> dict[str, Any]:
    """Return the threshold of a calibrated model, and what the one before made of the same rows."""
    from vaetools.anomaly.calibration import flagged_rate
    from vaetools.anomaly.scores import SCORES

    scores = model.calibration_scores_
    return {
        "n_calibration": len(scores),
        "flagged_before": None if before is None else 1 - float((scores >= before).mean()),
        "threshold_before": before,
        "threshold": model.offset_,
        "false_alarm_rate": flagged_rate(model.offset_, scores, model.false_alarm_rate),
        "score": model.anomaly_score_,
        "unit": SCORES[model.anomaly_score_].unit,
    }
