"""Two releases on one database, under load: through the migration, beside each other, and back again.

The earlier release is a wheel that was built from its tag or commit (releases.toml).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pgqueue
from pgqueue import giving_way
from pgqueue.embedded import Server
from pgqueue.errors import SchemaError
from tests.postgres import ROOT
from tests.store.test_migrate import created
from tests.upgrades.releases import Package, Release, releases
from tests.upgrades.staff import LEASE, POLL, Staff, staff

pytestmark = pytest.mark.upgrades

NEW = Package(pgqueue.__version__, ROOT)
# What a claim may wait for a migration, and its poll where it had just looked.
LONGEST = float(giving_way.LOCK_TIMEOUT.removesuffix("s")) + POLL


@pytest.fixture(scope="module", params=releases(), ids=lambda release: f"{release.version} at {release.revision}")
def old(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    release: Release = request.param
    package = release.built(tmp_path_factory.mktemp("release"))
    shown = package.run("postgresql://nowhere.invalid/", "--version")
    assert shown.stdout == f"pgqueue {release.version}\n"
    return package


@pytest.fixture
def team(server: Server, database: str, old: Package, tmp_path: Path) -> Iterator[Staff]:
    """A database with the old schema, and nobody at work."""
    with created(server, f"{database}_upgrade") as dsn:
        migrated = old.run(dsn, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        with staff(dsn, tmp_path) as found:
            yield found


def migrate(team: Staff, package: Package) -> float:
    """Migrate beside the work; answers for how long nothing was claimed at most."""
    before = team.moment()
    done = package.run(team.dsn, "migrate")
    assert done.returncode == 0, done.stderr
    team.work_on(2)
    return team.longest_gap(before, team.moment())


def test_p14_old_and_new_work_beside_each_other_through_a_migration_and_back(team: Staff, old: Package) -> None:
    old_workers = [team.hire(old), team.hire(old)]
    old_producer = team.employ(old, "old")
    team.work_on(2)

    gap = migrate(team, NEW)
    assert gap <= LONGEST
    before = team.settled_by(old_workers[0])
    team.work_on(2)
    assert team.settled_by(old_workers[0]) > before, "the old worker goes on with the new schema"

    new_workers = [team.hire(NEW), team.hire(NEW)]
    new_producer = team.employ(NEW, "new")
    team.work_on(3)
    assert all(team.settled_by(each) for each in (*old_workers, *new_workers))
    # Each is the one whose jobs the other release takes back.
    old_workers[0].kill()
    new_workers[0].kill()
    team.work_on(2 * LEASE)

    old_workers[1].stop()
    team.work_on(2)

    # Back again: old code, and then old functions, too.
    again = team.hire(old)
    new_producer.stop()
    team.work_on(2)
    new_workers[1].stop()
    refused = old.run(team.dsn, "migrate")
    assert refused.returncode == (78 if old_is_behind(old, team) else 0), refused.stderr
    assert old.wheel is not None
    put_back = NEW.run(team.dsn, "migrate", "--functions-of", old.wheel)
    assert put_back.returncode == 0, put_back.stderr
    before = team.settled_by(again)
    team.work_on(2)
    assert team.settled_by(again) > before, "the old worker goes on with its own functions in the new tables"
    stays_down = NEW.run(team.dsn, "worker", "-A", "upgrade_tasks", "--burst")
    assert (stays_down.returncode, "run `pgqueue migrate`" in stays_down.stderr) == (78, True), stays_down.stderr

    # And forward.
    assert migrate(team, NEW) <= LONGEST
    last = team.hire(NEW)
    old_producer.stop()
    again.stop()
    sent = team.check_books()
    assert sent >= 100
    last.stop()
    print(f"\n{sent} jobs, none lost, none doubled; nothing was claimed for {gap:.2f} s at most beside the migration")


def old_is_behind(old: Package, team: Staff) -> bool:
    """Whether the schema has a revision that the old release does not know."""
    newest = old.run(team.dsn, "migrate", "--status").stdout
    return "newer than this pgqueue" in newest


def test_p14_people_go_on_with_the_old_command_on_the_new_schema(team: Staff, old: Package) -> None:
    assert NEW.run(team.dsn, "migrate").returncode == 0
    for words in (("status",), ("jobs", "list"), ("queues", "list"), ("dead", "list"), ("workers", "list")):
        shown = old.run(team.dsn, *words)
        assert shown.returncode == 0, shown.stderr
    paused = old.run(team.dsn, "queues", "pause", "mail")
    assert paused.returncode == 0, paused.stderr


def test_p14_new_code_on_the_old_schema_says_so_and_breaks_nothing(team: Staff, old: Package) -> None:
    for words in (("worker", "-A", "upgrade_tasks", "--burst"), ("jobs", "list"), ("migrate", "--status")):
        refused = NEW.run(team.dsn, *words)
        assert refused.returncode == 78, (words, refused.stdout, refused.stderr)
        assert "run `pgqueue migrate`" in refused.stdout + refused.stderr
    # An enqueue asks for no revision: it works, or it says the same and the transaction is as it was.
    said = ""
    with psycopg.connect(team.dsn) as conn:
        try:
            with conn.transaction():
                pgqueue.enqueue(conn, "upgrade_tasks:note", [5])
        except SchemaError as error:
            said = str(error)
            conn.execute("select pgqueue.enqueue('upgrade_tasks:note', '[5]')")
        conn.execute("insert into sent (id, number, by) select id, 5, 'new' from pgqueue.jobs")
    assert not said or "run `pgqueue migrate`" in said
    worker = team.hire(old)
    assert team.check_books() == 1
    worker.stop()


def test_p14_the_check_tells_beforehand_what_the_migration_then_locks(team: Staff) -> None:
    told = NEW.run(team.dsn, "migrate", "--check")
    assert told.returncode == 0, told.stderr
    assert "locked against everybody" in told.stdout
    assert NEW.run(team.dsn, "migrate").returncode == 0
    assert "nothing would change" in NEW.run(team.dsn, "migrate", "--check").stdout
