"""The screen: five tables, of which the one that is looked at is asked for, and the keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import ContentSwitcher, DataTable, Footer, Static

from pgqueue.cli.output import written
from pgqueue.cli.top import tabs, texts
from pgqueue.cli.top.acts import Act, act_of
from pgqueue.cli.top.filters import Filter, filter_of
from pgqueue.cli.top.rows import Row, Seen
from pgqueue.cli.top.screens import Asking, Reading, Typing
from pgqueue.cli.top.source import Source, pause_after
from pgqueue.cli.top.table import Table
from pgqueue.cli.top.tabs import TABS, Tab
from pgqueue.errors import PgqueueError, UsageError
from pgqueue.printable import in_one_line
from pgqueue.store import execute, reports

if TYPE_CHECKING:
    import psycopg

# Seconds for which the headline is good.
HEADLINE_GOOD_FOR = 5.0


class Top(App[None]):
    """Shows a database; capitals change something, and ask."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head, #tabs, #foot { height: 1; padding: 0 1; }
    #head { background: $panel; }
    Screen { overflow: hidden; }
    ContentSwitcher { height: 1fr; }
    Table { height: 100%; }
    Reading, Asking, Typing { align: center middle; }
    #page { width: 94%; height: 90%; border: round $primary; background: $surface; padding: 0 1; }
    #question { width: 80%; height: auto; border: round $warning; background: $surface; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(tab.key, f"show('{tab.name}')", tab.name, show=False) for tab in TABS),
        Binding("e", "explain", "explain"),
        Binding("t", "traceback", "traceback"),
        Binding("s", "stack", "stack"),
        Binding("f", "filter", "filter"),
        Binding("x", "choose", "select"),
        Binding("R", "act('R')", "Retry"),
        Binding("C", "act('C')", "Cancel"),
        Binding("P", "act('P')", "Pause"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, source: Source, place: str, interval: float) -> None:
        super().__init__()
        self._source, self._place, self._interval = source, place, interval
        self._tab = TABS[0]
        self._filter = Filter()
        self._found: dict[str, Seen] = {}
        self._chosen: set[str] = set()
        self._headline = ""
        self._headline_at = float("-inf")
        self._next: Timer | None = None
        self._looking = False

    def compose(self) -> ComposeResult:
        """The lines above and below, and the tables."""
        yield Static(id="head")
        yield Static(id="tabs")
        with ContentSwitcher(initial=self._tab.name):
            for tab in TABS:
                yield Table(id=tab.name, cursor_type="row", zebra_stripes=True)
        yield Static(id="foot")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        for tab in TABS:
            self._table(tab).add_columns(" ", *tab.titles)
        self._table(self._tab).focus()
        self._tell_tabs()
        self._look()

    def on_unmount(self) -> None:
        """Let go of the database."""
        self._source.close()

    @property
    def tab(self) -> Tab:
        """The table that is looked at."""
        return self._tab

    def action_show(self, name: str) -> None:
        """Look at another table."""
        self._tab = next(tab for tab in TABS if tab.name == name)
        self._chosen.clear()
        self.query_one(ContentSwitcher).current = name
        self._table(self._tab).focus()
        self._tell_tabs()
        self._show(self._found.get(name))
        self._look()

    def action_open(self) -> None:
        """Open the row's page."""
        self._read("", texts.opened)

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        """Enter, or a click, on a row."""
        self.action_open()

    def action_explain(self) -> None:
        """Say why it is as it is."""
        self._read("why: ", texts.explained)

    def action_traceback(self) -> None:
        """Show the last traceback."""
        self._read("traceback: ", texts.traceback_of)

    def action_stack(self) -> None:
        """Ask the worker where the job is in its code."""
        self._say("asking its worker ...")
        self._read("stack: ", texts.stack_of)

    def action_choose(self) -> None:
        """Choose the row, or no longer."""
        if (row := self._row()) is not None:
            self._chosen ^= {row.key}
            table = self._table(self._tab)
            self._show(self._found.get(self._tab.name))
            table.action_cursor_down()

    def action_filter(self) -> None:
        """Ask what is to be shown."""
        self.push_screen(Typing(self._filter.text), self._filtered)

    def action_act(self, key: str) -> None:
        """Change something, if y is said."""
        act = act_of(key, self._tab.name, self._chosen_rows())
        if isinstance(act, str):
            self._say(act)
            return
        self.push_screen(Asking(act.question), lambda agreed: self._agreed(act, agreed))

    def _agreed(self, act: Act, agreed: bool | None) -> None:
        if agreed:
            self.run_worker(self._do(act), group="act")

    async def _do(self, act: Act) -> None:
        try:
            self._say(await self._source.ask(act.done))
        except PgqueueError as error:
            self._say(str(error), wrong=True)
        self._chosen.clear()
        self._look()

    def _filtered(self, text: str | None) -> None:
        if text is not None:
            self.run_worker(self._set_filter(text), group="filter", exclusive=True)

    async def _set_filter(self, text: str) -> None:
        try:
            now = await self._source.ask(lambda conn: execute(conn, reports.now()))
            self._filter = filter_of(text, now)
        except (UsageError, PgqueueError) as error:
            self._say(str(error), wrong=True)
            return
        self._tell_tabs()
        self._look()

    def _read(self, about: str, ask: Callable[[psycopg.Connection[Any], str, Row], str]) -> None:
        if (row := self._row()) is not None:
            self.run_worker(self._open(f"{about}{row.cells[0]}", row, ask), group="read", exclusive=True)

    async def _open(self, title: str, row: Row, ask: Callable[[psycopg.Connection[Any], str, Row], str]) -> None:
        tab = self._tab.name
        try:
            text = await self._source.ask(lambda conn: ask(conn, tab, row))
        except PgqueueError as error:
            text = in_one_line(str(error), 1_000)
        self.push_screen(Reading(title, text))

    def _look(self) -> None:
        """Look now; while one look goes on there is no second."""
        if self._next is not None:
            self._next.stop()
            self._next = None
        if self._looking:
            return
        self._looking = True
        self.run_worker(self._look_once(), group="look")

    async def _look_once(self) -> None:
        tab, said = self._tab, self._filter
        try:
            if time.monotonic() - self._headline_at > HEADLINE_GOOD_FOR:
                self._headline, self._headline_at = await self._source.ask(tabs.headline), time.monotonic()
            self._found[tab.name] = await self._source.ask(lambda conn: tabs.seen(conn, tab, said))
        except PgqueueError as error:
            self._say(f"{error}; trying again", wrong=True)
        finally:
            self._looking = False
        if tab is not self._tab or said is not self._filter:
            self._look()
            return
        self._show(self._found.get(tab.name))
        self._next = self.set_timer(pause_after(self._source.took, self._interval), self._look)

    def _show(self, found: Seen | None) -> None:
        self.query_one("#head", Static).update(
            Text(f"pgqueue {in_one_line(self._place, 60)}  {self._headline}", "bold")
        )
        if found is not None:
            self._chosen &= {row.key for row in found.rows}
        self._table(self._tab).paint([] if found is None else found.rows, self._chosen)
        if found is None:
            return
        note = found.note or (f"{len(found.rows)} {self._tab.name}" if found.rows else f"no {self._tab.name}")
        self._say(f"data of {written(found.at)[11:]} · {note}")

    def _row(self) -> Row | None:
        """The row under the cursor."""
        found, key = self._found.get(self._tab.name), self._table(self._tab).key_here
        return next((row for row in found.rows if row.key == key), None) if found is not None else None

    def _chosen_rows(self) -> list[Row]:
        """The rows that are chosen, or else the one under the cursor."""
        found = self._found.get(self._tab.name)
        chosen = [row for row in found.rows if row.key in self._chosen] if found is not None else []
        here = self._row()
        return chosen or ([here] if here is not None else [])

    def _table(self, tab: Tab) -> Table:
        return self.query_one(f"#{tab.name}", Table)

    def _tell_tabs(self) -> None:
        line = Text()
        for tab in TABS:
            line.append(f" {tab.key} {tab.name} ", "reverse" if tab is self._tab else "")
        if self._filter.text:
            line.append(f"  filter: {in_one_line(self._filter.text, 60)}", "yellow")
        self.query_one("#tabs", Static).update(line)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.query_one("#foot", Static).update(Text(in_one_line(text, 300), "red" if wrong else "dim"))
