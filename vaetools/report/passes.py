"""What a fitted model makes of the rows of a comparison: codes, scores, samples and paths, as arrays."""

import dataclasses
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaetools.anomaly.calibration import conformal_p_values
from vaetools.anomaly.promise import likelihood_in_words
from vaetools.estimators.engine import Engine
from vaetools.estimators.groups import p_values_within, thresholds
from vaetools.geometry import nearest
from vaetools.latent.paths import grid, morph, traverse
from vaetools.report.models import Opened
from vaetools.report.records import Data, ModelView, Oddest

N_MEASURED, N_DRAWS, N_PATHS, N_PATH_STEPS = 10_000, 2_000, 48, 11
N_NEIGHBORS, N_ODDEST, N_SAMPLES, N_PAIRS = 6, 12, 48, 6
N_TRAVERSED, N_STEPS, N_SIDE = 8, 9, 12
EXTENT = 2.0  # standard deviations of the codes, to either side of their mean
_N_REASONS = 3


class Factors(NamedTuple):
    """What made the rows, where that is known."""

    values: np.ndarray  # (n_samples, n_factors): numbers, and classes by number
    continuous: list[bool]  # which are numbers


@dataclasses.dataclass(frozen=True, eq=False)
class Basis:
    """What all models are measured on, and on what scale."""

    index: np.ndarray  # numbers of the measured rows: none that is known to be odd, and at most 10,000
    rows: np.ndarray  # these, (n_measured, n_features), in steps of the scale
    labels: np.ndarray | None  # theirs
    odd: np.ndarray  # (n_samples,), bool: which of all rows are known to be odd
    scale: np.ndarray  # what counts as one step in a column: of pixels 1, of tables the standard deviation
    image_shape: tuple[int, int, int] | None
    pairs: np.ndarray  # (n_pairs, 2): rows to interpolate between, of two classes where there are any
    seed: int
    factors: Factors | None  # of the measured rows


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What one model makes of the rows; decoded rows are in the units that all models share."""

    model: Opened
    basis: Basis
    codes: np.ndarray  # (n_samples, n_components): latent means
    draws: np.ndarray  # a draw from the posterior of each; of an AE the codes again
    scores: np.ndarray
    flagged: np.ndarray | None
    p_values: np.ndarray | None
    costs: pd.DataFrame  # of the measured rows, in nats: reconstruction and kl
    reconstructions: np.ndarray  # of the measured rows
    samples: np.ndarray  # (n_draws, n_features): decoded draws from the prior, of an AE from N(0, I)
    paths: np.ndarray  # (n_pairs, n_steps, n_features): decoded straight lines between codes of pairs


def choose(rows: np.ndarray, data: Data, seed: int, factors: Factors | None = None) -> Basis:
    """Choose the rows to measure and the pairs to interpolate between."""
    rng = np.random.default_rng(seed)
    odd = np.zeros(len(rows), bool) if data.outliers is None else data.outliers
    index = np.sort(rng.permutation(np.flatnonzero(~odd))[:N_MEASURED])
    scale = np.ones(rows.shape[1]) if data.std is None else np.where(data.std > 0, data.std, 1.0)
    starts, ends = rng.permuted(np.tile(index, (2, 1)), axis=1)
    labels = np.arange(len(rows)) if data.labels is None else data.labels
    apart = labels[starts] != labels[ends]
    pairs = np.stack([starts, ends], axis=1)
    return Basis(
        index=index,
        rows=rows[index] / scale,
        labels=None if data.labels is None else data.labels[index],
        odd=odd,
        scale=scale,
        image_shape=data.image_shape,
        pairs=np.concatenate([pairs[apart], pairs[~apart]])[:N_PATHS],
        seed=seed,
        factors=factors and factors._replace(values=factors.values[index]),
    )


def see(opened: Opened, basis: Basis) -> Seen:
    """Encode, score and decode with one model: rows pass it once, unless there are more than are measured."""
    model, engine = opened.estimator, Engine(opened.estimator)
    rows = engine.rows(opened.rows)
    asked: list[Any] = [engine.score(), engine.score("neg_reconstruction"), attrgetter("mean")]
    asked += [engine.score("neg_kl")] if engine.has_prior else []
    asked += [attrgetter("latent.log_std")] if engine.has_spread else []
    if len(rows) <= N_MEASURED:
        *found, expected = engine.map(rows, *asked, engine.in_units)
        made = engine.as_table(expected.astype(rows.precision)[basis.index])
    else:
        found, made = engine.map(rows, *asked), engine.reconstruct(opened.take(basis.index))
    scores, fit, codes, *spread = found
    kl, draws = np.zeros(len(codes)), codes
    if engine.has_prior:
        kl = -spread[0]
    if engine.has_spread:
        noise = np.random.default_rng(basis.seed).standard_normal(codes.shape)
        draws = codes + np.exp(spread[1]) * noise
    known, offset = getattr(model, "calibration_scores_", None), getattr(model, "offset_", None)
    p_values = None if known is None else conformal_p_values(scores, known)
    if opened.context is not None:
        p_values = None if known is None else p_values_within(model, scores, rows)
        offset = thresholds(model, rows)
    return Seen(
        model=opened,
        basis=basis,
        codes=codes,
        draws=draws,
        scores=scores,
        flagged=None if offset is None else scores < offset,
        p_values=p_values,
        costs=pd.DataFrame({"reconstruction": -fit, "kl": kl}).iloc[basis.index],
        reconstructions=opened.shared(made),
        samples=opened.sample(N_DRAWS, basis.seed),
        paths=np.stack([_path(opened, opened.take(pair)) for pair in basis.pairs]),
    )


def _path(opened: Opened, ends: Any) -> np.ndarray:
    """Decode the straight line between the codes of two rows."""
    if opened.context is not None:
        return opened.between(ends, N_PATH_STEPS)
    if opened.spread is None:
        return opened.shared(morph(opened.estimator, ends, N_PATH_STEPS))
    return morph(opened.estimator, ends, N_PATH_STEPS, decode=opened.decoded)


def view(seen: Seen, data: Data, points: np.ndarray) -> ModelView:
    """Return what a page shows of one model, without warnings; ``points`` are its codes on their map."""
    opened, basis = seen.model, seen.basis
    model, samples = opened.estimator, seen.samples[:N_SAMPLES]
    terms = model.mean_terms_.copy()
    terms.loc["new"] = seen.costs.mean()
    return ModelView(
        name=opened.name,
        kind=type(model).__name__,
        has_prior=opened.has_prior,
        has_words=opened.has_words,
        trains_by_one_scale=opened.trains_by_one_scale,
        facts=_facts(opened),
        codes=seen.codes,
        points=points,
        neighbors=nearest(seen.codes, min(N_NEIGHBORS, len(seen.codes) - 1)).indices,
        scores=seen.scores,
        score_name=model.anomaly_score_,
        score_unit=model.score_unit_,
        threshold=getattr(model, "offset_", None) if opened.context is None else None,
        flagged=seen.flagged,
        p_values=seen.p_values,
        reference_codes=model.reference_codes_,
        posterior_draws=seen.draws[basis.index],
        kl_per_component=model.kl_per_component_,
        active_units=opened.in_use,
        history=model.history_,
        terms=terms,
        reconstructions=opened.shared(model.reconstruct(opened.take(data.shown_index))),
        samples=samples,
        nearest_to_samples=basis.index[nearest(basis.rows, 1, samples / basis.scale).indices[:, 0]],
        **_walks(opened, seen.codes[basis.index]),
        interpolations=seen.paths[:N_PAIRS],
        interpolated_pairs=basis.pairs[:N_PAIRS],
        oddest=_oddest(opened, seen.scores, data),
        warnings={},
    )


def _facts(opened: Opened) -> dict[str, str]:
    """Return what a reader must know of a model."""
    model = opened.estimator
    facts = {
        "components": f"{len(opened.in_use)}, {int(opened.in_use.sum())} in use",
        "likelihood": likelihood_in_words(model.likelihood, getattr(model, "gaussian_scale_", None)),
        "fitted on": f"{model.n_samples_:,} rows",
        "epochs": f"{model.n_iter_:,}",
        "score": model.anomaly_score_,
    }
    if opened.is_normal:
        facts["beta"] = f"{model.beta:g}"
    if hasattr(model, "word_counts_"):
        n_words = len(model.word_counts_)
        facts["words"] = f"{n_words:,}, {n_words - model.n_dead_words_:,} in use"
    if opened.conditional:
        facts["decoded as"] = str(opened.commonest)
    return facts


class Walks(NamedTuple):
    """Straight walks along components of a latent space, decoded."""

    components: np.ndarray  # (n_walks,)
    values: np.ndarray  # (n_walks, n_steps): what the component is at every step
    rows: np.ndarray  # (n_walks, n_steps, n_features)


def walk(opened: Opened, codes: np.ndarray, n_walks: int, n_steps: int) -> Walks:
    """Decode straight walks along components, to either side of the mean code.

    Components that cost most KL come first; those of an AE by how widely their codes spread. What is
    not in use is left out, but for one component if none is.
    """
    center, spread = codes.mean(axis=0), codes.std(axis=0)
    told = opened.estimator.kl_per_component_ if opened.has_prior else spread
    n_used = max(1, min(n_walks, int(opened.in_use.sum())))
    components = np.argsort(-np.where(opened.in_use, told, -1.0), kind="stable")[:n_used]
    values = center + spread * np.linspace(-EXTENT, EXTENT, n_steps)[:, None]  # (n_steps, n_components)
    lines = np.stack([traverse(center, component, values[:, component]) for component in components])
    return Walks(components, values[:, components].T, opened.decode(lines))


def _walks(opened: Opened, codes: np.ndarray) -> dict[str, Any]:
    """Decode straight walks along components, and the plane of the first two."""
    traversed, values, rows = walk(opened, codes, N_TRAVERSED, N_STEPS)
    center, spread = codes.mean(axis=0), codes.std(axis=0)
    plane = traversed[:2]
    reach = np.linspace(-EXTENT, EXTENT, N_SIDE)
    sides = [center[component] + spread[component] * reach for component in plane]
    if len(plane) == 1:
        squares = traverse(center, plane[0], sides[0])[None]  # (1, n_side, n_components)
        sides = [center[plane], *sides]
    else:
        squares = grid(center, tuple(plane), *sides)  # (n_side, n_side, n_components)
    return {
        "traversed": traversed,
        "traversals": rows,
        "traversal_values": values,
        "grid": opened.decode(squares),
        "grid_values": tuple(sides),
    }


def _oddest(opened: Opened, scores: np.ndarray, data: Data) -> Oddest:
    """Return the rows that score lowest, and why."""
    index = np.argsort(scores, kind="stable")[:N_ODDEST]
    found = opened.estimator.explain(opened.take(index))
    n_reasons = min(_N_REASONS, found.value.shape[1])
    reasons = found.table(top=n_reasons).drop(columns="row")
    return Oddest(
        index=index,
        values=opened.shared(found.value),
        reconstructions=opened.shared(found.expected),
        overlays=found.overlays() if data.image_shape and found.heat_range is not None else None,
        because=tuple(
            reasons.iloc[start : start + n_reasons].reset_index(drop=True)
            for start in range(0, len(reasons), n_reasons)
        ),
        questions=() if found.question is None else tuple(found.question.tolist()),
    )
