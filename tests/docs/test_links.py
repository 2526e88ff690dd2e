"""Every link inside the project leads somewhere, and every test that a page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, anchors_of, links_of, name_of, prose_of
from tests.postgres import ROOT


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and anchor not in anchors_of(to)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        linked = ((page.parent / link.partition("#")[0]).resolve() for link in links_of(page))
        waiting += [to for to in linked if to in PAGES]
    assert {name_of(page) for page in set(PAGES) - reached} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    missing, source, file = [], "", "no file"
    for found in re.finditer(r"\]\((?:\.\./)*(tests/[\w/]+\.py)\)|`(test_\w+)`", prose_of(page)):
        if found[1]:
            file = found[1]
            source = (ROOT / file).read_text() if (ROOT / file).exists() else ""
        elif source and f"def {found[2]}(" not in source:
            missing.append(f"{file}::{found[2]}")
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine(page: Path) -> None:
    assert re.findall(r"/home/\w+|/root\b|/work/|/tmp/|127\.0\.0\.1:[2-9]", page.read_text()) == []
