"""Every link inside the project leads somewhere, and every test that a page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, anchors_of, links_of, name_of
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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    missing = []
    for path, names in re.findall(
        r"\]\((?:\.\./)*(tests/[\w/]+\.py)\)((?:[ ,;\n]*(?:and )?`test_\w+`)*)", page.read_text()
    ):
        source = (ROOT / path).read_text() if (ROOT / path).exists() else ""
        missing += [f"{path}::{name}" for name in re.findall(r"`(test_\w+)`", names) if f"def {name}(" not in source]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine(page: Path) -> None:
    assert re.findall(r"/home/\w+|/root\b|/work/|/tmp/|127\.0\.0\.1:[2-9]", page.read_text()) == []
