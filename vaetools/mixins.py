"""Mixins of scikit-learn, with the types of what they return, which it does not say.

At run time they are scikit-learn's own.
"""

from typing import TYPE_CHECKING, Any

import sklearn.base

if TYPE_CHECKING:
    import numpy as np

    class TransformerMixin(sklearn.base.TransformerMixin):  # type: ignore[misc]
        """What transforms."""

        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> np.ndarray:
            """Return what `transform` makes of the rows it was fitted on."""

    class ClassNamePrefixFeaturesOutMixin(sklearn.base.ClassNamePrefixFeaturesOutMixin):  # type: ignore[misc]
        """What has names for the columns it makes."""

        n_features_in_: int
        feature_names_in_: np.ndarray

        def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
            """Return names of columns."""

    class OutlierMixin(sklearn.base.OutlierMixin):  # type: ignore[misc]
        """What flags rows."""

        def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> np.ndarray:
            """Return what `predict` says of the rows it was fitted on."""
else:
    from sklearn.base import ClassNamePrefixFeaturesOutMixin, OutlierMixin, TransformerMixin  # noqa: F401
