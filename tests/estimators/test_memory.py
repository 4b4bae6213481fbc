"""Memory of scoring and encoding does not grow with the rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="peak memory is read through POSIX")

_SCRIPT = """
import resource, sys
import numpy as np
from vaetools import VAE

unit = 1 if sys.platform == "darwin" else 1024
few = np.random.default_rng(0).random((500, 784), dtype=np.float32)
vae = VAE(20, hidden_layer_sizes=(64,), max_iter=1, random_state=0).fit(few)
X = np.broadcast_to(few[0], (100_000, 784))  # takes no memory; a copy takes 314 MB
for method in (vae.transform, vae.score_samples):
    method(X[:10_000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for method in (vae.transform, vae.score_samples):
    method(X)
print(unit * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def test_ten_times_the_rows_take_no_more_memory_than_their_results():
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60e6  # the codes are 8 MB
