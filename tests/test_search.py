"""The search of the site, typed in a browser; and that its page of messages says what is really said."""

import re
import shutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

from tests.report.browser import CHROMIUM, FLAGS, needs_chromium

ROOT = Path(__file__).parents[1]
WORDS = tomllib.loads((ROOT / "docs/_search.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
SEARCH = """queries => queries.map(query => Search._performSearch(...Search._parseQuery(query))
    .reverse().map(([page, , anchor, about]) => [page, anchor, about]))"""
FAR_APART = {  # whose words stand together on no page, or not in that form
    "k-means on embeddings": "docs/organization",
    "generate synthetic customers": "docs/reference/api/names/vaetools.VAE",
    "docker deployment": "docs/serving",
    "explain outlier feature": "docs/explanation",
    "loss is nan": "docs/troubleshooting",
    "anomoly detecton": "docs/choosing",
    "visualise embeddings": "docs/figures",
    "noisy label": "docs/reference/api/names/vaetools.CVAE",
    "detect sensor drift": "docs/watch",
    "kubernet": "docs/serving",
}


def phrases(name):
    return [phrase.strip() for phrase in WORDS[name].replace("\n", " ").split(",")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole site; its sources are those of the repository."""
    pytest.importorskip("myst_nb", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-c", "docs", ".", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def page(site):
    """The page of the search, with its index."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(f"{(site / 'search.html').as_uri()}?q=anomaly+detection")
        page.wait_for_selector("#search-results li")
        yield page
        browser.close()


@needs_chromium
def test_hits_are_shown_and_say_what_they_are(page):
    assert page.errors == []
    first = page.locator("#search-results li").first.inner_text()
    assert first.startswith("Choosing a model")
    assert "\nOne table to decide by" in first  # in no parentheses


@needs_chromium
def test_what_people_type_finds_the_page(page):
    wanted = {}
    for name in WORDS:
        for phrase in phrases(name):
            wanted.setdefault(phrase, set()).add(name)
    assert len(wanted) > 1000
    found = dict(zip(wanted, page.evaluate(SEARCH, list(wanted)), strict=True))
    missed = {
        phrase: hits[:3]
        for phrase, hits in found.items()
        if not wanted[phrase] & {hit for hit, *_ in hits[:3]}
    }
    assert missed == {}


@needs_chromium
def test_a_page_may_lack_words(page):
    found = dict(zip(FAR_APART, page.evaluate(SEARCH, list(FAR_APART)), strict=True))
    missed = {
        query: hits[:3]
        for query, hits in found.items()
        if FAR_APART[query] not in [hit[0] for hit in hits[:3]]
    }
    assert missed == {}
    assert page.evaluate(SEARCH, ["qqqqqq", "of the"]) == [[], []]


@needs_chromium
def test_letters_within_a_word_are_no_hit(page):
    pages, detectors = page.evaluate(SEARCH, ["GAN", "detector"])
    assert [name for name, *_ in pages] == ["docs/comparison"]  # and nothing of organization
    assert "#vaetools.PatchDetector" in [anchor for _, anchor, _ in detectors]


@needs_chromium
def test_a_hit_opens_at_the_section_that_has_the_words(page):
    memory, beta = page.evaluate(SEARCH, ["out of memory", "choose beta"])
    anchors = {name: anchor for name, anchor, _ in memory}
    assert anchors["docs/troubleshooting"] == "#out-of-memory"
    assert anchors["docs/files"] == ""  # the page's title has the words
    assert beta[0][:2] == ["docs/choosing", "#which-beta"]


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_on_a_phone(site, page, scheme):
    phone = page.context.browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for name in ("choosing", "scores", "examples", "files", "troubleshooting"):
        phone.goto((site / "docs" / f"{name}.html").as_uri())
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        wide = "table => table.scrollWidth > table.clientWidth + 1"
        tables = phone.locator(".bd-article table.stacked, .bd-article table.gallery")
        assert tables.count() > 0 or name in ("files", "troubleshooting")
        assert not any(tables.nth(i).evaluate(wide) for i in range(tables.count()))
        heads = phone.locator(".bd-article thead")
        assert all(
            heads.nth(i).inner_text().strip() or not heads.nth(i).is_visible() for i in range(heads.count())
        )
    phone.goto((site / "docs/examples.html").as_uri())
    picture = phone.locator("table.gallery img").first
    assert picture.bounding_box()["width"] > 140
    phone.close()


def test_words_are_those_of_pages_that_exist():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("pages", ROOT / "docs/pages.py")
    pages = module_from_spec(spec)
    spec.loader.exec_module(pages)
    generated = {f"docs/reference/api/{page}" for page in pages.documented().values()}
    generated |= {f"docs/reference/api/names/{name}" for name in pages.documented()}
    for name in WORDS:
        assert name in generated or any((ROOT / f"{name}{end}").exists() for end in (".md", ".ipynb")), name
        assert len(phrases(name)) == len(set(phrases(name))), name


def test_messages_are_those_that_come(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, n_messages = {}, 0
    for code, messages in re.findall(r"```python\n(.*?)```(?:\s*```text\n(.*?)```)?", PAGE, flags=re.DOTALL):
        came = said(code, names)
        n_messages += len(messages.splitlines())
        for message in messages.splitlines():
            pattern = re.escape(message).replace("…", ".+")
            assert any(re.fullmatch(pattern, each) for each in came), (message, came)
        assert messages or not came, came
    assert n_messages > 12


def said(code, names):
    """What warnings and an error of some lines say, each on one line behind its class."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(code, "troubleshooting.md", "exec"), names)
        except Exception as error:
            last = [error]
        else:
            last = []
    raised = [
        each.message for each in caught if issubclass(each.category, (UserWarning, RuntimeWarning))
    ] + last
    return [" ".join(f"{type(each).__name__}: {each}".split()) for each in raised]
