"""Ray while it is needed: on this machine, at an address, or as it already runs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0"}  # no report about its use leaves the machine
_LOCAL: dict[str, Any] = {"include_dashboard": False}


def import_ray(owner: str) -> Any:
    """Return the package, with its data part; raise where it is not installed."""
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(
            f"{owner}: the package ray with its part for data is needed; got {str(error)!r}. Run pip install "
            "'vaetools[ray]'."
        ) from None
    return ray


@contextlib.contextmanager
def connected(ray: Any, address: str | None, owner: str) -> Iterator[None]:
    """Have Ray while the block runs, and leave it as it was.

    Parameters
    ----------
    ray : module
    address : str or None
        Of a cluster. None takes Ray as it runs in this process, else the cluster that the environment
        names (``RAY_ADDRESS``, as inside a job of Ray), else starts Ray on this machine.
    owner : str
        Whose parameter the address is.
    """
    with _environment(_ENVIRONMENT):
        if ray.is_initialized():
            if address is not None:
                raise ValueError(
                    f"{owner}: address must be None where Ray runs already; got {address!r}. Call "
                    "ray.shutdown() first."
                )
            with _quiet():
                yield
            return
        address = address or os.environ.get("RAY_ADDRESS", "local")
        options = _LOCAL if address == "local" else {}
        try:
            with _own_signal():
                ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **options)
            with _quiet():
                yield
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _own_signal() -> Iterator[None]:
    """Keep what a request to end does in this process: Ray would exit at once, and leave files."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # Ray's own answer to a request that came while it started
        if callable(before):
            before(signal.SIGTERM, None)
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the terminal free of what Ray's part for data remarks; its files get all of it."""
    handlers = logging.getLogger("ray.data").handlers
    terminals = [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]
    levels = [handler.level for handler in terminals]
    for handler in terminals:
        handler.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler, level in zip(terminals, levels, strict=True):
            handler.setLevel(level)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment while the block runs; programs started in it keep them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
