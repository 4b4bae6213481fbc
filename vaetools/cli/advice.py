"""What ``vaetools fit`` advises after training, from what the file says of the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaetools.persistence.facts import Facts

_FEW_STEPS = 200  # that hardly teach anything


def advice(facts: Facts) -> str:
    """Return what to mistrust of a model and what to do: few steps, rows learnt by heart; else nothing."""
    short, costly = _few_steps(facts), _by_heart(facts)
    return costly or short if facts.n_suspects else short or costly  # what odd rows cost is no chance


def _steps_per_epoch(facts: Facts) -> int:
    """Return how many steps an epoch took."""
    n_rows = (facts.n_samples or 0) - facts.n_suspects - facts.n_calibration
    return math.ceil(n_rows / int(facts.parameters["batch_size"]))


def _few_steps(facts: Facts) -> str:
    """Say that training was short, if so: what rows cost then is chance."""
    n_steps = facts.n_iter * _steps_per_epoch(facts)
    if not 0 < n_steps < _FEW_STEPS:
        return ""
    return (
        f"\n\nTrained for {n_steps} step{'s' if n_steps > 1 else ''} alone, which may teach it nothing; "
        "hundreds are usual. Raise --max-iter."
    )


def _by_heart(facts: Facts) -> str:
    """Say what to do if rows that the model was not trained on cost it far more than others, if so."""
    from vaetools.anomaly.calibration import n_rows_needed
    from vaetools.report.faults import learnt_by_heart

    costs = {part: sum(terms.values()) for part, terms in facts.mean_terms.items()}
    if len(costs) < 2 or not learnt_by_heart(
        costs["train"], costs["held_out"], facts.n_features, likelihood=str(facts.parameters["likelihood"])
    ):
        return ""
    if facts.n_suspects:
        return (
            "\n\nHeld-out rows cost far more than training rows, of which the oddest were left out. If odd "
            "ones are among\nthe held-out, the threshold lies too low: give --contamination, so that none "
            "are held out, or vaetools\nrecalibrate with rows that are normal."
        )
    calibrated = facts.n_calibration >= n_rows_needed(facts.parameters["false_alarm_rate"])
    holds = " Its\nthreshold holds all the same, but it finds less. " if calibrated else "\n"
    fewer = facts.n_iter // 4
    enough = fewer * _steps_per_epoch(facts) >= _FEW_STEPS
    epochs = f", or --max-iter {fewer}" if enough else ""
    noise = "" if facts.parameters["input_noise"] else ", or --set input_noise=0.1"
    return (
        "\n\nHeld-out rows cost far more than training rows: the model has learnt much of those by heart."
        f"{holds}More rows may help{epochs}{noise}."
    )
