"""How a latent space is organized: a function of arrays per measure, in a file per question.

`neighbors` are kept, `classes` lie together, there are no `gaps`, the cloud has the prior's `roundness`,
`samples` look like data and `probes` name them, and what is `decoded` is what was encoded, or changes evenly
between two codes.
"""

from vaetools.latent.organization.classes import cluster_agreement, knn_accuracy, linear_probe, silhouette
from vaetools.latent.organization.decoded import jumps, mse, path_length, psnr, ssim
from vaetools.latent.organization.gaps import holes, off_codes, prior_empty
from vaetools.latent.organization.measure import Measure
from vaetools.latent.organization.neighbors import (
    continuity,
    neighborhood_overlap,
    neighbors_kept,
    trustworthiness,
)
from vaetools.latent.organization.probes import ambiguity, class_entropy, knn_probabilities
from vaetools.latent.organization.roundness import (
    active_units,
    collapsed,
    correlation,
    effective_rank,
    moment_kl,
    sliced_wasserstein,
)
from vaetools.latent.organization.samples import coverage, density, off_data, prdc, precision, recall

__all__ = [
    "Measure",
    "active_units",
    "ambiguity",
    "class_entropy",
    "cluster_agreement",
    "collapsed",
    "continuity",
    "correlation",
    "coverage",
    "density",
    "effective_rank",
    "holes",
    "jumps",
    "knn_accuracy",
    "knn_probabilities",
    "linear_probe",
    "moment_kl",
    "mse",
    "neighborhood_overlap",
    "neighbors_kept",
    "off_codes",
    "off_data",
    "path_length",
    "prdc",
    "precision",
    "prior_empty",
    "psnr",
    "recall",
    "silhouette",
    "sliced_wasserstein",
    "ssim",
    "trustworthiness",
]
