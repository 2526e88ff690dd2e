"""The rows of docs/security.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import ROOT

PAGE = ROOT / "docs" / "security.md"
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One attack: its number, what is tried, what happens, and the tests that do it, as files and names."""

    number: str
    attack: str
    happens: str
    tests: tuple[tuple[Path, str], ...]


def rows() -> list[Row]:
    """All rows, in the order of the page."""
    return [_row(line) for line in PAGE.read_text().splitlines() if re.match(r"\| *\d", line)]


def _row(line: str) -> Row:
    number, attack, happens, told = (cell.strip() for cell in line.strip("|").split("|"))
    return Row(number, attack, happens, tuple((ROOT / path, name) for path, name in _TEST.findall(told)))
