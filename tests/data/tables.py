"""What tests read from tables."""

import numpy as np


def everything(table, n_rows=65536):
    """All ids, rows and failures of a table."""
    batches = list(table.batches(n_rows))
    assert all(batch.X.dtype == np.float64 and batch.X.shape[1] == len(table.columns) for batch in batches)
    assert all(len(batch.ids) == len(batch.X) for batch in batches)
    ids = [id for batch in batches for id in batch.ids]
    rows = [row for batch in batches for row in batch.X.tolist()]
    return ids, rows, [failure for batch in batches for failure in batch.failed]
