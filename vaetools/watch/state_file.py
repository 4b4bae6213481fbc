"""The state of a watch in one small file: arrays and JSON, checked before anything is built from it."""

import dataclasses
import os
from typing import Any

import numpy as np

from vaetools.anomaly.betting import N_BETS, N_SHARES, Capital
from vaetools.anomaly.ranks import Ranks
from vaetools.checks import COUNT, FLAG, POSITIVE_INTEGER, PROBABILITY, Requirement, one_of, refuse
from vaetools.files import FORMAT_VERSION, ModelFileError, read_model_file, write_model_file
from vaetools.schema import (
    COUNTS,
    FINITE,
    NUMBERS,
    REAL,
    TEXT,
    Contents,
    array,
    only,
    optional,
    sequence,
    usable,
)
from vaetools.watch.alarm import ALL, NORMAL, SCORE, SHARE, Alarm, Cause
from vaetools.watch.digest import digest_of
from vaetools.watch.evidence import GROUPS
from vaetools.watch.statistics import COLUMN, IMAGE, LATENT

_RANKS = ("edges", "lots", "gaps", "weights")
_CAPITAL = ("n_rows", "log_staked", "log_best", "since", "n_since", "sums")
_WIDTH = 8  # bytes by which a name is remembered

_NAME = Requirement("a text or an integer", lambda value: isinstance(value, str) or COUNT.holds(value))
_CAUSE = only(
    {
        "kind": one_of(SHARE, SCORE, COLUMN, IMAGE, LATENT),
        "name": TEXT,
        "row": POSITIVE_INTEGER,
        "since": POSITIVE_INTEGER,
        "n_rows": COUNT,
        "moved": optional(REAL),
        "share": optional(REAL),
        "evidence": optional(REAL),
        "of": one_of(NORMAL, ALL),
    }
)
_ALARM = only(
    {
        "row": POSITIVE_INTEGER,
        "since": POSITIVE_INTEGER,
        "causes": sequence(_CAUSE, least=1),
        "rate": PROBABILITY,
    }
)
_FACTS = only(
    {
        "model": TEXT,
        "probability": PROBABILITY,
        "seed": COUNT,
        "n_rows": COUNT,
        "n_flagged": COUNT,
        "begun": COUNT,
        "n_pictures": COUNT,
        "has_others": FLAG,
        "alarm": optional(_ALARM),
        "recent": sequence(_NAME),
    },
    {"id_column": optional(TEXT)},
)
_HEADER = only({"format_version": POSITIVE_INTEGER, "watch": _FACTS})


def write(watch: Any, path: str | os.PathLike[str]) -> None:
    """Write a watch, atomically."""
    evidence = watch.evidence
    facts = {
        "model": watch.digest,
        "probability": evidence.probability,
        "seed": evidence.seed,
        "n_rows": evidence.n_rows,
        "n_flagged": evidence.n_flagged,
        "begun": evidence.begun,
        "n_pictures": watch.n_pictures,
        "has_others": evidence.others is not None,
        "alarm": evidence.alarm and dataclasses.asdict(evidence.alarm),
        "recent": watch.recent,
        "id_column": watch.id_column,
    }
    arrays = {
        "typical": evidence.typical,
        "history": np.array(evidence.history).reshape(-1, 1 + len(GROUPS)),
        "waiting": np.array(evidence.waiting).reshape(-1, len(evidence.statistics)),
        "seen": np.frombuffer(b"".join(watch.seen), np.uint8).reshape(-1, _WIDTH),
    }
    for name, ranks in (("score", evidence.score), ("others", evidence.others)):
        arrays |= {f"{name}.{part}": getattr(ranks, part) for part in _RANKS if ranks is not None}
    for name, capital in (("share", evidence.share), ("moves", evidence.moves)):
        arrays |= {f"{name}.{part}": getattr(capital, part) for part in _CAPITAL}
    pictures = {"usual_picture": watch.usual_picture, "recent_picture": watch.recent_picture}
    arrays |= {name: picture for name, picture in pictures.items() if picture is not None}
    write_model_file(path, {"format_version": FORMAT_VERSION, "watch": facts}, arrays)


def read(watch: Any, path: str | os.PathLike[str], model: Any) -> None:
    """Put a new watch of a model where a file says, or refuse the file."""
    header, arrays = read_model_file(path)
    if "watch" not in header:
        raise ModelFileError(
            f"{path}: the file is no state of a watch: got a {header.get('class', 'checkpoint')}. Name "
            "another file, which the watch makes."
        )
    with usable(path, "state"):
        _check(header, arrays, len(watch.evidence.statistics), watch.image_shape)
    facts = header["watch"]
    if facts["model"] != digest_of(model):
        raise ModelFileError(
            f"{path}: the state belongs to another model, or to this one before it was trained or "
            "recalibrated anew. Name another file to begin a new watch."
        )
    with usable(path, "state"):
        _restore(watch, facts, arrays)


def _restore(watch: Any, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Take over what a file says."""
    evidence = watch.evidence
    evidence.probability, evidence.seed = facts["probability"], facts["seed"]
    evidence.n_rows, evidence.n_flagged, evidence.begun = (
        facts[name] for name in ("n_rows", "n_flagged", "begun")
    )
    evidence.alarm = facts["alarm"] and _alarm(facts["alarm"])
    evidence.typical = arrays["typical"]
    evidence.history = arrays["history"].tolist()
    evidence.waiting = list(arrays["waiting"])
    evidence.score = _ranks("score", arrays)
    evidence.others = _ranks("others", arrays) if facts["has_others"] else None
    evidence.share, evidence.moves = (
        Capital(*(arrays[f"{name}.{part}"] for part in _CAPITAL)) for name in ("share", "moves")
    )
    watch.recent, watch.n_pictures = facts["recent"], facts["n_pictures"]
    watch.id_column = facts.get("id_column")
    watch.seen = dict.fromkeys(row.tobytes() for row in arrays["seen"])
    watch.usual_picture, watch.recent_picture = (
        arrays.get(f"{name}_picture") for name in ("usual", "recent")
    )


def _ranks(name: str, arrays: dict[str, np.ndarray]) -> Ranks:
    return Ranks(*(arrays[f"{name}.{part}"] for part in _RANKS))


def _alarm(said: dict[str, Any]) -> Alarm:
    return Alarm(**said | {"causes": tuple(Cause(**cause) for cause in said["causes"])})


def _check(
    header: dict[str, Any], arrays: dict[str, np.ndarray], n_statistics: int, image_shape: Any
) -> None:
    """Raise a `ValueError` where header and arrays are no state of so many statistics."""
    contents = Contents(arrays)
    _HEADER("", header, contents)
    contents.measure("the model", "n_statistics", n_statistics)
    rules = {
        "typical": array("f", 2, 1 + n_statistics),
        "history": array("f", "points", 1 + len(GROUPS)),
        "waiting": array("f", "waiting", n_statistics),
        "seen": array("u", "seen", _WIDTH),
    }
    for name, n in [("score", 1), ("others", n_statistics)][: 1 + header["watch"]["has_others"]]:
        rules |= _rules_of_ranks(name, n, arrays)
    rules |= _rules_of_capital("share", 1, N_SHARES, 1 + n_statistics)
    rules |= _rules_of_capital("moves", 1 + n_statistics, N_BETS, 1)
    for name in {"usual_picture", "recent_picture"} & arrays.keys():
        rules[name] = array("f", image_shape[0] if image_shape else 0, "height", "width", kept=FINITE)
    for name, rule in rules.items():
        rule(name, {"array": name}, contents)
    if others := sorted(arrays.keys() - rules.keys()):
        refuse("arrays", "those of a watch", others)


def _rules_of_ranks(name: str, n: int, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return what arrays of places must be."""
    n_edges = arrays[f"{name}.gaps"].size - 1
    positive = Requirement("positive", lambda a: (a > 0).all())
    return {
        f"{name}.edges": array("f", n, n_edges, kept=NUMBERS),
        f"{name}.lots": array("f", n, n_edges, kept=FINITE),
        f"{name}.gaps": array("i", n_edges + 1, kept=positive),
        f"{name}.weights": array("i", n, n_edges + 1, kept=positive),
    }


def _rules_of_capital(name: str, n: int, n_bets: int, n_numbers: int) -> dict[str, Any]:
    """Return what arrays of bets must be."""
    return {
        f"{name}.n_rows": array("i", n, kept=COUNTS),
        **{f"{name}.{part}": array("f", n, n_bets, kept=NUMBERS) for part in ("log_staked", "log_best")},
        **{f"{name}.{part}": array("i", n, n_bets, kept=COUNTS) for part in ("since", "n_since")},
        f"{name}.sums": array("f", n, n_bets, n_numbers, kept=FINITE),
    }
