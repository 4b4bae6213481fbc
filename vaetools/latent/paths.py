"""Paths through a latent space: arrays of codes to decode, and rows that become each other along them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def interpolate(start: Any, end: Any, n: int) -> np.ndarray:
    """Return evenly spaced codes on the straight line between two codes, both included.

    Parameters
    ----------
    start : array-like of shape (n_components,)
    end : array-like of shape (n_components,)
    n : int
        Number of codes, at least 2.

    Returns
    -------
    Z : ndarray of shape (n, n_components), float64
        The first row is ``start`` and the last is ``end``, exactly.

    Raises
    ------
    ValueError
        If there are fewer than two codes, or the ends differ in shape.

    Examples
    --------
    >>> interpolate([0.0, 4.0], [1.0, 0.0], n=3)
    array([[0. , 4. ],
           [0.5, 2. ],
           [1. , 0. ]])
    """
    start, end = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(
            "interpolate: start and end must be two codes of the same shape (n_components,); "
            f"got {start.shape} and {end.shape}."
        )
    if n < 2:
        raise ValueError(f"interpolate: n must be at least 2; got {n!r}.")
    return np.linspace(start, end, n)  # (n, n_components)


def traverse(center: Any, component: int, values: Any) -> np.ndarray:
    """Return codes of which one component goes over values and the others stay as they are.

    Parameters
    ----------
    center : array-like of shape (n_components,)
        The code to start from, such as the mean code.
    component : int
        Which one goes.
    values : array-like of shape (n_values,)
        What it becomes.

    Returns
    -------
    Z : ndarray of shape (n_values, n_components), float64

    Raises
    ------
    ValueError
        If center is not a code, or has no such component.

    Examples
    --------
    >>> traverse([5.0, 0.0], component=1, values=[-1, 0, 1])
    array([[ 5., -1.],
           [ 5.,  0.],
           [ 5.,  1.]])
    """
    values = np.asarray(values, dtype=np.float64)
    codes = _copies("traverse", center, [component], values.shape)
    codes[..., component] = values
    return codes


def grid(center: Any, components: tuple[int, int], rows: Any, columns: Any) -> np.ndarray:
    """Return codes on a plane: of two components one goes over the rows, the other over the columns.

    Parameters
    ----------
    center : array-like of shape (n_components,)
        What the other components are.
    components : tuple of int
        The two that go: from row to row, and from column to column.
    rows : array-like of shape (n_rows,)
        Values of the first.
    columns : array-like of shape (n_columns,)
        Values of the second.

    Returns
    -------
    Z : ndarray of shape (n_rows, n_columns, n_components), float64

    Raises
    ------
    ValueError
        If center is not a code, or has no such components.

    Examples
    --------
    >>> grid([0.0, 0.0, 9.0], components=(0, 1), rows=[1, 2], columns=[5, 6, 7])[1]
    array([[2., 5., 9.],
           [2., 6., 9.],
           [2., 7., 9.]])
    """
    rows, columns = np.asarray(rows, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    codes = _copies("grid", center, components, rows.shape + columns.shape)
    codes[..., components[0]] = rows[:, None]
    codes[..., components[1]] = columns
    return codes


def _copies(owner: str, center: Any, components: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """Return copies of a code that has these components, ``(*shape, n_components)``."""
    center = np.asarray(center, dtype=np.float64)
    if center.ndim != 1:
        raise ValueError(f"{owner}: center must be one code of shape (n_components,); got {center.shape}.")
    missing = [component for component in components if not 0 <= component < len(center)]
    if missing or len(set(components)) < len(components):
        raise ValueError(
            f"{owner}: components must be different ones of 0 to {len(center) - 1}; "
            f"got {', '.join(map(str, components))}."
        )
    return np.tile(center, (*shape, 1))


def morph(
    model: Any,
    ends: np.ndarray,
    n: int,
    label_weights: np.ndarray | None = None,
    *,
    decode: Callable[..., np.ndarray] | None = None,
) -> np.ndarray:
    """Decode the straight line between the codes of two rows.

    A conditional model decodes the line once as each label, and the label goes over as the code does.

    ``ends`` are the first and the last row; of ``n`` steps the first and the last are their reconstructions.
    ``label_weights``, of shape (2, n_classes), are what the ends are to a conditional model; None takes what
    the model believes, ``label_proba``. ``decode`` makes numbers of codes, and a label; None decodes as the
    model does.
    """
    decode = decode or model.inverse_transform
    if not hasattr(model, "classes_"):
        first, last = np.asarray(model.transform(ends))
        return decode(interpolate(first, last, n))
    weights = model.label_proba(ends) if label_weights is None else label_weights
    labels = [(y, label) for y, label in enumerate(model.classes_.tolist()) if weights[:, y].any()]
    first, last = sum(weights[:, [y]] * model.posterior(ends, label).mean for y, label in labels)
    line = interpolate(first, last, n)
    shares = np.linspace(weights[0], weights[1], n)  # (n, n_classes)
    mixed: np.ndarray = sum(shares[:, [y]] * decode(line, label) for y, label in labels)
    return mixed
