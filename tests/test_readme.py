"""Every block of the README runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.data.pictures import noise
from vaetools.__main__ import main

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line
    for kind, block in BLOCKS
    if kind == "bash"
    for line in block.splitlines()
    if line.startswith("vaetools")
]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Go where the README's files are: small photos, and small tables."""
    monkeypatch.chdir(tmp_path)
    for folder, n in (("train/good", 100), ("test/good", 30), ("test/defective", 10)):
        path = tmp_path / "photos" / folder
        path.mkdir(parents=True)
        for i in range(n):
            noise(70, 70, seed=i).convert("L").save(path / f"{i}.png")
    rows = np.random.default_rng(0).normal(size=(200, 2)) * [1, 1e5]
    table = pd.DataFrame(rows, columns=["items", "total"]).assign(order=range(200))
    table.to_csv("sales.csv", index=False)
    table.head(50).to_csv("today.csv", index=False)
    cars = pd.DataFrame({"km": rows[:, 0], "fuel": np.where(rows[:, 1] > 0, "diesel", None)})
    cars = cars.assign(zip=[f"{i % 3:05}" for i in range(200)], plate=range(200))
    for name in ("cars.csv", "new.csv"):
        cars.to_csv(name, index=False)


@pytest.fixture
def short_training(monkeypatch):
    """Let training be over soon where the README does not say how long it is."""
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 2)
    monkeypatch.setattr("vaetools.estimators.building._AUTO_EPOCHS", 1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # tensorboard's own
def test_python_blocks_run_and_say_the_truth(tmp_path, files, monkeypatch):
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 500)  # a quarter is enough to be true
    names = {}
    for kind, block in BLOCKS:
        if kind == "python":
            if "read_images" in block:
                monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 2)
                monkeypatch.setattr("vaetools.estimators.building._AUTO_EPOCHS", 1)
            exec(compile(block, "README.md", "exec"), names)
    assert names["codes"].shape == (1616, 8)
    assert len(set(names["clusters"])) == 9
    np.testing.assert_array_equal(names["scores"], names["again"])
    assert names["odd"].mean() > 0.5  # the digit it never saw
    assert (names["p_values"] <= 0.05).tolist() == names["odd"].tolist()
    assert list((tmp_path / "runs/digits").iterdir())
    assert names["selected"].shape == names["as_its_label"].shape == (297,)
    assert len(names["suspicious"]) == 20
    assert names["images"].X.shape == (100, 64 * 64)
    assert names["why"].surprise.shape == (2, 64 * 64)
    assert names["part"].table.columns.tolist()[0] == "path"
    assert len(names["part"].table) == 40
    assert Path("report.html").read_text().count("<section") >= 8
    assert ("VAE", "value") in names["measures"]
    assert names["places"].shape == (181, 2)
    assert names["rows"].shape == (181, 5)


def test_commands_run_in_their_order(files, short_training, tmp_path, capsys):
    said = {}
    for line in COMMANDS:
        assert main(shlex.split(line)[1:]) == 0, line
        said[line] = capsys.readouterr().out
    scores = pd.read_csv("scores.csv")
    assert len(scores) == 40
    assert scores.columns.tolist() == ["path", "score", "p_value", "verdict"]
    assert len(list(Path("maps").rglob("*_mask.png"))) == 40
    assert len(pd.read_csv("selected.csv")) == 40
    assert "Of 40 images" in Path("odd.html").read_text()
    assert len(said["vaetools score photos.safetensors photos/test --top 20"].splitlines()) == 22
    fit_sales = next(line for line in COMMANDS if "fit sales" in line)
    assert "sales.safetensors: VAE of rows of 2 columns" in said[fit_sales]
    assert {"vector", "x", "y"} < set(pd.read_parquet("latents.parquet"))
    for made in ("projector/sprite.png", "grid.png", "strip.png", "similar.html", "report.html"):
        assert Path(made).stat().st_size > 100


def test_the_blocks_are_those_that_are_tested():
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds == ["bash", "bash", "python", "bash", "bash", "bash"] + 6 * ["python"]
    install, test = (block for kind, block in BLOCKS[:2])
    assert install.strip().endswith("vaetools demo")  # whose command has tests of its own
    assert "pytest" in test  # the line that .ci/run reads from here


def test_commands_of_the_guide_to_mixed_tables_run(files, short_training, capsys):
    guide = (Path(__file__).parents[1] / "docs" / "mixed.md").read_text(encoding="utf-8")
    commands = [line for line in guide.splitlines() if line.startswith("vaetools")]
    assert len(commands) == 2
    for line in commands:
        assert main(shlex.split(line)[1:]) == 0, line
    assert "zip" in capsys.readouterr().out


GUIDE = (Path(__file__).parents[1] / "docs" / "explanation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("mode", "channels"), [("gray", 1), ("rgb", 3)])
def test_blocks_of_the_guide_to_explanations_run(mode, channels, tmp_path, monkeypatch):
    """As they stand, but for their sizes: fewer and smaller boards, and one epoch of their tiles."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vaetools.estimators.building._AUTO_STEPS", 200)
    folder = tmp_path / "boards" / "good"
    folder.mkdir(parents=True)
    for i in range(40):
        noise(96, 96, seed=i).point(lambda value: 85 + value // 3).save(folder / f"{i}.png")
    text = GUIDE
    sizes = {"(boards.X), [100]": "(boards.X), [25]", "320": "96", "max_iter=8": "max_iter=1"}
    for size, smaller in (sizes | {'mode="gray"': f'mode="{mode}"'}).items():
        assert size in text
        text = text.replace(size, smaller)
    new_boards = np.random.default_rng(0).integers(0, 256, (2, channels * 96 * 96), dtype=np.uint8)
    names = {"new_boards": new_boards}
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(compile(block, "explanation.md", "exec"), names)
    assert names["heat"](names["maps"], names["scale"]).max() <= 1
    assert names["pictures"].shape == (2, 96, 96, 3)
    assert names["odd"].all()  # noise is stronger than what trained


def test_every_benchmark_is_described():
    folder = Path(__file__).parents[1] / "benchmarks"
    described = (folder / "README.md").read_text(encoding="utf-8")
    names = [
        path.name for path in folder.glob("*.py") if f"python benchmarks/{path.name}" in path.read_text()
    ]
    assert len(names) > 1
    assert [name for name in names if f"    python benchmarks/{name}" not in described] == []


def test_every_promise_names_a_test_and_the_page_runs():
    root = Path(__file__).parents[1]
    page = (root / "docs" / "promises.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(block, "promises.md", "exec"), names)
    assert f"{len(names['vae'].calibration_scores_)} of {len(names['benign'])} rows calibrate" in page
    promises = re.findall(r"`(test_\w+)` \|$", page, flags=re.MULTILINE)
    files = [path for room in ("anomaly", "estimators") for path in (root / "tests" / room).glob("*.py")]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in files)
    assert len(promises) == 11
    assert (names["few"].calibration_, names["least"] >= 1 / 61) == ("cross", True)
    assert [name for name in promises if f"def {name}(" not in tests] == []
