"""A `Comparison` built by hand from small arrays: images or a table, any number of models, hostile names."""

import numpy as np
import pandas as pd

from vaetools.report.compare import Comparison
from vaetools.report.questions import MEASURES
from vaetools.report.records import Data, ModelView, Oddest

HOSTILE = "<script>document.title='broken'</script>\"'&<b>bold</b>"
LONG = "long name " * 1_000
SHAPE = (1, 6, 5)


def make_comparison(
    names=("AE", "VAE"),
    *,
    n=60,
    image_shape=SHAPE,
    labels=True,
    outliers=True,
    n_components=3,
    seed=0,
    method="umap",
):
    """Return a comparison of models of those names; ``image_shape=None`` makes it one of tables."""
    rng = np.random.default_rng(seed)
    data = make_data(n, image_shape, labels, outliers, rng)
    models = tuple(make_model(name, data, n_components, i, rng) for i, name in enumerate(names))
    answer = (f"{names[0]} leaves 41 % of the prior empty.", "A second finding.")
    measures = make_measures(names, labels, outliers, rng)
    return Comparison(data, models, measures, answer, method=method, seed=seed)


def make_data(n, image_shape, labels, outliers, rng):
    """Return rows whose first names and labels are hostile."""
    n_features = 5 if image_shape is None else int(np.prod(image_shape))
    images = image_shape is not None
    names = np.array([HOSTILE, LONG, "שלום 👩‍🔬", *(f"row {i}" for i in range(3, n))], dtype=object)
    return Data(
        names=names,
        labels=np.array([HOSTILE, "plain", "مرحبا"], dtype=object)[np.arange(n) % 3] if labels else None,
        outliers=np.arange(n) % 10 == 0 if outliers else None,
        columns=np.array([HOSTILE, LONG, *(f"column {i}" for i in range(2, n_features))], dtype=object),
        image_shape=image_shape,
        thumbnails=rng.integers(0, 256, (n, *image_shape[1:], image_shape[0]), np.uint8) if images else None,
        shown=rng.random((4, n_features)),
        shown_index=np.arange(4),
        n_different=n - (len(range(0, n, 10)) if outliers else 0),
        mean=None if images else np.full(n_features, 0.5),
        std=None if images else np.full(n_features, 0.3),
    )


def make_model(name, data, n_components, i, rng):
    """Return a model; the first is an AE, the others are variational."""
    n, n_features = len(data.names), len(data.columns)
    variational = i > 0
    codes = rng.normal(size=(n, n_components)) * (1 if variational else 5)
    steps = np.linspace(-2, 2, 7)
    n_traversed = min(2, n_components)
    scores = rng.normal(size=n) - 4.0 * (np.arange(n) % 10 == 0)
    epochs = np.arange(1, 21)
    return ModelView(
        name=name,
        kind="VAE" if variational else "AE",
        has_prior=variational,
        has_words=False,
        trains_by_one_scale=False,
        facts={"likelihood": "Gaussian, scale learnt", "components": str(n_components)}
        | ({"beta": "1"} if variational else {}),
        codes=codes,
        points=codes[:, :2] if n_components > 1 else np.repeat(codes, 2, axis=1),
        neighbors=np.argsort(((codes[:, None] - codes) ** 2).sum(axis=-1), axis=1)[:, 1:6],
        scores=scores,
        score_name="reconstruction_kl",
        score_unit="nats",
        threshold=-2.0,
        flagged=scores < -2.0,
        p_values=rng.random(n),
        reference_codes=codes + 0.1,
        posterior_draws=codes + (0.3 * rng.normal(size=codes.shape) if variational else 0),
        kl_per_component=np.linspace(3, 0.001, n_components) * variational,
        active_units=np.arange(n_components) < max(1, n_components - 1),
        history=pd.DataFrame(
            {"epoch": epochs, "loss": 100 / epochs, "held_out_loss": 100 / epochs + epochs / 5}
        ),
        terms=pd.DataFrame({"reconstruction": [10.0], "kl": [2.0]}, index=["new"]),
        reconstructions=rng.random((4, n_features)),
        samples=rng.random((8, n_features)),
        nearest_to_samples=np.arange(8),
        traversed=np.arange(n_traversed),
        traversals=rng.random((n_traversed, 7, n_features)),
        traversal_values=np.tile(steps, (n_traversed, 1)),
        grid=rng.random((5 if n_components > 1 else 1, 5, n_features)),
        grid_values=(steps[:5], steps[:5]),
        interpolations=rng.random((2, 7, n_features)),
        interpolated_pairs=np.array([[0, 3], [1, 4]]),
        oddest=make_oddest(data, scores, rng),
        warnings={"round": f"{name}: collapsed, 1 of {n_components} components in use."}
        if variational
        else {},
    )


def make_oddest(data, scores, rng):
    """Return the six rows of the lowest scores."""
    index = np.argsort(scores)[:6]
    values = rng.random((6, len(data.columns)))
    surprises = pd.DataFrame(
        {
            "column": data.columns[:4],
            "value": [1.0, -2.5, HOSTILE, 3],
            "expected": [0.5, 1.0, "plain", 1.25e6],
            "surprise": [9.0, 4.0, 2.0, 1.0],
        }
    )
    images = data.image_shape is not None
    overlays = rng.integers(0, 256, (6, *data.image_shape[1:], 3), np.uint8) if images else None
    return Oddest(index, values, values[::-1], overlays, () if images else (surprises,) * 6)


def make_measures(names, labels, outliers, rng):
    """Return measures that apply; the first model has no rate, and one measure has no interval."""
    absent = {"knn_accuracy", "silhouette", "cluster_agreement", "linear_probe"} if not labels else set()
    absent |= set() if outliers else {"auroc", "average_precision", "detected"}
    rows = []
    for i, name in enumerate(names):
        for key in MEASURES:
            if key not in absent and not (key == "rate" and i == 0):
                value = rng.random() * (1 if MEASURES[key].unit == "%" else 12)
                spread = np.nan if key == "effective_rank" else 0.02
                rows.append((name, key, value, value - spread, value + spread))
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high"])
