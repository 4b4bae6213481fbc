"""A template becomes a page: the one place where text from outside is made safe."""

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools.words import printable

if TYPE_CHECKING:
    from markupsafe import Markup


def render_template(name: str, *, package: str = "vaetools.report", **values: Any) -> str:
    """Return a page made of a template; a value that it asks for and does not get is an error.

    It lies in the folder ``page`` of a package, and may extend and include those of this folder.

    Every text but ``Markup`` is escaped for HTML and made `printable`, wherever it stands: no file name can
    add an element, turn the writing around, or keep the page from being encoded as UTF-8.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(each, "page") for each in (package, "vaetools.report")]),
        autoescape=True,
        finalize=lambda value: (
            printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = json_text
    return environment.get_template(name).render(**values)


def json_text(value: Any) -> "Markup":
    """Return JSON that cannot end the script element it stands in; arrays become typed arrays."""
    from markupsafe import Markup

    def typed(array: np.ndarray) -> dict[str, str]:  # as plotly writes one
        data = base64.b64encode(array.tobytes()).decode("ascii")
        return {"dtype": array.dtype.str.lstrip("<|"), "bdata": data}

    text = value if isinstance(value, str) else json.dumps(value, default=typed, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
