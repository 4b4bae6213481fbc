"""Every measure of `MEASURES` for one model: which arrays each is of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from vaetools.latent import organization as of
from vaetools.latent.organization.measure import Measure, bootstrap, mean, share
from vaetools.report.comparison import MEASURES, Data
from vaetools.report.models import Fitted
from vaetools.report.passes import Plan, Seen

_N_RANKED = 2_000  # rows whose neighbors are ranked, which takes time with their square
_N_PROBED = 3_000  # codes that a linear probe learns from
_N_LOOKED_AT = 2_000  # images whose structure is compared with their reconstruction's


def measure(seen: Seen, data: Data, plan: Plan, fitted: Fitted) -> pd.DataFrame:
    """Return the measures of one model that its data allow.

    Parameters
    ----------
    seen : Seen
    data : Data
    plan : Plan
    fitted : Fitted

    Returns
    -------
    measures : DataFrame of shape (n_measures, 4)
        Columns ``measure``, ``value``, ``low`` and ``high``; NaN where there is no interval. What is
        not a number for want of rows is left out.
    """
    rows = plan.rows[plan.normal] / plan.scale
    labels = None if data.labels is None else data.labels[plan.normal]
    found = {
        **_of_codes(seen.codes[plan.normal], seen.draws[plan.normal], rows, labels, plan.seed),
        **_of_samples(seen, rows, labels, plan),
        **_of_costs(seen, rows, data.image_shape, plan),
        "off_training": of.off_data(
            seen.codes[plan.normal], fitted.estimator.reference_codes_, random_state=plan.seed
        ),
        "active_units": Measure(float(fitted.in_use.sum()), np.nan, np.nan),
    }
    if not fitted.variational:
        del found["rate"]
    odd = np.zeros(len(plan.rows), bool) if data.outliers is None else data.outliers
    if hasattr(fitted.estimator, "offset_"):
        flagged = seen.scores < fitted.estimator.offset_
        found |= {"false_alarms": share(flagged[~odd]), "detected": share(flagged[odd])}
    if odd.any():
        found |= _of_scores(seen.scores, odd, plan.seed)
    named = [(name, *found[name]) for name in MEASURES if name in found and not np.isnan(found[name].value)]
    return pd.DataFrame(named, columns=["measure", "value", "low", "high"])


def _of_codes(
    codes: np.ndarray, draws: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, seed: int
) -> dict[str, Measure]:
    """Neighbors and classes of the codes; gaps and roundness of draws from their posterior."""
    half = np.random.default_rng(seed).permutation(len(draws)) < len(draws) / 2
    kept = {"n_max": _N_RANKED, "random_state": seed}
    found = {
        "trustworthiness": of.trustworthiness(rows, codes, **kept),
        "continuity": of.continuity(rows, codes, **kept),
        "neighborhood_overlap": of.neighborhood_overlap(rows, codes, **kept),
        "prior_empty": of.prior_empty(draws, random_state=seed),
        "holes": of.holes(draws, random_state=seed),
        "off_codes": of.off_codes(draws[half], draws[~half], random_state=seed),
        "moment_kl": of.moment_kl(draws, random_state=seed),
        "sliced_wasserstein": of.sliced_wasserstein(draws, random_state=seed),
        "effective_rank": of.effective_rank(draws, random_state=seed),
        "correlation": of.correlation(draws, random_state=seed),
    }
    if labels is not None:
        found |= {
            "knn_accuracy": of.knn_accuracy(codes, labels),
            "silhouette": of.silhouette(codes, labels, random_state=seed),
            "cluster_agreement": of.cluster_agreement(codes, labels, random_state=seed),
            "linear_probe": of.linear_probe(codes, labels, n_max=_N_PROBED, random_state=seed),
        }
    return found


def _of_samples(seen: Seen, rows: np.ndarray, labels: np.ndarray | None, plan: Plan) -> dict[str, Measure]:
    """Rows decoded from N(0, I), and between two codes, against those of the data."""
    samples, paths, seed = seen.samples / plan.scale, seen.paths / plan.scale, plan.seed
    between = paths[:, 1:-1].reshape(-1, rows.shape[1])
    against = {"samples": samples, "X": rows, "random_state": seed}
    found = {
        "off_data": of.off_data(**against),
        "precision": of.precision(**against),
        "recall": of.recall(**against),
        "density": of.density(**against),
        "coverage": of.coverage(**against),
        "path_length": of.path_length(paths),
        "jumps": of.jumps(paths),
        "off_data_between": of.off_data(between, rows, random_state=seed),
    }
    if labels is not None:
        named = of.knn_probabilities(rows, labels, samples)
        found |= {
            "class_entropy": of.class_entropy(named, random_state=seed),
            "ambiguity": of.ambiguity(named),
        }
    return found


def _of_costs(
    seen: Seen, rows: np.ndarray, image_shape: tuple[int, int, int] | None, plan: Plan
) -> dict[str, Measure]:
    """Rate and distortion in nats, and how near reconstructions come."""
    costs = seen.costs.iloc[plan.normal]
    made = seen.reconstructions / plan.scale
    found = {
        "rate": mean(costs["kl"].to_numpy(), least=0),
        "distortion": mean(costs["reconstruction"].to_numpy()),
        "mse": of.mse(rows, made),
    }
    if image_shape is not None:
        some = slice(_N_LOOKED_AT)
        found |= {
            "psnr": of.psnr(rows, made),
            "ssim": of.ssim(rows[some], made[some], image_shape),
        }
    return found


def _of_scores(scores: np.ndarray, outliers: np.ndarray, seed: int) -> dict[str, Measure]:
    """How well scores find the known outliers; rows of both kinds are resampled."""

    def of_both(statistic: Callable[..., float]) -> Measure:
        def value(scores: np.ndarray, outliers: np.ndarray) -> float:
            return float(statistic(outliers, -scores)) if 0 < outliers.sum() < len(outliers) else np.nan

        return bootstrap(value, scores, outliers, random_state=seed, least=0, most=1)

    return {"auroc": of_both(roc_auc_score), "average_precision": of_both(average_precision_score)}
