"""Many rows in one figure: images side by side, or lines over the columns of a table."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaetools.plot.finish import finished
from vaetools.report.figures import Lines, bare, escaped, standardized
from vaetools.report.models import Opened
from vaetools.report.pictures import mosaic, png_uri, tile
from vaetools.words import shortened

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_WIDTH, _LARGEST = 620, 64  # pixels of all images side by side, and of one
_PER_SIGN = 6.5  # pixels of the name of a line of images
_LONGEST_NAME = 24  # signs


def in_unit(model: Opened, *parts: np.ndarray) -> list[np.ndarray]:
    """Return rows of images from black, 0, to white, 1; on no known scale from least to most."""
    scale = model.estimator.input_scale_
    if scale.of_levels or scale.in_unit_interval:
        return [np.clip(part, 0, 1) for part in parts]
    low, high = min(part.min() for part in parts), max(part.max() for part in parts)
    if low >= 0 and high <= 1:
        return list(parts)
    return [(part - low) / ((high - low) or 1.0) for part in parts]


def image_lines(
    lines: Sequence[np.ndarray],
    names: Sequence[str],
    image_shape: tuple[int, int, int],
    *,
    title: str,
    reading: str,
    columns: Sequence[str] = (),
    x: str = "",
) -> "Figure":
    """Draw lines of images, rows of pixels in [0, 1], a name to the left of every line.

    ``columns`` stand below the images, and ``x`` says what they are.
    """
    _, height, width = image_shape
    n_columns = max(map(len, lines))
    pictures = np.stack([tile(line, image_shape, n_columns) for line in lines])
    picture = mosaic(pictures, 1, gap=1)
    zoom = min(_LARGEST / max(height, width), _WIDTH / picture.shape[1])
    figure = bare(round(picture.shape[0] * zoom) + (84 if x else 40))
    figure.add_image(source=png_uri(picture), hoverinfo="skip")
    names = [escaped(shortened(name, _LONGEST_NAME)) for name in names]
    frame = {"showgrid": False, "zeroline": False, "ticks": "", "showline": False}
    figure.update_xaxes(
        tickvals=_middles(len(columns), width),
        ticktext=list(columns),
        range=[-0.5, picture.shape[1] - 0.5],
        constrain="domain",
        constraintoward="left",
        title_text=x,
        **frame,
    )
    figure.update_yaxes(
        tickvals=_middles(len(names), height),
        ticktext=names,
        range=[picture.shape[0] - 0.5, -0.5],
        scaleanchor="x",
        constrain="domain",
        constraintoward="top",
        ticklabelstandoff=6,
        **frame,
    )
    longest = max(map(len, names), default=0)
    figure.update_layout(margin={"l": 20 + round(_PER_SIGN * longest), "t": 10, "b": 56 if x else 14})
    return finished(figure, title, reading).update_layout(plot_bgcolor="rgba(0,0,0,0)")


def table_lines(
    model: Opened,
    content: Mapping[str, Sequence[Lines]],
    *,
    title: str,
    reading: str,
    grows: bool = False,
) -> "Figure":
    """Draw rows of a table over its columns, a panel per title, in standard deviations if the model does."""
    scale = model.estimator.input_scale_
    columns = _columns(model)
    figure, n_kept = standardized(content, columns, scale.shift, scale.scale, grows=grows)
    unit = "standard deviations of the training rows, from their mean" if scale.standardizes else "units of X"
    reading += f" Values are in {unit}."
    if len(columns) > n_kept:
        reading += f" Shown are the {n_kept} columns that vary most, of {len(columns)}."
    figure.update_yaxes(title_text="standard deviations" if scale.standardizes else "value (units of X)")
    return finished(figure, title, reading)


def _middles(n: int, side: int) -> np.ndarray:
    """Return where the middles of images are that stand a pixel apart."""
    return np.arange(n) * (side + 1) + (side - 1) / 2


def _columns(model: Opened) -> np.ndarray:
    """Return the names of the columns that a model was fitted on, else their numbers."""
    names = getattr(model.estimator, "feature_names_in_", range(model.estimator.n_features_in_))
    return np.asarray(names).astype(str)
