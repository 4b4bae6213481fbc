"""``vaetools explore``: a latent space as a page that decodes what the cursor points at."""

from pathlib import Path
from typing import Any

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import Talk, counted_rows, print_json, source_as_json


@click.command(short_help="Make a page of a latent space that answers the cursor.")
@command.model_argument
@command.data_argument
@command.output_option("Page to write (*.html).", required=True)
@command.labels_option
@click.option(
    "--map",
    "method",
    type=click.Choice(["umap", "tsne", "pca", "latent"]),
    default="umap",
    show_default=True,
    help="How codes are mapped; latent takes the two dimensions that vary most (tsne needs openTSNE).",
)
@command.seed_option("Of the map.")
@command.reading_options
@command.context_option
@command.talk_options
def explore(
    model: Path,
    data: tuple[str, ...],
    output: Path,
    label_name: str | None,
    method: str,
    seed: int,
    reading: dict[str, Any],
    device: str | None,
    talk: Talk,
) -> int:
    """Make a page of the latent space of a trained MODEL, with up to 100,000 images or rows of DATA on it.

    DATA is what it is for "vaetools score". The page needs no network and no server: it decodes any place
    of the map, any code that its sliders make and ways between rows; what a lasso selects can be looked at
    large, and saved as CSV or as a list of names that the other commands read.

    \b
    Examples:
      vaetools explore boards.safetensors photos/ -o space.html
      vaetools explore sales.safetensors sales.csv --labels region --map pca -o space.html

    \b
    Keys of --json:
      n_explored, decodes (whether the page does), output,
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    outputs.check_output(output, (".html",), [model, *data, reading.get("context")])
    import pandas as pd

    from vaetools.explorer.explore import explore as explore_rows

    opened = command.Opened(model, device, codes_for="explore")
    rows = opened.read(data, label_name, in_context=True, **reading)
    X, labels, told = rows.apart(opened.estimator)
    talk.say(f"{counted_rows(len(rows.X), opened.kind)} to map in two dimensions ...")
    space = explore_rows(
        opened.estimator,
        X,
        labels if labels is None else pd.Series(labels, name=label_name),
        context=told,
        method=method,
        seed=seed,
        verbose=talk.progress,
    )
    space.to_html(output)
    if talk.as_json:
        made = {"n_explored": len(rows.X), "decodes": space.decoder is not None, "output": output}
        print_json(made | source_as_json(rows.source, rows.failed))
    return talk.end(rows.source, rows.failed, output)
