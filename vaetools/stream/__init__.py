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

A sink of your own says what becomes of a part, and `Collected` keeps what a function makes of each. `Nearest`
takes parts of codes:

>>> from vaetools.stream import Collected, Nearest, Part, Parts, Sink, Tally, stream_codes
>>> class Lowest(Sink):
...     value = float("inf")
...
...     def add(self, part: Part):
...         self.value = min(self.value, part.table["score"].min())
>>> with tempfile.TemporaryDirectory() as folder:
...     path = Path(folder, "rows.npy")
...     np.save(path, rows)
...     lowest, sizes, tally = Lowest(), Collected(lambda part: part.X.shape), Tally(vae)
...     parts = stream_scores(vae, path).into(lowest, sizes, tally)
...     nearest = Nearest(vae.transform(rows[:1]), 2, lambda name: name == 0)
...     parts: Parts = stream_codes(vae, path).into(nearest)
>>> sizes.parts, tally.n_rows, len(nearest.table), bool(lowest.value < vae.score_samples(rows[:5]).min())
([(400, 3)], 400, 2, True)

Of images `MapFiles` writes maps, `Examples` keeps the oddest of every sub-folder, `Evaluation` compares with
the names of folders, and `read_labeled` takes these as labels:

>>> from PIL import Image
>>> from vaetools.stream import Evaluation, Examples, MapFiles, read_labeled
>>> good = np.random.default_rng(0).integers(0, 99, (100, 8, 8), dtype=np.uint8)
>>> shape = {"image_shape": (1, 8, 8), "hidden_channels": ()}
>>> vae = VAE(**shape, max_iter=5, random_state=0).fit(good.reshape(100, -1))
>>> with tempfile.TemporaryDirectory() as folder:
...     for kind, image in (("good", good[0]), ("blank", 0 * good[0])):
...         Path(folder, "test", kind).mkdir(parents=True)
...         Image.fromarray(image).save(Path(folder, "test", kind, "1.png"))
...     test = str(Path(folder, "test"))
...     maps = MapFiles(Path(folder, "maps"), vae, test)
...     sinks = evaluation, examples, _ = Evaluation(vae, test), Examples(1, test), maps
...     parts = stream_scores(vae, test).into(*sinks)
...     labels = read_labeled(vae, test).y.tolist()
...     n_files = len(list(Path(folder, "maps").rglob("*.tif")))
>>> labels, n_files, [len(table) for table in examples.of("good")]
(['blank', 'good'], 2, [0, 1])
"""

from vaetools.stream.evaluation import Evaluation
from vaetools.stream.flow import Part, Parts, stream_codes, stream_scores
from vaetools.stream.keeping import Collected, Examples, Nearest, Oddest
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
