"""Data of any length through a fitted model: files are opened, and what becomes of them streams into sinks.

`stream_scores` and `stream_codes` read files in parts; a `Sink` takes part after part: `TableFile` writes
them, `Tally` counts them, `Oddest`, `Examples` and `Nearest` keep rows that matter, `Selection` decides which
are odd once all are known, `MapFiles` writes what is odd on every image, `Evaluation` compares with what is
known. `score_with_ray` does the same work on many machines. The commands are made of these, and so can be
what takes their place.

Examples
--------
>>> import tempfile
>>> from pathlib import Path
>>> import numpy as np
>>> from vaetools import VAE
>>> from vaetools.stream import Oddest, Selection, TableFile, stream_scores
>>> rows = np.random.default_rng(0).normal(size=(400, 3))
>>> rows[5] = 9
>>> vae = VAE(max_iter=5, random_state=0).fit(rows[6:])
>>> with tempfile.TemporaryDirectory() as folder:
...     np.save(Path(folder, "rows.npy"), rows)
...     selection, oddest = Selection(vae, 0.5), Oddest(1)
...     file = TableFile(Path(folder, "scores.csv"), selection)
...     parts = stream_scores(vae, Path(folder, "rows.npy")).into(selection, oddest, file)
...     n_lines = len(Path(folder, "scores.csv").read_text().splitlines())
>>> parts.n_rows, n_lines, oddest.table["row"].tolist(), selection.n_odd
(400, 401, [5], 0)
"""

from vaetools.stream.evaluation import Evaluation
from vaetools.stream.examples import Examples
from vaetools.stream.flow import Part, Parts, stream_codes, stream_scores
from vaetools.stream.keeping import Collected, Nearest, Oddest
from vaetools.stream.labeled import read_labeled
from vaetools.stream.map_files import MapFiles
from vaetools.stream.ray import score_with_ray
from vaetools.stream.sinks import Selection, Sink, Tally
from vaetools.stream.table_file import TableFile

__all__ = [
    "Collected",
    "Evaluation",
    "Examples",
    "MapFiles",
    "Nearest",
    "Oddest",
    "Part",
    "Parts",
    "Selection",
    "Sink",
    "TableFile",
    "Tally",
    "read_labeled",
    "score_with_ray",
    "stream_codes",
    "stream_scores",
]
