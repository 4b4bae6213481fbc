"""The loop: reproducible, resumable, recovering, stopping; and the rows that it is fed."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from vaetools.nn.batches import InputScale, MovedRows, Rows
from vaetools.nn.latents import Normal, Point
from vaetools.nn.likelihoods import Gaussian
from vaetools.nn.model import Autoencoder
from vaetools.nn.networks import Network
from vaetools.nn.schedule import TrainingSettings, one_cycle
from vaetools.nn.state import restore, state_of
from vaetools.nn.training import Trainer

N_FEATURES = 4


def build(seed=0, likelihood=None, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Network(N_FEATURES, 2, (6,), nn.SiLU, **options)
    latent = Normal if options.get("variational", True) else Point
    likelihood = (likelihood or Gaussian()).bind(N_FEATURES)
    return Autoencoder(network, likelihood, latent, 2, torch.zeros(N_FEATURES))


def data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)) @ rng.normal(size=(2, N_FEATURES)) + 0.1 * rng.normal(size=(n, N_FEATURES))


def as_rows(X, index=None, **labels):
    index = np.arange(len(X)) if index is None else index
    return Rows(X, index, InputScale.fixed("identity", X.shape[1]), **labels)


def make(model=None, X=None, *, seed=0, held_out=None, **settings):
    options = {"n_epochs": 5, "batch_size": 16} | settings
    rows = as_rows(data() if X is None else X)
    return Trainer(model or build(), rows, TrainingSettings(**options), seed=seed, held_out=held_out)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


# What training does


@pytest.mark.parametrize("options", [{}, {"input_noise": 0.1, "input_masking": 0.1}])
@pytest.mark.parametrize("variational", [True, False])
def test_the_loss_falls(variational, options):
    history = make(build(variational=variational), n_epochs=30, learning_rate_init=0.01, **options).run()
    losses = [record["loss"] for record in history]
    assert losses[-1] < losses[0] - 0.5  # nats
    assert all(record["kl"] == 0 for record in history) is not variational


def test_history_has_one_record_per_epoch():
    history = make(n_epochs=3, beta=0.5).run()
    assert [record["epoch"] for record in history] == [1, 2, 3]
    for record in history:
        assert set(record) == {"epoch", "beta", "learning_rate", "loss", "reconstruction", "kl"}
        # float32 sums
        assert record["loss"] == pytest.approx(record["reconstruction"] + 0.5 * record["kl"], rel=1e-6)


def test_history_holds_means_over_rows_of_uneven_batches():
    """Steps too small to move a weight: the epoch's mean is that of all rows at once."""
    model = build(likelihood=Gaussian(1.0), variational=False)
    X = data(37)
    expected = model.read(torch.from_numpy(X).float()).reconstruction.sum(dim=1).mean().item()
    (record,) = make(model, X, n_epochs=1, learning_rate_init=1e-12).run()
    assert record["loss"] == pytest.approx(expected, rel=1e-5)  # float32 sums
    assert record["kl"] == 0


def test_an_epoch_sees_every_row_once_in_a_new_order(monkeypatch):
    seen = []
    kind = MovedRows  # as few rows become
    batch = kind.batch

    def watched(rows, where, *to):
        seen.append(rows.index[where])
        return batch(rows, where, *to)

    monkeypatch.setattr(kind, "batch", watched)
    make(X=data(37), n_epochs=2).run()
    assert [len(where) for where in seen] == [16, 16, 5] * 2
    first, second = np.concatenate(seen[:3]), np.concatenate(seen[3:])
    assert sorted(first) == sorted(second) == list(range(37))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("n_rows", [1, 3])
def test_fewer_rows_than_a_batch(n_rows):
    trainer = make(X=data(n_rows), n_epochs=3)
    before = weights(trainer.model)
    history = trainer.run()
    assert trainer.step == 3
    assert np.isfinite([record["loss"] for record in history]).all()
    assert not same(before, trainer.model.state_dict())


def test_model_is_in_training_mode_only_during_the_run():
    model = build()
    seen = []
    make(model, n_epochs=1).run([lambda record, model: seen.append(model.training)])
    assert seen == [True]
    assert not model.training


def test_frozen_weights_stay():
    model = build()
    model.network.encoder.requires_grad_(False)
    before = weights(model)
    make(model).run()
    moved = {name for name, value in model.state_dict().items() if not torch.equal(before[name], value)}
    assert moved
    assert not any(name.startswith("network.encoder") for name in moved)


@pytest.mark.parametrize("scale", ["global", "per_feature"])
def test_a_learnt_scale_is_the_running_mean_of_squared_errors(scale):
    """Weights that hardly move: the plain mean of the first steps, of whichever scale it started from."""
    model, X = build(likelihood=Gaussian(scale), variational=False), data(48)
    x = torch.from_numpy(X).float()
    model.likelihood.fit_scale(torch.full((N_FEATURES,), 1e4))
    make(model, X, n_epochs=2, learning_rate_init=1e-12).run()
    expected = Gaussian(scale).bind(N_FEATURES)
    expected.fit_scale((model.read(x).expected - x).square().mean(dim=0))
    torch.testing.assert_close(model.likelihood.raw_log_scale, expected.raw_log_scale, rtol=1e-4, atol=1e-4)


def test_a_fixed_scale_stays():
    model = build(likelihood=Gaussian(0.5))
    make(model).run()
    assert model.likelihood.scale == 0.5
    assert not list(model.likelihood.parameters())


# Reproducible


def test_same_seed_same_weights():
    def trained(seed, model_seed=0):
        trainer = make(build(model_seed), seed=seed)
        trainer.run()
        return weights(trainer.model)

    assert same(trained(0), trained(0))
    assert not same(trained(0), trained(1))
    assert not same(trained(0), trained(0, model_seed=1))


def test_nothing_global_is_touched():
    model = build()
    held_out = as_rows(data(8))

    def world():
        return (
            torch.get_rng_state().tolist(),
            [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002 - the global one
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.is_grad_enabled(),
            list(warnings.filters),
        )

    before = world()
    make(model, input_noise=0.1, input_masking=0.1, kl_warmup=0.5, held_out=held_out).run()
    assert world() == before


def on_spoilt(trainer, step, monkeypatch):
    """Make the loss of one step infinite, the first time that it is made."""
    costs = trainer.model.forward

    def spoilt(*args):
        reconstruction, kl = costs(*args)
        is_bad = trainer.step == step and not trainer.n_recoveries
        return reconstruction, kl + (np.inf if is_bad else 0.0)

    monkeypatch.setattr(trainer.model, "forward", spoilt)


@pytest.mark.parametrize("watched", [False, True])
@pytest.mark.parametrize("learning_rate", ["one_cycle", "constant"])
@pytest.mark.filterwarnings("ignore:the loss became infinite:RuntimeWarning")
def test_a_run_goes_on_bit_for_bit_from_wherever_it_was_kept(watched, learning_rate, monkeypatch):
    """From the middle of epochs, from their ends, across a recovery, and from the end of the run."""
    monkeypatch.setattr("vaetools.nn.training.SYNC_STEPS", 2)
    options = {"n_epochs": 6, "kl_warmup": 0.5, "input_noise": 0.1, "learning_rate": learning_rate}
    options["held_out"] = as_rows(data(8, seed=1)) if watched else None

    def make_spoilt(model):
        trainer = make(model, seed=0, **options)
        on_spoilt(trainer, 10, monkeypatch)
        return trainer

    whole, kept = make_spoilt(build()), []
    whole.run(keep=lambda trainer: kept.append(state_of(trainer)))
    unkept = make_spoilt(build())
    unkept.run()
    assert same(whole.model.state_dict(), unkept.model.state_dict())
    assert whole.n_recoveries == 1
    assert {state["step"] for state in kept} >= {2, 4, 6, 8, 16, 18}
    for state in kept:
        before = copy.deepcopy(state)
        continued = make_spoilt(build(seed=9))
        restore(continued, state)
        assert len(continued.run()) == 6
        assert continued.history == whole.history
        assert same(whole.model.state_dict(), continued.model.state_dict())
        assert all(
            torch.equal(torch.as_tensor(before[name]), torch.as_tensor(state[name])) for name in TENSORS
        )


TENSORS = ("order", "noise", "sums", "optimizer.0.exp_avg", "model.network.encoder.0.weight")


def test_a_run_is_kept_where_it_was_checked_and_nowhere_else(monkeypatch):
    monkeypatch.setattr("vaetools.nn.training.SYNC_STEPS", 4)
    steps = []
    make(n_epochs=3).run(keep=lambda trainer: steps.append((trainer.step, trainer.epoch, trainer.finished)))
    assert steps == [(4, 1, False), (8, 2, False), (9, 3, True)]
    steps.clear()
    make(n_epochs=2).run(
        [ignore], keep=lambda trainer: steps.append((trainer.step, trainer.epoch, trainer.finished))
    )
    assert steps == [(3, 1, False), (4, 1, False), (6, 2, True)]


def test_a_callback_that_changes_weights_is_part_of_the_run(monkeypatch):
    def halve(record, model):
        with torch.no_grad():
            model.network.encoder[0].weight.mul_(0.5)

    whole, kept = make(n_epochs=3), []
    whole.run([halve], keep=lambda trainer: kept.append(state_of(trainer)))
    for state in kept:
        continued = make(build(seed=9), n_epochs=3)
        restore(continued, state)
        continued.run([halve])
        assert same(whole.model.state_dict(), continued.model.state_dict())


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("optimizer.0.exp_avg", torch.zeros(2), ValueError),
        ("best.0", torch.zeros(2), ValueError),
        ("sums", torch.zeros(2), ValueError),
        ("last_epoch", 2, ValueError),
        ("mean.0", torch.zeros(2), ValueError),
        ("noise", torch.zeros(2, dtype=torch.uint8), RuntimeError),
        ("optimizer.99.exp_avg", torch.zeros(2), IndexError),
        ("step", "many", TypeError),
    ],
)
def test_a_state_of_other_shapes_is_refused(name, value, error):
    trainer = make(held_out=as_rows(data(8)), n_epochs=1)
    trainer.run()
    with pytest.raises(error):
        restore(make(held_out=as_rows(data(8)), n_epochs=1), state_of(trainer) | {name: value})


# Recovering


def spoil(monkeypatch, model, calls):
    """Make the loss of some steps (1 is the first) infinite, with a finite gradient."""
    count = 0
    costs = model.forward

    def spoilt(*args):
        nonlocal count
        count += 1
        reconstruction, kl = costs(*args)
        return reconstruction, kl + (np.inf if count in calls else 0.0)

    monkeypatch.setattr(model, "forward", spoilt)


def ignore(record, model):
    """Do nothing: with a callback, every epoch is checked."""


def test_a_bad_epoch_is_made_again_from_the_last_good_weights(monkeypatch):
    trainer = make(n_epochs=4, learning_rate="constant", learning_rate_init=1e-3)
    n_steps = trainer.steps_per_epoch
    snapshots = []
    spoil(monkeypatch, trainer.model, {2 * n_steps + 1})
    before_third = []
    monkeypatch.setattr(
        trainer,
        "_start_optimizer",
        lambda new=trainer._start_optimizer: before_third.append(weights(trainer.model)) or new(),
    )
    with pytest.warns(
        RuntimeWarning, match=r"by epoch 3: went back to epoch 2, .* rate to 0\.0001\."
    ) as seen:
        history = trainer.run([lambda record, model: snapshots.append(weights(model))])
    assert len(seen) == 1
    assert same(before_third[0], snapshots[1])
    assert not same(snapshots[1], snapshots[2])
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]
    assert [record["learning_rate"] for record in history] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    assert np.isfinite([record["loss"] for record in history]).all()
    assert trainer.step == 4 * n_steps


@pytest.mark.parametrize("callbacks", [[], [ignore]])
def test_a_short_run_that_goes_wrong_still_trains(monkeypatch, callbacks):
    trainer = make(n_epochs=1, batch_size=4)
    spoil(monkeypatch, trainer.model, {3})
    start = weights(trainer.model)
    with pytest.warns(RuntimeWarning, match="went back to epoch 0"):
        history = trainer.run(callbacks)
    assert not same(start, trainer.model.state_dict())
    assert len(history) == trainer.epoch == 1
    assert np.isfinite(history[0]["loss"])


def test_a_huge_learning_rate_is_lowered():
    model = build(likelihood=Gaussian(1.0))
    start = weights(model)
    trainer = make(model, learning_rate="constant", learning_rate_init=1e4, n_epochs=20)
    with pytest.warns(RuntimeWarning, match="lowered the learning rate") as seen:
        history = trainer.run([ignore])
    assert trainer.n_recoveries == len(seen) > 0
    assert history[-1]["learning_rate"] == pytest.approx(1e4 * 0.1**trainer.n_recoveries)
    assert np.isfinite(history[-1]["loss"])
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    assert not same(start, model.state_dict())


def test_hopeless_data_end_in_a_clear_error():
    X = data()
    X[7] = np.inf
    trainer = make(X=X, n_epochs=20, learning_rate="constant", learning_rate_init=1e-3)
    expected = r"infinite or NaN 5 times, the last time at a learning rate of 1e-07\. .* learning_rate_init"
    with (
        pytest.warns(RuntimeWarning, match="went back") as seen,
        pytest.raises(FloatingPointError, match=expected),
    ):
        trainer.run([ignore])
    assert len(seen) == 4
    assert not trainer.model.training


def test_held_out_rows_that_never_cost_a_finite_number_end_in_a_clear_error():
    """Else what was never trained would look like what did best."""
    X = data(8, seed=1)
    X[3, 1] = 1e30  # whose square is infinite in float32
    trainer = make(held_out=as_rows(X))
    with pytest.raises(FloatingPointError, match=r"held-out rows cost infinity or NaN\. Look for extreme"):
        trainer.run()
    assert trainer.step > 0
    assert not trainer.has_learnt()  # so that an interrupted fit leaves no such model either


# Stopping early


def watch(monkeypatch, losses, *, n_epochs=None, **settings):
    """Run with scripted held-out losses; return the trainer and the weights after every epoch."""
    script, snapshots = iter(losses), []
    monkeypatch.setattr(Trainer, "_held_out_loss", lambda trainer: next(script))
    settings = {"learning_rate": "constant", "n_iter_no_change": 3, "tol": 0.1} | settings
    trainer = make(n_epochs=n_epochs or len(losses), held_out=as_rows(data(8)), **settings)
    trainer.run([lambda record, model: snapshots.append(weights(model))])
    return trainer, snapshots


def mean_of(snapshots, settings):
    """Return the running mean of weights after every epoch."""
    mean = snapshots[0]
    for epoch, now in enumerate(snapshots[1:], start=2):
        mean = {name: mean[name].lerp(now[name], settings.share_of_epoch(epoch)) for name in mean}
    return mean


@pytest.mark.parametrize(
    ("losses", "best_epoch", "n_epochs"),
    [
        ([-1.0, -2.0, -3.0, -2.9, -2.8, -2.7, -9.0], 3, 6),
        ([5.0, 4.0, 3.0, 3.1, 3.2, 3.3, 0.0], 3, 6),
        ([-1.0, -2.0, -2.05, -2.09, -2.09, -9.0], 2, 5),  # falls of less than tol do not count
        ([-1.0, -2.0, -1.9, -1.8, -3.0, -2.0, -2.5], 5, 7),  # patience starts again
        ([-3.0, -2.0, -1.0, 0.0, -9.0], 1, 4),
        ([-1.0, np.nan, -2.0, np.nan, np.nan, np.nan, -9.0], 3, 6),
    ],
)
def test_early_stopping_restores_the_best_weights(monkeypatch, losses, best_epoch, n_epochs):
    trainer, snapshots = watch(monkeypatch, losses)
    assert len(trainer.history) == n_epochs
    assert trainer.best_epoch == best_epoch
    assert [record["held_out_loss"] for record in trainer.history] == pytest.approx(
        losses[:n_epochs], nan_ok=True
    )
    assert same(mean_of(snapshots[:best_epoch], trainer.settings), trainer.model.state_dict())


def test_patience_counts_after_the_warm_up(monkeypatch):
    """Losses of the warm-up, lower because KL weighs less, are not the best of the run."""
    losses = [-9.0, -8.0, -7.0, -6.0, -2.0, -3.0, -2.5, -2.4, -2.3, -9.0]
    trainer, snapshots = watch(monkeypatch, losses, kl_warmup=0.5)
    assert trainer.best_epoch == 6
    assert len(trainer.history) == 9
    assert same(mean_of(snapshots[:6], trainer.settings), trainer.model.state_dict())


def test_one_cycle_stops_when_half_of_it_brought_nothing(monkeypatch):
    losses = [*[3.0] * 5, 4.0, *[4.0] * 10, 3.0]  # what it costs while the rate rises does not count
    trainer, snapshots = watch(monkeypatch, losses, n_epochs=20, learning_rate="one_cycle")
    assert (trainer.best_epoch, len(trainer.history), trainer.finished) == (6, 16, True)
    assert same(mean_of(snapshots[:6], trainer.settings), trainer.model.state_dict())


def test_the_first_steps_are_never_the_best():
    cycle, steady = (TrainingSettings(n_epochs=100, learning_rate=rate) for rate in ("one_cycle", "constant"))
    assert [cycle.may_be_best(step, 600) for step in (1, 179, 180)] == [
        False,
        False,
        True,
    ]  # of 180 that rise
    assert [cycle.may_be_best(step, 6_000) for step in (1, 199, 200)] == [False, False, True]
    assert steady.may_be_best(1, 600)


def test_what_watches_is_a_mean_of_weights_where_the_rate_leaves_something_to_average():
    steady = TrainingSettings(n_epochs=100, learning_rate="constant")
    assert [steady.share_of_epoch(epoch) for epoch in (1, 2, 82)] == pytest.approx([1.0, 0.9, 0.1])
    cycle = TrainingSettings(n_epochs=100)
    assert cycle.share_of_epoch(30) == steady.share_of_epoch(30)  # at the peak
    assert cycle.share_of_epoch(65) == pytest.approx(0.25, abs=1e-3)  # at half of it
    assert cycle.share_of_epoch(100) == pytest.approx(1.0, abs=1e-3)


def test_a_mean_of_weights_keeps_what_is_infinite():
    model, levels = build(), torch.tensor([-torch.inf, 0.5])
    model.register_buffer("levels", levels.clone())  # as of a label that no row has
    trainer = make(model, held_out=as_rows(data(8, seed=1)), learning_rate="constant")
    trainer.run()
    assert trainer.settings.share_of_epoch(trainer.best_epoch) < 1
    assert torch.equal(model.levels, levels)


def test_a_run_that_is_watched_goes_on_bit_for_bit(monkeypatch):
    monkeypatch.setattr("vaetools.nn.training.SYNC_STEPS", 2)

    def started(seed):
        settings = {"n_epochs": 9, "tol": 1e9, "n_iter_no_change": 2, "learning_rate_init": 0.01}
        return make(build(seed), held_out=as_rows(data(8, seed=1)), **settings)

    whole, kept = started(0), []
    whole.run(keep=lambda trainer: kept.append(state_of(trainer)))
    assert (whole.best_epoch, whole.epoch) == (3, 7)
    for state in kept:
        continued = started(9)
        restore(continued, state)
        assert continued.run() == whole.history
        assert same(whole.model.state_dict(), continued.model.state_dict())


def test_held_out_loss_is_at_the_final_beta_and_the_scale_of_rows_that_watch():
    """The ELBO by its own definition, with two mirrored draws of every row's own."""
    X, seen = data(5), []
    trainer = make(beta=3.0, kl_warmup=0.9, n_epochs=2, held_out=as_rows(X))
    record, _ = trainer.run([lambda record, model: seen.append(copy.deepcopy(model))])
    x = torch.from_numpy(X).float()
    noise = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).float()
    draws = torch.stack([noise, -noise])
    with torch.no_grad():
        expected = [seen[0].network.decode(seen[0].read(x).latent.draw(draw), None) for draw in draws]
    seen[0].likelihood.fit_scale(torch.stack([(x - each).square().mean() for each in expected]).mean()[None])
    bounds = seen[0].read(x).bound(draws)  # reconstruction + KL
    expected = -bounds.mean().item() + 2.0 * seen[0].read(x).kl.sum(dim=1).mean().item()
    assert record["held_out_loss"] == pytest.approx(expected, rel=1e-5)  # float32


# Schedules


def test_kl_weight_rises_linearly_over_the_warm_up():
    trainer = make(n_epochs=10, beta=4.0, kl_warmup=0.5)
    betas = [record["beta"] for record in trainer.run()]
    assert betas == pytest.approx([0, 0.8, 1.6, 2.4, 3.2, 4, 4, 4, 4, 4])
    assert TrainingSettings(1, beta=4.0).beta_at(0, 10) == 4.0


def test_the_warm_up_reaches_the_loss():
    """At a KL weight of 0 the encoder's bias has no gradient towards the prior."""
    trainer = make(X=data(16), n_epochs=2, kl_warmup=0.5, learning_rate="constant", learning_rate_init=1e-2)
    twin = make(X=data(16), n_epochs=2, beta=0.0, learning_rate="constant", learning_rate_init=1e-2)
    snapshots = []
    for run in (trainer, twin):
        run.run([lambda record, model: snapshots.append(weights(model))])
    assert same(snapshots[0], snapshots[2])  # one step, at a weight of 0
    assert not same(snapshots[1], snapshots[3])


def test_one_cycle_rises_and_falls():
    values = [one_cycle(progress) for progress in np.linspace(0, 1, 101)]
    assert values[0] == pytest.approx(0.04)
    assert np.argmax(values) == 30
    assert max(values) == 1
    assert values[-1] == pytest.approx(1e-4)
    assert (np.diff(values[:31]) > 0).all()
    assert (np.diff(values[30:]) < 0).all()
    assert np.abs(np.diff(values)).max() < 0.06  # no jump


def test_learning_rates_follow_the_schedule():
    trainer = make(n_epochs=10, learning_rate_init=0.5)
    rates = [record["learning_rate"] for record in trainer.run()]
    assert rates == pytest.approx([0.5 * one_cycle(epoch / 10) for epoch in range(10)])
    constant = make(n_epochs=3, learning_rate="constant", learning_rate_init=0.01).run()
    assert [record["learning_rate"] for record in constant] == [0.01] * 3


# Denoising


def test_a_denoising_encoder_sees_corrupted_rows_and_the_target_is_clean(monkeypatch):
    model = build()
    calls = []
    costs = model.forward

    def spy(x, y, noise, seen, weights):
        calls.append((x, seen))
        return costs(x, y, noise, seen, weights)

    monkeypatch.setattr(model, "forward", spy)
    X = data(4000)
    make(model, X, n_epochs=1, batch_size=4000, input_noise=0.5, input_masking=0.2).run()
    ((x, corrupted),) = calls
    assert sorted(x[:, 0].tolist()) == sorted(X[:, 0].astype(np.float32).tolist())
    masked = corrupted == 0
    # 16,000 values: standard errors of 0.003 for both
    assert masked.double().mean().item() == pytest.approx(0.2, abs=0.02)
    assert (corrupted - x)[~masked].std().item() == pytest.approx(0.5, abs=0.02)
    assert (corrupted - x)[~masked].mean().item() == pytest.approx(0, abs=0.02)


def test_without_denoising_the_encoder_sees_the_rows(monkeypatch):
    model, seen = build(), []
    costs = model.forward
    monkeypatch.setattr(model, "forward", lambda *given: (seen.append(given[3]), costs(*given))[1])
    make(model, n_epochs=1).run()
    assert set(seen) == {None}


# Rows


def test_memory_mapped_rows_train_like_rows_in_memory(tmp_path):
    X = data().astype(np.float32)
    mapped = np.memmap(tmp_path / "rows.dat", dtype=np.float32, mode="w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    mapped = np.memmap(tmp_path / "rows.dat", dtype=np.float32, mode="r", shape=X.shape)
    trainers = [make(X=rows) for rows in (X, mapped)]
    for trainer in trainers:
        trainer.run()
    assert same(*(trainer.model.state_dict() for trainer in trainers))
    assert np.array_equal(mapped, X)


def test_8_bit_rows_are_divided_by_255():
    X = np.arange(0, 240, 10, dtype=np.uint8).reshape(6, 4)
    rows = Rows(X, np.array([5, 0]), InputScale.fixed("pixels", 4))
    for dtype in (torch.float32, torch.float64):
        x, condition = rows.batch(slice(None), torch.device("cpu"), dtype)
        assert torch.equal(x, torch.tensor(X[[5, 0]]).to(dtype) / 255)
        assert condition is None
    trainer = Trainer(build(), rows, TrainingSettings(n_epochs=2), seed=0)
    assert np.isfinite([record["loss"] for record in trainer.run()]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.int64, np.uint16, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_any_number_type(dtype, order):
    X = np.array([[0, 1], [1, 0], [1, 1]], dtype=dtype, order=order)
    x, _ = as_rows(X).batch(np.array([2, 0]), torch.device("cpu"), torch.float32)
    assert x.dtype == torch.float32
    assert x.tolist() == [[1, 1], [0, 1]]


def test_standardized_rows_keep_their_digits():
    """A large mean is subtracted in float64, before the cast."""
    X = 1e8 + np.arange(4.0)[:, None]
    scale = InputScale("standardize", np.array([1e8]), np.array([2.0]))
    x, _ = Rows(X, np.arange(4), scale).batch(slice(None), torch.device("cpu"), torch.float32)
    assert x.flatten().tolist() == [0, 0.5, 1, 1.5]
    assert scale.invert(x.double()).tolist() == X.tolist()
    assert scale.log_unit.tolist() == [np.log(2)]


def test_labels_become_one_hot_conditions():
    codes = np.array([2, 0, 1, 1])
    rows = as_rows(data(4), np.array([3, 0]), labels=codes, n_classes=3)
    assert len(rows) == 2
    _, condition = rows.batch(slice(None), torch.device("cpu"), torch.float32)
    assert condition.tolist() == [[0, 1, 0], [0, 0, 1]]


def test_callbacks_get_the_record_and_the_model():
    model, seen, ticks = build(), [], []
    trainer = make(model, n_epochs=3)
    history = trainer.run([lambda *what: seen.append(what)], lambda: ticks.append(None))
    assert [record for record, _ in seen] == history
    assert all(given is model for _, given in seen)
    assert len(ticks) == trainer.n_steps == 9


# Precision


def test_bfloat16_rounds_the_network_alone(monkeypatch):
    seen = {}

    class Spy(Gaussian):
        def log_prob(self, parameters, x):
            seen["likelihood"] = parameters.dtype, x.dtype
            return super().log_prob(parameters, x)

    model = build()
    model.likelihood = Spy(1.0)
    trainer = make(model, precision="bfloat16", n_epochs=1)
    layer = trainer.model.network.encoder[0]
    layer.register_forward_hook(lambda module, inputs, output: seen.update(layer=output.dtype))
    costs = trainer.model.forward

    def spy(*args):
        seen["costs"] = costs(*args)
        return seen["costs"]

    monkeypatch.setattr(trainer.model, "forward", spy)
    trainer.run()
    assert seen["layer"] == torch.bfloat16
    assert seen["likelihood"] == (torch.float32, torch.float32)
    assert {part.dtype for part in seen["costs"]} == {torch.float32}
    assert {weight.dtype for weight in trainer.model.parameters()} == {torch.float32}


def test_bfloat16_learns_what_float32_does():
    runs = [make(n_epochs=40, learning_rate_init=0.01, precision=name) for name in ("float32", "bfloat16")]
    exact, rounded = ([record["loss"] for record in trainer.run()] for trainer in runs)
    assert rounded != exact
    assert rounded[-1] < exact[0] - 0.9 * (exact[0] - exact[-1])
