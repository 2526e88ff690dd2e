"""Who can write rows cannot have them run: each forgery is buried, with what is wrong with it, and touches nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

import pgqueue
from pgqueue.ids import new_job_id
from pgqueue.job import NewJob
from pgqueue.signing.seal import HEADER
from tests.signing import tasks
from tests.signing.conftest import Work, end_of
from tests.signing.keys import secret_line

Conn = psycopg.Connection[Any]
HERE = tasks.HERE
# All that a forger can copy of a row.
COLUMNS = "target, args, queue, run_at, max_attempts, priority, labels, headers, timeout, unique_key, follow_ups"


def signed(conn: Conn, **options: Any) -> UUID:
    """A signed job that says all that is signed."""
    given = {"queue": "pay", "max_attempts": 3, "labels": {"shop": "1"}, **options}
    return pgqueue.enqueue(conn, f"{HERE}:pay", {"amount": 1}, **given).id


def change(what: str) -> Callable[[Conn], UUID]:
    """A signed job whose row is changed behind the back of who signed it."""

    def forge(conn: Conn) -> UUID:
        job_id = signed(conn)
        conn.execute(f"update pgqueue.jobs set {what} where id = %s", [job_id])
        return job_id

    return forge


def reseal(change: Callable[[list[str]], None]) -> Callable[[Conn], UUID]:
    """A signed job whose seal is changed: the parts between its colons."""

    def forge(conn: Conn) -> UUID:
        job_id = signed(conn)
        row = conn.execute("select headers from pgqueue.jobs where id = %s", [job_id]).fetchone()
        assert row is not None
        parts = row[0][HEADER].split(":")
        change(parts)
        conn.execute(
            "update pgqueue.jobs set headers = %s where id = %s", [json.dumps({HEADER: ":".join(parts)}), job_id]
        )
        return job_id

    return forge


def other_key(parts: list[str]) -> None:
    parts[1] = "unknown"


def other_signature(parts: list[str]) -> None:
    parts[6] = base64.b64encode(b"0" * 32).decode()


def unbound(parts: list[str]) -> None:
    """As if the queue had not been said."""
    parts[4] = ""


def earlier(parts: list[str]) -> None:
    parts[3] = "1"


def as_follow_up(parts: list[str]) -> None:
    parts[0] = "1f"


def garbled(parts: list[str]) -> None:
    del parts[3:]


def unsigned(conn: Conn) -> UUID:
    return psycopg_insert(conn, f"{HERE}:pay", '{"amount": 666}')


def psycopg_insert(conn: Conn, target: str, args: str, headers: str | None = None) -> UUID:
    """A row as somebody writes it who has nothing but a connection."""
    job_id = new_job_id()
    conn.execute(
        "insert into pgqueue.jobs (id, target, args, headers) values (%s, %s, %s, %s)", [job_id, target, args, headers]
    )
    return job_id


def copied(conn: Conn) -> UUID:
    """The row of a signed job under another id."""
    job_id, copy = signed(conn), new_job_id()
    conn.execute(
        f"insert into pgqueue.jobs (id, {COLUMNS}) select %s, {COLUMNS} from pgqueue.jobs where id = %s", [copy, job_id]
    )
    conn.execute("delete from pgqueue.jobs where id = %s", [job_id])
    return copy


def seal_of_another(conn: Conn) -> UUID:
    """Other code under the seal of a signed job."""
    job_id = signed(conn)
    row = conn.execute("delete from pgqueue.jobs where id = %s returning headers::text", [job_id]).fetchone()
    assert row is not None
    return psycopg_insert(conn, f"{HERE}:not_a_task", "[1]", row[0])


FORGERIES: dict[str, tuple[Callable[[Conn], UUID], str]] = {
    "unsigned": (unsigned, "it is not signed"),
    "other arguments": (change("args = '{\"amount\": 1000000}'"), "args changed since it was signed"),
    "the same arguments written otherwise": (change("args = '{\"amount\":  1}'"), "args changed since it was signed"),
    "other code": (change(f"target = '{HERE}:not_a_task'"), "target changed since it was signed"),
    "another queue": (change("queue = 'web'"), "queue changed since it was signed"),
    "more attempts": (change("max_attempts = 100"), "max_attempts changed since it was signed"),
    "other labels": (change('labels = \'{"shop": "2"}\''), "labels changed since it was signed"),
    "other context": (
        change('headers = (headers::jsonb || \'{"context-user": "root"}\')::json'),
        "context changed since it was signed",
    ),
    "two changes": (change("target = 'x:y', queue = 'web'"), "target and queue changed since it was signed"),
    "a copy under another id": (copied, "id changed since it was signed"),
    "the seal of another job": (seal_of_another, "id and target and args and queue"),
    "an unknown key": (reseal(other_key), "it is signed with the key unknown, which this worker does not know"),
    "a made-up signature": (reseal(other_signature), "its signature is none of the key a: it is forged"),
    "an unbound queue": (reseal(unbound), "queue changed since it was signed"),
    "an earlier time": (reseal(earlier), "not_before changed since it was signed"),
    "the kind of a follow-up": (reseal(as_follow_up), "it is not signed"),
    "half a seal": (reseal(garbled), "what stands in place of its signature is none"),
    "a seal that is no text": (change(f"headers = '{{\"{HEADER}\": [1]}}'"), "it is not signed"),
    "headers that are no object": (change("headers = '[[1]]'"), "it is not signed"),
    "headers without end": (
        change(f"headers = json_build_object('x', repeat('x', 9000), '{HEADER}', 'x')"),
        "it is not signed",
    ),
    "a fallback that no task declares": (
        change(f"fallen_from = array[target], target = '{HERE}:not_a_task'"),
        "which no task here declares",
    ),
    "nonsense about its fallback": (change("fallen_from = '{{a,b},{c,d}}'"), "is none"),
    "nonsense about its own terms": (change('own_terms = \'{"max_attempts": "x"}\''), "is none"),
    "labels of a tick that never was": (
        change('labels = \'{"schedule": "payday", "scheduled_for": "tomorrow"}\''),
        "labels changed since it was signed",
    ),
}


def test_each_forgery_is_buried_with_what_is_wrong_and_touches_nothing(conn: Conn, keys: Path, work: Work) -> None:
    forged = {name: forge(conn) for name, (forge, _) in FORGERIES.items()}
    trusted = signed(conn)
    work()
    ends = {name: end_of(conn, job_id) for name, job_id in forged.items()}
    assert {name: end[:2] for name, end in ends.items()} == dict.fromkeys(FORGERIES, ("dead", "untrusted"))
    wrong = {name: end[2] for name, end in ends.items() if FORGERIES[name][1] not in (end[2] or "")}
    assert wrong == {}
    assert end_of(conn, trusted)[0] == "succeeded"
    assert tasks.ran == [("pay", 1)]
    # No attempt was begun.
    rows = conn.execute("select distinct attempt from pgqueue.dead_jobs").fetchall()
    assert rows == [(0,)]


@pytest.mark.parametrize("end", ["succeeded", "cancelled", "dead", "purged"])
def test_a_row_that_comes_again_after_its_job_has_ended_is_a_copy(conn: Conn, keys: Path, work: Work, end: str) -> None:
    name = "fail" if end in ("dead", "purged") else "pay"
    job_id = pgqueue.enqueue(conn, f"{HERE}:{name}", [1]).id
    kept = conn.execute(f"select {COLUMNS} from pgqueue.jobs where id = %s", [job_id]).fetchone()
    assert kept is not None
    if end == "cancelled":
        pgqueue.cancel(conn, job_id)
    work()
    if end == "purged":
        conn.execute("delete from pgqueue.dead_jobs where id = %s", [job_id])
    before = list(tasks.ran)
    values = [json.dumps(value) if isinstance(value, dict | list) else value for value in kept]
    conn.execute(f"insert into pgqueue.jobs (id, {COLUMNS}) values (%s{', %s' * len(values)})", [job_id, *values])
    work()
    assert tasks.ran == before
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (0,)
    said = conn.execute("select error from pgqueue.attempts where error_type = 'pgqueue.Untrusted'").fetchall()
    assert said == [("a job of this id has ended before, or waits elsewhere: this is a copy of its row",)]


def test_a_signature_older_than_history_is_refused_until_somebody_signs_it_anew(
    conn: Conn, keys: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgqueue.worker.claiming.trust.KNOWN_FOR", 0.0)
    job_id = signed(conn)
    work()
    assert end_of(conn, job_id)[1] == "untrusted"
    assert "longer than ends are remembered" in (end_of(conn, job_id)[2] or "")
    # What was claimed before is no copy.
    conn.execute("update pgqueue.dead_jobs set claim = 1 where id = %s", [job_id])
    pgqueue.retry(conn, job_id)
    work()
    assert end_of(conn, job_id)[0] == "succeeded"


def test_nobody_is_told_of_what_is_untrusted_and_nothing_follows_it(conn: Conn, keys: Path, work: Work) -> None:
    psycopg_insert(conn, f"{HERE}:told", "[1]")
    psycopg_insert(conn, f"{HERE}:fail", "[1]")
    own = f'[{{"on": "dead", "target": "{HERE}:clean_up", "args": {{}}}}]'
    conn.execute("update pgqueue.jobs set follow_ups = %s", [own])
    work()
    assert tasks.ran == []
    assert tasks.heard == []
    assert conn.execute("select count(*) from pgqueue.lineage").fetchone() == (0,)


def test_a_follow_up_cannot_be_made_of_a_signed_one(conn: Conn, keys: Path, work: Work) -> None:
    """Its seal is good for one parent and one end; other arguments beside `ended`, or another parent, break it."""
    parent = pgqueue.enqueue(conn, f"{HERE}:pay", [1], on_success=NewJob(f"{HERE}:clean_up", {"why": "signed"})).id
    row = conn.execute("select follow_ups -> 0 -> 'headers' from pgqueue.jobs where id = %s", [parent]).fetchone()
    assert row is not None
    work()
    assert ("clean_up", "signed") in tasks.ran
    again = psycopg_insert(conn, f"{HERE}:clean_up", '{"ended":{},"why":"signed"}', json.dumps(row[0]))
    work()
    assert tasks.ran.count(("clean_up", "signed")) == 1
    assert end_of(conn, again)[1] == "untrusted"


def test_a_tick_that_no_scheduler_fired_is_refused(conn: Conn, keys: Path, work: Work) -> None:
    pgqueue.schedule(conn, "payday", f"{HERE}:pay", {"amount": 7}, cron="0 0 1 1 *")
    labels = {"schedule": "payday", "scheduled_for": "2026-01-01T00:00:00.000000Z"}
    forged = psycopg_insert(conn, f"{HERE}:pay", '{"amount":7}')
    conn.execute("update pgqueue.jobs set labels = %s where id = %s", [json.dumps(labels), forged])
    conn.execute("update pgqueue.schedules set args = '{\"amount\":8}'")
    changed = pgqueue.run_schedule(conn, "payday")
    assert changed is not None
    work()
    assert tasks.ran == []
    assert end_of(conn, forged)[1] == "untrusted"
    assert end_of(conn, changed)[2] == "pgqueue.Untrusted: args changed since it was signed"
    conn.execute("update pgqueue.schedules set signature = null")
    unsigned_tick = pgqueue.run_schedule(conn, "payday")
    assert unsigned_tick is not None
    work()
    assert "it is a tick of the schedule payday, which neither" in (end_of(conn, unsigned_tick)[2] or "")


def test_the_keys_of_a_public_half_sign_nothing_and_check_everything(conn: Conn, tmp_path: Path, work: Work) -> None:
    from pgqueue.keyring.making import add_pair

    private, public = tmp_path / "private", tmp_path / "public"
    add_pair(private, public, "web")
    pgqueue.sign_with(f"file:{private}")
    trusted = signed(conn)
    pgqueue.sign_with(f"file:{public}")
    forged = signed(conn)
    copy = change("args = '{}'")
    pgqueue.sign_with(f"file:{private}")
    changed = copy(conn)
    pgqueue.sign_with(f"file:{public}")
    work()
    assert end_of(conn, trusted)[0] == "succeeded"
    assert "it is not signed" in (end_of(conn, forged)[2] or "")
    assert "args changed since it was signed" in (end_of(conn, changed)[2] or "")


def test_a_secret_key_of_the_name_of_a_public_one_signs_for_nobody(conn: Conn, tmp_path: Path, work: Work) -> None:
    """The public half is no secret: whoever takes it for the key of an HMAC must not pass."""
    from pgqueue.keyring import KeySource
    from pgqueue.keyring.making import add_pair

    private, public = tmp_path / "private", tmp_path / "public"
    add_pair(private, public, "web")
    known = KeySource(f"file:{public}").keyring().get("web")
    assert known is not None
    confused = tmp_path / "confused"
    confused.touch(0o600)
    confused.write_text(f"web = {base64.b64encode(known.reveal()).decode()}\n")
    pgqueue.sign_with(f"file:{confused}")
    forged = signed(conn)
    pgqueue.sign_with(f"file:{public}")
    work()
    assert "its signature is none of the key web" in (end_of(conn, forged)[2] or "")


def test_an_expired_key_is_told_of(conn: Conn, keys: Path, work: Work) -> None:
    job_id = signed(conn)
    keys.write_text(secret_line("b") + secret_line("a", "not-after 2026-01-31"))
    pgqueue.sign_with(f"file:{keys}")
    work()
    said = "it is signed with the key a, which is not used any more since 2026-02-01 00:00 UTC"
    assert said in (end_of(conn, job_id)[2] or "")
