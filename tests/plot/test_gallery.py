"""The page of figures runs, names every figure, and calls each in three lines at most."""

import re
from pathlib import Path

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
