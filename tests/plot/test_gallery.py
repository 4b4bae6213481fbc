"""The page of figures runs, names every figure, and calls each in three lines at most."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.report.browser import needs_chromium
from vaetools import plot

FOLDER = Path(__file__).parents[2] / "docs"
PAGE = (FOLDER / "figures.md").read_text(encoding="utf-8")
SETUP, *CALLS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_every_figure_is_called_in_three_lines_at_most():
    assert set(re.findall(r"plot\.(\w+)\(", "".join(CALLS))) == set(plot.__all__)
    assert max(call.count("\n") for call in CALLS) <= 3


def test_every_figure_has_a_small_picture():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE)
    assert sorted(Path(path).stem for path in pictures) == sorted(plot.__all__)
    assert all((FOLDER / path).stat().st_size < 80_000 for path in pictures)


@needs_chromium
@pytest.mark.filterwarnings("ignore:\\n?Support for the 'engine' argument")  # which plotly 6 gives itself
def test_a_figure_is_kept_as_a_picture(tmp_path):
    pytest.importorskip("kaleido", reason="needs kaleido, which draws figures in Chromium")
    scores = np.random.default_rng(0).normal(size=200)
    figure = plot.score_histogram(scores, threshold=-1.5)
    figure.write_image(tmp_path / "scores.png", width=640)
    with Image.open(tmp_path / "scores.png") as picture:
        assert picture.size == (640, figure.layout.height)
        assert len(picture.convert("RGB").getcolors(1_000_000)) > 20  # something is drawn


def test_every_block_makes_a_figure(monkeypatch):
    monkeypatch.setattr(
        "vaetools.latent.projection._LAYOUTS",
        {"umap": lambda settings, codes: codes[:, : settings.n_components]},
    )
    names = {}
    exec(compile(SETUP.replace('"max_iter": 30', '"max_iter": 12'), "figures.md", "exec"), names)
    for call in CALLS:
        figure = eval(compile(call.strip(), "figures.md", "eval"), names)
        assert type(figure).__name__ == "Figure"
        assert figure.layout.title.text
