"""The page of ``vaetools score --html``: what a model says of the images that were scored, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetools.words import few, floor_in_words

if TYPE_CHECKING:
    from vaetools.cli import command
    from vaetools.stream.sinks import Oddest, Tally


def write_page(
    path: Path,
    tally: Tally,
    oddest: Oddest,
    scores: list[Any],
    opened: command.Opened,
    failed: list[Any],
    data: tuple[str, ...],
) -> None:
    """Write the gallery of the oddest images."""
    import numpy as np

    from vaetools.anomaly.explanation import HEAT_COLORS
    from vaetools.anomaly.scores import SCORES
    from vaetools.files import write_atomically
    from vaetools.report.figures import bin_scores
    from vaetools.report.page.gallery import Gallery, render_gallery
    from vaetools.stream.sinks import expected_rate_of

    model, table, n = opened.estimator, oddest.table, tally.n_calibration
    explanation = model.explain(oddest.X.to_numpy())
    page = render_gallery(
        Gallery(
            model=opened.in_words,
            source=few(data, 3),
            n_scored=tally.n_rows,
            n_flagged=tally.n_odd,
            failed=failed,
            score_name=model.anomaly_score_,
            unit=SCORES[model.anomaly_score_].unit,
            threshold=tally.threshold,
            false_alarm_rate=expected_rate_of(model),
            image_shape=opened.image_shape,
            paths=[str(name) for name in table.iloc[:, 0]],
            images=explanation.value,
            reconstructions=explanation.expected,
            scores=table["score"].to_numpy(),
            overlays=explanation.overlays() if explanation.heat_range is not None else None,
            heat_colors=HEAT_COLORS,
            reconstruction=table["reconstruction"].to_numpy(),
            kl=table["kl"].to_numpy() if hasattr(model, "posterior") else None,
            floor=floor_in_words(table["p_value"], n),
            p_values=table["p_value"].to_numpy() if n else None,
            flagged=(table["verdict"] == "odd").to_numpy(),
            histogram=bin_scores(np.concatenate(scores), tally.threshold),
            selection=None if tally.selection is None else tally.selection.words(),
        )
    )
    write_atomically(path, page.encode())
