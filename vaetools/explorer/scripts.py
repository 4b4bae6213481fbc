"""Modules of JavaScript become one script, and the hash by which a page allows it and no other."""

import base64
import functools
import hashlib
import re
from pathlib import Path

_FOLDER = Path(__file__).with_name("page")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)


@functools.cache
def bundled(entry: str) -> str:
    """Return a module with all that it imports before it, as one script without imports and exports.

    All of them share one scope, in which every name has one meaning: a browser refuses a second.
    """
    order: dict[str, str] = {}

    def add(name: str) -> None:
        if name in order:
            return
        source = (_FOLDER / f"{name}.js").read_text(encoding="utf-8")
        for needed in _IMPORT.findall(source):
            add(needed)
        order[name] = re.sub(r"^export ", "", _IMPORT.sub("", source), flags=re.MULTILINE)

    add(entry)
    return "\n".join(order.values())


def content_hash(script: str) -> str:
    """Return the source expression of a content security policy that allows a script.

    Examples
    --------
    >>> content_hash("alert(1)")
    "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
