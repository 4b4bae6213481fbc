"""Pages as a parser and as a browser see them."""

import contextlib
import shutil
from html.parser import HTMLParser

import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics card
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]
# by a driver without a graphics card, that it is slow; and by plotly.js 3 of its own doing
SAID = ("GL Driver Message", "willReadFrequently", "unrecognized GUI edit")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


class Parsed(HTMLParser):
    """The elements of a page, its visible text, and what its scripts and styles hold."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.raw = [], [], {"script": [], "style": []}
        self.inside = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in self.raw:
            self.inside = tag
            self.raw[tag].append("")

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.raw[self.inside][-1] += data
        else:
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        """The visible text, with every run of white space as one space."""
        return " ".join(" ".join(self.text).split())

    @property
    def addresses(self):
        """Everything that a browser might fetch or follow."""
        names = ("src", "href", "srcset", "action", "data", "poster")
        return [attributes[name] for _, attributes in self.elements for name in names if name in attributes]

    @property
    def policy(self):
        return next(a["content"] for a in self.all("meta") if a.get("http-equiv"))


@contextlib.contextmanager
def opened(page, path, *, width, scheme):
    """Open a page, saved under a path, in a tab; afterwards assert what every page must keep.

    No error on the console, no request but for the page, no sideways scrolling, no broken image.
    """
    sync_api = pytest.importorskip("playwright.sync_api")
    path.write_text(page, encoding="utf-8")
    complaints, requests = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tab.on("console", lambda m: None if any(map(m.text.count, SAID)) else complaints.append(m.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(path.as_uri())
        yield tab
        hidden = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        broken = tab.evaluate("[...document.images].filter(i => !i.naturalWidth).length")
        browser.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
    assert hidden <= 0
    assert broken == 0
