"""AE: an autoencoder without a posterior; KL is zero."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from vaetools.estimators.detector import Detector
from vaetools.estimators.parameters import check_count, documented


@documented
class AE(OutlierMixin, Detector):
    """Autoencoder: embedding, reconstruction and outlier score.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    VAE : Adds a posterior, so that the latent space can be sampled and codes have a cost.

    References
    ----------
    Hinton, Salakhutdinov (2006), "Reducing the Dimensionality of Data with Neural Networks",
    Science 313.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import AE
    >>> X = load_iris().data
    >>> ae = AE(n_components=2, random_state=0).fit(X)
    >>> ae.transform(X).shape, ae.reconstruct(X).shape
    ((150, 2), (150, 4))
    >>> ae.predict(X[:3])
    array([1, 1, 1])
    """

    _variational: ClassVar[bool] = False

    def __init__(
        self,
        n_components: int | str = "auto",
        *,
        hidden_layer_sizes: Any = "auto",
        hidden_channels: Any = "auto",
        image_shape: tuple[int, int, int] | None = None,
        activation: str = "silu",
        likelihood: Any = "gaussian",
        column_likelihoods: dict[Any, str] | None = None,
        network: Any = None,
        input_noise: float = 0.0,
        input_masking: float = 0.0,
        trimmed_fraction: float = 0.0,
        standardize: bool | str = "auto",
        batch_size: int = 128,
        learning_rate: str = "one_cycle",
        learning_rate_init: float | str = "auto",
        max_iter: int | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        anomaly_score: str = "reconstruction_kl",
        contamination: float | str = "auto",
        false_alarm_rate: float = 0.05,
        calibration_fraction: float = 0.2,
        precision: str = "float32",
        score_precision: str = "float64",
        device: Any = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ):
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.hidden_channels = hidden_channels
        self.image_shape = image_shape
        self.activation = activation
        self.likelihood = likelihood
        self.column_likelihoods = column_likelihoods
        self.network = network
        self.input_noise = input_noise
        self.input_masking = input_masking
        self.trimmed_fraction = trimmed_fraction
        self.standardize = standardize
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.anomaly_score = anomaly_score
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.calibration_fraction = calibration_fraction
        self.precision = precision
        self.score_precision = score_precision
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def sample(self, n: int, random_state: Any = None) -> np.ndarray | pd.DataFrame:
        """Decode points drawn evenly from the rectangle that the training codes span.

        An autoencoder has no prior: most of the rectangle may hold no code, and what is decoded
        there need not look like data. `VAE.sample` is the remedy.

        Parameters
        ----------
        n : int
        random_state : None, int or RandomState, default=None

        Returns
        -------
        X : ndarray or DataFrame of shape (n, n_features)
            In units of X; of images of integers in [0, 1].
        """
        check_is_fitted(self)
        check_count(self, "n", n)
        low, high = self.code_range_
        rng = check_random_state(random_state)
        return self.inverse_transform(rng.uniform(low, high, size=(n, len(low))))
