"""The page in a notebook whose kernel knows what is selected there."""

import importlib.util
from pathlib import Path
from typing import Any

_MODULE = Path(__file__).with_name("page") / "widget.js"


def make_widget(page: str, sandbox: str, frame: str) -> Any:
    """Return a widget that shows a page in a frame, or None where anywidget is not installed.

    Its ``selection`` are numbers of rows, the same in the page and in Python.
    """
    if importlib.util.find_spec("anywidget") is None:
        return None
    import anywidget
    import traitlets

    class ExplorerWidget(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]  # unused without it
        """A page, and what is selected in it."""

        _esm = _MODULE.read_text(encoding="utf-8")
        page = traitlets.Unicode().tag(sync=True)
        sandbox = traitlets.Unicode().tag(sync=True)
        frame = traitlets.Unicode().tag(sync=True)
        selection = traitlets.List(traitlets.Int()).tag(sync=True)

    return ExplorerWidget(page=page, sandbox=sandbox, frame=frame)
