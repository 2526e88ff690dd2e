"""What the pages hold: their code blocks, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCE = re.compile(r"^```(?P<info>[^`\n]*)\n(?P<text>.*?)^```\n?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]+\]\((?P<to>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its kind (the first word of its info string), the words after it, and where it stands."""

    page: str
    line: int
    kind: str
    marks: frozenset[str]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that a block of code is: its first line says so, in PHP the second."""
        named = re.match(r"(?:<\?php\n)?(?:#|//) ([\w/]+\.(?:py|js|sh|go|rb|java|php))\n", self.text)
        return named[1] if named else None


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    text = page.read_text()
    return [
        Block(name_of(page), text.count("\n", 0, found.start()) + 1, kind, frozenset(marks), found["text"])
        for found in _FENCE.finditer(text)
        for kind, *marks in [found["info"].split() or [""]]
    ]


def prose_of(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text())


def links_of(page: Path) -> Iterator[str]:
    return (found["to"] for found in _LINK.finditer(prose_of(page)))


def anchors_of(page: Path) -> set[str]:
    """The anchors that a page's headings have, as GitHub makes them."""
    plain = (re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(prose_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


def section_of(page: Path, heading: str) -> str | None:
    """The text below a heading, up to the next one of its level or higher; None if there is no such heading."""
    text = page.read_text()
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    if found is None:
        return None
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest
