import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import vaetools.cli.commands.demo as command
from vaetools.__main__ import main
from vaetools.data.demo import load_demo_digits
from vaetools.report.questions import QUESTIONS


@pytest.mark.filterwarnings("ignore:.*posterior collapsed")  # two epochs teach little
def test_demo_compares_three_models_and_writes_a_page(quick_demo, tmp_path, capfd):
    n_threads = torch.get_num_threads()
    path = tmp_path / "page.html"
    assert main(["demo", "--unknown", "7", "-o", str(path), "--seed", "1"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines[:-1])) <= 100
    assert "Unknown digit 7: 179 images that no model trained on." in lines
    assert ["AE", "VAE", "CVAE"] in [line.split() for line in lines]
    (known,) = [line.split() for line in lines if line.startswith("  AUROC of the known outliers")]
    assert len([float(cell) for cell in known[-3:]]) == 3
    (rivals,) = [line for line in lines if line.startswith("AUROC of others: ")]
    assert re.findall(r"([A-Z a-z]+) 0\.\d{3}", rivals) == [" untrained VAE", " IsolationForest", " PCA"]
    (seconds,) = [line for line in lines if line.startswith("Seconds to fit: ")]
    names = [f" {name}" for name in command.make_models(seed=0)]
    assert re.findall(r"([A-Z a-z]+) \d+\.\d", seconds) == names
    assert lines[-1] == f"Page: {path}"
    assert all(f"Training {name} ..." in err for name in command.make_models(seed=0))
    page = path.read_text()
    assert all(question.title in page for question in QUESTIONS.values())
    assert torch.get_num_threads() == n_threads
    assert os.listdir(tmp_path) == ["page.html"]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_ends_with_one_line_and_no_file(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "vaetools", "demo", "-o", str(tmp_path / "page.html")],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(300, process.kill)  # a hanging command must not hang the tests
    killer.start()
    next(line for line in process.stderr if line.startswith("Training VAE"))
    out = None
    while out is None:  # a library that is just being called may swallow one
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            out, rest = process.communicate(timeout=15)
    killer.cancel()
    assert process.returncode == 130, rest
    assert out == ""
    assert "Traceback" not in rest
    assert rest.strip().splitlines()[-1] == "vaetools: interrupted; no file is left half-written."
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("unknown", "rivals"), [(4, ("untrained VAE", "IsolationForest", "PCA")), (1, ("PCA",))]
)
def test_the_vae_finds_the_unknown_digit(unknown, rivals):
    """Of the hardest digit, 1, contrast alone tells as much: all that an untrained network sees."""
    digits = load_demo_digits(unknown, seed=0)
    models = command.make_models(seed=0)
    is_known = np.repeat([1, 0], [len(digits.held_out), len(digits.unknown)])
    rows = np.concatenate([digits.held_out, digits.unknown])
    auroc = {
        name: roc_auc_score(is_known, models[name].fit(digits.train).score_samples(rows))
        for name in ("VAE", *rivals)
    }
    assert auroc.pop("VAE") > max(0.93, *auroc.values())  # 0.991 and 0.960; other machines round otherwise
