"""The table of the demo as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable

from vaetools.report.demo import Demo, TableRow

ABSENT = "–"

# heading, alignment, how a row fills it
COLUMNS: tuple[tuple[str, str, Callable[[TableRow], str]], ...] = (
    ("model", "<", lambda row: row.name),
    ("fit, s", ">", lambda row: number(row.fit_seconds, 1)),
    ("reconstr., nats", ">", lambda row: number(row.reconstruction, 1)),
    ("KL, nats", ">", lambda row: number(row.kl, 1)),
    ("AUROC", ">", lambda row: number(row.auroc, 3)),
    ("false alarms", ">", lambda row: percent(row.false_alarms)),
    ("found", ">", lambda row: percent(row.detected)),
    ("kNN accuracy", ">", lambda row: number(row.knn_accuracy, 3)),
)


def number(value: float | None, digits: int) -> str:
    """Return a number with a proper minus sign, or a dash where there is none."""
    return ABSENT if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """Return a share in percent, or a dash where there is none."""
    return ABSENT if share is None else f"{100 * share:.1f} %"


def table_text(demo: Demo) -> str:
    """Return the table and how to read it, at most 100 columns wide.

    Parameters
    ----------
    demo : Demo

    Returns
    -------
    text : str
    """
    lines = [[heading for heading, _, _ in COLUMNS]]
    lines += [[cell(row) for _, _, cell in COLUMNS] for row in demo.table]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        "  ".join(
            f"{text:{align}{width}}" for text, (_, align, _), width in zip(line, COLUMNS, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    rule = "─" * max(map(len, padded))
    unknown = demo.unknown_label
    return "\n".join(
        [
            f"Known digits: {demo.n_train:,} images trained on, {len(demo.known_scores)} held out.",
            f"Unknown digit {unknown}: {len(demo.unknown_scores)} images that no model trained on.",
            "",
            padded[0],
            rule,
            *padded[1:],
            "",
            "Scores of the autoencoders are in nats; higher = more normal. AUROC: the chance that a held-out",
            f"digit scores above a {unknown}; 0.5 is guessing. False alarms: held-out digits flagged, with",
            f"the alarm set to 5 %. Found: {unknown}s flagged. Reconstruction and KL are mean costs of",
            "held-out digits; lower = better, below 0 where a density exceeds 1.",
        ]
    )
