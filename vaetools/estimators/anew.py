"""What fits an estimator either fits it wholly, or leaves it as it was."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from vaetools.estimators.constructor import keep_parameters


@contextlib.contextmanager
def wholly(estimator: Any) -> Iterator[dict[str, Any]]:
    """Let a block fit an estimator and note its parameters; where it fails, leave all as it was.

    What the estimator was before is yielded.
    """
    before = dict(vars(estimator))
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield before
        for name in ("_crosses", "_marks"):  # which are of the fit alone
            estimator.__dict__.pop(name, None)
        keep_parameters(estimator)
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
