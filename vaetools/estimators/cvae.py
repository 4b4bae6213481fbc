"""CVAE: conditioned on a label; marginalizes over labels when none is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils import check_random_state
from torch import nn

from vaetools.anomaly.explanation import Explanation
from vaetools.anomaly.scores import LIKELIHOOD_DRAWS
from vaetools.estimators.constructor import from_fields
from vaetools.estimators.fields import LabelFields
from vaetools.estimators.labels import Labeled
from vaetools.estimators.vae import VAE, Posterior
from vaetools.nn.labels import ConditionalAutoencoder
from vaetools.nn.likelihoods import Likelihood


@from_fields
class CVAE(Labeled, VAE, LabelFields):
    """Conditional variational autoencoder: a VAE of rows given their label.

    Labels train the model and are not needed afterwards. Without them, the score of a row is
    log Σ_y p(y) exp(score given y), its code is the mean over labels of the codes given each,
    weighted by ``label_proba``, and KL includes the cost of the label, KL(q(y | x) ‖ p(y)). With
    them, ``score_samples(X, y)`` says how odd a row is *as that label*. ``score`` ignores labels,
    so that model selection compares bounds of the same log p(x) as for a `VAE`.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    class_prior_ : ndarray of shape (n_classes,)
        Frequencies of the labels among the rows that train.
    label_information_ : float
        How much better held-out labels are predicted than by their frequencies, in nats per row:
        0 if the label is not used, at most the entropy of the labels. Measured on about 2,000
        rows (training rows, where none were held out), with the posterior over labels tempered
        to its best, because a density of many columns is surer of itself than it should be.
    calibration_labels_ : ndarray of shape (n_calibration,), int
        Labels of the calibration rows, as positions in ``classes_``; absent without such rows.
    label_calibration_scores_ : ndarray of shape (n_calibration,)
        Their scores given these labels.

    See Also
    --------
    VAE : Without labels.

    Notes
    -----
    A `Pipeline` hands no labels to ``score_samples``. To reach the conditional score behind one,
    transform with all steps but the last, and ask the last:
    ``pipe[-1].score_samples(pipe[:-1].transform(X), y)``.

    References
    ----------
    Sohn, Lee, Yan (2015), "Learning Structured Output Representation using Deep Conditional
    Generative Models", NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import CVAE
    >>> X, y = load_iris(return_X_y=True)
    >>> cvae = CVAE(n_components=2, random_state=0).fit(X, y)
    >>> cvae.sample(4, y=2, random_state=0).shape
    (4, 4)
    >>> scores = cvae.score_samples(X[:1].repeat(3, axis=0), y=[0, 1, 2])
    >>> int(scores.argmax())  # the first iris is least odd as a setosa
    0
    """

    def fit_predict(self, X: Any, y: Any, **fit_params: Any) -> np.ndarray:
        """Fit to rows and labels, and return the verdicts of the rows without their labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        verdict : ndarray of shape (n_samples,), int
            1 for normal, −1 for odd.
        """
        return self.fit(X, y, **fit_params).predict(X)

    def score_samples(self, X: Any, y: Any = None) -> np.ndarray:
        """Return the score chosen by ``anomaly_score``; higher is more normal.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as; None marginalizes over labels.

        Returns
        -------
        scores : ndarray of shape (n_samples,), float64
        """
        return self._scores(X, labels=self._labels_of(X, y))

    def score_table(self, X: Any, y: Any = None, *, scores: Sequence[str] | None = None) -> pd.DataFrame:
        """Return scores side by side.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to score the rows as; None marginalizes over labels.
        scores : sequence of str or None, default=None
            Which; None takes all that the model has.

        Returns
        -------
        scores : DataFrame of shape (n_samples, n_scores)
            See `VAE.score_table`.
        """
        return self._score_table(X, scores, self._labels_of(X, y))

    def explain(self, X: Any, y: Any = None) -> Explanation:
        """Return what makes rows odd: costs and surprise of every column, and of the code.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            Labels to explain the rows as; None averages over labels, weighted by ``label_proba``,
            and ``kl`` then has one more column, the cost of the label.

        Returns
        -------
        explanation : Explanation
            See `VAE.explain`.
        """
        return self._explain(X, self._labels_of(X, y))

    def log_likelihood(self, X: Any, y: Any = None, *, n_samples: int = LIKELIHOOD_DRAWS) -> np.ndarray:
        """Return the importance-weighted bound of log p(x | y), or without labels of log p(x).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
        n_samples : int, default=128
            Draws per row and label, from a fixed table.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Nats, in units of X.
        """
        return self._log_likelihood(X, n_samples, self._labels_of(X, y))

    def posterior(self, X: Any, y: Any = None) -> Posterior:
        """Return means and standard deviations of q(z | x, y); without labels, of their mixture.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None

        Returns
        -------
        posterior : Posterior
            Named tuple of ``mean`` and ``std``, each of shape (n_samples, n_components).
        """
        return self._posterior(X, self._labels_of(X, y))

    def reconstruct(self, X: Any, y: Any = None) -> np.ndarray | pd.DataFrame:
        """Return the expected row at the latent mean of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), a label or None, default=None
            None averages over labels, weighted by ``label_proba``.

        Returns
        -------
        X_reconstructed : ndarray or DataFrame of shape (n_samples, n_features)
        """
        return self._reconstruct(X, self._labels_of(X, y))

    def inverse_transform(self, Z: Any, y: Any = None) -> np.ndarray | pd.DataFrame:
        """Decode codes to expected rows.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
        y : array-like of shape (n_samples,), a label or None, default=None
            None averages over labels, weighted by ``class_prior_``.

        Returns
        -------
        X : ndarray or DataFrame of shape (n_samples, n_features)
        """
        return self._decode(Z, self._labels_of(Z, y))

    def sample(self, n: int, y: Any = None, random_state: Any = None) -> np.ndarray | pd.DataFrame:  # type: ignore[override]
        """Decode draws from the prior N(0, I), as a label.

        Parameters
        ----------
        n : int
        y : array-like of shape (n,), a label or None, default=None
            None draws labels by their frequency.
        random_state : None, int or RandomState, default=None

        Returns
        -------
        X : ndarray or DataFrame of shape (n, n_features)
        """
        rng = check_random_state(random_state)
        Z = self._prior_draws(n, rng)
        if y is None:
            y = rng.choice(self.classes_, size=n, p=self.class_prior_)
        return self.inverse_transform(Z, y)

    def _make_model(self, network: nn.Module, likelihood: Likelihood) -> ConditionalAutoencoder:
        """Put network, likelihood and label frequencies together."""
        prior = torch.from_numpy(self.class_prior_)
        return ConditionalAutoencoder(network, likelihood, self._n_features_out, self._log_unit(), prior)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = None
        tags.target_tags.required = True
        return tags
