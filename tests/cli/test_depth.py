"""The commands on images of 12 bits in 16-bit files: levels are kept, and seen."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.data.pictures import png16, tiff
from vaetools.__main__ import main
from vaetools.data.reader import ImageReader

N_GOOD = 110


def picture(rng, *, defect=False):
    """A gradient between levels 1,600 and 2,000 of 12 bits, with noise; a defect is 40 levels brighter."""
    levels = np.tile(np.linspace(1600, 2000, 8), (8, 1)) + rng.normal(0, 4, (8, 8))
    levels[2:5, 1:4] += 40 * defect
    return np.rint(levels).astype(np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Good images to train on; good and odd ones to judge."""
    root, rng = tmp_path_factory.mktemp("deep"), np.random.default_rng(0)
    for name, n, defects in (("good", N_GOOD, False), ("new", 20, False), ("odd", 20, True)):
        (root / name).mkdir()
        for i in range(n):
            (root / name / f"{i:03}.png").write_bytes(png16(picture(rng, defect=defects)[..., None]))
    return root


@pytest.fixture(scope="module")
def model(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "deep.safetensors"
    options = ["--set", "hidden_channels=()", "--n-components", "2", "--max-iter", "60"]
    assert main(["fit", str(folder / "good"), "-o", str(path), "-q", *options]) == 0
    return path


def test_fit_says_the_levels_and_what_white_is(folder, tmp_path, capsys):
    options = ["--set", "hidden_channels=()", "--max-iter", "1"]
    assert main(["fit", str(folder / "good"), "-o", str(tmp_path / "m.safetensors"), *options]) == 0
    out, err = capsys.readouterr()
    files = sorted(str(path) for path in (folder / "good").iterdir())
    X = ImageReader(n_jobs=1).fit(files).transform(files)
    assert f"Values   {X.min()} to {X.max()} (uint16)" in out
    assert "Scaling  12-bit pixels, divided by 4,095" in out
    levels = f"{X.min():,} to {X.max():,}"
    assert f"Of 16 bits the images use 12: their levels are {levels}, black is 0 and white 4,095." in err


@pytest.mark.parametrize(
    ("name", "options", "scaling"),
    [
        ("white is zero", {"interpretation": 0}, "12-bit pixels, from 61,440 to 65,535"),
        ("signed", {}, "signed pixels, from −4,096 to 1"),
    ],
)
def test_levels_away_from_zero_keep_their_contrast(name, options, scaling, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for part, n, defect in (("good", N_GOOD, False), ("odd", 20, True)):
        (tmp_path / part).mkdir()
        for i in range(n):
            levels = picture(rng, defect=defect)[..., None]
            levels = levels if options else levels.astype(np.int16) - 4000
            (tmp_path / part / f"{i:03}.tif").write_bytes(tiff(levels, **options))
    path = tmp_path / "m.safetensors"
    settings = ["--set", "hidden_channels=()", "--n-components", "2", "--max-iter", "60"]
    assert main(["fit", str(tmp_path / "good"), "-o", str(path), *settings]) == 0
    out, err = capsys.readouterr()
    assert "8 × 8 pixels (height × width), gray" in out
    assert f"Scaling  {scaling}\n" in out
    assert "warning" not in err
    assert main(["score", str(path), str(tmp_path / "odd"), "-o", str(tmp_path / "s.csv")]) == 0
    assert (pd.read_csv(tmp_path / "s.csv")["verdict"] == "odd").all()


@pytest.mark.parametrize("high", [255, 65535])
def test_fit_says_nothing_of_images_that_use_all_bits(high, tmp_path, capsys):
    for i in range(20):
        levels = np.full((8, 8), high, np.uint16 if high > 255 else np.uint8)
        levels[0, : i % 8] = i
        Image.fromarray(levels).save(tmp_path / f"{i}.png")
    options = ["--set", "hidden_channels=()", "--max-iter", "1", "--contamination", "0.1"]
    assert main(["fit", str(tmp_path), "-o", str(tmp_path / "m.safetensors"), *options]) == 0
    assert "bits the images use" not in capsys.readouterr().err


def test_odd_images_are_found(folder, model, tmp_path):
    scores = tmp_path / "scores.csv"
    data = [str(folder / "new"), str(folder / "odd")]
    page = tmp_path / "odd.html"
    assert main(["score", str(model), *data, "-o", str(scores), "--html", str(page)]) == 0
    table = pd.read_csv(scores)
    is_odd = table["path"].str.contains("odd")
    assert table["score"][is_odd].max() < table["score"][~is_odd].min()
    assert page.stat().st_size > 10_000


def test_info_tells_the_range(model, capsys):
    assert main(["info", str(model)]) == 0
    out = capsys.readouterr().out
    assert "Scaling         12-bit pixels, divided by 4,095" in out
    assert main(["info", str(model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["levels"] == [0, 4095]


@pytest.mark.parametrize(
    "arguments",
    [
        ["embed", "{model}", "{new}", "--tsv", "{out}"],
        ["morph", "{model}", "{new}/000.png", "{odd}/000.png", "-o", "{out}.png"],
        ["similar", "{model}", "{new}/000.png", "{odd}", "-o", "{out}.csv", "--html", "{out}.html"],
        ["sample", "{model}", "-n", "4", "-o", "{out}.png"],
        ["report", "{model}", "{new}", "-o", "{out}.html", "--map", "pca"],
        ["recalibrate", "{model}", "{good}", "-o", "{out}.safetensors"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_shows_levels_between_black_and_white(arguments, folder, model, tmp_path):
    places = {name: folder / name for name in ("good", "new", "odd")}
    places |= {"model": model, "out": tmp_path / "out"}
    assert main([argument.format(**places) for argument in arguments]) == 0
    images = [*tmp_path.glob("*.png"), *tmp_path.glob("out/*.png")]
    if arguments[0] in ("embed", "morph", "sample"):
        shown = np.asarray(Image.open(images[0]).convert("L"))
        bright = np.percentile(shown, 60)  # 1,600 to 2,000 of 4,095 is 100 to 124 of 255
        assert 95 < bright < 135


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    """110 images of 8 × 9 pixels and 13 channels, with the channels first and last, and a model of them."""
    folder, rng = tmp_path_factory.mktemp("spectra"), np.random.default_rng(0)
    last = rng.integers(0, 4096, (N_GOOD, 8, 9, 13)).astype(np.uint16)
    np.save(folder / "last.npy", last)
    np.save(folder / "first.npy", last.transpose(0, 3, 1, 2))
    options = ["--set", "hidden_channels=()", "--max-iter", "2", "--channels", "last"]
    assert main(["fit", str(folder / "last.npy"), "-o", str(folder / "m.safetensors"), "-q", *options]) == 0
    return folder


def test_channels_are_said_where_they_may_be_first_or_last(spectra, tmp_path, capsys):
    arguments = ["fit", str(spectra / "last.npy"), "-o", str(tmp_path / "m.safetensors"), "--max-iter", "1"]
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert "may have 8 channels of 9 × 13 pixels (height × width), or 13 channels of 8 × 9 pixels" in err
    assert "--channels first or --channels last" in err
    assert main([*arguments, "--channels", "last", "--set", "hidden_channels=()"]) == 0
    out = capsys.readouterr().out
    assert "8 × 9 pixels (height × width), 13 channels, none of them taken for transparency" in out


def test_the_model_knows_where_channels_are(spectra, tmp_path):
    scores = []
    for name in ("last", "first"):
        path = tmp_path / f"{name}.csv"
        assert (
            main(["score", str(spectra / "m.safetensors"), str(spectra / f"{name}.npy"), "-o", str(path)])
            == 0
        )
        scores.append(pd.read_csv(path))
    pd.testing.assert_frame_equal(*scores)


@pytest.mark.parametrize("command", ["score", "embed", "recalibrate", "report"])
def test_every_command_takes_the_option(command, spectra, tmp_path, capsys):
    data = [command, str(spectra / "m.safetensors"), str(spectra / "last.npy")]
    outputs = {"score": "o.csv", "embed": "o.csv", "recalibrate": "o.safetensors", "report": "o.html"}
    more = ["--map", "pca"] if command == "report" else []
    output = ["-o", str(tmp_path / outputs[command])]
    assert main([*data, *output, *more, "--channels", "first"]) == 2
    assert "must be of shape (13, 8, 9), (channels, height, width)" in capsys.readouterr().err
    assert main([*data, *output, *more, "--channels", "last"]) == 0
