"""``vaetools sample``: images or rows that a model makes up."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import counted_rows, print_json, say
from vaetools.words import few, number, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_KNOWN_LABELS = 20  # that an error lists


@click.command(short_help="Draw new images or rows from a model.")
@command.model_argument
@click.option(
    "-n",
    "n_samples",
    type=click.IntRange(1),
    metavar="N",
    default=64,
    show_default=True,
    help="How many to draw.",
)
@click.option(
    "--label", help="Draw as this label, from a CVAE. Without it labels are as frequent as in training."
)
@click.option(
    "--columns",
    type=click.IntRange(1),
    metavar="N",
    help="Images side by side; by default as many as make the picture about square.",
)
@command.seed_option("Seed of the draws.")
@command.output_option("PNG picture of images, or CSV file of rows; without it rows go to standard output.")
@command.device_option
@command.json_option
def sample(
    model: Path,
    n_samples: int,
    label: str | None,
    columns: int | None,
    seed: int,
    output: Path | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Draw new images or rows from a trained MODEL.

    Images become one PNG picture, small ones enlarged; rows of a table become CSV with the columns of
    training. A VAE decodes draws from its prior, a CVAE also as one label. An AE has no prior: it
    decodes points drawn evenly from the rectangle that its training codes span, and what lies between
    the codes need not look like data.

    \b
    Examples:
      vaetools sample boards.safetensors -o grid.png
      vaetools sample digits.safetensors -n 20 --label 8 --columns 10 -o eights.png
      vaetools sample sales.safetensors -n 1000 > rows.csv

    \b
    Keys of --json:
      n_drawn, label, seed, output, rows [{column: cell}] (null if they are in a file)
    """
    outputs.check_output(output, (".png", ".csv"), [model])
    opened = command.Opened(model, device, codes_for="sample")
    opened.refuse_context()
    estimator, image_shape = opened.estimator, opened.image_shape
    if image_shape is not None and image_shape[0] not in (1, 3):
        image_shape = None  # nothing that a picture can show
    _check_fits(output, columns, is_image=image_shape is not None)
    options = {} if label is None else {"y": _known_label(estimator, label)}
    rows = estimator.sample(n_samples, random_state=seed, **options)
    told = None
    if image_shape is not None:
        _write_grid(output, rows, estimator, image_shape, columns)
    elif as_json and output is None:
        told = _table(rows, estimator).to_dict(orient="records")
    else:
        _write_csv(output, _table(rows, estimator))
    if as_json:
        print_json({"n_drawn": n_samples, "label": label, "seed": seed, "output": output, "rows": told})
    elif output is not None:
        drawn = counted_rows(n_samples, "rows" if image_shape is None else "images")
        say(f"{drawn} drawn. Written: {output}")


def _check_fits(output: Path | None, columns: int | None, *, is_image: bool) -> None:
    """Raise where options are for the other kind of model."""
    if is_image and output is None:
        raise click.UsageError("Missing option '-o' / '--output': the model makes images, which need a file.")
    made, suffix = ("images", ".png") if is_image else ("rows", ".csv")
    if output is not None and output.suffix.lower() != suffix:
        raise command.misuse(
            "--output", f"must end in {suffix}, because the model makes {made}; got {str(output)!r}."
        )
    if columns is not None and not is_image:
        raise command.misuse("--columns", "arranges images, and the model makes rows.")


def _known_label(estimator: Any, text: str) -> Any:
    """Return the label of a conditional model that reads so."""
    if not hasattr(estimator, "classes_"):
        came = f"got a model of class {type(estimator).__name__}, which has none."
        raise command.misuse("--label", f"needs a CVAE of labels; {came}")
    from vaetools.stream.labeled import label_called

    labels = {str(label): label for label in estimator.classes_.tolist()}
    label = label_called(text, labels)
    if label is None:
        known = few((f"'{printable(label)}'" for label in labels), _KNOWN_LABELS)
        raise command.misuse("--label", f"must be one of {known}; got {text!r}.")
    return labels[label]


def _write_grid(
    output: Any, rows: "np.ndarray", estimator: Any, image_shape: tuple[int, int, int], columns: int | None
) -> None:
    """Write images as one picture; pixels of unknown range from the least, black, to the greatest, white."""
    from vaetools.report.pictures import picture

    scale = estimator.input_scale_
    if not (scale.in_unit_interval or scale.of_levels):
        low, high = rows.min(), rows.max()
        rows = (rows - low) / ((high - low) or 1)
        say(f"Black is {number(low, 2)} and white {number(high, 2)}: the model's pixels have no fixed range.")
    outputs.write_png(output, picture(rows, image_shape, n_columns=columns))


def _table(rows: Any, estimator: Any) -> "pd.DataFrame":
    """Return rows with the names that columns had in training."""
    import pandas as pd

    from vaetools.estimators.columns import names_in_fit

    return pd.DataFrame(rows, columns=names_in_fit(estimator) or [f"x{i}" for i in range(rows.shape[1])])


def _write_csv(output: Path | None, table: "pd.DataFrame") -> None:
    """Write a table, 10 digits a number."""
    from vaetools.files import write_atomically

    if output is None and sys.stdout.isatty():  # names for eyes; a file or a pipe gets them as they are
        table = table.set_axis([printable(name) for name in table.columns], axis=1)
    text = table.to_csv(index=False, float_format="%.10g", lineterminator="\n")
    if output is None:
        sys.stdout.write(text)  # click.echo would drop what looks like a color
    else:
        write_atomically(output, text.encode())
