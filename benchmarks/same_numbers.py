"""All numbers that twelve models give, to compare two versions of the package to the bit.

PYTHONPATH=/path/to/one/checkout python benchmarks/same_numbers.py --write numbers.npz
PYTHONPATH=/path/to/another python benchmarks/same_numbers.py --against numbers.npz

One thread, on a CPU: with more, sums may be taken in another order.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits, load_wine

import vaetools
from vaetools import AE, CVAE, VAE, LatentMap, load, save


def inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """Return digits with labels, a table with labels, and a table of mixed columns."""
    digits, labels = load_digits(return_X_y=True)
    table, kinds = load_wine(return_X_y=True)
    rng = np.random.default_rng(0)
    mixed = pd.DataFrame(table[:, :4], columns=["alcohol", "acid", "ash", "alkalinity"])
    mixed["kind"] = pd.Categorical(np.array(["a", "b", "c"])[kinds])
    mixed["old"] = rng.random(len(mixed)) < 0.3
    mixed.iloc[::17, 1] = np.nan
    return digits[:600], labels[:600], table, kinds, mixed


def models() -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield fitted models with the rows and labels to ask them about."""
    digits, labels, table, kinds, mixed = inputs()
    some: dict[str, Any] = {"max_iter": 3, "random_state": 0}
    images: dict[str, Any] = {"image_shape": (1, 8, 8), **some}
    unit = digits / 16
    yield "AE", AE(2, **some).fit(table), table, None
    yield "VAE", VAE(2, **some).fit(table), table, None
    yield "VAE of few rows", VAE(2, **some).fit(table[:60]), table, None
    yield "tables", VAE(anomaly_score="tables", input_masking=0.2, **some).fit(table), table, None
    yield "mixed", VAE(2, likelihood="mixed", **some).fit(mixed), mixed, None
    yield "AE of images", AE(4, anomaly_score="images", **images).fit(digits), digits, None
    yield "images", VAE(4, anomaly_score="images", **images).fit(digits), digits, None
    yield "bernoulli", VAE(4, likelihood="bernoulli", beta=0.5, kl_warmup=0.5, **some).fit(unit), unit, None
    odd: dict[str, Any] = {
        "trimmed_fraction": 0.1,
        "input_noise": 0.1,
        "input_masking": 0.1,
    }
    yield "odd options", VAE(3, score_precision="float32", **odd, **some).fit(table), table, None
    yield "CVAE", CVAE(2, **some).fit(table, kinds), table, kinds
    yield "CVAE of images", CVAE(4, conditioning="add", **images).fit(digits, labels), digits, labels
    yield "CVAE, mixed", CVAE(2, likelihood="mixed", **some).fit(mixed, kinds), mixed, kinds


def _named(value: Any, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a result, with names that do not change when others come beside them."""
    if isinstance(value, pd.DataFrame):
        yield from ((f"{name} {column}", np.asarray(value[column])) for column in value)
    elif isinstance(value, (tuple, list)):
        for i, part in enumerate(value):
            yield from _named(part, f"{name} {i}")
    elif hasattr(value, "__dataclass_fields__"):
        for field in value.__dataclass_fields__:
            yield from _named(getattr(value, field), f"{name} {field}")
    else:
        yield name, np.asarray(value)


METHODS = (
    "score_samples",
    "p_values",
    "predict",
    "decision_function",
    "transform",
    "reconstruct",
    "posterior",
)
MORE = ("explain", "score_table", "log_likelihood", "score", "label_proba", "label_log_proba")
LABELED = (
    "score_samples",
    "explain",
    "posterior",
    "reconstruct",
    "log_likelihood",
    "score_table",
    "p_values",
)


def answers(model: Any, X: Any, y: Any) -> Iterator[tuple[str, Any]]:
    """Yield everything that a model says of rows."""
    for name in (*METHODS, *MORE):
        if hasattr(model, name):
            yield name, getattr(model, name)(X)
    if y is not None:
        for name in LABELED:
            yield f"{name}, labels", getattr(model, name)(X, y)
    yield "inverse_transform", model.inverse_transform(model.transform(X))
    if not isinstance(model, AE):
        yield "sample", model.sample(50, random_state=0)
    yield "offset_", model.offset_


def numbers() -> dict[str, np.ndarray]:
    """Return all arrays by model, question and place."""
    found = {}
    for name, model, X, y in models():
        for question, value in answers(model, X, y):
            for each, array in _named(value, f"{name}: {question}"):
                found[each] = array if array.dtype.kind in "fiub" else array.astype(str)
        with tempfile.TemporaryDirectory() as folder:
            save(model, Path(folder) / "model")
            again = load(Path(folder) / "model").score_samples(X)
        found[f"{name}: loaded"] = again
        codes = model.transform(X)
        for method in ("pca", "umap") if name == "VAE" else ("pca",):
            latent_map = LatentMap(method=method, random_state=0).fit(codes[::2])
            found[f"{name}: {method}"] = latent_map.transform(codes)
        print(name, flush=True)
    return found


def main() -> None:
    """Write the numbers, or compare them with those of another version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--write", type=Path)
    chosen.add_argument("--against", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"vaetools at {Path(vaetools.__file__).parent}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = numbers()
    if options.write:
        np.savez_compressed(options.write, **found)
        return
    with np.load(options.against) as before:
        names, new = before.files, sorted({*found} - {*before.files})
        differ = [name for name in names if name not in found or not _same(found[name], before[name])]
    print(f"{len(names) - len(differ)} of {len(names)} arrays are the same to the bit", *differ, sep="\n  ")
    print(f"{len(new)} are new", *new, sep="\n  ")
    if differ:
        raise SystemExit(1)


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays have the same type, shape and bytes."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


if __name__ == "__main__":
    main()
