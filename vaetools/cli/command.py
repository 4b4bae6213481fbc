"""What commands share: their arguments and options, and the model and the files that these name."""

import ast
import functools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from vaetools.axes import CHANNELS
from vaetools.cli.saying import Talk

if TYPE_CHECKING:
    from vaetools.stream.labeled import Rows

_CHARACTERS = {"tab": "\t", "\\t": "\t", "space": " ", "none": ""}


def misuse(option: str, rule: str) -> click.BadParameter:
    """Return the error of an option that breaks a rule."""
    return click.BadParameter(rule, param_hint=option)


# Values of options


class Size(click.ParamType):  # type: ignore[type-arg]
    """``64`` or ``48x64``: height and width."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return an integer, or a tuple (height, width)."""
        numbers = str(value).lower().split("x")
        if len(numbers) > 2 or not all(number.isdecimal() and int(number) for number in numbers):
            self.fail(f"must be a number of pixels such as 64, or HEIGHTxWIDTH; got {value!r}.", param, ctx)
        return int(numbers[0]) if len(numbers) == 1 else tuple(map(int, numbers))


class Assignment(click.ParamType):  # type: ignore[type-arg]
    """``name=value``; the value is read as Python's literals are, and as text if it is none."""

    name = "name=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return name and value."""
        name, equals, text = str(value).partition("=")
        if not equals:
            self.fail(f"must be NAME=VALUE; got {value!r}.", param, ctx)
        try:
            return name, ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return name, text


class Given(NamedTuple):
    """What rows are judged given: columns, ``"category"`` where one is that, and the table that has them."""

    columns: dict[str, str | None]
    table: Path | None  # beside images; None where the rows have them


class Context(click.ParamType):  # type: ignore[type-arg]
    """``machine=category,outside``: columns, and which of them are categories whatever they look like.

    Of images behind the table that has them, ``meta.csv:machine,outside``.
    """

    name = "columns"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return what each column is said to be, or None, and where it is."""
        table, colon, columns = str(value).rpartition(":")
        if not (colon and Path(table).is_file()):  # a name of a column may have a colon
            table, columns = "", str(value)
        parts = [part.partition("=") for part in columns.split(",")]
        if wrong := [part for part in parts if not part[0] or part[1:] not in (("", ""), ("=", "category"))]:
            rule = "must be columns between commas, NAME or NAME=category"
            self.fail(f"{rule}; got {''.join(wrong[0])!r}.", param, ctx)
        if twice := [name for name, n in Counter(name for name, *_ in parts).items() if n > 1]:
            self.fail(f"must name every column once; got {twice[0]!r} twice.", param, ctx)
        return Given({name: kind or None for name, _, kind in parts}, Path(table) if table else None)


class PathOrAddress(click.Path):
    """A path; an address of another filesystem, such as ``s3://bucket/file``, stays text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what the user wrote as a path, or as it is."""
        return value if isinstance(value, str) and "://" in value else super().convert(value, param, ctx)


def _dialect_value(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    """Return what an option says of a dialect, or refuse it."""
    if value is None:
        return None
    from vaetools.data.dialect import Dialect

    value = _CHARACTERS.get(value, value)
    try:
        Dialect(**{str(option.name): value})
    except ValueError as error:
        rule = str(error).removeprefix(f"Dialect: {option.name} ")
        raise click.BadParameter(rule, ctx, option) from None
    return value


# Arguments and options

model_argument = click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
data_argument = click.argument("data", nargs=-1, required=True, metavar="DATA...")
device_option = click.option(
    "--device",
    metavar="NAME",
    help='Where to compute, such as "cpu" or "cuda"; by default where it was trained.',
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON document instead; errors, too."
)
confidence_option = click.option(
    "--confidence",
    type=float,
    metavar="SHARE",
    help="Confidence, such as 0.95, that this one model flags no more of new normal rows than the rate of "
    "false alarms; unless said, that holds in the mean over models.",
)
labels_option = click.option(
    "--labels",
    "label_name",
    metavar="NAME",
    help="Labels: column of a table, array of an NPZ, or a file. Images have those of their folders.",
)
_patterns = functools.partial(click.option, multiple=True, metavar="PATTERN")
_dialect = functools.partial(click.option, metavar="CHARACTER", callback=_dialect_value)
_READING = [
    click.option(
        "--id", "id_column", metavar="COLUMN", help="Column of a table that names its rows; it is no feature."
    ),
    _patterns(
        "--include", help='Images to read, such as "good/" or "*.png"; all unless said. Can be repeated.'
    ),
    _patterns(
        "--exclude", help='Images to leave out, such as "*_mask.png" or "ground_truth/". Can be repeated.'
    ),
    click.option("--array", metavar="NAME", help="Array of an NPZ file that holds the rows."),
    click.option(
        "--channels",
        type=click.Choice(CHANNELS),
        help="Where images of an array have their channels; found out where the shape leaves no doubt.",
    ),
    _dialect(
        "--encoding",
        metavar="NAME",
        help="CSV: its encoding, such as cp1252; UTF-8, and UTF-16 where that is sure, unless said.",
    ),
    _dialect(
        "--separator", help='CSV: what stands between cells, such as ";" or tab; found out unless said.'
    ),
    _dialect("--decimal", help='CSV: what stands before fractions, "." or ","; found out unless said.'),
    _dialect(
        "--thousands",
        help='CSV: what stands between thousands, such as ",", space or none; found out unless said.',
    ),
    click.option(
        "--skip",
        "skipped",
        type=click.IntRange(min=0),
        metavar="N",
        help="CSV: lines before the names of columns, which may then be numbers; found out unless said.",
    ),
]
_CHOICES = ("id_column", "include", "exclude", "array", "channels")
_DIALECT = ("encoding", "separator", "decimal", "thousands", "skipped")


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is read; the command gets those that were given as ``reading``."""

    @functools.wraps(command)
    def with_reading(**values: Any) -> Any:
        given = {name: values.pop(name) for name in _CHOICES}
        said = {name: values.pop(name) for name in _DIALECT}
        if set(said.values()) != {None}:
            from vaetools.data.dialect import Dialect

            given["dialect"] = Dialect(**said)
        return command(reading={name: value for name, value in given.items() if value}, **values)

    for option in reversed(_READING):
        with_reading = option(with_reading)
    return with_reading


def context_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --context, a table beside images; the command gets it with what else says what is read."""

    @functools.wraps(command)
    def with_context(context: Path | None, reading: dict[str, Any], **values: Any) -> Any:
        return command(reading=reading if context is None else reading | {"context": context}, **values)

    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    told = "Of images that are judged given columns of a table: that table, whose rows name them."
    return click.option("--context", type=path, metavar="TABLE", help=told)(with_context)


def talk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json, --device, --quiet and --verbose; the command gets all but the second as ``talk``."""

    @functools.wraps(command)
    def with_talk(as_json: bool, quiet: bool, verbose: bool, **values: Any) -> Any:
        return command(talk=Talk(as_json, quiet, verbose), **values)

    quiet = click.option("-q", "--quiet", is_flag=True, help="Print results and errors alone.")
    verbose = click.option("-v", "--verbose", is_flag=True, help="List what was left out, too.")
    return json_option(device_option(quiet(verbose(with_talk))))


def output_option(text: str, *, kind: type[click.Path] = click.Path, **options: Any) -> Callable[..., Any]:
    """Return the option for the file to write."""
    return click.option("-o", "--output", type=kind(dir_okay=False, path_type=Path), help=text, **options)


def file_option(name: str, text: str, **options: Any) -> Callable[..., Any]:
    """Return an option for another file to write."""
    return click.option(name, type=click.Path(dir_okay=False, path_type=Path), help=text, **options)


def seed_option(text: str) -> Callable[..., Any]:
    """Return the option for the seed of what is drawn."""
    whole = click.IntRange(0, 2**32 - 1)
    return click.option("--seed", type=whole, default=0, show_default=True, help=text)


# What they name


class Opened:
    """A saved model, whole and in its parts: who reads images, if anyone, who judges, and their shape."""

    def __init__(self, path: Path, device: str | None, *, codes_for: str = ""):
        from vaetools.persistence.model_file import load, split_reader

        self.whole = load(path, device=device)
        self.reader, self.estimator = split_reader(self.whole)
        if codes_for and not hasattr(self.estimator, "transform"):
            came = f"got a {type(self.estimator).__name__}: vaetools score --html shows what it sees."
            raise click.ClickException(f"{codes_for} needs codes, of vaetools fit --model vae; {came}")
        shape = self.estimator.image_shape if self.reader is None else self.reader.image_shape_
        self.image_shape: Any = None if shape is None else tuple(shape)

    @property
    def kind(self) -> str:
        """What it takes: images, or rows."""
        return "rows" if self.image_shape is None else "images"

    @property
    def n_components(self) -> int:
        """Length of its codes."""
        return len(self.estimator.get_feature_names_out())

    @property
    def in_words(self) -> str:
        """What a page calls it."""
        return f"{type(self.estimator).__name__}, {self.n_components} components"

    @property
    def can_decode(self) -> bool:
        """Whether its network has a decoder."""
        from vaetools.estimators.engine import Engine

        return hasattr(self.estimator, "reconstruct") and Engine(self.estimator).can_decode

    def refuse_context(self) -> None:
        """Raise where rows are judged given a context that a command cannot be told."""
        if hasattr(self.estimator, "context_"):
            can = "vaetools score, embed, recalibrate, watch, explore and report do"
            raise click.ClickException(
                f"the model judges {self.kind} given a context, which is not taken here; {can}."
            )

    def read(
        self,
        data: tuple[str, ...],
        label_name: str | None,
        *,
        needed: bool = False,
        in_context: bool = False,
        **reading: Any,
    ) -> "Rows":
        """Read files into memory, with their labels, or ``in_context``, as `read_labeled` does."""
        from vaetools.data.sources import kind_of
        from vaetools.estimators.context_columns import has_context_in_X
        from vaetools.stream.flow import nothing_read
        from vaetools.stream.labeled import read_labeled

        if not (in_context or has_context_in_X(self.estimator)):
            self.refuse_context()
        if label_name is not None and kind_of(data) == "images":
            raise misuse("--labels", "images take their labels from folders.")
        rows = read_labeled(self.whole, data, label_name, needed=needed, **reading)
        if not len(rows.X):
            raise nothing_read(rows.failed, data[0])
        return rows
