"""The files of the look are those that were vendored, and no template needs more than the policy allows."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import pgqueue.dashboard
from pgqueue.dashboard import Dashboard
from tests.dashboard.asking import ask

ROOM = Path(pgqueue.dashboard.__file__).parent
STATIC, TEMPLATES = ROOM / "static", sorted((ROOM / "templates").rglob("*.html"))
VENDORED = re.findall(r"^\| `([\w.]+)` \|.*\| `([0-9a-f]{64})` \|$", (STATIC / "VENDORED.md").read_text(), re.MULTILINE)
OURS = {"app.css", "charts.js", "graph.css", "icon.svg", "keys.js", "live.js", "search.js", "theme.js", "times.js"}


@pytest.mark.parametrize(("name", "digest"), VENDORED)
def test_a_vendored_file_is_the_one_that_was_vendored(name: str, digest: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_every_file_is_vendored_or_ours() -> None:
    assert {name for name, _ in VENDORED} | OURS | {"VENDORED.md"} == {each.name for each in STATIC.iterdir()}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOM).as_posix())
def test_no_template_needs_evaluation_or_inline_code(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\bhx-on|hx-vals=.?.?js:|hx-trigger=.[^\"']*\[|\bstyle=|\bon[a-z]+=|javascript:", text)
    assert "|safe" not in text.replace(" ", "")
    assert "<style" not in text
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"""hx-[a-z-]+=["'][^"']*\{\{""", text), "an hx- attribute made of data"


def test_the_look_is_small() -> None:
    assert (STATIC / "app.css").stat().st_size <= 24_000
    assert sum(each.stat().st_size for each in STATIC.iterdir()) <= 170_000


def test_files_may_be_kept_for_ever_under_the_name_of_their_content(app: Dashboard) -> None:
    page = ask(app, "/").text
    for address in re.findall(r'"(/static/[0-9a-f]{16}/[\w.]+)"', page):
        answer = ask(app, address)
        assert answer.status == 200
        assert answer.header("cache-control") == "public, max-age=31536000, immutable"
    for address in ("/static/0/app.css", "/static/0/../guard.py", "/static/0/VENDORED.md", "/static/0/%2e%2e"):
        assert ask(app, address).status == 404
