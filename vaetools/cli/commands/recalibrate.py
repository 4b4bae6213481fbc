"""``vaetools recalibrate``: a new threshold for a saved model, from new normal data, without training."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, counted_rows, print_json, source_as_json
from vaetools.words import number, percent

if TYPE_CHECKING:
    from vaetools.stream.labeled import Rows


@click.command(short_help="Give a saved model a new threshold, without training.")
@command.model_argument
@command.data_argument
@command.output_option("Model file to write (*.safetensors); it may be MODEL itself.", required=True)
@click.option(
    "--false-alarm-rate",
    type=float,
    metavar="SHARE",
    help="Share of new normal rows to flag; that of the model unless said.",
)
@command.confidence_option
@command.labels_option
@command.reading_options
@command.context_option
@command.talk_options
def recalibrate(
    model: Path,
    data: tuple[str, ...],
    output: Path,
    false_alarm_rate: float | None,
    confidence: float | None,
    label_name: str | None,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
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
      threshold, false_alarm_rate (expected; these three are null of a context), confidence, score, unit,
      output,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    outputs.check_output(output, (".safetensors",), data)
    from vaetools.persistence.model_file import save

    opened = command.Opened(model, device)
    estimator = opened.estimator
    rows = _read(opened, data, label_name, reading)
    before = getattr(estimator, "offset_", None)
    has_groups = hasattr(estimator, "context_")  # which have thresholds of their own
    is_asked = has_groups and before is not None
    flagged = float((estimator.predict(rows.X, rows.y) < 0).mean()) if is_asked else None
    promise = {"false_alarm_rate": false_alarm_rate, "confidence": confidence}
    estimator.set_params(**{name: value for name, value in promise.items() if value is not None})
    estimator.recalibrate(rows.X, rows.y)
    save(opened.whole, output)
    facts = _facts(estimator, None if has_groups else before)
    if has_groups:
        facts |= {"flagged_before": flagged, "threshold": None, "false_alarm_rate": None}
    if talk.as_json:
        print_json(facts | {"output": output} | source_as_json(rows.source, rows.failed))
    talk.say(f"{counted_rows(len(rows.X), opened.kind)} calibrate{_in_words(estimator, facts)}.")
    if before is not None:
        old = "thresholds before" if has_groups else f"threshold before, {number(before, 2)},"
        talk.say(f"The {old} flagged {percent(facts['flagged_before'])} of these.")
    if hasattr(estimator, "classes_") and rows.y is None:
        hint = {"rows": "Give --labels", "images": "Put images into sub-folders"}[opened.kind]
        talk.say(f"There were no labels: p-values within labels are no more. {hint} to keep them.")
    return talk.end(rows.source, rows.failed, output)


def _read(
    opened: command.Opened, data: tuple[str, ...], label_name: str | None, reading: dict[str, Any]
) -> "Rows":
    """Read the rows that calibrate, of a model of labels those whose label it knows."""
    from vaetools.stream.labeled import among_known

    estimator = opened.estimator
    is_labeled = hasattr(estimator, "classes_")
    if label_name is not None and not is_labeled:
        came = f"got a {type(estimator).__name__}, which has none."
        raise command.misuse("--labels", f"is for a CVAE of labels; {came}")
    rows = opened.read(data, label_name, needed=is_labeled, in_context=True, **reading)
    return among_known(estimator, rows, data[0]) if is_labeled and rows.y is not None else rows


def _facts(model: Any, before: float | None) -> dict[str, Any]:
    """Return the threshold of a calibrated model, and what the one before made of the same rows."""
    from vaetools.stream.sinks import expected_rate_of

    scores = model.calibration_scores_
    return {
        "n_calibration": len(scores),
        "flagged_before": None if before is None else 1 - float((scores >= before).mean()),
        "threshold_before": before,
        "threshold": model.offset_,
        "false_alarm_rate": expected_rate_of(model),
        "confidence": model.confidence,
        "score": model.anomaly_score_,
        "unit": model.score_unit_,
    }


def _in_words(model: Any, facts: dict[str, Any]) -> str:
    """Say where the threshold lies and what it promises; of groups that each has its own."""
    if facts["threshold"] is None:
        return ", within the groups of the context that are large enough"
    lie, share = f"{number(facts['threshold'], 2)} {facts['unit']}", percent(facts["false_alarm_rate"])
    promised = f": flagged as odd below {lie}, as {share} of new normal ones will be"
    if model.confidence is None:
        return promised
    sure, most = f"{100 * model.confidence:g} %", percent(model.false_alarm_rate)
    return f"{promised}; with {sure} confidence it is at most {most}"
