"""Probabilities of words: they add up, know no later word, and are learnt."""

import itertools
import math

import numpy as np
import pytest
import torch

from vaetools.nn.networks import draw_weights
from vaetools.nn.priors import PRIORS, Autoregressive, Frequencies

N_PLACES, N_WORDS = 3, 4
TEXTS = torch.tensor(list(itertools.product(range(N_WORDS), repeat=N_PLACES)))


def texts(n=400, seed=0):
    """Words at random, of which the second repeats the first and the third is the next one."""
    first = np.random.default_rng(seed).integers(0, N_WORDS, n)
    return torch.from_numpy(np.stack([first, first, (first + 1) % N_WORDS], axis=1))


def learnt(name):
    prior = PRIORS[name](N_PLACES, N_WORDS)
    prior.learn(texts(), 0)
    return prior


@pytest.mark.parametrize("name", PRIORS)
def test_words_are_alike_before_anything_is_learnt(name):
    log_prob = PRIORS[name](N_PLACES, N_WORDS).log_prob(TEXTS)
    assert torch.allclose(log_prob, torch.tensor(-math.log(N_WORDS)))


@pytest.mark.parametrize("name", PRIORS)
def test_probabilities_of_all_texts_add_up_to_1(name):
    total = learnt(name).log_prob(TEXTS).sum(dim=1).exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", PRIORS)
def test_draws_are_as_probable_as_they_are_frequent(name):
    prior = learnt(name)
    drawn = prior.draw(20_000, torch.Generator().manual_seed(0))
    assert drawn.shape == (20_000, N_PLACES)
    place = (drawn * torch.tensor([N_WORDS**2, N_WORDS, 1])).sum(dim=1)
    found = torch.bincount(place, minlength=len(TEXTS)) / len(drawn)
    assert torch.allclose(found, prior.log_prob(TEXTS).sum(dim=1).exp(), atol=0.012)


@pytest.mark.parametrize("name", PRIORS)
def test_a_seed_decides_and_the_global_generator_stays(name):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, second = learnt(name), learnt(name)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.log_prob(TEXTS), second.log_prob(TEXTS))
    assert not any(weight.requires_grad for weight in first.parameters())


def test_frequencies_are_those_of_places_after_one_of_each_word():
    prior = Frequencies(2, 3)
    prior.learn(torch.tensor([[0, 1], [0, 1], [2, 1]]), 0)
    expected = torch.tensor([[3, 1, 2], [1, 4, 1]]) / 6
    assert torch.allclose(prior.log_shares.exp(), expected)


def test_a_word_is_told_by_those_before_it_alone():
    prior, some = learnt("autoregressive"), TEXTS[[5, 40]]
    changed = some.clone()
    changed[:, 2] = (changed[:, 2] + 1) % N_WORDS
    before, after = prior.log_prob(some), prior.log_prob(changed)
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2], after[:, 2])


def test_dependence_is_learnt_where_there_is_some():
    cost = {name: -learnt(name).log_prob(texts(seed=1)).sum(dim=1).mean().item() for name in PRIORS}
    assert cost["frequencies"] == pytest.approx(N_PLACES * math.log(N_WORDS), rel=0.02)
    assert cost["autoregressive"] == pytest.approx(math.log(N_WORDS), rel=0.1)


@pytest.mark.parametrize("n", [1, 2, 11])
def test_few_texts_are_enough(n):
    prior = Autoregressive(N_PLACES, N_WORDS).double()
    prior.learn(texts(n), 0, 20)
    assert prior.log_prob(TEXTS).dtype == torch.float64
    assert prior.log_prob(TEXTS).isfinite().all()


def test_no_more_passes_are_made_than_asked_for():
    prior = Autoregressive(N_PLACES, N_WORDS)
    prior.learn(texts(64), 0, 1)
    once = {name: weight.clone() for name, weight in prior.named_parameters()}
    start = dict(draw_weights(prior, 0).named_parameters())
    moved = max(float((once[name] - weight).abs().max()) for name, weight in start.items())
    assert 1e-3 < moved < 4e-3  # one step of Adam
