"""Contracting: a release later, when asked, while nobody is there who needs it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pgqueue import contracting, revisions
from pgqueue.contracting import contract, superfluous
from pgqueue.errors import SchemaError
from pgqueue.migrate import migrate, status
from pgqueue.migration_plan import plan
from pgqueue.revisions import Revision
from pgqueue.store import schema
from pgqueue.store.schema import require_schema
from pgqueue.version import __version__
from tests.factories import enlist

Conn = psycopg.Connection[Any]

# As if migrations had left this; the last revision is newer than the release before this one.
LEFT = (
    "drop function if exists pgqueue.once(integer, text)",
    "alter table pgqueue.queues drop column if exists once",
    "drop table if exists pgqueue.once_upon",
)
NOT_YET = "drop table if exists pgqueue.lately"
SCENE = """
create function pgqueue.once(a integer, b text) returns int language sql as 'select 1';
alter table pgqueue.queues add column once int;
create table pgqueue.once_upon (a int);
create table pgqueue.lately (a int)
"""


@pytest.fixture
def scene(conn: Conn, monkeypatch: pytest.MonkeyPatch) -> Conn:
    """A schema with what code of long ago has used, and with what the last release uses."""
    conn.autocommit = True
    conn.execute(SCENE)  # type: ignore[call-overload]  # a text of ours
    chain = [Revision(schema.PREVIOUS_REVISION, (), (), LEFT), Revision("9998", (), (), (NOT_YET,))]

    def coming(_revision: str | None, to: str = "head") -> list[Revision]:
        return [each for each in chain if to == "head" or each.name <= to]

    monkeypatch.setattr(contracting.revisions, "coming", coming)
    return conn


def test_what_only_older_releases_used_is_dropped_and_what_the_last_one_uses_stays(scene: Conn, dsn: str) -> None:
    assert contract(dsn) == list(LEFT)
    assert superfluous(scene) == []
    assert scene.execute("select to_regclass('pgqueue.lately') is not null").fetchone() == (True,)
    assert contract(dsn) == []


def test_a_migration_alone_drops_nothing_and_the_check_tells_what_is_to_be_dropped(scene: Conn, dsn: str) -> None:
    assert migrate(dsn) is False
    assert plan(dsn).contract == LEFT
    assert superfluous(scene) == list(LEFT)


def test_after_it_code_of_the_last_release_goes_on_and_older_code_says_that_it_cannot(
    scene: Conn, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract(dsn)
    scene.execute("update pgqueue.alembic_version set version_num = '9999'")
    monkeypatch.setattr(schema, "__version__", schema.PREVIOUS_RELEASE)
    monkeypatch.setattr(schema, "NEWEST_REVISION", schema.PREVIOUS_REVISION)
    require_schema(scene)
    monkeypatch.setattr(schema, "OLDEST_REVISION", "0001")
    monkeypatch.setattr(schema, "NEWEST_REVISION", "0014")
    with pytest.raises(SchemaError, match="does not serve it any more; upgrade pgqueue here"):
        require_schema(scene)


def test_a_later_migration_does_not_promise_again_what_was_dropped(scene: Conn, dsn: str) -> None:
    contract(dsn)
    scene.execute(
        "comment on schema pgqueue is 'serves code from 0015; functions of 0.0.1, 0123456789abcdef'".replace(
            "0015", schema.PREVIOUS_REVISION
        )
    )
    assert migrate(dsn) is True
    (said,) = scene.execute("select obj_description('pgqueue'::regnamespace)").fetchone() or ("",)
    assert f"serves code from {schema.PREVIOUS_REVISION};" in said
    assert status(dsn).functions


@pytest.mark.parametrize("release", ["0.0.9", None, "yesterday"])
def test_it_waits_for_the_end_of_older_workers(scene: Conn, dsn: str, release: str | None) -> None:
    worker = enlist(scene)
    scene.execute(
        "insert into pgqueue.worker_reports (id, report) values (%s, json_build_object('pgqueue', %s::text))"
        " on conflict (id) do update set report = excluded.report",
        [worker, release],
    )
    with pytest.raises(SchemaError, match="stop them first: pgqueue workers list -v"):
        contract(dsn)
    assert superfluous(scene) == list(LEFT)
    scene.execute("update pgqueue.worker_reports set report = json_build_object('pgqueue', %s::text)", [__version__])
    assert contract(dsn) == list(LEFT)


def test_a_schema_that_is_not_migrated_is_not_contracted(scene: Conn, dsn: str) -> None:
    scene.execute("comment on schema pgqueue is 'functions of another release'")
    with pytest.raises(SchemaError, match="run `pgqueue migrate` first"):
        contract(dsn)


@pytest.mark.parametrize(
    "statement",
    [
        "drop table pgqueue.jobs",
        "delete from pgqueue.jobs",
        "drop function if exists other.one()",
        "drop schema pgqueue",
    ],
)
def test_a_contract_that_is_no_plain_drop_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match="CONTRACT drops by"):
        contracting.dropped(statement)


def test_the_real_chain_is_asked(dsn: str) -> None:
    assert contract(dsn) == []
    assert [each.name for each in revisions.coming(None)] == revisions.names()
