"""Types of what fits leave, for type checkers; what each means stands in the estimators' documentation."""

import numpy as np
import pandas as pd

from vaetools.estimators.context import Context
from vaetools.nn.model import Autoencoder


class Learnt:
    """What an autoencoder has once it is fitted, where that is set by functions beside it."""

    model_: Autoencoder
    anomaly_score_: str
    score_state_: dict[str, dict[str, np.ndarray]]
    heat_range_: np.ndarray
    structure_range_: np.ndarray
    mean_terms_: pd.DataFrame
    kl_per_component_: np.ndarray
    active_units_: np.ndarray
    code_range_: np.ndarray
    reference_codes_: np.ndarray
    tail_: float | None
    gaussian_scale_: str
    n_marked_odd_: int
    column_labels_: np.ndarray
    classes_: np.ndarray
    class_prior_: np.ndarray
    context_: Context
    context_places_: np.ndarray
