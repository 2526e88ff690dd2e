"""Bulk actions on the command line, single changes, and the audit of both."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SHOP, Command
from tests.cli.moves import buried, claimed
from tests.factories import Conn

Enqueue = Callable[..., str]


@pytest.fixture
def three(enqueue: Enqueue) -> list[str]:
    return [enqueue("send_receipt", f'{{"order_id": {n}}}', "--queue", "mail") for n in range(3)]


def acts(pgqueue: Command) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pgqueue("audit", "list", "--json").json
    return found


def states(pgqueue: Command) -> list[str]:
    return sorted(job["state"] for job in pgqueue("jobs", "list", "--json").json)


def test_a_dry_run_shows_and_does_nothing(pgqueue: Command, three: list[str]) -> None:
    ran = pgqueue("jobs", "cancel", "queue:mail args.order_id>0", "--dry-run")
    assert (ran.code, ran.out) == (0, "")
    assert "cancel: 2 jobs (2 ready)" in ran.err
    assert three[2] in ran.err
    assert states(pgqueue) == ["ready"] * 3
    assert acts(pgqueue) == []


def test_without_an_answer_nothing_is_done(pgqueue: Command, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for answer, code in (("", 1), ("n\n", 1), ("y\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert pgqueue("jobs", "cancel", "queue:mail").code == code
    assert states(pgqueue) == ["cancelled"] * 3


def test_many_are_typed(pgqueue: Command, three: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgqueue.operations.manner.TYPED", 2)
    for answer, code in (("y\n", 1), ("3\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert pgqueue("jobs", "bury", "queue:mail").code == code
    assert states(pgqueue) == ["dead"] * 3


def test_an_action_is_listed_and_shown_and_in_the_audit(
    pgqueue: Command, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGQUEUE_WHO", "ann")
    ran = pgqueue("jobs", "priority", "queue:mail", 9, "--yes", "--reason", "urgent", "--rate", "1000/s")
    assert (ran.code, ran.out) == (0, "3 changed\n")
    (row,) = pgqueue("operations", "list", "--json").json
    assert (row["kind"], row["done"], row["state"]) == ("priority", 3, "done")
    assert "urgent" in pgqueue("operations", "show", 1).out
    assert pgqueue("operations", "list").out.splitlines()[1].split()[-1] == "queue:mail"
    assert [(act["who"], act["action"], act["filter"], act["reason"]) for act in acts(pgqueue)] == [
        ("ann", "operation 1: done", "queue:mail", "urgent"),
        ("ann", "operation 1: priority 9", "queue:mail", "urgent"),
    ]
    assert acts(pgqueue)[0]["n"] == 3
    assert pgqueue("operations", "stop", 1).code == 1
    assert pgqueue("operations", "resume", 1).code == 1
    assert pgqueue("operations", "show", 2).code == 4


def test_what_is_left_to_workers_can_be_stopped_and_resumed(pgqueue: Command, three: list[str]) -> None:
    ran = pgqueue("jobs", "cancel", "queue:mail", "--yes", "--detach")
    assert ran.out == "operation 1\n"
    assert pgqueue("operations", "stop", 1).code == 0
    assert states(pgqueue) == ["ready"] * 3
    assert pgqueue("operations", "resume", 1).out == "3 cancelled\n"
    assert [act["action"] for act in acts(pgqueue)] == [
        "operation 1: done",
        "operations resume 1",
        "operations stop 1",
        "operation 1: cancel",
    ]


def test_purged_jobs_are_written_first(pgqueue: Command, three: list[str], conn: Conn, tmp_path: Path) -> None:
    for each in three:
        buried(conn, each)
    file = tmp_path / "dead.jsonl"
    ran = pgqueue("jobs", "purge", "queue:mail args.order_id<2", "--yes", "--export", file)
    assert (ran.code, ran.out) == (0, "2 purged\n")
    assert sorted(json.loads(line)["id"] for line in file.read_text().splitlines()) == sorted(three[:2])
    assert pgqueue("jobs", "purge", "id:abc", "--export", file, "--detach").code == 2


def test_ids_are_moved_one_by_one(pgqueue: Command, three: list[str], conn: Conn) -> None:
    first, second, third = three
    claimed(conn, third)
    assert pgqueue("jobs", "snooze", first, "--for", "1h").out == f"{first} scheduled\n"
    assert pgqueue("jobs", "due-now", first).out == f"{first} ready\n"
    assert pgqueue("jobs", "snooze", first, "--until", "2100-01-01T00:00").code == 0
    assert pgqueue("jobs", "priority", first, second, 0).code == 0
    assert pgqueue("jobs", "bury", first, "--reason", "odd").out == f"{first} dead\n"
    ran = pgqueue("jobs", "bury", third)
    assert (ran.code, ran.out) == (1, f"{third} running\n")
    assert pgqueue("jobs", "snooze", second).code == 2
    assert pgqueue("jobs", "snooze", "queue:mail", "--for", "1h").code == 2
    done = [act["action"] for act in acts(pgqueue)]
    assert done[0] == "jobs bury"
    assert [action.split(" until")[0] for action in done[::-1]] == [
        "jobs snooze",
        "jobs due-now",
        "jobs snooze",
        "jobs priority 0",
        "jobs priority 0",
        "jobs bury",
    ]


def test_arguments_are_edited_if_they_fit(pgqueue: Command, three: list[str]) -> None:
    ran = pgqueue("jobs", "edit", three[0], '{"order": 7}', "-A", SHOP)
    assert (ran.code, "order" in ran.err) == (2, True)
    assert pgqueue("jobs", "edit", three[0], '{"order_id": 7}', "-A", SHOP, "--reason", "typo").code == 0
    assert pgqueue("jobs", "show", three[0], "--json").json["args"] == {"order_id": 7}
    assert pgqueue("jobs", "edit", three[0], "7").code == 2
    assert [act["reason"] for act in acts(pgqueue)] == ["typo"]


def test_arguments_are_edited_in_the_editor(
    pgqueue: Command, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    for editor, code in (("true", 1), ("sed -i s/0/8/", 0), ("no-such-editor", 2)):
        monkeypatch.setenv("EDITOR", editor)
        assert pgqueue("jobs", "edit", three[0]).code == code
    assert pgqueue("jobs", "show", three[0], "--json").json["args"] == {"order_id": 8}


def test_a_job_is_run_again_as_a_copy(pgqueue: Command, three: list[str], conn: Conn) -> None:
    ran = pgqueue("jobs", "run-again", three[0], '{"order_id": 8}', "-A", SHOP, "--reason", "lost")
    copy = pgqueue("jobs", "show", ran.out.strip(), "--json").json
    assert (ran.code, copy["args"], copy["queue"]) == (0, {"order_id": 8}, "mail")
    assert acts(pgqueue)[0]["action"] == "jobs run-again"
    conn.execute("update pgqueue.jobs set unique_key = 'k' where id = %s", [three[0]])
    conn.commit()
    again = pgqueue("jobs", "run-again", three[0])
    assert again.code == 1
    assert "nothing was added" in again.err


ACTS = [
    "queues pause mail",
    "queues resume mail",
    "queues set mail --priority 3",
    "queues unset mail",
    "queues limit mail --concurrency 3",
    "queues notify off mail",
    "limits set tenant:* --concurrency 2",
    "limits remove tenant:*",
    "routes set shop.* mail",
    "routes remove shop.*",
    f"schedules add nightly {SHOP}:send_receipt [1] --every 1h",
    "schedules pause nightly",
    "schedules resume nightly",
    "schedules run nightly",
    "schedules remove nightly",
    "dead retry --all",
]


def test_every_change_by_hand_is_in_the_audit_with_its_reason(pgqueue: Command) -> None:
    for number, act in enumerate(ACTS):
        ran = pgqueue(*act.split(), "--reason", f"because {number}")
        assert ran.code == 0, (act, ran.err)
    # What takes many transactions tells of its end, too.
    begun = [row for row in reversed(acts(pgqueue)) if not row["action"].endswith(": done")]
    said = [(row["action"], row["reason"]) for row in begun]
    assert [reason for _, reason in said] == [f"because {number}" for number in range(len(ACTS))]
    for (action, _), act in zip(said, ACTS, strict=True):
        assert act.startswith(action.replace("notify off", "notify")), (action, act)


def test_what_was_not_done_is_not_in_the_audit(pgqueue: Command, three: list[str], conn: Conn) -> None:
    claimed(conn, three[0])
    for act in (
        ["jobs", "snooze", three[0], "--for", "1h"],
        ["schedules", "pause", "none"],
        ["limits", "remove", "none"],
    ):
        assert pgqueue(*act).code != 0
    assert acts(pgqueue) == []
