"""Which files are tables, and how each is opened."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from vaetools.data.addresses import Address
from vaetools.data.csv_files import CsvFile
from vaetools.data.dialect import Dialect
from vaetools.data.encodings import is_text
from vaetools.data.formats import archive
from vaetools.data.packed import PACKED
from vaetools.data.typed_files import ArrowFile, ExcelFile, ParquetFile

CSV, PARQUET, ARROW, EXCEL = "CSV", "Parquet", "Arrow", "Excel"
_FORMATS = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".data"), CSV),
    **dict.fromkeys((".parquet", ".pq"), PARQUET),
    **dict.fromkeys((".feather", ".arrow", ".ipc"), ARROW),
    **dict.fromkeys((".xlsx", ".xlsm"), EXCEL),
}
TEXT = {".txt", ".text", ".dat", ".asc", ".prn"}  # may hold notes, or rows
_PANDAS = {  # tables all the same, and what of pandas reads them
    ".json": "read_json(path)",
    ".jsonl": "read_json(path, lines=True)",
    ".ndjson": "read_json(path, lines=True)",
    ".xls": "read_excel(path)",
    ".ods": "read_excel(path)",
    ".orc": "read_orc(path)",
    ".dta": "read_stata(path)",
    ".sav": "read_spss(path)",
    ".sas7bdat": "read_sas(path)",
    ".h5": "read_hdf(path)",
    ".hdf5": "read_hdf(path)",
    ".pkl": "read_pickle(path)",
    ".pickle": "read_pickle(path)",
    ".xml": "read_xml(path)",
    ".html": "read_html(path)[0]",
}
_UNREAD = {extension: f"pandas: pandas.{how}.to_parquet(…)" for extension, how in _PANDAS.items()}
_UNREAD |= dict.fromkeys(
    (".db", ".sqlite", ".sqlite3"), "pandas: pandas.read_sql(query, connection).to_parquet(…)"
)
_UNREAD |= {".mat": "SciPy: scipy.io.loadmat(path)", ".avro": "what wrote it, to Parquet"}
_UNREAD |= dict.fromkeys((".rds", ".rda", ".rdata"), "R: write.csv(table, path, row.names = FALSE)")
_NOTES = {".json", ".xml", ".html", ".db", ".pkl", ".pickle"}  # beside parts they tell of these, or nothing
_WORKBOOKS = {".xls": b"\xd0\xcf\x11\xe0", ".xlsx": b"PK\3\4"}  # and how such a file begins
_HTML = re.compile(rb"<(!doctype html|html|table|meta|style)\b", re.IGNORECASE)
_DISGUISED = {
    ".xls": ("old Excel", f"Convert it with {_UNREAD['.xls']}"),
    ".xlsx": ("new Excel", "Rename it to .xlsx"),
    ".html": ("HTML", f"Convert it with {_UNREAD['.html']}"),
    ".csv": ("text", "Rename it to .csv"),
}
READ = "CSV (.csv, .tsv, .txt, .data, also as .gz, .bz2, .xz, .zst or .lz4), Parquet, Arrow or .xlsx"


def table_format(path: str | os.PathLike[str]) -> str | None:
    """Return the format of a table by its name, or None if it calls itself something else.

    Examples
    --------
    >>> [table_format(name) for name in ("a.CSV", "b.tsv.bz2", "c.feather", "d.png", "e.gz")]
    ['CSV', 'CSV', 'Arrow', None, None]
    """
    return _FORMATS.get(_extension(path))


def unread_table(path: str) -> str | None:
    """Return what to do with a table of a format that is not read, or None of another file.

    Examples
    --------
    >>> unread_table("rows.orc")[-68:]
    'got ORC. Convert it with pandas: pandas.read_orc(path).to_parquet(…)'
    """
    extension = _extension(path)
    if extension in _WORKBOOKS and (inside := _inside(path)) not in (None, extension):
        what, how = _DISGUISED[inside]
        return f"a table must be {READ}; got {what} that is called {extension[1:].upper()}. {how}"
    if extension not in _UNREAD:
        return None
    return f"a table must be {READ}; got {extension[1:].upper()}. Convert it with {_UNREAD[extension]}"


def unread_part(path: str) -> str | None:
    """Return why what lies beside the parts of a table is not read, if it holds rows; None of other files.

    Examples
    --------
    >>> unread_part("part-1.csv.zip"), unread_part("old.zip"), unread_part("schema.json")
    ('a zip archive, which is not read: unpack it, and name the folder or the file', None, None)
    """
    if reason := archive(path):
        return reason if table_format(os.path.splitext(path)[0]) else None
    return None if _extension(path) in _NOTES else unread_table(path)


def _inside(path: str) -> str | None:
    """Return the extension that a file of a program of spreadsheets should have by its content, if known."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        start = file.read(512)
    for extension, sign in _WORKBOOKS.items():
        if start.startswith(sign):
            return extension
    if _HTML.search(start):
        return ".html"
    return ".csv" if is_text(start) and start.strip() else None


def _extension(path: str | os.PathLike[str]) -> str:
    """Return the extension of a file, in front of that of what packed it."""
    stem, extension = os.path.splitext(os.fsdecode(path).lower())
    return os.path.splitext(stem)[1] if extension in PACKED else extension


def open_file(name: str, said: Dialect, groups: range | None = None) -> Any:
    """Open a table in the format that it is named after; anything else is CSV."""
    path = Path(name)
    match table_format(path):
        case "Parquet":
            return ParquetFile(name if isinstance(name, Address) else path, groups)
        case "Arrow":
            return ArrowFile(path)
        case "Excel":
            return ExcelFile(path)
        case _:
            return CsvFile(path, said)
