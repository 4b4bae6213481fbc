"""What lies between two codes? Straight lines through the latent space, decoded."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaetools.latent import organization as of
from vaetools.report.figures import Lines, Plot, table_rows
from vaetools.report.findings import collapse
from vaetools.report.passes import Seen
from vaetools.report.pictures import Pictures, strip
from vaetools.report.records import MeasureRow, Question

if TYPE_CHECKING:
    from vaetools.report.compare import Comparison

_CROSS_FADE = "A straight line between two images is a cross-fade: 1 is not the aim."
_EITHER = "AE and VAE differ in either direction."
_MEASURES = (
    MeasureRow("path_length", "path length of interpolations, straight = 1", "", "", 2, _CROSS_FADE),
    MeasureRow("jumps", "largest step of an interpolation, even = 1", "", "lower", 2, _EITHER),
    MeasureRow(
        "off_data_between",
        "interpolated rows that lie off the data",
        "%",
        "lower",
        1,
        clause="Between two codes {value} of what {name} decodes lies off the data",
    ),
)
_FALLEN = "It is collapsed: every code decodes to about the same row, so nothing can jump."


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Rows decoded between two codes, and how they differ from step to step."""
    basis, paths = seen.basis, seen.paths / seen.basis.scale
    between = paths[:, 1:-1].reshape(-1, paths.shape[2])
    return {
        "path_length": of.path_length(paths),
        "jumps": of.jumps(paths),
        "off_data_between": of.off_data(between, basis.rows, random_state=basis.seed),
    }


def _read(comparison: "Comparison") -> tuple[str, str]:
    way = " from the thin line to the wide one" if comparison.data.image_shape is None else ""
    read = (
        f"The straight line between the codes of two rows, decoded in even steps{way}: in a well-filled "
        "space every step looks like data, and no step does most of the way."
    )
    doubt = (
        "A plain cross-fade of the two ends has length 1 and no jump though its middle looks like nothing "
        "in the data, and a blurry decoder comes close to it: judge by the pictures and by the share that "
        "lies off the data."
    )
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot | Pictures]:
    """Give interpolations between rows."""
    data = comparison.data
    if data.image_shape is None:
        content: dict[str, list[Lines]] = {
            model.name: [("from the first row to the second", model.interpolations[0], i)]
            for i, model in enumerate(comparison.models)
        }
        yield table_rows(data, content, "One row becoming another, column by column", grows=True)
        return
    for model in comparison.models:
        strips = []
        for rows, (a, b) in zip(model.interpolations, model.interpolated_pairs, strict=True):
            words = f"{data.names[a]} becomes {data.names[b]} in {model.name}"
            name = "" if data.labels is None else f"{data.labels[a]} → {data.labels[b]}"
            strips.append(strip(name, rows, data.image_shape, words))
        yield Pictures(model.name, strips)


BETWEEN = Question(
    "between",
    "What lies between two codes?",
    _MEASURES,
    _measure,
    _read,
    _draw,
    rank=4,
    warn=lambda model, data, blank: [_FALLEN] * bool(collapse(model)),
)
