"""A `Demo` built by hand: two known labels, one of them hostile, and an unknown one."""

import numpy as np

from vaetools.report.demo import N_SAMPLED, N_STEPS, Demo, ModelViews, Oddest, TableRow

HOSTILE = "<script>alert('a & b')</script>"
KNOWN = np.array([HOSTILE, "plain"])
UNKNOWN = "<b>strange</b>"
SHAPE = (1, 2, 3)


def make_demo():
    """Return a small demo of two models."""
    rng = np.random.default_rng(0)
    rows = rng.random((N_SAMPLED * len(KNOWN), 6))
    labels = np.array([KNOWN[0]] * 4 + [KNOWN[1]] * 3 + [UNKNOWN] * 2)
    views = tuple(
        ModelViews(name, rng.normal(size=(9, 2)), rows[:4], rows, has_labels, rows[:N_STEPS])
        for name, has_labels in (("VAE", False), ("CVAE", True))
    )
    odd = Oddest(
        images=rows[:3],
        reconstructions=rows[3:6],
        scores=np.array([-31.25, -2.5, 4.0]),
        p_values=np.array([0.004, 0.02, 0.5]),
        flagged=np.array([True, True, False]),
        labels=np.array([UNKNOWN, KNOWN[0], UNKNOWN]),
    )
    return Demo(
        table=(
            TableRow("VAE", 1.25, -35.55, 12.0, 0.996, 0.0625, 0.75, 0.9),
            TableRow("CVAE", 2.0, -30.0, 11.0, 0.9, 0.05, 0.5, 0.5),
            TableRow("PCA", 0.01, None, None, 0.8, None, None, 0.95),
        ),
        views=views,
        oddest=odd,
        judge="VAE",
        known_scores=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]),
        unknown_scores=np.array([-90.0, 1.0]),
        threshold=0.5,
        originals=rows[:4],
        original_labels=labels[:4],
        mapped_labels=labels,
        known_labels=KNOWN,
        morph_labels=(KNOWN[0], KNOWN[1]),
        unknown_label=UNKNOWN,
        image_shape=SHAPE,
        n_train=1234,
    )
