"""The example of the guide to watching runs, and is true."""

import re
from pathlib import Path
from typing import Any


def test_the_example_runs_and_names_the_column(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    guide = (Path(__file__).parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    first, second = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    exec(compile(first, "watch.md", "exec"), names)
    exec(compile(second, "watch.md", "exec"), names)
    assert 0 < names["result"].p_values.min() <= names["result"].p_values.max() <= 1
    assert 20 < names["result"].n_effective <= 100
    assert (names["first"].kind, names["first"].name) == ("column", "3")
    assert names["watch"].alarm == names["alarm"]
    assert capsys.readouterr().out == f"{names['alarm']}\n"
