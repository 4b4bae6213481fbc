"""Contenders measured in turns, and tables of their seconds as ratios of the same turn."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from workers import Worker


class Contender(NamedTuple):
    """A name, the worker that measures it (None: not there, left out), its task and arguments."""

    name: str
    worker: Worker | None
    task: str
    arguments: dict[str, Any]


def add_interleaving_arguments(parser: argparse.ArgumentParser, n_rounds: int) -> None:
    """Declare rounds, threads and the file for raw results."""
    parser.add_argument("--rounds", type=int, default=n_rounds, help=f"default: {n_rounds}")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores"
    )
    parser.add_argument("--output", type=Path, help="CSV file for one line per measurement")


def add_peers_argument(parser: argparse.ArgumentParser) -> None:
    """Declare the peers' Python."""
    parser.add_argument("--peers", type=Path, help="the Python of a venv with benchmarks/requirements.txt")


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Declare where the data are."""
    folder = os.environ.get("VAETOOLS_DATA")
    parser.add_argument(
        "--data", type=Path, default=folder, required=folder is None, help="default: $VAETOOLS_DATA"
    )


def interleave(contenders: Sequence[Contender], n_rounds: int) -> pd.DataFrame:
    """Return the figures of every contender in every round, one line each.

    A round begins one contender later than the last. A task gets the round's number as ``seed``.
    """
    present = [contender for contender in contenders if contender.worker is not None]
    absent = [contender.name for contender in contenders if contender.worker is None]
    if absent:
        print(f"\nleft out without --peers: {', '.join(absent)}")
    lines = []
    for turn in range(n_rounds):
        first = turn % len(present)
        for contender in present[first:] + present[:first]:
            figures = contender.worker.ask(contender.task, seed=turn, **contender.arguments)
            lines.append({"round": turn, "contender": contender.name, **figures})
            said = f"round {turn + 1} of {n_rounds}: {contender.name} {figures['seconds']:.4g} s"
            print(said, file=sys.stderr, flush=True)
    order = {contender.name: place for place, contender in enumerate(present)}
    return pd.DataFrame(lines).sort_values(
        ["round", "contender"], key=lambda column: column.map(order) if column.name == "contender" else column
    )


def by_round(frame: pd.DataFrame, figure: str = "seconds") -> pd.DataFrame:
    """Return one figure as rounds × contenders."""
    return frame.pivot(index="round", columns="contender", values=figure)[frame["contender"].unique()]


def spread(values: pd.Series, digits: int = 2) -> str:
    """Return median and quartiles in words."""
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def ratio_table(frame: pd.DataFrame, units: dict[str, str], medians: Sequence[str] = ()) -> pd.DataFrame:
    """Return a line per contender: ratios of seconds to a unit's of the same round, and medians.

    ``units`` names the contenders that are units by the heading of their column. Ratios show their median
    and quartiles over rounds.
    """
    seconds = by_round(frame)
    table = pd.DataFrame(index=seconds.columns.rename(None))
    for heading, unit in units.items():
        table[heading] = [spread(seconds[name] / seconds[unit]) for name in seconds]
    for figure in (figure for figure in medians if figure in frame):
        table[figure] = by_round(frame, figure).median()
    return table


def show(title: str, table: pd.DataFrame) -> None:
    """Print a table below its title."""
    print(f"\n{title}\n{table.to_string(float_format='{:.4g}'.format, na_rep='–')}", flush=True)


def write(frames: Sequence[pd.DataFrame], path: Path | None) -> None:
    """Write all measurements to a CSV file, if there is to be one."""
    if path:
        pd.concat(frames).to_csv(path, index=False)
