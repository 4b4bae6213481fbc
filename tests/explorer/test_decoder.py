import numpy as np
import pytest

from tests.explorer.spaces import images, of_mixed_table
from vaetools import AE, CVAE, VAE
from vaetools.explorer.decoder import plain_decoder

CONVOLVES = {
    "image_shape": (1, 8, 8),
    "hidden_channels": (4, 6),
    "hidden_layer_sizes": (9,),
    "max_iter": 0,
    "contamination": 0.1,
}


def kinds(decoder):
    return [step["kind"] for step in decoder.steps]


def test_a_convolutional_decoder_is_its_steps_in_order():
    X, _ = images()
    decoder = plain_decoder(VAE(2, **CONVOLVES).fit(X.to_numpy()))
    dense = ["dense", "activation", "dense"]
    stages = ["activation", "deconv", "activation", "deconv"]
    assert kinds(decoder) == [*dense, *stages, "unit_mean", "mean"]
    last = decoder.steps[6]
    assert (last["n_in"], last["n_out"], last["from"], last["to"]) == (4, 1, (4, 4), (8, 8))
    n_weights = (2 + 1) * 9 + (9 + 1) * 24 + (6 * 16 + 1) * 4 + 4 * 16 + 1
    assert decoder.weights.shape == (n_weights,)


@pytest.mark.parametrize("conditioning", ["concat", "add", "multiply"])
def test_a_label_joins_the_code_first(conditioning):
    X, y = images()
    model = CVAE(2, conditioning=conditioning, image_shape=(1, 8, 8), hidden_channels=(), max_iter=0)
    step = plain_decoder(model.fit(X.to_numpy(), y)).steps[0]
    assert (step["kind"], step["how"]) == ("join", conditioning)
    assert ("weight" in step) == (conditioning != "concat")


def test_images_have_weights_of_half_precision_while_no_pixel_moves(monkeypatch):
    X, _ = images()
    model = AE(2, **CONVOLVES).fit(X.to_numpy())
    assert plain_decoder(model).weights.dtype == np.float16
    monkeypatch.setattr("vaetools.explorer.decoder._MOST_OFF", 1e-9)
    assert plain_decoder(model).weights.dtype == np.float32


def test_a_table_has_weights_of_single_precision_and_its_units():
    X = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1e6, 1] + [0, 1e9, 0]
    decoder = plain_decoder(AE(2, max_iter=1, contamination=0.1).fit(X))
    assert decoder.weights.dtype == np.float32
    np.testing.assert_allclose(decoder.shift, X.mean(axis=0), rtol=0.1, atol=0.5)


def test_columns_of_several_kinds_lie_in_parts():
    _, model, _ = of_mixed_table()
    decoder = plain_decoder(model)
    assert decoder.parts == [(0, 2), (2, 2)]
    assert decoder.place == [0, 2, 1, 3]
    assert kinds(decoder)[-1] == "dense"
    assert decoder.scale.shape == (4,)
