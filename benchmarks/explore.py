"""How large the page of an explorer is, and how fast it answers, in Chromium without a graphics card.

python benchmarks/explore.py --data /path/to/data

Pages of 10,000 images of 28×28, with the decoder that is default for them and with a dense one, and of
100,000 rows of a table. Networks are trained for an epoch, and maps are principal components: neither changes
what is measured.

What is measured
----------------
MB
    Of the file; bars 8 and 40.
first map
    Seconds from asking for the page to the first map with all its dots; bar 2.
frames
    Frames per second while the map is dragged, at most 60; bar 30.
a frame
    Milliseconds that drawing the map takes: the least of 40, because a busy machine only adds to it.
look
    Milliseconds from a place under the cursor to everything that is shown of it, the least of 100.
decode
    Milliseconds of the decoder alone, the least of 200; bars 50 convolutional, and 16 of 20-256-512-784.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from interleaved import add_data_argument
from playwright.sync_api import Page, sync_playwright
from protocols import read_idx

from vaetools import VAE, Explorer, explore

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
DRAG = """async () => {
  explorer.touched();
  let frames = 0;
  const begun = performance.now();
  while (performance.now() - begun < 2000) {
    await new Promise(requestAnimationFrame);
    explorer.stage.view.pan(3, frames % 40 < 20 ? 2 : -2);
    explorer.moved();
    frames++;
  }
  return (1000 * frames) / (performance.now() - begun);
}"""
TIMED = """([what, n]) => {
  explorer.touched();
  const {places} = explorer.atlas, code = explorer.codeOf(0);
  const look = row => explorer.lookAt(places[2 * row], places[2 * row + 1] + 0.01);
  const draw = () => (explorer.stage.draw(), explorer.mark());
  const run = {look, draw, decode: () => explorer.decoder.decode(code)}[what];
  let least = Infinity;
  for (let i = 0; i < n; i++) {
    const begun = performance.now();
    run(i);
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}"""


def spaces(mnist: Path) -> dict[str, Explorer]:
    """Return the explorers that are measured."""
    X = read_idx(mnist / "train-images-idx3-ubyte.gz")[:10_000].reshape(10_000, -1)
    y = read_idx(mnist / "train-labels-idx1-ubyte.gz")[:10_000]
    options = {"image_shape": (1, 28, 28), "max_iter": 1, "random_state": 0}
    wide = np.random.default_rng(0).normal(size=(100_000, 8)) @ np.random.default_rng(1).normal(size=(8, 20))
    dense = {"hidden_channels": (), "hidden_layer_sizes": (512, 256)}
    return {
        "10,000 images, convolutional": explore(VAE(16, **options).fit(X), X, y, method="pca"),
        "10,000 images, 20-256-512-784": explore(VAE(20, **options, **dense).fit(X), X, y, method="pca"),
        "100,000 rows of 20 columns": explore(
            VAE(16, max_iter=1, random_state=0).fit(wide), wide, wide[:, 0] > 0, method="pca"
        ),
    }


def measure(tab: Page, path: Path) -> dict[str, float]:
    """Return what a page takes."""
    tab.goto(path.as_uri())
    tab.wait_for_selector("html.whole")
    tab.wait_for_timeout(1500)  # what is off the map is shaded by then
    return {
        "MB": path.stat().st_size / 1e6,
        "first map, s": tab.evaluate("explorer.drawn / 1000"),
        "frames/s": tab.evaluate(DRAG),
        "a frame, ms": tab.evaluate(TIMED, ["draw", 40]),
        "look, ms": tab.evaluate(TIMED, ["look", 100]),
        "decode, ms": tab.evaluate(TIMED, ["decode", 200]),
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_argument(parser)
    folder = Path(parser.parse_args().data) / "fashion_mnist"
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        tab = browser.new_page(viewport={"width": 1400, "height": 900})
        found = {}
        for i, (name, space) in enumerate(spaces(folder).items()):
            path = Path(kept) / f"{i}.html"
            space.to_html(path)
            found[name] = measure(tab, path)
        print(pd.DataFrame(found).T.round(2).to_string())


if __name__ == "__main__":
    main()
