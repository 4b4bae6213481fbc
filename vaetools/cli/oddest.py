"""The oddest rows, as `vaetools score` prints them, and what is odd about them."""

import math
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli.command import Opened
from vaetools.cli.saying import Talk, cell, say, short_name
from vaetools.words import floor_in_words, printable, shortened, text_table

if TYPE_CHECKING:
    import pandas as pd

    from vaetools.stream.keeping import Oddest
    from vaetools.stream.sinks import Tally

_WIDEST_NAME, _WIDEST_COLUMN, _WIDEST_CELL = 48, 16, 9  # characters; the table has 100 columns


def explain(oddest: "Oddest", opened: Opened) -> None:
    """Add the most surprising column of every row, in words."""
    if not (oddest.n and opened.image_shape is None and opened.can_decode):
        return
    from vaetools.stream.preparing import apart

    model = opened.estimator
    X, y = apart(model, oddest.X)
    table = model.explain(X, y).table(top=1)
    given = [
        f" given {shortened(printable(text), _WIDEST_NAME, lost='end')}" for text in table.get("given", ())
    ]
    cells = table[["column", "value", "expected", "surprise"]].itertuples(index=False)
    reasons = [
        ""  # no cell is known
        if math.isnan(surprise) and model.columns_ is not None
        else f"{short_name(column, _WIDEST_COLUMN)} {_short(value)} (expected {_short(expected)}){told}"
        for (column, value, expected, surprise), told in zip(cells, given or [""] * len(table), strict=True)
    ]
    oddest.table = oddest.table.assign(because=reasons)


def _short(value: Any) -> str:
    """Return a number of unknown size in three digits, and the start of any other cell."""
    if isinstance(value, float):
        return f"{value:.3g}".replace("-", "−")
    return shortened(printable(str(value)), _WIDEST_CELL, lost="end")


def print_top(oddest: "pd.DataFrame", n_digits: int, tally: "Tally", noun: str, talk: Talk) -> None:
    """Print the oddest rows as a table of at most 100 columns."""
    name, *headings = oddest.columns
    digits = [4 if heading == "p_value" else n_digits for heading in headings]
    rows = [
        [short_name(first, _WIDEST_NAME), *map(cell, values, digits)]
        for first, *values in oddest.itertuples(index=False)
    ]
    text = headings[headings.index("verdict") :]
    alignments = "<" + ">" * (len(headings) - len(text)) + "<" * len(text)
    click.echo(text_table([name, *headings], rows, alignments))
    if not talk.quiet and (floor := floor_in_words(oddest["p_value"], tally.n_calibration, noun)):
        say(floor)
