"""A table of the screen: how its rows are drawn, with the cursor where it was."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from pgqueue.cli.top.rows import Row

CHOSEN = "✓"
_NUMBER = re.compile(r"[≈> ]*[\d,.]+( [M%])?$")


class Table(DataTable[Text]):
    """A table of a tab; enter opens a row."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "open")]

    @property
    def key_here(self) -> str | None:
        """The key of the row under the cursor; None if there is none."""
        if not 0 <= self.cursor_row < self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value

    def paint(self, rows: Sequence[Row], chosen: Collection[str]) -> None:
        """Show these rows; the cursor stays on its row, or else in its place."""
        key, place, scrolled = self.key_here, self.cursor_row, self.scroll_y
        self.clear()
        for row in rows:
            cells = [Text(text, row.style, justify="right" if _NUMBER.match(text) else "left") for text in row.cells]
            self.add_row(Text(CHOSEN if row.key in chosen else " "), *cells, key=row.key)
        if rows:
            keys = [row.key for row in rows]
            self.move_cursor(
                row=keys.index(key) if key in keys else min(place, len(keys) - 1), animate=False, scroll=False
            )
            self.scroll_to(y=scrolled, animate=False)
