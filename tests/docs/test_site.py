"""The built site: strict, whole, and sufficient unto itself."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.building import build, mkdocs
from tests.postgres import ROOT

pytestmark = pytest.mark.adopt

# What a browser fetches by itself: scripts, styles, fonts, pictures, frames.
_FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_IN_STYLES = re.compile(r"url\(\s*['\"]?(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") in {"canonical", "next", "prev"}:
            return
        if value := given.get(_FETCHED.get(tag, "")):
            self.found.append(value)


class _Prose(HTMLParser):
    """The words of a page outside of its code and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self._within: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"code", "pre", "script", "style"}:
            self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.found.append(data)


def prose_in(page: Path) -> str:
    parser = _Prose()
    parser.feed(page.read_text())
    return "".join(parser.found)


def fetched_by(page: Path) -> list[str]:
    parser = _Fetched()
    parser.feed(page.read_text())
    return parser.found


def test_every_page_is_built_and_whatever_it_fetches_is_there(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    for source in (ROOT / "docs").rglob("*.md"):
        name = source.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / (name.with_name("index.html") if name.stem == "README" else name)).is_file(), name
    for page in pages:
        for to in fetched_by(page):
            assert not re.match(r"(?:https?:)?//", to), f"{page}: {to}"
            assert (page.parent / to.partition("?")[0].partition("#")[0]).exists() or page.name == "404.html", to


def test_no_style_fetches_from_elsewhere(site: Path) -> None:
    for style in site.rglob("*.css"):
        assert not _IN_STYLES.search(style.read_text()), style


def test_a_search_finds_guides_and_no_source(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    places = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {"guides/faq.html", "reference/cli.html", "tutorial.html"} <= places
    assert not [place for place in places if place.endswith(".py.html")]


def test_code_is_marked_as_the_language_that_its_fence_names(site: Path) -> None:
    page = (site / "how-it-works.html").read_text()
    assert 'class="language-sql' in page
    assert "sql excerpt" not in page


def test_a_link_out_of_the_docs_leads_to_the_file_as_a_page(site: Path) -> None:
    page = site / "guarantees.html"
    (to, *_) = re.findall(r'href="(source/tests/client/test_connections\.py\.html)"', page.read_text())
    assert "test_p1_a_commit_makes_the_jobs_exist" in (page.parent / to).read_text()


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[x](no.md) [y](#no) [z](../tests/no.py)\n")
    (tmp_path / "mkdocs.yml").write_text(
        f"INHERIT: {ROOT}/mkdocs.yml\nnav: [index.md]\nhooks: [{ROOT}/docs/_site/outside.py]\n"
    )
    done = mkdocs(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert all(f"'{link}'" in done.stderr for link in ("no.md", "#no", "../tests/no.py"))


def test_no_page_waits_for_a_script_that_draws(site: Path) -> None:
    """The theme fetches one from elsewhere for each page that has such a drawing."""
    assert not [page for page in site.rglob("*.html") if re.search(r'class="mermaid"', page.read_text())]


# What is left of Markdown where it was not understood: a link, bold letters, a fence, a row of a table.
_LEFT_OVER = re.compile(r"\]\(|\*\*|```|^\| ", re.MULTILINE)


def test_no_markdown_is_left_in_a_page(site: Path) -> None:
    left = {str(page.relative_to(site)): _LEFT_OVER.findall(prose_in(page)) for page in site.rglob("*.html")}
    assert {page: found for page, found in left.items() if found} == {}
