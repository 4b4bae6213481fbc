"""Spaces whose organization is known."""

from typing import NamedTuple

import numpy as np
import pytest


class Space(NamedTuple):
    """Rows, their classes, and codes."""

    X: np.ndarray
    y: np.ndarray
    Z: np.ndarray


def rotation(n, seed=1):
    """A random rotation of n dimensions."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


@pytest.fixture(scope="session")
def perfect():
    """400 rows around four corners; codes are the rows turned, doubled and moved."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(list("abcd"), 100))
    corners = dict(zip("abcd", 10 * np.eye(4, 5), strict=True))
    X = np.array([corners[label] for label in y]) + rng.normal(size=(400, 5))
    return Space(X, y, 2 * X @ rotation(5) + 3)


@pytest.fixture(scope="session")
def shuffled(perfect):
    """The same codes, given to the wrong rows."""
    return perfect._replace(Z=np.random.default_rng(2).permutation(perfect.Z))


@pytest.fixture(scope="session")
def collapsed(perfect):
    """One code for all rows."""
    return perfect._replace(Z=np.full((400, 3), 0.1))


@pytest.fixture(scope="session")
def normal():
    """2,000 codes from N(0, I) in three dimensions."""
    return np.random.default_rng(3).normal(size=(2000, 3))
