"""Types that users see: a script that mypy checks strictly runs, and choices are those that are checked."""

import dataclasses
import functools
import inspect
import re
from typing import Any, Literal, get_args, get_origin, get_overloads, get_type_hints

import pytest
from PIL import Image
from plotly.graph_objects import Figure
from sklearn.pipeline import Pipeline

import vaetools
from tests.typed_script import main
from vaetools import AE, CVAE, VAE, VQVAE, LatentMap, PatchDetector, load, save
from vaetools.anomaly.scores import SCORES, AnomalyScore

ESTIMATORS = [AE, VAE, CVAE, VQVAE, PatchDetector]


@pytest.mark.filterwarnings("ignore:.*calibration rows", "ignore:.*the label is hardly used")
def test_the_script_of_a_user_who_checks_types_runs(tmp_path):
    main(tmp_path)


def literals(hint):
    """The choices that a type allows."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(literals, get_args(hint)))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: each.__name__)
def test_choices_for_type_checkers_are_those_of_the_requirement(estimator):
    found = {field.name: literals(field.type) for field in dataclasses.fields(estimator)}
    requirements = {field.name: field.metadata["requirement"] for field in dataclasses.fields(estimator)}
    for name, choices in found.items():
        if choices:
            assert choices == set(re.findall(r"'(\w+)'", requirements[name].words)), name
    assert sum(map(bool, found.values())) > (0 if estimator is PatchDetector else 10)


def test_every_score_is_a_choice():
    assert get_args(AnomalyScore) == tuple(SCORES)


def public_functions():
    """Functions, methods and properties that users call, by name; those of scikit-learn are its own."""
    for room in (vaetools, vaetools.plot, vaetools.datasets):
        for name in room.__all__:
            value = getattr(room, name)
            if inspect.isfunction(value):
                yield f"{room.__name__}.{name}", value
            elif inspect.isclass(value):
                yield from ((f"{name}.{method}", each) for method, each in public_methods(value))


def public_methods(kind):
    for name in dir(kind):
        home = next((each for each in kind.__mro__ if name in vars(each)), object)
        if name.startswith("_") or not home.__module__.startswith("vaetools"):
            continue
        value = vars(home)[name]
        match value:
            case property():
                yield name, value.fget
            case staticmethod() | classmethod():
                yield name, value.__func__
            case functools.cached_property():
                yield name, value.func
            case _ if inspect.isfunction(value):
                yield name, value


def has_any(hint):
    return hint is Any or any(map(has_any, hint if isinstance(hint, list) else get_args(hint)))


def test_nothing_public_returns_just_anything():
    late = {"Figure": Figure, "Image": Image}
    found = dict(public_functions())
    for name, function in found.items():
        for each in get_overloads(function) or [inspect.unwrap(function)]:
            returned = get_type_hints(each, localns=late).get("return", Any)
            assert not has_any(returned), (name, returned)
    assert {"vaetools.load", "VAE.transform", "Watch.since", "vaetools.plot.codes"} <= set(found)
    assert has_any(get_type_hints(loosely)["return"])


def loosely() -> dict[str, list[Any]]: ...


def test_a_model_of_another_kind_is_refused(order_rows, tmp_path):
    path = tmp_path / "model.safetensors"
    save(VAE(max_iter=1, random_state=0).fit(order_rows), path)
    assert type(load(path, VAE)) is VAE
    words = r"load: kind must be VAE, which .*model.safetensors holds; got CVAE. Pass VAE or nothing\.$"
    with pytest.raises(TypeError, match=words):
        load(path, CVAE)
    for kind in ("VAE", (VAE, AE)):
        with pytest.raises(TypeError, match=r"load: kind must be a class or None; got .* here VAE\.$"):
            load(path, kind)


def test_a_conditional_model_is_one_of_its_class_too(iris, tmp_path):
    path = tmp_path / "model.safetensors"
    save(CVAE(max_iter=0, contamination=0.1, random_state=0).fit(*iris), path)
    assert type(load(path, VAE)) is CVAE


def test_a_pipeline_is_asked_for_as_one(order_rows, tmp_path):
    path = tmp_path / "model.safetensors"
    pipeline = Pipeline([("codes", AE(2, max_iter=1, random_state=0)), ("map", LatentMap(method="pca"))])
    save(pipeline.fit(order_rows), path)
    assert type(load(path, Pipeline)) is Pipeline
    with pytest.raises(TypeError, match=r"must be Pipeline, .* got AE. .* The model is one of its steps"):
        load(path, AE)


@pytest.fixture
def order_rows(iris):
    return iris[0]
