"""How often a watch raises a false alarm, ever, and how soon it finds a change.

python benchmarks/watch.py --data /path/to/data [--streams 10000]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx

from vaetools import VAE
from vaetools.anomaly.betting import N_BETS, N_SHARES, Capital, bets_on_share, bets_on_values
from vaetools.anomaly.ranks import Ranks
from vaetools.watch.evidence import Evidence
from vaetools.watch.statistics import Measure, Measured

PROBABILITY, RATE = 0.01, 0.05
N_ROWS, N_REFERENCE, N_COLUMNS, AT_ONCE = 5000, 200, 6, 500  # of streams without a change
REFERENCES, CHANGES, N_AFTER, N_RUNS = (200, 1000), (0, 500, 2000), 300, 40
N_TRAINING = 2000
TABLES = ("6_cardio", "30_satellite")


# Streams without a change


def rows(rng: np.random.Generator, n_streams: int) -> np.ndarray:
    """Return a row of each stream: columns that go together, one with heavy tails and one of few values."""
    X = rng.normal(size=(n_streams, N_COLUMNS)) + rng.normal(size=(n_streams, 1))
    X[:, 0] = X[:, 0] ** 3
    X[:, 1] = np.round(X[:, 1])
    return X


def measured(rng: np.random.Generator, n_streams: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and statistics of a row of each stream: columns and two codes."""
    X = rows(rng, n_streams)
    codes = np.stack([X[:, 2:5].sum(axis=1), np.abs(X[:, 3] - X[:, 5])], axis=1)
    return -np.square(X[:, 2:]).sum(axis=1) - np.abs(X[:, 0]), np.concatenate([X, codes], axis=1)


def false_alarms(n_streams: int, seed: int) -> np.ndarray:
    """Return at which row of 5,000 each of some streams raises an alarm, 0 for never.

    Each has 200 calibration rows of its own. What `Evidence` does is done here for many streams at once.
    """
    rng = np.random.default_rng(seed)
    reference = [measured(rng, n_streams) for _ in range(N_REFERENCE)]
    scores, values = (np.stack(each) for each in zip(*reference, strict=True))
    n = values.shape[2]
    offset = np.quantile([measured(rng, 1)[0][0] for _ in range(5000)], RATE)  # of a model: fixed before
    score_ranks, ranks = Ranks.learn(scores, rng), Ranks.learn(values.reshape(N_REFERENCE, -1), rng)
    share, score, others = (
        Capital.start(size, n_bets)
        for size, n_bets in ((n_streams, N_SHARES), (n_streams, N_BETS), (n_streams * n, N_BETS))
    )
    always, alarm = np.ones(n_streams, bool), np.zeros(n_streams, int)
    limit, none = -math.log(PROBABILITY), np.zeros((n_streams, 1))
    log_shares = np.log([0.5 / N_COLUMNS] * N_COLUMNS + [0.25 / (n - N_COLUMNS)] * (n - N_COLUMNS))
    for t in range(N_ROWS):
        scores, values = measured(rng, n_streams)
        p = score_ranks.add(scores, rng.random((2, n_streams)), always)
        is_odd = p <= RATE
        share.bet(bets_on_share(is_odd, RATE), t, none, always)
        score.bet(bets_on_values((p - RATE) / (1 - RATE)), t, none, ~is_odd)
        fed = np.repeat(scores >= offset, n)
        p = ranks.add(values.ravel(), rng.random((2, n_streams * n)), fed)
        others.bet(bets_on_values(p), t, np.zeros((len(p), 1)), fed)
        best = np.maximum(share.log_capital, score.log_capital) + math.log(0.125)
        if others.log_staked.max() >= limit:  # else no mean over bets is
            best = np.maximum(best, (others.log_capital.reshape(n_streams, n) + log_shares).max(axis=1))
        alarm[(best >= limit) & (alarm == 0)] = t + 1
    return alarm


# Streams with one


class Change(NamedTuple):
    """Rows as they were and as they are now, measured, and what the first causes should name."""

    name: str
    measure: Measure
    before: Measured
    after: Measured
    causes: frozenset[str]


def dimmed(data: Path) -> Iterator[Change]:
    """Yield images, a fifth darker."""
    for name in ("mnist", "fashion_mnist"):
        images = read_idx(data / name / "train-images-idx3-ubyte.gz").reshape(-1, 784)[:12_000]
        vae = VAE(image_shape=(1, 28, 28), max_iter=5, random_state=0).fit(images[:N_TRAINING])
        measure = Measure(vae)
        before, others = np.split(images[N_TRAINING:], 2)
        after = np.rint(0.8 * others).astype(np.uint8)
        yield Change(f"{name}, 20 % darker", measure, measure(before), measure(after), frozenset())


def shifted(data: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Yield tables of which one column is moved by a standard deviation: drawn ones, and real ones."""
    hidden = rng.normal(size=(5, 20))
    drawn = rng.normal(size=(12_000, 5)) @ hidden + rng.normal(size=(12_000, 20))
    sets = [("drawn", drawn)]
    for name in TABLES:
        with np.load(data / "adbench" / f"{name}.npz", allow_pickle=False) as file:
            sets.append((name, rng.permutation(file["X"][file["y"] == 0].astype(float))))
    for name, X in sets:
        train, before, others = np.split(X, [len(X) // 4, 5 * len(X) // 8])
        measure = Measure(VAE(max_iter=30, random_state=0).fit(train))
        for column in rng.choice(X.shape[1], 4, replace=False):
            after = others.copy()
            after[:, column] += X[:, column].std()
            said = f"{name}, a column of {X.shape[1]} by 1 SD"
            yield Change(said, measure, measure(before), measure(after), frozenset({str(column)}))


def delays(
    change: Change, n_reference: int, n_before: int, rng: np.random.Generator
) -> tuple[int, int, bool]:
    """Return rows from a change to its alarm, how far off its beginning is told, and whether it is named.

    An alarm before the change does not count. Rows are drawn with replacement where there are too few.
    """
    evidence = Evidence(
        change.measure.statistics,
        offset=float(change.measure.estimator.offset_),
        rate=RATE,
        probability=PROBABILITY,
        seed=int(rng.integers(2**31)),
    )
    scores, values, _ = change.before
    n = n_reference + n_before
    order = rng.choice(len(scores), n, replace=n > len(scores))
    reference = order[:n_reference]
    evidence.learn_scores(scores[reference])
    evidence.learn(values[reference][~evidence.is_flagged(scores[reference])])
    for i in order[n_reference:]:
        evidence.add(scores[i], values[i])
    if evidence.alarm:
        return -1, 0, False
    for i in rng.choice(len(change.after.scores), N_AFTER, replace=len(change.after.scores) < N_AFTER):
        evidence.add(change.after.scores[i], change.after.values[i])
        if evidence.alarm:
            named = {cause.name for cause in evidence.alarm.causes[:3]}
            return evidence.n_rows - n_before, evidence.alarm.since - 1 - n_before, named >= change.causes
    return N_AFTER, 0, False


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streams", type=int, default=10_000, help="without a change; 0 for none")
    parser.add_argument("--runs", type=int, default=N_RUNS, help="with a change, of each kind")
    add_common_arguments(parser)
    options = parser.parse_args()
    alarms = np.empty(0, int)
    for start in range(0, options.streams, AT_ONCE):
        alarms = np.append(alarms, false_alarms(min(AT_ONCE, options.streams - start), start))
        share = f"{(alarms > 0).mean():.4f} of {len(alarms):,} streams of {N_ROWS:,} rows"
        print(f"{share} raised an alarm, ever; promised: at most {PROBABILITY}", flush=True)
    if not options.runs:
        return
    rng = np.random.default_rng(0)
    results = []
    for change in (*dimmed(options.data), *shifted(options.data, rng)):
        for n_reference in REFERENCES:
            for n_before in CHANGES:
                for _ in range(options.runs if not change.causes else options.runs // 4):
                    delay, off, named = delays(change, n_reference, n_before, rng)
                    facts = {"change": change.name, "reference": n_reference, "after": n_before}
                    results.append(facts | {"delay": delay, "off": off, "named": named})
    frame = pd.DataFrame(results)
    known = frame[frame["delay"] >= 0]
    grouped = known.groupby(["change", "reference", "after"], sort=False)
    table = grouped.agg(
        delay=("delay", "median"),
        ninth=("delay", lambda delays: delays.quantile(0.9)),
        begins=("off", "median"),
        named=("named", "mean"),
    )
    print(table.to_string(float_format="{:.2f}".format))
    print(f"{(frame['delay'] < 0).sum()} of {len(frame):,} had an alarm before the change")
    if options.output:
        frame.to_csv(options.output, index=False)


if __name__ == "__main__":
    main()
