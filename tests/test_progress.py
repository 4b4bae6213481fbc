"""A bar for somebody who watches, lines for a log, nothing where nothing was asked for."""

import io
import os
import sys

import numpy as np
import pytest
from PIL import Image
from tqdm import tqdm

from vaetools import VAE, progress, stream_scores
from vaetools.progress import LINES, bar_options

ROWS = {"desc": "done", "unit": "row"}


@pytest.fixture
def soon(monkeypatch):
    """Lines are due at once."""
    monkeypatch.setattr(progress, "_FIRST", 0.0)
    monkeypatch.setattr(progress, "_LAST", 0.0)


def advanced(n, total):
    with tqdm(total=total, **ROWS, **bar_options(LINES, has_end=total is not None)) as bar:
        for _ in range(n):
            bar.update(1000)


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), (False, False), (1, True), (True, True)])
def test_a_bar_is_shown_or_not(verbose, shown):
    stream = io.StringIO()
    with tqdm(total=2, **ROWS, file=stream, **bar_options(verbose)) as bar:
        bar.update(2)
    assert ("100%" in stream.getvalue()) == shown


def test_a_log_gets_whole_lines_that_tell_what_is_left(soon, capsys):
    advanced(2, 4000)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3
    assert lines[-1].startswith("done: 2,000 of 4,000 rows, 00:0")
    assert lines[-1].endswith(" left")
    assert not any("\r" in line or not line.strip() for line in lines)


def test_lines_grow_rare(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    lines = progress._Lines(sys.stderr)
    written = []
    for second in range(0, 4000, 5):
        now[0] = float(second)
        lines.write(f"\r{second}")
        written += [second] if capsys.readouterr().err else []
    assert written == [10, 20, 40, 80, 160, 320, 640, 1240, 1840, 2440, 3040, 3640]


def test_where_the_end_is_not_known_none_is_told(soon, capsys):
    advanced(2, None)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("done: 2,000 rows, ")
    assert "left" not in last
    assert "?" not in last


def test_short_work_leaves_no_line(capsys):
    advanced(3, 3000)
    assert capsys.readouterr().err == ""


def test_training_counts_steps(soon, capsys, iris):
    VAE(2, max_iter=3, batch_size=64, verbose=LINES, random_state=0).fit(iris[0])
    assert capsys.readouterr().err.splitlines()[-1].startswith("VAE: 6 of 6 steps, ")


def test_what_cannot_be_looked_into_is_counted(soon, tmp_path, monkeypatch, capsys):
    images = np.random.default_rng(0).integers(0, 99, (20, 8, 8), dtype=np.uint8)
    vae = VAE(image_shape=(1, 8, 8), hidden_channels=(), max_iter=1, random_state=0).fit(
        images.reshape(20, -1)
    )
    (tmp_path / "locked").mkdir()
    Image.fromarray(images[0]).save(tmp_path / "0.png")
    stat = os.stat

    def refuse(path, *arguments, **options):
        if os.fspath(path) == str(tmp_path / "locked"):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *arguments, **options)

    monkeypatch.setattr(os, "stat", refuse)
    parts = stream_scores(vae, tmp_path, verbose=LINES)
    assert [len(part.table) for part in parts] == [0, 1]
    assert parts.failed == [(str(tmp_path / "locked"), "Permission denied")]
    assert capsys.readouterr().err.splitlines()[-1].startswith("done: 2 of 2 images, ")
