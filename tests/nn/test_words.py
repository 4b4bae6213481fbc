"""A vocabulary against slow twins: nearest words, running means, revival, gradients, costs."""

import math

import numpy as np
import pytest
import torch

from vaetools.nn.words import Codebook

N_PLACES, N_WORDS, WORD_SIZE = 3, 5, 2


def book(**options):
    """A vocabulary whose words lie around the circle, all in use."""
    made = Codebook(N_PLACES, N_WORDS, WORD_SIZE, "frequencies").double()
    angles = torch.arange(N_WORDS) * 2 * math.pi / N_WORDS
    made.vectors.copy_(math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], dim=1))
    made.usage.fill_(1 / N_WORDS)
    return made.eval()


def said(n=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, N_PLACES * WORD_SIZE, dtype=torch.float64, generator=generator)


def at_places(codes):
    """The words of codes, ``(n_samples, n_places, word_size)``, each scaled to the length √2."""
    parts = codes.numpy().reshape(len(codes), WORD_SIZE, N_PLACES).transpose(0, 2, 1)
    return math.sqrt(2) * parts / np.linalg.norm(parts, axis=2, keepdims=True)


def nearest(parts, vectors):
    """Numbers of the nearest words."""
    return np.linalg.norm(parts[:, :, None] - vectors, axis=3).argmin(axis=2)


def test_a_code_is_the_nearest_words():
    made, x = book(), said()
    words = made(x)
    expected = nearest(at_places(x), made.vectors.numpy())
    assert np.array_equal(words.numbers, expected)
    assert torch.equal(words.mean, made.spell(words.numbers))
    assert torch.equal(words.draw(torch.randn_like(x)), words.mean)
    for place in range(N_PLACES):
        own = words.mean[:, [place, N_PLACES + place]]
        assert torch.equal(own, made.vectors[words.numbers[:, place]])


def test_the_length_of_what_is_said_does_not_count():
    made, x = book(), said()
    assert torch.equal(made(x).numbers, made(1000 * x).numbers)


def test_components_share_what_their_word_costs():
    made, x = book(), said()
    made.prior.learn(made(x).numbers, 0)
    words = made(x)
    assert torch.allclose(words.costs, -made.prior.log_prob(words.numbers))
    assert torch.allclose(words.kl.reshape(-1, WORD_SIZE, N_PLACES).sum(dim=1), words.costs)
    made.train()
    assert torch.allclose(made(x).kl.sum(dim=1), torch.tensor(N_PLACES * math.log(N_WORDS)).double())


def test_words_move_to_running_means_of_what_they_stand_for():
    made, x = book().train(), said(500)
    before, parts = made.vectors.numpy().copy(), at_places(x)
    numbers = nearest(parts, before)
    made(x)
    for number in range(N_WORDS):
        own = parts[numbers == number]
        share = len(own) / numbers.size
        usage = 0.99 / N_WORDS + 0.01 * share
        expected = (0.99 / N_WORDS * before[number] + 0.01 * share * own.mean(axis=0)) / usage
        np.testing.assert_allclose(made.vectors[number], expected, rtol=1e-12)
        assert made.usage[number].item() == pytest.approx(usage)


def test_gradients_pass_as_if_nothing_was_rounded():
    made, x = book().train(), said().requires_grad_()
    made(x).mean.square().sum().backward()
    rounded = x.grad.clone()
    x.grad = None
    parts = x.reshape(-1, WORD_SIZE, N_PLACES)
    scaled = math.sqrt(2) * parts / parts.norm(dim=1, keepdim=True)
    (2 * book()(x.detach()).mean.reshape_as(scaled) * scaled).sum().backward()
    assert torch.allclose(rounded, x.grad)


def test_a_dead_word_takes_the_place_of_what_is_farthest_from_its_own():
    made = book().train()
    made.vectors[3], made.usage[3] = 100.0, 0.0
    x = torch.zeros(50, N_PLACES * WORD_SIZE, dtype=torch.float64)
    x[:, :N_PLACES] = 1  # all on word 0, but one: at 36°, between the words 0 and 1
    x[7, 1], x[7, N_PLACES + 1] = math.cos(0.62), math.sin(0.62)
    before = made.vectors.clone()
    made(x)
    expected = math.sqrt(2) * torch.tensor([math.cos(0.62), math.sin(0.62)], dtype=torch.float64)
    assert torch.allclose(made.vectors[3], expected)
    assert torch.allclose(made.vectors[[2, 4]], before[[2, 4]])
    assert made.usage[3].item() == pytest.approx(0.02 / N_WORDS)


def test_an_empty_vocabulary_fills_from_the_first_rows():
    made = Codebook(N_PLACES, N_WORDS, WORD_SIZE, "frequencies").train()
    for seed in range(3):
        made(said(seed=seed).float())
    assert len(made.eval()(said(200).float()).numbers.unique()) == N_WORDS


def test_what_is_no_number_is_no_code():
    x = said(3)
    x[1, 0] = torch.nan
    words = book()(x)
    missing = words.mean.isnan()
    assert missing[1].tolist() == [True, False, False] * WORD_SIZE
    assert not missing[[0, 2]].any()
    assert words.kl.isfinite().all()
