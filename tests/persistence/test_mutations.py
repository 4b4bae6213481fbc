"""Files that were changed at random: refused, or of use; `benchmarks/fuzz_models.py` makes thousands more."""

import contextlib
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import Pipeline

from benchmarks.mutations import false_claim, mutated, write
from vaetools import VAE, ModelFileError, load
from vaetools.cli.commands.info import page
from vaetools.files import read_model_file
from vaetools.persistence.facts import read_facts

FOLDER = Path(__file__).with_name("format_1")
X = load_iris().data[:20]
KINDS = np.array(["x", "y", "z"])[np.arange(20) % 3]
ROWS = {
    "table": pd.DataFrame(X, columns=["sepal length", "sepal width", "Blütenlänge", "petal width"]),
    "mixed": pd.DataFrame(X[:, :3], columns=["a", "b", "c"]).assign(wide=X[:, 3] > 1, kind=KINDS),
    "images": np.random.default_rng(0).integers(0, 256, (20, 64), dtype=np.uint8),
    "mapped": X,
}


def refusal(function, *arguments, **options):
    """What a function returns, and how it refuses a file."""
    try:
        return function(*arguments, **options), None
    except ModelFileError as error:
        return None, str(error)


def check_use(model, rows):
    """What a model makes of good rows is numbers, or a refusal by name."""
    if isinstance(model, Pipeline):
        model = next(step for _, step in model.steps if hasattr(step, "score_samples"))
    with contextlib.suppress(ForeignRows), foreign_rows():
        assert not np.isnan(model.score_samples(rows)).any()
        assert not np.isnan(model.transform(rows)).any()


class ForeignRows(Exception):
    """A model says that it was fitted on others."""


@contextlib.contextmanager
def foreign_rows():
    try:
        yield
    except ValueError as error:
        if re.match("(C?V?AE: )|The feature names should match", str(error)):
            raise ForeignRows from None
        raise


@pytest.mark.parametrize("name", ROWS)
def test_a_changed_model_file_is_refused_or_of_use(name, tmp_path):
    header, arrays = read_model_file(FOLDER / f"{name}.safetensors")
    path, n_of_use = tmp_path / "m.safetensors", 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        write(path, *mutated(rng, header, arrays), false_claim(rng) if seed % 20 == 0 else None)
        model, refused = refusal(load, path)
        if model is not None:
            n_of_use += 1
            check_use(model, ROWS[name])
        facts, unknown = refusal(read_facts, path)
        if facts is not None:
            page(facts)
        for message in filter(None, (refused, unknown)):
            assert message.startswith(f"{path}: ")
            assert len(message) < len(str(path)) + 400
    assert 0 < n_of_use < 50


def interrupt(record, model):
    if record["epoch"] == 2:
        raise KeyboardInterrupt


def test_a_changed_checkpoint_is_refused_or_goes_on(iris, tmp_path):
    options = {"hidden_layer_sizes": (6,), "batch_size": 16, "early_stopping": True, "device": "cpu"}
    path, begun, n_refused = tmp_path / "fit.ckpt", tmp_path / "begun.ckpt", 0
    with pytest.warns(RuntimeWarning, match="interrupted in epoch 2"), pytest.raises(KeyboardInterrupt):
        VAE(2, max_iter=5, learning_rate="constant", random_state=0, **options).fit(
            iris[0], checkpoint=begun, callbacks=[interrupt]
        )
    header, arrays = read_model_file(begun)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        write(path, *mutated(rng, header, arrays))
        model = VAE(2, max_iter=5, learning_rate="constant", random_state=0, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # steps back from where the file had led
            _, refused = refusal(model.fit, iris[0], checkpoint=path)
        if refused is None:
            assert not np.isnan(model.score_samples(iris[0])).any()
        else:
            assert str(path) in refused
            n_refused += 1
    assert 20 < n_refused < 60
    shutil.copy(begun, path)
    assert model.fit(iris[0], checkpoint=path).n_iter_ == 5
