"""The site: every page has its place, once, and reads there as it does in the repository."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import PAGES, links_of, name_of, prose_of
from tests.postgres import ROOT

DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
SECTIONS = ["Start", "Tutorial", "Guides", "Reference", "Explanation"]


def pages_of(entries: Any) -> list[str]:
    """The pages that a part of the navigation names, as files of the repository."""
    if isinstance(entries, str):
        outside = entries.removeprefix("source/")
        return [outside if outside != entries else f"docs/{entries}"]
    parts = entries.values() if isinstance(entries, dict) else entries
    return [page for part in parts for page in pages_of(part)]


NAMED = pages_of(SITE["nav"])


def test_every_page_of_the_docs_has_its_line_in_the_navigation_once() -> None:
    """Add `- guides/NAME.md` to `nav:` in mkdocs.yml, in the group where a reader looks for it."""
    pages = {path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")}
    assert pages - set(NAMED) == set(), "not in nav: of mkdocs.yml"
    assert {page for page in NAMED if not (ROOT / page).is_file()} == set(), "in nav: of mkdocs.yml, and not there"
    assert [page for page, times in Counter(NAMED).items() if times > 1] == []


def test_every_page_of_the_navigation_but_decisions_is_in_the_list_of_all_pages() -> None:
    index = DOCS / "index.md"
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links_of(index)}
    wanted = {ROOT / page for page in NAMED if not page.startswith("docs/design/")} - {index, ROOT / "docs/tutorial.md"}
    assert {name_of(page) for page in wanted - listed} == set()


def test_the_four_kinds_of_pages_are_the_tabs() -> None:
    assert [name for entry in SITE["nav"] for name in entry] == SECTIONS


def test_the_site_is_strict_and_takes_nothing_from_elsewhere() -> None:
    assert SITE["strict"] is True
    assert SITE["theme"]["font"] is False
    asked = {name: value for part in SITE["validation"].values() for name, value in part.items()}
    assert set(asked.values()) == {"warn"}
    assert {"anchors", "not_found", "omitted_files"} <= set(asked)


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(DOCS)], ids=name_of)
def test_lists_read_as_lists_by_both_kinds_of_markdown(page: Path) -> None:
    """Python-Markdown wants an empty line before a list, and 4 blanks before one within another."""
    lines = prose_of(page).splitlines()
    glued = [
        line
        for before, line in pairwise(lines)
        if re.match(r"(?:[-*]|\d+\.) ", line) and before.strip() and not re.match(r"\s|[-*] |\d+\. |#", before)
    ]
    shallow = [line for line in lines if re.match(r" {1,3}(?:[-*]|\d+\.) ", line)]
    assert (glued, shallow) == ([], [])


@pytest.mark.parametrize("page", [page for page in PAGES if page.is_relative_to(DOCS)], ids=name_of)
def test_a_page_has_one_heading_that_names_it(page: Path) -> None:
    assert len(re.findall(r"^# ", prose_of(page), re.MULTILINE)) == 1
    assert prose_of(page).startswith("# ")
