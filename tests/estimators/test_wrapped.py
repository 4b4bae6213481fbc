"""A user's own network, trained or not."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

import vaetools as vt
from vaetools import AE, CVAE, VAE, EncoderDecoder


class TwoHeads(nn.Module):
    """A user's variational encoder."""

    def __init__(self, n_features=4, n_components=2):
        super().__init__()
        self.mean, self.log_variance = (
            nn.Linear(n_features, n_components),
            nn.Linear(n_features, n_components),
        )

    def forward(self, x):
        return self.mean(x), self.log_variance(x)


class Conditional(nn.Module):
    """A user's conditional network, with the two methods and nothing else."""

    def __init__(self):
        super().__init__()
        self.encode, self.out = nn.Linear(4 + 3, 4), nn.Linear(2 + 3, 4)

    def posterior(self, x, condition=None):
        return self.encode(torch.cat([x, condition], dim=1)).chunk(2, dim=1)

    def decode(self, z, condition=None):
        return self.out(torch.cat([z, condition], dim=1))


@pytest.fixture
def network():
    torch.random.default_generator.manual_seed(0)
    return EncoderDecoder(TwoHeads(), nn.Linear(2, 4))


def weights(module):
    return [weight.clone() for weight in module.state_dict().values()]


def test_max_iter_0_uses_the_weights_as_they_are(network, iris):
    X, _ = iris
    before = weights(network)
    vae = VAE(network=network, max_iter=0, random_state=0).fit(X)
    with torch.no_grad():
        mean, log_variance = network.encoder(torch.from_numpy(X).float())
    np.testing.assert_allclose(vae.transform(X), mean, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(vae.posterior(X).std, (log_variance / 2).exp(), rtol=1e-4)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(network), strict=True))
    assert vae.n_iter_ == 0
    assert len(vae.calibration_scores_) == 30


def test_max_iter_0_sets_the_scale_to_its_maximum_likelihood_value(network, iris):
    X, _ = iris
    vae = VAE(network=network, max_iter=0, contamination=0.1).fit(X)
    error = X - vae.reconstruct(X)
    density = -0.5 * error**2 / (error**2).mean() - 0.5 * np.log(2 * np.pi * (error**2).mean())
    np.testing.assert_allclose(vae.score_table(X)["neg_reconstruction"], density.sum(axis=1), rtol=1e-6)


def test_training_starts_from_a_copy(network, iris):
    X, _ = iris
    before = weights(network)
    untrained = VAE(network=network, max_iter=0, standardize=True, random_state=0).fit(X)
    trained = VAE(network=network, max_iter=100, random_state=0).fit(X)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(network), strict=True))
    assert trained.score(X) > untrained.score(X) + 0.1


def test_encoder_without_decoder_embeds_and_scores_latents(iris):
    X, _ = iris
    model = VAE(network=EncoderDecoder(TwoHeads()), max_iter=0, anomaly_score="neg_kl", random_state=0).fit(X)
    mean, std = model.posterior(X)
    kl = (0.5 * (mean**2 + std**2 - 1) - np.log(std)).sum(axis=1)
    np.testing.assert_allclose(model.score_samples(X), -kl)
    assert set(model.score_table(X)) == {"neg_kl"}
    assert set(model.predict(X)) <= {-1, 1}
    embedding = AE(network=EncoderDecoder(nn.Linear(4, 2)), max_iter=0, anomaly_score="latent_knn").fit(X)
    assert embedding.predict(X * 10)[0] == -1


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("reconstruct", "reconstruct"),
        ("score_samples", "reconstruction_kl"),
        ("predict", "reconstruction_kl"),
        ("score", "elbo"),
        ("log_likelihood", "log_likelihood"),
    ],
)
def test_what_must_decode_raises_by_name(method, name, iris):
    X, _ = iris
    model = VAE(network=EncoderDecoder(TwoHeads()), max_iter=0).fit(X)
    assert model.transform(X).shape == (150, 2)
    with pytest.raises(ValueError, match=f"{name}.* must decode.* no decoder; got network=EncoderDecoder"):
        getattr(model, method)(X)
    with pytest.raises(ValueError, match="inverse_transform must decode"):
        model.inverse_transform(np.zeros((1, 2)))


def test_training_needs_a_decoder(iris):
    with pytest.raises(ValueError, match=r"max_iter must be 0.*no decoder; got 'auto'"):
        VAE(network=EncoderDecoder(TwoHeads())).fit(iris[0])


def test_any_module_with_the_two_methods(iris):
    X, y = iris
    cvae = CVAE(network=Conditional(), max_iter=30, random_state=0).fit(X, y)
    assert cvae.transform(X).shape == (150, 2)
    assert cvae.sample(3, y=1).shape == (3, 4)


def test_architecture_parameters_off_their_default_are_refused(network, iris):
    with pytest.raises(
        ValueError, match=r"hidden_layer_sizes must keep its default.*got hidden_layer_sizes=\(3,\)"
    ):
        VAE(network=network, hidden_layer_sizes=(3,)).fit(iris[0])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (VAE(network=EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4))), "got None as the second. Use AE"),
        (AE(network=EncoderDecoder(TwoHeads(), nn.Linear(2, 4))), "got a tensor as the second. Use VAE"),
    ],
)
def test_the_wrong_kind_of_network_names_the_right_class(estimator, message, iris):
    with pytest.raises(ValueError, match=message):
        estimator.fit(iris[0])


def test_clone_search_and_saving(network, iris, tmp_path):
    X, _ = iris
    vae = VAE(network=network, max_iter=2, random_state=0, contamination=0.1)
    assert clone(vae).network is not network
    search = GridSearchCV(vae, {"beta": [0.5, 1.0]}, cv=2, error_score="raise").fit(X)
    assert search.best_params_["beta"] in (0.5, 1.0)
    fitted = vae.fit(X)
    vt.save(fitted, tmp_path / "model.safetensors")
    with pytest.raises(
        ValueError, match=r"needs a module of the architecture of its custom network; got network=None"
    ):
        vt.load(tmp_path / "model.safetensors")
    blank = EncoderDecoder(TwoHeads(), nn.Linear(2, 4))
    loaded = vt.load(tmp_path / "model.safetensors", network=copy.deepcopy(blank))
    np.testing.assert_array_equal(loaded.score_samples(X), fitted.score_samples(X))


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 1)), {}, r"so \(1, 4\) for one row; got \(1, 1\)"),
        (
            EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4)),
            {"likelihood": vt.Gaussian("predicted")},
            r"parameters of Gaussian\(scale='predicted'.*so \(1, 8\) for one row; got \(1, 4\)",
        ),
        (
            EncoderDecoder(nn.Linear(4, 2), nn.Linear(3, 4)),
            {},
            r"decode must return.*got an error: .*shape",
        ),
        (
            EncoderDecoder(nn.Linear(5, 2), nn.Linear(2, 4)),
            {},
            r"shape \(n_samples, 4\).*got an error: .*shape",
        ),
        (
            EncoderDecoder(nn.Identity(), nn.Identity()),
            {"max_iter": 2, "likelihood": vt.Gaussian(1.0)},
            r"max_iter must be 0.*weights; got 2",
        ),
    ],
)
def test_networks_are_tried_on_a_row_before_anything_else(network, options, message, iris):
    with pytest.raises(ValueError, match=message):
        AE(**{"network": network, "max_iter": 0} | options).fit(iris[0])


def test_codes_must_be_flat(iris):
    class Deep(nn.Module):
        def posterior(self, x, condition=None):
            return x.reshape(-1, 2, 2), None

        def decode(self, z, condition=None):
            return z.flatten(1)

    with pytest.raises(ValueError, match=r"mean of shape \(n_samples, n_components\); got \(1, 2, 2\)"):
        AE(network=Deep(), max_iter=0).fit(iris[0])


def test_labels_need_a_decoder(iris):
    class Encoder(nn.Module):
        def forward(self, x, condition):
            return x[:, :2] + condition[:, :2], x[:, 2:]

    with pytest.raises(ValueError, match=r"CVAE: network must have a decoder.*got EncoderDecoder"):
        CVAE(network=EncoderDecoder(Encoder()), max_iter=0).fit(*iris)


def test_a_network_that_does_not_fit_the_file(network, iris, tmp_path):
    vt.save(VAE(network=network, max_iter=0).fit(iris[0]), tmp_path / "custom")
    vt.save(VAE(max_iter=1).fit(iris[0]), tmp_path / "built")
    with pytest.raises(
        ValueError, match="custom needs a module of the same architecture; its weights do not fit"
    ):
        vt.load(tmp_path / "custom", network=EncoderDecoder(TwoHeads(4, 3), nn.Linear(3, 4)))
    with pytest.raises(ValueError, match="built holds all of its network; got network=EncoderDecoder"):
        vt.load(tmp_path / "built", network=network)


def test_dropout_is_off_when_scoring(iris):
    X, _ = iris
    encoder = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    ae = AE(network=EncoderDecoder(encoder, nn.Linear(2, 4)), max_iter=2, random_state=0).fit(X)
    np.testing.assert_array_equal(ae.transform(X), ae.transform(X))
