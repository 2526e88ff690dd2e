"""What people see of partitions: the command that makes them, the doctor, an index of an argument."""

from __future__ import annotations

from pgqueue.doctor import CHECKS, Verdict, diagnose
from tests.cli.conftest import Command, pgqueue  # noqa: F401
from tests.conftest import Connect
from tests.factories import Conn
from tests.history.filling import attempt, day, fill, names


def examine(dsn: str) -> Verdict:
    (verdict,) = diagnose(dsn, [check for check in CHECKS if check.name == "partitions"])
    return verdict


def test_the_command_says_how_far_it_is_and_finds_nothing_to_do_again(
    pgqueue: Command,  # noqa: F811
    connect: Connect,
) -> None:
    db = connect(autocommit=True)
    fill(db, 100)
    db.execute("analyze pgqueue.attempts")
    first, second = (pgqueue("migrate", "--partition-history") for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.err
    assert "attempts: 105 of about 105 rows copied" in first.err
    assert "partitioned by day" in first.err
    assert "partitioned already" in second.err
    assert pgqueue("migrate", "--partition-history", "--status").code == 2
    assert pgqueue("doctor", "--only", "schema,indexes,grants,partitions,bloat").code == 0


def test_an_index_of_an_argument_is_built_in_each_partition_and_used(
    pgqueue: Command,  # noqa: F811
    partitioned: str,
    db: Conn,
) -> None:
    attempt(db, 2)
    assert pgqueue("index", "add", "args.0", "--yes", "--dsn", partitioned).code == 0
    # A day that comes later has it, too.
    db.execute(f"drop table pgqueue.{day(-7)}; select pgqueue.make_spans('attempts')")
    rows = db.execute(
        "select count(*), bool_and(indisvalid) from pg_index where indexrelid::regclass::text ~ 'attempts.*arg'"
    ).fetchone()
    assert rows == (len(names(db)) + 1, True)
    assert '"valid": true' in pgqueue("index", "list", "--json", "--dsn", partitioned).out
    assert pgqueue("index", "drop", "args.0", "--dsn", partitioned).code == 0
    assert "No argument" in pgqueue("index", "list", "--dsn", partitioned).out


def test_the_doctor_knows_how_partitions_stand(db: Conn, partitioned: str, dsn: str) -> None:
    assert examine(dsn).text == "the history has no partitions: one table each, pruned row by row"
    found = examine(partitioned)
    assert found.status == "warn"
    assert f"{day(30)}" in found.text
    overdue = "select name from pgqueue.partitions_of(%s) where ends < now() - %s::interval"
    for table, kept in (("attempts", "8 days"), ("dead_jobs", "180 days")):
        for (name,) in db.execute(overdue, [table, kept]).fetchall():
            db.execute(f"drop table pgqueue.{name}")
    assert (examine(partitioned).status, "in time" in examine(partitioned).text) == ("ok", True)
    for days in range(-7, -1):
        db.execute(f"drop table pgqueue.{day(days)}")
    assert "not made ahead: they end" in examine(partitioned).text


def test_the_doctor_finds_a_copy_that_was_begun_and_what_gives_it_up(dsn: str, connect: Connect) -> None:
    db = connect(autocommit=True)
    db.execute("select pgqueue.begin_copy('attempts')")
    found = examine(dsn)
    assert (found.status, "attempts are being copied" in found.text) == ("warn", True)
    assert found.cure is not None
    db.execute(found.cure.split("; or: ")[1].encode())
    assert examine(dsn).status == "ok"
