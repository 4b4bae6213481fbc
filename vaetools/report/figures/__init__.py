"""One function per figure: plain arrays become a plotly Figure.

Figures carry no text color and no background: the page sets both for light and dark. Names are
escaped, because plotly reads markup in them. Every color is backed by a symbol or a dash.
"""

from vaetools.report.figures.costs import kl_per_component, loss_curves, rate_distortion
from vaetools.report.figures.maps import code_density, latent_maps
from vaetools.report.figures.profiles import Lines, aggregated_posterior, profiles
from vaetools.report.figures.style import COLORS, DASHES, SYMBOLS
from vaetools.report.figures.verdicts import detection_curves, score_histograms

__all__ = [
    "COLORS",
    "DASHES",
    "SYMBOLS",
    "Lines",
    "aggregated_posterior",
    "code_density",
    "detection_curves",
    "kl_per_component",
    "latent_maps",
    "loss_curves",
    "profiles",
    "rate_distortion",
    "score_histograms",
]
