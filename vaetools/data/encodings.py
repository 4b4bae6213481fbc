"""Which encoding a text file is in: said, marked at its start, recognized, or UTF-8; never guessed."""

from __future__ import annotations

import codecs
import io
import os
import re

from vaetools.data.packed import open_unzipped

SAMPLE = 2**20  # bytes that are looked at
_FEWEST_PAIRS = 4  # that are recognized as UTF-16
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHERS = {  # what is no text, by its start
    b"PAR1": "it is Parquet; name it so, as *.parquet",
    b"ARROW1": "it is Arrow; name it so, as *.arrow",
    b"PK\3\4": "it is a zip archive, as Excel's workbooks are; name those *.xlsx, and unpack others",
    b"\x93NUMPY": "it is an array of NumPy; name it so, as *.npy",
    b"\xd0\xcf\x11\xe0": "it is an old workbook of Excel; save it as *.xlsx or CSV",
}
_ESCAPED = {0xDC00 + byte: 0x10FF00 + byte for byte in range(128, 256)}  # private: no text has them
ESCAPES = "[\U0010ff80-\U0010ffff]"  # for regular expressions


def find_encoding(path: str | os.PathLike[str], said: str | None = None) -> str:
    """Return the encoding of a text file, from its first million bytes.

    Parameters
    ----------
    path : str or PathLike
    said : str or None, default=None
        The encoding that it is in.

    Returns
    -------
    encoding : str
        As said; else UTF-16 or UTF-32 where a byte order mark says so, UTF-16 where every other byte is
        zero, and ``"utf-8"`` where this is what the bytes are.

    Raises
    ------
    ValueError
        If the file is in another encoding; the message names the first bytes that are not in it.
    """
    with open_unzipped(path) as file:
        start = file.read(SAMPLE)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if said is not None and not (marked and said.lower().replace("_", "-").startswith(marked)):
        encoding = said
    else:
        encoding = marked or _by_zeros(start) or "utf-8"
    is_other = b"\0" in start[: 2**16] and not encoding.lower().startswith(("utf-16", "utf-32", "utf_16"))
    if is_other:
        what = next(
            (words for sign, words in _OTHERS.items() if start.startswith(sign)), "it holds zero bytes"
        )
        raise ValueError(f"{path}: not a CSV file in {encoding.upper()}: {what}.")
    _check_text(path, start, encoding)
    return encoding


def is_rather_utf8(path: str | os.PathLike[str], said: str | None) -> bool:
    """Return whether a file that is said to be in another encoding holds more than ASCII, all of it UTF-8."""
    if said is None or codecs.lookup(said).name.startswith("utf"):
        return False
    with open_unzipped(path) as file:
        start = file.read(SAMPLE)
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(start).isascii()
    except UnicodeDecodeError:
        return False


def is_text(start: bytes) -> bool:
    """Return whether the start of a file is text: it holds no zero bytes, but those of UTF-16 and UTF-32."""
    return b"\0" not in start or start.startswith(tuple(_MARKS)) or _by_zeros(start) is not None


def open_text(path: str | os.PathLike[str], encoding: str) -> io.TextIOWrapper:
    """Open a file, unpacked if it is packed, as text, without a byte order mark.

    A byte that cannot be decoded becomes a lone surrogate, as `with_escapes` expects.
    """
    codec = "utf-8-sig" if re.fullmatch("utf[-_]?8", encoding, re.IGNORECASE) else encoding
    return io.TextIOWrapper(open_unzipped(path), encoding=codec, errors="surrogateescape")


def with_escapes(text: str) -> tuple[bytes, bool]:
    """Return a text in UTF-8, and whether some of it could not be decoded; that is in `ESCAPES` then."""
    try:
        return text.encode(), False
    except UnicodeEncodeError:
        return text.translate(_ESCAPED).encode(errors="replace"), True


def escaped_bytes(text: str) -> str:
    """Return the first bytes of a text that could not be decoded, as hexadecimal digits."""
    found = re.search(f"{ESCAPES}+", text)
    return "" if found is None else bytes(ord(each) & 0xFF for each in found[0][:4]).hex(" ")


def _by_zeros(start: bytes) -> str | None:
    """Return which UTF-16 it is if every other byte of Latin text is zero, or None."""
    pairs = len(start) // 2
    even, odd = (start[i : 2 * pairs : 2].count(0) for i in (0, 1))
    if pairs < _FEWEST_PAIRS:
        return None
    if odd > 0.5 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 * pairs and odd < 0.05 * pairs else None


def _check_text(path: str | os.PathLike[str], start: bytes, encoding: str) -> None:
    """Raise if the start of a file is not in an encoding, naming the bytes that are not."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError as error:
        wrong, line = start[error.start : error.end], start.count(b"\n", 0, error.start) + 1
        around = start[max(0, error.start - 12) : error.end + 12].split(b"\n")
        near = max(around, key=lambda piece: wrong in piece).decode("ascii", "replace")
        raise ValueError(
            f"{path}: its text must be {encoding.upper()}; got the bytes {wrong.hex(' ')} in line {line}, in "
            f"{near!r}. Say which encoding it is written in, such as encoding='cp1252'."
        ) from None
