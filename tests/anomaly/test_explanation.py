import dataclasses

import numpy as np
import pandas as pd
import pytest

from vaetools import AE, CVAE, VAE, Gaussian, load, save
from vaetools.anomaly.explanation import (
    Explanation,
    heat,
    heat_range,
    map_levels,
    overlay,
    pixel_surprise,
    ringed,
    smoothed,
)
from vaetools.anomaly.recommended import QUESTIONS

LIKELIHOODS = ["gaussian", "bernoulli", "continuous_bernoulli", Gaussian("predicted")]


def halves(digits, seed=0):
    """Digits in random order, in two halves."""
    X = np.random.default_rng(seed).permutation(digits[0])
    return X[:900], X[900:]


@pytest.fixture(scope="module")
def pair(digits):
    """A model of digits, and rows that it has not seen."""
    seen, unseen = halves(digits)
    vae = VAE(image_shape=(1, 8, 8), hidden_channels=(), max_iter=15, random_state=0)
    return vae.fit(seen), unseen


def explanation(n=2, image_shape=(1, 4, 6), **changes):
    """An explanation made by hand."""
    n_features = int(np.prod(image_shape))
    rng = np.random.default_rng(0)
    fields = {
        name: rng.random((n, n_features)) for name in ("reconstruction", "surprise", "value", "expected")
    }
    fields |= {
        "kl": rng.random((n, 3)),
        "rows": np.arange(n),
        "columns": np.arange(n_features),
        "image_shape": image_shape,
        "heat_range": np.array([0.0, 1.0]),
    }
    return Explanation(**fields | changes)


# What adds up


@pytest.mark.parametrize("cls", [AE, VAE])
@pytest.mark.parametrize("likelihood", LIKELIHOODS, ids=str)
def test_costs_add_up_to_the_terms_of_the_score(cls, likelihood, digits):
    X = digits[0][:60]
    model = cls(2, likelihood=likelihood, max_iter=2, contamination=0.1, random_state=0).fit(X)
    explained = model.explain(X)
    table = model.score_table(X)
    np.testing.assert_allclose(-explained.reconstruction.sum(axis=1), table["neg_reconstruction"], rtol=1e-9)
    scores = -explained.reconstruction.sum(axis=1) - explained.kl.sum(axis=1)
    np.testing.assert_allclose(scores, table["reconstruction_kl"], rtol=1e-9)
    assert explained.kl.shape == (60, 2)
    assert np.array_equal(explained.value, X)
    assert np.array_equal(explained.expected, model.reconstruct(X))


@pytest.mark.parametrize("labeled", [True, False])
def test_a_conditional_model_explains_with_and_without_labels(labeled, iris):
    X, y = iris
    cvae = CVAE(2, max_iter=3, contamination=0.1, random_state=0).fit(X, y)
    explained = cvae.explain(X, y) if labeled else cvae.explain(X)
    scores = cvae.score_samples(X, y) if labeled else cvae.score_samples(X)
    np.testing.assert_allclose(-explained.reconstruction.sum(1) - explained.kl.sum(1), scores, rtol=1e-9)
    assert explained.kl.shape == (150, 2 if labeled else 3)  # the cost of the label
    weights = np.eye(3)[y] if labeled else cvae.label_proba(X)
    each = np.stack([cvae.explain(X, label).surprise for label in range(3)], axis=1)
    np.testing.assert_allclose(explained.surprise, np.einsum("nl,nlf->nf", weights, each), rtol=1e-9)


def test_a_row_is_explained_alone_as_among_others(pair):
    vae, unseen = pair
    together, alone = vae.explain(unseen[:40]), vae.explain(unseen[7:8])
    for name in ("reconstruction", "kl", "surprise", "expected"):
        np.testing.assert_allclose(getattr(alone, name)[0], getattr(together, name)[7], rtol=1e-9)
    np.testing.assert_allclose(alone.heat_maps()[0], together.heat_maps()[7], rtol=1e-9, atol=1e-12)
    assert np.array_equal(alone.overlays()[0], together.overlays()[7])


# Surprise


@pytest.mark.parametrize("likelihood", ["gaussian", Gaussian("per_feature"), Gaussian("predicted")], ids=str)
def test_surprise_has_no_unit(likelihood, correlated):
    units = np.array([1e-3, 1, 1e6, 1, 1, 1])
    options = {"likelihood": likelihood, "max_iter": 3, "contamination": 0.1, "random_state": 0}
    plain = VAE(2, **options).fit(correlated).explain(correlated)
    scaled = VAE(2, **options).fit(correlated * units).explain(correlated * units)
    np.testing.assert_allclose(scaled.surprise, plain.surprise, rtol=1e-4, atol=1e-6)
    shift = scaled.reconstruction - plain.reconstruction
    np.testing.assert_allclose(shift, np.broadcast_to(np.log(units), shift.shape), rtol=1e-4, atol=1e-6)


def test_values_drawn_from_the_prediction_are_not_surprising_on_average(iris):
    X, _ = iris
    likelihood = Gaussian(scale=0.5)
    vae = VAE(2, likelihood=likelihood, max_iter=0, contamination=0.1).fit(X)
    for weight in vae.model_.network.parameters():
        weight.zero_()  # it predicts 0 for every row
    draws = np.random.default_rng(0).normal(0, 0.5, size=(4000, 4))
    surprise = vae.explain(draws).surprise
    error = surprise.std() / np.sqrt(surprise.size)
    assert abs(surprise.mean()) < 4 * error
    assert error < 0.01


# The table


def test_the_table_ranks_the_columns_of_every_row():
    surprise = np.array([[1.0, 5.0, 3.0], [2.0, -1.0, np.nan]])
    explained = explanation(
        image_shape=(1, 1, 3),
        surprise=surprise,
        value=np.arange(6.0).reshape(2, 3),
        expected=np.arange(6.0).reshape(2, 3) / 10,
        rows=np.array(["x", "y"]),
        columns=np.array(["a", "b", "c"]),
    )
    expected = pd.DataFrame(
        {
            "row": ["x", "x", "y", "y"],
            "column": ["b", "c", "a", "b"],
            "value": [1.0, 2, 3, 4],
            "expected": [0.1, 0.2, 0.3, 0.4],
            "surprise": [5.0, 3, 2, -1],
        }
    )
    pd.testing.assert_frame_equal(explained.table(top=2), expected, check_dtype=False)
    assert len(explained.table(top=99)) == 6
    assert repr(explained) == "Explanation(2 rows × 3 columns)"


@pytest.mark.parametrize("top", [-1, 0, 1.5, "2", True])
def test_the_number_of_columns_is_a_positive_integer(top):
    with pytest.raises(ValueError, match=rf"Explanation: top must be a positive integer; got {top!r}\."):
        explanation().table(top=top)


def test_a_planted_cell_is_ranked_first_by_its_name(correlated):
    frame = pd.DataFrame(correlated, columns=[f"c{i}" for i in range(correlated.shape[1])])
    vae = VAE(2, likelihood=Gaussian("per_feature"), max_iter=30, random_state=0).fit(frame)
    odd = frame.iloc[5:8].copy()
    odd.iloc[1, 2] += 8 * frame["c2"].std()
    table = vae.explain(odd).table(top=1)
    assert table["row"].tolist() == [5, 6, 7]
    assert table["column"][1] == "c2"
    assert table["value"][1] == odd.iloc[1, 2]
    assert abs(table["expected"][1] - frame.iloc[6, 2]) < abs(table["value"][1] - frame.iloc[6, 2])


# Heat


@pytest.mark.parametrize("seed", [0, 1])
def test_few_unseen_normal_images_are_red_somewhere(seed, digits):
    seen, unseen = halves(digits, seed)
    vae = VAE(image_shape=(1, 8, 8), hidden_channels=(), max_iter=15, random_state=seed).fit(seen)
    n_calibration, n = len(vae.calibration_scores_), len(unseen)
    rate = 9 / (n_calibration + 1)  # k / (n + 1)
    red = (vae.explain(unseen).heat_maps() >= 1).any(axis=(1, 2)).mean()
    # of the calibration rows and of the new rows
    error = np.sqrt(rate * (1 - rate) * (1 / n_calibration + 1 / n))
    assert abs(red - rate) < 3 * error


def test_the_scale_is_that_of_rows_that_trained_nothing(pair, digits):
    vae, unseen = pair
    seen, _ = halves(digits)
    held_out = np.isin(vae.score_samples(seen).round(6), vae.calibration_scores_.round(6))
    assert held_out.sum() == len(vae.calibration_scores_)
    levels = map_levels(pixel_surprise(vae.explain(seen[held_out]).surprise, (1, 8, 8)))
    np.testing.assert_allclose(vae.heat_range_, heat_range(levels, 0.05))
    maps = pixel_surprise(vae.explain(unseen).surprise, (1, 8, 8))
    assert abs((maps < vae.heat_range_[0]).mean() - 0.5) < 0.05


def test_a_spot_is_red_where_it_is(pair):
    vae, unseen = pair
    odd = unseen[:20].copy()
    images = odd.reshape(-1, 8, 8)
    images[:, 0, 0] = 1.0  # corners of digits are empty
    heat_maps = vae.explain(odd).heat_maps()
    assert ((heat_maps[:, :2, :2] == 1).any(axis=(1, 2))).all()
    before = vae.explain(unseen[:20]).heat_maps()
    assert (heat_maps[:, 0, 0] > before[:, 0, 0]).all()


def test_the_scale_is_saved_and_follows_recalibration(pair, tmp_path):
    vae, unseen = pair
    save(vae, tmp_path / "digits.safetensors")
    loaded = load(tmp_path / "digits.safetensors")
    assert np.array_equal(loaded.heat_range_, vae.heat_range_)
    expected = vae.explain(unseen[:3]).overlays()
    assert np.array_equal(loaded.explain(unseen[:3]).overlays(), expected)
    inverted = 1 - unseen
    loaded.recalibrate(inverted)
    assert (loaded.explain(inverted).heat_maps() >= 1).any(axis=(1, 2)).mean() <= 0.05


def test_channels_are_summed_and_images_of_bytes_are_shown_in_the_unit_interval():
    X = np.random.default_rng(0).integers(0, 256, size=(100, 48), dtype=np.uint8)
    vae = VAE(2, image_shape=(3, 4, 4), max_iter=1, random_state=0).fit(X)
    explained = vae.explain(X[:2])
    assert np.array_equal(explained.value, X[:2] / 255)
    assert explained.heat_maps().shape == (2, 4, 4)
    assert explained.overlays().shape == (2, 4, 4, 3)
    summed = pixel_surprise(explained.surprise, (3, 4, 4), smoothing=0)
    np.testing.assert_allclose(summed, explained.surprise.reshape(2, 3, 4, 4).sum(axis=1))


def test_smoothing_stays_within_an_image():
    surprise = np.zeros((3, 30))
    surprise[1] = 1
    maps = pixel_surprise(surprise, (1, 5, 6))
    np.testing.assert_allclose(maps[1], 1)
    assert not maps[[0, 2]].any()


def test_the_scale_without_enough_images_or_variation():
    levels = map_levels(np.arange(12.0).reshape(3, 2, 2))
    assert levels.tolist() == [[1.5, 3], [5.5, 7], [9.5, 11]]
    assert heat_range(levels, 0.05).tolist() == [5.5, 11]  # too few for 5 %: the largest
    assert heat_range(levels, 0.5).tolist() == [5.5, 7]
    assert heat_range(np.zeros((3, 2)), 0.05).tolist() == [0, 1]
    assert heat(np.array([-1.0, 5.5, 8.25, 12]), np.array([5.5, 11])).tolist() == [0, 0, 0.5, 1]


def test_an_overlay_is_the_image_where_nothing_is_odd_and_red_where_much_is():
    gray = np.array([[[0.0, 0.5, 1.0]]])
    clear = overlay(np.zeros((1, 1, 3)), gray)
    assert clear[0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3]
    red = overlay(np.ones((1, 1, 3)), gray)[0, 0].astype(int)
    assert (red[:, 0] > red[:, 1] + 100).all()
    assert (np.diff(red[:, 1]) > 0).all()  # the image shows through
    wide = overlay(np.zeros((2, 1, 2)), np.array([[[0.0, 16.0]], [[-1.0, 1.0]]]))
    assert wide[..., 0].tolist() == [[[0, 255]], [[0, 255]]]
    assert overlay(np.zeros((1, 1, 2)), np.full((1, 1, 2), 7.0)).dtype == np.uint8


def test_red_begins_at_one():
    """Only then does the promise hold that few normal images are red anywhere."""
    color = overlay(np.linspace(0, 1, 101)[None, None], np.zeros((1, 1, 101)))[0, 0].astype(int)
    is_red = color[:, 0] > 3 * color[:, 1]
    assert is_red[-1]
    assert not is_red[:91].any()
    assert (np.diff(color.sum(axis=1)[:83]) > 0).all()  # over black: hotter is brighter, up to orange


# Several questions


@pytest.fixture(scope="module")
def of_images(digits):
    """A model whose score asks several questions."""
    small = {"image_shape": (1, 8, 8), "hidden_channels": (), "max_iter": 5}
    return VAE(4, anomaly_score="images", random_state=0, **small).fit(digits[0][:400])


def test_the_map_is_of_the_question_that_decided(of_images, digits):
    X = np.concatenate([digits[0][400:480], 1 - digits[0][400:410]])
    explained = of_images.explain(X)
    assert set(explained.question) <= set(QUESTIONS)
    maps = explained.heat_maps()
    decided = explained.question == "structure"
    assert 0 < decided.sum() < len(X)
    assert np.array_equal(np.isnan(maps).all(axis=(1, 2)), ~decided)
    expected = heat(smoothed(explained.structure), of_images.structure_range_)
    assert np.array_equal(maps[decided], expected[decided])
    distances = of_images.score_table(X, scores=["structure"])["structure"]
    np.testing.assert_allclose(explained.structure.sum(axis=(1, 2)), distances**2, rtol=1e-4)
    plain = np.rint(255 * X[~decided].reshape(-1, 8, 8)).astype(np.uint8)
    assert np.array_equal(explained.overlays()[~decided][..., 0], plain)
    assert of_images.explain(X[:3]).table(top=1)["surprise"].notna().all()


def test_its_scale_is_that_of_normal_images(of_images, digits, tmp_path):
    save(of_images, tmp_path / "m.safetensors")
    loaded = load(tmp_path / "m.safetensors")
    assert np.array_equal(loaded.structure_range_, of_images.structure_range_)
    loaded.recalibrate(digits[0][400:600])
    levels = map_levels(smoothed(of_images.explain(digits[0][400:600]).structure))
    np.testing.assert_allclose(loaded.structure_range_, heat_range(levels, 0.05))
    del loaded.structure_range_  # as of a file of an earlier version
    with pytest.raises(ValueError, match=r"a scale of the question 'structure', .* Call recalibrate\(X\)"):
        loaded.explain(digits[0][:3]).heat_maps()


def test_a_score_of_one_question_names_none(digits):
    vae = VAE(2, image_shape=(1, 8, 8), hidden_channels=(), max_iter=1, random_state=0).fit(digits[0][:100])
    explained = vae.explain(digits[0][:3])
    assert (explained.question, explained.structure) == (None, None)
    assert not hasattr(vae, "structure_range_")


# What cannot be explained


def test_heat_maps_need_images(iris):
    vae = VAE(2, max_iter=1, contamination=0.1).fit(iris[0])
    assert not hasattr(vae, "heat_range_")
    with pytest.raises(
        ValueError, match=r"need a model of images; got image_shape=None\. Rows of a table have table\(\)"
    ):
        vae.explain(iris[0]).overlays()


def test_a_model_of_images_without_a_scale_says_what_to_do():
    with pytest.raises(ValueError, match=r"got image_shape=\(1, 4, 6\).*fit it again"):
        dataclasses.replace(explanation(), heat_range=None).heat_maps()


def test_small_red_spots_get_a_ring_and_others_none():
    red = np.zeros((400, 1000), bool)
    red[200, 300:303] = red[203, 301] = True  # one spot, of two parts
    red[50:150, 700:900] = True
    picture = ringed(np.zeros((400, 1000, 3), np.uint8), red)
    down, across = np.nonzero(picture.any(axis=2))
    assert {tuple(color) for color in picture[down, across]} == {(0x21, 0x96, 0xF3)}
    assert (down.min() + down.max()) / 2 == pytest.approx(201.5, abs=1)
    assert (across.min() + across.max()) / 2 == pytest.approx(301, abs=1)
    distance = np.hypot(down - 201.5, across - 301)
    assert 30 < distance.min() < distance.max() < 45
    assert across.max() - across.min() > 60  # of 1,000: 10 pixels of a card that is 170 wide


def test_a_ring_stays_within_the_picture():
    red = np.zeros((8, 8), bool)
    red[0, 0] = True
    picture = np.full((8, 8, 3), 9, np.uint8)
    assert (ringed(picture, red) != picture).any()
    assert np.array_equal(ringed(picture, np.zeros_like(red)), picture)
