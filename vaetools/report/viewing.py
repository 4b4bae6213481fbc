"""One model as the page shows it: a `ModelView` of what it made of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from vaetools.latent.paths import grid, traverse
from vaetools.report.comparison import Data, ModelView, Oddest
from vaetools.report.models import Fitted
from vaetools.report.passes import Plan, Seen

N_NEIGHBORS, N_ODDEST, N_SAMPLES, N_PAIRS = 6, 12, 48, 6
N_TRAVERSED, N_STEPS, N_SIDE = 8, 9, 12
_EXTENT = 2.0  # standard deviations of the codes, to either side of their mean
_N_REASONS = 3


def view(fitted: Fitted, seen: Seen, data: Data, plan: Plan, points: np.ndarray) -> ModelView:
    """Return what a page shows of one model, without warnings.

    Parameters
    ----------
    fitted : Fitted
    seen : Seen
    data : Data
    plan : Plan
    points : ndarray of shape (n_samples, 2)
        The codes on their map.

    Returns
    -------
    view : ModelView
    """
    model = fitted.estimator
    samples = seen.samples[:N_SAMPLES]
    terms = model.mean_terms_.copy()
    terms.loc["new"] = seen.costs.iloc[plan.normal].mean()
    return ModelView(
        name=fitted.name,
        kind=type(model).__name__,
        variational=fitted.variational,
        facts=_facts(fitted),
        codes=seen.codes,
        points=points,
        neighbors=_nearest_others(seen.codes),
        scores=seen.scores,
        score_name=model.anomaly_score_,
        score_unit=model.score_unit_,
        threshold=getattr(model, "offset_", None),
        p_values=seen.p_values,
        reference_codes=model.reference_codes_,
        posterior_draws=seen.draws[plan.normal],
        kl_per_component=model.kl_per_component_,
        active_units=fitted.in_use,
        history=model.history_,
        terms=terms,
        reconstructions=fitted.shared(model.reconstruct(fitted.take(data.shown_index))),
        samples=samples,
        nearest_to_samples=plan.normal[_nearest(samples / plan.scale, plan.rows[plan.normal] / plan.scale)],
        **_walks(fitted, seen.codes[plan.normal]),
        interpolations=seen.paths[:N_PAIRS],
        interpolated_pairs=plan.pairs[:N_PAIRS],
        oddest=_oddest(fitted, seen.scores, data),
        warnings={},
    )


def _facts(fitted: Fitted) -> dict[str, str]:
    """Return what a reader must know of a model."""
    model = fitted.estimator
    likelihood = model.likelihood if isinstance(model.likelihood, str) else repr(model.likelihood)
    facts = {
        "components": f"{len(fitted.in_use)}, {int(fitted.in_use.sum())} in use",
        "likelihood": likelihood,
        "fitted on": f"{model.n_samples_:,} rows",
        "epochs": f"{model.n_iter_:,}",
        "score": model.anomaly_score_,
    }
    if fitted.variational:
        facts["beta"] = f"{model.beta:g}"
    if fitted.conditional:
        facts["decoded as"] = str(fitted.commonest)
    return facts


def _nearest_others(codes: np.ndarray) -> np.ndarray:
    """Return the numbers of the nearest other codes, nearest first."""
    n_neighbors = min(N_NEIGHBORS, len(codes) - 1)
    return NearestNeighbors(n_neighbors=n_neighbors).fit(codes).kneighbors(return_distance=False)


def _nearest(made: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the number of the row that is nearest to every decoded one."""
    return NearestNeighbors(n_neighbors=1).fit(rows).kneighbors(made, return_distance=False)[:, 0]


def _walks(fitted: Fitted, codes: np.ndarray) -> dict[str, Any]:
    """Decode straight walks along components, and the plane of the first two.

    Components that cost most KL come first; those of an AE by how widely their codes spread. What is
    not in use is left out, but for one component if none is.
    """
    center, spread = codes.mean(axis=0), codes.std(axis=0)
    told = fitted.estimator.kl_per_component_ if fitted.variational else spread
    n_used = max(1, min(N_TRAVERSED, int(fitted.in_use.sum())))
    in_use = np.where(fitted.in_use, told, -1.0)
    traversed = np.argsort(-in_use, kind="stable")[:n_used]
    values = center + spread * np.linspace(-_EXTENT, _EXTENT, N_STEPS)[:, None]  # (n_steps, n_components)
    lines = np.stack([traverse(center, component, values[:, component]) for component in traversed])
    plane = traversed[:2]
    reach = np.linspace(-_EXTENT, _EXTENT, N_SIDE)
    sides = [center[component] + spread[component] * reach for component in plane]
    if len(plane) == 1:
        squares = traverse(center, plane[0], sides[0])[None]  # (1, n_side, n_components)
        sides = [center[plane], *sides]
    else:
        squares = grid(center, tuple(plane), *sides)  # (n_side, n_side, n_components)
    return {
        "traversed": traversed,
        "traversals": _decoded(fitted, lines),
        "traversal_values": values[:, traversed].T,
        "grid": _decoded(fitted, squares),
        "grid_values": tuple(sides),
    }


def _decoded(fitted: Fitted, codes: np.ndarray) -> np.ndarray:
    """Decode an array of codes with two leading axes."""
    return fitted.decode(codes.reshape(-1, codes.shape[-1])).reshape(*codes.shape[:2], -1)


def _oddest(fitted: Fitted, scores: np.ndarray, data: Data) -> Oddest:
    """Return the rows that score lowest, and why."""
    index = np.argsort(scores, kind="stable")[:N_ODDEST]
    found = fitted.estimator.explain(fitted.take(index))
    n_reasons = min(_N_REASONS, found.value.shape[1])
    reasons = found.table(top=n_reasons).drop(columns="row")
    return Oddest(
        index=index,
        values=fitted.shared(found.value),
        reconstructions=fitted.shared(found.expected),
        overlays=found.overlays() if data.image_shape and found.heat_range is not None else None,
        because=tuple(
            reasons.iloc[start : start + n_reasons].reset_index(drop=True)
            for start in range(0, len(reasons), n_reasons)
        ),
    )
