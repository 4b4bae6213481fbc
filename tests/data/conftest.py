"""Files of tables, made by the tests."""

import pyarrow as pa
import pytest
from pyarrow import parquet


@pytest.fixture
def write(tmp_path):
    """Write text, bytes or columns of Parquet, and return the path."""

    def write(content, name=None):
        path = tmp_path / (name or ("rows.parquet" if isinstance(content, dict) else "rows.csv"))
        if isinstance(content, dict):
            parquet.write_table(pa.table(content), path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
