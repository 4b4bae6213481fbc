"""The files of a table, one or several: parts in a folder, as Spark writes them, of a glob, or named."""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from vaetools.data.addresses import Address
from vaetools.data.batches import Block, Failure
from vaetools.data.cells import parsed_numbers
from vaetools.data.csv_files import CsvFile, first_line_must_name
from vaetools.data.dialect import NAMES, NUMBER, TEXT, Dialect, Kind, learn_kinds
from vaetools.data.formats import ARROW, EXCEL, NO_EXTENSION, PARQUET, TEXTS, Called
from vaetools.data.listing import Listing
from vaetools.data.numerals import find_numerals, is_number, negatives_in_parentheses, unclear_point
from vaetools.data.table_columns import advice, as_arrow_writes, find_dates, find_indices, is_index, places
from vaetools.data.typed_files import ArrowFile, ExcelFile, ParquetFile
from vaetools.words import few, warn

_SAMPLED = 20  # files that say how numbers are written


class TableFiles:
    """Files with the same columns, in one order or another.

    Of several, those that cannot be opened are listed as failed. Text in a folder of CSV that is not named as
    a table is a part, too, if it has the same columns.

    Parameters
    ----------
    listing : Listing
        Which files they are, and what is left out; what could not be read is added.
    said : Dialect
        What is known of how text is written.
    wanted : collection of str
        Columns as they are called elsewhere.
    groups : range or None, default=None
        Row groups of the one Parquet file; None is all.

    Attributes
    ----------
    path : Path or str
        What they are called in messages.
    names : list of str
        Of the columns, as in the first file.
    dialect : Dialect or None
        That of the first file; each is read in its own, but numbers are written alike in all.
    n_rows, group_rows, typed
        As of a `TypedFile`; rows of several are not cut at row groups.
    notes : list of str
        What else is to be said of the files, a sentence each.
    listing : Listing
        That one, without the paths.
    """

    def __init__(self, listing: Listing, said: Dialect, wanted: Collection[str], groups: range | None = None):
        self._said, self.listing = said, listing
        self._files: list[Any] = []
        errors: list[Exception] = []
        for path in listing.paths:
            try:
                kind, place = Called(path).table, Path(path)
                if kind == PARQUET:
                    self._files.append(ParquetFile(path if isinstance(path, Address) else place, groups))
                elif kind == ARROW:
                    self._files.append(ArrowFile(place))
                elif kind == EXCEL:
                    self._files.append(ExcelFile(place))
                else:
                    self._files.append(CsvFile(place, said))
            except (OSError, ValueError) as error:
                errors.append(error)
                self.listing.failed.append(Failure(path, str(error).removeprefix(f"{path}: ")))
        if not self._files:
            raise errors[0]
        self.listing.paths = []
        self._first = self._files[0]
        if not self._first.typed:
            self._add_texts()
        for file in self._files:
            if not file.typed:
                file.call_as(wanted)
                file.call_as(self._first.names)
        self._check_alike()
        self._are_several = len(self._files) > 1
        self.names, self.typed, self.dialect = self._first.names, self._first.typed, self._first.dialect
        self.path = (
            f"{self._first.path} and {len(self._files) - 1} more" if self._are_several else self._first.path
        )
        self.notes = [
            f"{file.path}: {note}" if self._are_several else note
            for file in self._files
            for note in file.notes
        ]
        counts = [file.n_rows for file in self._files]
        self.n_rows = None if None in counts else sum(counts)
        self.group_rows = None if self._are_several else self._first.group_rows

    def _add_texts(self) -> None:
        """Add the texts among what is left out that are tables with the same columns."""
        kinds = {*TEXTS, NO_EXTENSION}
        for path in [path for path, kind in self.listing.ignored.items() if kind in kinds]:
            with contextlib.suppress(OSError, ValueError):
                file = CsvFile(Path(path), self._said)
                if set(file.names) == set(self._first.names):
                    self._files.append(file)
                    del self.listing.ignored[path]

    def _check_alike(self) -> None:
        """Raise where a file has not the columns of the first, naming one that only one of them has."""
        for file in self._files[1:]:
            for here, there in ((self._first, file), (file, self._first)):
                if lone := [name for name in here.names if name not in set(there.names)]:
                    raise ValueError(
                        f"{there.path}: files of one table must have the same columns; got no {lone[0]!r}, "
                        f"which {here.path} has."
                    )

    def as_called(self, columns: Any, n_features: int | None) -> Any:
        """Return the columns that a model takes, as these files call them; None if it takes all."""
        if columns is None and n_features is not None and set(places(n_features)) <= set(self.names):
            return places(n_features)
        if columns is None or isinstance(columns, Mapping) or not self.typed:
            return columns
        return [name if name in self.names else as_arrow_writes(name) for name in columns]

    def check_names(self, columns: Iterable[str] | None, apart: Iterable[str]) -> None:
        """Raise if names are not unique, wanted ones are not among them, or they are numbers as of a row."""
        known, wanted = set(self.names), [*(columns or ()), *apart]
        are_known = self.names == places(len(self.names)) or (columns is not None and set(columns) <= known)
        if self._said.skipped is None and not (self.typed or are_known) and all(map(is_number, self.names)):
            raise ValueError(f"{self.path}: {first_line_must_name(self.names)}")
        if twice := [name for name, n in Counter(self.names).items() if n > 1 and not is_index(name)]:
            raise ValueError(
                f"{self.path}: names of columns must be unique; got {few(map(repr, twice))} more than once. "
                "Rename them, as pandas.read_csv(path) does; or if the names have several lines, join those: "
                "in pandas with table = pandas.read_csv(path, header=[0, 1]) as "
                "table.set_axis(table.columns.map('_'.join), axis=1)."
            )
        if missing := [name for name in dict.fromkeys(wanted) if name not in known]:
            alike = {name.strip().casefold(): f" (but {name!r})" for name in self.names}
            came = few(f"{name!r}{alike.get(name.strip().casefold(), '')}" for name in missing)
            columns = "is no column" if len(missing) == 1 else "are no columns"
            raise ValueError(
                f"{self.path}: there {columns} {came}. Its columns are {few(map(repr, self.names))}."
            )

    def choose_features(
        self, columns: Iterable[str] | None, apart: Collection[str], n_features: int | None
    ) -> tuple[list[str], list[str]]:
        """Return which columns are features, those that are known if any are, and what to say of indices.

        For a model that knows no names but takes so many columns, only what a file itself calls an index is
        one, where the others are as many.
        """
        if columns is not None:
            return list(columns), []
        for file in self._files:
            if not file.typed:
                file.check_rows()
        names = [name for name in self.names if name not in apart]
        own = {name: words for name, words in self._first.index_columns() if name in names}
        others = {name: self.names.index(name) for name in names if name not in own}
        found, notes = find_indices(others, self.sample(list(others)))
        indices = own | found
        features = [name for name in others if not is_index(name)]
        if len(features) != n_features:
            features = [name for name in features if name not in indices]
        if left_out := [words for name, words in indices.items() if name not in features]:
            notes = [f"Left out as an index: {'; '.join(left_out)}.", *notes]
        if features and n_features not in (None, len(features)):
            raise ValueError(
                f"{self.path}: rows must have {n_features} values; got {len(features)}: "
                f"{few(map(repr, features))}. The model knows no names of columns: keep only those of "
                "training, in their order; another that names rows can be the id column (--id)."
            )
        return features, notes

    def sample(self, features: list[str]) -> dict[str, Any]:
        """Return the first cells of features in the first file that has any."""
        return next(filter(None, (file.sample(features) for file in self._files)), {})

    def numerals(self, features: list[str]) -> Dialect | None:
        """Return the dialect with decimal and thousands as the first cells have them; others are left out.

        What a file alone leaves open, others with the same separator may tell. Files whose numbers are
        written in a way of their own have failed.
        """
        if self.dialect is None:
            return None
        samples = {file: cells for file in self._files[:_SAMPLED] if (cells := file.sample(features))}
        alike = _written_alike(samples) if len(samples) > 1 else list(samples)
        columns = {}
        for name in features if alike else ():
            chunks = [chunk for file in alike for chunk in samples[file][name].chunks]
            columns[name] = pa.chunked_array(chunks, pa.string())
        try:
            found = find_numerals(columns, alike[0].dialect if alike else self.dialect)
        except ValueError as error:
            raise ValueError(f"{self.path}: {error}") from None
        self.notes += negatives_in_parentheses(columns, found)
        if found.has_plain_numbers and (told := unclear_point(columns, self._said)):
            warn(f"{self.path}: {told}")
        if self._are_several:
            separators = {file.dialect.separator for file in alike}
            for file in list(self._files):
                may_follow = file.dialect.separator in separators
                if reason := _why_aside(file.sample(features), file.dialect, found, may_follow=may_follow):
                    self._files.remove(file)
                    self.listing.failed.append(Failure(str(file.path), reason))
        return found

    def kinds(
        self, features: list[str], as_text: Collection[str], dialect: Dialect | None
    ) -> dict[str, Kind]:
        """Return what features are: by all cells of text together, or by the types of the first file."""
        if dialect is None:
            known: dict[str, Kind] = self._first.kinds(features, as_text)
            return known
        blocks = (block.features for block in self.blocks(features, ()) if block.features)
        return learn_kinds(blocks, features, as_text, dialect.written)

    def check_kinds(
        self,
        features: list[str],
        kinds: Mapping[str, Kind] | None,
        dialect: Dialect | None,
        *,
        is_new: bool,
        by_position: bool,
    ) -> None:
        """Raise if columns are not what a new model can take, or what a model was trained on."""
        wrong: dict[str, str] = {}
        if kinds is not None:
            for file in self._files:
                wrong |= file.misfits(kinds) if file.typed else {}
        elif by_position or self.typed:
            wrong = self._not_numbers(features, dialect)
        if is_new:
            numbers = [name for name in features if kinds is None or kinds[name].type != TEXT]
            wrong = find_dates(self.sample([name for name in numbers if name not in wrong])) | wrong
        if not wrong:
            return
        if not is_new:
            wanted = dict.fromkeys(features, Kind(NUMBER)) if kinds is None else kinds
            came = {name: f"{what}, not {NAMES[wanted[name].type]}" for name, what in wrong.items()}
            must, do = "columns must be what they were in training", "Convert such a column first."
        elif kinds is not None:
            came, must = wrong, "features must be columns of numbers, booleans or text"
            do = advice(wrong, dialect) or "Drop such a column, or use it as labels or id."
        else:
            came, must = wrong, "features must be columns of numbers or booleans"
            do = advice(wrong, dialect) or (
                "Drop such a column, use it as labels or id, or choose likelihood='mixed', which takes text."
            )
        columns = few(f"{name!r} ({what})" for name, what in came.items())
        raise ValueError(f"{self.path}: {must}; got {columns}. {do}")

    def _not_numbers(self, features: list[str], dialect: Dialect | None) -> dict[str, str]:
        """Return the features that are not columns of numbers, with what they are."""
        wrong: dict[str, str] = {}
        errors: list[ValueError] = []
        for file in self._files:
            try:
                wrong |= file.not_numbers(features, dialect)
            except ValueError as error:  # it has no rows, or is damaged
                errors.append(error)
                continue
            if not self.typed:
                return wrong
        if errors:
            raise errors[0]
        return wrong

    def blocks(self, features: list[str], beside: Sequence[str], n_rows: int = 65536) -> Iterator[Block]:
        """Yield the rows of one file after the other; of several, a damaged one costs the rest of it."""
        for file in self._files:
            n_read = 0
            try:
                for block in file.blocks(features, beside, n_rows):
                    n_read += len(block.rows)
                    yield block._replace(file=str(file.path)) if self._are_several else block
            except (OSError, ValueError) as error:
                if not self._are_several:
                    raise
                reason = str(error).removeprefix(f"{file.path}: ").removesuffix(".")
                came = f"{reason}; {n_read:,} rows before that were read"
                yield Block(np.arange(0), [], [], [Failure(str(file.path), came)])


def _written_alike(samples: Mapping[Any, dict[str, Any]]) -> list[Any]:
    """Return the files that decide together how numbers are written, from the first cells of each.

    These are the ones that each alone tell of the fractions of most rows, and those with their separators
    that tell nothing.
    """
    told = {file: _told(columns, file.dialect) for file, columns in samples.items()}
    n_rows: Counter[str] = Counter()
    for file, decimal in told.items():
        if decimal:
            n_rows[decimal] += max(map(len, samples[file].values()))
    most = max(n_rows, key=n_rows.__getitem__, default=None)
    telling = [file for file, decimal in told.items() if decimal == most is not None]
    unclear = [file for file, decimal in told.items() if decimal == ""]
    separators = {file.dialect.separator for file in telling or (unclear or list(told))[:1]}
    others = [file for file, decimal in told.items() if not decimal and file.dialect.separator in separators]
    return telling + others


def _told(columns: dict[str, Any], dialect: Dialect) -> str | None:
    """Return what stands before fractions: nothing ("") if that is unclear, None if there are none."""
    try:
        own = find_numerals(columns, dialect)
    except ValueError:
        return ""
    return "" if own.has_plain_numbers and unclear_point(columns, dialect) else own.decimal


def _why_aside(columns: dict[str, Any], said: Dialect, chosen: Dialect, *, may_follow: bool) -> str | None:
    """Return why the numbers of a file cannot be read in the dialect of the others; None if they can.

    ``may_follow`` says that the others may tell what it leaves open.
    """
    if not columns or (may_follow and _told(columns, said) == ""):
        return None
    try:
        own = find_numerals(columns, said)
    except ValueError as error:
        return f"{error} Read it alone."
    (X, _), (others, _) = (parsed_numbers(list(columns.values()), dialect) for dialect in (own, chosen))
    if (np.isnan(X) | (others == X)).all():
        return None
    return (
        f"its numbers are written otherwise ({own.numbers_in_words}) than those of the other files "
        f"({chosen.numbers_in_words}): read it alone"
    )
