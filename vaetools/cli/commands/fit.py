"""``vaetools fit``: a folder of images or a table in, a model file out."""

import contextlib
import dataclasses
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaetools.cli import command, outputs, planning
from vaetools.cli.commands.info import page
from vaetools.cli.marking import marks_as_json, marks_of, taught
from vaetools.cli.planning import MODELS, Plan
from vaetools.cli.process import status_of, tell
from vaetools.cli.saying import (
    FAILED,
    Talk,
    failed_as_json,
    in_options,
    left_out_as_json,
    list_failures,
    print_json,
    say,
    say_left_out,
)
from vaetools.nn import LIKELIHOOD_CLASSES
from vaetools.words import printable

if TYPE_CHECKING:
    from vaetools.data.batches import TrainingData


@click.command(short_help="Train a model on a folder of images or a table.")
@command.data_argument
@command.output_option("Model file to write (*.safetensors).", required=True)
@click.option(
    "--model",
    "name",
    type=click.Choice(list(MODELS)),
    help="Autoencoder, variational, variational and conditioned on labels, with codes of words; patches: a "
    "PatchDetector, which judges photographs place by place, and images of at most 32 pixels as a whole. "
    "Unless said, patches for photographs and for small ones in color, and vae for all else.",
)
@click.option("--n-components", type=click.IntRange(1), metavar="N", help="Latent dimensions.")
@click.option(
    "--likelihood",
    type=click.Choice([*LIKELIHOOD_CLASSES, "mixed"]),
    help="Density of a pixel or a column given its code; gaussian unless said. mixed: for tables with text "
    "and missing cells.",
)
@click.option(
    "--beta", type=click.FloatRange(0), metavar="WEIGHT", help="Weight of the KL term while training."
)
@click.option(
    "--max-iter",
    type=click.IntRange(0),
    metavar="N",
    help="Epochs at most; about 2,000 steps unless said, without convolutions 1,400, and fewer of few rows.",
)
@click.option(
    "--contamination",
    type=float,
    metavar="SHARE",
    help="Share of training rows that is odd. Unless said, all are normal, and a fifth calibrates.",
)
@click.option(
    "--false-alarm-rate",
    type=float,
    metavar="SHARE",
    help="Share of new normal rows to flag; 0.05 unless said.",
)
@command.confidence_option
@click.option(
    "--anomaly-score",
    metavar="NAME",
    help="Score that decides: images or tables (recommended for those, slower), or another of "
    "docs/scores.md; images for folders of thumbnails, and reconstruction_kl otherwise, unless said.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    help="Of training: float32 unless said; bfloat16 may be faster where the CPU or GPU has it.",
)
@click.option(
    "--score-precision",
    type=click.Choice(["float64", "float32"]),
    help="Of scores: float64 unless said; float32 is faster.",
)
@click.option(
    "--set",
    "settings",
    type=command.Assignment(),
    multiple=True,
    help='Any other parameter of the model, such as "hidden_layer_sizes=256,64" or "input_noise=0.1".',
)
@click.option(
    "--size",
    type=command.Size(),
    help="Images: pixels to scale to, such as 64 or 48x64 (height x width). Unless said, patches keep images "
    "as they are up to 640 pixels, other models up to 128, and larger ones get 64, on the longer side.",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "gray", "rgb"]),
    default="auto",
    show_default=True,
    help="Images: channels. auto: rgb if there is color in a sample of them.",
)
@click.option(
    "--aspect",
    type=click.Choice(["pad", "crop", "stretch"]),
    default="pad",
    show_default=True,
    help="Images: how one of another aspect fits.",
)
@command.file_option(
    "--cache", "Images: a .npy file to decode into once, and to train from, on data larger than memory."
)
@click.option(
    "--labels",
    metavar="NAME",
    help="For a cvae: column of a table, array of an NPZ, or a file. Images: their sub-folders.",
)
@click.option(
    "--context",
    type=command.Context(),
    help="Columns that rows are judged given, such as machine,season; NAME=category of a number that is a "
    "name. Images: TABLE:machine,season, with a table whose rows name them. The model is a cvae.",
)
@click.option(
    "--drop", multiple=True, metavar="COLUMN", help="Tables: a column to leave out; can be repeated."
)
@command.file_option(
    "--marks",
    "Table of rows that you looked at: their names, and odd or normal in a column mark, as score --marks; "
    "can be repeated.",
    multiple=True,
)
@command.file_option(
    "--odd", "Table of rows that are odd, such as a selection of the explorer; a column mark is heeded."
)
@command.file_option(
    "--checkpoint",
    "File (*.ckpt) for the state of the training: the same command, given again, goes on from there.",
    metavar="FILE",
)
@command.reading_options
@command.seed_option("Of all that is drawn.")
@command.talk_options
def fit(
    data: tuple[str, ...],
    output: Path,
    name: str | None,
    settings: tuple[tuple[str, Any], ...],
    size: Any,
    mode: str,
    aspect: str,
    cache: Path | None,
    labels: str | None,
    context: command.Given | None,
    drop: tuple[str, ...],
    marks: tuple[Path, ...],
    odd: Path | None,
    checkpoint: Path | None,
    reading: dict[str, Any],
    seed: int,
    device: str | None,
    talk: Talk,
    **options: Any,
) -> int:
    """Train a model on DATA, and write it to a file.

    DATA is a folder of images, image files, a text file of paths ("-": paths from standard input), or
    a table (CSV, Parquet, Arrow or Excel: a file, or a folder or several files of one table), or one
    NPY, NPZ or IDX file. Its rows are taken as normal unless --contamination says
    otherwise. A table must be of complete numbers, or else be fitted with --likelihood mixed.

    Folders of photographs become a detector that judges them place by place, so that small defects are found,
    and small photographs in color as a whole; all else becomes a VAE. What was chosen is said, and why, and
    options change it: one that only autoencoders have, such as --n-components, means a VAE.

    Says what it understood of the data before it trains, and afterwards how well the model describes rows
    that it was not trained on, and where the threshold lies. The file holds how images were read, so
    that the other commands need not be told. What cannot be read is listed with the reason, the
    model is trained on the rest, and the exit status is 1.

    Under torchrun its processes train one model together, each on its share of every batch.

    For DATA of which, say, 5 % are odd, --contamination 0.05 --set trimmed_fraction=0.1 leaves the tenth that
    is least like the rest out of training, and lists it. (Without --contamination a fifth is held out to
    calibrate, taken as normal, and not looked at.)

    With --context rows of a table are judged given some of its columns: what is normal for one machine may be
    odd for another. Images have theirs in a table that names them, and are judged on the whole: a detector of
    photographs takes none. What lacks its context is listed, and so is a new category.

    Rows that you have looked at are given with --marks, as "vaetools score --marks" writes them, once their
    column mark says odd or normal: odd ones neither train nor calibrate, and teach the score.

    With --checkpoint nothing is lost when training is interrupted or the machine fails. Ctrl-C stops the
    training, but what was learnt by then is written as a model all the same, and the exit status is 130
    (143 after SIGTERM, which does the same).

    \b
    Examples:
      vaetools fit boards/train/good -o boards.safetensors
      vaetools fit boards/train/good -o boards.safetensors --size 1024 --set backbone=resnet18
      vaetools fit photos/ -o photos.safetensors --model vae --size 64
      vaetools fit sales.csv -o sales.safetensors --drop customer --n-components 3
      vaetools fit cars.csv -o cars.safetensors --likelihood mixed --id plate
      vaetools fit machines.csv -o machines.safetensors --context machine,outside
      vaetools fit photos/ -o photos.safetensors --context photos.csv:machine,outside
      vaetools fit digits/ -o digits.safetensors --model cvae --set kl_warmup=0.2

    \b
    Keys of --json: those of "vaetools info --json", and
      seconds, seconds_expected (null but for a detector), reasons [sentences, of a model that was chosen],
      suspects, n_marked_normal, n_marked_unknown (names that no row has),
      n_failed, failed [{id, reason}], n_ignored, ignored {kind: files}, ignored_paths, dialect, notes
    """
    outputs.check_output(output, (".safetensors",), data)
    outputs.check_output(checkpoint, (".ckpt",), data, "--checkpoint")
    outputs.check_output(cache, (".npy",), data, "--cache")
    planning.check_verdict(**options)
    name = planning.model_in_context(name, labels, context, drop)
    from vaetools.estimators.choosing import seconds_to_fit
    from vaetools.nn.parallel import Workers
    from vaetools.persistence.sizes import estimated_size

    workers = Workers.join()
    talk = talk._replace(quiet=talk.quiet or workers.rank > 0)
    given = {key: value for key, value in (options | {"device": device}).items() if value is not None}
    given = taught(name, settings, marks, odd) | given
    images = {"size": size, "mode": mode, "aspect": aspect, "cache": cache, "verbose": talk.progress}
    plan = planning.make_plan(name, data, seed, [*given.items(), *settings], images, reading)
    model = plan.model
    planning.take_context(context, plan, data)
    planning.load_frozen(plan)
    if plan.by_patches and checkpoint is not None:
        talk.say("--checkpoint is for autoencoders, and is not needed here: nothing is written to it.")
    with contextlib.nullcontext() if cache is None else workers.first_alone():  # it fills the cache
        told = {} if context is None else {"context": context.columns, "beside": context.table}
        read = _read(plan, data, labels=labels, drop=drop, **told, **reading)
    expected = seconds_to_fit(model, read.X) if plan.by_patches and len(read.X) else None
    _say_data(read, data, plan, expected, talk, marks or odd)
    if output.exists() and not talk.quiet:
        say(f"{output} is there already; it will be replaced once the new model is trained.")
    marked = marks_of(read, marks, odd, talk)
    outputs.check_room(output, estimated_size(model, *read.X.shape))
    start = time.perf_counter()
    interruption = _fit(plan, read, checkpoint, talk.progress, marked and marked.marks)
    seconds = time.perf_counter() - start
    if workers.rank:  # all have the same model, and one writes it
        return 0
    kept = outputs.save_somewhere(read.reader, model, output)
    took = {"seconds": round(seconds, 3), "seconds_expected": expected and round(expected, 3)}
    _say_model(kept, read, plan, took | marks_as_json(marked), talk)
    status = list_failures(read.failed)
    if kept != output:
        return FAILED
    if interruption is not None:
        say(f"vaetools: interrupted; {kept} holds what was learnt so far.")
        return status_of(interruption)
    return status


def _read(plan: Plan, data: tuple[str, ...], **reading: Any) -> "TrainingData":
    """Read what a model is to be trained on, and tell it the shape of images."""
    from vaetools.data.sources import read_training

    model = plan.model
    if plan.listing is not None:
        reading |= plan.images | {"listing": plan.listing, "image_shape": model.image_shape}
        if model.image_shape is None and plan.images["size"] is None:
            reading["size"] = "auto"
    mixed, chosen = getattr(model, "likelihood", None) == "mixed", getattr(model, "column_likelihoods", None)
    as_text = [name for name, likelihood in (chosen or {}).items() if likelihood == "categorical"]
    read = read_training(data, mixed=mixed, as_text=as_text, **reading)
    if read.image_shape is not None:
        if model.image_shape is not None and tuple(model.image_shape) != read.image_shape:
            rule = f"the shape must be that of the images, {read.image_shape}; got {model.image_shape}"
            raise command.misuse("--set", f"{rule}. Leave image_shape out.")
        model.set_params(image_shape=read.image_shape)
    if plan.takes_labels and read.labels is None and read.context is None and model.context is None:
        raise click.ClickException(
            f"a cvae needs labels, and {data[0]} has none: put images into sub-folders, or use --labels."
        )
    return read


def _fit(
    plan: Plan, read: "TrainingData", checkpoint: Path | None, verbose: int, marks: Any
) -> KeyboardInterrupt | None:
    """Fit a model; return what interrupted that, but not before something was learnt."""
    model = plan.model.set_params(verbose=verbose)
    if plan.by_patches:
        model.fit(read.X)
        return None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*learnt by heart")  # what is said in the end has options
            told = read.labels if read.context is None else read.context
            labels = told if plan.takes_labels else None
            model.fit(read.X, labels, marks=marks, checkpoint=checkpoint)
    except KeyboardInterrupt as interruption:
        if not hasattr(model, "model_"):
            raise
        return interruption
    return None


def _say_data(
    read: "TrainingData", data: tuple[str, ...], plan: Plan, seconds: float | None, talk: Talk, marks: Any
) -> None:
    """Say what was understood of the data, of which some rows may be marked."""
    if talk.to_people:
        from vaetools.cli.describing import describe_data, unused_bits

        tell(describe_data(read, data, plan, seconds, marked=bool(marks)))
        if note := unused_bits(read, plan.model):
            say(note)


def _say_model(kept: Path, read: "TrainingData", plan: Plan, noted: dict[str, Any], talk: Talk) -> None:
    """Say what the file of a trained model says of it, and what it advises; and what was left out."""
    from vaetools.persistence.facts import DetectorFacts, read_facts

    facts = read_facts(kept)
    suspects = [] if plan.by_patches else [read.ids[row] for row in plan.model.suspects_.tolist()]
    if talk.as_json:
        summary = dataclasses.asdict(facts) | noted
        summary |= failed_as_json(read.failed) | left_out_as_json(read.ignored)
        summary |= {"dialect": read.dialect, "notes": list(read.notes)}
        print_json(summary | {"suspects": suspects, "reasons": list(map(in_options, plan.reasons))})
    elif not talk.quiet:
        from vaetools.cli.describing import advice, in_doubt, what_next

        after = what_next(facts) if isinstance(facts, DetectorFacts) else advice(facts)
        told = f"{page(facts)}{after}{in_doubt(suspects, talk.verbose)}"
        tell(f"\nTrained in {noted['seconds']:.1f} s. Written: {printable(str(kept))}\n\n{told}")
    if talk.verbose:
        say_left_out(read.ignored, verbose=True)
