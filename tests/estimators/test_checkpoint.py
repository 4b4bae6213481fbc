"""Nothing lost: fits that are stopped anywhere go on bit for bit, or leave a model of what they learnt."""

import copy
import os
import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

import vaetools as vt
from vaetools import AE, CVAE, VAE, EncoderDecoder, Gaussian, ModelFileError
from vaetools.estimators import checkpoint as module
from vaetools.files import read_model_file, write_model_file
from vaetools.nn.training import Trainer

OPTIONS = {"n_components": 2, "hidden_layer_sizes": (8,), "batch_size": 16, "random_state": 0}
N_STEPS = 8  # per epoch: 120 of 150 rows train


class Killed(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture
def often(monkeypatch):
    """Write at every check, and check every third step."""
    monkeypatch.setattr(module, "_SECONDS", 0.0)
    monkeypatch.setattr(module, "_SHARE", np.inf)
    monkeypatch.setattr("vaetools.nn.training.SYNC_STEPS", 3)


def stopping(monkeypatch, n_steps, error=Killed):
    """Let training stop when it has made some steps."""
    step, made = Trainer._train_step, []

    def stop(trainer, batch):
        if len(made) == n_steps:
            raise error
        made.append(trainer.step)
        return step(trainer, batch)

    context = monkeypatch.context()
    patch = context.__enter__()
    patch.setattr(Trainer, "_train_step", stop)
    return context, made


def stopped_fit(monkeypatch, model, n_steps, *data, error=Killed, **options):
    """Fit until training stops; return the steps that it made."""
    context, made = stopping(monkeypatch, n_steps, error)
    try:
        with pytest.raises(error):
            model.fit(*data, **options)
    finally:
        context.__exit__(None, None, None)
    return made


def assert_same(model, expected, X):
    weights, others = (each.model_.state_dict() for each in (model, expected))
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    pd.testing.assert_frame_equal(model.history_, expected.history_, check_exact=True)
    assert model.n_iter_ == expected.n_iter_
    assert model.offset_ == expected.offset_
    np.testing.assert_array_equal(model.score_samples(X), expected.score_samples(X))
    np.testing.assert_array_equal(model.reference_codes_, expected.reference_codes_)


# Going on


CASES = {
    "AE": (AE(**OPTIONS, max_iter=4, input_masking=0.1), 30),
    "VAE": (VAE(**OPTIONS, max_iter=4, kl_warmup=0.5, input_noise=0.1, trimmed_fraction=0.1), 26),
    "CVAE": (CVAE(**OPTIONS, max_iter=4, likelihood=Gaussian("predicted")), 30),
    "early stopping": (
        VAE(
            **OPTIONS, max_iter=9, learning_rate="constant", early_stopping=True, tol=0.5, n_iter_no_change=2
        ),
        14,
    ),
    "several epochs per check": (VAE(**OPTIONS | {"batch_size": 150}, max_iter=20), 19),
    "mixed": (VAE(**OPTIONS, max_iter=3, likelihood="mixed"), 20),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_that_is_stopped_anywhere_ends_as_if_it_never_was(name, iris, tmp_path, monkeypatch, often):
    model, most = CASES[name]
    X, y = iris
    if name == "mixed":
        X = pd.DataFrame(X, columns=list("wxyz")).assign(kind=np.array(["a", "b", "c"])[y])
    expected = copy.deepcopy(model).fit(X, y)
    for n_steps in np.random.default_rng(len(name)).integers(1, most, size=2):
        path = tmp_path / f"{n_steps}.ckpt"
        made = stopped_fit(monkeypatch, copy.deepcopy(model), n_steps, X, y, checkpoint=path)
        context, rest = stopping(monkeypatch, 10_000)
        continued = copy.deepcopy(model).fit(X, y, checkpoint=path)
        context.__exit__(None, None, None)
        assert rest[0] > made[-1] - 3
        assert rest[0] > 0 or len(made) < 3
        assert_same(continued, expected, X)


def test_a_fit_can_be_stopped_again_and_again(iris, tmp_path, monkeypatch, often):
    X, path = iris[0], tmp_path / "run.ckpt"
    expected = VAE(**OPTIONS, max_iter=6).fit(X)
    (tmp_path / ".run.ckpt.0123abcd.tmp").touch()  # as a process leaves that is killed while it writes
    for n_steps in (7, 4, 3, 11):
        stopped_fit(monkeypatch, VAE(**OPTIONS, max_iter=6), n_steps, X, checkpoint=path)
    assert_same(VAE(**OPTIONS, max_iter=6).fit(X, checkpoint=path), expected, X)
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_a_recovery_is_continued_too(iris, tmp_path, monkeypatch, often):
    X, path = iris[0], tmp_path / "run.ckpt"
    model = VAE(**OPTIONS, max_iter=4, learning_rate="constant")
    check = Trainer._check

    def spoilt(trainer):
        if trainer.step >= 10 and not trainer.n_recoveries:
            trainer.sums.fill_(np.nan)
        return check(trainer)

    monkeypatch.setattr(Trainer, "_check", spoilt)
    with pytest.warns(RuntimeWarning, match="went back to epoch 1"):
        expected = copy.deepcopy(model).fit(X)
    with pytest.warns(RuntimeWarning, match="went back"):
        stopped_fit(monkeypatch, copy.deepcopy(model), 20, X, checkpoint=path)
    continued = model.fit(X, checkpoint=path)  # without a warning: it went back before
    assert_same(continued, expected, X)
    assert continued.history_["learning_rate"].nunique() == 2


def test_a_memory_map_goes_on_as_rows_in_memory(iris, tmp_path, monkeypatch, often):
    X = iris[0].astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    mapped, path = np.load(tmp_path / "X.npy", mmap_mode="r"), tmp_path / "run.ckpt"
    stopped_fit(monkeypatch, VAE(**OPTIONS, max_iter=3), 10, mapped, checkpoint=path)
    assert_same(VAE(**OPTIONS, max_iter=3).fit(X, checkpoint=path), VAE(**OPTIONS, max_iter=3).fit(X), X)


def test_keeping_changes_nothing(iris, tmp_path, often):
    X = iris[0]
    kept = VAE(**OPTIONS, max_iter=3).fit(X, checkpoint=tmp_path / "run.ckpt")
    assert_same(kept, VAE(**OPTIONS, max_iter=3).fit(X), X)


@pytest.mark.parametrize("random_state", [None, "stream"])
def test_a_seed_that_was_drawn_is_kept(random_state, iris, tmp_path, monkeypatch, often):
    X, path = iris[0], tmp_path / "run.ckpt"

    def model():
        state = random_state and np.random.RandomState()
        return VAE(**OPTIONS | {"random_state": state}, max_iter=3)

    stopped_fit(monkeypatch, model(), 10, X, checkpoint=path)
    seed = read_model_file(path)[0]["seed"]
    expected = VAE(**OPTIONS | {"random_state": seed}, max_iter=3).fit(X)
    assert_same(model().fit(X, checkpoint=path), expected, X)
    assert read_model_file(path)[0]["seed"] == seed


def test_a_finished_fit_is_not_trained_again(iris, tmp_path, monkeypatch):
    X, path = iris[0], tmp_path / "run.ckpt"
    expected = VAE(**OPTIONS, max_iter=3).fit(X, checkpoint=path)
    content, seen = path.read_bytes(), []
    context, made = stopping(monkeypatch, 0)
    again = VAE(**OPTIONS, max_iter=3, verbose=1).fit(
        X, checkpoint=str(path), callbacks=[lambda *told: seen.append(told)]
    )
    context.__exit__(None, None, None)
    assert_same(again, expected, X)
    assert made == seen == []
    assert path.read_bytes() == content


def test_callbacks_are_told_of_new_epochs_alone(iris, tmp_path, monkeypatch, often):
    X, path, seen = iris[0], tmp_path / "run.ckpt", []

    def tell(record, model):
        seen.append(record["epoch"])

    stopped_fit(monkeypatch, VAE(**OPTIONS, max_iter=4), 20, X, checkpoint=path, callbacks=[tell])
    VAE(**OPTIONS, max_iter=4).fit(X, checkpoint=path, callbacks=[tell])
    assert seen == [1, 2, 3, 4]


def test_a_killed_process_loses_nothing(tmp_path):
    """SIGKILL while the file is being written, three times; then the rest."""
    script = tmp_path / "fit.py"
    script.write_text(
        """
import os, signal, sys
import numpy as np, torch
from vaetools import VAE
from vaetools.estimators import checkpoint
from vaetools.nn import training

checkpoint._SECONDS, checkpoint._SHARE, training.SYNC_STEPS = 0.0, np.inf, 4
X = np.random.default_rng(0).normal(size=(200, 5))
make = lambda: VAE(2, hidden_layer_sizes=(8,), batch_size=16, max_iter=9, random_state=0)
write, path = checkpoint.write_model_file, sys.argv[1]
for n_writes in (1, 6, 9):
    seen, tell = os.pipe()
    child = os.fork()
    if not child:
        checkpoint.write_model_file = lambda *what: (os.write(tell, b"."), write(*what))
        make().fit(X, checkpoint=path)
        os._exit(0)
    for _ in range(n_writes):
        os.read(seen, 1)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
steps = []
step = training.Trainer._train_step
training.Trainer._train_step = lambda trainer, batch: (steps.append(trainer.step), step(trainer, batch))[1]
continued, n_steps = make().fit(X, checkpoint=path), len(steps)
expected = make().fit(X)
pairs = zip(continued.model_.state_dict().values(), expected.model_.state_dict().values())
assert all(torch.equal(*pair) for pair in pairs)
assert continued.history_.equals(expected.history_) and continued.offset_ == expected.offset_
print(n_steps, len(steps) - n_steps)
"""
    )
    path = tmp_path / "run.ckpt"
    done = subprocess.run(
        [sys.executable, script, path],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert done.returncode == 0, done.stderr
    rest, whole = map(int, done.stdout.split())
    assert 0 < rest < whole - 40  # of 90


# Refused, by name


@pytest.fixture(scope="module")
def begun(iris, tmp_path_factory):
    """A checkpoint of a CVAE."""
    path = tmp_path_factory.mktemp("begun") / "run.ckpt"
    CVAE(**OPTIONS, max_iter=2).fit(*iris, checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_iter": 3}, "max_iter is 2 in the file and 3 now"),
        ({"beta": 2.0}, "beta is 1 in the file and 2 now"),
        ({"random_state": 1}, "random_state is 0 in the file and 1 now"),
        ({"random_state": None}, "random_state is 0 in the file and None now"),
        (
            {"likelihood": Gaussian(0.5)},
            r"likelihood is 'gaussian' in the file and Gaussian\(scale=0.5, .*\) now",
        ),
        (
            {"batch_size": 9, "tol": 0.1},
            "batch_size is 16 in the file and 9 now; tol is 0.0001 in the file and 0.1",
        ),
    ],
)
def test_other_parameters_are_refused(changes, message, begun, iris):
    content = begun.read_bytes()
    with pytest.raises(
        ValueError, match=f"CVAE: checkpoint '.*run.ckpt' belongs to another fit: {message}"
    ) as info:
        CVAE(**OPTIONS | {"max_iter": 2} | changes).fit(*iris, checkpoint=begun)
    assert "name another file or delete this one" in str(info.value)
    assert begun.read_bytes() == content


def test_another_class_is_refused(begun, iris):
    with pytest.raises(ValueError, match=r"VAE: .* class is CVAE in the file and VAE now"):
        VAE(**OPTIONS, max_iter=2).fit(*iris, checkpoint=begun)


def test_another_version_is_refused(begun, iris, monkeypatch):
    monkeypatch.setattr(module, "_STATE_VERSION", 7)
    with pytest.raises(ValueError, match="version of the state is 3 in the file and 7 now"):
        CVAE(**OPTIONS, max_iter=2).fit(*iris, checkpoint=begun)


def test_another_device_is_refused(begun, iris, monkeypatch):
    monkeypatch.setattr(module, "resolve_device", lambda estimator: torch.device("cuda:1"))
    with pytest.raises(ValueError, match="device is cpu in the file and cuda now"):
        CVAE(**OPTIONS, max_iter=2).fit(*iris, checkpoint=begun)


def test_the_same_fit_may_be_said_otherwise(begun, iris):
    options = OPTIONS | {"batch_size": np.int64(16), "device": "cpu", "verbose": 1}
    options |= {"hidden_layer_sizes": [8], "beta": 1}
    CVAE(**options, max_iter=2).fit(*iris, checkpoint=begun)


def other_data(X, y):
    changed, swapped = X.copy(), y.copy()
    changed[-1, -1] += 1e-12
    swapped[[0, -1]] = swapped[[-1, 0]]
    return {
        "content of X is [0-9a-f]{59,}… in the file and [0-9a-f]{59}… now": (changed, y),
        r"shape of X is \(150, 4\) in the file and \(149, 4\) now": (X[1:], y[1:]),
        "dtype of X is float64 in the file and float32 now": (X.astype(np.float32), y),
        "content of y is": (X, swapped),
        r"labels in y is \[0, 1, 2\] in the file and \['a', 'b', 'c'\] now": (
            X,
            np.array(["a", "b", "c"])[y],
        ),
    }


@pytest.mark.parametrize("case", range(5))
def test_other_data_are_refused(case, begun, iris):
    message, data = list(other_data(*iris).items())[case]
    with pytest.raises(ValueError, match=f"belongs to another fit: .*{message}"):
        CVAE(**OPTIONS, max_iter=2).fit(*data, checkpoint=begun)


def test_other_categories_are_refused(iris, tmp_path):
    X, y = iris
    table, model = pd.DataFrame(X, columns=list("wxyz")), VAE(**OPTIONS, max_iter=1, likelihood="mixed")
    model.fit(table.assign(kind=np.array(["a", "b", "c"])[y]), checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(ValueError, match="another fit: columns of X is"):
        model.fit(table.assign(kind=np.array(["a", "b", "d"])[y]), checkpoint=tmp_path / "run.ckpt")


def test_another_network_is_refused(iris, tmp_path):
    def fit(width, frozen=False):
        encoder = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.Linear(width, 2))
        encoder[0].requires_grad_(not frozen)
        network = EncoderDecoder(encoder, torch.nn.Linear(2, 4))
        return AE(network=network, max_iter=1, random_state=0).fit(iris[0], checkpoint=tmp_path / "run.ckpt")

    first = fit(3).transform(iris[0])
    np.testing.assert_array_equal(fit(3).transform(iris[0]), first)  # whatever weights it starts with
    with pytest.raises(ValueError, match=r"network is .* in the file and .* now"):
        fit(5)
    with pytest.raises(ValueError, match="network is"):
        fit(3, frozen=True)


# Files that are something else


def test_a_file_that_is_no_checkpoint_is_kept(begun, iris, tmp_path):
    model = CVAE(**OPTIONS, max_iter=2)
    vt.save(CVAE(**OPTIONS, max_iter=1).fit(*iris), tmp_path / "model")
    (tmp_path / "table").write_text("a,b\n1,2\n")
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_bytes(begun.read_bytes()[:-9])
    words = {"model": "is no checkpoint: got a CVAE that would be lost", "short": "damaged"}
    for name in ("model", "table", "empty", "short"):
        content = (tmp_path / name).read_bytes()
        with pytest.raises(ModelFileError, match=f"{name}: .*{words.get(name, 'not a model file')}"):
            model.fit(*iris, checkpoint=tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    assert vars(model) == CVAE(**OPTIONS, max_iter=2).get_params()


def test_a_checkpoint_is_no_model(begun):
    with pytest.raises(ModelFileError, match="no model but the state of a training"):
        vt.load(begun)


@pytest.mark.parametrize(
    "part", ["sums", "noise", "optimizer.0.exp_avg", "model.network.encoder.0.weight", "epoch"]
)
def test_a_state_that_does_not_fit_is_refused(part, begun, iris, tmp_path):
    header, arrays = read_model_file(begun)
    arrays = {
        name: array[:1] if name.startswith(part) and array.ndim else array for name, array in arrays.items()
    }
    header["state"] = {name: value for name, value in header["state"].items() if name != part}
    write_model_file(tmp_path / "run.ckpt", header, arrays)
    with pytest.raises(ModelFileError, match=r"run.ckpt: the file holds no usable state: "):
        CVAE(**OPTIONS, max_iter=2).fit(*iris, checkpoint=tmp_path / "run.ckpt")


# Disks that are full, folders that are not there


def test_a_missing_folder_is_found_first(iris, monkeypatch):
    monkeypatch.setattr("vaetools.estimators.autoencoder.rows_of_fit", None)
    with pytest.raises(
        FileNotFoundError, match="VAE: checkpoint must be a file in a folder that exists; got '/no/x'"
    ):
        VAE(**OPTIONS).fit(iris[0], checkpoint="/no/x")


@pytest.mark.parametrize("given", [3, True, b"run.ckpt"])
def test_a_checkpoint_is_a_path(given, iris):
    with pytest.raises(TypeError, match=f"AE: checkpoint must be None or the path of a file; got {given!r}"):
        AE(**OPTIONS).fit(iris[0], checkpoint=given)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that nobody can write")
def test_what_cannot_be_written_is_found_before_the_first_step(iris, monkeypatch):
    context, made = stopping(monkeypatch, 0)
    with pytest.raises(
        OSError, match="VAE: checkpoint '/proc/self/x' cannot be written, so nothing was trained"
    ):
        VAE(**OPTIONS).fit(iris[0], checkpoint="/proc/self/x")
    context.__exit__(None, None, None)
    assert made == []


@pytest.fixture
def disk():
    """A function that lets no file grow beyond some bytes, as if the disk were full; None: as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(n_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if n_bytes is None else n_bytes, hard))

    yield limit
    limit(None)


def test_a_full_disk_is_found_first_and_keeps_the_old_file(iris, tmp_path, monkeypatch, often, disk):
    X, path = iris[0], tmp_path / "run.ckpt"
    stopped_fit(monkeypatch, VAE(**OPTIONS, max_iter=3), 10, X, checkpoint=path)
    content = path.read_bytes()
    disk(1000)
    with pytest.raises(OSError, match=r"cannot be written, so nothing was trained: .*File too large"):
        VAE(**OPTIONS, max_iter=3).fit(X, checkpoint=path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_a_disk_that_fills_up_stops_no_training(iris, tmp_path, often, disk):
    X, path, contents = iris[0], tmp_path / "run.ckpt", []

    def fill(record, model):
        contents.append(path.read_bytes())
        disk(1000)

    with pytest.warns(RuntimeWarning) as told:
        model = VAE(**OPTIONS, max_iter=4).fit(X, checkpoint=path, callbacks=[fill])
    (warning,) = told
    assert "VAE: checkpoint" in str(warning.message)
    assert "cannot be written: File too large. Training goes on" in str(warning.message)
    expected = VAE(**OPTIONS, max_iter=4).fit(X)
    assert_same(model, expected, X)
    assert path.read_bytes() == contents[0] == contents[-1]
    disk(None)
    assert_same(VAE(**OPTIONS, max_iter=4).fit(X, checkpoint=path), expected, X)


def test_writing_takes_a_small_share_of_the_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    job = module._Seldom(10.0)
    assert not job.is_due()
    now = 110.0
    assert job.is_due()
    with job:
        now = 110.1
    now = 120.0
    assert not job.is_due()
    now = 120.2
    assert job.is_due()
    with job:
        now = 121.2
    now = 171.1
    assert not job.is_due()  # 1 second of 50
    now = 171.3
    assert job.is_due()


def test_files_are_written_seldom(iris, tmp_path, monkeypatch):
    written = []
    write = module.write_model_file
    monkeypatch.setattr(module, "write_model_file", lambda *what: written.append(what) or write(*what))
    VAE(**OPTIONS, max_iter=30).fit(iris[0], checkpoint=tmp_path / "run.ckpt", callbacks=[lambda *told: None])
    assert len(written) == 2  # where it begins and where it ends


# Interrupted by hand


def test_an_interrupted_fit_leaves_a_model_of_what_it_learnt(iris, monkeypatch, often):
    X, weights = iris[0], []
    step = Trainer._train_step

    def train(trainer, batch):
        if trainer.step == 12:
            weights.extend(trainer._weights())
        return step(trainer, batch)

    monkeypatch.setattr(Trainer, "_train_step", train)
    vae = VAE(**OPTIONS, max_iter=4)
    with pytest.warns(
        RuntimeWarning, match="VAE: interrupted in epoch 2 of 4: what it learnt so far"
    ) as told:
        stopped_fit(monkeypatch, vae, 14, X, error=KeyboardInterrupt)
    assert told[0].filename == __file__
    for weight, expected in zip(vae.model_.parameters(), weights, strict=False):
        assert torch.equal(weight, expected.double())
    assert vae.n_iter_ == len(vae.history_) == 1
    assert vae.predict(X).mean() > 0.5
    assert vae.p_values(X).shape == (150,)


def test_an_interrupted_fit_goes_on(iris, tmp_path, monkeypatch, often):
    X, path = iris[0], tmp_path / "run.ckpt"
    monkeypatch.setattr(module, "_SECONDS", 1e9)
    model = VAE(**OPTIONS, max_iter=4)
    with pytest.warns(RuntimeWarning, match="fit again with this checkpoint to go on"):
        stopped_fit(monkeypatch, model, 14, X, error=KeyboardInterrupt, checkpoint=path)
    context, made = stopping(monkeypatch, 1000)
    model.fit(X, checkpoint=path)
    context.__exit__(None, None, None)
    assert made[0] == 12
    assert_same(model, VAE(**OPTIONS, max_iter=4).fit(X), X)


def test_an_interrupted_cvae_and_its_labels(iris, monkeypatch, often):
    cvae = CVAE(**OPTIONS, max_iter=4)
    with pytest.warns(RuntimeWarning, match="CVAE: interrupted in epoch 2 of 4"):
        stopped_fit(monkeypatch, cvae, 14, *iris, error=KeyboardInterrupt)
    assert cvae.score_samples(*iris).shape == (150,)


def test_an_interrupted_early_stopping_leaves_the_best_weights(iris, monkeypatch, often):
    losses, weights = iter([5.0, 1.0, 3.0, 3.0]), []
    monkeypatch.setattr(Trainer, "_held_out_loss", lambda trainer: next(losses))

    def watch(record, model):
        weights.append([weight.detach() for weight in copy.deepcopy(model).parameters()])
        if len(weights) == 4:
            raise KeyboardInterrupt

    vae = VAE(**OPTIONS, max_iter=9, early_stopping=True, learning_rate="constant")
    with pytest.warns(RuntimeWarning, match="interrupted in epoch 4 of 9"), pytest.raises(KeyboardInterrupt):
        vae.fit(iris[0], callbacks=[watch])
    mean = [first.lerp(second, 0.9).double() for first, second in zip(*weights[:2], strict=True)]
    assert all(map(torch.equal, vae.model_.parameters(), mean))
    assert vae.n_iter_ == 4


def test_steps_that_were_not_checked_are_kept_if_they_are_good(iris, tmp_path, monkeypatch):
    weights, step = [], Trainer._train_step

    def train(trainer, batch):
        sums = step(trainer, batch)
        weights[:] = trainer._weights()
        return sums

    monkeypatch.setattr(Trainer, "_train_step", train)
    vae = VAE(**OPTIONS, max_iter=4)
    with pytest.warns(RuntimeWarning, match="VAE: interrupted in epoch 2 of 4: what it learnt so far"):
        stopped_fit(monkeypatch, vae, N_STEPS + 2, iris[0], error=KeyboardInterrupt)
    for weight, expected in zip(vae.model_.parameters(), weights, strict=False):
        assert torch.equal(weight, expected.double())
    assert len(vae.history_) == vae.n_iter_ == 1
    vt.save(vae, tmp_path / "m.safetensors")
    scores = vae.score_samples(iris[0])
    assert np.array_equal(vt.load(tmp_path / "m.safetensors").score_samples(iris[0]), scores)


def test_an_interrupted_first_epoch_leaves_a_model_without_a_history(iris, tmp_path, monkeypatch):
    vae = VAE(**OPTIONS, max_iter=4)
    with pytest.warns(RuntimeWarning, match="VAE: interrupted in epoch 1 of 4: what it learnt so far"):
        stopped_fit(monkeypatch, vae, 2, iris[0], error=KeyboardInterrupt)
    assert len(vae.history_) == vae.n_iter_ == 0
    vt.save(vae, tmp_path / "m.safetensors")
    assert vt.load(tmp_path / "m.safetensors").predict(iris[0]).shape == (150,)


@pytest.mark.filterwarnings("ignore:the loss became infinite")
@pytest.mark.parametrize("n_steps", [0, 2])
def test_an_interruption_before_anything_was_learnt_leaves_nothing(iris, monkeypatch, n_steps):
    step = Trainer._train_step

    def spoil(trainer, batch):
        sums = step(trainer, batch)
        trainer.parameters[0].data.fill_(np.nan)
        return sums

    monkeypatch.setattr(Trainer, "_train_step", spoil)
    vae = VAE(**OPTIONS, max_iter=4)
    stopped_fit(monkeypatch, vae, n_steps, iris[0], error=KeyboardInterrupt)
    with pytest.raises(NotFittedError):
        vae.predict(iris[0])
    assert vars(vae) == VAE(**OPTIONS, max_iter=4).get_params()


def test_a_second_interruption_leaves_the_model_as_it_was(iris, monkeypatch, often):
    X = iris[0]
    vae = VAE(**OPTIONS, max_iter=4).fit(X)
    before = dict(vars(vae))

    def interrupt(*what):
        raise KeyboardInterrupt

    monkeypatch.setattr(VAE, "_calibrate", interrupt)
    with pytest.warns(RuntimeWarning, match="interrupt once more to leave it as it was before"):
        stopped_fit(monkeypatch, vae, 14, X * 2, error=KeyboardInterrupt)
    assert vars(vae) == before


def test_a_warm_start_says_that_a_finished_training_is_not_gone_on_with(tmp_path):
    X = np.random.default_rng(0).normal(size=(100, 3))
    model = VAE(2, max_iter=2, warm_start=True, random_state=0).fit(X, checkpoint=tmp_path / "a.ckpt")
    scores = model.score_samples(X)
    words = r"VAE: the training of checkpoint '.*a.ckpt' is finished, so nothing was trained: .* name another"
    with pytest.warns(UserWarning, match=words):
        model.fit(X, checkpoint=tmp_path / "a.ckpt")
    np.testing.assert_array_equal(model.score_samples(X), scores)
    model.fit(X, checkpoint=tmp_path / "b.ckpt")
    assert (model.score_samples(X) != scores).all()
