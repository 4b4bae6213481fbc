import functools

import numpy as np
import pandas as pd
import pytest
import torch

from tests.explorer.spaces import of_mixed_table, until
from tests.report.browser import needs_chromium, opened
from vaetools import AE, CVAE, VAE, VQVAE, Gaussian, explore
from vaetools.explorer.rendering import render

pytestmark = needs_chromium

SMALL = {"max_iter": 2, "random_state": 0, "contamination": 0.1}
DENSE = {**SMALL, "image_shape": (1, 8, 8), "hidden_channels": (), "hidden_layer_sizes": (20, 12)}
CONV = {**SMALL, "image_shape": (1, 8, 8), "hidden_channels": (4, 6), "hidden_layer_sizes": (12,)}
ODD = CONV | {"image_shape": (3, 5, 7)}  # sides that halve to a rest
MODELS = {
    "AE": AE(3, **DENSE),
    "AE, whose code is a map": AE(24, **CONV | {"hidden_layer_sizes": ()}),
    "AE, gelu": AE(3, **CONV, activation="gelu"),
    "VAE": VAE(3, **DENSE, activation="relu"),
    "VAE, Bernoulli": VAE(3, **CONV, likelihood="bernoulli", activation="elu"),
    "VAE, continuous Bernoulli": VAE(3, **CONV, likelihood="continuous_bernoulli", activation="tanh"),
    "VAE, predicted scale": VAE(3, **CONV, likelihood=Gaussian("predicted"), activation="leaky_relu"),
    "VAE, odd colors": VAE(3, **ODD, activation="sigmoid"),
    "VAE, standardized pixels": VAE(3, **DENSE, standardize=True),
    "CVAE": CVAE(3, **DENSE),
    "VQVAE, whose code is a map": VQVAE(32, n_words=8, **CONV | {"hidden_layer_sizes": ()}),
    "CVAE, add": CVAE(3, **CONV, conditioning="add"),
    "CVAE, multiply": CVAE(3, **CONV, conditioning="multiply", likelihood="continuous_bernoulli"),
}
N_CODES = 200
DECODE = "([codes, label]) => codes.map(code => [...explorer.decoder.decode(code, label)])"


@functools.cache
def rows(n_features):
    """Smooth images, so that there is something to learn, and labels."""
    rng = np.random.default_rng(0)
    X = 1 / (1 + np.exp(-rng.normal(size=(150, 3)) @ rng.normal(size=(3, n_features))))
    return X, np.arange(150) % 3


def decoded(tab, codes, label=None):
    return np.array(tab.evaluate(DECODE, [codes.tolist(), label]))


@pytest.mark.parametrize("name", MODELS)
def test_images_are_decoded_as_torch_decodes_them(name, tmp_path):
    model = MODELS[name]
    X, y = rows(int(np.prod(model.image_shape)))
    model.fit(X, y if name.startswith("CVAE") else None)
    with torch.no_grad():
        for weight in model.model_.network.decoder.parameters():
            weight.mul_(3)  # what was hardly trained decodes all codes to nearly the same
    page = render(explore(model, X, y, method="pca"))
    codes = np.random.default_rng(1).normal(size=(N_CODES, model.n_components)) * 2
    with opened(page, tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        made = {None: decoded(tab, codes)}
        if name.startswith("CVAE"):
            made[2] = decoded(tab, codes, 2)
    for label, found in made.items():
        expected = model.inverse_transform(codes, *([] if label is None else [label]))
        assert np.ptp(expected, axis=0).max() > 0.02  # of different codes different images
        np.testing.assert_allclose(found, expected, atol=1 / 255)


def test_rows_of_a_table_are_decoded_in_their_units(tmp_path):
    rng = np.random.default_rng(0)
    spread = np.array([1, 1e6, 1e-3, 1])
    X = (rng.normal(size=(150, 2)) @ rng.normal(size=(2, 4))) * spread + [0, 1e7, 5, 0]
    model = VAE(2, max_iter=5, random_state=0, contamination=0.1).fit(X)
    codes = rng.normal(size=(N_CODES, 2))
    with opened(
        render(explore(model, X, method="pca")), tmp_path / "page.html", width=1200, scheme="dark"
    ) as tab:
        tab.wait_for_selector("html.whole")
        found = decoded(tab, codes)
    # a column of large mean and small spread keeps the digits of single precision
    np.testing.assert_allclose(found / spread, model.inverse_transform(codes) / spread, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("conditions", [False, True])
def test_numbers_and_categories_are_decoded_as_torch_decodes_them(conditions, tmp_path):
    settings = {"likelihood": "mixed", "max_iter": 30, "random_state": 0, "contamination": 0.1}
    y = np.arange(120) % 3 if conditions else None
    model = CVAE(2, **settings) if conditions else VAE(2, **settings)
    explorer, model, _ = of_mixed_table(model=model, y=y)
    codes = np.random.default_rng(0).normal(size=(N_CODES, 2)) * 3
    with opened(render(explorer), tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        made = {None: decoded(tab, codes)} | ({2: decoded(tab, codes, 2)} if conditions else {})
    for label, found in made.items():
        expected = model.inverse_transform(codes, *([] if label is None else [label]))
        np.testing.assert_allclose(found[:, 0], expected["score"], rtol=1e-5, atol=0.1)
        assert expected["color"].nunique() == 2
        names = np.array(explorer.table.categories[1])
        assert np.mean(names[found[:, 1].astype(int)] == expected["color"]) >= 0.99  # but for ties
        np.testing.assert_allclose(found[:, 2], expected["whole"], atol=1)  # a half rounded otherwise
        assert np.mean(found[:, 2] == expected["whole"]) > 0.97
        assert np.mean(found[:, 3].astype(bool) == expected["is"]) >= 0.99


@pytest.mark.parametrize("is_image", [False, True])
def test_codes_are_decoded_in_the_context_that_is_chosen(is_image, tmp_path):
    X, y = rows(64) if is_image else rows(4)
    told = pd.DataFrame({"<b>": np.array(["a", "b", "</script>"])[y], "heat": 20 + 5 * X[:, 0]})
    model = CVAE(2, **CONV) if is_image else CVAE(2, **SMALL)
    model.fit(X, told)
    with torch.no_grad():
        for weight in model.model_.network.decoder.parameters():
            weight.mul_(3)
    explorer = explore(model, X, context=told, method="pca")
    codes = np.random.default_rng(0).normal(size=(50, 2))
    usual = pd.DataFrame({"<b>": [explorer.given[0].categories[int(explorer.given[0].value)]]})
    usual["heat"] = explorer.given[1].value
    with opened(render(explorer), tmp_path / "page.html", width=1200, scheme="light") as tab:
        tab.wait_for_selector("html.whole")
        np.testing.assert_allclose(decoded(tab, codes), model.inverse_transform(codes, usual), atol=1 / 255)
        tab.select_option("[data-given='0']", label="b")
        slider = tab.locator("[data-given='1']")
        slider.evaluate("input => { input.value = 22; input.dispatchEvent(new Event('input')); }")
        shown = tab.evaluate("[...explorer.expected]")
        found = decoded(tab, codes)
        code = np.array(tab.evaluate("[...explorer.code]"))
        own = tab.evaluate("explorer.pick(7), [...explorer.expected]")
        assert tab.locator("[data-given='0'] option:checked").inner_text() == told["<b>"][7]
    np.testing.assert_allclose(own, model.reconstruct(X[7:8], told[7:8])[0], atol=1 / 255)
    chosen = pd.DataFrame({"<b>": ["b"], "heat": [22.0]})
    expected = model.inverse_transform(codes, chosen)
    assert np.abs(expected - model.inverse_transform(codes, usual)).max() > 0.02
    np.testing.assert_allclose(found, expected, atol=1 / 255)
    np.testing.assert_allclose(shown, model.inverse_transform(code[None], chosen)[0], atol=1 / 255)


def test_two_latent_dimensions_are_decoded_exactly_under_the_cursor(tmp_path):
    X, _ = rows(64)
    model = VAE(2, **DENSE).fit(X)
    with opened(
        render(explore(model, X, method="pca")), tmp_path / "page.html", width=1200, scheme="dark"
    ) as tab:
        tab.wait_for_selector("html.whole")
        tab.mouse.move(400, 500)
        tab.mouse.move(420, 520)
        until(tab, "explorer.cursor && !explorer.pending")
        place = tab.evaluate("explorer.stage.view.toMap(...explorer.cursor)")
        code, made = tab.evaluate("[[...explorer.code], [...explorer.expected]]")
        center, axes = tab.evaluate("[[...explorer.atlas.plane.center], [...explorer.atlas.plane.axes]]")
    axes = np.reshape(axes, (2, 2))
    np.testing.assert_allclose(code, center + np.array(place) @ axes, atol=1e-5)
    np.testing.assert_allclose(made, model.inverse_transform([code])[0], atol=1 / 255)
