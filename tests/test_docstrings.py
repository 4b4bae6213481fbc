"""Public docstrings document every parameter and result, and no other."""

import inspect

import pytest
from numpydoc.validate import validate

import vaetools
from vaetools import AE, CVAE, VAE, VQVAE, LatentMap, Watch, plot

# missing docstring, summary or section; parameters undocumented, unknown, out of order, without type
CODES = {"GL08", "SS01", "PR01", "PR02", "PR03", "PR04", "RT01"}
FUNCTIONS = [
    "AE",
    "VAE",
    "CVAE",
    "VQVAE",
    "Tiles",
    "Gaussian",
    "EncoderDecoder",
    "ModelFileError",
    "save",
    "load",
]
FUNCTIONS += ["LatentMap", "recommend", "similar", "to_onnx", "score_with_ray", "Watch", "shifted_p_values"]
METHODS = [
    f"{cls.__name__}.{name}"
    for cls in (AE, VAE, CVAE, VQVAE, LatentMap, Watch)
    for name, method in inspect.getmembers(cls, inspect.isfunction)
    if not name.startswith("_") and method.__module__.startswith("vaetools")
]


ROOMS = [f"vaetools.plot.{name}" for name in plot.__all__] + ["vaetools.datasets.load_garments"]


@pytest.mark.parametrize("name", FUNCTIONS + METHODS + ROOMS)
def test_docstring(name):
    whole = name if name in ROOMS else f"{vaetools._HOMES[name.split('.')[0]]}.{name}"
    errors = [error for error in validate(whole)["errors"] if error[0] in CODES]
    assert errors == []


def test_placeholders_are_filled():
    for cls in (AE, VAE, CVAE, VQVAE):
        assert "{" not in cls.__doc__.split("Examples")[0]
        for name, value in cls().get_params().items():
            assert f"    {name} : " in cls.__doc__
            assert f"default={value!r}" in cls.__doc__
