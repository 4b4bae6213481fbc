"""One class of images, 10 % of the training rows from the other nine: what trimming wins back.

python benchmarks/contamination.py --data /path/to/data --seeds 0 --classes 0 3 8
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from protocols import add_common_arguments, read_idx
from sklearn.metrics import roc_auc_score

from vaetools import VAE

SHARE = 0.1  # of the training rows are of other classes


def main() -> None:
    """Fit clean rows, contaminated rows, and those without the suspected ones; print AUROC."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_common_arguments(parser)
    parser.add_argument(
        "--sets", nargs="+", default=["mnist", "fashion_mnist"], help="folders with IDX files"
    )
    parser.add_argument("--classes", type=int, nargs="+", default=list(range(10)))
    parser.add_argument("--trimmed", type=float, nargs="+", default=[0.2], help="fractions")
    parser.add_argument("--dense", action="store_true", help="no convolutions: faster")
    options = parser.parse_args()

    results = []
    for folder in options.sets:
        train, labels, test, test_labels = (
            read_idx(options.data / folder / f"{part}-{kind}-ubyte.gz")
            for part in ("train", "t10k")
            for kind in ("images-idx3", "labels-idx1")
        )
        for label in options.classes:
            for seed in options.seeds:
                own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
                n_others = round(SHARE / (1 - SHARE) * len(own))
                strangers = np.random.RandomState(seed).choice(others, n_others, replace=False)
                dirty = np.concatenate([own, strangers])
                found = {"set": folder, "class": label, "seed": seed}
                runs = {"clean": (own, 0.0), "contaminated": (dirty, 0.0)}
                runs |= {f"trimmed {fraction:g}": (dirty, fraction) for fraction in options.trimmed}
                for name, (index, fraction) in runs.items():
                    shape = None if options.dense else (1, 28, 28)
                    vae = VAE(image_shape=shape, trimmed_fraction=fraction, random_state=seed)
                    scores = vae.fit(train[index]).score_samples(test)
                    found[name] = roc_auc_score(test_labels != label, -scores)
                    if fraction:
                        # as many suspects as there are strangers: chance is their share
                        suspects = vae.suspects_[: round(SHARE * len(vae.suspects_) / fraction)]
                        found[f"precision {fraction:g}"] = np.mean(suspects >= len(own))
                        found[f"won back {fraction:g}"] = (found[name] - found["contaminated"]) / (
                            found["clean"] - found["contaminated"]
                        )
                results.append(found)
                print(pd.DataFrame([found]).to_string(index=False, float_format="{:.3f}".format), flush=True)
    frame = pd.DataFrame(results)
    if options.output:
        frame.to_csv(options.output, index=False)
    means = frame.drop(columns=["class", "seed"]).groupby("set", sort=False).mean()
    for fraction in options.trimmed:  # of the mean loss: a class that loses little says little
        lost = means["clean"] - means["contaminated"]
        means[f"won back {fraction:g}"] = (means[f"trimmed {fraction:g}"] - means["contaminated"]) / lost
    print(f"\n{means.T.to_string(float_format='{:.3f}'.format)}")


if __name__ == "__main__":
    main()
