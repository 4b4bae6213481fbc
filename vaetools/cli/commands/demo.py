"""``vaetools demo``: three autoencoders on embedded digits, compared in words, a table and a page."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vaetools.cli import command
from vaetools.cli.saying import Talk

N_COMPONENTS = 8
COMPARED = ("AE", "VAE", "CVAE")


@click.command(short_help="Train three autoencoders on real digits, and write a page.")
@click.option(
    "--unknown",
    type=click.IntRange(0, 9),
    default=4,
    show_default=True,
    help="The digit that no model sees in training.",
)
@command.output_option("The page to write.", default=Path("vaetools-demo.html"), show_default=True)
@command.seed_option("Seed of the split, the training, the maps and the samples.")
@click.option("-q", "--quiet", is_flag=True, help="Print the findings and where the page is, nothing else.")
def demo(unknown: int, output: Path, seed: int, quiet: bool) -> None:
    """Train an AE, a VAE and a CVAE on real digits, and compare what they learnt.

    The data are 1,797 handwritten digits that come with scikit-learn. One digit is kept out of
    training as the unknown. Prints findings and measures, and writes one self-contained HTML page.
    """
    command.check_output(output, (".html",))

    def say(line: str) -> None:
        if not quiet:
            click.echo(f"{line} ...", err=True)

    say("Loading PyTorch, scikit-learn and the digits")
    import numpy as np
    from sklearn.metrics import roc_auc_score

    from vaetools.data.demo import load_demo_digits
    from vaetools.report.compare import compare
    from vaetools.report.page.comparison import comparison_text

    digits = load_demo_digits(unknown, seed=seed)
    rows = np.concatenate([digits.held_out, digits.unknown])
    is_unknown = np.repeat([False, True], [len(digits.held_out), len(digits.unknown)])
    labels = np.append(digits.held_out_labels, [unknown] * len(digits.unknown))
    models = make_models(seed=seed, verbose=Talk(False, quiet, False).progress)
    with _one_thread():
        seconds = {}
        for name, model in models.items():
            say(f"Training {name}")
            start = time.perf_counter()
            model.fit(digits.train, digits.train_labels)
            seconds[name] = time.perf_counter() - start
        compared = {name: models[name] for name in COMPARED}
        comparison = compare(compared, rows, labels, outliers=is_unknown, seed=seed, progress=say)
    scores = {name: models[name].score_samples(rows) for name in models if name not in COMPARED}
    rivals = ", ".join(f"{name} {roc_auc_score(~is_unknown, each):.3f}" for name, each in scores.items())
    say("Writing the page")
    comparison.to_html(output)
    click.echo(
        f"Known digits: {len(digits.train):,} images trained on, {len(digits.held_out)} held out.\n"
        f"Unknown digit {unknown}: {len(digits.unknown)} images that no model trained on.\n\n"
        f"{comparison_text(comparison)}\n\n"
        f"AUROC of others: {rivals}.\n"
        f"Seconds to fit: {', '.join(f'{name} {taken:.1f}' for name, taken in seconds.items())}.\n\n"
        f"Page: {output.absolute()}"
    )


def make_models(*, seed: int, verbose: int = 0) -> dict[str, Any]:
    """Return the detectors to train; no setting depends on which digit is unknown."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest

    from vaetools import AE, CVAE, VAE
    from vaetools.data.demo import IMAGE_SHAPE

    options: dict[str, Any] = {
        "image_shape": IMAGE_SHAPE,
        "hidden_channels": (),
        "hidden_layer_sizes": (256, 128, 64),
        "activation": "relu",
        "standardize": False,
        "input_noise": 0.15,  # a thousand images are few: noise keeps them from being learnt by heart
        "learning_rate_init": 5e-3,
        "max_iter": 200,
        "calibration_fraction": 0.15,
        "random_state": seed,
    }
    return {
        "AE": AE(N_COMPONENTS, **options, verbose=verbose),
        "VAE": VAE(N_COMPONENTS, **options, verbose=verbose),
        "CVAE": CVAE(N_COMPONENTS, **options, verbose=verbose),
        "untrained VAE": VAE(N_COMPONENTS, **options | {"max_iter": 0}),
        "IsolationForest": IsolationForest(random_state=seed),
        "PCA": PCA(N_COMPONENTS, random_state=seed),
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
