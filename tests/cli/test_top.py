"""`pgqueue top`: what it shows, what its keys do, and that nothing a job wrote is more than text."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from pgqueue.cli.top.screen import Top
from pgqueue.cli.top.source import Source, pause_after
from pgqueue.job import JobState
from pgqueue.store import audit, execute
from tests import factories
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.dashboard.filled import fill

Conn = psycopg.Connection[Any]
HOSTILE = "[red]x[/red] [link=http://e]y[/] \x1b[2J\u202e[@click=app.quit]z"
Do = Callable[[Top, Pilot[None]], Awaitable[None]]


@pytest.fixture
def conn(connect: Connect) -> Conn:
    """As a person has it: what is done is there for all."""
    return connect(autocommit=True)


def use(dsn: str, do: Do, size: tuple[int, int] = (80, 24)) -> None:
    """Use it without a terminal."""

    async def used() -> None:
        app = Top(Source(dsn), "orders@db1", 3600.0)
        async with app.run_test(size=size) as pilot:
            await settled(app, pilot)
            await do(app, pilot)

    asyncio.run(used())


async def settled(app: Top, pilot: Pilot[None]) -> None:
    """Until all that was begun is done."""
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


async def press(app: Top, pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await settled(app, pilot)


def cells(app: Top) -> list[list[str]]:
    """The texts of the table that is looked at."""
    table = app.screen_stack[0].query_one(f"#{app.tab.name}", DataTable)
    return [[str(cell) for cell in table.get_row_at(n)] for n in range(table.row_count)]


def shown(app: Top, name: str) -> str:
    return str(app.screen.query_one(name, Static).render())


def test_each_tab_shows_what_there_is(dsn: str, conn: Conn) -> None:
    found = fill(conn, "mail")

    async def do(app: Top, pilot: Pilot[None]) -> None:
        assert cells(app)[0][1] == "mail"
        for key, text in (
            ("2", str(found.running)[:13]),
            ("3", "mail/"),
            ("4", "01234567"),
            ("5", str(found.dead)[:13]),
        ):
            await press(app, pilot, key)
            assert any(text in cell for row in cells(app) for cell in row), (key, cells(app))

    use(dsn, do)


def test_a_row_opens_and_says_why_it_is_as_it_is(dsn: str, conn: Conn) -> None:
    found = fill(conn, "mail")

    async def do(app: Top, pilot: Pilot[None]) -> None:
        await press(app, pilot, "5", "enter")
        assert str(found.dead) in shown(app, "#page-text")
        await press(app, pilot, "escape", "t")
        assert "Traceback (most recent call last)" in shown(app, "#page-text")
        await press(app, pilot, "escape", "e")
        assert "dead" in shown(app, "#page-text").lower()
        await press(app, pilot, "escape", "1", "enter")
        assert "paused" in shown(app, "#page-text")

    use(dsn, do)


def test_capitals_ask_and_only_y_changes_something_which_the_audit_has(dsn: str, conn: Conn) -> None:
    dead = [factories.make(conn, JobState.DEAD) for _ in range(3)]

    async def do(app: Top, pilot: Pilot[None]) -> None:
        await press(app, pilot, "5", "x", "x", "R")
        assert "Revive 2 jobs" in shown(app, "#question-text")
        await press(app, pilot, "n")
        assert execute(conn, audit.newest(None, 10)) == []
        await press(app, pilot, "R", "y")
        assert len(cells(app)) == 1
        await press(app, pilot, "1", "P", "y")
        assert "paused" in cells(app)[0][-1]
        await press(app, pilot, "P", "y")
        assert "paused" not in cells(app)[0][-1]
        # Nothing that it can do here.
        await press(app, pilot, "R")
        assert "R revives dead jobs" in shown(app, "#foot")

    use(dsn, do)
    acts = execute(conn, audit.newest(None, 10))
    assert [act.action for act in acts] == ["queues resume", "queues pause", "jobs retry", "jobs retry"]
    assert sum(factories.state(conn, job) is JobState.READY for job in dead) == 2


def test_a_job_that_runs_is_cancelled(dsn: str, conn: Conn) -> None:
    claim = factories.claim_one(conn)

    async def do(app: Top, pilot: Pilot[None]) -> None:
        await press(app, pilot, "2", "C", "y")
        assert "1 done" in shown(app, "#foot") or cells(app)

    use(dsn, do)
    assert conn.execute("select count(*) from pgqueue.cancellations where job_id = %s", [claim.id]).fetchone() == (1,)


def test_a_filter_is_a_query_and_a_wrong_one_is_told(dsn: str, conn: Conn) -> None:
    for queue in ("mail", "web"):
        factories.enqueue(conn, queue=queue)
        factories.make(conn, JobState.DEAD, queue=queue)

    async def do(app: Top, pilot: Pilot[None]) -> None:
        await press(app, pilot, "f", *"queue:mail", "enter")
        assert [row[1] for row in cells(app)] == ["mail"]
        await press(app, pilot, "5")
        assert [row[4] for row in cells(app)] == ["mail"]
        await press(app, pilot, "f", *"queu", "enter")
        assert [row[4] for row in cells(app)] == ["mail"]

    use(dsn, do)


def test_what_jobs_wrote_is_shown_as_text_on_every_tab_and_page(dsn: str, conn: Conn) -> None:
    fill(conn, HOSTILE)

    async def do(app: Top, pilot: Pilot[None]) -> None:
        for key in "12345":
            await press(app, pilot, key)
            texts = "".join(cell for row in cells(app) for cell in row)
            assert "[red]x[/red]"[:8] in texts, key
            assert "\x1b" not in texts
            assert "\u202e" not in texts
            await press(app, pilot, "enter")
            page = shown(app, "#page-text")
            assert "[red]x[/red]" in page
            assert "\x1b" not in page
            for key_ in ("escape", "e", "escape"):
                await press(app, pilot, key_)
        picture = app.export_screenshot()
        assert "\x1b" not in picture

    use(dsn, do, (120, 40))


def test_a_database_that_goes_away_is_told_and_looked_for_again(dsn: str, conn: Conn) -> None:
    async def do(app: Top, pilot: Pilot[None]) -> None:
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgqueue cli'")
        await press(app, pilot, "5")
        assert "trying again" in shown(app, "#foot")
        await press(app, pilot, "4")
        assert "data of" in shown(app, "#foot")

    use(dsn, do)


def test_a_slow_database_is_asked_less_often() -> None:
    assert [pause_after(took, 2.0) for took in (0.1, 0.3, 1.0)] == [2.0, 5.0, 30.0]
    assert pause_after(1.0, 60.0) == 60.0


def test_without_the_extra_it_names_what_to_install_and_what_to_use(
    pgqueue: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "textual.app", None)
    for name in [name for name in sys.modules if name.startswith("pgqueue.cli.top.screen")]:
        monkeypatch.delitem(sys.modules, name)
    ran = pgqueue("top")
    assert ran.code == 2
    assert "pip install 'pgqueue-postgres[tui]'" in ran.err
    assert "pgqueue status -i 2" in ran.err
