"""Maps of codes beside the bare libraries: seconds, and where new codes land."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from openTSNE import TSNE
from protocols import add_common_arguments, read_idx
from sklearn.manifold import TSNE as SlowTSNE
from sklearn.neighbors import KNeighborsClassifier
from umap import UMAP

from vaetools import VAE, LatentMap

N_NEW = 10_000
N_NEIGHBORS = 5  # whose labels name a place's label
N_MOVED = 100  # new codes that are placed in other company


class Codes(NamedTuple):
    """Codes to map and new ones, each with what it shows."""

    train: np.ndarray
    labels: np.ndarray
    new: np.ndarray
    new_labels: np.ndarray


def encode(folder: Path, n: int, seed: int) -> Codes:
    """Return 16-dimensional codes of digits and clothes, by a VAE that trained on some of both."""
    images, labels = [], []
    for i, name in enumerate(("mnist", "fashion_mnist")):
        for part in ("train", "t10k"):
            images.append(read_idx(folder / name / f"{part}-images-idx3-ubyte.gz"))
            labels.append(read_idx(folder / name / f"{part}-labels-idx1-ubyte.gz") + 10 * i)
    order = np.random.default_rng(seed).permutation(140_000)[: n + N_NEW]
    X, y = np.concatenate(images)[order], np.concatenate(labels)[order]
    dense = {"image_shape": (1, 28, 28), "hidden_channels": (), "hidden_layer_sizes": (256,)}
    vae = VAE(16, **dense, max_iter=8, random_state=seed, score_precision="float32")
    codes = vae.fit(X[: min(n, 60_000)]).transform(X)
    return Codes(codes[:n], y[:n], codes[n:], y[n:])


class Contender(NamedTuple):
    """How a map is made, how it gives its places, and how it places new codes."""

    peer: str  # whose seconds it is measured against
    fit: Callable[[np.ndarray], Any]
    places: Callable[[Any], np.ndarray]
    place: Callable[[Any, np.ndarray], np.ndarray] | None


def contenders(seed: int) -> dict[str, Contender]:
    """Return every map by name, each with its defaults."""

    def ours(method: str, peer: str) -> Contender:
        return Contender(
            peer,
            lambda Z: LatentMap(method=method, random_state=seed).fit(Z),
            lambda made: made.embedding_,
            lambda made, new: made.transform(new),
        )

    return {
        "LatentMap umap": ours("umap", "umap-learn"),
        "umap-learn": Contender(
            "umap-learn",
            lambda Z: UMAP(random_state=seed, n_jobs=1).fit(Z),
            lambda made: made.embedding_,
            lambda made, new: made.transform(new),
        ),
        "LatentMap tsne": ours("tsne", "openTSNE"),
        "openTSNE": Contender(
            "openTSNE",
            lambda Z: TSNE(random_state=seed).fit(Z),
            np.asarray,
            lambda made, new: np.asarray(made.transform(new)),
        ),
        "scikit-learn t-SNE": Contender(
            "openTSNE", lambda Z: SlowTSNE(random_state=seed).fit(Z), lambda made: made.embedding_, None
        ),
    }


def measure(contender: Contender, codes: Codes) -> dict[str, float]:
    """Return seconds, kNN accuracies on the map, and how far company moves a new code's place."""
    start, busy = time.perf_counter(), time.process_time()
    made = contender.fit(codes.train)
    figures = {"fit s": time.perf_counter() - start, "CPU s": time.process_time() - busy}
    places = contender.places(made)
    named = KNeighborsClassifier(N_NEIGHBORS).fit(places, codes.labels)
    others = named.kneighbors(return_distance=False)  # of training places without themselves
    votes = np.array([np.bincount(row, minlength=20).argmax() for row in codes.labels[others]])
    figures["train accuracy"] = float(np.mean(votes == codes.labels))
    if contender.place is not None:
        start = time.perf_counter()
        placed = contender.place(made, codes.new)
        figures["place s"] = time.perf_counter() - start
        figures["new accuracy"] = named.score(placed, codes.new_labels)
        few = np.random.default_rng(0).permutation(len(codes.new))[:N_MOVED]
        moved = np.abs(contender.place(made, codes.new[few]) - placed[few]).max()
        alone = np.concatenate([contender.place(made, codes.new[[i]]) for i in few[:10]])
        figures["moved"] = max(moved, np.abs(alone - placed[few[:10]]).max())
    if isinstance(made, LatentMap):
        figures["off"] = made.off_map(codes.new).mean()
    return figures


def runs(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the figures of every map, in turns."""
    for seed in arguments.seeds:
        codes = encode(arguments.data, arguments.n, seed)
        chosen = {
            name: contender
            for name, contender in contenders(seed).items()
            if arguments.only is None or name in arguments.only
        }
        few = Codes(*(part[:5000] for part in codes[:2]), *(part[:200] for part in codes[2:]))
        for name in chosen.keys() & {"LatentMap umap", "umap-learn"}:  # Numba compiles when first used
            measure(chosen[name], few)
        for turn in range(arguments.turns):
            for name, contender in chosen.items():
                figures = measure(contender, codes)
                found = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
                print(f"seed {seed}, turn {turn + 1}, {name}: {found}", flush=True)
                yield {"seed": seed, "map": name, "peer": contender.peer, **figures}


def main() -> None:
    """Print a line per map, averaged over seeds and turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.set_defaults(seeds=[0])
    parser.add_argument("--n", type=int, default=70_000, help="codes to map; 10,000 more are placed")
    parser.add_argument("--turns", type=int, default=1, help="times that every map is made")
    parser.add_argument("--only", nargs="+", help="names of maps, such as 'LatentMap umap' 'umap-learn'")
    arguments = parser.parse_args()
    frame = pd.DataFrame(runs(arguments))
    if arguments.output:
        frame.to_csv(arguments.output, index=False)
    table = frame.drop(columns="seed").groupby(["map", "peer"], sort=False).mean().reset_index("peer")
    table.insert(1, "ratio", table["fit s"] / table["fit s"].reindex(table["peer"]).to_numpy())
    print(f"\n{arguments.n:,} codes\n{table.drop(columns='peer').to_string(float_format='{:.4g}'.format)}")


if __name__ == "__main__":
    main()
