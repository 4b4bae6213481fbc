"""A small curve of the loss below the diagram of a fitted estimator, drawn without a library."""

import html

import numpy as np
import pandas as pd

from vaetools.words import counted, number

_WIDTH, _HEIGHT, _MARGIN = 240, 56, 3  # pixels
_CLIPPED = 0.97  # share of the losses that must fit: the first epochs would squeeze all others
_MOST_POINTS = 240
_LINES = {"loss": ("trained on", "#0072B2", ""), "held_out_loss": ("held out", "#E69F00", "4 3")}


def loss_sketch(owner: str, history: pd.DataFrame) -> str:
    """Return the loss over the epochs as HTML that fetches nothing: a curve, and a line of words.

    The axis may cut off the first few epochs.

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [9.0, 4.0, 2.5]})
    >>> said = loss_sketch("VAE", history)
    >>> said[said.rindex("<figcaption"):]
    '<figcaption>Loss of VAE over 3 epochs: 9.0 to 2.5 nats</figcaption></figure>'
    """
    shown = {name: history[name].to_numpy(dtype=float) for name in _LINES if name in history}
    shown = {name: values for name, values in shown.items() if np.isfinite(values).any()}
    known = np.concatenate([values[np.isfinite(values)] for values in shown.values()] or [np.zeros(1)])
    low, high = known.min(), np.quantile(known, _CLIPPED)
    lines = "".join(_line(name, values, low, high) for name, values in shown.items())
    losses = history["loss"].to_numpy(dtype=float)
    words = f"Loss of {owner} over {counted(len(history), 'epoch')}: "
    words += f"{number(losses[0], 1)} to {number(losses[-1], 1)} nats"
    if "held_out_loss" in shown:
        words += " (dashed: held out)"
    words = html.escape(words)
    return (
        '<figure style="margin:.4em 0;font:13px system-ui,sans-serif">'
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{words}">{lines}</svg>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _line(name: str, values: np.ndarray, low: float, high: float) -> str:
    """Return the losses of some rows as a line; epochs without one are passed over."""
    label, color, dash = _LINES[name]
    epochs = np.flatnonzero(np.isfinite(values))
    epochs = epochs[np.unique(np.linspace(0, len(epochs) - 1, _MOST_POINTS).astype(int))]
    x = _MARGIN + (_WIDTH - 2 * _MARGIN) * epochs / max(1, len(values) - 1)
    share = np.clip((values[epochs] - low) / ((high - low) or 1.0), 0, 1)
    y = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * share
    points = " ".join(f"{across:.1f},{up:.1f}" for across, up in zip(x, y, strict=True))
    return (
        f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.5" '
        f'stroke-dasharray="{dash}"><title>{label}</title></polyline>'
    )
