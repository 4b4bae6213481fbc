"""``vaetools demo``: three autoencoders on embedded images, compared in words, a table and pages."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, print_json

COMPARED = ("AE", "VAE", "CVAE")
UNKNOWN = {"garments": 8, "digits": 4}
_NOUN = {"garments": "garment", "digits": "digit"}
_DIGITS: dict[str, Any] = {
    "hidden_channels": (),
    "hidden_layer_sizes": (256, 128, 64),
    "activation": "relu",
    "standardize": False,
    "input_noise": 0.15,  # a thousand images are few: noise keeps them from being learnt by heart
    "learning_rate_init": 5e-3,
    "max_iter": 200,
}
# dense layers: in the time that convolutions take to err by 0.025 per pixel, squared, they err by 0.019
_GARMENTS: dict[str, Any] = {
    "hidden_channels": (),
    "hidden_layer_sizes": (256, 128),
    "learning_rate_init": 5e-3,
    "max_iter": 18,
}
OPTIONS = {"garments": _GARMENTS, "digits": _DIGITS}
N_COMPONENTS = {"garments": 16, "digits": 8}


@click.command(short_help="Train three autoencoders on real images, and write pages.")
@click.option(
    "--data",
    type=click.Choice(list(UNKNOWN)),
    default="garments",
    show_default=True,
    help="5,000 garments of Fashion-MNIST, 28 by 28 pixels, or 1,797 handwritten digits, 8 by 8.",
)
@click.option(
    "--unknown",
    type=click.IntRange(0, 9),
    show_default="8, bag, or the digit 4",
    help="The class that no model sees in training: the digit, or of garments 0 T-shirt/top, 1 trouser, "
    "2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.",
)
@command.output_option(
    "The page to open: the explorer of the VAE. The comparison lies beside it.",
    default=Path("vaetools-demo.html"),
    show_default=True,
)
@command.seed_option("Seed of the split, the training, the maps and the samples.")
@click.option("-q", "--quiet", is_flag=True, help="Print the findings and where the page is, nothing else.")
@command.json_option
def demo(data: str, unknown: int | None, output: Path, seed: int, quiet: bool, as_json: bool) -> None:
    """Train an AE, a VAE and a CVAE on real images, and compare what they learnt.

    The data come with the package. One class is kept out of training as the unknown. Prints findings
    and measures, and writes two self-contained HTML pages: the latent space of the VAE, which answers the
    cursor, and the comparison of the three models (vaetools-demo-report.html).

    \b
    Keys of --json: those of "vaetools report --json" but for what could not be read, and
      data, unknown, n_train, n_held_out, n_unknown, auroc {other detector: share}, seconds {model: seconds},
      comparison (its page)
    """
    compared_page = output.with_name(f"{output.stem}-report{output.suffix}")
    outputs.check_output(output, (".html",))
    outputs.check_output(compared_page, (".html",))

    def say(line: str) -> None:
        if not quiet:
            click.echo(f"{line} ...", err=True)

    say(f"Loading PyTorch, scikit-learn and the {data}")
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from vaetools.datasets.demo import load_demo
    from vaetools.explorer.explore import explore
    from vaetools.report.compare import compare
    from vaetools.report.page.comparison import comparison_text

    images = load_demo(data, UNKNOWN[data] if unknown is None else unknown, seed=seed)
    rows = np.concatenate([images.held_out, images.unknown])
    is_unknown = np.repeat([False, True], [len(images.held_out), len(images.unknown)])
    labels = np.append(images.held_out_labels, [images.unknown_label] * len(images.unknown))
    models = make_models(data, images.image_shape, seed=seed, verbose=Talk(False, quiet, False).progress)
    with _one_thread():
        seconds = {name: _fit(model, images, name, say) for name, model in models.items()}
        compared = {name: models[name] for name in COMPARED}
        comparison = compare(compared, rows, labels, outliers=is_unknown, seed=seed, progress=say)
    scores = {name: models[name].score_samples(rows) for name in models if name not in COMPARED}
    rivals = {name: float(roc_auc_score(~is_unknown, each)) for name, each in scores.items()}
    say("Making the explorer")
    explore(models["VAE"], *_explored(images), seed=seed).to_html(output)
    comparison.to_html(compared_page, {"VAE": output})
    told = {"data": data, "unknown": images.unknown_label.item(), "n_train": len(images.train)}
    told |= {"n_held_out": len(images.held_out), "n_unknown": len(images.unknown), "auroc": rivals}
    told |= {"seconds": seconds, "output": output, "comparison": compared_page}
    if as_json:
        print_json(json.loads(comparison.to_json()) | told)
    else:
        click.echo(_in_words(told, comparison_text(comparison)))


def _fit(model: Any, images: Any, name: str, say: Callable[[str], None]) -> float:
    say(f"Training {name}")
    start = time.perf_counter()
    model.fit(images.train, images.train_labels)
    return time.perf_counter() - start


def _in_words(told: dict[str, Any], comparison: str) -> str:
    """Return what came of it, around what a comparison says."""
    return (
        f"Known {told['data']}: {told['n_train']:,} images trained on, {told['n_held_out']} held out.\n"
        f"Unknown {_NOUN[told['data']]} {told['unknown']}: {told['n_unknown']} images that "
        "no model trained on.\n\n"
        f"{comparison}\n\n"
        f"AUROC of others: {', '.join(f'{name} {auroc:.3f}' for name, auroc in told['auroc'].items())}.\n"
        f"Seconds to fit: {', '.join(f'{name} {taken:.1f}' for name, taken in told['seconds'].items())}.\n\n"
        f"Comparison: {told['comparison'].absolute()}\n"
        f"Open this, and touch the latent space of the VAE: {told['output'].absolute()}"
    )


def _explored(images: Any) -> tuple[Any, Any]:
    """Return images, called by what part of the demo they are in, and what they show."""
    import numpy as np
    import pandas as pd

    parts = {"held-out": images.held_out, "unknown": images.unknown}
    names = [f"{part}/{i:04}" for part, rows in parts.items() for i in range(len(rows))]
    labels = np.append(
        images.held_out_labels.astype(str), [f"{images.unknown_label} (not trained on)"] * len(images.unknown)
    )
    return pd.DataFrame(np.concatenate(list(parts.values())), index=names), labels


def make_models(data: str, image_shape: tuple[int, ...], *, seed: int, verbose: int = 0) -> dict[str, Any]:
    """Return the detectors to train; no setting depends on which class is unknown."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest

    from vaetools import AE, CVAE, VAE

    n_components = N_COMPONENTS[data]
    options = OPTIONS[data] | {
        "image_shape": image_shape,
        "calibration_fraction": 0.15,
        "random_state": seed,
    }
    return {
        "AE": AE(n_components, **options, verbose=verbose),
        "VAE": VAE(n_components, **options, verbose=verbose),
        "CVAE": CVAE(n_components, **options, verbose=verbose),
        "untrained VAE": VAE(n_components, **options | {"max_iter": 0}),
        "IsolationForest": IsolationForest(random_state=seed),
        "PCA": PCA(n_components, random_state=seed),
    }


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: in networks this small, more of them wait for each other."""
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
