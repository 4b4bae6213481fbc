"""Explorers for tests: of models that were hardly trained, with names that want to do harm."""

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from vaetools import VAE, explore

HOSTILE = [
    "<script>document.title='broken'</script>\"'&<b>bold</b>",
    '"><img src=x onerror=document.title=1>.png',
    "two\nlines,\u2028and \x1b[2J a comma.png",
    "caf\udce9.png",
    "\u202egnp.{{ 7 * 7 }}</script>",
    "=1+1",
]


def images(n=120, *, hostile=True):
    """Digits under names, and what they show."""
    X, y = load_digits(return_X_y=True)
    names = [*HOSTILE, *(f"digits/{i}.png" for i in range(len(HOSTILE), n))]
    labels = np.array([f"<b>{label}</b>" if hostile else str(label) for label in y[:n]])
    return pd.DataFrame(X[:n] / 16, index=pd.Index(names, dtype=object)), labels


def of_images(n=120, **options):
    """Return an explorer of digits and its model."""
    X, y = images(n)
    settings = {"image_shape": (1, 8, 8), "hidden_channels": (), "max_iter": 40, "random_state": 0}
    model = VAE(3, **settings, beta=0.1, learning_rate_init=1e-2, false_alarm_rate=0.3).fit(X.to_numpy())
    return explore(model, X, y, **{"method": "pca"} | options), model


def of_table(n=100):
    """Return an explorer of a table and its model."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(n, 4)) * [1, 1e4, 1e-3, 1], columns=["a", "<b>", "c", "d"])
    model = VAE(2, max_iter=3, random_state=0, false_alarm_rate=0.3).fit(X)
    return explore(model, X, X["a"] > 0, method="latent"), model, X


def of_mixed_table(n=120, model=None, y=None):
    """Return an explorer of a table of several kinds of columns and its model; one color is unseen."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=n)
    X = pd.DataFrame(
        {
            "score": hidden * 1e4 + rng.normal(size=n),
            "color": np.where(hidden + rng.normal(size=n) / 4 > 0, "red", "blue"),
            "whole": (hidden * 20).round().astype(int),
            "is": rng.random(n) < 0.5,
        }
    )
    X.loc[3::7, "score"] = np.nan
    X.loc[1::9, "color"] = None
    model = (model or VAE(2, likelihood="mixed", max_iter=20, random_state=0)).fit(X, y)
    X.loc[0, "color"] = "</script>"
    return explore(model, X, y, method="pca"), model, X


def until(tab, condition):
    """Wait until an expression holds; playwright's own way would evaluate text, which the page forbids."""
    for _ in range(1500):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(20)
    raise AssertionError(f"never: {condition}")
