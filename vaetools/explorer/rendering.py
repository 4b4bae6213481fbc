"""An explorer becomes one self-contained page."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from vaetools import __version__
from vaetools.report.figures import COLORS
from vaetools.report.page import json_text, render_template
from vaetools.report.page.scripts import bundled, content_hash
from vaetools.report.pictures import sprite
from vaetools.report.questions.neighbors import METHODS, classes
from vaetools.words import ABSENT, printable, shortened

if TYPE_CHECKING:
    from markupsafe import Markup

    from vaetools.explorer.explorer import Explorer
    from vaetools.explorer.given import GivenColumn

_SPRITE_BYTES = 4_000_000  # of all pictures
_LONGEST_NAME, _LONGEST_LABEL = 80, 40  # characters
_LARGEST_INK = 64  # pixels of the longer side of what may be a drawing: more are photographs
_KINDS = {"f2", "f4", "f8", "u1", "u2", "u4"}


def render(explorer: Explorer) -> str:
    """Return the page: HTML that fetches nothing, in which names, labels and columns are only text."""
    from markupsafe import Markup

    about, arrays = _contents(explorer)
    places, packed = pack(arrays)
    pictures = None
    if explorer.thumbnails is not None:
        pictures = sprite(explorer.thumbnails, _SPRITE_BYTES)
        assert explorer.image_shape is not None  # there are pictures of images alone
        channels, height, width = explorer.image_shape
        may_be_ink = channels == 1 and max(height, width) <= _LARGEST_INK
        about["pictures"] = {**pictures, "uri": "", "may_be_ink": may_be_ink}
    script = bundled("main", "vaetools.explorer")
    return render_template(
        "explorer.html",
        package="vaetools.explorer",
        n_rows=f"{len(explorer.names):,}",
        model=explorer.model,
        version=__version__,
        note=explorer.note,
        decodes=explorer.decoder is not None,
        about=json_text(about | {"arrays": places}),
        packed=packed,
        pictures=pictures,
        script=Markup(script),
        script_hash=Markup(content_hash(script)),
    )


def pack(arrays: dict[str, np.ndarray]) -> tuple[list[dict[str, Any]], Markup]:
    """Return where arrays lie, and all of them in one compressed text of base64."""
    from markupsafe import Markup

    places, pieces, offset = [], [], 0
    for name, array in arrays.items():
        kind = array.dtype.str[1:]
        assert kind in _KINDS, f"{name}: {kind}"
        data = np.ascontiguousarray(array).astype(f"<{kind}" if kind != "u1" else "u1").tobytes()
        places.append({"name": name, "kind": kind, "offset": offset, "length": array.size})
        padding = -len(data) % 8  # typed arrays start at multiples of their size
        pieces += [data, bytes(padding)]
        offset += len(data) + padding
    return places, Markup(base64.b64encode(gzip.compress(b"".join(pieces), 6, mtime=0)).decode("ascii"))


def _map_name(explorer: Explorer) -> str:
    """Return what the map is called: codes of few dimensions are only rotated, whatever was asked for."""
    if explorer.method == "latent":
        return "Latent dimensions"
    return METHODS["pca" if explorer.plane is not None else explorer.method]


def _label(name: Any) -> str:
    """Return a name as a line of a page has room for it."""
    return shortened(printable(str(name)), _LONGEST_LABEL)


def _given(column: GivenColumn) -> dict[str, Any]:
    """Return a column of a context, whose texts a page has room for."""
    return column._asdict() | {
        "name": _label(column.name),
        "categories": list(map(_label, column.categories)),
    }


def _contents(explorer: Explorer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return all that a page knows: what is text as JSON takes it, and arrays."""
    about: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for part in (_rows, _colorings, _space, _decoder):
        told, made = part(explorer)
        about |= told
        arrays |= made
    return about, arrays


def _rows(explorer: Explorer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what rows are called, where they lie, and what makes the flagged ones odd."""
    names = explorer.names.tolist()
    shown = {i: shortened(printable(name), _LONGEST_NAME) for i, name in enumerate(names)}
    arrays = {"names": np.frombuffer(json.dumps(names).encode(), np.uint8)}
    arrays |= {"places": explorer.places, "codes": explorer.codes}
    if explorer.flagged is not None:
        arrays["flagged"] = explorer.flagged.astype(np.uint8)
    shortened_names = {i: text for i, text in shown.items() if text != names[i]}
    return {"n": len(names), "shown": shortened_names}, arrays | explorer.reasons


def _colorings(explorer: Explorer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return labels and numbers to color rows by, some of which are columns of their table."""
    table, arrays = explorer.table, {}
    categories = {} if table is None else table.categories
    columns = {} if table is None else {name: i for i, name in enumerate(table.names.tolist())}

    def called(name: str) -> dict[str, Any]:
        return {"name": _label(name), "raw": name, "column": columns.get(name)}

    labels = []
    for i, (name, values) in enumerate(explorer.labels.items()):
        codes, texts = classes(values)
        arrays[f"label {i}"] = codes.astype(np.uint32)
        raw = [str(each) for each in np.unique(values)]
        labels.append(called(name) | {"texts": [text or ABSENT for text in texts], "raw_texts": raw})
    about = {
        "labels": labels,
        "numbers": list(map(called, explorer.numbers)),
        "unit": explorer.unit,
        "columns": list(map(_label, columns)),
        "categories": {i: list(map(_label, texts)) for i, texts in categories.items()},
        "whole": [] if table is None else table.whole,
        "colors": COLORS,
    }
    return about, arrays | {f"number {i}": values for i, values in enumerate(explorer.numbers.values())}


def _space(explorer: Explorer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return which space the map is of: its dimensions, its prior, and the plane if the map is one."""
    arrays = {"draws": explorer.draws}
    if explorer.plane is not None:
        center, axes = explorer.plane
        arrays |= {"center": center.astype(np.float64), "axes": axes.astype(np.float64)}
    about = {
        "model": explorer.model,
        "n_components": explorer.codes.shape[1],
        "method": _map_name(explorer),
        "in_use": explorer.in_use.tolist(),
        "n_draws": len(explorer.draws),
    }
    return about, arrays


def _decoder(explorer: Explorer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a code is decoded by, given what, and what comes of it."""
    about: dict[str, Any] = {
        "image_shape": explorer.image_shape,
        "span": explorer.span,
        "classes": list(map(_label, explorer.classes)),
        "class_prior": explorer.class_prior.tolist(),
        "given": list(map(_given, explorer.given)),
    }
    decoder, arrays = explorer.decoder, {}
    if decoder is not None:
        about |= {"steps": decoder.steps, "parts": decoder.parts, "place": decoder.place}
        arrays["weights"] = decoder.weights
        if decoder.scale is not None and decoder.shift is not None:
            arrays |= {"shift": decoder.shift, "scale": decoder.scale}
    return about, arrays
