"""``vaetools demo``: three autoencoders on embedded digits, a table and a page."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from vaetools.cli.writing import check_output

N_COMPONENTS = 8
PICTURED = ("AE", "VAE", "CVAE")
JUDGE = "VAE"


@click.command(short_help="Train three autoencoders on real digits, and write a page.")
@click.option(
    "--unknown",
    type=click.IntRange(0, 9),
    default=4,
    show_default=True,
    help="The digit that no model sees in training.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("vaetools-demo.html"),
    show_default=True,
    help="The page to write.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of the split, the training, the maps and the samples.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the table and where the page is, nothing else.")
def demo(unknown: int, output: Path, seed: int, quiet: bool) -> None:
    """Train an AE, a VAE and a CVAE on real digits, and show what they learnt.

    The data are 1,797 handwritten digits that come with scikit-learn. One digit is kept out of
    training as the unknown. Prints a table and writes one self-contained HTML page.
    """
    check_output(output, (".html",))
    say = _silent if quiet else _progress

    say("Loading PyTorch, scikit-learn and the digits")
    from vaetools.data.demo import load_demo_digits
    from vaetools.files import write_atomically
    from vaetools.report.demo import examine
    from vaetools.report.html import render
    from vaetools.report.table import table_text

    digits = load_demo_digits(unknown, seed=seed)
    models, seconds = {}, {}
    verbose = not quiet and sys.stderr.isatty()
    with _one_thread():
        for name, model in make_models(seed=seed, verbose=verbose).items():
            say(f"Training {name}")
            start = time.perf_counter()
            models[name] = model.fit(digits.train, digits.train_labels)
            seconds[name] = time.perf_counter() - start
        result = examine(models, seconds, digits, pictured=PICTURED, judge=JUDGE, seed=seed, progress=say)
    say("Writing the page")
    write_atomically(output, render(result).encode())
    click.echo(table_text(result))
    click.echo(f"\nPage: {output.absolute()}")


def make_models(*, seed: int, verbose: bool = False) -> dict[str, Any]:
    """Return the detectors to compare, unfitted; no setting depends on which digit is unknown."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest

    from vaetools import AE, CVAE, VAE

    options: dict[str, Any] = {
        "hidden_layer_sizes": (256, 128, 64),
        "activation": "relu",
        "standardize": False,
        "input_noise": 0.15,  # a thousand images are few: noise keeps them from being learnt by heart
        "learning_rate_init": 5e-3,
        "max_iter": 450,
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


def _progress(line: str) -> None:
    click.echo(f"{line} ...", err=True)


def _silent(line: str) -> None:
    pass
