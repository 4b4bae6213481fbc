"""The face: scikit-learn estimators on the outside, `vaetools.nn` on the inside."""
