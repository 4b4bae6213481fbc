"""Modules of JavaScript become one script, and the hash by which a page allows it and no other."""

import base64
import functools
import hashlib
import re
from importlib import resources
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "([./\w]+\.js)";\n', re.MULTILINE)


@functools.cache
def bundled(entry: str, package: str = "vaetools.report") -> str:
    """Return a module with all that it imports before it, as one script without imports and exports.

    It lies in the folder ``page`` of a package. All modules share one scope, in which every name has one
    meaning: a browser refuses a second.
    """
    order: dict[Path, str] = {}

    def add(path: Path) -> None:
        if path in order:
            return
        source = path.read_text(encoding="utf-8")
        for needed in _IMPORT.findall(source):
            add((path.parent / needed).resolve())
        order[path] = re.sub(r"^export ", "", _IMPORT.sub("", source), flags=re.MULTILINE)

    add(Path(str(resources.files(package))).resolve() / "page" / f"{entry}.js")
    return "\n".join(order.values())


def content_hash(script: str) -> str:
    """Return the source expression of a content security policy that allows a script.

    Examples
    --------
    >>> content_hash("alert(1)")
    "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
