"""From terms to verdicts: scores, thresholds and p-values."""
