"""The site of the docs: ``sphinx-build -W -n -c docs . build/site``, from the root of the repository.

The root is the source, so that links between README, docs, notebooks and benchmarks are the same here as
in a viewer of the repository.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import pages  # noqa: E402
from docutils import nodes  # noqa: E402
from docutils.utils import unescape  # noqa: E402
from sphinx import addnodes  # noqa: E402

import vaetools  # noqa: E402

pages.write(ROOT)
NAMES = pages.documented()
WORDS = tomllib.loads((ROOT / "docs/_search.toml").read_text(encoding="utf-8"))

project = "vaetools"
author = "the vaetools developers"
copyright = f"2026, {author}"
version = release = vaetools.__version__
root_doc = "docs/index"
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
]
include_patterns = [
    "docs/**.md",
    "docs/**.rst",
    "notebooks/*",
    "benchmarks/README.md",
    "reports/README.md",
    "*.md",
]
exclude_patterns = ["docs/_*", ".*", "build", "dist", "tests", "vaetools", "**/.*"]
templates_path = [str(ROOT / "docs/_templates")]
default_role = "known"
smartquotes = False  # options begin with two hyphens

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # docstrings say more than annotations
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

myst_heading_anchors = 4
myst_enable_extensions: list[str] = []
nb_execution_mode = "off"  # the checks execute notebooks, and they are kept as they ran
suppress_warnings = ["mystnb.unknown_mime_type"]  # of figures, whose pictures are shown
nb_mime_priority_overrides = [
    ("html", "image/png", 0),
    ("html", "text/html", 1),
    ("html", "text/markdown", 2),
    ("html", "application/vnd.plotly.v1+json", None),
]

html_theme = "pydata_sphinx_theme"
html_title = f"vaetools {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_search_scorer = str(ROOT / "docs/_scorer.js")
html_extra_path = ["_extra"]
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
}
html_sidebars: dict[str, list[str]] = {f"docs/{name}": [] for name in ("index", "start", "choosing")}
html_context = {"default_mode": "auto"}
html_copy_source = True
html_show_sphinx = False

GUIDE = "docs/guide"
TITLES = {"README": "# Overview: every job on one page"}  # where a viewer of the repository needs another
PROSE = 60  # letters of a cell; tables of such cells are stacked on a phone


def unlisted() -> list[str]:
    """Return the pages of ``docs`` that no table of contents lists: the guide takes them."""
    return sorted({path.stem for path in (ROOT / "docs").glob("*.md")} - pages.listed(ROOT) - {"index"})


def change(app: Any, docname: str, source: list[str]) -> None:
    """Give pages their titles, and list in the guide those that no table of contents lists."""
    if docname in TITLES:
        source[0] = source[0].replace(source[0].split("\n")[0], TITLES[docname], 1)
    if docname == GUIDE:
        source[0] = source[0].replace("% and others", "\n".join(unlisted()))


def always_again(app: Any, env: Any, *changes: Any) -> list[str]:
    """Read the guide anew whatever changed, for another page may be there."""
    return [GUIDE] if GUIDE in env.found_docs else []


def known(name: str, raw: str, text: str, line: int, inliner: Any, *more: Any) -> tuple[list[Any], list[Any]]:
    """Show what stands in backticks as code, with a link if it is a public name."""
    env = inliner.document.settings.env
    code = nodes.literal(raw, unescape(text), classes=["py"])
    places = [text, f"vaetools.{text}", f"{env.ref_context.get('py:module')}.{text}"]
    target = next((place for place in places if place in NAMES), None)
    if target is None:
        return [code], []
    link = addnodes.pending_xref(
        raw, code, refdomain="py", reftype="obj", reftarget=target, refexplicit=True, refwarn=True
    )
    link["refdoc"] = env.docname
    return [link], []


def skip_of_others(app: Any, what: str, name: str, *more: Any) -> bool | None:
    """Leave out what every estimator of scikit-learn has, and what is described there."""
    return True if name in {"get_metadata_routing", "set_output"} or name.endswith("_request") else None


def as_it_is(app: Any, context: Any, lines: list[str]) -> None:
    """Let stars in the help of commands be stars."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def summary(doctree: Any) -> str:
    """Return the first paragraph of a page on one line."""
    first = next(iter(doctree.findall(nodes.paragraph)), None)
    return "" if first is None else " ".join(first.astext().split())


def shape_tables(app: Any, doctree: Any, docname: str) -> None:
    """Drop empty headers, and say how a table is shown on a phone: as a gallery, row by row, or as it is."""
    for table in doctree.findall(nodes.table):
        head, body = next(table.findall(nodes.thead), None), next(table.findall(nodes.tbody))
        if head is not None and not head.astext().strip():
            head.parent.remove(head)
            if next(body.findall(nodes.image), None):
                table["classes"].append("gallery")
        elif head is not None and max(len(cell.astext()) for cell in body.findall(nodes.entry)) > PROSE:
            table["classes"].append("stacked")
            for row in body.children:
                _label(row, [cell.astext() for cell in head.children[0]])


def _label(row: Any, names: list[str]) -> None:
    """Put its column's name into every cell of a row but the first, to be shown where there is no header."""
    for cell, name in list(zip(row, names, strict=True))[1:]:
        if name and cell.children:
            cell.children[0].insert(0, nodes.inline("", f"{name}: ", classes=["column-name"]))


def help_search(app: Any, name: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the search what people type, and what every page begins with."""
    if name == "search":
        known = {
            page: {"words": WORDS.get(page, ""), "summary": summary(app.env.get_doctree(page))}
            for page in sorted(app.env.found_docs)
        }
        app.add_js_file(None, body=f"const PAGES = {json.dumps(known)};".replace("</", r"<\/"))
        app.add_js_file("search.js")


def write_guide_for_assistants(app: Any, failure: Exception | None) -> None:
    """Write ``llms.txt``: what the package is, and every page by title, source and first paragraph."""
    if failure or app.builder.name != "html":
        return
    env, advice = app.env, (ROOT / "docs/_assistants.txt").read_text(encoding="utf-8").strip()
    parts = [f"# vaetools {release}", "> " + summary(env.get_doctree("README")), advice]
    sections = {"Guides": "docs/", "Examples": "notebooks/", "Reference": "docs/reference/"}
    for title, start in sections.items():
        names = [name for name in sorted(env.found_docs) if name.startswith(start)]
        if title == "Guides":
            names = [name for name in names if not name.startswith("docs/reference/")]
        lines = [
            f"- [{env.titles[name].astext()}]({name}.html): {summary(env.get_doctree(name))}"
            for name in names
        ]
        parts.append(f"## {title}\n\n" + "\n".join(lines))
    Path(app.outdir, "llms.txt").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def setup(app: Any) -> None:
    """Connect what the pages need."""
    app.add_role("known", known)
    app.connect("autodoc-skip-member", skip_of_others)
    for part in ("description", "options", "arguments", "epilog"):
        app.connect(f"sphinx-click-process-{part}", as_it_is)
    app.connect("env-get-outdated", always_again)
    app.connect("source-read", change)
    app.connect("doctree-resolved", shape_tables)
    app.connect("html-page-context", help_search)
    app.connect("build-finished", write_guide_for_assistants)
