"""The blocks of the guide run, and it names every measure."""

import re
from pathlib import Path

from vaetools.latent import organization

GUIDE = (Path(__file__).parents[3] / "docs" / "organization.md").read_text(encoding="utf-8")


def test_blocks_run(monkeypatch):
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 100)
    names = {}
    for block in re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL):
        exec(compile(block, "organization.md", "exec"), names)
    assert names["round_enough"].value < 1
    assert names["far_from_data"].value < 0.5 < names["which_digits"].value
    assert names["same_class"].low > 0.3


def test_it_names_every_measure():
    named = set(re.findall(r"`(\w+)`", GUIDE))
    assert set(organization.__all__) - named == {"knn_probabilities"}
