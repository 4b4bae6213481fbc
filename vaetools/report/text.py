"""Numbers and tables as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

ABSENT = "–"


def number(value: float | None, digits: int) -> str:
    """Return a number with a proper minus sign, or a dash where there is none."""
    return ABSENT if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """Return a share in percent, or a dash where there is none."""
    return ABSENT if share is None else f"{100 * share:.1f} %"


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], alignments: Sequence[str]) -> str:
    """Return a table with a rule below its headings.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequences of str
        Cells, as many as there are headings.
    alignments : sequence of {"<", ">"}
        Of every column.

    Returns
    -------
    table : str

    Examples
    --------
    >>> print(text_table(["file", "score"], [["a.png", "−1.50"], ["b.png", "20.25"]], "<>"))
    file   score
    ────────────
    a.png  −1.50
    b.png  20.25
    """
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        "  ".join(
            f"{cell:{alignment}{width}}"
            for cell, alignment, width in zip(line, alignments, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([padded[0], "─" * max(map(len, padded)), *padded[1:]])
