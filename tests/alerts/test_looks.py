"""When people are told: once a key and hour, after a while of gathering, and once more when it is well."""

from __future__ import annotations

import psycopg
import pytest

from pgqueue.job import JobState
from pgqueue.store import alerts, causes, execute
from tests.alerts.scenes import (
    CAUSE,
    H,
    M,
    S,
    alert,
    channel,
    died,
    facts,
    jobs,
    look,
    looks,
    now,
    state,
    told,
    unsent,
)
from tests.factories import Conn, make

KEY = f"dead:{CAUSE}"


def test_where_nobody_is_to_be_told_nothing_is_looked_for(db: Conn) -> None:
    died(db)
    assert look(db, now()) == -1
    assert db.execute("select count(*) from pgqueue.alerts").fetchone() == (0,)


def test_a_storm_of_deaths_of_one_cause_is_one_message(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db, n=4_000)
    assert looks(db, begin, begin + 25 * S) == 0
    assert state(db, KEY) == "gathering"
    died(db, n=6_000)
    assert looks(db, begin + 31 * S, begin + 5 * M) == 1
    assert told(db) == [(KEY, "opened")]
    assert jobs(db) == 1
    said = facts(db, "opened")
    assert (said["n"], said["found"]["why"], said["found"]["error_type"]) == (10_000, "burst", "OSError")


def test_each_channel_is_told_once_and_only_of_the_kinds_it_hears_of(db: Conn) -> None:
    channel(db)
    channel(db, "pager", kinds=["dead", "horizon"])
    channel(db, "boss", kinds=["horizon"])
    died(db)
    begin = now()
    assert looks(db, begin, begin + M) == 2
    assert db.execute("select array_agg(channel order by channel) from pgqueue.alert_messages").fetchone() == (
        ["ops", "pager"],
    )


def test_what_goes_on_is_told_once_an_hour_with_the_count_since(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db, n=5)
    looks(db, begin, begin + M)
    for minutes in range(2, 64, 2):
        died(db, n=2, at=begin + minutes * M)
        look(db, begin + minutes * M)
    assert told(db) == [(KEY, "opened"), (KEY, "again")]
    said = facts(db, "again")
    assert (said["n"], said["more"]) == (5 + 2 * 31, 2 * 31)


def test_what_is_well_for_two_looks_is_resolved_once(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    later = begin + 12 * M
    assert look(db, later) == 0
    assert state(db, KEY) == "open"
    assert look(db, later + 15 * S) == 1
    assert looks(db, later + 30 * S, later + 5 * M) == 0
    assert told(db) == [(KEY, "opened"), (KEY, "resolved")]
    assert state(db, KEY) == "well"


def test_what_comes_back_within_the_hour_waits_for_its_end(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    looks(db, begin + 12 * M, begin + 13 * M)
    db.execute("update pgqueue.causes set resolved_at = %s", [begin + 14 * M])
    for minutes in range(20, 59, 3):
        died(db, at=begin + minutes * M)
        look(db, begin + minutes * M)
    assert told(db) == [(KEY, "opened"), (KEY, "resolved")]
    assert state(db, KEY) == "gathering"
    died(db, at=begin + 61 * M)
    look(db, begin + 62 * M)
    assert told(db)[2:] == [(KEY, "opened")]
    assert facts(db, "opened")["found"]["why"] == "regression"


def test_what_is_over_before_it_was_told_is_never_told(db: Conn) -> None:
    channel(db)
    db.execute("select pgqueue.note_alert('growing', 'mail', 5, now(), '{}', %s)", [begin := now()])
    assert looks(db, begin + 10 * S, begin + 5 * M) == 0
    assert told(db) == []
    assert state(db, "growing:mail") == "well"


def test_a_death_of_a_known_cause_is_none_but_many_are(db: Conn) -> None:
    channel(db)
    begin = now()
    make(db, JobState.DEAD)
    db.execute("update pgqueue.dead_jobs set cause = %s, died_at = now() - interval '1 h'", [CAUSE])
    died(db, n=19)
    looks(db, begin, begin + M)
    assert told(db) == []
    died(db)
    looks(db, begin + 2 * M, begin + 3 * M)
    assert told(db) == [(KEY, "opened")]


def test_a_cause_that_is_muted_or_resolved_later_is_not_told(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    execute(db, causes.mute(CAUSE, H))
    assert looks(db, begin, begin + M) == 0


def test_what_is_muted_is_not_told_until_then(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    execute(db, alerts.mute(KEY, begin + 5 * M, "ann"))
    assert looks(db, begin, begin + 4 * M) == 0
    found = alert(db, KEY)
    assert found is not None
    assert (found.state, found.muted_by) == ("gathering", "ann")
    assert looks(db, begin + 5 * M, begin + 6 * M) == 1


def test_what_is_muted_after_the_message_was_made_is_not_sent(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    assert unsent(db, KEY) is not None
    execute(db, alerts.mute(KEY, now() + H, "ann"))
    assert unsent(db, KEY) is None
    execute(db, alerts.mute(KEY, None, "ann"))
    assert unsent(db, KEY) is not None


def test_twenty_keys_are_twenty_messages_and_more_become_one_digest(db: Conn) -> None:
    channel(db)
    begin = now()
    for number in range(20):
        died(db, f"{number:012x}")
    assert looks(db, begin, begin + M) == 20
    for number in range(20, 120):
        died(db, f"{number:012x}", n=number)
    assert looks(db, begin + 2 * M, begin + 7 * M, every=M) == 1
    assert told(db)[20:] == [("storm", "digest")]
    said = facts(db, "digest")
    assert (said["keys"], said["kinds"], len(said["first"])) == (100, {"dead": 100}, 20)
    assert said["first"][0]["n"] == 119
    # What comes within the hour waits for the next; what is well again says nothing for those of the digest.
    for number in range(120, 150):
        died(db, f"{number:012x}", at=begin + 30 * M)
    looks(db, begin + 30 * M, begin + 32 * M)
    assert [what for _, what in told(db)[21:]].count("digest") == 0
    looks(db, begin + 45 * M, begin + 46 * M)
    resolved = [key for key, what in told(db) if what == "resolved"]
    assert len(resolved) == 20


def test_of_two_who_look_at_once_one_tells(db: Conn, shared: str) -> None:
    channel(db)
    died(db)
    begin = now()
    look(db, begin)
    with psycopg.connect(shared) as first, psycopg.connect(shared) as second:
        assert look(first, begin + 31 * S) == 1
        # Under way, and seen by nobody yet.
        assert look(second, begin + 31 * S) is None
        second.rollback()
        first.commit()
        assert look(second, begin + 32 * S) is None
        second.commit()
    assert told(db) == [(KEY, "opened")]
    assert jobs(db) == 1


def test_a_look_that_dies_told_nobody_and_the_next_tells(db: Conn, shared: str) -> None:
    channel(db)
    died(db)
    begin = now()
    look(db, begin)
    with psycopg.connect(shared) as first:
        assert look(first, begin + 31 * S) == 1
        first.rollback()
    assert told(db) == []
    assert look(db, begin + 32 * S) == 1


def test_a_message_that_comes_while_another_is_sent_is_sent_by_the_same_job(db: Conn, shared: str) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    first = unsent(db, KEY)
    assert first is not None
    looks(db, begin + 12 * M, begin + 13 * M)
    assert told(db)[-1] == (KEY, "resolved")
    assert jobs(db) == 1
    assert execute(db, alerts.sent(KEY, "ops", first.number)), "a newer one waits"
    newer = unsent(db, KEY)
    assert newer is not None
    assert newer.what == "resolved"
    assert not execute(db, alerts.sent(KEY, "ops", newer.number))


def test_who_looks_waits_for_who_sends_and_the_message_has_its_job(db: Conn, shared: str) -> None:
    """Sent and done in one transaction; what is told meanwhile finds the key of the job free, or the job alive."""
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    first = unsent(db, KEY)
    assert first is not None
    with psycopg.connect(shared) as sender, psycopg.connect(shared, autocommit=True) as looker:
        assert not execute(sender, alerts.sent(KEY, "ops", first.number))
        sender.execute("delete from pgqueue.jobs where target = 'pgqueue.alerts:send'")
        looker.execute("set lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            looks(looker, begin + 12 * M, begin + 13 * M)
        sender.commit()
        looks(looker, begin + 13 * M, begin + 14 * M)
    assert told(db)[-1] == (KEY, "resolved")
    assert jobs(db) == 1


def test_what_was_not_sent_is_superseded_by_what_is_newer(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    looks(db, begin + 12 * M, begin + 13 * M)
    newest = unsent(db, KEY)
    assert newest is not None
    assert newest.what == "resolved"
    execute(db, alerts.sent(KEY, "ops", newest.number))
    rows = execute(db, alerts.messages(KEY, 9))
    assert [(row.what, row.superseded, row.sent_at is not None) for row in rows] == [
        ("resolved", False, True),
        ("opened", True, False),
    ]
    assert unsent(db, KEY) is None


def test_one_kind_that_cannot_be_looked_for_keeps_no_other_from_it(db: Conn) -> None:
    channel(db)
    died(db)
    begin = now()
    with db.transaction(force_rollback=True):
        db.execute("alter table pgqueue.ticks rename to elsewhere")
        assert looks(db, begin, begin + M) == 1


def test_what_is_old_is_forgotten_and_a_mute_is_kept(db: Conn) -> None:
    channel(db)
    begin = now()
    died(db)
    looks(db, begin, begin + M)
    looks(db, begin + 12 * M, begin + 13 * M)
    execute(db, alerts.mute("dead:other", begin + 1_000 * H, "ann"))
    look(db, begin + 31 * 24 * H)
    assert db.execute("select count(*) from pgqueue.alert_messages").fetchone() == (0,)
    assert db.execute("select key from pgqueue.alerts").fetchall() == [("dead:other",)]
