"""`pgqueue alerts`: what is wrong and who is told, from the shell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pgqueue.job import JobState
from tests.alerts.receiving import Hook
from tests.alerts.scenes import CAUSE, M, channel, died, looks, now
from tests.cli.conftest import Command
from tests.conftest import Connect
from tests.factories import Conn, make
from tests.worker.running import ThreadedWorker

KEY = f"dead:{CAUSE}"


@pytest.fixture
def db(connect: Connect) -> Conn:
    return connect(autocommit=True)


@pytest.fixture
def worker(dsn: str) -> Iterator[ThreadedWorker]:
    worker = ThreadedWorker(dsn, executor="thread", poll=0.2)
    yield worker
    worker.stop()


def test_channels_are_added_listed_and_removed_and_written_down(pgqueue: Command, db: Conn) -> None:
    assert pgqueue("alerts", "channels", "list").out == "Nobody is told: there is no channel.\n"
    words = (
        "--url-env",
        "PGQUEUE_ALERT_SLACK",
        "--template",
        "slack",
        "--kinds",
        "dead,horizon",
        "--reason",
        "new team",
    )
    ran = pgqueue("alerts", "channels", "add", "ops", "webhook", *words)
    assert (ran.code, ran.out) == (0, "channel ops is added; try it: pgqueue alerts test ops\n")
    assert "no live worker serves the queue pgqueue.alerts" in ran.err
    (found,) = pgqueue("alerts", "channels", "list", "--json").json
    assert found == {
        "name": "ops",
        "kind": "webhook",
        "settings": {"template": "slack", "url_env": "PGQUEUE_ALERT_SLACK"},
        "kinds": ["dead", "horizon"],
    }
    refused = pgqueue("alerts", "channels", "add", "x", "webhook", "--url-env", "AWS_SECRET_ACCESS_KEY")
    assert (refused.code, "PGQUEUE_ALERT_" in refused.err) == (2, True)
    assert pgqueue("alerts", "channels", "add", "x", "webhook", "--url", "https://a/", "--kinds", "rain").code == 2
    assert pgqueue("alerts", "channels", "remove", "ops").code == 0
    assert pgqueue("alerts", "channels", "remove", "ops").code == 4
    acts = db.execute("select action, filter, reason from pgqueue.audit order by id").fetchall()
    assert acts == [("alerts channels add", "ops", "new team"), ("alerts channels remove", "ops", None)]


def test_what_is_wrong_is_listed_shown_muted_and_told_again(pgqueue: Command, db: Conn) -> None:
    channel(db)
    make(db, JobState.DEAD)
    died(db, n=31)
    begin = now()
    looks(db, begin, begin + M)
    listed = pgqueue("alerts", "list")
    assert "31 dead jobs: OSError in shop.tasks:send" in listed.out
    (found,) = pgqueue("alerts", "list", "--json").json
    assert (found["key"], found["state"], found["n"], found["unsent"]) == (KEY, "open", 31, 1)
    shown = pgqueue("alerts", "show", "dead:0123")
    assert "opened" in shown.out
    assert pgqueue("alerts", "show", KEY, "--json").json["messages"][0]["channel"] == "ops"
    assert pgqueue("alerts", "mute", "dead:0123", "--for", "2h").out == f"{KEY} is muted for 2:00:00\n"
    (muted,) = db.execute("select muted_until - now() from pgqueue.alerts").fetchall()
    assert timedelta(minutes=119) < muted[0] <= timedelta(hours=2)
    assert pgqueue("alerts", "unmute", KEY).code == 0
    assert db.execute("select muted_until from pgqueue.alerts").fetchone() == (None,)
    assert pgqueue("alerts", "show", "rain:x").code == 4
    assert pgqueue("alerts", "mute", "stalled:mail").code == 0
    acts = db.execute("select action, filter from pgqueue.audit order by id").fetchall()
    assert acts == [("alerts mute", KEY), ("alerts unmute", KEY), ("alerts mute", "stalled:mail")]


def test_bounds_are_listed_set_and_unset(pgqueue: Command) -> None:
    assert pgqueue("alerts", "rules", "set", "stalled", "2h", "--object", "mail").code == 0
    assert pgqueue("alerts", "rules", "set", "growing", "off").out == "growing is off\n"
    rules = {(row["kind"], row["object"]): row["bound"] for row in pgqueue("alerts", "rules", "list", "--json").json}
    assert rules["stalled", "mail"] == 7200
    assert rules["stalled", ""] == 3600
    assert rules["growing", ""] is None
    assert {kind for kind, _ in rules} == {
        "dead", "stalled", "unserved", "growing", "schedule", "horizon", "worker_lost", "limit_starved",
        "workflow", "doctor",
    }  # fmt: skip
    assert pgqueue("alerts", "rules", "unset", "growing").code == 0
    assert pgqueue("alerts", "rules", "unset", "growing").code == 4
    assert pgqueue("alerts", "rules", "set", "rain", "3").code == 2


def test_a_test_is_sent_by_a_worker_and_says_what_became_of_it(
    pgqueue: Command, db: Conn, worker: ThreadedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_ALLOW_PRIVATE", "127.0.0.0/8")
    assert pgqueue("alerts", "test").code == 4
    with Hook() as hook:
        channel(db, url=hook.url)
        assert pgqueue("alerts", "test", "nobody").code == 4
        ran = pgqueue("alerts", "test", "--json")
        assert (ran.code, ran.json[0]["channel"], ran.json[0]["error"]) == (0, "ops", None)
        assert hook.taken[0].json["what"] == "test"
        hook.answers = [500]
        failed = pgqueue("alerts", "test", "ops", "--json")
        assert (failed.code, failed.json[0]["error"]) == (1, "answered 500")


def test_what_is_wrong_stands_in_status_and_in_the_doctor(pgqueue: Command, db: Conn) -> None:
    assert "alerts" not in pgqueue("status").out
    channel(db)
    died(db, n=31)
    begin = now()
    looks(db, begin, begin + M)
    assert f"pgqueue alerts show {KEY}" in pgqueue("status").out
    assert pgqueue("status", "--json").json["alerts"][0]["key"] == KEY
    doctor = pgqueue("doctor", "--only", "alerts", "--json")
    assert "no live worker serves" in doctor.out
    assert doctor.code == 1


def test_hostile_names_steer_no_terminal(pgqueue: Command, db: Conn) -> None:
    channel(db)
    name = "\x1b[2J\u202e<b>\nq"
    db.execute("select pgqueue.note_alert('stalled', %s, 0, now(), '{\"due\": \"\\u001b[2J\"}', now())", [name])
    for words in (("list",), ("list", "--json"), ("show", f"stalled:{name}"), ("mute", f"stalled:{name}")):
        ran = pgqueue("alerts", *words)
        assert ran.code == 0
        assert "\x1b[2J" not in ran.out
        assert "\u202e" not in ran.out
