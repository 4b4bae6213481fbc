"""Parameters of a conditional estimator alone: what it is told of rows, and how."""

from typing import Any, Literal

from vaetools.checks import FLAG, Requirement, is_integer, one_of, or_none
from vaetools.estimators.constructor import from_fields, parameter
from vaetools.estimators.fields import NetworkFields
from vaetools.nn import CONDITIONINGS

_CONTEXT = or_none(
    Requirement(
        "a list of columns of X, each once",
        lambda value: (
            isinstance(value, (list, tuple))
            and all(isinstance(name, str) or is_integer(name) for name in value)
            and 0 < len(set(value)) == len(value)
        ),
    )
)


@from_fields
class LabelFields(NetworkFields):
    """Parameters of a conditional estimator alone."""

    conditioning: Literal["concat", "add", "multiply"] = parameter(
        one_of(*CONDITIONINGS),
        'How the label joins the code: ``"concat"`` appends it one-hot, ``"add"`` adds a rectified linear '
        'projection of it, ``"multiply"`` multiplies by one plus such a projection. An added label is used '
        "least.",
        default="concat",
    )
    condition_encoder: bool = parameter(FLAG, "Whether the encoder sees the label too.", default=True)
    context: list[Any] | None = parameter(
        _CONTEXT,
        "Columns of X that rows are judged given and that are not judged themselves, by name (of an array: "
        "by position). Nothing is told in y then, and labels there are ignored. See ``docs/contexts.md``.",
        default=None,
    )
