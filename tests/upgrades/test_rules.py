"""Expand, and contract a release later: what the release before this one uses stays, as it was.

docs/design/expand-and-contract.md. Here by the texts of the migrations and by the schema that they make; test_mixed.py
has that release itself at work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgqueue import contracting, revisions
from pgqueue.store import schema
from pgqueue.table_locks import Reader
from pgqueue.version import __version__, numbers
from tests.upgrades.listing import FILE, listing
from tests.upgrades.releases import releases


def test_p14_every_name_that_the_previous_release_uses_is_still_there_as_it_was(conn: psycopg.Connection[Any]) -> None:
    title, *used = FILE.read_text().splitlines()
    assert title == f"pgqueue {schema.PREVIOUS_RELEASE}"
    assert len(used) > 500
    assert sorted(set(used) - set(listing(conn))) == []


@pytest.mark.upgrades
def test_p14_the_listing_is_that_of_the_previous_release(
    tmp_path: Path, conn: psycopg.Connection[Any], bare_dsn: str
) -> None:
    package = releases()[0].built(tmp_path)
    assert package.run(bare_dsn, "migrate").returncode == 0
    with psycopg.connect(bare_dsn) as old:
        assert FILE.read_text().splitlines()[1:] == listing(old)


def test_the_previous_release_is_named_once(conn: psycopg.Connection[Any]) -> None:
    previous = releases()[0]
    assert (previous.version, previous.revision) == (schema.PREVIOUS_RELEASE, schema.PREVIOUS_REVISION)
    assert numbers(previous.version) < numbers(__version__)
    assert previous.revision in revisions.names()
    assert previous.revision >= schema.OLDEST_SERVED, "the functions serve the release before"


def read_before() -> Reader:
    """A reader that knows what the previous release has."""
    reader = Reader()
    for revision in revisions.coming(None, schema.PREVIOUS_REVISION):
        for statement in revision.statements:
            reader.read(statement)
    reader.have()
    return reader


def test_p14_no_migration_narrows_what_the_previous_release_uses() -> None:
    reader = read_before()
    narrowing = [
        (revision.name, statement)
        for revision in revisions.coming(schema.PREVIOUS_REVISION)
        for statement in (*revision.beside, *revision.statements)
        if reader.narrows(statement)
    ]
    assert narrowing == [], "what narrows stands in CONTRACT, and is dropped a release later"


@pytest.mark.parametrize(
    "statement",
    [
        "alter table pgqueue.jobs drop column labels",
        "alter table pgqueue.jobs rename column labels to tags",
        "alter table pgqueue.jobs rename to tasks",
        "alter table pgqueue.jobs alter column attempt type smallint",
        "alter table pgqueue.jobs alter labels set not null",
        "alter table pgqueue.jobs add column a int, drop column labels",
        "alter table pgqueue.jobs add column tenant text not null",
        "alter table pgqueue.jobs add constraint short check (length(queue) < 10) not valid",
        "create unique index one_a_target on pgqueue.jobs (target)",
        "drop table if exists pgqueue.parked",
        "drop view pgqueue.job",
        "drop function if exists pgqueue.heartbeat(bigint, interval)",
        "drop sequence pgqueue.hold_numbers",
        "drop type pgqueue.lane",
    ],
)
def test_what_narrows_is_noticed(statement: str) -> None:
    assert read_before().narrows(statement)


@pytest.mark.parametrize(
    "statement",
    [
        'alter table pgqueue.jobs add column tenant text collate "C"',
        "alter table pgqueue.queues add column quiet boolean not null default false, add column why text",
        "create table pgqueue.tenants (name text not null unique, check (name <> ''))",
        "create index concurrently if not exists jobs_tenant on pgqueue.jobs (tenant) where tenant is not null",
        "alter table pgqueue.jobs enable row level security",
        "create trigger jobs_allowed after insert on pgqueue.jobs for each row when (new.tenant is not null)"
        " execute function pgqueue.line_new()",
        "insert into pgqueue.duties (name) values ('tenants')",
        "drop index pgqueue.jobs_coming",
    ],
)
def test_what_only_adds_passes(statement: str) -> None:
    assert not read_before().narrows(statement)


def test_every_contract_can_be_found_out_about() -> None:
    contracts = [each for revision in revisions.coming(None) for each in revision.contract]
    assert all(contracting.dropped(each) for each in contracts)
