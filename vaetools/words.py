"""Words and numbers that every room says alike, for a sentence or a terminal."""

import functools
import math
import sys
import textwrap
import unicodedata
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ABSENT = "–"
SITE = ""  # address of the docs, once they have one
_LARGE = 1e12  # numbers from here on have an exponent
# controls, format characters (among them every change of direction), lone surrogates, line and
# paragraph separators: they move a cursor, reorder or hide what stands beside them, or have no UTF-8
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# whose code stands between a warning and who asked for the work
_BETWEEN = ("vaetools", "sklearn", "joblib", "torch")
_JOINERS = "\u200c\u200d"  # Persian words and many emoji are spelled with them


def number(value: float | None, digits: int) -> str:
    """Return a number with a proper minus sign, or a dash where there is none."""
    if value is None:
        return ABSENT
    style = "e" if _LARGE <= abs(value) < math.inf else "f"
    return f"{value:z.{digits}{style}}".replace("-", "−")


def percent(share: float | None) -> str:
    """Return a share in percent, or a dash where there is none."""
    return ABSENT if share is None else f"{100 * share:.1f} %"


def file_size(n_bytes: int) -> str:
    """Return a file size in kB or MB.

    Examples
    --------
    >>> file_size(1_500), file_size(2_000_000_000)
    ('1.5 kB', '2,000.0 MB')
    """
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"


def counted(n: int, noun: str) -> str:
    """Return how many there are of something.

    Examples
    --------
    >>> counted(1, "row"), counted(1000, "image")
    ('1 row', '1,000 images')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def about(n: float) -> str:
    """Return how many are expected of something.

    Examples
    --------
    >>> about(0.95), about(1.4), about(1234.5)
    ('fewer than 1', 'about 1', 'about 1,234')
    """
    return f"about {round(n):,}" if n >= 1 else "fewer than 1"


def duration(seconds: float) -> str:
    """Return a time to wait for, roughly.

    Examples
    --------
    >>> [duration(seconds) for seconds in (8, 70, 500, 9000)]
    ['less than a minute', 'about 2 minutes', 'about 9 minutes', 'about 2.5 hours']
    """
    if seconds < 50:
        return "less than a minute"
    if seconds < 5400:
        return f"about {counted(math.ceil(seconds / 60), 'minute')}"
    return f"about {seconds / 3600:.1f} hours"


def few(texts: Iterable[str], most: int = 5, *, gap: str = " ") -> str:
    """Return the first of some texts, and how many more there are behind a gap.

    Examples
    --------
    >>> few(["a", "b"], 2), few(["a", "b", "c"], 2), few("abc", 1, gap=" … ")
    ('a, b', 'a, b and 1 more', 'a … and 2 more')
    """
    texts = list(texts)
    shown, more = ", ".join(texts[:most]), len(texts) - most
    return f"{shown}{gap}and {more:,} more" if more > 0 else shown


def joined(texts: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def see(page: str) -> str:
    """Return where the docs say more of what an error is about, as a sentence.

    Examples
    --------
    >>> see("promises.md#few-rows")
    'See docs/promises.md#few-rows.'
    """
    return f"See {SITE}/docs/{page.replace('.md', '.html')}." if SITE else f"See docs/{page}."


def warn(words: str, kind: type[Warning] = UserWarning) -> None:
    """Warn at the line that called the package, however deep in it this is."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(words, kind, stacklevel=level)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word most like a given one, if one is like it; else nothing.

    Examples
    --------
    >>> did_you_mean("scroe", ["fit", "score"]), did_you_mean("x", ["fit", "score"])
    (" Did you mean 'score'?", '')
    """
    import difflib  # late: what is rarely said delays no command

    like = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {like[0]!r}?" if like else ""


def shortened(text: str, limit: int, *, lost: str = "middle") -> str:
    """Return a text of at most so many characters: what is too long loses its start, middle or end.

    Examples
    --------
    >>> shortened("photos/2024/holidays/cat.png", 16)
    'photos/…/cat.png'
    >>> [shortened("photos/cat.png", 8, lost=lost) for lost in ("start", "end")]
    ['…cat.png', 'photos/…']
    """
    if len(text) <= limit:
        return text
    kept = {"start": 0, "middle": limit // 2 - 1, "end": limit - 1}[lost]
    return text[:kept] + "…" + text[len(text) - (limit - 1 - kept) :]


def printable(text: str) -> str:
    r"""Return a text of unknown origin, such as a file name, as one line that shows all it holds.

    Line breaks, terminal controls, marks that turn the direction of writing around, and bytes that are not
    UTF-8 become backslash escapes. Backslashes stay, so this is for reading, not for finding the file again.

    Examples
    --------
    >>> print(printable("caf\udce9/two\nlines \x1b[31m\u202egnp.exe"))
    caf\xe9/two\nlines \x1b[31m\u202egnp.exe
    """
    if text.isprintable():  # most are, and some are megabytes long
        return text
    return "".join(
        _escape(character)
        if unicodedata.category(character) in _UNPRINTABLE and character not in _JOINERS
        else character
        for character in text
    )


def _escape(character: str) -> str:
    """Return the backslash escape of a character, and of a byte that was not UTF-8."""
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps such a byte
        return f"\\x{code - 0xDC00:02x}"
    if 0x80 <= code <= 0xFF:  # a character, not a byte
        return f"\\u{code:04x}"
    return character.encode("unicode_escape").decode("ascii")


def readable(text: Any) -> Any:
    r"""Return a path that any reader of UTF-8 and of CSV can take; all that it can stays as it is.

    Bytes that are not UTF-8 become \\xNN, and a carriage return, which ends a line for some, \\r.
    """
    if not isinstance(text, str):
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\r", "\\r")


def text_facts(facts: Mapping[str, str], *, width: int = 100) -> str:
    """Return named facts in two columns; what is empty is left out, and what is long is wrapped.

    Examples
    --------
    >>> print(text_facts({"Data": "100 images", "Labels": "", "Values": "0 to 255"}))
    Data    100 images
    Values  0 to 255
    """
    indent = 2 + max(len(name) for name, fact in facts.items() if fact)
    wrap = functools.partial(
        textwrap.fill, width=width, subsequent_indent=" " * indent, break_on_hyphens=False
    )
    rows = ((name, fact) for name, fact in facts.items() if fact)
    return "\n".join(wrap(printable(fact), initial_indent=f"{name:{indent}}") for name, fact in rows)


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]], alignments: Sequence[str]) -> str:
    """Return a table with a rule below its headings, and columns aligned to the left ("<") or right (">").

    Examples
    --------
    >>> print(text_table(["file", "score"], [["a.png", "−1.50"], ["b.png", "20.25"]], "<>"))
    file   score
    ────────────
    a.png  −1.50
    b.png  20.25
    """
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        "  ".join(
            f"{cell:{alignment}{width}}"
            for cell, alignment, width in zip(line, alignments, widths, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([padded[0], "─" * max(map(len, padded)), *padded[1:]])


def floor_in_words(p_values: Iterable[float], n_calibration: int, noun: str = "row") -> str:
    """Return that several p-values are the least that calibration can give, if they are; else nothing.

    Examples
    --------
    >>> floor_in_words([0.05, 0.05, 0.5], 19)
    'p = 0.050 is the least that 19 calibration rows can give: rows that share it are ordered by score.'
    >>> floor_in_words([0.05, 0.1], 19)
    ''
    """
    least = 1 / (n_calibration + 1)
    n_least = sum(p <= least * 1.0001 for p in p_values)
    if n_least < 2:
        return ""
    return (
        f"p = {least:.{max(3, math.ceil(-math.log10(least)))}f} is the least that {n_calibration:,} "
        f"calibration {noun}s can give: {noun}s that share it are ordered by score."
    )


def is_lost_as_float(value: int) -> bool:
    """Return whether float64 holds an integer as another one.

    Examples
    --------
    >>> is_lost_as_float(2**53), is_lost_as_float(2**53 + 1), is_lost_as_float(2**60)
    (False, True, False)
    """
    return int(float(value)) != value


def equal_as_floats(owner: object, found: Mapping[Any, int]) -> str:
    """Return a warning of columns with integers beyond those that float64 tells apart, one of each.

    Examples
    --------
    >>> equal_as_floats("VAE", {"id": 2**53 + 1})[:58]
    'VAE: integers should lie within ±2^53, up to which float64'
    """
    columns = few(f"{name!r} ({value})" for name, value in found.items())
    return (
        f"{owner}: integers should lie within ±2^53, up to which float64 tells them apart; got column "
        f"{columns}, where different ones become equal. Such a column nearly always holds ids: drop "
        "it; of others subtract the least value first."
    )
