"""`pgqueue demo`: how it is called; what it does has tests of its own."""

from __future__ import annotations

from tests.cli.conftest import Command


def test_a_database_that_is_not_there_is_said(pgqueue: Command) -> None:
    ran = pgqueue("demo", "--dsn", "postgresql://127.0.0.1:1/x")
    assert ran.code == 3
    assert "no connection to 127.0.0.1:1/x" in ran.err


def test_without_workers_nothing_would_happen(pgqueue: Command) -> None:
    assert pgqueue("demo", "--workers", 0).code == 2
