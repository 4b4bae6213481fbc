"""Codes of words: what they are, what they cost, and what is drawn of them."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from torch.nn.functional import max_pool2d

from vaetools import AE, VQVAE, EncoderDecoder, Gaussian, compare, explore, load, plot, save
from vaetools.__main__ import main
from vaetools.estimators import autoencoder
from vaetools.estimators.card import facts
from vaetools.estimators.constructor import keep_parameters
from vaetools.estimators.crossing import crossed
from vaetools.persistence.facts import read_facts
from vaetools.report.questions import QUESTIONS

SMALL = {"n_words": 16, "word_size": 2, "hidden_layer_sizes": (16,), "max_iter": 40, "random_state": 0}
SMALL |= {"early_stopping": False}
PRIORS = ["frequencies", "autoregressive"]


@pytest.fixture(scope="module", params=PRIORS)
def vqvae(request, correlated):
    return VQVAE(6, prior=request.param, **SMALL).fit(correlated)


@pytest.fixture(scope="module")
def of_images(digits):
    options = {"image_shape": (1, 8, 8), "hidden_channels": (8,), "hidden_layer_sizes": ()}
    return VQVAE(**SMALL | options | {"max_iter": 10}).fit(digits[0][:500])


def test_codes_are_numbers_of_the_words_that_transform_returns(vqvae, correlated):
    codes = vqvae.codes(correlated)
    assert (codes.shape, codes.dtype) == ((len(correlated), 3), np.int64)
    assert codes.min() >= 0
    assert codes.max() < 16
    np.testing.assert_array_equal(vqvae.word_vectors(codes), vqvae.transform(correlated))
    decoded = vqvae.inverse_transform(vqvae.word_vectors(codes))
    np.testing.assert_allclose(decoded, vqvae.reconstruct(correlated))


def test_the_score_is_the_bound_and_its_parts_add_up(vqvae, correlated):
    table = vqvae.score_table(correlated)
    assert {"neg_kl", "elbo"} <= set(table)
    assert not {"log_likelihood", "aggregate", "likelihood_regret"} & set(table)
    np.testing.assert_allclose(table["elbo"], vqvae.score_samples(correlated))
    assert (table["elbo_error"] == 0).all()
    explained = vqvae.explain(correlated)
    np.testing.assert_allclose(explained.kl.sum(axis=1), -table["neg_kl"])
    costs = explained.kl.reshape(len(correlated), 2, 3)
    np.testing.assert_array_equal(costs[:, 0], costs[:, 1])  # components of a word


def test_words_cost_what_their_frequency_says(correlated):
    vqvae = VQVAE(4, contamination=0.1, **SMALL).fit(correlated)
    codes = vqvae.codes(correlated)
    counts = [np.bincount(column, minlength=16) for column in codes.T]
    shares = [(count + 1) / (len(codes) + 16) for count in counts]
    expected = sum(np.log(share[column]) for share, column in zip(shares, codes.T, strict=True))
    np.testing.assert_allclose(vqvae.score_table(correlated)["neg_kl"], expected, rtol=1e-6)
    np.testing.assert_array_equal(vqvae.word_counts_, sum(counts))
    assert vqvae.n_dead_words_ == (sum(counts) == 0).sum()


def test_words_are_in_use(vqvae):
    assert vqvae.n_dead_words_ <= 1
    assert vqvae.word_counts_.sum() == 3 * (vqvae.n_samples_ - len(vqvae.calibration_scores_))


@pytest.mark.parametrize(("n_words", "is_told"), [(6, False), (16, True)])
def test_words_that_no_row_has_are_told(n_words, is_told):
    X = np.repeat([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0], [4.0, 4.0]], 40, axis=0)
    vqvae = VQVAE(2, **SMALL | {"n_words": n_words, "max_iter": 150})
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        vqvae.fit(X)
    said = [str(each.message) for each in warned if each.category is ConvergenceWarning]
    n_dead = vqvae.n_dead_words_
    assert (3 * n_dead > n_words) == is_told
    assert (f"VQVAE: {n_dead} of {n_words} words are in no row" in " ".join(said)) == is_told
    assert (f"n_words={n_words - n_dead} or fewer" in " ".join(said)) == is_told


def test_samples_are_decoded_words(vqvae):
    samples = vqvae.sample(200, random_state=3)
    np.testing.assert_array_equal(samples, vqvae.sample(200, random_state=3))
    assert not np.array_equal(samples, vqvae.sample(200, random_state=4))
    assert len(np.unique(samples, axis=0)) <= 16**3


def test_an_autoregressive_prior_tells_more_than_frequencies(correlated):
    costs = [VQVAE(6, prior=prior, **SMALL).fit(correlated).mean_terms_["kl"] for prior in PRIORS]
    assert costs[1]["held_out"] < costs[0]["held_out"] - 0.3


def test_words_keep_their_places_in_an_image(of_images, digits):
    X = digits[0][500:520]
    assert of_images.transform(X).shape == (20, 2 * 4 * 4)
    changed = X.reshape(-1, 8, 8).copy()
    changed[:, :2, :2] = 1 - changed[:, :2, :2]
    moved = of_images.codes(X) != of_images.codes(changed.reshape(-1, 64))
    assert moved[:, 0].any()
    far = moved.reshape(-1, 4, 4)[:, 2:, 2:]
    assert not far.any()


def test_every_word_has_a_cost_where_it_stands(vqvae, of_images, correlated, digits):
    costs = vqvae.word_costs(correlated)
    assert costs.shape == (len(correlated), 3)
    assert (costs > 0).all()
    np.testing.assert_allclose(-costs.sum(axis=1), vqvae.score_table(correlated)["neg_kl"])
    assert (vqvae.place_shape_, of_images.place_shape_) == ((3,), (1, 4, 4))
    assert of_images.word_costs(digits[0][:5]).reshape(-1, *of_images.place_shape_).shape == (5, 1, 4, 4)


def test_what_a_report_cannot_measure_of_words_it_leaves_out_and_says_so(of_images, digits):
    X = digits[0][500:620]
    factors = pd.DataFrame({"class": digits[1][500:620], "ink": X.sum(axis=1) > X.sum(axis=1).mean()})
    other = clone(of_images).set_params(random_state=1).fit(digits[0][:500])
    ae = AE(4, image_shape=(1, 8, 8), max_iter=2, random_state=0).fit(digits[0][:500])
    models = {"words": of_images, "other words": other, "AE": ae}
    comparison = compare(models, X, method="pca", factors=factors)
    measured = comparison.measures.groupby("model")["measure"].agg(set)
    spatial = {row.name for key in ("gaps", "round") for row in QUESTIONS[key].measures}
    single = {"mutual_information_gap", "disentanglement", "completeness", "attribute_predictability"}
    assert spatial | single <= measured["AE"]
    assert not measured["words"] & (spatial | single | {"matched_correlation"})
    assert {"informativeness", "trustworthiness", "off_data", "path_length"} <= measured["words"]
    words, _, plain = comparison.models
    assert all("words" in words.warnings[key] for key in ("gaps", "round", "dimensions"))
    assert not any("words" in text for text in plain.warnings.values())


def test_words_that_training_rows_have_too_do_not_say_that_rows_trained(correlated):
    vqvae = VQVAE(4, **SMALL).fit(correlated[::2])
    kept = {code.tobytes() for code in vqvae.reference_codes_}
    new = correlated[1::2]
    assert np.mean([code.tobytes() in kept for code in vqvae.transform(new).astype(np.float32)]) > 0.5
    assert "was trained on" not in " ".join(compare({"words": vqvae}, new, method="pca").answer)


def test_figures_of_words_say_what_they_are_of(digits, tmp_path):
    options = {"image_shape": (1, 8, 8), "max_iter": 2, "early_stopping": True, "random_state": 0}
    words = VQVAE(n_words=8, **options).fit(digits[0][:200])
    assert "a draw of the prior of words and shows" in plot.samples(words).layout.meta["reading"]
    two_scales = "by one scale for all pixels, held-out ones by one for each"
    assert two_scales in plot.loss_history(words).layout.meta["reading"]
    comparison = compare({"words": words}, digits[0][:50], method="pca")
    assert two_scales in comparison.models[0].warnings["reconstruction"]
    comparison.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert page.count("how they fill space is not measured") == 2
    assert "What is drawn should land where codes are" not in page
    assert "Each filled shape is" not in page
    assert "an even share of what its word does" in page
    one = clone(words).set_params(likelihood=Gaussian()).fit(digits[0][:200])
    assert two_scales not in plot.loss_history(one).layout.meta["reading"]
    assert facts(words)["Likelihood"] == "gaussian, a scale per pixel"
    assert "scale per pixel" not in facts(one)["Likelihood"]


def test_a_report_and_a_page_show_words(of_images, digits, tmp_path):
    X, y = digits[0][500:620], digits[1][500:620]
    ae = AE(4, image_shape=(1, 8, 8), max_iter=2, random_state=0).fit(digits[0][:500])
    comparison = compare({"words": of_images, "AE": ae}, X, y, method="pca")
    measured = comparison.measures.set_index(["model", "measure"])["value"]
    assert measured["words", "rate"] == pytest.approx(-of_images.score_table(X)["neg_kl"].mean())
    assert ("words", "prior_empty") not in measured.index
    assert ("AE", "prior_empty") in measured.index
    comparison.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert f"16, {16 - of_images.n_dead_words_} in use" in page
    assert "gaussian, a scale per pixel" in page
    assert "decoded from draws of N(0, I) or of the prior of words and shows nobody" in page
    assert "AE, decoded plane" in page
    assert "words, decoded plane" not in page
    space = explore(of_images, X, y, method="pca")
    words = of_images.model_.latent.vectors.numpy()
    drawn = space.draws.reshape(-1, 2, 16).transpose(0, 2, 1).reshape(-1, 2)
    assert np.abs(drawn[:, None] - words).max(axis=2).min(axis=1).max() < 1e-6
    assert {"KL", "reconstruction", "p-value"} <= set(space.numbers)


def test_the_command_line_makes_and_tells_of_one(iris, tmp_path, capsys):
    table, model = tmp_path / "iris.csv", str(tmp_path / "words.safetensors")
    rows = pd.DataFrame(iris[0], columns=["a", "b", "c", "d"])
    rows.to_csv(table, index=False)
    asked = ["--model", "vqvae", "--set", "n_words=8", "--max-iter", "30", "-q"]
    assert main(["fit", str(table), "-o", model, *asked]) == 0
    assert main(["info", model]) == 0
    n_dead = load(model).n_dead_words_
    said = " ".join(capsys.readouterr().out.split())
    assert f"1 of 4 components a row, from a vocabulary of 8, {n_dead} of them in no training row" in said
    assert main(["info", model, "--json"]) == 0
    expected = {"n_words": 8, "n_dead": n_dead, "word_size": 4, "n_places": 1, "prior": "frequencies"}
    assert json.loads(capsys.readouterr().out)["words"] == expected
    assert main(["sample", model, "-n", "3"]) == 0
    assert capsys.readouterr().out.startswith("a,b,c,d")
    assert main(["score", model, str(table), "-o", str(tmp_path / "scores.csv"), "-q"]) == 0
    scores = pd.read_csv(tmp_path / "scores.csv")["score"]
    np.testing.assert_allclose(scores, load(model).score_samples(rows), rtol=1e-5)


def test_more_than_one_word_may_stand_at_a_place(digits):
    options = {"image_shape": (1, 8, 8), "hidden_channels": (8,), "hidden_layer_sizes": ()}
    vqvae = VQVAE(64, **SMALL | options | {"max_iter": 1}).fit(digits[0][:100])
    assert vqvae.codes(digits[0][:3]).shape == (3, 32)


def test_a_saved_vocabulary_is_the_same(vqvae, correlated, tmp_path):
    save(vqvae, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.score_samples(correlated), vqvae.score_samples(correlated))
    np.testing.assert_array_equal(again.codes(correlated), vqvae.codes(correlated))
    np.testing.assert_array_equal(again.sample(5, random_state=0), vqvae.sample(5, random_state=0))
    assert again.n_dead_words_ == vqvae.n_dead_words_


@pytest.mark.parametrize(("n_rows", "n_words"), [(100, 16), (400, 64), (2_000, 256)])
def test_a_vocabulary_follows_the_rows_that_train_it(n_rows, n_words, tmp_path):
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    vqvae = VQVAE(2, max_iter=1, early_stopping=False, calibration="split", random_state=0).fit(X)
    assert vqvae.word_counts_.shape == (n_words,)
    save(vqvae, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.codes(X), vqvae.codes(X))
    warm = again.set_params(warm_start=True).fit(np.concatenate([X] * 5))
    assert warm.word_counts_.shape == (n_words,)


def test_few_rows_are_judged_in_as_many_words(monkeypatch, correlated):
    judges = []
    monkeypatch.setattr(autoencoder, "crossed", lambda *given: judges.extend(crossed(*given)) or judges)
    vqvae = VQVAE(2, max_iter=2, hidden_layer_sizes=(8,), random_state=0).fit(correlated[:55])
    assert vqvae.calibration_ == "cross"
    assert {len(member.word_counts_) for member, _ in judges} == {len(vqvae.word_counts_)} == {16}


def test_images_in_words_have_a_scale_per_pixel(of_images, vqvae, digits, tmp_path):
    assert (of_images.gaussian_scale_, vqvae.gaussian_scale_) == ("local", "global")
    X = digits[0][:500]
    costs, expected = of_images.explain(X).reconstruction, of_images.reconstruct(X)
    log_scales = of_images.model_.likelihood._log_scale.numpy()
    at_mean = costs - (X - expected) ** 2 / 2 * np.exp(-2 * log_scales)
    np.testing.assert_allclose(at_mean, np.tile(log_scales + np.log(2 * np.pi) / 2, (500, 1)), atol=1e-6)
    learnt = np.exp(2 * of_images.model_.likelihood._learnt_log_scale.numpy())
    np.testing.assert_allclose(learnt, ((X - expected) ** 2).mean(axis=0), rtol=0.35)
    largest = max_pool2d(torch.from_numpy(learnt).reshape(1, 8, 8), 5, stride=1, padding=2).flatten().numpy()
    assert (largest > 1.01 * learnt).any()
    np.testing.assert_allclose(np.exp(2 * log_scales), largest * (learnt / largest).mean())
    save(of_images, tmp_path / "m.safetensors")
    assert read_facts(tmp_path / "m.safetensors").gaussian_scale == "local"
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.score_samples(X[:9]), of_images.score_samples(X[:9]))


def test_a_file_that_says_nothing_of_scales_has_one(of_images, digits, tmp_path):
    """As those that were written before there were more."""
    old = clone(of_images).set_params(likelihood=Gaussian()).fit(digits[0][:100])
    scores = old.score_samples(digits[0][:9])
    keep_parameters(old.set_params(likelihood="gaussian"))
    del old.gaussian_scale_
    save(old, tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.score_samples(digits[0][:9]), scores)
    assert again.set_params(warm_start=True).fit(digits[0][:100]).gaussian_scale_ == "global"


def test_a_network_of_ones_own_may_say_words(correlated):
    network = EncoderDecoder(torch.nn.Linear(6, 4), torch.nn.Linear(4, 6))
    vqvae = VQVAE(network=network, n_words=8, word_size=2, max_iter=5, random_state=0).fit(correlated)
    assert vqvae.codes(correlated).shape == (len(correlated), 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 3}, r"VQVAE: n_components must be a multiple of word_size=2; got 3\. Say both"),
        ({"n_words": 1}, r"VQVAE: n_words must be an integer at least 2 or 'auto'; got 1"),
        ({"word_size": 0}, r"VQVAE: word_size must be a positive integer or 'auto'; got 0"),
        ({"prior": "normal"}, r"VQVAE: prior must be .*'frequencies'.*; got 'normal'"),
        ({"max_iter": 0}, r"VQVAE: max_iter must not be 0, because training learns the words; got 0"),
        ({"anomaly_score": "aggregate"}, r"VQVAE: anomaly_score must not need a posterior.*got 'aggregate'"),
    ],
)
def test_what_cannot_be_is_refused(options, message, correlated):
    with pytest.raises(ValueError, match=message):
        VQVAE(4, **SMALL).set_params(**options).fit(correlated)


@pytest.mark.parametrize("codes", [[[0, 1]], [[0, 1, 16]], [[-1, 0, 0]], [[0, 1, 2.5]]])
def test_numbers_that_are_no_words_are_refused(vqvae, codes):
    with pytest.raises(ValueError, match=r"VQVAE: codes must have 3 columns of integers from 0 to 15; got"):
        vqvae.word_vectors(codes)
