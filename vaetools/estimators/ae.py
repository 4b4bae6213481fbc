"""AE: an autoencoder without a posterior; KL is zero."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from vaetools.checks import POSITIVE_INTEGER, check
from vaetools.estimators.constructor import from_fields
from vaetools.estimators.detector import Detector
from vaetools.mixins import OutlierMixin
from vaetools.nn.latents import Point


@from_fields
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

    _latent = Point

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
        check(self, "n", n, POSITIVE_INTEGER)
        low, high = self.code_range_
        rng = check_random_state(random_state)
        return self.inverse_transform(rng.uniform(low, high, size=(n, len(low))))
