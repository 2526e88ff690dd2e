"""The guide about capacity reckons with what was measured."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import section_of
from tests.postgres import ROOT

GUIDE = ROOT / "docs" / "guides" / "capacity.md"
MEASURED = (ROOT / "docs" / "performance.md").read_text()


def rows_of(text: str) -> set[tuple[str, ...]]:
    """The first three cells of each row of its tables."""
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    return {tuple(cell.strip() for cell in line.split(" | "))[:3] for line in lines}


FIGURES = sorted(
    row for row in rows_of(GUIDE.read_text().partition("## Slots")[0]) if row[0] != "figure" and row[0] != "---"
)


@pytest.mark.parametrize("row", FIGURES, ids=" ".join)
def test_each_figure_is_the_one_on_the_page_of_figures(row: tuple[str, ...]) -> None:
    assert row in rows_of(MEASURED), (
        f"docs/performance.md has another {row[0]} of {row[1]}; mend docs/guides/capacity.md"
    )


def test_what_is_reckoned_with_stands_in_the_table() -> None:
    values = {re.sub(r"[^\d.]", "", row[2]) for row in FIGURES}
    for heading, name in (("The server", "SERVER"), ("Disk", "WAL")):
        section = section_of(GUIDE, heading) or ""
        (value,) = re.findall(rf"^{name} = ([\d.]+)", section, re.MULTILINE)
        assert value in values
