"""What training did: losses over the epochs, and the dimensions that came into use."""

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaetools.estimators.engine import Engine
from vaetools.plot.finish import finished
from vaetools.plot.subjects import is_array, numbers, opened
from vaetools.report.questions import dimensions
from vaetools.report.questions.reconstruction import TWO_SCALES, loss_curves

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_USED = 0.01  # nats: what an array of KL has less of is drawn as not in use


def loss_history(model: Any) -> "Figure":
    """Draw the loss over the epochs of training.

    Parameters
    ----------
    model : fitted autoencoder, dict of some by name, or DataFrame
        Pipelines that end in one are taken, too; a DataFrame is a ``history_``.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A panel per model: the rows trained on, and where early stopping watched them those held out. The axis
        may cut off the first few epochs.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, or was not trained.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from vaetools import VAE, plot
    >>> vae = VAE(2, max_iter=20, random_state=0).fit(load_iris().data)
    >>> [(trace.name, len(trace.x)) for trace in plot.loss_history(vae).data]
    [('trained on', 20)]
    """
    if isinstance(model, pd.DataFrame):
        models, histories = [], {"": model}
    else:
        models = opened("loss_history", model)
        histories = {each.name: each.estimator.history_ for each in models}
    for name, own in histories.items():
        if not {"epoch", "loss"} <= set(own) or not len(own):
            what = f"{len(own)} epochs with columns {list(own)}" + (f" of {name!r}" if name else "")
            raise ValueError(
                f"plot.loss_history: model must have a history of at least one epoch; got {what}. With "
                "max_iter=0 nothing is trained."
            )
    watched = any("held_out_loss" in own and own["held_out_loss"].notna().any() for own in histories.values())
    reading = (
        "Lower is better: held-out rows (dashed) that get worse while those trained on get better mean "
        "overfitting."
        if watched
        else "Lower is better, and a curve that still falls at its end asks for more epochs. It is of the "
        "rows "
        "trained on alone, and cannot show overfitting: early_stopping=True watches held-out rows, too."
    )
    if watched and any(each.trains_by_one_scale for each in models):
        reading = f"{reading} {TWO_SCALES}"
    return finished(loss_curves(histories), "Loss over the epochs of training", reading)


def kl_per_dimension(model: Any, X: Any = None) -> "Figure":
    """Draw what each latent dimension tells of a row, in nats of KL.

    Parameters
    ----------
    model : fitted VAE or CVAE, dict of some by name, or array-like of shape (n_components,)
        Pipelines that end in one are taken, too; an array holds KL in nats.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Rows to average over; None takes those trained on.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        A line per model, the dearest component first; hollow marks are not in use.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is not one of these, or has no KL, as an AE.

    Examples
    --------
    >>> from vaetools import plot
    >>> figure = plot.kl_per_dimension([0.0, 2.5, 1.0])
    >>> figure.data[0].y, figure.data[0].customdata
    (array([2.5, 1. , 0. ]), array([2, 3, 1]))
    """
    if is_array(model):
        own = numbers("kl_per_dimension", "KL", model, 1)
        kl, used = {"KL": own}, {"KL": own >= _USED}
    else:
        kl, used = {}, {}
        for each in opened("kl_per_dimension", model, X):
            if not each.has_prior:
                raise ValueError(
                    "plot.kl_per_dimension: the codes of a model must have a prior, as those of a VAE; got "
                    f"{type(each.estimator).__name__}, whose codes cost no KL."
                )
            kl[each.name], used[each.name] = _kl(each.estimator, each.rows), each.in_use
    figure = dimensions.kl_per_component(kl, used)
    reading = (
        "KL is how many nats a dimension tells of a row on average, beyond the prior. Dimensions near 0 "
        "(hollow) are "
        "collapsed: they carry nothing, and more of them would not help."
    )
    return finished(figure, "KL per latent dimension", reading)


def _kl(estimator: Any, rows: Any) -> np.ndarray:
    """Return the mean KL of every component, of a conditional model averaged over labels."""
    if rows is None:
        of_rows: np.ndarray = estimator.kl_per_component_
        return of_rows
    [kl] = Engine(estimator).ask(rows, attrgetter("kl"))
    mean: np.ndarray = kl[:, : len(estimator.active_units_)].mean(axis=0)
    return mean
