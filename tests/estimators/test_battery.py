"""scikit-learn's common checks; `benchmarks/estimator_checks.py` runs them with full training."""

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.variants import EXPECTED_FAILURES, VARIANTS

SHORT = [clone(variant).set_params(max_iter=2) for variant in VARIANTS.values()]


# rows are few and labels made of features in these checks: our warnings are their subject
@pytest.mark.filterwarnings(
    "ignore:.*calibrat",
    "ignore:.*no row that trains has (one of the labels|some categories)",  # of few rows, without a seed
    "ignore::sklearn.exceptions.ConvergenceWarning",
)
@parametrize_with_checks(SHORT, expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learn_check(estimator, check):
    check(estimator)
