"""Rows that are handed out to be marked as odd or normal, and what came back."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaetools.cli.command import Opened, misuse
from vaetools.cli.saying import Talk, say
from vaetools.words import counted, printable, warn

if TYPE_CHECKING:
    from vaetools.cli.answers import Answers
    from vaetools.data.batches import TrainingData
    from vaetools.data.beside import Beside
    from vaetools.data.marks import Marked

TO_MARK, N_SAMPLED = 10, 2_000  # rows that are handed out, unless it is said how many, and of how many


def check_can_mark(path: Path, opened: Opened) -> None:
    """Raise where rows are to be marked that a model could not learn, or marks would be lost."""
    from vaetools.data.marks import has_marks

    if not hasattr(opened.estimator, "transform"):
        came = f"got a {type(opened.estimator).__name__}: vaetools fit --model vae makes one."
        raise misuse("--marks", f"needs an autoencoder; {came}")
    if has_marks(path):
        raise misuse(
            "--marks",
            f"{str(path)!r} has marks that somebody made, and they would be lost. Give another name, or "
            "these marks to vaetools fit --marks.",
        )


def warn_of_unknown(marked: Mapping[str, str], met: Container[str]) -> None:
    """Warn of rows that were marked before, but that no row of today is called like."""
    unknown = [printable(name) for place, name in marked.items() if place not in met]
    if unknown:
        warn(
            f"{len(unknown):,} of {len(marked):,} rows that --marked names are not there, such as "
            f"{unknown[0]!r}. Rows are called as in the first column of what score writes; with --id a "
            "column of a table names them.",
        )


def write_to_mark(answers: "Answers", beside: "Beside | None") -> None:
    """Write rows to look at with a column to mark them in, as `vaetools fit --marks` takes it.

    Rows that were marked before are left out.
    """
    import pandas as pd

    from vaetools.anomaly.marks import oddest_and_typical
    from vaetools.anomaly.reference import seen
    from vaetools.data.marks import MARK, are_marked
    from vaetools.estimators.engine import Engine
    from vaetools.stream.preparing import apart
    from vaetools.stream.table_file import write_table

    asked, oddest, sampled, marked = answers.asked, answers.oddest, answers.sampled, answers.marked
    assert asked.marks is not None  # who writes them was asked
    n = asked.top or TO_MARK
    first = oddest.table[~are_marked(oddest.table.iloc[:, 0], marked)].head(n - n // 2)
    names = sampled.table.iloc[:, 0]
    is_other = ~names.isin(first.iloc[:, 0]).to_numpy() & ~are_marked(names, marked)
    table = sampled.table[is_other]
    if len(table):
        X, y = sampled.X[is_other], beside and beside.cells.loc[names[is_other]]
        X, y = apart(answers.opened.estimator, X) if y is None else (X.to_numpy(), y)
        [rows] = Engine(answers.opened.estimator).ask(X, seen, y=y)
        _, typical = oddest_and_typical(table["score"].to_numpy(), rows, n)
        table = table.iloc[typical]
    table = pd.concat([first, table])
    table.insert(1, MARK, "")
    write_table(asked.marks, table)


def taught(
    name: str | None, settings: Sequence[tuple[str, Any]], marks: Sequence[Path], odd: Path | None
) -> Any:
    """Return the score that marks teach as a parameter, unless there are none or another one is set."""
    if not (marks or odd):
        return {}
    if name == "patches":
        raise misuse("--marks" if marks else "--odd", "is for autoencoders: give --model vae.")
    return {} if "anomaly_score" in dict(settings) else {"anomaly_score": "marked"}


def marks_of(read: "TrainingData", marks: Sequence[Path], odd: Path | None, talk: Talk) -> "Marked | None":
    """Return marks of the rows, and say how many there are; None where nobody looked."""
    if not (marks or odd):
        return None
    from vaetools.data.marks import joined_marks, read_marks

    several = [read_marks(path, read.ids) for path in marks]
    several += [read_marks(odd, read.ids, all_odd=True)] if odd else []
    found = joined_marks(several, read.ids)
    n_odd, n_normal = int((found.marks < 0).sum()), int((found.marks > 0).sum())
    talk.say(f"Marked: {n_odd:,} odd, which neither train nor calibrate, and {n_normal:,} normal.")
    if found.unknown:
        say(f"{len(found.unknown):,} marked are not there, such as {printable(found.unknown[0])}.")
    if found.shared:
        names = f"{counted(len(found.shared), 'name')}, such as {printable(found.shared[0])}"
        say(f"Marks of {names}, are of several rows each, as these are called alike: all of them are marked.")
    return found


def marks_as_json(found: "Marked | None") -> dict[str, int]:
    """Return how many rows were marked normal, and how many names no row has."""
    marks, unknown = ([], []) if found is None else (found.marks.tolist(), found.unknown)
    return {
        "n_marked_normal": marks.count(1),
        "n_marked_unknown": len(unknown),
    }
