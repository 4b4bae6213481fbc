"""``vaetools info``: what a saved model is and what it was trained on, without loading it."""

import dataclasses
import functools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command
from vaetools.cli.saying import in_options, print_json
from vaetools.nn import PIXELS
from vaetools.words import (
    ABSENT,
    counted,
    few,
    file_size,
    joined,
    number,
    percent,
    printable,
    shortened,
    text_facts,
)

if TYPE_CHECKING:
    from vaetools.persistence.facts import AutoencoderFacts, DetectorFacts, Facts

_WIDTH = 100
DETECTOR = "PatchDetector"
_LISTED, _LONGEST = 10, 48  # names in a list, characters in a name
_some = functools.partial(few, most=_LISTED, gap=" … ")
_short = functools.partial(shortened, limit=_LONGEST, lost="end")
_NO_BREAK = "\u00a0"
STANDARDIZED = "every column to mean 0 and standard deviation 1"
SCALINGS = {
    "unit": "already in [0, 1], left as it is",
    "standardize": STANDARDIZED,
    "identity": "none, values are taken as they come",
}
_KINDS = {"gaussian": "of numbers", "bernoulli": "of booleans", "categorical": "of categories"}
_ASPECTS = {
    "pad": "padded to keep their aspect",
    "crop": "cropped to keep their aspect",
    "stretch": "stretched",
}
_SCOPES = {"places": "places", "whole": "images on the whole", "both": "places, and images on the whole"}
# what a model was asked for, where it was asked for: 0, False and None ask for nothing
_SETTINGS = (
    "beta",
    "kl_warmup",
    "input_noise",
    "input_masking",
    "trimmed_fraction",
    "batch_size",
    "learning_rate_init",
    "early_stopping",
    "random_state",
)


@click.command(short_help="Show what a saved model is, in an instant.")
@command.model_argument
@command.json_option
def info(model: Path, as_json: bool) -> None:
    """Show what a saved MODEL is and what it was trained on.

    Reads the file alone, without loading PyTorch or NumPy: what the model takes, how it was trained, what its
    rows cost in nats, where its threshold lies and how often that is wrong.

    \b
    Examples:
      vaetools info boards.safetensors
      vaetools info boards.safetensors --json | jq .threshold

    \b
    Keys of --json, null where a fact does not apply:
      model, parameters, n_features, image_shape, reader {mode, size, aspect, typical_size}, least_defect,
      levels, n_samples (given, with those marked odd), anomaly_score, unit, threshold, false_alarm_rate,
      n_calibration, calibration (split or cross; null), versions, format_version, path, file_size;
      of an autoencoder: network, hidden_channels, hidden_layer_sizes, n_weights, feature_names,
      column_kinds {gaussian, bernoulli, categorical}, input_scale, n_suspects, n_marked_odd, n_iter,
      max_iter, n_components, n_active, labels [{label, share}],
      words {n_words, n_dead, word_size, n_places, prior} (of a VQVAE), context [columns],
      context_information (nats per row), groups [{context {column: category}, n_calibration, threshold}]
      (of a context, whose threshold and false_alarm_rate above are null; the last, of context null, is of
      all smaller groups), backbone (as below), mean_terms {train, held_out: {reconstruction, kl}};
      of a PatchDetector: scope, backbone {network, layers, strides, digest},
      autoencoders [{model, n_features, n_components}]
    """
    from vaetools.persistence.facts import read_facts

    facts = read_facts(model)
    if as_json:
        print_json(dataclasses.asdict(facts))
    else:
        click.echo(page(facts))


def page(facts: "AutoencoderFacts | DetectorFacts") -> str:
    """Return the facts as text of at most 100 columns."""
    from vaetools.persistence.facts import DetectorFacts

    title = f"{Path(facts.path).name}: {facts.model} of {_what(facts)}"
    rows = {
        **(_of_detector(facts) if isinstance(facts, DetectorFacts) else _of_autoencoder(facts)),
        "Score": _score(facts),
        "Thresholds": _thresholds(facts),
        "False alarms": _false_alarms(facts),
        "Small defects": _small_defects(facts),
        "Written by": _some(_short(" ".join(each)) for each in facts.versions.items()),
        "File": f"{file_size(facts.file_size)}, format {facts.format_version}",
    }
    heading = textwrap.fill(printable(title), _WIDTH, break_on_hyphens=False)
    return f"{heading}\n\n{text_facts(rows, width=_WIDTH)}"


def _of_autoencoder(facts: "AutoencoderFacts") -> dict[str, str]:
    from vaetools.anomaly.promise import added_in_words, context_in_words, likelihood_in_words

    scaling = scaling_in_words(facts.input_scale, facts.levels)
    if facts.column_kinds is not None:
        scaling = scaling.replace("every column", "every column of numbers")
    likelihood = likelihood_in_words(facts.parameters.get("likelihood", ABSENT), facts.gaussian_scale)
    labels = [f"{_short(str(each['label']))} ({percent(each['share'])})" for each in facts.labels or []]
    return {
        "Takes": _takes(facts),
        "Features": "" if facts.backbone is None else _features(facts.backbone),
        "Scaling": scaling,
        "Network": _network(facts),
        "Codes": f"{facts.n_components:,} components, {facts.n_active:,} of them active",
        "Words": "" if facts.words is None else _words(facts.words),
        "Labels": _some(label.replace(" ", _NO_BREAK) for label in labels),
        "Judged given": context_in_words(
            _some(_short(name).replace(" ", _NO_BREAK) for name in facts.context or []),
            facts.context_information,
        ),
        "Likelihood": _short(likelihood) + _kinds_of_columns(facts),
        "Added loss": added_in_words(facts.parameters),
        "Training": _training(facts),
        "Reconstruction": _costs(facts, "reconstruction"),
        "KL": "" if facts.model == "AE" else _costs(facts, "kl"),
    }


def _words(words: Mapping[str, Any]) -> str:
    """Return of how many words codes are, from what vocabulary, and what their prior is."""
    each, n_dead = counted(words["word_size"], "component"), f"{words['n_dead']:,} of them in no training row"
    told = f"{words['n_places']:,} of {each} a row, from a vocabulary of {words['n_words']:,}"
    return f"{told}, {n_dead}; prior: {words['prior']}"


def _of_detector(facts: "DetectorFacts") -> dict[str, str]:
    asked = [f"{name}={facts.parameters[name]}" for name in ("n_references", "random_state")]
    also_calibrate = f", {facts.n_calibration:,} of them to calibrate" * (facts.calibration == "cross")
    images = counted(facts.n_samples or 0, "image") + also_calibrate
    return {
        "Takes": _files(facts) if facts.reader else f"rows of {facts.n_features:,} pixels",
        "Scaling": scaling_in_words("pixels" if facts.levels else "unit", facts.levels),
        "Judges": _SCOPES[facts.scope],
        "Features": _features(facts.backbone),
        "Patches": _some(
            f"{each['model']} of {each['n_features']:,} features in {each['n_components']:,} components"
            for each in facts.autoencoders
        ),
        "Training": f"{images}; {', '.join(asked)}",
    }


def _features(backbone: Mapping[str, Any]) -> str:
    """Return which frozen network makes features, and of which of its layers."""
    network, strides = backbone["network"] or "a network of its own", backbone["strides"]
    places = f"layers {_some(backbone['layers'])}"
    if strides:
        places = f"at strides of {joined(map(str, strides))} pixels"
    if network == PIXELS:
        return f"fixed filters, {places}"
    return f"of {_short(network)}, {places}; its weights {backbone['digest'][:12]}… are not in the file"


def _files(facts: "Facts") -> str:
    """Return how image files are read."""
    assert facts.reader is not None  # who asks has looked
    height, width = facts.reader["size"]
    aspect = _ASPECTS[facts.reader["aspect"]]
    return f"image files, read as {facts.reader['mode']}, scaled to {height} × {width} pixels, {aspect}"


def _small_defects(facts: "Facts") -> str:
    """Return which defects a model of image files is likely to miss."""
    if facts.reader is None or facts.reader["typical_size"] is None:
        return ""
    from vaetools.estimators.choosing import small_defects

    size, original = facts.reader["size"], facts.reader["typical_size"]
    scope = getattr(facts, "scope", None)  # of a detector
    return in_options(small_defects(scope, size, original, facts.reader["aspect"]))


def _what(facts: "Facts") -> str:
    """Return what a model is of, in a few words."""
    if facts.image_shape is None:
        return f"rows of {counted(facts.n_features, 'column')}"
    channels, height, width = facts.image_shape
    kind = {1: "gray images", 3: "RGB images"}.get(channels, f"images of {channels} channels")
    return f"{kind} of {height} × {width} pixels" + " (height × width)" * (height != width)


def _takes(facts: "AutoencoderFacts") -> str:
    """Return what new data must be."""
    if facts.reader is not None:
        return _files(facts)
    if facts.feature_names is not None:
        names = _some(map(_short, facts.feature_names))
        return f"{counted(facts.n_features, 'column')}: {names}"
    kind = "numbers" if facts.column_kinds is None else "cells"
    if facts.levels is not None and facts.column_kinds is None:
        kind = scaling_in_words(facts.input_scale, facts.levels).split(",")[0]
    return f"rows of {facts.n_features:,} {kind}, columns without names"


def scaling_in_words(kind: str, levels: Sequence[int] | None) -> str:
    """Return what happens to values before a network sees them; of pixels from the levels of black and white.

    Examples
    --------
    >>> [scaling_in_words("pixels", levels) for levels in ([0, 255], [0, 4095], [-1024, 4095])]
    ['8-bit pixels, divided by 255', '12-bit pixels, divided by 4,095', 'signed pixels, from −1,024 to 4,095']
    >>> scaling_in_words("pixels", [61440, 65535])
    '12-bit pixels, from 61,440 to 65,535'
    >>> scaling_in_words("pixels", [0, 1])
    'pixels of 0 and 1, left as they are'
    >>> scaling_in_words("standardized_pixels", [0, 255])
    '8-bit pixels, divided by 255, then every column to mean 0 and standard deviation 1'
    """
    if levels is None:
        return SCALINGS[kind]
    black, white = levels
    words = f"{int(white).bit_length()}-bit pixels, divided by {white:,}"
    if black:
        depth = "signed" if black < 0 else f"{(white - black).bit_length()}-bit"
        words = f"{depth} pixels, from {black:,} to {white:,}".replace(" -", " −")
    elif white == 1:
        words = "pixels of 0 and 1, left as they are"
    return words + f", then {STANDARDIZED}" * (kind == "standardized_pixels")


def _kinds_of_columns(facts: "AutoencoderFacts") -> str:
    """Return how many columns there are of each kind, if they are of several."""
    if facts.column_kinds is None:
        return ""
    columns = [f"{counted(facts.column_kinds[kind], 'column')} {words}" for kind, words in _KINDS.items()]
    return f": {', '.join(columns)}"


def _network(facts: "AutoencoderFacts") -> str:
    """Return the encoder's layers and the number of weights."""
    weights = f"{facts.n_weights:,} weights"
    if facts.network is not None:
        return f"{_short(facts.network)}, a network of its own; {weights}"
    layers = []
    if facts.hidden_channels:
        layers.append(f"convolutions of {_some(map(str, facts.hidden_channels))} channels")
    if facts.hidden_layer_sizes:
        layers.append(f"dense layers of {_some(map(str, facts.hidden_layer_sizes))}")
    return f"{', '.join(layers) or 'no hidden layers'}; {weights}"


def _training(facts: "AutoencoderFacts") -> str:
    """Return rows, epochs and what was asked for."""
    n_left_out = facts.n_suspects + facts.n_marked_odd
    rows = "" if facts.n_samples is None else f"{counted(facts.n_samples - n_left_out, 'row')}, "
    rows += f"{counted(facts.n_suspects, 'suspect')} left out, " * bool(facts.n_suspects)
    rows += f"{facts.n_marked_odd:,} marked odd left out, " * bool(facts.n_marked_odd)
    asked = {name: facts.parameters.get(name) for name in _SETTINGS}
    settings = [
        f"{name}={_short(str(value))}"
        for name, value in asked.items()
        if value or (name in ("beta", "random_state") and value is not None)  # 0 means something
    ]
    fewer = facts.max_iter > facts.n_iter  # stopped early, or interrupted
    epochs = f"{facts.n_iter:,} of {facts.max_iter:,} epochs" if fewer else counted(facts.n_iter, "epoch")
    return f"{rows}{epochs}; {', '.join(settings)}"


def _costs(facts: "AutoencoderFacts", term: str) -> str:
    """Return the mean cost of rows, one term of it."""
    return ", ".join(
        f"{number(facts.mean_terms[part][term], 2)} nats on {words}"
        for part, words in {"train": "training rows", "held_out": "held-out rows"}.items()
        if part in facts.mean_terms
    )


def _score(facts: "Facts") -> str:
    """Return the score, and what is flagged."""
    from vaetools.anomaly.promise import score_in_words
    from vaetools.estimators.image_fields import UNIT_IN_WORDS

    unit = "" if facts.unit is None else _short(facts.unit)
    unit += f" ({UNIT_IN_WORDS})" * (facts.model == DETECTOR)
    is_blind = facts.false_alarm_rate is None and facts.parameters.get("contamination") == "auto"
    return score_in_words(
        _short(facts.anomaly_score), unit, facts.threshold, is_blind=is_blind, of_groups=_has_groups(facts)
    )


def _thresholds(facts: "Facts") -> str:
    """Return the thresholds of groups of a context, and how many rows calibrate each."""
    groups = getattr(facts, "groups", None) or []
    told = []
    for each in groups:
        called = "all" if len(groups) == 1 else "all others"
        if each["context"]:
            called = ", ".join(
                f"{_short(name)}={_short(str(value))}" for name, value in each["context"].items()
            )
        rows = counted(each["n_calibration"], "row")
        told.append(f"{called}: {number(each['threshold'], 2)} ({rows})".replace(" ", _NO_BREAK))
    return few(told, _LISTED, gap="; … ") if told else ""


def _has_groups(facts: "Facts") -> bool:
    return getattr(facts, "groups", None) is not None


def _false_alarms(facts: "Facts") -> str:
    """Return how often the threshold is wrong, or why that is not known."""
    from vaetools.anomaly.promise import Promise, false_alarms_in_words

    if facts.threshold is None and not _has_groups(facts):
        return ""
    promise = Promise(
        "row" if facts.image_shape is None else "image",
        facts.n_calibration,
        facts.false_alarm_rate,
        facts.parameters["false_alarm_rate"],
        facts.parameters.get("confidence"),
        facts.calibration == "cross",
        facts.parameters.get("contamination", "auto"),
        of_groups=_has_groups(facts),
    )
    needs_python = facts.model != DETECTOR and getattr(facts, "backbone", None)
    remedy = "fit more of them" if needs_python else "give as many new ones to vaetools recalibrate"
    return false_alarms_in_words(promise, remedy)
