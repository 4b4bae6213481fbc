import contextlib
import json
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
from vaetools.datasets.demo import load_demo
from vaetools.report.questions import QUESTIONS


@pytest.mark.filterwarnings("ignore:.*posterior collapsed")  # two epochs teach little
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "digits", "--unknown", "7"], "Unknown digit 7: 179 images that no model trained on."),
        ([], "Unknown garment bag: 500 images that no model trained on."),
    ],
)
def test_demo_compares_three_models_and_writes_pages(options, said, quick_demo, tmp_path, capfd):
    n_threads = torch.get_num_threads()
    path = tmp_path / "page.html"
    assert main(["demo", *options, "-o", str(path), "--seed", "1"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines[:-2])) <= 100
    assert said in lines
    assert ["AE", "VAE", "CVAE"] in [line.split() for line in lines]
    (known,) = [line.split() for line in lines if line.startswith("  AUROC of the known outliers")]
    assert len([float(cell) for cell in known[-3:]]) == 3
    (rivals,) = [line for line in lines if line.startswith("AUROC of others: ")]
    assert re.findall(r"([A-Z a-z]+) 0\.\d{3}", rivals) == [" untrained VAE", " IsolationForest", " PCA"]
    (seconds,) = [line for line in lines if line.startswith("Seconds to fit: ")]
    every = command.make_models("digits", (1, 8, 8), seed=0)
    names = [f" {name}" for name in every]
    assert re.findall(r"([A-Z a-z]+) \d+\.\d", seconds) == names
    compared = tmp_path / "page-report.html"
    assert lines[-2] == f"Comparison: {compared}"
    assert lines[-1] == f"Open this, and touch the latent space of the VAE: {path}"
    assert all(f"Training {name} ..." in err for name in every)
    page = compared.read_text()
    assert all(question.title in page for question in QUESTIONS.values())
    assert '<a href="page.html">the latent space of <bdi>VAE</bdi></a>' in page
    assert "decoded here" in path.read_text()
    assert torch.get_num_threads() == n_threads
    assert sorted(os.listdir(tmp_path)) == ["page-report.html", "page.html"]


@pytest.mark.filterwarnings("ignore:.*posterior collapsed")
def test_json_names_the_class_that_no_model_trained_on(quick_demo, tmp_path, capfd):
    assert main(["demo", "-o", str(tmp_path / "page.html"), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["data"], told["unknown"], told["n_unknown"]) == ("garments", "bag", 500)


@pytest.fixture
def heard():
    """SIGINT is heard by processes that a test starts, also where tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.usefixtures("heard")
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
            out, rest = process.communicate(timeout=20)  # to end takes seconds on a busy machine
    killer.cancel()
    assert process.returncode == 130, rest
    assert out == ""
    assert "Traceback" not in rest
    assert rest.strip().splitlines()[-1] == "vaetools: interrupted; no file is left half-written."
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "unknown", "rivals", "least"),
    [
        ("digits", 4, ("untrained VAE", "IsolationForest", "PCA"), 0.93),  # 0.991
        ("digits", 1, ("PCA",), 0.93),  # 0.960; other machines round otherwise
        ("garments", 8, ("untrained VAE", "IsolationForest", "PCA"), 0.92),
    ],
)
def test_the_vae_finds_what_is_unknown(data, unknown, rivals, least):
    """Of the hardest digit, 1, contrast alone tells as much: all that an untrained network sees."""
    images = load_demo(data, unknown, seed=0)
    models = command.make_models(data, images.image_shape, seed=0)
    is_known = np.repeat([1, 0], [len(images.held_out), len(images.unknown)])
    rows = np.concatenate([images.held_out, images.unknown])
    auroc = {
        name: roc_auc_score(is_known, models[name].fit(images.train).score_samples(rows))
        for name in ("VAE", *rivals)
    }
    assert auroc.pop("VAE") > max(least, *auroc.values())
