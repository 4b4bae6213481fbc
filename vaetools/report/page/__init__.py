"""A template becomes a page: the one place where text from outside is made safe."""

from __future__ import annotations

from typing import Any

from vaetools.words import printable


def render_template(name: str, **values: Any) -> str:
    """Return a page made of a template of this folder.

    Parameters
    ----------
    name : str
        File name of the template.
    **values : object
        What the template shows. Every text but ``Markup`` is escaped for HTML and made `printable`,
        wherever it stands: no file name can add an element, turn the writing around, or keep the
        page from being encoded as UTF-8.

    Returns
    -------
    page : str
        HTML; a value that the template asks for and does not get is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("vaetools.report.page", ""),
        autoescape=True,
        finalize=lambda value: (
            printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(**values)
