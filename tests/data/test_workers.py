"""What is said of threads that end while work is cut short."""

import threading

import pytest

from vaetools.data.workers import quiet_when_cut_short


@pytest.mark.parametrize(
    ("name", "error", "n_heard"),
    [("ExecutorManagerThread", KeyError, 0), ("ExecutorManagerThread", OSError, 1), ("other", KeyError, 1)],
)
def test_only_a_manager_that_misses_a_task_is_not_heard(name, error, n_heard, monkeypatch):
    heard = []
    monkeypatch.setattr(threading, "excepthook", heard.append)

    def fail():
        raise error

    with quiet_when_cut_short():
        thread = threading.Thread(target=fail, name=name)
        thread.start()
        thread.join()
    assert len(heard) == n_heard
    assert threading.excepthook == heard.append
