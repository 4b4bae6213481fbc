"""What a page shows of a watch."""

from typing import Any

from vaetools.report.page.watch import Found, Line, WatchPage
from vaetools.watch.alarm import ALL, groups_in_words
from vaetools.watch.evidence import GROUPS


def page_of(watch: Any, *, model: str, source: str) -> WatchPage:
    """Return what `vaetools.report.page.watch.render_watch` shows; model and source in words."""
    alarm, history, is_of_images = watch.alarm, watch.history, watch.image_shape is not None
    rate = watch.evidence.rate
    found = [
        Found(
            cause.called() + (" (all rows)" if cause.of == ALL else ""),
            cause.since,
            cause.n_rows,
            cause.change_in_words(rate),
            cause.evidence,
        )
        for cause in (alarm.causes if alarm else ())
    ]
    names = zip(GROUPS, groups_in_words(of_images=is_of_images), strict=True)
    return WatchPage(
        model=model,
        source=source,
        noun="image" if is_of_images else "row",
        n_rows=watch.n_rows,
        n_flagged=watch.n_flagged,
        false_alarm_rate=rate,
        probability=watch.false_alarm_probability,
        alarm=str(alarm or ""),
        found=found,
        rows=history["row"].to_numpy(),
        lines=[Line(words, history[group].to_numpy()) for group, words in names],
        alarm_row=alarm.row if alarm else None,
        since=alarm.since if alarm else None,
        usual_picture=watch.usual_picture,
        recent_picture=watch.recent_picture,
        changed=[str(name) for name in watch.since],
    )
