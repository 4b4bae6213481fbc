"""Tables of which some columns are the context that the others are judged given."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from vaetools.data.batches import TrainingData
from vaetools.data.dialect import NUMBER, Dialect, Kind
from vaetools.data.tables import Table, open_table


def open_in_context(
    path: Any,
    context: Mapping[str, str | None],
    *,
    drop: Sequence[str] = (),
    id_column: str | None = None,
    mixed: bool = False,
    as_text: Sequence[str] = (),
    dialect: Dialect | None = None,
) -> Table:
    """Read a table's header, and decide which columns are features beside those of a context.

    Parameters
    ----------
    path, drop, id_column, mixed, as_text, dialect
        As of `open_table`.
    context : dict from str to str or None
        Columns, and ``"category"`` where one is that though it looks like a number.

    Returns
    -------
    table : Table
        Of features and context. A row that lacks a cell of the context has failed, and without ``mixed`` one
        that lacks any.
    """
    own = open_table(
        path,
        drop=[*drop, *context],
        id_column=id_column,
        mixed=mixed,
        as_text=[name for name in as_text if name not in context],
        dialect=dialect,
    )
    kinds = own.kinds or dict.fromkeys(own.columns, Kind(NUMBER, is_needed=True))
    kinds = {**kinds, **kinds_in_context(path, context, dialect)}
    table = open_table(path, columns=kinds, id_column=id_column, dialect=own.dialect)
    return dataclasses.replace(table, notes=own.notes)


def kinds_in_context(
    path: Any, context: Mapping[str, str | None], dialect: Dialect | None = None
) -> dict[str, Kind]:
    """Learn how a table writes the columns of a context, every cell of which is needed."""
    as_text = [name for name, kind in context.items() if kind == "category"]
    learnt = open_table(path, columns=list(context), mixed=True, as_text=as_text, dialect=dialect)
    return {name: kind._replace(is_needed=True) for name, kind in (learnt.kinds or {}).items()}


def read_table(
    data: Any, labels: str | None, context: Mapping[str, str | None] | None, features: dict[str, Any]
) -> TrainingData:
    """Read a table to train on, with its labels or its context."""
    if context:
        table = open_in_context(data, context, **features)
    else:
        table = open_table(data, labels=labels, **features)
    X, y, failed = table.read()
    understood: dict[str, Any] = {"dialect": table.dialect, "notes": table.notes}
    understood |= {"failed": failed, "ignored": table.listing.ignored}
    return TrainingData("table", X, X.index.tolist(), y, **understood)
