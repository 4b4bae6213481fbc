"""VQVAE: codes of a few words, whose prior is learnt once the words are."""

from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from vaetools.estimators.constructor import from_fields
from vaetools.estimators.detector import Detector
from vaetools.estimators.engine import Engine
from vaetools.estimators.fields import WordFields
from vaetools.mixins import OutlierMixin
from vaetools.nn.batches import Rows
from vaetools.nn.networks import Network, SpatialHead
from vaetools.nn.words import Codebook


@from_fields
class VQVAE(OutlierMixin, Detector, WordFields):
    """Autoencoder whose codes are words of a vocabulary that it learns: embedding, samples and outlier score.

    Every row is said in ``n_components / word_size`` words. With convolutions and ``hidden_layer_sizes=()``
    words keep their places in the image. A word costs −log of its probability under a prior that is
    learnt of the training rows' words, once these are, and that is what KL is here. The default score of
    a row is log p(x | its words) + log p(its words), which is the evidence lower bound.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}
    word_counts_ : ndarray of shape (n_words,), int
        How often each word stands in the codes of the rows that train.
    gaussian_scale_ : str
        Of which kind the scale of ``likelihood="gaussian"`` is, see `Gaussian`: ``"local"`` of images,
        ``"global"`` of others.

    See Also
    --------
    VAE : With codes of numbers, which cost a KL divergence from N(0, I).

    Notes
    -----
    A code holds the first component of the words at all places, then the second, as an image does its
    channels. Components of a word share its cost in ``kl_per_component_`` and in explanations. Of a
    ``sample_weight`` the networks learn; words, and how probable they are, take rows as they are.

    References
    ----------
    van den Oord, Vinyals, Kavukcuoglu (2017), "Neural Discrete Representation Learning", NeurIPS.
    Razavi, van den Oord, Vinyals (2019), "Generating Diverse High-Fidelity Images with VQ-VAE-2",
    NeurIPS.
    Yu et al. (2022), "Vector-quantized Image Modeling with Improved VQGAN", ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VQVAE
    >>> X = load_iris().data
    >>> vqvae = VQVAE(n_components=4, n_words=16, word_size=2, random_state=0).fit(X)
    >>> vqvae.transform(X).shape, vqvae.codes(X).shape, vqvae.sample(5, random_state=0).shape
    ((150, 4), (150, 2), (5, 4))
    >>> vqvae.predict([[5.1, 3.5, 1.4, 0.2], [9.0, 1.0, 9.0, 9.0]])
    array([ 1, -1])
    """

    _latent = Codebook

    @property
    def n_dead_words_(self) -> int:
        """Words that no row that trains has."""
        check_is_fitted(self)
        return int((self.word_counts_ == 0).sum())

    @property
    def place_shape_(self) -> tuple[int, ...]:
        """Shape of the places of words: (words per place, height, width) of a map, else (n_places,)."""
        check_is_fitted(self)
        n_places, network = self.model_.latent.n_places, self.model_.network
        if not isinstance(network, Network) or not isinstance(network.encoder[-1], SpatialHead):
            return (n_places,)
        _, height, width = network.encoder[-1].map_shape
        return n_places // (height * width), height, width

    def codes(self, X: Any) -> np.ndarray:
        """Return the numbers of the words of every row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components / word_size), int
            From 0 to ``n_words`` − 1; of words that keep their places row by row of the image.
        """
        [numbers] = Engine(self).ask(X, attrgetter("latent.numbers"))
        return numbers.astype(np.int64)

    def word_costs(self, X: Any) -> np.ndarray:
        """Return what every word of every row costs: which of them are unlikely where they stand.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        costs : ndarray of shape (n_samples, n_components / word_size)
            −log of the probability of the words that ``codes`` returns, in nats; they add up to the KL of
            the row. An autoregressive prior takes each given those before it.
        """
        [costs] = Engine(self).ask(X, attrgetter("latent.costs"))
        return costs

    def word_vectors(self, codes: Any) -> np.ndarray:
        """Return codes of words by number, as ``transform`` does of rows; ``inverse_transform`` decodes them.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_components / word_size)
            Numbers of words, from 0 to ``n_words`` − 1.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
        """
        check_is_fitted(self)
        book = self.model_.latent
        numbers = check_array(codes, input_name="codes")
        n_words = len(book.vectors)
        is_word = (numbers >= 0) & (numbers < n_words) & (numbers % 1 == 0)
        if numbers.shape[1] != book.n_places or not is_word.all():
            raise ValueError(
                f"{type(self).__name__}: codes must have {book.n_places} columns of integers from 0 to "
                f"{n_words - 1}; got {numbers.shape[1]} columns from {numbers.min()} to {numbers.max()}."
            )
        spelt = book.spell(torch.from_numpy(numbers.astype(np.int64)).to(book.vectors.device))
        vectors: np.ndarray = spelt.cpu().double().numpy()
        return vectors

    def sample(self, n: int, random_state: Any = None) -> np.ndarray | pd.DataFrame:
        """Decode texts drawn from the prior of words.

        With ``prior="frequencies"`` words are drawn at every place by themselves: few texts of such words
        are those of rows. ``"autoregressive"`` draws every word given those before it.

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

    def _learn_prior(self, rows: Rows, seed: int) -> None:
        """Count words, and learn how probable they are."""
        [numbers] = Engine(self).map(rows, attrgetter("latent.numbers"))
        words = torch.from_numpy(numbers.astype(np.int64))
        self.word_counts_ = torch.bincount(words.flatten(), minlength=len(self.model_.latent.vectors)).numpy()
        n_epochs = None if self.max_iter == "auto" else self.max_iter
        self.model_.latent.prior.learn(words.to(self.model_.log_unit.device), seed, n_epochs)
