"""Figures of fitted models, for those who write Python: each is one call, and a plotly figure.

Maps and codes: `latent_map`, `codes`. What a decoder makes: `samples`, `traversal`, `interpolation`,
`reconstructions`. Training: `loss_history`, `kl_per_dimension`. Verdicts: `score_histogram`,
`calibration_curve`.

Each takes a fitted model and rows, or several models by name, which are drawn side by side; where numbers
alone make the figure, an array takes the model's place. Under its title a figure says how to read it. Colors
of text and ground are those of ``plotly.io.templates.default``: ``"plotly_dark"`` suits dark pages.
``show()`` draws a figure, ``write_html`` keeps it, and ``write_image`` too where the package kaleido is
installed.
"""

from vaetools.plot.decoded import interpolation, reconstructions, samples, traversal
from vaetools.plot.judging import calibration_curve, score_histogram
from vaetools.plot.maps import codes, latent_map
from vaetools.plot.training import kl_per_dimension, loss_history

__all__ = [
    "calibration_curve",
    "codes",
    "interpolation",
    "kl_per_dimension",
    "latent_map",
    "loss_history",
    "reconstructions",
    "samples",
    "score_histogram",
    "traversal",
]
