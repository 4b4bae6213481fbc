"""Constructors made of fields, which write their documentation and the errors of `fit`, too."""

import dataclasses
import re
import textwrap
from typing import Any, TypeVar, dataclass_transform

from vaetools.checks import Requirement, check
from vaetools.words import did_you_mean

_Class = TypeVar("_Class")
_AFTER_FIT = ("score_precision", "device", "random_state", "verbose")  # parameters that fit does not settle
_BUILT = {  # of these a model is made
    *("n_components", "hidden_layer_sizes", "hidden_channels", "image_shape", "activation", "likelihood"),
    *("column_likelihoods", "network", "conditioning", "condition_encoder", "n_words", "word_size", "prior"),
    *("standardize", "contamination", "added_loss", "added_weight"),
}
_ATTRIBUTES = """\
model_ : torch.nn.Module
    Network and likelihood.
input_scale_ : InputScale
    How columns are scaled: ``kind``, ``shift``, ``scale``.
columns_ : Columns or None
    With ``likelihood="mixed"``: kind, categories and type of every column.
offset_ : float
    Threshold of the score: ``decision_function = score_samples - offset_``.
calibration_scores_ : ndarray of shape (n_calibration,)
    Scores of the rows that calibrate, by a model that did not see them, sorted; absent if none do.
calibration_ : str
    ``"split"`` if these were held out, ``"cross"`` if all rows train and calibrate; absent if none do.
heat_range_ : ndarray of shape (2,)
    Surprise of a pixel, in nats, that heat maps show as 0 and as 1; absent if rows are not images.
    From the rows that calibrate, or where there are none, from those that trained.
structure_range_ : ndarray of shape (2,)
    The same of what a place adds to the question ``structure``, with ``anomaly_score="images"``, or of how
    unlike its reconstruction a pixel looks, with ``"perceptual"``; absent with others.
history_ : DataFrame of shape (n_epochs, n_columns)
    Per epoch: loss, its parts in nats per row (an added loss is none), beta, learning rate.
n_iter_ : int
    Epochs that ran.
max_iter_ : int
    Epochs that were planned: more than ran where training stopped early or was interrupted.
mean_terms_ : DataFrame of shape (2, 2)
    Mean reconstruction and KL in nats, of training and of held-out rows (about 2,000 of each).
kl_per_component_ : ndarray of shape (n_components,)
    Mean KL of every latent dimension over training rows, in nats.
active_units_ : ndarray of shape (n_components,), bool
    Latent dimensions whose mean varies over training rows by more than 0.01, and, where the posterior has a
    spread, whose KL is above 0.1 nats.
suspects_ : ndarray of shape (n_suspects,), int
    Rows of X that trained nothing, as the least like the others, the most suspect first.
code_range_ : ndarray of shape (2, n_components)
    Least and greatest training code of every dimension.
reference_codes_ : ndarray of shape (n_reference, n_components), float32
    Codes of at most 10,000 training rows, as ``transform`` returns them.
tail_ : float or None
    Degrees of freedom of Student's t, by which ``likelihood="gaussian"`` judges standardized rows: squared
    errors train, and in use a value far out costs the logarithm of its distance, and an encoder sees it
    drawn in. None for images, other likelihoods and weights that are used as they are, ``max_iter=0``.
n_samples_ : int
    Rows that were given to learn from.
n_marked_odd_ : int
    How many of them ``marks`` called odd, which neither train nor calibrate; absent where none was.
kept_rows_ : dict
    Of `partial_fit`: at most 20,000 rows that trained, 2,000 that calibrate and, of images whose training is
    watched, 2,000 that watch, with labels of a `CVAE` and weights that were told, and how many they were
    drawn from; absent after `fit`.
n_features_in_ : int
    Columns of X.
feature_names_in_ : ndarray of shape (n_features,)
    Names of the columns; absent if X had none.
column_labels_ : ndarray of shape (n_features,)
    Names that are no strings, as text; absent if X had none but numbers from 0."""


def parameter(requirement: Requirement, meaning: str, *, default: Any, kw_only: bool = True) -> Any:
    """Return the field of a parameter: what it must be, what it is for, and its default."""
    metadata = {"requirement": requirement, "meaning": meaning}
    return dataclasses.field(default=default, kw_only=kw_only, metadata=metadata)


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(parameter,))
def from_fields(cls: type[_Class]) -> type[_Class]:
    """Give a class a constructor of the fields that it and its ancestors have, and document these.

    Their order is that of the ancestors, from the most distant on.
    """
    made = dataclasses.dataclass(eq=False, repr=False, match_args=False)(cls)
    del made.__init__.__annotations__["return"]
    parameters: tuple[Any, ...] = dataclasses.fields(made)  # type: ignore[arg-type]
    for name in {each.name for each in parameters} & vars(made).keys():
        delattr(made, name)  # a default is of the constructor, not of the class
    text = made.__doc__ or ""  # absent under python -OO
    if "{parameters}" in text:
        filled = text.replace("    {parameters}", "\n".join(map(_in_words, parameters)))
        made.__doc__ = filled.replace("    {attributes}", textwrap.indent(_ATTRIBUTES, "    "))
    return made


def _in_words(field: Any) -> str:
    """Return a parameter as its documentation has it."""
    heading = f"    {field.name} : {field.metadata['requirement'].words}, default={field.default!r}"
    meaning = textwrap.wrap(field.metadata["meaning"], 95, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join([heading, *meaning])


def check_parameters(estimator: Any) -> None:
    """Raise where a parameter is not what it must be, naming owner, requirement and value."""
    for each in dataclasses.fields(estimator):
        value, requirement = getattr(estimator, each.name), each.metadata.get("requirement")
        if requirement is not None and not requirement.holds(value):  # none of fields that users add
            names = re.findall(r"'(\w+)'", requirement.words)
            meant = did_you_mean(value, names) if isinstance(value, str) else ""
            check(estimator, each.name, value, requirement, meant)


def keep_parameters(estimator: Any, *names: str) -> None:
    """Note the parameters that made a model what it is: all, or those that made what was made anew."""
    params = estimator.get_params(deep=False)
    before = getattr(estimator, "_fitted_with", {})
    estimator._fitted_with = before | {name: params[name] for name in names} if names else params


def check_unchanged(estimator: Any) -> None:
    """Raise where a parameter was set since `fit` that a model which goes on cannot change."""
    for name, value in getattr(estimator, "_fitted_with", {}).items():
        now = getattr(estimator, name)
        if name in _BUILT and spelled(now) != spelled(value):
            raise ValueError(
                f"{type(estimator).__name__}: {name} must stay {spelled(value)} where a model goes on; got "
                f"{spelled(now)}. Call fit to begin anew."
            )


def spelled(value: Any) -> str:
    """Return one text for values that mean the same: a list and a tuple, 1 and 1.0.

    Examples
    --------
    >>> import numpy as np
    >>> spelled([np.int64(8), 4.0]), spelled("mixed")
    ('(8, 4)', "'mixed'")
    """
    import numpy as np

    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(spelled, value))})"
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    return repr(value)


def parameters_in_force(estimator: Any) -> dict[str, Any]:
    """Return the parameters that made a model, and of today those that act after it is made."""
    kept = getattr(estimator, "_fitted_with", {})  # absent from a pickle of an older version
    today = estimator.get_params(deep=False).items()
    return {name: value if name in _AFTER_FIT else kept.get(name, value) for name, value in today}
