"""Normal rows, 10 % of the training rows from others: what trimming wins back, and what ten marks do.

python benchmarks/contamination.py --data /path/to/data --seeds 0 --classes 0 3 8 --trimmed 0.2
python benchmarks/contamination.py --data /path/to/data --marks --rows 1500 --dense --classes 3 8
python benchmarks/contamination.py --data /path/to/data --marks --rows 1500 --sets cardio satellite vowels
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx
from sklearn.metrics import roc_auc_score

from vaetools import VAE, rows_to_mark
from vaetools.anomaly.calibration import conformal_p_values, discoveries
from vaetools.anomaly.marks import Marks, fit_marked, marked
from vaetools.anomaly.reference import Reference, on
from vaetools.estimators.engine import Engine

SHARE = 0.1  # of the training rows are of other classes
LOOKED_AT = 10  # rows
N_SPLITS, N_CALIBRATION, N_NEW, N_POOL, LEVEL = 200, 200, 400, 2_000, 0.1


class Rows(NamedTuple):
    """Rows to train on, of which the last are odd, and others to test with their truth."""

    train: np.ndarray
    n_normal: int
    test: np.ndarray
    is_odd: np.ndarray


def contaminated_images(folder: Path, label: int, seed: int, n_rows: int | None) -> Rows:
    """Return images of a class, with images of others among them."""
    train, labels, test, test_labels = (
        read_idx(folder / f"{part}-{kind}-ubyte.gz")
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    own, others = np.flatnonzero(labels == label)[:n_rows], np.flatnonzero(labels != label)
    n_others = round(SHARE / (1 - SHARE) * len(own))
    strangers = np.random.RandomState(seed).choice(others, n_others, replace=False)
    return Rows(train[np.concatenate([own, strangers])], len(own), test, test_labels != label)


def contaminated_table(path: Path, seed: int, n_rows: int | None) -> Rows:
    """Return half of the normal rows of a set, or fewer, with odd ones among them, half of these at most."""
    with np.load(path, allow_pickle=False) as file:
        X, y = file["X"], file["y"]
    rng = np.random.RandomState(seed)
    normal, odd = rng.permutation(np.flatnonzero(y == 0)), rng.permutation(np.flatnonzero(y == 1))
    half = len(normal) // 2
    n_odd = min(round(SHARE / (1 - SHARE) * min(half, n_rows or half)), len(odd) // 2)
    n_normal = round((1 - SHARE) / SHARE * n_odd)
    train = np.concatenate([normal[:n_normal], odd[:n_odd]])
    test = np.concatenate([normal[half:], odd[n_odd:]])
    return Rows(X[train], n_normal, X[test], y[test] == 1)


def tasks(options: argparse.Namespace, seed: int) -> Iterator[tuple[dict[str, Any], Rows]]:
    """Yield what each set is called, and its rows."""
    for name in options.sets:
        if (options.data / name).is_dir():
            for label in options.classes:
                rows = contaminated_images(options.data / name, label, seed, options.rows)
                yield {"set": name, "class": label, "seed": seed}, rows
        else:
            [path] = (options.data / "adbench").glob(f"*_{name}.npz")
            yield {"set": name, "class": 0, "seed": seed}, contaminated_table(path, seed, options.rows)


def main() -> None:
    """Fit clean rows, contaminated rows, and what is made of those; print AUROC."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument(
        "--sets",
        nargs="+",
        default=["mnist", "fashion_mnist"],
        help="folders with IDX files, sets of ADBench",
    )
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--rows", type=int, help="normal rows to train on, at most")
    parser.add_argument("--trimmed", type=float, nargs="*", default=[], help="fractions")
    parser.add_argument("--marks", action="store_true", help="mark ten rows")
    parser.add_argument("--dense", action="store_true", help="no convolutions: faster")
    options = parser.parse_args()

    results = []
    for seed in options.seeds:
        for found, rows in tasks(options, seed):
            shape = None if options.dense or rows.train.shape[1] != 28 * 28 else (1, 28, 28)
            found |= measure(rows, {"image_shape": shape, "random_state": seed}, options)
            results.append(found)
            print(pd.DataFrame([found]).to_string(index=False, float_format="{:.3f}".format), flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    names, figures = frame["set"] + " " + frame["class"].astype(str), frame.drop(columns=["set", "class"])
    by_set = figures.drop(columns="seed").groupby(names, sort=False)
    means, errors, of_seeds = by_set.mean(), by_set.sem(), figures.groupby("seed").mean()
    means.loc["mean"], errors.loc["mean"] = of_seeds.mean(), of_seeds.sem()
    for name in frame.columns:  # of the mean loss: a set that loses little says little
        if name.startswith(("trimmed", "ten ")):
            lost = means["clean"] - means["contaminated"]
            means[f"won back, {name}"] = (means[name] - means["contaminated"]) / lost
    for words, table in {"means": means, "standard errors over seeds": errors}.items():
        print(f"\n{words}\n{table.T.to_string(float_format='{:.3f}'.format)}")


def measure(rows: Rows, fixed: dict[str, Any], options: argparse.Namespace) -> dict[str, float]:
    """Return AUROC of clean and of contaminated rows, of these when trimmed, and when ten are marked."""
    found: dict[str, float] = {}

    def fitted(name: str, X: np.ndarray, marks: np.ndarray | None = None, **parameters: Any) -> VAE:
        vae = VAE(**fixed, **parameters).fit(X, marks=marks)
        found[name] = roc_auc_score(rows.is_odd, -vae.score_samples(rows.test))
        return vae

    fitted("clean", rows.train[: rows.n_normal])
    first = fitted("contaminated", rows.train)
    for fraction in options.trimmed:
        vae = fitted(f"trimmed {fraction:g}", rows.train, trimmed_fraction=fraction)
        # as many suspects as there are strangers: chance is their share
        suspects = vae.suspects_[: round(SHARE * len(vae.suspects_) / fraction)]
        found[f"precision {fraction:g}"] = np.mean(suspects >= rows.n_normal)
    if options.marks:
        oddest = first.score_samples(rows.train).argsort()[:LOOKED_AT]
        rng = np.random.RandomState(fixed["random_state"])
        some = rng.choice(len(rows.train), LOOKED_AT, replace=False)
        chosen = rows_to_mark(first, rows.train, n=LOOKED_AT)
        for name, looked_at in {"ten to mark": chosen, "ten oddest": oddest, "ten at random": some}.items():
            marks = np.zeros(len(rows.train), int)
            marks[looked_at] = np.where(looked_at >= rows.n_normal, -1, 1)
            fitted(name, rows.train, marks, anomaly_score="marked")
            found[f"odd of {name}"] = (marks < 0).sum()
        found |= mistakes(first, rows, rng)
    return found


class Answers:
    """What functions of a reading say of rows that are read once, each made once."""

    def __init__(self, engine: Engine, X: np.ndarray):
        self.readings: list[Any] = []
        self.known: dict[Any, np.ndarray] = {}

        def read(reading: Any) -> Any:
            self.readings.append(reading)
            return reading.reconstruction

        engine.ask(X, read)

    def made(self, function: Any) -> np.ndarray:
        """Return what a function says."""
        return np.concatenate([function(reading).numpy() for reading in self.readings])

    def __call__(self, function: Any) -> np.ndarray:
        """Return what a function says, or said."""
        if function not in self.known:
            self.known[function] = self.made(function)
        return self.known[function]


def mistakes(vae: VAE, rows: Rows, rng: np.random.RandomState) -> dict[str, float]:
    """Return false alarms and the false-discovery proportion after ten marks, over splits of unseen rows.

    Each split has new rows that calibrate, of which 10 % are odd, and is looked at anew: the ten oddest of
    the rows that trained and of those that calibrate.
    """
    engine = Engine(vae)
    pool = rng.permutation(len(rows.test))[:N_POOL]
    truth_of_pool = rows.is_odd[pool]
    trained, unseen = (Answers(engine, part) for part in (rows.train, rows.test[pool]))
    normal, odd = np.flatnonzero(~truth_of_pool), np.flatnonzero(truth_of_pool)
    n_calibration = min(N_CALIBRATION, len(normal) // 2)
    n_calibration_odd = min(round(SHARE / (1 - SHARE) * n_calibration), len(odd) // 2)
    score, splits = engine.score(), []
    for _ in range(N_SPLITS):
        rng.shuffle(normal)
        rng.shuffle(odd)
        calibrating = np.concatenate([normal[:n_calibration], odd[:n_calibration_odd]])
        new = np.concatenate([normal[n_calibration:][:N_NEW], odd[n_calibration_odd:][: N_NEW // 10]])
        before = np.concatenate([trained(score), unseen(score)[calibrating]])
        is_odd = np.concatenate([np.arange(len(rows.train)) >= rows.n_normal, truth_of_pool[calibrating]])
        is_marked = np.zeros(len(before), bool)
        is_marked[before.argsort()[:LOOKED_AT]] = True
        marks, in_training = is_marked & is_odd, slice(len(rows.train))
        scores = unseen(score)
        if marks.any():
            both = functools.partial(_of_odd, trained, unseen, calibrating, marks)
            known = Marks(both, (is_marked & ~is_odd)[in_training])
            states = on({"marked": fit_marked(Reference(trained, None, known), {})}, engine.model.log_unit)
            scores = unseen.made(functools.partial(marked, states=states))
        calibration = scores[calibrating[~marks[len(rows.train) :]]]
        p_values = conformal_p_values(scores[new], np.sort(calibration))
        chosen, truth = discoveries(p_values, LEVEL), truth_of_pool[new]
        splits.append(
            {
                "false alarms": np.mean(p_values[~truth] <= 0.05),
                "odd flagged": np.mean(p_values[truth] <= 0.05),
                "FDP": (chosen & ~truth).sum() / max(1, chosen.sum()),
                "odd selected": np.mean(chosen[truth]),
            }
        )
    return pd.DataFrame(splits).mean().to_dict()


def _of_odd(
    trained: Any, unseen: Any, calibrating: np.ndarray, marks: np.ndarray, function: Any
) -> np.ndarray:
    """Return what a function of a reading says of rows that are marked odd."""
    return np.concatenate([trained(function), unseen(function)[calibrating]])[marks]


if __name__ == "__main__":
    main()
