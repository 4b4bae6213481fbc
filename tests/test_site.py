"""The pages of the site, without building it: every public name has one, links within reach something."""

import ast
import importlib.util
import json
import pkgutil
import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import click
import numpy as np
import pytest

import vaetools
from vaetools.cli import command_named, command_names

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAGES += [ROOT / folder / "README.md" for folder in ("benchmarks", "notebooks", "reports")]
BLOCK = re.compile(r"^```.*?^```", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FIGURE = re.compile(r"(?<![\w.])0?\.\d{2,3}\b")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@pytest.fixture(scope="module")
def pages():
    """What says which page every name has."""
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prose(path):
    """A page without its blocks of code."""
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def anchors(path):
    """The anchors of a page's headings, as viewers of repositories and the site make them."""
    titles = re.findall(r"^#+ +(.*)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def dead(page):
    """Links within that reach nothing."""
    for link in LINK.findall(prose(page)):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path) if path else page
        if not link.startswith(("http:", "https:")) and (
            not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target))
        ):
            yield link


def test_every_public_name_has_a_page(pages, tmp_path):
    documented = pages.documented()
    modules = [name for _, name, _ in pkgutil.walk_packages(vaetools.__path__, "vaetools.")]
    public = [name for name in modules if not name.startswith("vaetools.__") and _says_what_is_public(name)]
    assert {"vaetools.plot", "vaetools.stream", "vaetools.latent.organization"} <= set(public)
    for module in ["vaetools", *public]:
        names = importlib.import_module(module).__all__
        assert [name for name in names if f"{module}.{name}" not in documented] == []
    pages.write(tmp_path)
    text = {path.stem: path.read_text() for path in tmp_path.rglob("*.rst")}
    assert set(text) == set(documented.values())
    assert [
        name for name, page in documented.items() if f"   {name.split('.')[-1]}\n" not in text[page]
    ] == []


def test_every_public_name_is_shown_at_work(pages):
    assert [name for name in pages.documented() if not pages.has_example(name)] == []


def _says_what_is_public(module):
    source = importlib.util.find_spec(module).origin
    return "\n__all__ = " in Path(source).read_text(encoding="utf-8")


def test_what_guides_import_has_a_page(pages):
    sources = [block for page in PAGES for block in _python_blocks(page)]
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    imported = {
        f"{node.module}.{name.name}"
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vaetools")
        for name in node.names
    }
    rooms = {"vaetools.plot", "vaetools.latent.organization"}
    assert len(imported) > 30
    assert imported - set(pages.documented()) - rooms == set()


def _python_blocks(page):
    return re.findall(
        r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


@each_page
def test_no_link_within_is_dead(page):
    assert list(dead(page)) == []


def test_what_errors_name_exists():
    root = Path(vaetools.__file__).parent
    source = "\n".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py"))
    named = set(re.findall(r"""["']([a-z_]+\.md(?:#[a-z-]+)?)["']""", source))
    assert len(named) >= 8
    for page, _, anchor in (name.partition("#") for name in named):
        assert (ROOT / "docs" / page).exists(), page
        assert not anchor or anchor in anchors(ROOT / "docs" / page), (page, anchor)


def test_dead_links_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# A title, with `code`\n")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md#a-title-with-code) [b](there.md#b) [c](gone.md)\n```\n[d](gone.md)\n```\n")
    assert list(dead(page)) == ["there.md#b", "gone.md"]


def test_tables_of_contents_list_what_exists_once(pages):
    listed = pages.listed(ROOT)
    assert {"start", "scores", "reference/index", "../README"} <= listed
    for name in listed - {"api/*", "api/vaetools", "% and others", ":hidden:", ":glob:", ":maxdepth: 1"}:
        places = [ROOT / "docs" / name, ROOT / "docs" / "reference" / name]
        assert any(
            place.with_name(place.name + end).exists() for place in places for end in (".md", ".ipynb")
        )


@pytest.mark.parametrize("name", ["choosing.md", "comparison.md"])
def test_figures_are_those_of_the_pages_that_measured_them(name):
    others = [
        path for path in (ROOT / "docs").glob("*.md") if path.name not in ("choosing.md", "comparison.md")
    ]
    measured = set(FIGURE.findall("\n".join(path.read_text(encoding="utf-8") for path in others)))
    said = FIGURE.findall(prose(ROOT / "docs" / name))
    assert len(said) > 10
    assert [figure for figure in said if figure not in measured] == []


@pytest.mark.parametrize("page", [ROOT / "docs" / name for name in ("start.md", "installation.md")])
def test_commands_have_the_options_that_are_shown(page):
    text = page.read_text(encoding="utf-8")
    lines = [line.split("#")[0] for line in text.splitlines() if line.startswith("vaetools ")]
    assert bool(lines) == (page.name == "start.md")
    for line in lines:
        _, name, *arguments = shlex.split(line)
        assert name in command_names()
        command = command_named(name)
        command.make_parser(click.Context(command)).parse_args(arguments)


def test_the_start_runs_and_says_the_truth(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    in_a_pipeline, with_labels, explored, _ = _python_blocks(ROOT / "docs" / "start.md")
    tuned = {}
    exec(compile(in_a_pipeline.replace("max_iter=50", "max_iter=2"), "start.md", "exec"), tuned)
    found, false, best = capsys.readouterr().out.splitlines()
    assert float(found) > 0.8
    assert float(false) < 0.1
    assert "vae__n_components" in best
    assert len(tuned["p_values"]) == len(tuned["odd"])
    exec(compile(with_labels.replace("max_iter=50", "max_iter=9"), "start.md", "exec"), tuned)
    assert tuned["search"].best_estimator_.n_marked_odd_ == tuned["known_odd"].sum()
    assert float(capsys.readouterr().out.split()[-1]) > 0.8
    names = {}
    exec(compile(explored.replace("max_iter=30", "max_iter=1"), "start.md", "exec"), names)
    assert names["codes"].shape == (2000, 16)
    assert np.isfinite(names["codes"]).all()
    assert Path("space.html").stat().st_size > 100_000


def test_a_pipeline_with_other_steps_is_kept_as_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [block] = [block for block in _python_blocks(ROOT / "docs" / "files.md") if "joblib" in block]
    names = {}
    exec(compile(block, "files.md", "exec"), names)
    assert list(names["again"].named_steps) == ["functiontransformer", "vae"]
