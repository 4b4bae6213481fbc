"""Every block of the README runs."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line
    for kind, block in BLOCKS
    if kind == "bash"
    for line in block.splitlines()
    if line.startswith("vaetools")
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # tensorboard's own
def test_python_blocks_run_and_say_the_truth(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "README.md", "exec"), names)
    assert names["codes"].shape == (1616, 8)
    assert len(set(names["clusters"])) == 9
    np.testing.assert_array_equal(names["scores"], names["again"])
    assert names["odd"].mean() > 0.5  # the digit it never saw
    assert (names["p_values"] <= 0.05).tolist() == names["odd"].tolist()
    assert list((tmp_path / "runs/digits").iterdir())


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(line, tmp_path, monkeypatch, quick_demo):
    from vaetools.cli import vaetools

    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(vaetools, shlex.split(line)[1:], catch_exceptions=False)
    assert result.exit_code == 0


def test_the_blocks_are_those_that_are_tested():
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds == ["bash", "bash", "python", "python", "bash"]
    install, test = (block for kind, block in BLOCKS[:2])
    assert install.strip().endswith("vaetools demo")
    assert "pytest" in test  # the line that .ci/run reads from here
