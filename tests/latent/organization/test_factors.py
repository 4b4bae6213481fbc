"""Dimensions and factors: equal to plain implementations of the papers, right where the answer is known."""

import itertools
import math

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from vaetools.latent.organization import (
    attribute_predictability,
    dci,
    matched_correlation,
    mutual_information_gap,
)

N = 600
RNG = np.random.default_rng(0)
CLASSES = np.c_[RNG.integers(3, size=N), RNG.integers(5, size=N)]
NUMBER = RNG.normal(size=N)
FACTORS = np.c_[CLASSES, NUMBER]
CONTINUOUS = [False, False, True]
NOISE = 0.3 * RNG.normal(size=(N, 4))
CODES = np.c_[CLASSES, NUMBER, CLASSES[:, 0] + NUMBER] + NOISE  # the last dimension mixes two factors


def entropy(shares):
    return -sum(share * math.log(share) for share in shares if share > 0)


def gap(scores):
    first, second = sorted(scores, reverse=True)[:2]
    return first - second


def halves():
    index = np.random.default_rng(0).permutation(N)
    return index[::2], index[1::2]


def test_the_mutual_information_gap_is_that_of_its_definition():
    def bins(values):
        return np.digitize(values, np.histogram(values, 20)[1][1:-1])

    gaps = []
    for factor, is_number in zip(FACTORS.T, CONTINUOUS, strict=True):
        classes = bins(factor) if is_number else factor
        scores = [mutual_info_score(classes, bins(code)) for code in CODES.T]
        gaps.append(gap(scores) / entropy(np.unique(classes, return_counts=True)[1] / N))
    found = mutual_information_gap(CODES, FACTORS, continuous=CONTINUOUS)
    assert found.value == pytest.approx(sum(gaps) / 3, abs=1e-6)
    assert found.low < found.value < found.high


def test_dci_is_that_of_its_definition():
    train, test = halves()
    columns, told = [], []
    for factor, is_number in zip(FACTORS.T, CONTINUOUS, strict=True):
        forest = (RandomForestRegressor if is_number else RandomForestClassifier)(
            50, max_features=None, random_state=0
        )
        forest.fit(CODES[train], factor[train])
        columns.append(forest.feature_importances_)
        told.append(forest.score(CODES[test], factor[test]))
    used = np.array(columns).T
    rows = [1 - entropy(row / row.sum()) / math.log(3) for row in used]
    disentanglement = sum(d * row.sum() for d, row in zip(rows, used, strict=True)) / used.sum()
    ways = [1 - entropy(column / column.sum()) / math.log(4) for column in used.T]
    completeness = sum(c * column.sum() for c, column in zip(ways, used.T, strict=True)) / used.sum()
    found = dci(CODES, FACTORS, continuous=CONTINUOUS)
    expected = {
        "disentanglement": disentanglement,
        "completeness": completeness,
        "informativeness": sum(told) / 3,
    }
    assert {name: each.value for name, each in found.items()} == pytest.approx(expected, abs=1e-6)
    assert all(each.low < each.value < each.high for each in found.values())


def test_attribute_predictability_is_that_of_its_definition():
    train, test = halves()
    gaps = []
    for factor, is_number in zip(FACTORS.T, CONTINUOUS, strict=True):
        scores = []
        for code in CODES.T:
            if is_number:
                scores.append(np.corrcoef(code[test], factor[test])[0, 1] ** 2)
                continue
            column = (code - code[train].mean()) / code[train].std()
            probe = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            probe.fit(column[train, None], factor[train].astype(int))
            scores.append(probe.score(column[test, None], factor[test].astype(int)))
        gaps.append(gap(scores))
    found = attribute_predictability(CODES, FACTORS, continuous=CONTINUOUS)
    assert found.value == pytest.approx(sum(gaps) / 3, abs=1e-6)
    assert found.low < found.value < found.high


def test_a_matched_correlation_is_that_of_the_best_of_all_matches():
    rng = np.random.default_rng(1)
    other = CODES[:, [2, 0, 3, 1]] * [-1, 5, 1, 0.1] + rng.normal(size=(N, 4))
    table = np.abs(np.corrcoef(CODES.T, other.T)[:4, 4:])
    best = max(
        np.mean([table[i, j] for i, j in enumerate(order)]) for order in itertools.permutations(range(4))
    )
    assert matched_correlation(CODES, other).value == pytest.approx(best, abs=1e-9)
    assert matched_correlation(CODES[:, :2], CODES).value == pytest.approx(1)
    turned = CODES[:, :2] @ np.array([[1, 1], [-1, 1]])
    assert matched_correlation(CODES[:, :2], turned).value < 0.95


def test_one_factor_per_dimension_is_told_from_factors_that_all_dimensions_share():
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(2, 2)))[0]
    alone = CLASSES / CLASSES.std(axis=0) + NOISE[:, :2] / 10
    shared = alone @ np.array([[1, 1], [-1, 1]]) / math.sqrt(2)
    assert abs(np.linalg.det(turn)) == pytest.approx(1)
    for measure in (mutual_information_gap, attribute_predictability):
        assert measure(alone, CLASSES).low > measure(shared, CLASSES).high + 0.1
    for name in ("disentanglement", "completeness"):
        assert dci(alone, CLASSES)[name].low > dci(shared, CLASSES)[name].high + 0.2


@pytest.mark.parametrize("measure", [mutual_information_gap, attribute_predictability])
def test_shift_scale_and_order_of_dimensions_change_nothing(measure):
    moved = CODES[:, ::-1] * [3.0, 0.5, 10, 1] + 7
    assert measure(moved, CLASSES).value == pytest.approx(measure(CODES, CLASSES).value, abs=1e-3)


def test_names_are_classes_and_factors_that_do_not_vary_do_not_count():
    names = np.array(["a", "b", "c"])[CLASSES[:, 0]]
    given = np.c_[names, np.full(N, "x")]
    assert mutual_information_gap(CODES, given) == mutual_information_gap(CODES, CLASSES[:, 0])
    assert math.isnan(mutual_information_gap(CODES, np.ones(N)).value)
    assert all(math.isnan(each.value) for each in dci(CODES, np.ones(N)).values())
    assert math.isnan(dci(CODES, names)["disentanglement"].value)


@pytest.mark.parametrize("measure", [mutual_information_gap, attribute_predictability, dci])
def test_refusals_name_what_came(measure):
    with pytest.raises(ValueError, match=r"factors must have a row per code; got \(3,\) for \(600, 4\)"):
        measure(CODES, np.arange(3))
    with pytest.raises(
        ValueError, match="of every factor whether it is a number; got 1 values for 2 factors"
    ):
        measure(CODES, CLASSES, continuous=[True])
    with pytest.raises(ValueError, match="got one of 600 different values in 600 rows that are told as"):
        measure(CODES, NUMBER)
    with pytest.raises(ValueError, match="values must be finite"):
        measure(CODES, np.where(np.arange(N) == 0, np.nan, NUMBER), continuous=[True])
