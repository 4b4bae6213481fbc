"""What ``vaetools fit`` says of data before it trains, and what it advises afterwards."""

import functools
import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from vaetools.anomaly.rates import expected_rate, n_rows_needed
from vaetools.cli.commands.info import DETECTOR, scaling_in_words
from vaetools.cli.planning import Plan
from vaetools.cli.saying import counted_rows, in_options, mask_hint, short_name
from vaetools.data.addresses import is_address
from vaetools.data.batches import TrainingData
from vaetools.data.listing import counted_kinds
from vaetools.data.reader import ImageReader
from vaetools.data.table_columns import is_date
from vaetools.estimators.choosing import shrinkage, small_defects
from vaetools.estimators.rows import pixel_levels, scale_kind, value_range
from vaetools.nn.likelihoods import LIKELIHOODS
from vaetools.persistence.facts import AutoencoderFacts, DetectorFacts
from vaetools.stream.evaluation import is_good
from vaetools.words import counted, duration, few, percent, text_facts

_LISTED = 6  # names in a line
_SUSPECTS, _WIDEST_NAME = 20, 90  # named in a list; characters
_some = functools.partial(few, most=_LISTED, gap=" … ")
_SELDOM = 0.01  # probability that so many good images are flagged by chance
_FEW_STEPS = 200  # that hardly teach anything
_FEW = 50  # categories that are no reason to wonder
_DATES = "read as categories; write a date as a number, such as days, or --drop it"
_IN_WORDS = {"gaussian": "Numbers", "bernoulli": "Booleans", "categorical": "Categories"}


def describe_data(
    read: TrainingData, data: tuple[str, ...], plan: Plan, seconds: float | None, *, marked: bool
) -> str:
    """Return what was understood of the data, what was chosen for them, and how long that will take."""
    model = plan.model
    context = getattr(model, "context", None) or []
    judged = read.X.drop(columns=context) if context else read.X
    if getattr(model, "likelihood", None) == "mixed":
        values = _cells_in_words(judged, model.column_likelihoods or {})
    else:
        values = _values_in_words(judged, model)
    facts = {
        "Data": f"{counted_rows(len(read.X), read.kind)} from {few(data, 1)}",
        "Shape": _shape_in_words(judged, model.image_shape),
        "Read as": "" if read.dialect is None else str(read.dialect),
        "Scaled": _scaled_in_words(read.reader),
        "Small defects": small_defects_in_words(read.reader, model),
        "Caution": beside_good_in_words(read) if plan.all_normal and not marked else "",
        **values,
        "Given": _context_in_words(read.X[context] if context else read.context),
        "Labels": _labels_in_words(read.labels, model),
        "Left out": "; ".join(
            [f"{len(read.failed):,} that could not be read"] * bool(read.failed)
            + [counted_kinds(read.ignored)] * bool(read.ignored)
        ),
        "Columns": " ".join(read.notes),
        "Masks": mask_hint(read.ids) if read.kind == "images" else "",
        "Model": in_options(" ".join(plan.reasons)),
        "Time": "" if seconds is None else f"{duration(seconds)} to train",
    }
    return text_facts(facts)


def _values_in_words(X: Any, model: Any) -> dict[str, str]:
    """Return the range of numbers, and what will become of them."""
    X = np.asarray(X)
    low, high = value_range(X)
    is_image = model.image_shape is not None
    kind = "pixels"  # which detectors take
    if hasattr(model, "likelihood"):
        unit_interval = LIKELIHOODS[model.likelihood].unit_interval
        kind = scale_kind(model, X, images=is_image, unit_interval=unit_interval)
    levels = pixel_levels(X) if is_image and X.dtype.kind in "iu" else None
    return {"Values": f"{low:g} to {high:g} ({X.dtype})", "Scaling": scaling_in_words(kind, levels)}


def unused_bits(read: TrainingData, model: Any) -> str:
    """Return which level is taken for white where images of 16 bits use fewer; else nothing."""
    if model.image_shape is None or read.X.dtype.kind not in "iu" or read.X.dtype == np.uint8:
        return ""
    black, white = pixel_levels(read.X)
    n_bits, n_given = (white - black).bit_length(), 8 * read.X.dtype.itemsize
    if n_bits >= n_given:
        return ""
    low, high = map(int, value_range(read.X))
    return (
        f"Of {n_given} bits the images use {n_bits}: their levels are {low:,} to {high:,}, black is "
        f"{black:,} and white {white:,}."
    ).replace("-", "−")


def _cells_in_words(X: pd.DataFrame, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of every kind, how many cells are missing, and what looks like a mistake."""
    columns: dict[str, list[str]] = {heading: [] for heading in _IN_WORDS.values()}
    counts = {}
    for name, cells in X.items():
        likelihood = chosen.get(str(name)) or _likelihood_of(cells)
        if likelihood == "categorical":
            counts[name] = cells.nunique()
        shown = f"{name} ({counts[name]:,})" if likelihood == "categorical" else str(name)
        columns[_IN_WORDS[likelihood]].append(shown)
    dates = [name for name in counts if X[name].dropna().map(str).map(is_date).all()]
    many = [repr(name) for name, n in counts.items() if n > max(_FEW, len(X) / 2)]
    caution = (
        f"Most rows have a value of their own in {_some(many)}: give what names rows to --id, write "
        "amounts as numbers alone, and --drop the rest."
    )
    return {
        **{kind: _some(names) for kind, names in columns.items()},
        "Missing": f"{percent(X.isna().to_numpy().mean())} of the cells",
        "Dates": f"{_some(dates)}: {_DATES}" if dates else "",
        "Caution": caution if many else "",
    }


def _likelihood_of(cells: pd.Series) -> str:
    if types.is_bool_dtype(cells.dtype):
        return "bernoulli"
    return "gaussian" if types.is_numeric_dtype(cells.dtype) else "categorical"


def _shape_in_words(X: Any, image_shape: Any) -> str:
    """Return what one row is."""
    if image_shape is None:
        names = [str(name) for name in getattr(X, "columns", [])]
        n = X.shape[1]
        return f"{counted(n, 'column')}" + (f": {_some(names)}" if names else "")
    channels, height, width = image_shape
    color = {1: "gray", 3: "rgb"}.get(channels, f"{channels} channels, none of them taken for transparency")
    return f"{height} × {width} pixels (height × width), {color}"


def _scaled_in_words(reader: Any) -> str:
    """Return the sizes of files where they are not what they are scaled to."""
    if reader is None or reader.sample_sizes_ in ([], [reader.image_shape_[1:]]):
        return ""
    smallest, largest = (choose(reader.sample_sizes_, key=math.prod) for choose in (min, max))
    to = f"{largest[0]:,} × {largest[1]:,}"
    if len(reader.sample_sizes_) > 1:
        return (
            f"from sizes that differ, {smallest[0]:,} × {smallest[1]:,} to {to}; --size and --aspect say how"
        )
    n_pixels = shrinkage(reader.image_shape_[1:], largest, reader.aspect)  # that become one
    how = "up " * (n_pixels < 1) + "down " * (n_pixels > 1)
    return f"{how}from {to}; --size says how"


def small_defects_in_words(reader: Any, model: Any, paths: Sequence[str] = ()) -> str:
    """Return which defects a model of images will miss, in those of training or in larger ones to score."""
    if reader is None or reader.typical_size_ is None:
        return ""
    here = [path for path in paths if not is_address(path)]  # elsewhere a look is a whole file
    came = ImageReader(image_shape=reader.image_shape_).fit(here).typical_size_
    largest = max(reader.typical_size_, came or (0, 0), key=max)
    scope = None
    if type(model).__name__ == DETECTOR:
        scope = getattr(model, "scope_", None) or model.chosen_scope()
    words = small_defects(scope, reader.image_shape_[1:], largest, reader.aspect)
    return in_options(words)


def beside_good_in_words(read: TrainingData) -> str:
    """Return that images which lie beside folders of good ones are taken as good, too, if there are any."""
    others = [str(path) for path in read.ids if not any(map(is_good, Path(str(path)).parent.parts))]
    if read.kind != "images" or not 0 < len(others) < len(read.ids):
        return ""
    lie = f"{len(others):,} of these images lie in no folder that is called good, as others do, such as"
    return f"{lie} {others[0]}. All are taken as normal: name the folder of good ones alone."


def few_calibrated_in_words(model: Any) -> str:
    """Return how often a fitted model of images is wrong where too few of them calibrated, and what to do."""
    n = len(getattr(model, "calibration_scores_", ()))
    needed = n_rows_needed(model.false_alarm_rate, model.confidence)
    if model.image_shape is None or not 0 < n < needed:
        return ""
    rate, asked = percent(expected_rate(n, model.false_alarm_rate)), percent(model.false_alarm_rate)
    return (
        f"About {rate} of good images are flagged: {counted(n, 'image')} calibrated, and {asked} takes "
        f"{needed:,}. vaetools recalibrate sets that right with as many good ones that fit did not see."
    )


def few_find_less_in_words(model: Any) -> str:
    """Return that more images to calibrate find more, where the oddest of few is a model's threshold."""
    n, rate = len(getattr(model, "calibration_scores_", ())), model.false_alarm_rate
    enough = n_rows_needed(rate / 2)  # that the second oddest is
    if model.image_shape is None or model.confidence is not None or not n_rows_needed(rate) <= n < enough:
        return ""
    return (
        f"Few images calibrate: of {n} the oddest is the threshold; {enough} or more find more. vaetools "
        "recalibrate takes good ones that fit did not see."
    )


def good_in_words(good: Mapping[str, Any]) -> str:
    """Return how many images without defects are flagged, and what to do where that is too many."""
    told = f"{100 * good['share_flagged']:.1f} % of {good['n']:,} good images are flagged"
    if good["p_value"] is None:
        return f"{told}."
    told += f"; {100 * good['share_expected']:.1f} % are expected of images like those that calibrated"
    if not too_many(good):
        return f"{told}."
    return f"{told}, and these are not alike: recalibrate with good images of parts that did not train."


def too_many(good: Mapping[str, Any]) -> bool:
    """Whether more images without defects are flagged than chance explains."""
    return good["p_value"] is not None and good["p_value"] <= _SELDOM


def _context_in_words(context: Any) -> str:
    """Return the columns that rows are judged given, and which are numbers."""
    if context is None:
        return ""
    kinds = {True: "number", False: "category"}
    return _some(f"{name} ({kinds[types.is_numeric_dtype(cells)]})" for name, cells in context.items())


def _labels_in_words(labels: Any, model: Any) -> str:
    """Return the commonest labels, and whether they are used."""
    if labels is None:
        return ""
    counts = Counter(labels.tolist()).most_common()
    unused = "" if type(model).__name__ == "CVAE" else "; only a cvae uses them"
    return few(f"{label} ({n:,})" for label, n in counts) + unused


def what_next(facts: DetectorFacts) -> str:
    """Return the command that comes after a detector was fitted."""
    results = "-o scores.csv --html odd.html --maps maps/"
    return f"\n\nNext: vaetools score {shlex.quote(facts.path)} NEW_PHOTOS {results}"


def advice(facts: AutoencoderFacts) -> str:
    """Return what to mistrust of a model and what to do: few steps, rows learnt by heart; else nothing."""
    held_out = facts.n_calibration if facts.calibration == "split" else 0
    n_rows = (facts.n_samples or 0) - facts.n_suspects - facts.n_marked_odd - held_out
    steps_per_epoch = math.ceil(n_rows / int(facts.parameters["batch_size"]))
    n_steps, short = facts.n_iter * steps_per_epoch, ""
    if 0 < n_steps < _FEW_STEPS:  # what rows cost then is chance
        short = (
            f"\n\nTrained for {n_steps} step{'s' if n_steps > 1 else ''} alone, which may teach it nothing; "
            "hundreds are usual. Raise --max-iter."
        )
    costly = _by_heart(facts, steps_per_epoch)
    return costly or short if facts.n_suspects else short or costly  # what odd rows cost is no chance


def _by_heart(facts: AutoencoderFacts, steps_per_epoch: int) -> str:
    """Say what to do if rows that the model was not trained on cost it far more than others, if so."""
    from vaetools.anomaly.overfitting import learnt_by_heart

    costs = {part: sum(terms.values()) for part, terms in facts.mean_terms.items()}
    if len(costs) < 2 or not learnt_by_heart(
        costs["train"], costs["held_out"], facts.n_features, likelihood=str(facts.parameters["likelihood"])
    ):
        return ""
    if facts.n_suspects:
        return (
            "\n\nHeld-out rows cost far more than training rows, of which the oddest were left out. If odd "
            "ones are among\nthe held-out, the threshold lies too low: give --contamination, so that none "
            "are held out, or vaetools\nrecalibrate with rows that are normal."
        )
    calibrated = facts.n_calibration >= n_rows_needed(facts.parameters["false_alarm_rate"])
    holds = " Its\nthreshold holds all the same, but it finds less. " if calibrated else "\n"
    fewer = facts.n_iter // 4
    epochs = f", or --max-iter {fewer}" if fewer * steps_per_epoch >= _FEW_STEPS else ""
    noise = "" if facts.parameters["input_noise"] else ", or --set input_noise=0.1"
    return (
        "\n\nHeld-out rows cost far more than training rows: the model has learnt much of those by heart."
        f"{holds}More rows may help{epochs}{noise}."
    )


def in_doubt(suspects: list[Any], verbose: bool) -> str:
    """Return the rows that were left out as suspects, or the first of them; nothing if there are none."""
    if not suspects:
        return ""
    most = len(suspects) if verbose else _SUSPECTS
    called = [name if isinstance(name, str) else f"row {name}" for name in suspects[:most]]
    names = [f"  {short_name(name, _WIDEST_NAME)}" for name in called]
    more = [f"  and {len(suspects) - most:,} more, which -v or --json lists"] * (len(suspects) > most)
    return "\n\n" + "\n".join(["Left out of training, the least like the others first:", *names, *more])
