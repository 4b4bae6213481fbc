"""The questions of a comparison, and the measures that answer them: names, units, directions, cautions.

How each is computed stands with its function in `vaetools.latent.organization`.
"""

from __future__ import annotations

import dataclasses

from vaetools.words import number


@dataclasses.dataclass(frozen=True)
class MeasureRow:
    """What a measure is, for tables and tooltips.

    Attributes
    ----------
    section : str
        Key of `SECTIONS`.
    label : str
        As in a table, short.
    unit : str
        "" for pure numbers; "%" shows 0.41 as 41 %.
    better : {"higher", "lower", ""}
    digits : int
    caution : str
        When it misleads; "" if never.
    """

    section: str
    label: str
    unit: str
    better: str
    digits: int
    caution: str = ""

    def words(self, value: float) -> str:
        """Return a value with its unit: "41 %", "9.0 nats", "0.913"."""
        if self.unit == "%":
            return f"{number(100 * value, self.digits)} %"
        return f"{number(value, self.digits)} {self.unit}".rstrip()


# the questions of the page, in order
SECTIONS: dict[str, str] = {
    "neighbors": "Are neighbors of the same kind?",
    "gaps": "Are there gaps?",
    "round": "Is it round, as N(0, I) is?",
    "samples": "Can I sample from it?",
    "between": "What lies between two codes?",
    "odd": "Who is odd?",
    "dimensions": "What does each dimension do?",
    "reconstruction": "What does it cost, and how well does it reconstruct?",
}

_OWN = "About 1 % if they are Gaussian; scale and place do not count, so it says nothing of N(0, I)."
_ALIKE = "Does not tell AE from VAE: both keep classes apart."
_DIMENSIONS = "More components keep more, whatever the model."
_PIXELS = "Distances are between pixels or columns, a coarse notion of likeness."
_UNTRUSTED = "A probe is sure even of what resembles no data: read it where few samples lie off the data."
_EITHER = "AE and VAE differ in either direction."

MEASURES: dict[str, MeasureRow] = {
    "trustworthiness": MeasureRow(
        "neighbors", "neighbors in code that are neighbors in data", "", "higher", 3, _PIXELS
    ),
    "continuity": MeasureRow(
        "neighbors", "neighbors in data that stay neighbors in code", "", "higher", 3, _PIXELS
    ),
    "neighborhood_overlap": MeasureRow("neighbors", "shared among 10 nearest", "%", "higher", 0, _DIMENSIONS),
    "knn_accuracy": MeasureRow("neighbors", "class named by 5 nearest codes", "%", "higher", 1, _ALIKE),
    "silhouette": MeasureRow("neighbors", "silhouette of the classes", "", "higher", 2, _ALIKE),
    "cluster_agreement": MeasureRow(
        "neighbors", "k-means finds the classes (adjusted Rand)", "", "higher", 2, _ALIKE
    ),
    "linear_probe": MeasureRow("neighbors", "class named by a linear probe", "%", "higher", 1, _DIMENSIONS),
    "prior_empty": MeasureRow(
        "gaps",
        "prior left empty: draws with no code in reach",
        "%",
        "lower",
        0,
        "About 3 % for codes from N(0, I) itself; an AE was never asked for that.",
    ),
    "holes": MeasureRow("gaps", "holes: far draws from the codes' own Gaussian", "%", "lower", 0, _OWN),
    "off_codes": MeasureRow(
        "gaps",
        "holes, over the same share of held-out codes",
        "",
        "lower",
        1,
        "1 is as rarely as these. It falls when they are far as well, as in an overfitted model.",
    ),
    "off_training": MeasureRow(
        "gaps",
        "new codes that lie off the training codes",
        "%",
        "lower",
        1,
        "About 5 % for rows like those of training; far more if these were learnt by heart.",
    ),
    "moment_kl": MeasureRow(
        "round",
        "moments against N(0, 1), per dimension",
        "nats",
        "lower",
        2,
        "Sees means and spreads alone. A collapsed model is perfectly round.",
    ),
    "sliced_wasserstein": MeasureRow(
        "round",
        "sliced Wasserstein distance to N(0, I)",
        "std",
        "lower",
        2,
        "About 0.03 for 3,000 draws from N(0, I) itself. Gaps vanish along lines in many dimensions.",
    ),
    "effective_rank": MeasureRow(
        "round", "effective rank", "", "", 1, "Does not tell AE from VAE; neither end is better."
    ),
    "correlation": MeasureRow(
        "round",
        "mean absolute correlation between dimensions",
        "",
        "lower",
        2,
        "In few dimensions it may be low by chance.",
    ),
    "off_data": MeasureRow(
        "samples",
        "decoded prior samples that lie off the data",
        "%",
        "lower",
        1,
        "New rows have about 5 %; blurred samples lie near the data, so a collapsed model may look perfect.",
    ),
    "precision": MeasureRow(
        "samples",
        "samples within reach of a row (precision)",
        "%",
        "higher",
        0,
        "Blurred samples are within reach of many rows: read it with recall.",
    ),
    "recall": MeasureRow(
        "samples",
        "rows within reach of a sample (recall)",
        "%",
        "higher",
        0,
        "Near 0 for smooth samples, which reach nowhere; wild ones reach far. Coverage is steadier.",
    ),
    "density": MeasureRow(
        "samples",
        "rows that reach a sample, evenly 1 (density)",
        "",
        "higher",
        2,
        f"Above 1 where samples crowd where rows do. {_EITHER}",
    ),
    "coverage": MeasureRow("samples", "rows that reach a sample (coverage)", "%", "higher", 0),
    "class_entropy": MeasureRow(
        "samples", "how evenly prior samples fall into the classes", "", "higher", 2, _UNTRUSTED
    ),
    "ambiguity": MeasureRow(
        "samples", "prior samples between classes, under a probe", "%", "lower", 0, f"{_EITHER} {_UNTRUSTED}"
    ),
    "path_length": MeasureRow(
        "between",
        "path length of interpolations, straight = 1",
        "",
        "",
        2,
        "A straight line between two images is a cross-fade: 1 is not the aim.",
    ),
    "jumps": MeasureRow("between", "largest step of an interpolation, even = 1", "", "lower", 2, _EITHER),
    "off_data_between": MeasureRow("between", "interpolated rows that lie off the data", "%", "lower", 1),
    "false_alarms": MeasureRow(
        "odd",
        "rows not known to be odd that are flagged",
        "%",
        "",
        1,
        "Of normal rows the model's false_alarm_rate is expected, 5 % unless said; what is odd among these "
        "rows and was not named so (outliers, --outlier) is flagged on top.",
    ),
    "detected": MeasureRow("odd", "known outliers that are flagged", "%", "higher", 1),
    "auroc": MeasureRow("odd", "AUROC of the known outliers", "", "higher", 3),
    "average_precision": MeasureRow(
        "odd",
        "average precision of the known outliers",
        "",
        "higher",
        3,
        "Depends on the share of outliers among the rows.",
    ),
    "active_units": MeasureRow("dimensions", "components in use", "", "", 0),
    "rate": MeasureRow("reconstruction", "rate: KL", "nats", "", 1),
    "distortion": MeasureRow(
        "reconstruction",
        "distortion: reconstruction cost",
        "nats",
        "lower",
        1,
        "Compare models of one likelihood only.",
    ),
    "mse": MeasureRow("reconstruction", "mean squared error", "", "lower", 4),
    "psnr": MeasureRow("reconstruction", "PSNR", "dB", "higher", 1),
    "ssim": MeasureRow("reconstruction", "SSIM", "", "higher", 3),
}
