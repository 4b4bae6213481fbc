"""Who is odd? Scores, verdicts on known outliers, and the oddest rows with what makes them odd."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from vaetools.latent import organization as of
from vaetools.latent.organization.measure import bootstrap, share
from vaetools.report.figures import INK, Plot, axes, bin_scores, closed, escaped, panels, series, with_legend
from vaetools.report.passes import Seen
from vaetools.report.pictures import Cards, make_thumbnails, thumbnail_strip
from vaetools.report.records import Data, MeasureRow, ModelView, Oddest, Question
from vaetools.words import counted, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from vaetools.report.compare import Comparison

_FEW_OUTLIERS = 20
_MOST_CARDS = 12  # in all, shared by the models, but at least _FEWEST_CARDS each
_FEWEST_CARDS = 4
_LARGEST = 96  # pixels of the longer side of a picture
_MOST_COLUMNS = 4  # of a table
_MOST_STEPS = 400  # of a curve
_ODD = "known outliers"
_GRAY = "#7a7a7a"  # stands out from light and from dark ground
_HATCHED = {
    "color": _GRAY,
    "line": {"width": 1, "color": _GRAY},
    "pattern": {"shape": "/", "size": 5, "fillmode": "replace"},
}

_PLAIN_CARD = "On each card from left to right: the image, and its reconstruction."
_HEAT_CARD = (
    "On each card from left to right: the image, what is odd in it, and its reconstruction. Odd are "
    "pixels that the model did not expect, from clear over yellow to red, on one scale for all images "
    "that was fixed in training: normal images are seldom red anywhere."
)
_STRUCTURE_CARD = (
    "On each card from left to right: the image, where its reconstruction fails as others' do not, from "
    "clear over yellow to red, and its reconstruction. Several questions decide, and this is the only one "
    "that has places: images that another one decided are shown without colors."
)
_FLAGGED = (
    "Of normal rows the model's false_alarm_rate is expected, 5 % unless said; what is odd among these "
    "rows and was not named so (outliers, --outlier) is flagged on top."
)
_SHARE = "Depends on the share of outliers among the rows."
_MEASURES = (
    MeasureRow("false_alarms", "rows not known to be odd that are flagged", "%", "", 1, _FLAGGED),
    MeasureRow("detected", "known outliers that are flagged", "%", "higher", 1),
    MeasureRow(
        "auroc",
        "AUROC of the known outliers",
        "",
        "higher",
        3,
        clause="{name} finds known outliers with an AUROC of {value}",
        respect="how well they find known outliers, by AUROC",
    ),
    MeasureRow("average_precision", "average precision of the known outliers", "", "higher", 3, _SHARE),
)


def _measure(seen: Seen) -> dict[str, of.Measure]:
    """Measure what is flagged, and how well scores find known outliers; rows of both kinds are resampled."""
    found: dict[str, of.Measure] = {}
    scores, odd = seen.scores, seen.basis.odd
    if seen.flagged is not None:
        found |= {"false_alarms": share(seen.flagged[~odd]), "detected": share(seen.flagged[odd])}
    if odd.any():
        for name, statistic in (("auroc", roc_auc_score), ("average_precision", average_precision_score)):
            value = functools.partial(_of_both, statistic)
            found[name] = bootstrap(value, scores, odd, random_state=seen.basis.seed, least=0, most=1)
    return found


def _of_both(statistic: Callable[..., float], scores: np.ndarray, outliers: np.ndarray) -> float:
    """Return how well scores part rows of two kinds, NaN where there is one kind."""
    return float(statistic(outliers, -scores)) if 0 < outliers.sum() < len(outliers) else np.nan


def _read(comparison: "Comparison") -> tuple[str, str]:
    models, outliers = comparison.models, comparison.data.outliers
    thresholds = any(model.threshold is not None for model in models)
    flagged = ", and rows left of the dashed line are flagged" if thresholds else ""
    units = (
        "; scores of two models may have different units and cannot be compared with each other"
        if len(models) > 1
        else ""
    )
    few = "" if outliers is None else "; verdicts on few known outliers are uncertain, as the intervals say"
    read = f"A higher score is more normal{flagged}; the oddest rows follow, with what makes them odd."
    doubt = f"Odd means unlike the rows trained on, not wrong{units}{few}."
    return read, doubt


def _draw(comparison: "Comparison") -> Iterator[Plot | Cards]:
    """Give scores, verdicts on known outliers, and the oddest rows."""
    models, outliers = comparison.models, comparison.data.outliers
    scores = {model.name: model.scores for model in models}
    units = [f"{model.score_name}, {model.score_unit} (→ more normal)" for model in models]
    histogram = score_histograms(scores, [model.threshold for model in models], units, outliers)
    yield Plot(histogram, "Histograms of the scores")
    if outliers is not None and outliers.any() and not outliers.all():
        words = "ROC and precision-recall curves of the known outliers"
        yield Plot(detection_curves(scores, outliers), words)
    said, n_cards = "", max(_FEWEST_CARDS, _MOST_CARDS // len(models))
    for model in models:
        if len(model.oddest.index):
            title = f"Oddest to {model.name}" if len(models) > 1 else "The oddest rows"
            plain = "" if comparison.data.image_shape is None else _PLAIN_CARD
            heat = _STRUCTURE_CARD if model.oddest.questions else _HEAT_CARD
            caption = plain if model.oddest.overlays is None else heat
            cards = [_card(comparison.data, model, i) for i in range(min(n_cards, len(model.oddest.index)))]
            yield Cards(title, cards, "" if caption == said else caption)
            said = caption


def score_histograms(
    scores: Mapping[str, np.ndarray],
    thresholds: Sequence[float | None],
    units: Sequence[str],
    outliers: np.ndarray | None = None,
) -> "Figure":
    """Draw how scores are distributed, and where the verdict falls: left of a threshold rows are flagged.

    Per model bars of its color that sum to 100, and hatched ones of known outliers that do too; scores that
    lie far out are in the first and the last. ``units`` say what every model's score is.
    """
    figure = panels(list(scores), x="", y="share of rows, %", height=310)
    kinds = [("all rows", np.ones(len(next(iter(scores.values()))), dtype=bool))]
    if outliers is not None:
        kinds = [("normal", ~outliers), (_ODD, outliers)]
    for i, (own, threshold, unit) in enumerate(zip(scores.values(), thresholds, units, strict=True)):
        edges = closed(bin_scores(own, threshold)[1])
        for name, rows in kinds:
            inside = np.clip(np.nan_to_num(own[rows], nan=-np.inf), edges[0], edges[-1])
            counts, _ = np.histogram(inside, edges)
            figure.add_bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=100 * counts / max(1, counts.sum()),
                width=np.diff(edges),
                name=name,
                legendgroup=name,
                showlegend=i == 0 and name == _ODD,
                marker=_HATCHED if name == _ODD else {"color": series(i)["line"]["color"]},
                opacity=0.8,
                hovertemplate="%{y:.1f} % near %{x:.4g}<extra></extra>",
                **axes(i),
            )
        if threshold is not None:
            _mark(figure, i, threshold)
        figure.layout[f"xaxis{i + 1}"].update(title_text=escaped(unit, 60), zeroline=False)
    figure.update_layout(barmode="overlay", bargap=0)
    return figure if outliers is None else with_legend(figure)


def _mark(figure: "Figure", i: int, threshold: float) -> None:
    """Draw a threshold into the i-th panel."""
    own = axes(i)
    where = {"xref": own["xaxis"], "yref": f"{own['yaxis']} domain"}
    line = {"dash": "dash", "width": 1.5}
    figure.add_shape(type="line", x0=threshold, x1=threshold, y0=0, y1=1, line=line, **where)
    text = {"text": "◂ flagged", "font_size": 12, "showarrow": False}
    figure.add_annotation(x=threshold, y=1, xanchor="right", yanchor="top", **text, **where)
    # shapes do not widen an axis, and this line must be seen
    unseen = {"mode": "markers", "marker_opacity": 0, "showlegend": False, "hoverinfo": "skip"}
    figure.add_scatter(x=[threshold], y=[0], **unseen, **own)


def detection_curves(scores: Mapping[str, np.ndarray], outliers: np.ndarray) -> "Figure":
    """Draw how many known outliers are found for how many false alarms, and how often an alarm is right.

    Two panels, ROC and precision-recall, with a line per model in each, and dotted what guessing gives.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    figure = panels(["ROC", "Precision and recall"], x="", y="", height=380)
    share, found = 100 * outliers.mean(), "found, % of outliers"
    for i, (x, y, guess) in enumerate(
        [("false alarms, % of normal rows", found, [0, 100]), (found, "right, % of alarms", [share, share])]
    ):
        figure.layout[f"xaxis{i + 1}"].update(title_text=x, range=[-2, 102], zeroline=False)
        figure.layout[f"yaxis{i + 1}"].update(title_text=y, range=[-2, 102], zeroline=False)
        figure.add_scatter(
            x=[0, 100],
            y=guess,
            mode="lines",
            name="guessing",
            showlegend=i == 0,
            line={"dash": "dot", "width": 1},
            meta=INK,
            hoverinfo="skip",
            **axes(i),
        )
    for i_model, (name, own) in enumerate(scores.items()):
        false, found, _ = roc_curve(outliers, -own)
        right, recall, _ = precision_recall_curve(outliers, -own)
        for i, (x, y) in enumerate([(false, found), (recall, right)]):
            kept = np.unique(np.linspace(0, len(x) - 1, _MOST_STEPS).astype(int))
            figure.add_scatter(
                x=(100 * x[kept]).astype(np.float32),
                y=(100 * y[kept]).astype(np.float32),
                mode="lines",
                name=escaped(name),
                legendgroup=name,
                showlegend=i == 0,
                line=series(i_model)["line"],
                hovertemplate="%{x:.1f} %, %{y:.1f} %",
                **axes(i),
            )
    return with_legend(figure)


def _card(data: Data, model: ModelView, i: int) -> dict[str, Any]:
    """Return the i-th oddest row of a model: its picture or surprising columns, and what is known of it."""
    odd = model.oddest
    row = odd.index[i]
    name = str(data.names[row])
    facts = [("score", number(model.scores[row], 1))]
    if model.p_values is not None:
        facts.append(("p-value", f"{model.p_values[row]:.3f}"))
    if model.flagged is not None:
        facts.append(("verdict", "flagged" if model.flagged[row] else "not flagged"))
    if odd.questions:
        facts.append(("decided by", odd.questions[i]))
    if data.labels is not None:
        facts.append(("label", str(data.labels[row])))
    if data.outliers is not None:
        facts.append(("known as", "outlier" if data.outliers[row] else "normal"))
    picture, because = None, []
    if data.image_shape is not None:
        picture = _picture(odd, i, data.image_shape, name)
    else:
        because = [
            [str(reason.column), _plain(reason.value), _plain(reason.expected)]
            for reason in odd.because[i].head(_MOST_COLUMNS).itertuples(index=False)
        ]
    return {"picture": picture, "name": name, "facts": facts, "because": because}


def _picture(odd: Oddest, i: int, image_shape: tuple[int, int, int], name: str) -> dict[str, Any]:
    """Return a row, its heat map and its reconstruction side by side, all in color."""
    channels, height, width = image_shape
    parts = [odd.values[i], odd.reconstructions[i]]
    images = [np.broadcast_to(part.reshape(channels, -1), (3, height * width)).ravel() for part in parts]
    if odd.overlays is not None:
        images.insert(1, odd.overlays[i].transpose(2, 0, 1).reshape(-1) / 255)
    thumbnails = make_thumbnails(np.stack(images), (3, height, width), longest=_LARGEST)
    return thumbnail_strip("", thumbnails, f"{name}, what is odd in it, and its reconstruction")


def _plain(value: Any) -> str:
    """Return a cell of a table of unknown type as text."""
    return f"{value:.4g}".replace("-", "−") if isinstance(value, (int, float, np.number)) else str(value)


def _warn(model: ModelView, data: Data, blank: bool) -> list[str]:
    """Say that verdicts lack rows that trained nothing, if so."""
    told = (
        "No rows were held out to calibrate: there are no p-values, and the threshold, set by training "
        "rows, may flag more of new normal rows than of those."
    )
    return [told] if model.p_values is None and model.threshold is not None else []


def _note(data: Data) -> list[str]:
    """Say that few outliers are known, if so."""
    n = _FEW_OUTLIERS if data.outliers is None else int(data.outliers.sum())
    if n >= _FEW_OUTLIERS:
        return []
    known = f"{counted(n, 'outlier')} {'is' if n == 1 else 'are'} known"
    return [f"Only {known}: AUROC and average precision are rough."]


ODD = Question("odd", "Who is odd?", _MEASURES, _measure, _read, _draw, warn=_warn, note=_note)
