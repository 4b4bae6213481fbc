"""Files of tables that were changed at random: bytes, encodings, separators, quotes, huge cells."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import ipc

_HUGE = 2**21  # characters of a cell
_SPECIAL = [b"", b"\0", b"\n", b"\r", b'"', b'"' * 3, b",", b";", b"\t", b"|", b" ", b"#", b"sep=;\n"]
_SPECIAL += [b"\xff\xfe", b"\xf6", b"1,234", b"1.234,5", b"-", b"1e999", b"nan", b"\xe2\x80\xaf", b"9" * 400]
_ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"]


def text(rng: np.random.Generator) -> str:
    """Return a table as people write it."""
    n_rows, separator = int(rng.integers(0, 60)), str(rng.choice([",", ";", "\t", "|", " "]))
    mark = str(rng.choice([".", ",", "1.234,5", "1,234.5"]))
    n_columns = int(rng.choice([2, 5]))  # the first are numbers
    rows = [["a", "größe", "price, EUR", "when", "text"][:n_columns]]
    for i in range(n_rows):
        number = f"{rng.normal() * 10 ** rng.integers(0, 6):,.3f}" if len(mark) > 1 else f"{rng.normal():.3f}"
        if mark in (",", "1.234,5"):
            number = number.translate(str.maketrans(",.", ".,"))
        row = [number, str(i), f"2020-01-{i % 31 + 1:02}", "Köln", str(rng.choice(["", "NA", "x y"]))]
        rows.append(row[:n_columns])
    remarks = str(rng.choice(["", "# logger 7\n", f"sep={separator}\n", "Title\n\n"]))
    quote = '"' if rng.random() < 0.5 else ""
    lines = [separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
    return remarks + str(rng.choice(["\n", "\r\n", "\r"])).join(lines) + "\n"


def typed(suffix: str) -> bytes:
    """Return a table whose columns have types."""
    frame = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50), "c": ["x", "y"] * 25})
    file = io.BytesIO()
    if suffix == ".parquet":
        frame.to_parquet(file)
    else:
        table = pa.Table.from_pandas(frame)
        with ipc.new_file(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=20)
    return file.getvalue()


_PACK: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.xz": lambda content: lzma.compress(content, preset=0),
    ".csv.zst": lambda content: pa.compress(content, "zstd", asbytes=True),
}


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Return content with some of its bytes changed, cut off, repeated, or others between them."""
    found = bytearray(content)
    for _ in range(rng.integers(0, 4)):
        place = int(rng.integers(0, len(found) + 1))
        match rng.integers(0, 6):
            case 0:
                found[place : place + 1] = rng.bytes(1)
            case 1:
                del found[place:]
            case 2:
                found[place:place] = _SPECIAL[rng.integers(len(_SPECIAL))]
            case 3:
                del found[place : place + int(rng.integers(1, 20))]
            case 4:
                found[place:place] = found[place : place + 200] * int(rng.integers(1, 20))
            case _:
                old, new = (_SPECIAL[rng.integers(2, 12)] for _ in range(2))
                found = bytearray(bytes(found).replace(old, new))
    if rng.random() < 0.02:
        place = int(rng.integers(0, len(found) + 1))
        found[place:place] = bytes(rng.choice([b"x", b"1", b",", b'"', b"\n", b"1,", b"\xc3\xb6"])) * _HUGE
    return bytes(found)


def write_mutated(folder: Path, seed: int) -> Path:
    """Write the file of a seed, and return its path."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.15:
        suffix = str(rng.choice([".parquet", ".arrow"]))
        content = damaged(typed(suffix), rng)
    else:
        suffix = str(rng.choice(list(_PACK), p=[0.8, 0.05, 0.05, 0.05, 0.05]))
        written = text(rng).encode(str(rng.choice(_ENCODINGS)), errors="replace")
        content = _PACK[suffix](damaged(written, rng))
        if suffix != ".csv" and rng.random() < 0.5:
            content = damaged(content, rng)
    path = folder / f"mutated{suffix}"
    path.write_bytes(content)
    return path
