"""Several processes train what one does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import vaetools
from vaetools import CVAE, VAE, load
from vaetools.nn.parallel import Workers

SCRIPT = """
import os
import sys
import numpy as np
import torch
from torch import distributed
from vaetools import CVAE, VAE, save

distributed.init_process_group("gloo")
torch.set_num_threads(1)
rank = distributed.get_rank()
folder = sys.argv[1]
X, y = np.load(f"{folder}/X.npy"), np.load(f"{folder}/y.npy")
plain = VAE(2, hidden_layer_sizes=(8,), batch_size=19, max_iter=6, input_noise=0.1, random_state=0)
plain.fit(X, checkpoint=f"{folder}/run.ckpt")
watched = CVAE(2, hidden_layer_sizes=(8,), batch_size=19, max_iter=6, random_state=0, early_stopping=True,
               learning_rate="constant", n_iter_no_change=1).fit(X, y)
if rank == 0:
    save(plain, f"{folder}/plain.safetensors")
    save(watched, f"{folder}/watched.safetensors")
small = {"hidden_layer_sizes": (8,), "max_iter": 1}
for what in ("random_state", "content of X", "content of y", "batch_size"):
    seed, size = rank * (what == "random_state"), 16 + rank * (what == "batch_size")
    rows, labels = X + rank * (what == "content of X"), np.roll(y, rank * (what == "content of y"))
    try:
        CVAE(2, **small, random_state=seed, batch_size=size).fit(rows, labels)
    except ValueError as error:
        print(f"refused for {what}: {error}", flush=True)
distributed.barrier()
sys.stdout.flush()
os._exit(0)  # threads of gloo may abort the process while the interpreter ends
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    rng = np.random.default_rng(0)
    np.save(folder / "X.npy", rng.normal(size=(96, 2)) @ rng.normal(size=(2, 5)))  # 77 train: 19 · 4 + 1
    np.save(folder / "y.npy", np.arange(96) % 3)
    (folder / "fit.py").write_text(SCRIPT)
    return folder


def launch(*arguments):
    """Run a script in two processes, as torchrun does."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {"PYTHONPATH": str(Path(vaetools.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    run = subprocess.run([*command, *arguments], capture_output=True, text=True, env=os.environ | environment)
    assert run.returncode == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def output(folder):
    return launch(folder / "fit.py", folder).stdout


@pytest.mark.parametrize("name", ["plain", "watched"])
def test_two_processes_train_what_one_does(folder, output, name):
    X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
    common = {"hidden_layer_sizes": (8,), "batch_size": 19, "max_iter": 6, "random_state": 0}
    if name == "plain":
        alone = VAE(2, **common, input_noise=0.1).fit(X)
    else:
        stopping = {"learning_rate": "constant", "early_stopping": True, "n_iter_no_change": 1}
        alone = CVAE(2, **common, **stopping).fit(X, y)
    together = load(folder / f"{name}.safetensors")
    assert together.n_iter_ == alone.n_iter_
    np.testing.assert_allclose(together.history_, alone.history_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together.score_samples(X), alone.score_samples(X), rtol=1e-4, atol=1e-4)


def test_a_checkpoint_of_two_processes_goes_on_in_one(folder, output):
    X, together = np.load(folder / "X.npy"), load(folder / "plain.safetensors")
    settings = {"hidden_layer_sizes": (8,), "batch_size": 19, "max_iter": 6, "random_state": 0}
    again = VAE(2, **settings, input_noise=0.1).fit(X, checkpoint=folder / "run.ckpt")
    pd.testing.assert_frame_equal(again.history_, together.history_)  # nothing was left to train
    np.testing.assert_allclose(again.score_samples(X), together.score_samples(X), rtol=1e-9)


def test_the_command_fills_a_cache_once_and_trains_in_two_processes(folder):
    (folder / "photos").mkdir()
    for i, pixels in enumerate(np.random.default_rng(0).integers(256, size=(60, 8, 8), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / "photos" / f"{i}.png")
    files = [folder / "photos", "-o", folder / "photos.safetensors", "--cache", folder / "photos.npy"]
    said = launch("-m", "vaetools", "fit", *files, "--size", "8", "--max-iter", "2").stdout
    assert said.count("Written:") == 1
    assert len(load(folder / "photos.safetensors")[-1].history_) == 2


def test_processes_that_disagree_are_refused(output):
    for what in ("random_state", "content of X", "content of y", "batch_size"):
        said = "fit: the processes of a group train one model, and must have the same"
        assert output.count(f"refused for {what}: {said} {what}") == 2
    assert "got ['16', '17']" in output


def test_alone_there_is_one_worker():
    assert Workers.here() == Workers(0, 1)
    assert list(range(5))[Workers().share(5)] == list(range(5))


@pytest.mark.parametrize("n", [2, 3])
def test_shares_of_a_batch_are_all_of_it(n):
    shares = [np.arange(7)[Workers(rank, n).share(7)] for rank in range(n)]
    assert sorted(np.concatenate(shares)) == list(range(7))
