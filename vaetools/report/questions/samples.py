"""Can I sample from it? Rows decoded from draws of the prior, beside those of the data."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from vaetools.latent import organization as of
from vaetools.report.figures import MOST_PANELS, Lines, Plot, table_rows
from vaetools.report.findings import called, flattered, tell, too_few
from vaetools.report.models import Opened
from vaetools.report.passes import Seen
from vaetools.report.pictures import Pictures, strip, thumbnail_strip
from vaetools.report.records import MeasureRow, ModelView, Question
from vaetools.words import joined

if TYPE_CHECKING:
    from vaetools.report.compare import Comparison

_MOST_SAMPLES = 16
_COVERED = 0.25  # share of the rows that samples reach: what reaches fewer repeats a few
_NOTHING = 0.99  # share of samples off the data: none looks like it

_EITHER = "AE and VAE differ in either direction."
_UNTRUSTED = "A probe is sure even of what resembles no data: read it where few samples lie off the data."
_WITH_RECALL = "Blurred samples are within reach of many rows: read it with recall."
_STEADIER = "Near 0 for smooth samples, which reach nowhere; wild ones reach far. Coverage is steadier."
_CROWDED = f"Above 1 where samples crowd where rows do. {_EITHER}"
OFF_DATA = MeasureRow(
    "off_data",
    "decoded prior samples that lie off the data",
    "%",
    "lower",
    1,
    "New rows have about 5 %; blurred samples lie near the data, so a collapsed model may look perfect.",
    "Of what {name} decodes from the prior, {value} lies off the data",
    "how much of what they decode from the prior lies off the data",
)
_PRECISION = MeasureRow(
    "precision", "samples within reach of a row (precision)", "%", "higher", 0, _WITH_RECALL
)
_RECALL = MeasureRow("recall", "rows within reach of a sample (recall)", "%", "higher", 0, _STEADIER)
_DENSITY = MeasureRow("density", "rows that reach a sample, evenly 1 (density)", "", "higher", 2, _CROWDED)
COVERAGE = MeasureRow("coverage", "rows that reach a sample (coverage)", "%", "higher", 0)
_EVENNESS = MeasureRow(
    "class_entropy", "how evenly prior samples fall into the classes", "", "higher", 2, _UNTRUSTED
)
_AMBIGUITY = MeasureRow(
    "ambiguity", "prior samples between classes, under a probe", "%", "lower", 0, f"{_EITHER} {_UNTRUSTED}"
)


def prior_in_words(models: Iterable[Opened | ModelView]) -> str:
    """Return what samples of models are draws of, of an AE, too."""
    kinds = {"the prior of words" if model.has_words else "N(0, I)" for model in models}
    return " or of ".join(sorted(kinds))


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Measure decoded draws against rows of the data."""
    basis, samples = seen.basis, seen.samples / seen.basis.scale
    found = {
        "off_data": of.off_data(samples, basis.rows, random_state=basis.seed),
        **of.prdc(samples, basis.rows, random_state=basis.seed),
    }
    if basis.labels is not None:
        named = of.knn_probabilities(basis.rows, basis.labels, samples)
        found |= {
            "class_entropy": of.class_entropy(named, random_state=basis.seed),
            "ambiguity": of.ambiguity(named),
        }
    return found


def _read(comparison: "Comparison") -> tuple[str, str]:
    prior = prior_in_words(comparison.models)
    read = (
        f"Each colored line is a row decoded from a draw of {prior} and shows nobody's data; the others are "
        "rows of the data: samples should go up and down with them, and no further."
        if comparison.data.image_shape is None
        else f"The upper of two rows is decoded from draws of {prior} and shows nobody's data; below each "
        "sample stands the row of the data that is nearest to it, which tells a plausible sample from an "
        "odd one, and a new one from a copy."
    )
    doubt = (
        "Precision and density flatter a model that repeats a few safe samples, so read them with recall, "
        "coverage and evenness, and take no classifier's confidence for quality; an AE is trained on no "
        "prior, and drawn from a Gaussian fitted to its codes it may do as well as a VAE."
    )
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot | Pictures]:
    """Give decoded draws from the prior, and the rows that are nearest to them."""
    data = comparison.data
    if data.image_shape is None:
        content: dict[str, list[Lines]] = {
            model.name: [
                ("rows of the data", data.shown[:MOST_PANELS], None),
                (model.name, model.samples[:_MOST_SAMPLES], i),
            ]
            for i, model in enumerate(comparison.models)
        }
        yield table_rows(data, content, "Prior samples and rows of the data, column by column")
        return
    assert data.thumbnails is not None
    for model in comparison.models:
        samples = model.samples[:_MOST_SAMPLES]
        nearest = data.thumbnails[model.nearest_to_samples[:_MOST_SAMPLES]]
        yield Pictures(
            model.name,
            [
                strip("samples", samples, data.image_shape, f"Prior samples of {model.name}"),
                thumbnail_strip("nearest rows", nearest, "The rows that are nearest to them"),
            ],
        )


def _find(models: tuple[ModelView, ...], measures: pd.DataFrame) -> list[str]:
    """Say how much of what models decode lies off the data; one that decodes few rows is not praised."""
    off, coverage = (
        measures[measures["measure"] == name].set_index("model")["value"]
        for name in (OFF_DATA.name, COVERAGE.name)
    )
    if len(off) and off.min() >= _NOTHING:
        names = f"any of {joined(map(called, off.index))}" if len(off) > 1 else called(off.index[0])
        return [f"Nothing that {names} decodes from the prior looks like the data."]
    narrow = coverage.index[(coverage < _COVERED).to_numpy()]
    told = tell(measures[~measures["model"].isin(narrow)], OFF_DATA)
    few = [
        f"What {called(name)} decodes from the prior comes near only "
        f"{COVERAGE.words(coverage[name])} of the rows, and "
        f"{OFF_DATA.words(off[name])} of it lies off the data."
        for name in narrow.intersection(off.index, sort=False)
    ]
    return [told, *few]


SAMPLES = Question(
    "samples",
    "Can I sample from it?",
    (OFF_DATA, _PRECISION, _RECALL, _DENSITY, COVERAGE, _EVENNESS, _AMBIGUITY),
    _measure,
    _read,
    _draw,
    find=_find,
    rank=1,
    warn=flattered,
    note=lambda data: [too_few(data)],
)
