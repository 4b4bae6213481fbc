"""Constructors that are made of fields behave as if they had been written by hand."""

import dataclasses
import inspect

import pytest
from sklearn.base import clone

from vaetools import AE, CVAE, VAE, VQVAE

FIRST = ["n_components", "hidden_layer_sizes", "hidden_channels", "image_shape", "activation", "likelihood"]
ROWS = [[0.0], [1.0], [2.0]] * 40
KL = ["beta", "kl_warmup"]


class Sparse(VAE):
    """A subclass with a parameter of its own, as users write them."""

    def __init__(self, n_components=3, *, sparsity=0.5, beta=2.0):
        super().__init__(n_components, beta=beta)
        self.sparsity = sparsity


@pytest.mark.parametrize(
    ("cls", "between"),
    [
        (AE, []),
        (VAE, KL),
        (CVAE, ["conditioning", "condition_encoder", "context", *KL]),
        (VQVAE, ["n_words", "word_size", "prior"]),
    ],
)
def test_signatures_keep_the_order_of_the_fields(cls, between):
    signature = inspect.signature(cls)
    names = list(signature.parameters)
    assert names[:8] == [*FIRST, "column_likelihoods", "network"]
    assert names[8 : names.index("added_loss")] == between
    assert names[-1] == "verbose"
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    assert kinds.pop("n_components") == inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert set(kinds.values()) == {inspect.Parameter.KEYWORD_ONLY}


def test_defaults_are_of_the_constructor_not_of_the_class():
    assert VAE().beta == 1.0
    assert not hasattr(VAE, "beta")


def test_a_subclass_may_have_parameters_of_its_own():
    sparse = clone(Sparse(2, sparsity=0.1))
    assert sparse.get_params() == {"n_components": 2, "sparsity": 0.1, "beta": 2.0}
    sparse.max_iter = 1
    assert sparse.fit(ROWS).transform([[1.0]]).shape == (1, 2)
    with pytest.raises(ValueError, match=r"Sparse: beta must be a number at least 0; got -1\.$"):
        sparse.set_params(beta=-1).fit(ROWS)


def test_a_subclass_may_have_fields_of_its_own():
    @dataclasses.dataclass(eq=False, repr=False)
    class Named(AE):
        label: str = "none"

    named = Named(2, "a", max_iter=1).fit(ROWS)
    assert named.get_params()["label"] == "a"
    assert list(inspect.signature(Named).parameters)[:2] == ["n_components", "label"]
