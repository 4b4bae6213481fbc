"""When a recorded step is replayed and when not; on a GPU also that it does what the step does."""

import numpy as np
import pytest
import torch
from torch import nn

from vaetools import AE, CVAE, VAE, load, save
from vaetools.nn.batches import InputScale, MovedRows, Rows
from vaetools.nn.cuda_graph import Captured

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Recorded(Captured):
    """Without a GPU: a record is the function, run again on the static inputs."""

    def __init__(self, function, fails=False):
        super().__init__(function)
        self.fails, self.n_replays, self.n_run = fails, 0, 0

    def _aside(self, arguments):
        return self.function(*arguments)

    def _static(self, value):
        return torch.full((), value) if isinstance(value, float) else super()._static(value)

    def _record(self):
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.output = torch.empty(2)

        def replay():
            self.n_replays += 1
            self.output.copy_(self.function(*self.inputs))

        return replay


def scaled(x, unused, factor):
    return x[:2] * factor


def test_calls_of_one_shape_are_replayed_and_others_run():
    step = Recorded(scaled)
    results = [step(torch.full((4,), float(i)), None, 2.0 + i) for i in range(6)]
    assert [result.tolist() for result in results] == [[i * (2.0 + i)] * 2 for i in range(6)]
    assert step.n_replays == 3  # after three calls to warm up
    assert step(torch.ones(3), None, 5.0).tolist() == [5.0, 5.0]  # a last, shorter batch
    assert step.n_replays == 3
    assert step(torch.ones(4), None, 7.0).tolist() == [7.0, 7.0]
    assert step.n_replays == 4


def test_what_cannot_be_recorded_runs_and_says_so():
    step = Recorded(scaled, fails=True)
    with pytest.warns(RuntimeWarning, match="runs step by step: operation not permitted") as caught:
        results = [step(torch.ones(4), None, float(i)).tolist() for i in range(6)]
    assert results == [[i, i] for i in map(float, range(6))]
    assert len(caught) == 1


def test_rows_that_were_moved_give_the_same_batches():
    rng = np.random.default_rng(0)
    X, labels = rng.integers(256, size=(30, 4)).astype(np.uint8), rng.integers(3, size=30)
    rows = Rows(X, np.arange(3, 29), InputScale.fixed("pixels", 4), labels, 3)
    cpu = torch.device("cpu")
    moved = rows.near(cpu, torch.float32)
    assert isinstance(moved, MovedRows)
    assert len(moved) == len(rows)
    for mine, theirs in zip(
        rows.batch(np.array([5, 0, 20]), cpu, torch.float32),
        moved.batch(np.array([5, 0, 20]), cpu, torch.float32),
        strict=True,
    ):
        assert torch.equal(mine, theirs)


def test_many_rows_stay_where_they_are():
    X = np.broadcast_to(np.zeros((1, 4), np.uint8), (2**22, 4))  # 64 MiB as float32
    rows = Rows(X, np.arange(len(X)), InputScale.fixed("pixels", 4))
    assert rows.near(torch.device("cpu"), torch.float32) is rows


@on_gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("options", [{}, {"kl_warmup": 0.5}, {"input_noise": 0.1}])
def test_a_graph_trains_what_steps_do(monkeypatch, options, precision):
    X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    settings = {"max_iter": 6, "batch_size": 32, "random_state": 0, "device": "cuda", "precision": precision}
    graphed = VAE(2, **settings, **options).fit(X)
    monkeypatch.setattr("vaetools.nn.training.Captured", lambda function: function)
    stepped = VAE(2, **settings, **options).fit(X)
    np.testing.assert_allclose(graphed.history_, stepped.history_, rtol=1e-4)
    np.testing.assert_allclose(graphed.transform(X), stepped.transform(X), rtol=1e-3, atol=1e-4)


@on_gpu
@pytest.mark.parametrize("estimator", [VAE, CVAE])
@pytest.mark.parametrize("image_shape", [None, (1, 8, 8)])
def test_scores_of_a_gpu_are_those_of_the_cpu(tmp_path, estimator, image_shape):
    rng = np.random.default_rng(0)
    X, y = rng.integers(256, size=(200, 64)).astype(np.uint8), np.arange(200) % 3
    model = estimator(2, image_shape=image_shape, max_iter=3, random_state=0, device="cuda").fit(X, y)
    save(model, tmp_path / "model.safetensors")
    here = load(tmp_path / "model.safetensors", device="cpu")
    np.testing.assert_allclose(here.score_samples(X), model.score_samples(X), rtol=1e-4)


@on_gpu
def test_a_network_of_the_users_runs_step_by_step():
    class Counting(nn.Module):
        calls = 0

        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(4, 2), nn.Linear(2, 4)

        def posterior(self, x, condition=None):
            type(self).calls += self.training
            return self.encoder(x), None

        def decode(self, z, condition=None):
            return self.decoder(z)

    X = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    AE(network=Counting(), max_iter=5, batch_size=20, device="cuda", random_state=0).fit(X)
    assert Counting.calls == 5 * 4
