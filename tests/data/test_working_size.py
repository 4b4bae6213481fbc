"""`size="auto"`: small images stay as they are, large ones become what a fit can bear."""

import pytest
from PIL import Image

from vaetools import ImageReader, read_images
from vaetools.__main__ import main


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)], (28, 28)),
        ([(128, 96)], (128, 96)),
        ([(129, 129)], (64, 64)),
        ([(1024, 768)], (64, 48)),
        ([(30, 40), (300, 400)], (48, 64)),  # one aspect
        ([(40, 30), (30, 40)], (40, 40)),
        ([(500, 300), (300, 500)], (64, 64)),
        ([(1000, 3)], (64, 1)),
    ],
)
def test_which_size_images_get(sizes, expected):
    images = [Image.new("L", size[::-1]) for size in sizes]
    reader = ImageReader(size="auto").fit(images)
    assert reader.image_shape_ == (1, *expected)
    assert sorted(reader.sample_sizes_) == sorted(sizes)
    assert max(reader.typical_size_) == sorted(map(max, sizes))[len(sizes) // 2]


def test_what_is_said_is_obeyed(tmp_path):
    Image.new("L", (300, 300)).save(tmp_path / "a.png")
    assert read_images(tmp_path, size=80).image_shape == (1, 80, 80)
    assert read_images(tmp_path).image_shape == (1, 300, 300)
    with pytest.raises(ValueError, match=r"size must make at most 89,478,485 pixels; got 100000 × 100000"):
        read_images(tmp_path, size=100_000)
    with pytest.raises(ValueError, match=r"size must be None, 'auto', a positive integer .* got size='big'"):
        read_images(tmp_path, size="big")


@pytest.mark.parametrize(
    ("side", "options", "told"), [(256, [], True), (32, [], False), (256, ["--size", "256"], False)]
)
def test_fit_says_what_scaling_loses(side, options, told, tmp_path, capsys):
    folder = tmp_path / "p"
    folder.mkdir()
    for i in range(3):
        Image.new("L", (side, side), 40 * i).save(folder / f"{i}.png")
    plain = ["--max-iter", "0", "--set", "hidden_channels=()", "--contamination", "0.3"]
    assert main(["fit", str(folder), "-o", str(tmp_path / "m.safetensors"), *plain, *options]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert ("from 256 × 256; --size says how" in out) == told
    assert ("64 × 64 pixels" in out) == told
    assert ("narrower than about 12 of 256 pixels" in out) == told


def test_fit_says_that_sizes_differ(tmp_path, capsys):
    for i, size in enumerate([(8, 8), (12, 19), (9, 10)]):
        Image.new("L", size[::-1], 40 * i).save(tmp_path / f"{i}.png")
    plain = ["--max-iter", "0", "--set", "hidden_channels=()", "--contamination", "0.3"]
    assert main(["fit", str(tmp_path), "-o", str(tmp_path / "m.safetensors"), *plain]) == 0
    assert "from sizes that differ, 8 × 8 to 12 × 19; --size and --aspect" in " ".join(
        capsys.readouterr().out.split()
    )


def test_images_of_another_size_than_those_of_training_are_told(tmp_path):
    for name, side in (("good", 90), ("near", 120), ("far", 40)):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (side, side), 40 * i).save(tmp_path / name / f"{i}.png")
    reader = read_images(tmp_path / "good", size=32).reader
    assert reader.transform(sorted((tmp_path / "near").iterdir())).shape == (3, 32 * 32)
    with pytest.warns(UserWarning, match=r"fitted on, of 90 × 90 pixels .*; got 40 × 40\. Scaled alike"):
        reader.transform(sorted((tmp_path / "far").iterdir()))
