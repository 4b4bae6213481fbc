"""How a latent space is organized: a function of arrays per measure, in a file per question.

`neighbors` are kept, `classes` lie together, there are no `gaps`, the cloud has the prior's `roundness`,
`samples` look like data and `probes` name them, what is `decoded` is what was encoded, or changes evenly
between two codes, the `cloud` has so many dimensions and parts, and single ones stand for `factors`: each for
one (`disentanglement`), or at least in `agreement` of two seeds.
"""

from vaetools.latent.organization.agreement import matched_correlation
from vaetools.latent.organization.classes import cluster_agreement, knn_accuracy, linear_probe, silhouette
from vaetools.latent.organization.cloud import intrinsic_dimension, separation
from vaetools.latent.organization.decoded import jumps, mse, path_length, psnr, ssim
from vaetools.latent.organization.disentanglement import dci
from vaetools.latent.organization.factors import attribute_predictability, mutual_information_gap
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
    "attribute_predictability",
    "class_entropy",
    "cluster_agreement",
    "collapsed",
    "continuity",
    "correlation",
    "coverage",
    "dci",
    "density",
    "effective_rank",
    "holes",
    "intrinsic_dimension",
    "jumps",
    "knn_accuracy",
    "knn_probabilities",
    "linear_probe",
    "matched_correlation",
    "moment_kl",
    "mse",
    "mutual_information_gap",
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
    "separation",
    "silhouette",
    "sliced_wasserstein",
    "ssim",
    "trustworthiness",
]
