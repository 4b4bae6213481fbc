"""How a command ends that is asked to: by a signal, or by a reader that has seen enough."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest

from vaetools import load
from vaetools.__main__ import main
from vaetools.cli.process import Interrupted, interruptible, status_of
from vaetools.nn.training import Trainer
from vaetools.stream import Tally

SIGNALS = {"SIGTERM": 143, "SIGHUP": 129}


def sending(method, number, n_calls=1):
    """The same method, which sends the process a signal at one of its calls."""
    calls = []

    def send(*arguments, **options):
        calls.append(arguments)
        if len(calls) == n_calls:
            os.kill(os.getpid(), number)
        return method(*arguments, **options)

    return send


@pytest.fixture(autouse=True)
def default_signals():
    """The process handles signals as one that a shell has just started."""
    before = {name: signal.signal(getattr(signal, name), signal.SIG_DFL) for name in SIGNALS}
    yield
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.mark.parametrize(("name", "status"), SIGNALS.items())
def test_a_signal_while_rows_are_written_leaves_the_old_file_alone(
    name, status, order_model, orders, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "scores.csv"
    output.write_text("old")
    monkeypatch.setattr(Tally, "close", sending(Tally.close, getattr(signal, name)))
    assert main(["score", str(order_model), str(orders), "-o", str(output), "--id", "order"]) == status
    assert "vaetools: interrupted; no file is left half-written." in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["scores.csv"]
    assert output.read_text() == "old"
    assert signal.getsignal(getattr(signal, name)) is signal.SIG_DFL


@pytest.mark.filterwarnings("default:VAE. interrupted:RuntimeWarning")
def test_a_signal_while_training_leaves_a_usable_model(orders, tmp_path, monkeypatch, capsys):
    step = sending(Trainer._train_step, signal.SIGTERM, n_calls=60)
    monkeypatch.setattr(Trainer, "_train_step", step)
    output = tmp_path / "orders.safetensors"
    assert main(["fit", str(orders), "-o", str(output), "--id", "order", "-q"]) == 143
    assert f"interrupted; {output} holds what was learnt so far." in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["orders.safetensors"]
    assert 0 < load(output).n_iter_ < load(output).max_iter_


def test_a_signal_before_anything_was_learnt_leaves_nothing(orders, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Trainer, "_train_step", sending(Trainer._train_step, signal.SIGTERM))
    assert main(["fit", str(orders), "-o", str(tmp_path / "m.safetensors"), "--id", "order", "-q"]) == 143
    assert "no file is left half-written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_compiled_code_that_raises_an_interruption_of_its_own_changes_no_status():
    def ends():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as raised, interruptible():
        ends()
    assert status_of(raised.value) == 143
    with pytest.raises(KeyboardInterrupt) as raised, interruptible():
        raise KeyboardInterrupt
    assert status_of(raised.value) == 130


def test_signals_that_somebody_else_handles_are_left_alone():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    with interruptible():
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_signal_during_an_import_comes_when_it_is_over(tmp_path, monkeypatch):
    """C++ that imports, as PyTorch does, aborts the process where a module raises."""
    name = "a_module_that_is_told_to_end"
    (tmp_path / f"{name}.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nis_whole = 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    loaded = []

    def load_and_wait():
        with interruptible():
            loaded.append(importlib.import_module(name))
            signal.pause()

    with pytest.raises(Interrupted):
        load_and_wait()
    assert [module.is_whole for module in loaded] == [1]


def test_another_thread_than_the_main_one_runs_commands(order_model, capsys):
    statuses = []
    thread = threading.Thread(target=lambda: statuses.append(main(["info", str(order_model)])))
    thread.start()
    thread.join()
    assert statuses == [0]


def test_statuses():
    assert status_of(KeyboardInterrupt()) == 130
    assert status_of(Interrupted(signal.SIGTERM)) == 143


# Standard streams, as a shell gives them


def shell(command, **names):
    """Run a line of a shell; return the status of its first command, and what came out of it."""
    for name, value in {"vaetools": f"{sys.executable} -m vaetools", **names}.items():
        command = command.replace(f"{{{name}}}", str(value))
    script = f'{command}; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory):
    """More rows than a pipe holds the scores of."""
    path = tmp_path_factory.mktemp("many") / "many.csv"
    pd.DataFrame(np.random.default_rng(0).normal(size=(20_000, 3)), columns=["a", "b", "c"]).to_csv(
        path, index=False
    )
    return path


@pytest.mark.parametrize("errors", ["", "2>&1"])
def test_a_reader_that_has_seen_enough_is_no_failure(errors, order_model, many_rows):
    command = f"{{vaetools}} score {{model}} {{rows}} {errors} | head -n 1"
    status, out, _ = shell(command, model=order_model, rows=many_rows)
    assert (status, out.split(",")[:2]) == (0, ["row", "score"])


@pytest.mark.parametrize("arguments", ["--help", "fit --help"])
def test_a_reader_of_help_that_has_seen_enough_is_no_failure(arguments):
    assert shell(f"{{vaetools}} {arguments} | true") == (0, "", "")


@pytest.mark.parametrize(
    ("end", "why"),
    [("> /dev/full", "standard output: No space left on device: "), (">&-", "standard output is closed: ")],
)
def test_facts_that_cannot_be_shown_are_said_so_and_the_model_is_kept(end, why, orders, tmp_path):
    names = {"rows": orders, "output": tmp_path / "m.safetensors"}
    status, _, err = shell(f"{{vaetools}} fit {{rows}} -o {{output}} --id order --max-iter 1 {end}", **names)
    assert (status, load(names["output"]).n_iter_) == (0, 1)
    assert err.count(f"vaetools: {why}what the command found out is not shown.") == 1
    status, _, err = shell(
        "{vaetools} fit {rows} -o {output} --id order --max-iter 1 2>/dev/null | true", **names
    )
    assert (status, err) == (0, "")


@pytest.mark.parametrize("broken", ["2>&-", "2> >(true)"])
def test_a_standard_error_that_is_gone_changes_nothing(broken, order_model, many_rows, tmp_path):
    names = {"model": order_model, "rows": many_rows, "output": tmp_path / "scores.csv"}
    command = f"{{vaetools}} score {{model}} {{rows}} -o {{output}} {broken}"
    assert shell(command, **names) == (0, "", "")
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 20_001
    status, out, _ = shell(f"{{vaetools}} info {{model}}.none {broken}", **names)
    assert (status, out) == (2, "")


def test_results_without_a_standard_output_are_an_error(order_model, orders, tmp_path):
    names = {"model": order_model, "rows": orders, "output": tmp_path / "scores.csv"}
    status, _, err = shell("{vaetools} info {model} >&-", **names)
    message = "vaetools: standard output is closed, and there are results to write to it.\n"
    assert (status, err) == (2, message)
    command = "{vaetools} score {model} {rows} --id order -o {output} -q >&- 2>&- <&-"
    assert shell(command, **names)[0] == 0
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 201


@pytest.mark.parametrize(
    ("error", "told"), [(EOFError(), "what was read ended too soon"), (EOFError("at 3"), "at 3")]
)
def test_a_file_that_ends_too_soon_is_no_interruption(error, told, order_model, orders, monkeypatch, capsys):
    def fail(*_):
        raise error

    monkeypatch.setattr(Tally, "add", fail)
    assert main(["score", str(order_model), str(orders), "--id", "order"]) == 2
    assert capsys.readouterr().err == f"vaetools: EOFError: {told}.\n"
