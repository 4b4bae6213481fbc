"""The example of the guide to watching runs, and is true."""

import re
from pathlib import Path
from typing import Any


def test_the_example_runs_and_names_the_column(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    guide = (Path(__file__).parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    [block] = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    exec(compile(block, "watch.md", "exec"), names)
    assert (names["first"].kind, names["first"].name) == ("column", "3")
    assert names["watch"].alarm == names["alarm"]
    assert capsys.readouterr().out == f"{names['alarm']}\n"
