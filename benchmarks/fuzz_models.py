"""Load, describe and use model files and checkpoints that were changed at random, each bounded.

OMP_NUM_THREADS=1 python benchmarks/fuzz_models.py --files 10000
"""

from __future__ import annotations

import argparse
import contextlib
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fuzzing import FAULT, Bounds, fuzz, n_faults, table
from mutations import false_claim, mutated, write
from PIL import Image
from sklearn.datasets import load_digits, load_iris
from sklearn.pipeline import Pipeline, make_pipeline
from torch import nn

from vaetools import (
    AE,
    CVAE,
    VAE,
    EncoderDecoder,
    Gaussian,
    ImageReader,
    LatentMap,
    ModelFileError,
    load,
    save,
)
from vaetools.cli.commands.info import page
from vaetools.estimators import checkpoint as writing
from vaetools.files import read_model_file
from vaetools.persistence.facts import read_facts

BOUNDS = Bounds(megabytes=1000, seconds=5)
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 2, "random_state": 0, "device": "cpu"}
_OURS = re.compile(r"(AE|VAE|CVAE|ImageReader|LatentMap): |The feature names should match|X has \d+ features")

Use = Callable[[Any], list[np.ndarray]]


class Case:
    """A file, what it is loaded with, and how what was loaded is used on good rows."""

    def __init__(self, path: Path, use: Use, network: Any = None):
        self.header, self.arrays = read_model_file(path)
        self.use, self.network = use, network


def scored(X: Any, y: Any = None) -> Use:
    """Return the use of a model on rows."""

    def use(model: Any) -> list[np.ndarray]:
        estimator = model[-1] if isinstance(model, Pipeline) else model
        if isinstance(estimator, LatentMap) and isinstance(model, Pipeline):
            return [model.transform(X), *scored(X, y)(model[:-1] if len(model) > 2 else model[0])]
        if isinstance(estimator, LatentMap):
            return [estimator.transform(X), estimator.off_map(X)]
        found = [model.score_samples(X), model.transform(X), model.decision_function(X), model.predict(X)]
        if estimator is model:
            found.append(np.asarray(model.score_table(X), dtype=float)[:, :1])
            model.reconstruct(X), model.explain(X)
            if hasattr(model, "calibration_scores_"):
                found.append(model.p_values(X))
            if y is not None:
                found += [model.score_samples(X, y), model.label_proba(X)]
        return found

    return use


def models(folder: Path) -> list[Case]:
    """Return a model of every kind that a file can hold."""
    X, y = load_iris(return_X_y=True)
    digits = np.rint(255 / 16 * load_digits().data[:60]).astype(np.uint8)
    paths = [folder / f"{i}.png" for i in range(len(digits))]
    for path, image in zip(paths, digits.reshape(-1, 8, 8), strict=True):
        Image.fromarray(image).save(path)
    names = np.array(["a", "b", "c"])[y]
    named = pd.DataFrame(X, columns=list("abcd"))
    cells = named.assign(kind=names, flag=y == 1)
    cells.loc[::9, "a"] = np.nan
    torch.manual_seed(0)
    network = EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4))
    image = {"image_shape": (1, 8, 8), "hidden_channels": (4,), **SMALL}
    vae = VAE(3, **SMALL).fit(X)
    codes = vae.transform(X)
    layout = LatentMap(method="pca").fit(codes).set_params(method="umap")
    layout.axes_ = None  # as UMAP leaves it
    unit = VAE(2, likelihood="bernoulli", anomaly_score="density_of_states", **image)
    fitted = [
        (AE(2, anomaly_score="tables", **SMALL).fit(named), scored(named)),
        (VAE(2, likelihood=Gaussian("predicted"), anomaly_score="aggregate", **SMALL).fit(X), scored(X)),
        (VAE(2, anomaly_score="log_likelihood", contamination=0.1, **SMALL).fit(X), scored(X)),
        (CVAE(2, **SMALL).fit(X, y), scored(X, y)),
        (CVAE(2, likelihood="mixed", **SMALL).fit(cells, names), scored(cells, names)),
        (
            make_pipeline(ImageReader(8, n_jobs=1), VAE(2, anomaly_score="images", **image)).fit(paths),
            scored(paths),
        ),
        (unit.fit(digits), scored(digits)),
        (Pipeline([("model", vae), ("map", LatentMap(method="pca").fit(codes))]), scored(X)),
        (layout, scored(codes)),
    ]
    cases = []
    for i, (model, use) in enumerate(fitted):
        save(model, folder / f"{i}.safetensors")
        cases.append(Case(folder / f"{i}.safetensors", use))
    own = AE(network=network, max_iter=0, anomaly_score="latent_knn").fit(X)
    save(own, folder / "own.safetensors")
    return [*cases, Case(folder / "own.safetensors", scored(X), network)]


def attempt_model(case: Case, path: Path) -> str:
    """Load a file, describe it, and use what was loaded."""
    try:
        page(read_facts(path))
    except ModelFileError as error:
        _check_line(error, path)
    try:
        model = load(path, network=case.network)
    except ModelFileError as error:
        _check_line(error, path)
        return "model refused"
    except ValueError as error:
        if "got network=" in str(error) or "that was passed" in str(error):
            return "model asks for a network, or for none"
        raise
    try:
        found = case.use(model)
    except ValueError as error:
        if _OURS.match(str(error)):
            return "model loads, and asks for other rows"
        raise
    return judged(found, "model loads and works")


def judged(found: list[np.ndarray], words: str) -> str:
    """Return words of an outcome, unless some of what was found is no number."""
    return f"{FAULT} NaN" if any(np.isnan(np.asarray(each, float)).any() for each in found) else words


def _check_line(error: ModelFileError, path: Path) -> None:
    message = str(error)
    if not (str(path) in message and message.isprintable() and len(message) < len(str(path)) + 800):
        raise AssertionError(f"no short line: {message[:500]!r}")


class _Enough(Exception):
    """Ends a fit before its time."""


def checkpoint(folder: Path) -> tuple[Case, Callable[[Path], Any]]:
    """Return a checkpoint of a fit that was stopped after three of four epochs, and how to go on with it."""
    X = load_iris().data

    def fit(path: Path, callbacks: Any = ()) -> VAE:
        options = {"batch_size": 16, "early_stopping": True, "learning_rate": "constant"}
        model = VAE(2, **SMALL | {"max_iter": 4} | options)
        return model.fit(X, checkpoint=path, callbacks=callbacks)

    def stop(record: dict, _: Any) -> None:
        if record["epoch"] == 3:
            raise _Enough

    seconds, writing._SECONDS = writing._SECONDS, 0.0
    with contextlib.suppress(_Enough):
        fit(folder / "fit.ckpt", [stop])
    writing._SECONDS = seconds
    return Case(folder / "fit.ckpt", scored(X)), fit


def attempt_checkpoint(case: Case, path: Path, fit: Callable[[Path], Any]) -> str:
    """Go on with a fit, and use the model that it ends in."""
    try:
        model = fit(path)
    except ModelFileError as error:
        _check_line(error, path)
        return "checkpoint refused"
    return judged(case.use(model), "checkpoint goes on and works")


def main() -> None:
    """Print what came of all files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="Of the first file; the others follow.")
    parser.add_argument("--keep", type=Path, help="Folder for the file of the last seed.")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = models(folder)
        started, fit = checkpoint(folder)
        path = (options.keep or folder) / "mutated.safetensors"

        def attempt(seed: int) -> str:
            rng = np.random.default_rng(seed)
            case = [*cases, started, started][seed % (len(cases) + 2)]
            header, arrays = mutated(rng, case.header, case.arrays)
            write(path, header, arrays, false_claim(rng) if arrays and rng.random() < 0.03 else None)
            if case is started:
                return attempt_checkpoint(case, path, fit)
            return attempt_model(case, path)

        outcomes = fuzz(attempt, range(options.seed, options.seed + options.files), BOUNDS)
    print(table(outcomes))
    if n_faults(outcomes):
        raise SystemExit(f"{n_faults(outcomes)} of {len(outcomes)} files are faults")


if __name__ == "__main__":
    main()
