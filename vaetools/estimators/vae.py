"""VAE: a Gaussian posterior, and so a prior to sample and a cost of codes."""

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from vaetools.anomaly.bounds import LIKELIHOOD_DRAWS
from vaetools.checks import POSITIVE_INTEGER, check
from vaetools.estimators.constructor import from_fields
from vaetools.estimators.detector import Detector
from vaetools.estimators.engine import Engine
from vaetools.estimators.fields import KLFields
from vaetools.mixins import OutlierMixin
from vaetools.nn.model import antithetic_noise


class Posterior(NamedTuple):
    """Mean and standard deviation of q(z | x), ndarrays of shape (n_samples, n_components)."""

    mean: np.ndarray
    std: np.ndarray


@from_fields
class VAE(OutlierMixin, Detector, KLFields):
    """Variational autoencoder: embedding, density, samples and outlier score.

    Trained to minimize the mean over rows of reconstruction + beta · KL, in nats. The default
    score of a row is log p(x | z) − KL at z = the posterior mean.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    AE : Without a posterior.
    CVAE : Given labels.

    References
    ----------
    Kingma, Welling (2014), "Auto-Encoding Variational Bayes", ICLR.
    Higgins et al. (2017), "beta-VAE: Learning Basic Visual Concepts with a Constrained
    Variational Framework", ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE
    >>> X = load_iris().data
    >>> vae = VAE(n_components=2, random_state=0).fit(X)
    >>> vae.transform(X).shape, vae.sample(5, random_state=0).shape
    ((150, 2), (5, 4))
    >>> vae.predict([[5.1, 3.5, 1.4, 0.2], [9.0, 1.0, 9.0, 9.0]])
    array([ 1, -1])
    """

    def posterior(self, X: Any, y: Any = None) -> Posterior:
        """Return means and standard deviations of q(z | x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to encode the rows as, for a `CVAE`; None gives the moments of the mixture over
            labels. Other models ignore it.

        Returns
        -------
        posterior : Posterior
            Named tuple of ``mean`` and ``std``, each of shape (n_samples, n_components).
        """
        mean, log_std = Engine(self).ask(X, attrgetter("mean"), attrgetter("latent.log_std"), y=y)
        return Posterior(mean, np.exp(log_std))

    def sample(self, n: int, random_state: Any = None) -> np.ndarray | pd.DataFrame:
        """Decode draws from the prior N(0, I).

        Parameters
        ----------
        n : int
        random_state : None, int or RandomState, default=None

        Returns
        -------
        X : ndarray or DataFrame of shape (n, n_features)
            Expected rows (no noise is added), in units of X; of images of integers in [0, 1].
        """
        return self.inverse_transform(Engine(self).prior_draws(n, random_state))

    def log_likelihood(self, X: Any, y: Any = None, *, n_samples: int = LIKELIHOOD_DRAWS) -> np.ndarray:
        """Return the importance-weighted bound of log p(x), or given a label of log p(x | y).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to take the rows as, for a `CVAE`; None marginalizes over labels. Other models
            ignore it.
        n_samples : int, default=128
            Draws per row and label, from a fixed table: more are closer to log p(x), from below in
            expectation.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Nats, in units of X.

        References
        ----------
        Burda, Grosse, Salakhutdinov (2016), "Importance Weighted Autoencoders", ICLR.
        """
        engine = Engine(self)
        rows = engine.rows(X, y)
        engine.require_decoder("log_likelihood")
        check(self, "n_samples", n_samples, POSITIVE_INTEGER)
        noise = antithetic_noise(n_samples, engine.n_components).to(self.model_.log_unit)
        [bounds] = engine.map(rows, lambda reading: reading.log_likelihood(noise))
        return bounds
