"""P-values of the same kinds of rows in other shares: about right, and said where they cannot be."""

import numpy as np
import pytest

from vaetools import VAE, shifted_p_values


def rows(n, share, seed):
    """Rows of two kinds, of which the second, with a share, varies three times as much."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)) * np.where(rng.random((n, 1)) < share, 3.0, 1.0)


@pytest.fixture(scope="module")
def vae():
    return VAE(max_iter=20, random_state=0).fit(rows(400, 0.1, 0)).recalibrate(rows(1000, 0.1, 1))


def test_other_shares_flag_no_more_than_the_rate(vae):
    new = rows(1000, 0.4, 2)
    result = shifted_p_values(vae, new, rows(1000, 0.1, 1))
    assert (vae.p_values(new) <= 0.05).mean() > 0.15
    assert (result.p_values <= 0.05).mean() < 0.06
    assert 200 < result.n_effective < 800
    odd = np.full((30, 4), 12.0)
    found = shifted_p_values(vae, np.concatenate([new, odd]), rows(1000, 0.1, 1)).p_values[-30:]
    assert (found <= 0.05).mean() > 0.5


def test_the_same_shares_are_about_the_plain_p_values(vae):
    new = rows(500, 0.1, 3)
    result = shifted_p_values(vae, new, rows(1000, 0.1, 1))
    assert result.n_effective > 800
    assert np.abs(result.p_values - vae.p_values(new)).mean() < 0.03
    assert ((result.p_values > 0) & (result.p_values <= 1)).all()


def test_kinds_of_rows_that_the_reference_lacks_are_told(vae):
    with pytest.warns(UserWarning, match=r"got 1,000 that count as \d+\. .*recalibrate with normal rows"):
        shifted_p_values(vae, rows(300, 0.1, 2) + 4, rows(1000, 0.1, 1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": rows(19, 0, 0)}, "X must have 20 rows or more; got 19"),
        ({"reference": rows(3, 0, 0)}, "reference must have 20 rows or more; got 3"),
        ({"bound": 0.5}, "bound must be a number of at least 1; got 0.5"),
        ({"random_state": -1}, "random_state must be"),
    ],
)
def test_errors(vae, given, message):
    with pytest.raises(ValueError, match=f"shifted_p_values: {message}"):
        shifted_p_values(vae, **{"X": rows(40, 0, 0), "reference": rows(40, 0, 0)} | given)
