"""The table of the demo as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable

from vaetools.report.demo import Demo, TableRow
from vaetools.report.text import number, percent, text_table

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


def table_text(demo: Demo) -> str:
    """Return the table and how to read it, at most 100 columns wide.

    Parameters
    ----------
    demo : Demo

    Returns
    -------
    text : str
    """
    table = text_table(
        [heading for heading, _, _ in COLUMNS],
        [[cell(row) for _, _, cell in COLUMNS] for row in demo.table],
        [alignment for _, alignment, _ in COLUMNS],
    )
    unknown = demo.unknown_label
    return "\n".join(
        [
            f"Known digits: {demo.n_train:,} images trained on, {len(demo.known_scores)} held out.",
            f"Unknown digit {unknown}: {len(demo.unknown_scores)} images that no model trained on.",
            "",
            table,
            "",
            "Scores of the autoencoders are in nats; higher = more normal. AUROC: the chance that a held-out",
            f"digit scores above a {unknown}; 0.5 is guessing. False alarms: held-out digits flagged, with",
            f"the alarm set to 5 %. Found: {unknown}s flagged. Reconstruction and KL are mean costs of",
            "held-out digits; lower = better, below 0 where a density exceeds 1.",
        ]
    )
