"""Several files as one table: the parts that Spark and others write, or files that are named together."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from vaetools.data.batches import Failure
from vaetools.data.blocks import Block
from vaetools.data.dialect import Dialect
from vaetools.data.kinds import Kind, learn_kinds
from vaetools.data.numerals import find_numerals, negatives_in_parentheses

_SAMPLED = 20  # files that say how numbers are written


class SeveralFiles:
    """Files with the same columns, in one order or another.

    Parameters
    ----------
    files : list of CsvFile or TypedFile
        Of one format.

    Attributes
    ----------
    path : str
        What they are called in messages.
    names : list of str
        Of the columns, as in the first file.
    dialect : Dialect or None
        That of the first file; each is read in its own, but numbers are written alike in all.
    n_rows : int or None
    group_rows : None
        Rows are not cut at row groups.
    typed : bool
    notes : list of str
        What else is to be said of the files.
    """

    group_rows = None

    def __init__(self, files: Sequence[Any]):
        first, *others = self._files = list(files)
        self.path = f"{first.path} and {len(others)} more"
        self.names, self.typed, self.dialect = first.names, first.typed, first.dialect
        self.notes = [f"{file.path}: {note}" for file in self._files for note in file.notes]
        for other in others:
            _check_alike(first, other)
        counts = [file.n_rows for file in files]
        self.n_rows = None if None in counts else sum(counts)

    def index_columns(self) -> list[tuple[str, str]]:
        """Return the columns that are an index, by name and in words."""
        return self._files[0].index_columns()

    def sample(self, features: list[str]) -> dict[str, Any]:
        """Return the first cells of features in the first file that has any."""
        return next(filter(None, (file.sample(features) for file in self._files)), {})

    def check_rows(self) -> None:
        """Raise if most of the first rows of a file do not fit its header."""
        for file in self._files:
            file.check_rows()

    def numerals(self, features: list[str]) -> Dialect | None:
        """Return the dialect with decimal and thousands as the first cells in all files have them."""
        if self.typed:
            return None
        samples = [file.sample(features) for file in islice(self._files, _SAMPLED)]
        columns = {name: _end_to_end([each[name] for each in samples if each]) for name in features}
        columns = columns if any(samples) else {}
        try:
            found = find_numerals(columns, self.dialect)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        self.notes += negatives_in_parentheses(columns, found)
        return found

    def set_aside(self, features: list[str], dialect: Dialect | None) -> list[Failure]:
        """Leave out files whose numbers are written in a way of their own, and return them as failures."""
        others = {} if dialect is None else {file: _own(file, features, dialect) for file in self._files}
        failed = [
            Failure(
                str(file.path),
                f"its numbers are written otherwise ({own.numbers_in_words}) than those of the other files "
                f"({dialect.numbers_in_words}): read it alone",
            )
            for file, own in others.items()
            if dialect is not None and own is not None
        ]
        self._files = [file for file in self._files if others.get(file) is None]
        return failed

    def not_numbers(self, features: list[str], dialect: Dialect | None) -> dict[str, str]:
        """Return the features that are not columns of numbers, with what they are."""
        if self.typed:
            return {
                name: what
                for file in self._files
                for name, what in file.not_numbers(features, dialect).items()
            }
        errors: list[ValueError] = []
        for file in self._files:
            try:
                return file.not_numbers(features, dialect)
            except ValueError as error:  # it has no rows, or is damaged
                errors.append(error)
        raise errors[0]

    def kinds(
        self, features: list[str], as_text: Collection[str], dialect: Dialect | None
    ) -> dict[str, Kind]:
        """Return what features are, in all files of text together, or by the types of the first file."""
        if dialect is None:
            return self._files[0].kinds(features, as_text, dialect)
        blocks = (block.features for block in self.blocks(features, ()) if block.features)
        return learn_kinds(blocks, features, as_text, dialect.written)

    def misfits(self, kinds: Mapping[str, Kind]) -> dict[str, str]:
        """Return the columns that are of another kind in some file, with the type of each."""
        return {name: what for file in self._files for name, what in file.misfits(kinds).items()}

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows of one file after the other; a file that is damaged within costs the rest of it."""
        for file in self._files:
            n_read = 0
            try:
                for block in file.blocks(features, beside, n_rows):
                    n_read += len(block.rows)
                    yield block._replace(file=str(file.path))
            except (OSError, ValueError) as error:
                reason = str(error).removeprefix(f"{file.path}: ").removesuffix(".")
                came = f"{reason}; {n_read:,} rows before that were read"
                yield Block(np.arange(0), [], [], [Failure(str(file.path), came)])

    def known(self, cells: Any) -> Any:
        """Return labels, null where one is missing."""
        return self._files[0].known(cells)

    def values(self, labels: Any) -> np.ndarray:
        """Return known labels."""
        return self._files[0].values(labels)


def _own(file: Any, features: list[str], dialect: Dialect) -> Dialect | None:
    """Return how a file writes its numbers if they are none in the dialect of all files; else None."""
    with contextlib.suppress(ValueError):  # damaged, which reading it tells
        if any(map(len, file.sample(features).values())):
            wrong = file.not_numbers(features, dialect)
            own = file.numerals(features) if wrong else dialect
            return own if wrong.keys() - file.not_numbers(features, own).keys() else None
    return None


def _end_to_end(columns: list) -> Any:
    """Return columns of text as one column."""
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())


def _check_alike(first: Any, other: Any) -> None:
    """Raise where two files have not the same columns, naming one that only one of them has."""
    for here, there in ((first, other), (other, first)):
        if lone := [name for name in here.names if name not in set(there.names)]:
            raise ValueError(
                f"{there.path}: files of one table must have the same columns; got no {lone[0]!r}, which "
                f"{here.path} has."
            )
