"""A child that is forked after its parent has computed with two threads computes too, instead of hanging."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

_SETTING = """
import multiprocessing, os
import numpy as np, torch
from vaetools import CVAE, VAE
torch.set_num_threads(2)
rng = np.random.default_rng(0)
X, y = rng.random((300, 64)), rng.integers(0, 2, 300)
models = [
    VAE(2, hidden_layer_sizes=(16,), max_iter=2, random_state=0).fit(X),
    VAE(2, image_shape=(1, 8, 8), anomaly_score="images", max_iter=2, random_state=0).fit(X),
    CVAE(2, hidden_layer_sizes=(16,), max_iter=2, random_state=0).fit(X, y),
]
expected = [model.score_samples(X) for model in models]
"""


def run(code):
    variables = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-W", "ignore", "-c", _SETTING + code]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_forked_child_scores_and_fits():
    code = """
if not os.fork():
    import signal
    signal.alarm(60)
    found = [model.score_samples(X) for model in models]
    assert all(map(np.allclose, found, expected)), (found, expected)
    again = VAE(2, hidden_layer_sizes=(16,), max_iter=2, random_state=0).fit(X)
    assert np.allclose(again.score_samples(X), expected[0], rtol=1e-3)
    assert torch.get_num_threads() == 1
    os._exit(7)
print(os.waitstatus_to_exitcode(os.wait()[1]), torch.get_num_threads())
"""
    assert run(code) == ["7", "2"]


def test_a_pool_of_forked_processes_scores():
    code = """
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map_async(models[0].score_samples, [X[:150], X[150:]]).get(timeout=60)
print(np.allclose(np.concatenate(found), expected[0]))
"""
    assert run(code) == ["True"]
