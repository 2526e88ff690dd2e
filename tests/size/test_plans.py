"""What every command and page reads, statement by statement: by index, and a bounded number of rows, at any size.

Not by the clock: a machine that is busy makes these tests slower and no redder.
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout

import psycopg
import pytest

from bench import questions
from bench.month.found import found
from pgqueue.cli.app import main
from pgqueue.cli.errors import Exit
from pgqueue.dashboard import Dashboard, create_app
from pgqueue.dashboard.api import Tokens, hash_token
from pgqueue.dashboard.api.route import BASE
from tests.dashboard.asking import Answer, ask
from tests.store.plans import Plan, nodes, rows_of

# The tables that grow with the work, and with the time.
LARGE = frozenset({"jobs", "attempts", "dead_jobs", "tallies", "depths", "audit", "ticks", "revisions", "results"})
# Rows that a question may read, of all these tables together: of those that grow with the work about 20,000 each. One
# over days reads what was counted every minute of two days.
MOST, MOST_OVER_DAYS = 70_000, 450_000
OVER_DAYS = ("range=", "/past", "tasks timings", "causes")

# An alarm; and nothing of that name, where nothing is.
FINE = (Exit.FINE, Exit.FAILED, Exit.NOT_FOUND)

TOKEN = "for-tests-alone-and-longer-than-32-letters"

Plans = Callable[[Callable[[], object]], list[Plan]]


@pytest.fixture
def dashboard(looked_at: str) -> Iterator[Dashboard]:
    app = create_app(looked_at, api=Tokens({"bench": hash_token(TOKEN)}))
    yield app
    asyncio.run(app.aclose())


def run(words: str, dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGQUEUE_DSN", dsn)
    monkeypatch.setattr(sys, "argv", ["pgqueue", *words.split()])
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code: object = Exit.FINE
        try:
            main()
        except SystemExit as end:
            code = end.code or Exit.FINE
    assert code in FINE, (words, said.getvalue())
    return said.getvalue()


def faults(plans: list[Plan], most: int) -> list[str]:
    """What a reader would not like about them."""
    read = [
        node for plan in plans for node in nodes(plan) if node.get("Relation Name") in LARGE and node["Actual Loops"]
    ]
    walked = [node for node in read if "Scan" in node["Node Type"]]
    said = [f"reads {node['Relation Name']} whole" for node in walked if node["Node Type"] == "Seq Scan"]
    rows = sum(map(rows_of, walked))
    return [*said, *([f"reads {rows:,.0f} rows"] if rows > most else [])]


def seen(dashboard: Dashboard, address: str) -> Answer:
    bearer = [("authorization", f"Bearer {TOKEN}")] if address.startswith(BASE) else []
    return ask(dashboard, address, headers=bearer)


def bound_of(question: str) -> int:
    return MOST_OVER_DAYS if any(part in question for part in OVER_DAYS) else MOST


# A hundred of them, each in a session of its own.
@pytest.mark.faults
def test_every_command_reads_by_index_and_a_bounded_number_of_rows(
    looked_at: str, plans_of_sessions: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(looked_at, autocommit=True) as conn:
        there = found(conn)
    bad = {}
    for words in questions.commands(there):
        plans = plans_of_sessions(lambda words=words: run(words, looked_at, monkeypatch))
        if said := faults(plans, bound_of(words)):
            bad[words] = said
    assert bad == {}


def test_every_page_reads_by_index_and_a_bounded_number_of_rows(
    looked_at: str, plans_of_sessions: Plans, dashboard: Dashboard
) -> None:
    with psycopg.connect(looked_at, autocommit=True) as conn:
        there = found(conn)
    bad = {}
    for address in questions.addresses(there):
        answers = []
        plans = plans_of_sessions(lambda address=address, answers=answers: answers.append(seen(dashboard, address)))
        assert answers[0].status in (200, 303, 404), (address, answers[0].text[-500:])
        if said := faults(plans, bound_of(address)):
            bad[address] = said
    assert bad == {}
