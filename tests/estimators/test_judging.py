"""What fit warns of in a trained model: only what was seen, and the likeliest cause first."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from vaetools import AE, CVAE, VAE, Gaussian
from vaetools.estimators.description import Seen, explained_share, judgment

QUICK = {"hidden_layer_sizes": (16,), "max_iter": 100, "batch_size": 100, "random_state": 0}
QUICK |= {"early_stopping": False}
SETTINGS = {"scaling": "standardize", "n_steps": 1400, "learning_rate": 0.004, "beta": 1.0, "kl_warmup": 0.0}
SETTINGS |= {"ended_early": False}
NORMAL = np.random.default_rng(0).normal(size=(200, 4))
TRAINING = "more steps (max_iter; it made 1,400) or a higher learning_rate_init (it was 0.004)"
COLLAPSED = (
    "the posterior collapsed: KL is {kl} nats per row, less than a bit, and {n} of 7 latent dimensions "
)
IN_ONE_PLACE = "codes are all in about one place: none of 7 latent dimensions is active, at a KL of {kl} nats"
NO_CAUSE = "; columns that have nothing to do with each other leave nothing to find."


def seen(kl=5.0, n_active=7, explained=0.9, x=NORMAL, n=7, *, is_told=False):
    return Seen(kl, np.arange(n) < n_active, x, explained, flat="", is_told=is_told, **SETTINGS)


def test_training_that_held_out_rows_ended_goes_on_without_them():
    told = judgment(fallen()._replace(ended_early=True))
    assert "Try early_stopping=False (held-out rows ended training), then " in told
    assert "early_stopping" not in judgment(fallen())


def fallen(x=NORMAL):
    return seen(kl=0.0, explained=0.0, x=x)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({}, ""),
        ({"n_active": 4, "explained": 0.3}, ""),  # noise leaves little to explain
        ({"n_active": 2, "explained": 0.7}, ""),  # two dimensions were enough
        ({"kl": None, "n_active": 0}, ""),  # an AE's codes have no scale
        ({"explained": None}, ""),
        ({"n_active": 0}, IN_ONE_PLACE.format(kl=5)),
        ({"n_active": 0, "kl": 42.0}, IN_ONE_PLACE.format(kl=42)),
        ({"kl": 0.04, "explained": 0.1}, COLLAPSED.format(kl=0.04, n=7)),
        ({"kl": 0.69, "explained": 0.4}, COLLAPSED.format(kl=0.69, n=7)),
        ({"kl": 0.7, "explained": 0.4}, ""),
        ({"kl": 0.6, "explained": 0.5}, ""),  # rows hold no more than that
        ({"kl": 0.6, "explained": 0.9, "is_told": True}, COLLAPSED.format(kl=0.6, n=7)),  # labels explain
        ({"kl": 0.6, "explained": None}, COLLAPSED.format(kl=0.6, n=7)),
        ({"n_active": 0, "kl": 0.1, "explained": None}, COLLAPSED.format(kl=0.1, n=0)),
        ({"n_active": 2, "explained": 0.3}, "only 2 of 7 latent dimensions are active, and reconstructions"),
        (
            {"n_active": 4, "explained": 0.04},
            "reconstructions explain 4 % of what makes a typical row differ",
        ),
        ({"explained": -2.0, "kl": None}, "reconstructions explain 0 % of what makes a typical row differ"),
        (
            {"x": np.ones((50, 3))},
            "all of 50 training rows are the same: there is nothing to learn",
        ),
    ],
)
def test_faults_are_told_where_they_are_seen(what, words):
    told = judgment(seen(**what))
    assert told.startswith(words)
    assert bool(told) == bool(words)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({}, f"Try {TRAINING}, then a smaller beta (it was 1) or kl_warmup=0.5{NO_CAUSE}"),
        ({"beta": 10.0}, f"Try a smaller beta (it was 10) or kl_warmup=0.5, then {TRAINING}{NO_CAUSE}"),
        ({"kl_warmup": 0.5}, f"Try {TRAINING}, then a smaller beta (it was 1){NO_CAUSE}"),
        ({"beta": 0.0}, f"Try {TRAINING}{NO_CAUSE}"),
        ({"beta": None}, f"Try {TRAINING}{NO_CAUSE}"),
    ],
)
def test_advice_begins_with_the_likeliest(settings, advice):
    assert judgment(fallen()._replace(**settings)).endswith(f" {advice}")


@pytest.mark.parametrize(
    ("what", "rate", "is_lower"),
    [
        ({"n_active": 0, "kl": 42.0}, 3.0, True),
        ({"n_active": 0, "kl": 42.0}, 0.004, True),
        ({"n_active": 0, "kl": 42.0}, 1e-4, False),
        ({"explained": 0.0}, 3.0, True),
        ({"explained": 0.0}, 0.004, False),
        ({"explained": 0.0, "kl": 0.0, "n_active": 0}, 0.004, False),
        ({"explained": 0.0, "kl": None, "n_active": 0}, 0.004, False),
    ],
)
def test_a_lower_rate_is_advised_where_training_leapt_away(what, rate, is_lower):
    told = judgment(seen(**what)._replace(learning_rate=rate))
    assert (f"a lower learning_rate_init (it was {rate:.2g}), then more steps" in told) == is_lower
    assert (f"or a higher learning_rate_init (it was {rate:.2g})" in told) != is_lower


def test_columns_that_a_few_values_squeeze_come_first():
    squeezed = NORMAL * 0.01
    told = judgment(fallen(squeezed))
    assert "Look at the scale of X first: in 4 of 4 columns nine tenths of the values lie within 0.2" in told
    assert told.index("trimmed_fraction") < told.index("max_iter") < told.index("beta")
    half = np.column_stack([squeezed[:, :2], NORMAL[:, 2:], np.ones(200)])
    assert "in 2 of 5 columns" in judgment(fallen(half))
    fewer = np.column_stack([squeezed[:, :1], NORMAL[:, 1:]])
    assert "scale of X" not in judgment(fallen(fewer))


@pytest.mark.parametrize(
    ("scaling", "factor", "advice"),
    [
        (
            "identity",
            0.01,
            "scaled values differ by 0.01 (root mean square), where a network expects",
        ),
        ("identity", 1.0, ""),
        ("pixels", 0.01, "stretch them over [0, 1]. If that is as it should be, try more steps"),
        ("unit", 0.2, ""),
    ],
)
def test_values_that_hardly_differ_come_first(scaling, factor, advice):
    told = judgment(fallen(NORMAL * factor)._replace(scaling=scaling))
    assert advice in told
    assert ("Look at the scale of X first" in told) == bool(advice)


@pytest.mark.parametrize(
    ("x", "value"),
    [
        (NORMAL * 20 + 128, "1.3e+02"),
        (NORMAL * 1e4, "1e+04"),
        (NORMAL * [1, 1, 1e5, 1], "1e+05"),  # one column among others
        (NORMAL * 3 + 4, ""),
    ],
)
def test_values_that_are_large_come_first(x, value):
    told = judgment(fallen(x)._replace(scaling="identity"))
    words = f"Look at the scale of X first: values of a column are about {value} (root mean square), where a"
    assert told.count(words) == bool(value)
    assert ("pass standardize=True. If that is as it should be, try more steps" in told) == bool(value)
    assert "scale of X" not in judgment(fallen(x)._replace(scaling="standardize"))


def test_images_of_few_levels_come_first():
    flat = "0 to 16 of 0 to 255. Stretch their contrast."
    told = judgment(fallen()._replace(flat=flat)._replace(scaling="pixels"))
    assert f"Look at the scale of X first: images keep to {flat} If that is as it should be, try" in told
    assert judgment(seen()._replace(flat=flat)) == ""


def test_the_share_explained_is_that_of_typical_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5))
    x[:3] *= 1000
    blank = np.zeros_like(x)
    blank[:3] = x[:3]  # only the rows far out are reconstructed: nearly all of the squares
    assert explained_share(x, blank) == pytest.approx(0, abs=0.05)
    assert explained_share(x, x) == 1
    assert explained_share(x, x / 2) == pytest.approx(0.75, abs=0.02)
    assert explained_share(np.ones((20, 2)), np.zeros((20, 2))) is None


@pytest.mark.parametrize("rate", [0.35, 0.5])
def test_a_constant_explains_nothing_of_zeros_and_ones(rate):
    x = (np.random.default_rng(0).random((400, 8)) < rate).astype(float)
    constant = np.tile(x.mean(axis=0), (400, 1))
    assert explained_share(x, constant) == pytest.approx(0, abs=0.01)


def words_of(model, *data):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(*data)
    assert all(warning.category is ConvergenceWarning for warning in told)
    return " ".join(str(warning.message) for warning in told)


@pytest.fixture(scope="module")
def factors():
    """300 rows of 9 columns that two hidden variables explain."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(300, 2)) @ rng.normal(size=(2, 9)) + 0.2 * rng.normal(size=(300, 9))


@pytest.mark.parametrize("model", [AE(2, **QUICK), VAE(3, **QUICK)], ids=["AE", "VAE"])
def test_sound_models_are_not_blamed(model, factors):
    assert words_of(model, factors) == ""
    assert words_of(model.set_params(learning_rate_init=1e-7), factors).startswith(
        f"{type(model).__name__}: "
    )
    assert words_of(model.set_params(max_iter=1), factors) == ""  # untrained is not collapsed
    assert words_of(model.set_params(max_iter=0), factors) == ""


def test_rows_far_out_are_blamed_before_beta(factors):
    far = factors.copy()
    far[::100] *= 1e4
    told = words_of(VAE(3, **QUICK), far)
    assert "reconstructions explain " in told
    assert "Look at the scale of X first: in 9 of 9 columns" in told
    assert words_of(VAE(3, **QUICK, trimmed_fraction=0.05, contamination=0.05), far) == ""


def test_rows_that_are_not_scaled_are_blamed_before_beta(factors):
    told = words_of(VAE(3, **QUICK, standardize=False), factors / 255)
    assert told.startswith("VAE: the posterior collapsed: KL is ")
    assert "differ by 0.0" in told
    assert told.index("pass standardize=True") < told.index("smaller beta")


@pytest.mark.parametrize(
    "rows", [lambda X: X * 20 + 128, lambda X: (X * 20 + 128).clip(0, 255).astype(np.uint8)]
)
def test_rows_of_large_values_are_blamed_before_training(rows, factors):
    told = words_of(VAE(3, **QUICK, standardize=False), rows(factors))
    assert told.index("pass standardize=True") < told.index("max_iter") < told.index("beta")


def test_training_that_leapt_away_has_not_collapsed(factors):
    told = words_of(VAE(3, likelihood=Gaussian(), **QUICK, learning_rate_init=3.0), factors)
    assert "collapsed" not in told
    assert "Try a lower learning_rate_init (it was 3), then more steps" in told


def test_rows_of_less_than_a_bit_are_no_fault(factors):
    sides = np.repeat(factors[:, :1] > 0.3, 3, axis=1).astype(float)
    vae = VAE(1, **QUICK, likelihood="bernoulli")
    assert words_of(vae, sides) == ""
    assert 0.3 < vae.kl_per_component_.sum() < 1.0


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
@pytest.mark.parametrize("n_features", [4, 6])
def test_zeros_and_ones_without_a_pattern_collapse_aloud(likelihood, n_features):
    flips = np.random.default_rng(0).integers(0, 2, (400, n_features))
    told = words_of(VAE(2, **QUICK, likelihood=likelihood, beta=100.0), flips)
    assert told.startswith("VAE: the posterior collapsed: KL is ")


def test_equal_rows_are_named(factors):
    X = np.full((100, 4), 0.5)
    same = "all of 80 training rows are the same: there is nothing to learn from them."
    quick = QUICK | {"max_iter": 200}
    assert words_of(VAE(2, **quick), X) == f"VAE: {same}"
    assert words_of(AE(2, **quick), X) == f"AE: {same}"
    assert f"CVAE: {same}" in words_of(CVAE(2, **quick), X, np.arange(100) % 2)


def test_rows_learnt_by_heart_are_told_and_those_of_a_fit_that_is_watched_are_not():
    X = np.random.default_rng(0).normal(size=(120, 20))
    options = {"max_iter": 800, "learning_rate_init": 0.01, "random_state": 0}
    told = words_of(VAE(16, early_stopping=False, **options), X)
    assert (
        "much of these was learnt by heart. Try early_stopping=True, fewer epochs (max_iter; it made 800)"
        in told
    )
    assert "by heart" not in words_of(VAE(16, **options), X)
