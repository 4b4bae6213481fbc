"""The precision of everything after training, which can be changed without another fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from sklearn.base import BaseEstimator

from vaetools.estimators.building import resolve_dtype
from vaetools.estimators.constructor import check_parameters
from vaetools.nn.model import Autoencoder


class Precise(BaseEstimator):
    """An estimator whose fitted model is in the precision that ``score_precision`` says."""

    model_: Autoencoder
    _make_model: Callable[..., Autoencoder]
    _device: torch.device

    def set_params(self, **params: Any) -> Any:
        """Set parameters; of a fitted estimator ``score_precision`` takes effect at once.

        Parameters
        ----------
        **params : dict
            Parameters of the constructor. All others are for the next fit.

        Returns
        -------
        self : object
        """
        super().set_params(**params)
        if "score_precision" in params and hasattr(self, "model_"):
            check_parameters(self)
            self._settle()
        return self

    def _settle(self) -> None:
        """Put the model into the precision of scores.

        Made anew, because what it was in may have rounded the constants that it holds beside the weights.
        """
        device, dtype = self._device, resolve_dtype(self, self._device)
        self.model_ = self._make_model(self.model_.network, self.model_.likelihood)
        self.model_.to(device=device, dtype=dtype).eval().requires_grad_(False)
