"""How often verdicts are wrong: what calibration promises, for every score, over many calibration sets."""

import numpy as np
import pytest
from scipy.stats import chisquare

from vaetools import VAE, discoveries
from vaetools.anomaly.calibration import conformal_p_values
from vaetools.anomaly.rates import expected_rate

N_SPLITS, N_TEST, N_CALIBRATION = 200, 150, 299


@pytest.fixture(scope="module")
def tables(digits):
    """Every score of 449 digits that are no 8, and of 50 that are, by a model trained on neither."""
    X, y = digits
    index = np.random.default_rng(0).permutation(len(y))
    normal, odd = index[y[index] != 8], index[y[index] == 8]
    vae = VAE(4, hidden_layer_sizes=(32,), max_iter=20, anomaly_score="latent_knn", random_state=0)
    vae.fit(X[normal[449:]])
    return vae.score_table(X[normal[:449]]), vae.score_table(X[odd[:50]])


def test_promises_are_kept_by_every_score(tables):
    normal, odd = tables
    rng = np.random.default_rng(0)
    for name in normal.columns.drop("elbo_error"):
        alarms, mistakes, firsts = [], [], []
        for _ in range(N_SPLITS):
            mixed = rng.permutation(normal[name].to_numpy())
            tested = np.concatenate([mixed[:N_TEST], odd[name]])
            p_values = conformal_p_values(tested, mixed[N_TEST:])
            alarms.append(np.mean(p_values[:N_TEST] <= 0.05))
            selected = discoveries(p_values, 0.1)
            mistakes.append(selected[:N_TEST].sum() / max(1, selected.sum()))
            firsts.append(p_values[0])
        error, mistake_error = np.std([alarms, mistakes], axis=1) / np.sqrt(N_SPLITS)
        assert abs(np.mean(alarms) - expected_rate(N_CALIBRATION, 0.05)) < 3 * error, name
        assert np.mean(mistakes) <= 0.1 + mistake_error, name
        ranks = np.rint(np.array(firsts) * (N_CALIBRATION + 1)).astype(int) - 1
        assert chisquare(np.bincount(ranks // 30, minlength=10)).pvalue > 1e-3, name
