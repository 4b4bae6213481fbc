"""Known answers: probabilistic PCA, the PCA subspace, and what beta, order and training must do."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from vaetools import AE, CVAE, VAE, EncoderDecoder, Gaussian

N_ROWS, N_FEATURES, N_COMPONENTS = 120, 6, 2


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(N_COMPONENTS, N_FEATURES)) * [[3.0], [1.5]]
    noise = 0.7 * rng.normal(size=(N_ROWS, N_FEATURES))
    return rng.normal(size=(N_ROWS, N_COMPONENTS)) @ mixing + noise + rng.normal(size=N_FEATURES)


# The golden identity: a VAE with the weights of probabilistic PCA (Tipping, Bishop 1999)


class PPCAEncoder(nn.Module):
    """Exact posterior: mean M⁻¹Wᵀ(x − μ), variance σ²M⁻¹, diagonal in the PCA basis."""

    def __init__(self, loadings, center, variance):
        super().__init__()
        precision = (loadings**2).sum(axis=0) + variance  # the diagonal of M
        self.mean = nn.Linear(*loadings.shape, dtype=torch.float64)
        self.mean.weight.data = torch.tensor(loadings.T / precision[:, None])
        self.mean.bias.data = -self.mean.weight.data @ torch.tensor(center)
        self.log_variance = nn.Parameter(torch.tensor(np.log(variance / precision)))

    def forward(self, x):
        mean = self.mean(x)
        return mean, self.log_variance.expand_as(mean)


class PPCA:
    """The maximum-likelihood solution as a network, from scikit-learn's PCA."""

    def __init__(self, X):
        self.pca = PCA(N_COMPONENTS).fit(X)
        self.variance = self.pca.noise_variance_
        scales = np.sqrt(self.pca.explained_variance_ - self.variance)
        self.loadings = self.pca.components_.T * scales  # W = U (Λ − σ²I)^½
        encoder = PPCAEncoder(self.loadings, self.pca.mean_, self.variance)
        decoder = nn.Linear(N_COMPONENTS, N_FEATURES, dtype=torch.float64)
        decoder.weight.data, decoder.bias.data = torch.tensor(self.loadings), torch.tensor(self.pca.mean_)
        self.network = EncoderDecoder(encoder, decoder)

    @property
    def posterior_covariance(self):
        return self.variance * np.linalg.inv(self.loadings.T @ self.loadings + self.variance * np.eye(2))

    def vae(self, **options):
        fixed = {"max_iter": 0, "standardize": False, "contamination": 0.1}
        scale = float(np.sqrt(self.variance))
        return VAE(network=self.network, **({"likelihood": Gaussian(scale=scale)} | fixed | options))


@pytest.fixture(scope="module")
def ppca(rows):
    return PPCA(rows)


@pytest.fixture(scope="module")
def golden(ppca, rows):
    return ppca.vae().fit(rows)


@pytest.fixture(scope="module")
def unseen(rows):
    """New rows, some of them far away."""
    return rows[:10] + np.linspace(0, 20, 10)[:, None]


@pytest.mark.parametrize("n_samples", [1, 2, 7, 100])
def test_log_likelihood_is_exact_for_any_number_of_draws(golden, ppca, rows, unseen, n_samples):
    """All importance weights are equal, so nothing is left but rounding."""
    for X in (rows, unseen):
        scores = golden.log_likelihood(X, n_samples=n_samples)
        np.testing.assert_allclose(scores, ppca.pca.score_samples(X), rtol=1e-9, atol=1e-9)


def test_default_score_exceeds_the_log_likelihood_by_the_posterior_spread(golden, ppca, rows, unseen):
    """E_q[log p(x | z)] is the value at the mean less ½ tr(W S Wᵀ) / σ²."""
    spread = np.trace(ppca.loadings @ ppca.posterior_covariance @ ppca.loadings.T) / ppca.variance / 2
    assert spread > 0.5  # nats: an identity that is not within rounding of another one
    for X in (rows, unseen):
        expected = ppca.pca.score_samples(X) + spread
        np.testing.assert_allclose(golden.score_samples(X), expected, rtol=1e-9, atol=1e-9)


def test_elbo_is_the_log_likelihood_within_its_stated_error(golden, ppca, rows, unseen):
    for X in (rows, unseen):
        table = golden.score_table(X)
        deviation = np.abs(table["elbo"] - ppca.pca.score_samples(X))
        assert (deviation <= 4 * table["elbo_error"]).all()
        assert (table["elbo_error"] < 0.5).all()
    assert golden.score(rows) == pytest.approx(golden.score_table(rows)["elbo"].mean(), rel=1e-12)


def test_codes_and_reconstructions_are_those_of_probabilistic_pca(golden, ppca, rows):
    shrunk = np.linalg.solve(
        ppca.loadings.T @ ppca.loadings + ppca.variance * np.eye(2),
        ppca.loadings.T @ (rows - ppca.pca.mean_).T,
    ).T
    np.testing.assert_allclose(golden.transform(rows), shrunk, atol=1e-10)
    np.testing.assert_allclose(
        golden.reconstruct(rows), shrunk @ ppca.loadings.T + ppca.pca.mean_, atol=1e-10
    )
    posterior = golden.posterior(rows)
    np.testing.assert_allclose(posterior.mean, shrunk, atol=1e-10)
    variances = np.broadcast_to(np.diag(ppca.posterior_covariance), shrunk.shape)
    np.testing.assert_allclose(posterior.std**2, variances, rtol=1e-10)


def test_the_identity_holds_in_units_of_x(ppca, rows):
    """Standardized inside, densities carry the Jacobian of the scaling."""
    inner = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    twin = PPCA(inner)
    vae = twin.vae(standardize=True).fit(rows)
    expected = twin.pca.score_samples(inner) - np.log(rows.std(axis=0)).sum()
    np.testing.assert_allclose(vae.log_likelihood(rows, n_samples=3), expected, rtol=1e-9)


def test_the_users_network_is_not_changed(ppca, rows):
    before = {name: value.clone() for name, value in ppca.network.state_dict().items()}
    training = ppca.network.training
    vae = ppca.vae().fit(rows)
    trained = ppca.vae(max_iter=1, likelihood="gaussian").fit(rows)
    assert all(torch.equal(before[name], value) for name, value in ppca.network.state_dict().items())
    assert all(p.requires_grad and p.dtype == torch.float64 for p in ppca.network.parameters())
    assert ppca.network.training == training
    used = vae.model_.network.state_dict()
    assert all(torch.equal(before[name], used[name]) for name in before)
    moved = trained.model_.network.state_dict()
    assert not all(torch.equal(before[name], moved[name]) for name in before)


def test_without_training_a_learnt_scale_is_the_maximum_likelihood_one(ppca, rows):
    vae = ppca.vae(likelihood="gaussian").fit(rows)
    errors = rows - vae.reconstruct(rows)
    scale = np.sqrt(np.mean(errors**2))
    kl = vae.score_table(rows)["neg_kl"]
    expected = (
        -0.5 * (errors**2).sum(axis=1) / scale**2 - N_FEATURES * np.log(scale * np.sqrt(2 * np.pi)) + kl
    )
    np.testing.assert_allclose(vae.score_samples(rows), expected, rtol=1e-9)
    fixed = ppca.vae(likelihood=Gaussian(scale=float(scale))).fit(rows)
    np.testing.assert_allclose(vae.score_samples(rows), fixed.score_samples(rows), rtol=1e-9)


# What training must find


def test_a_linear_autoencoder_spans_the_pca_subspace(rows):
    ae = AE(
        N_COMPONENTS,
        hidden_layer_sizes=(),
        activation="identity",
        standardize=False,
        contamination=0.1,
        learning_rate_init=0.02,
        max_iter=600,
        random_state=0,
    ).fit(rows)
    decoder = ae.inverse_transform(np.eye(2)) - ae.inverse_transform(np.zeros((2, 2)))
    angles = subspace_angles(decoder.T, PCA(N_COMPONENTS).fit(rows).components_.T)
    assert angles.max() < 0.01  # radians; random planes are about 1 apart
    pca = PCA(N_COMPONENTS).fit(rows)
    error = np.mean((rows - ae.reconstruct(rows)) ** 2)
    assert error == pytest.approx(np.mean((rows - pca.inverse_transform(pca.transform(rows))) ** 2), rel=1e-3)


def small(cls, **options):
    settings = {"hidden_layer_sizes": (16,), "max_iter": 60, "learning_rate_init": 0.01, "contamination": 0.1}
    return cls(N_COMPONENTS, **(settings | {"random_state": 0} | options))


def test_beta_trades_kl_for_reconstruction(rows):
    free, plain = (small(VAE, beta=beta).fit(rows).mean_terms_.loc["train"] for beta in (0.0, 1.0))
    assert free["kl"] > 2 * plain["kl"]
    assert free["reconstruction"] < plain["reconstruction"]


def test_a_large_beta_collapses_units_and_says_so(rows):
    with pytest.warns(ConvergenceWarning, match=r"0 of 2 latent dimensions are active") as seen:
        vae = small(VAE, beta=200.0, max_iter=200).fit(rows)
    assert len(seen) == 1
    assert f"KL is {vae.kl_per_component_.sum():.2g} nats per row" in str(seen[0].message)
    assert vae.kl_per_component_.sum() < 0.05
    assert not vae.active_units_.any()
    assert small(VAE, max_iter=200).fit(rows).active_units_.all()


# What every model must keep

CONV = {"image_shape": (1, 8, 8), "hidden_channels": (4, 6), "max_iter": 40, "anomaly_score": "images"}
MODELS = {
    "AE": (AE, {"anomaly_score": "density_of_states"}),
    "VAE": (VAE, {"anomaly_score": "aggregate"}),
    "CVAE": (CVAE, {}),
    "AE conv": (AE, CONV),
    "VAE conv": (VAE, CONV),
    "CVAE conv": (CVAE, CONV),
    "VAE bernoulli": (VAE, {"likelihood": "continuous_bernoulli", "max_iter": 20, "anomaly_score": "tables"}),
}
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def digits():
    """Zeros and ones, 8×8, in [0, 1]."""
    data = load_digits(n_class=2)
    return data.data / 16, data.target


@pytest.fixture(scope="module")
def fitted(digits):
    """Every model, trained on the digits once."""
    X, y = digits
    return {
        name: small(cls, **({"anomaly_score": "latent_knn"} | options)).fit(X, y)
        for name, (cls, options) in MODELS.items()
    }


def scores_of(model, X):
    """All the scores that the model has."""
    return model.score_table(X).drop(columns="elbo_error").to_numpy()


@every_model
def test_scores_of_a_row_depend_on_that_row_alone(fitted, digits, name):
    model, X = fitted[name], digits[0][:120]
    scores, order = scores_of(model, X), np.random.default_rng(0).permutation(len(X))
    # float64: sums in another order change about 12 digits
    same = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(scores_of(model, X[order]), scores[order], **same)
    split = [scores_of(model, part) for part in np.split(X, [1, 8, 70])]
    np.testing.assert_allclose(np.concatenate(split), scores, **same)
    strange = np.concatenate([1 - X[:20], X[:3], np.zeros((7, 64))])
    np.testing.assert_allclose(scores_of(model, strange)[20:23], scores[:3], **same)
    assert np.ptp(scores, axis=0).min() > 1e-3  # rows do differ


@every_model
def test_codes_of_a_row_depend_on_that_row_alone(fitted, digits, name):
    model, X = fitted[name], digits[0]
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_allclose(model.transform(X[order]), model.transform(X)[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.reconstruct(X[5:6]), model.reconstruct(X)[5:6], rtol=1e-9, atol=1e-9)


@every_model
def test_planted_outliers_score_lower(fitted, digits, name):
    """Rows with shuffled pixels: same values, no digit."""
    model, X = fitted[name], digits[0]
    shuffled = X[:100, np.random.default_rng(0).permutation(64)]
    normal, odd = (model.score_table(rows)["reconstruction_kl"] for rows in (X, shuffled))
    assert odd.max() < normal.median()
    assert np.mean(odd < normal.quantile(0.05)) > 0.9


@every_model
def test_a_fitted_model_beats_its_untrained_copy(fitted, digits, name):
    model, (X, y) = fitted[name], digits
    alike = {"max_iter": 0, "standardize": model.input_scale_.standardizes}
    untrained = type(model)(**model.get_params() | alike).fit(X, y)
    assert untrained.input_scale_.kind == model.input_scale_.kind
    gain = model.score(X) - untrained.score(X)
    assert gain > 5  # nats per row of 64 pixels; the learnt scale is at its best in both


def test_a_label_makes_its_own_rows_most_likely(fitted, digits):
    X, y = digits
    model = fitted["CVAE"]
    given = np.stack([model.log_likelihood(X, label, n_samples=4) for label in (0, 1)], axis=1)
    assert np.mean(given.argmax(axis=1) == y) > 0.95
    assert np.mean(model.label_proba(X).argmax(axis=1) == y) > 0.95
