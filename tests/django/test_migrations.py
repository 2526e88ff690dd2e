"""`migrate` makes the schema, keeps it up to date, leaves other databases alone, and finds nothing left to make."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest

from pgqueue.embedded import Server
from pgqueue.migrate import status
from tests.django.conftest import database

pytestmark = pytest.mark.usefixtures("shop")


@pytest.fixture
def empty(server: Server) -> Iterator[str]:
    """An alias of a database with nothing in it."""
    from django.db import connections

    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create database django_empty")
        connections.databases["empty"] = connections.configure_settings(
            {"empty": database(server, "django_empty"), "default": {}}
        )["empty"]
        yield "empty"
        connections["empty"].close()
        del connections["empty"], connections.databases["empty"]
        admin.execute("drop database django_empty with (force)")


def migrate(*words: str, **options: Any) -> str:
    from django.core.management import call_command

    out = StringIO()
    call_command("migrate", *words, stdout=out, no_color=True, **options)
    return out.getvalue()


def test_migrate_makes_the_schema(empty: str) -> None:
    from pgqueue.contrib.django.dsn import dsn_of

    assert "Applying pgqueue.0001_pgqueue... OK" in migrate("pgqueue", database=empty)
    assert status(dsn_of(empty)).state == "current"


def test_a_later_release_is_brought_up_to_date_by_the_next_migrate(empty: str) -> None:
    from pgqueue.contrib.django.dsn import dsn_of

    migrate("pgqueue", database=empty)
    with psycopg.connect(dsn_of(empty), autocommit=True) as conn:
        conn.execute("drop function pgqueue.is_heard")
        conn.execute("comment on schema pgqueue is 'of an older release'")
    assert not status(dsn_of(empty)).functions
    migrate("pgqueue", database=empty)
    assert status(dsn_of(empty)).functions


def test_flush_migrates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.management.sql import emit_post_migrate_signal

    from pgqueue.contrib.django import apps

    def refuse(alias: str) -> None:
        raise AssertionError(alias)

    monkeypatch.setattr(apps, "migrate_alias", refuse)
    emit_post_migrate_signal(0, False, "default")


def test_a_database_that_is_not_postgresql_is_left_alone() -> None:
    assert "Applying pgqueue.0001_pgqueue... OK" in migrate("pgqueue", database="lite")


def test_a_router_keeps_the_schema_out_of_a_database(empty: str) -> None:
    from django.test import override_settings

    from pgqueue.contrib.django.dsn import dsn_of

    with override_settings(DATABASE_ROUTERS=["tests.django.test_migrations.Elsewhere"]):
        migrate("pgqueue", database=empty)
    with psycopg.connect(dsn_of(empty)) as conn:
        assert conn.execute("select to_regnamespace('pgqueue')").fetchone() == (None,)


class Elsewhere:
    """Nothing is migrated."""

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return False


def test_nothing_is_left_for_makemigrations() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "pgqueue", check=True, dry_run=True, verbosity=0)


def test_sqlmigrate_and_the_plan_say_what_would_run(empty: str) -> None:
    from django.core.management import call_command

    out = StringIO()
    call_command("sqlmigrate", "pgqueue", "0001", stdout=out, no_color=True)
    assert "create schema pgqueue" in out.getvalue()
    assert "Create the schema pgqueue" in migrate("pgqueue", plan=True, database=empty)


def test_going_back_is_refused_so_that_no_job_is_lost() -> None:
    from django.db.migrations.exceptions import IrreversibleError

    with pytest.raises(IrreversibleError):
        migrate("pgqueue", "zero")
