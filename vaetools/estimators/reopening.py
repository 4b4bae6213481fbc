"""A model between training and use: settled for scores, opened again, or begun with weights of before."""

import copy
from typing import Any

import torch

from vaetools.estimators.building import put_together, resolve_dtype
from vaetools.nn.model import Autoencoder


def start_from(estimator: Any, before: dict[str, Any]) -> None:
    """Give a model that was built the weights of the one that an estimator had before."""
    owner, old, model = type(estimator).__name__, before["model_"], estimator.model_
    if estimator.calibration == "cross":
        raise ValueError(
            f"{owner}: warm_start goes on from weights that all rows made, and calibration='cross' needs "
            "models of some. Leave calibration at 'auto', which holds rows out then."
        )
    parameters = before.get("_fitted_with", {}), estimator.get_params(deep=False)
    known, here = (_told(*each) for each in zip((before, vars(estimator)), parameters, strict=True))
    for what in known:
        if known[what] != here[what]:
            raise ValueError(
                f"{owner}: warm_start needs the {what} of the fit before, {known[what]}; got {here[what]}. "
                "Set warm_start=False to begin anew."
            )
    own = {"log_unit", "log_label_prior"}  # of the rows, not of the weights
    weights = {name: weight for name, weight in old.state_dict().items() if name not in own}
    shapes = {name: weight.shape for name, weight in model.state_dict().items() if name not in own}
    if shapes != {name: weight.shape for name, weight in weights.items()}:
        raise ValueError(
            f"{owner}: warm_start needs the network of the fit before; got rows or parameters that make "
            "another. Set warm_start=False to begin anew."
        )
    model.load_state_dict(weights, strict=False)


def _told(learnt: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what the numbers that a network takes and gives stand for, and what its weights do not show."""
    context = learnt.get("context_")
    return {
        **{name: repr(parameters.get(name)) for name in ("activation", "likelihood")},
        "names of columns": _listed(learnt.get("feature_names_in_")),
        "scaling": learnt["input_scale_"].kind,
        "labels": _listed(learnt.get("classes_")),
        "columns": repr(learnt.get("columns_")),
        "context": repr(context and context.columns),
    }


def _listed(names: Any) -> Any:
    return None if names is None else names.tolist()


def reopen(estimator: Any) -> None:
    """Put a copy of a trained model into the precision of training, its weights free to move."""
    old = copy.deepcopy(estimator.model_)
    model = put_together(estimator, old.network, old.likelihood, old.latent, old.added)
    model.to(device=old.log_unit.device, dtype=torch.float32)
    model.likelihood.requires_grad_(True)
    given = estimator.network
    frozen = set() if given is None else {n for n, p in given.named_parameters() if not p.requires_grad}
    for name, weight in model.network.named_parameters():
        weight.requires_grad_(name not in frozen)
    estimator.model_ = model


def settle(estimator: Any) -> None:
    """Put a model into the precision of scores.

    Made anew, because what it was in may have rounded the constants that it holds beside the weights.
    """
    old = estimator.model_
    model = put_together(estimator, old.network, old.likelihood, old.latent, old.added)
    put(estimator, model, old.log_unit.device)


def put(estimator: Any, model: Autoencoder, device: torch.device) -> None:
    """Give an estimator a model that is trained, on a device and in the precision of scores."""
    dtype = resolve_dtype(estimator, device)
    estimator.model_ = model.to(device=device, dtype=dtype).eval().requires_grad_(False)
