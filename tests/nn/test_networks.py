"""Shapes, gradients, spatial codes, labels, and the adapter for a user's own modules."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from vaetools.nn import ACTIVATIONS, default_channels
from vaetools.nn.networks import EncoderDecoder, Network

CONDITIONINGS = ("concat", "add", "multiply")


def build(n_features, n_components=3, hidden=(8,), activation=nn.SiLU, seed=0, **options):
    """A network in float64 with fixed weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Network(n_features, n_components, hidden, activation, **options).double()


def draw(*size, seed=1):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one_hot(*codes, n_classes=3):
    return F.one_hot(torch.tensor(codes), n_classes).double()


def reach(network, x, condition=None):
    """Gradient of all outputs, through a sampled code."""
    mean, log_std = network.posterior(x, condition)
    z = mean if log_std is None else mean + torch.exp(log_std) * draw(*mean.shape)
    network.decode(z, condition).square().sum().backward()
    return {name: p.grad for name, p in network.named_parameters()}


@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
@pytest.mark.parametrize("n_parameters", [1, 2])
@pytest.mark.parametrize("variational", [True, False])
@pytest.mark.parametrize("n_rows", [1, 4])
def test_mlp_shapes(hidden, n_parameters, variational, n_rows):
    network = build(6, 3, hidden, n_outputs=6 * n_parameters, variational=variational)
    mean, log_std = network.posterior(draw(n_rows, 6))
    assert mean.shape == (n_rows, 3)
    assert (log_std is None) if not variational else (log_std.shape == (n_rows, 3))
    assert network.decode(mean).shape == (n_rows, 6 * n_parameters)


def test_mlp_decoder_mirrors_the_encoder():
    network = build(6, 3, (8, 5))
    widths = [
        [(layer.in_features, layer.out_features) for layer in part.modules() if isinstance(layer, nn.Linear)]
        for part in (network.encoder, network.decoder)
    ]
    assert widths == [[(6, 8), (8, 5), (5, 6)], [(3, 5), (5, 8), (8, 6)]]


@pytest.mark.parametrize(
    ("image_shape", "n_components"),
    [
        ((1, 8, 8), 2),
        ((1, 28, 28), 16),
        ((3, 32, 32), 16),
        ((1, 37, 53), 3),
        ((2, 5, 9), 3),
        ((1, 1, 1), 1),
        ((3, 2, 7), 2),
        ((1, 512, 512), 64),
    ],
)
@pytest.mark.parametrize("n_parameters", [1, 2])
def test_convolutions_fit_any_image(image_shape, n_components, n_parameters):
    n_features = math.prod(image_shape)
    network = build(
        n_features,
        n_components,
        (16,),
        n_outputs=n_parameters * n_features,
        image_shape=image_shape,
        hidden_channels=default_channels(image_shape),
    )
    n_rows = 1 if n_features > 10_000 else 2
    x = draw(n_rows, n_features)
    mean, log_std = network.posterior(x)
    assert mean.shape == log_std.shape == (n_rows, n_components)
    assert network.decode(mean).shape == (n_rows, n_parameters * n_features)
    gradients = reach(network, x)
    assert [name for name, grad in gradients.items() if grad is None or not grad.any()] == []


@pytest.mark.parametrize("activation", ACTIVATIONS.values())
def test_gradients_reach_every_weight(activation):
    activation = getattr(torch.nn, activation)
    network = build(
        6, 4, (9, 5), activation, n_outputs=12, unit_mean=True, n_classes=3, conditioning="multiply"
    )
    gradients = reach(network, draw(5, 6), one_hot(0, 1, 2, 0, 1))
    assert [name for name, grad in gradients.items() if grad is None or not grad.any()] == []


def test_spatial_code_has_no_dense_layer():
    """The tutorial's convolutional autoencoder: 28×28 → 8 channels of 4×4."""
    network = build(784, 128, (), image_shape=(1, 28, 28), hidden_channels=(16, 8, 8), variational=False)
    assert network.features.shapes[-1] == (8, 4, 4)
    assert not any(isinstance(layer, nn.Linear) for layer in network.modules())
    code = network.posterior(draw(2, 784))[0]
    assert code.shape == (2, 128)
    assert network.decode(code).shape == (2, 784)


def test_spatial_code_keeps_its_place():
    """One corner of the image moves only codes near that corner."""
    network = build(784, 128, (), image_shape=(1, 28, 28), hidden_channels=(16, 8, 8))
    x = draw(1, 1, 28, 28)
    changed = x.clone()
    changed[..., :2, :2] += 1
    (mean, log_std), (mean_c, log_std_c) = (network.posterior(image.flatten(1)) for image in (x, changed))
    moved = ((mean != mean_c) & (log_std != log_std_c)).reshape(8, 4, 4).any(dim=0)
    assert moved[0, 0]
    assert not moved[2:].any()
    assert not moved[:, 2:].any()


@pytest.mark.parametrize("options", [{"n_components": 127}, {"hidden": (16,)}, {"n_classes": 3}])
def test_other_codes_are_dense(options):
    sizes = {"n_components": 128, "hidden": ()} | options
    network = build(784, image_shape=(1, 28, 28), hidden_channels=(16, 8, 8), **sizes)
    assert any(isinstance(layer, nn.Linear) for layer in network.encoder.modules())


@pytest.mark.parametrize(
    ("image_shape", "channels"),
    [
        ((1, 28, 28), (16, 32)),
        ((3, 32, 32), (16, 32, 64)),
        ((1, 37, 53), (16, 32, 64)),
        ((1, 5, 9), (16,)),
        ((1, 1, 1), (16,)),
        ((1, 512, 512), (16, 32, 64, 64, 64, 64, 64)),
    ],
)
def test_default_channels_end_at_seven_pixels(image_shape, channels):
    assert default_channels(image_shape) == channels
    network = build(math.prod(image_shape), image_shape=image_shape, hidden_channels=channels)
    assert min(network.features.shapes[-1][1:]) <= 7


def test_unit_mean_squashes_means_only():
    plain, squashed = (build(4, n_outputs=8, unit_mean=unit) for unit in (False, True))
    z = 50 * draw(5, 3)
    raw, out = plain.decode(z), squashed.decode(z)
    assert torch.equal(out[:, :4], torch.sigmoid(raw[:, :4]))
    assert torch.equal(out[:, 4:], raw[:, 4:])


@pytest.mark.parametrize("factor", [-1e6, 1e6])
def test_posterior_spread_is_bounded(factor):
    network = build(4)
    network.encoder[-1].bias.data[:] = factor
    log_std = network.posterior(draw(5, 4))[1]
    assert torch.allclose(log_std, torch.full_like(log_std, math.copysign(8, factor)))


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_how_labels_join_the_code(conditioning):
    network = build(4, n_classes=3, conditioning=conditioning)
    z, y = draw(3, 3), one_hot(0, 2, 1)
    if conditioning == "concat":
        joined = torch.cat([z, y], dim=1)
    else:
        layer = network.join.project[0]
        projection = torch.relu(layer.weight.T[[0, 2, 1]] + layer.bias)
        joined = z + projection if conditioning == "add" else z * (1 + projection)
    # the projection is summed in another order
    assert torch.allclose(network.decode(z, y), network.decoder(joined), rtol=0, atol=1e-14)
    assert not torch.allclose(network.decode(z, y), network.decode(z, one_hot(1, 1, 0)))


@pytest.mark.parametrize("image_shape", [None, (1, 2, 3)])
@pytest.mark.parametrize("conditioning", CONDITIONINGS)
@pytest.mark.parametrize("condition_encoder", [True, False])
def test_the_encoder_sees_the_label_if_told(image_shape, conditioning, condition_encoder):
    network = build(
        6,
        n_classes=3,
        conditioning=conditioning,
        condition_encoder=condition_encoder,
        image_shape=image_shape,
        hidden_channels=(4,) if image_shape else (),
    )
    x = draw(2, 6)
    codes = [network.posterior(x, one_hot(y, y))[0] for y in (0, 1)]
    assert torch.equal(*codes) is not condition_encoder
    assert network.decode(codes[0], one_hot(0, 1)).shape == (2, 6)
    gradients = reach(network, x, one_hot(0, 1))
    assert [name for name, grad in gradients.items() if grad is None] == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"variational": False},
        {"n_classes": 3, "conditioning": "multiply"},
        {"image_shape": (1, 4, 6), "hidden_channels": (4, 3)},
        {"image_shape": (1, 4, 6), "hidden_channels": (4, 2), "hidden": (), "n_components": 4},
    ],
)
def test_rows_do_not_see_each_other(options):
    network = build(24, **options)
    x = draw(5, 24)
    y = one_hot(0, 1, 2, 0, 1) if "n_classes" in options else None
    mean, _ = network.posterior(x, y)
    decoded = network.decode(mean, y)
    for i in range(len(x)):
        row, label = x[i : i + 1], None if y is None else y[i : i + 1]
        alone, _ = network.posterior(row, label)
        # other batch shapes sum in another order: float64 rounding
        assert torch.allclose(alone[0], mean[i], rtol=0, atol=1e-13)
        assert torch.allclose(network.decode(alone, label)[0], decoded[i], rtol=0, atol=1e-13)


class TwoHeads(nn.Module):
    """An encoder with a second output; remembers the shape that it saw."""

    def __init__(self, n_features, n_components):
        super().__init__()
        self.mean, self.spread = nn.Linear(n_features, n_components), nn.Linear(n_features, n_components)

    def forward(self, x, condition=None):
        self.seen = x.shape
        x = x.flatten(1) if condition is None else torch.cat([x.flatten(1), condition], dim=1)
        return self.mean(x), self.spread(x)


@pytest.mark.parametrize(("spread", "factor"), [("log_variance", 0.5), ("log_std", 1.0)])
def test_adapter_reads_the_second_output(spread, factor):
    encoder = TwoHeads(4, 2)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    mean, log_std = EncoderDecoder(encoder, nn.Linear(2, 4), spread=spread).posterior(x)
    assert torch.equal(mean, encoder.mean(x))
    assert torch.equal(log_std, factor * encoder.spread(x))


def test_adapter_of_means_only_has_no_posterior():
    mean, log_std = EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4)).posterior(torch.ones(3, 4))
    assert mean.shape == (3, 2)
    assert log_std is None


def test_adapter_reshapes_images_and_flattens_what_comes_back():
    encoder = TwoHeads(6, 2)
    decoder = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (1, 2, 3)))
    network = EncoderDecoder(encoder, decoder, image_shape=(1, 2, 3))
    mean, log_std = network.posterior(torch.ones(5, 6))
    assert encoder.seen == (5, 1, 2, 3)
    assert mean.shape == log_std.shape == (5, 2)
    assert network.decode(mean).shape == (5, 6)
    spatial = EncoderDecoder(nn.Conv2d(1, 2, 1), decoder, image_shape=(1, 2, 3))
    assert spatial.posterior(torch.ones(5, 6))[0].shape == (5, 12)


def test_adapter_undoes_a_sigmoid():
    decoder = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid())
    z = torch.tensor([[0.3, -0.2], [1e4, -1e4]])  # the second row saturates to 0 and 1
    logits = EncoderDecoder(nn.Linear(4, 2), decoder, probabilities=True).decode(z)
    assert torch.isfinite(logits).all()
    assert torch.allclose(torch.sigmoid(logits), decoder(z), rtol=0, atol=1e-6)  # clipped at 1e-7
    assert torch.equal(EncoderDecoder(nn.Linear(4, 2), decoder).decode(z), decoder(z))


def test_adapter_hands_labels_to_both_parts():
    class Decoder(nn.Linear):
        def forward(self, z, condition):
            return super().forward(torch.cat([z, condition], dim=1))

    network = EncoderDecoder(TwoHeads(4 + 3, 2), Decoder(2 + 3, 4))
    y = one_hot(0, 1).float()
    mean, _ = network.posterior(torch.ones(2, 4), y)
    assert not torch.equal(mean[0], mean[1])
    assert network.decode(mean, y).shape == (2, 4)


def test_adapter_without_a_decoder_says_so():
    network = EncoderDecoder(nn.Linear(4, 2))
    assert not network.can_decode
    assert EncoderDecoder(nn.Linear(4, 2), nn.Linear(2, 4)).can_decode
    with pytest.raises(NotImplementedError, match="no decoder"):
        network.decode(torch.zeros(1, 2))


def test_bad_spread_is_named():
    with pytest.raises(ValueError, match=r"EncoderDecoder: spread must be .* got 'variance'\."):
        EncoderDecoder(nn.Linear(4, 2), spread="variance")
