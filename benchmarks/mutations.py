"""Files of models and checkpoints that were changed at random, with a checksum that is right again."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

Header = dict[str, Any]
Arrays = dict[str, np.ndarray]

_DELETED = object()
_LIES: list[Any] = [
    _DELETED,
    None,
    True,
    False,
    0,
    1,
    2,
    -1,
    3.5,
    10**9,
    2**62,
    2**70,
    10**400,
    math.nan,
    math.inf,
    -math.inf,
    1e308,
    "",
    "auto",
    "x",
    "cuda:abc",
    "xpu:0",
    "cpu:x",
    "auto:1",
    "cuda:99",
    "meta",
    "\x1b[2J\u202e" * 50,
    [],
    {},
    [[]],
    [1, 2, 3],
    [-1, 0, 10**12],
    [10**6] * 3,
    [8] * 5000,
    {"array": "x"},
    {"array": "model_.log_unit"},
    {"tuple": [1, 2]},
    {"tuple": [16] * 3000},
    {"dict": {}},
    {"dict": [[[], 1]]},
    {"strings": ["a", "a"], "dtype": "str"},
    {"strings": [1], "dtype": "object"},
    {"network": "N"},
    {"likelihood": "Gaussian", "options": {"scale": 1e-300}},
    {"likelihood": "Gaussian", "options": {"scale": "predicted", "floor": 1e308}},
    {"likelihood": "Bernoulli", "options": {}},
    {"table": {}, "index": [], "dtypes": {}},
]


def mutated(rng: np.random.Generator, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    """Return header and arrays with one to three changes."""
    header, arrays = copy.deepcopy(header), dict(arrays)
    for _ in range(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1])):
        if arrays and rng.random() < 0.4:
            _change_an_array(rng, arrays)
        else:
            _change_a_value(rng, header)
    return header, arrays


def write(path: Path, header: Header, arrays: Arrays, claim: Callable[[dict], None] | None = None) -> None:
    """Write a file that may claim anything, with the checksum of what it says."""
    data = save({name: np.asarray(array, order="C") for name, array in arrays.items()})
    size = int.from_bytes(data[:8], "little")
    entries, values = json.loads(data[8 : 8 + size]), data[8 + size :]
    entries["__metadata__"] = {"vaetools": json.dumps(header)}
    if claim is not None:
        claim(entries)
    canonical = json.dumps(entries, sort_keys=True).encode()
    entries["__metadata__"]["sha256"] = hashlib.sha256(canonical + values).hexdigest()
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + values)


def false_claim(rng: np.random.Generator) -> Callable[[dict], None]:
    """Return a change of what a file says of the type, shape or place of one of its arrays."""

    def claim(entries: dict) -> None:
        names = sorted(entries.keys() - {"__metadata__"})
        entry = entries[names[rng.integers(len(names))]]
        entry.update(
            [
                {"shape": [2**40]},
                {"shape": [0]},
                {"shape": [-1]},
                {"dtype": "BF16"},
                {"dtype": "F8_E4M3"},
                {"dtype": "I64"},
                {"data_offsets": [0, 2**50]},
                {"data_offsets": [8, 0]},
            ][rng.integers(8)]
        )

    return claim


def _places(value: Any, way: tuple = ()) -> Iterator[tuple]:
    """Yield every place in nested JSON but the whole."""
    if way:
        yield way
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in inside:
        yield from _places(child, (*way, key))


def _at(value: Any, way: tuple) -> Any:
    for key in way:
        value = value[key]
    return value


def _change_a_value(rng: np.random.Generator, header: Header) -> None:
    """Replace, delete, swap, repeat, shift or nest a value somewhere in a header."""
    ways = list(_places(header))
    if not ways:
        return
    # a place at every depth is as likely as another, or else long tables get all the changes
    depth = rng.choice(sorted({len(way) for way in ways}))
    deep = [way for way in ways if len(way) == depth]
    *way, last = deep[rng.integers(len(deep))]
    inside, found = _at(header, tuple(way)), _at(header, (*way, last))
    other = _at(header, ways[rng.integers(len(ways))])
    numbers = [found * 2, -found, found + 1, found * 10**9] if type(found) in (int, float) else []
    lists = [found[:-1], found * 2, found[::-1]] if isinstance(found, list) else []
    nested: list[Any] = [[found]]
    for _ in range(int(rng.integers(1, 60))):
        nested = [nested]
    choices = [*_LIES, *(4 * [*numbers, *lists]), copy.deepcopy(other), nested]
    new = choices[rng.integers(len(choices))]
    if new is _DELETED:
        del inside[last]
    else:
        inside[last] = copy.deepcopy(new)


def _change_an_array(rng: np.random.Generator, arrays: Arrays) -> None:
    """Change type, shape or numbers of one of some arrays, drop it, or give it the name of another."""
    names = sorted(arrays)
    name = names[rng.integers(len(names))]
    array = arrays[name]
    changes = [
        lambda: array.reshape(-1),
        lambda: array[None],
        lambda: array[:-1] if array.ndim else array[None],
        lambda: np.concatenate([array, array]) if array.ndim else array[None],
        lambda: array[:0] if array.ndim else array.reshape(1)[:0],
        lambda: array.T,
        lambda: array[::-1] if array.ndim else -array,
        lambda: array.astype(np.float16),
        lambda: array.astype(np.float32),
        lambda: array.astype(np.int64),
        lambda: array.astype(bool),
        lambda: np.zeros_like(array),
        lambda: _with(rng, array, np.nan),
        lambda: _with(rng, array, np.inf),
        lambda: _with(rng, array, -np.inf),
        lambda: _with(rng, array, -1),
        lambda: _with(rng, array, 1e300),
        lambda: _with(rng, array, 0),
        lambda: np.full_like(array, 3e38) if array.dtype.kind == "f" else array,
        lambda: arrays[names[rng.integers(len(names))]],
    ]
    which = rng.integers(len(changes) + 1)
    if which == len(changes):
        del arrays[name]
        return
    with np.errstate(all="ignore"):
        arrays[name] = changes[which]()


def _with(rng: np.random.Generator, array: np.ndarray, value: float) -> np.ndarray:
    """Return a copy of numbers in which one is another."""
    if array.dtype.kind != "f" or not array.size:
        return array
    changed = array.copy()
    changed.reshape(-1)[rng.integers(array.size)] = value
    return changed
