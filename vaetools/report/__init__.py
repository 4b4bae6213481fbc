"""Showing: arrays become figures and pages. Takes fitted models, never imports an estimator."""
