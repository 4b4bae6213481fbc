"""A notebook shows how the loss of a fitted estimator fell, and nothing of one that was not trained."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
from sklearn import config_context

from vaetools import AE, VAE
from vaetools.estimators.sketch import loss_sketch


def shown(estimator):
    return estimator._repr_mimebundle_()["text/html"]


def points(said):
    return [
        np.array([pair.split(",") for pair in line.split()], dtype=float)
        for line in re.findall(r'points="([^"]*)"', said)
    ]


def test_a_fitted_estimator_is_shown_with_its_loss(iris):
    vae = VAE(2, max_iter=7, random_state=0).fit(iris[0])
    said = shown(vae)
    assert "Loss of VAE over 7 epochs" in said
    (curve,) = points(said)
    assert len(curve) == 7
    assert (curve[0, 0], curve[-1, 0]) == (3, 237)
    losses = vae.history_["loss"].to_numpy()
    assert (np.diff(curve[1:, 1]) > 0).tolist() == (np.diff(losses[1:]) < 0).tolist()  # downwards is more
    assert "http" not in said[said.index("<figure") :]


def test_held_out_rows_have_a_line_of_their_own(iris):
    options = {"early_stopping": True, "learning_rate": "constant", "max_iter": 5, "random_state": 0}
    said = shown(AE(2, **options).fit(iris[0]))
    assert len(points(said)) == 2
    assert "(dashed: held out)" in said


def test_what_was_not_trained_has_no_curve(iris):
    assert "<figure" not in shown(VAE())
    assert "<figure" not in shown(VAE(2, max_iter=0, random_state=0).fit(iris[0]))
    with config_context(display="text"):
        assert list(VAE()._repr_mimebundle_()) == ["text/plain"]


def test_names_are_escaped_and_gaps_are_passed_over():
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, np.nan, 1.0]})
    said = loss_sketch('<b>"', history)
    assert "<b>" not in said
    assert len(points(said)[0]) == 2
    flat = pd.DataFrame({"epoch": [1], "loss": [2.0]})
    assert points(loss_sketch("VAE", flat))[0].tolist() == [[3, 53]]


def test_long_histories_stay_small():
    history = pd.DataFrame({"epoch": range(100_000), "loss": np.linspace(9, 1, 100_000)})
    assert len(loss_sketch("VAE", history)) < 5_000


def test_it_is_drawn_without_plotly():
    code = (
        "import sys, pandas as pd; from vaetools.estimators.sketch import loss_sketch; "
        "loss_sketch('VAE', pd.DataFrame({'epoch': [1], 'loss': [2.0]})); print('plotly' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
