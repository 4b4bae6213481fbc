"""``vaetools morph``: what lies between two images, according to a model."""

from pathlib import Path

import click

from vaetools.cli import command, outputs
from vaetools.cli.saying import print_json, say

_image = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Decode the way from one image to another.")
@command.model_argument
@click.argument("first", metavar="A.png", type=_image)
@click.argument("last", metavar="B.png", type=_image)
@click.option(
    "--steps",
    type=click.IntRange(2),
    metavar="N",
    default=9,
    show_default=True,
    help="Images to decode, with the reconstructions of both ends.",
)
@command.output_option("PNG picture to write.", required=True)
@command.device_option
@command.json_option
def morph(
    model: Path, first: Path, last: Path, steps: int, output: Path, device: str | None, as_json: bool
) -> None:
    """Decode the straight way from one image to another through the latent space of a trained MODEL.

    The picture is a strip: the two images as the model sees them at the ends, set apart, and between
    them what the codes on the line between theirs decode to. A CVAE goes from the label that it takes
    the first image for to that of the last.

    \b
    Examples:
      vaetools morph boards.safetensors left.png right.png -o strip.png
      vaetools morph faces.safetensors ann.jpg ben.jpg --steps 15 -o strip.png

    \b
    Keys of --json:
      n_steps, output
    """
    outputs.check_output(output, (".png",), [model, first, last])
    import numpy as np
    from PIL import Image

    from vaetools.data.reader import reader_for
    from vaetools.latent.paths import morph as decode_between
    from vaetools.report.pictures import GAP, picture

    opened = command.Opened(model, device, codes_for="morph")
    opened.refuse_context()
    estimator = opened.estimator
    reader = opened.reader or reader_for(estimator)
    if reader is None:
        raise click.ClickException(
            "morph needs a model of gray or RGB images: one fitted behind an ImageReader, or on 8-bit "
            f"pixels with image_shape; got a {type(estimator).__name__} with "
            f"image_shape {estimator.image_shape} and input scale {estimator.input_scale_.kind!r}."
        )
    ends, shape = reader.transform([first, last]), tuple(reader.image_shape_)
    made, shown = decode_between(estimator, ends, steps), estimator.input_scale_.shown(ends)
    left, middle, right = (
        np.asarray(picture(part, shape, n_columns=len(part))) for part in (shown[:1], made, shown[1:])
    )
    bar = np.full_like(left[:, : left.shape[1] // shape[2] * max(1, shape[2] // 4)], GAP)
    strip = Image.fromarray(np.concatenate([left, bar, middle, bar, right], axis=1))
    outputs.write_png(output, strip)
    if as_json:
        print_json({"n_steps": steps, "output": output})
    else:
        say(f"{steps} steps decoded. Written: {output}")
