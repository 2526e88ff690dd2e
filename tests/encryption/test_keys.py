"""Keys that are missing or wrong, and values that were moved or changed: nothing is lost, and nothing is believed."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import Any

import pytest

import pgqueue
from pgqueue import NewJob, encryption
from pgqueue.encryption import Kind, Place
from pgqueue.errors import EncryptionError, OptionError
from pgqueue.ids import new_job_id
from pgqueue.redaction import Redaction
from pgqueue.testing import enqueued, run_job
from tests.encryption import tasks
from tests.encryption.conftest import PLANTED, Conn, KeyFile, columns_with, content, ring
from tests.waiting import wait_until
from tests.worker.running import Desk, StartThreaded

APP = ["tests.encryption.tasks"]


def dead(desk: Desk, job: Any) -> bool:
    return pgqueue.get_job(desk.conn, job.id).state == "dead"


def reason_and_error(desk: Desk, job: Any) -> tuple[str, str]:
    found = pgqueue.get_job(desk.conn, job.id)
    return found.reason or "", found.last_error or ""


def test_arguments_of_another_job_are_refused(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    cheap, dear = (tasks.charge.using(delay=60).enqueue(conn, "c", amount) for amount in (1, 1000))
    conn.execute(
        "update pgqueue.jobs set args = (select args from pgqueue.jobs where id = %s) where id = %s",
        [cheap.id, dear.id],
    )
    conn.execute("update pgqueue.jobs set run_at = now()")
    start(executor="thread", app=APP)
    wait_until(lambda: dead(desk, dear), 20, "its end")
    reason, error = reason_and_error(desk, dear)
    assert reason == "unreadable"
    assert f"it was encrypted for job {cheap.id}, and stands at job {dear.id}" in error
    assert pgqueue.result(conn, cheap, timeout=20)["amount"] == 1


def test_a_result_that_stands_as_arguments_is_refused(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    job = tasks.charge.using(delay=60).enqueue(conn, "c")
    result = encryption.encrypted('{"who":"c"}', Place(Kind.RESULT, job.id))
    conn.execute("update pgqueue.jobs set args = %s, run_at = now()", [result])
    start(executor="thread", app=APP)
    wait_until(lambda: dead(desk, job), 20, "its end")
    assert "it is not what was encrypted there as args" in reason_and_error(desk, job)[1]


def test_the_template_of_another_task_is_refused(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    job = tasks.charge.using(delay=60).enqueue(conn, "c")
    other = encryption.encrypted('{"who":"c"}', Place(Kind.TEMPLATE, tasks.fail.target))
    conn.execute("update pgqueue.jobs set args = %s, run_at = now()", [other])
    start(executor="thread", app=APP)
    wait_until(lambda: dead(desk, job), 20, "its end")
    assert f"its arguments were encrypted for jobs of {tasks.fail.target}" in reason_and_error(desk, job)[1]


@pytest.mark.parametrize("damage", ["flip", "cut", "no base64", "version"])
def test_what_was_changed_is_refused_and_tells_nothing(damage: str) -> None:
    encryption.encrypt_with(ring("k1"))
    place = Place(Kind.ARGS, new_job_id())
    value = json.loads(encryption.encrypted(json.dumps([PLANTED]), place))
    data = value["data"]
    changed = {
        "flip": data[:-6] + ("A" if data[-6] != "A" else "B") + data[-5:],
        "cut": data[:40],
        "no base64": "%" + data[1:],
        "version": "/" + data[1:],
    }
    with pytest.raises(EncryptionError) as caught:
        encryption.decrypted({**value, "data": changed[damage]}, place)
    assert caught.value.lasting
    assert PLANTED not in str(caught.value)


def test_a_job_whose_key_is_missing_waits_for_a_worker_that_has_it(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k2"))
    job = tasks.charge.enqueue(desk.conn, PLANTED)
    encryption.encrypt_with(ring("k1"))
    start(executor="thread", app=APP)
    wait_until(lambda: desk.values("select 1 from pgqueue.attempts where outcome = 'released'"), 20, "it is given back")
    found = pgqueue.get_job(desk.conn, job.id)
    assert found.attempt == 0
    assert not found.state.ended
    assert "the key 'k2' is not here: here are k1; add it to PGQUEUE_ENCRYPTION_KEYS" in (found.last_error or "")
    encryption.encrypt_with(ring("k1", "k2"))
    desk.conn.execute("update pgqueue.jobs set run_at = now()")
    assert pgqueue.result(desk.conn, job, timeout=20)["who"] == PLANTED


def test_another_key_under_the_same_id_is_a_mistake_of_the_deployment(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    job = tasks.charge.enqueue(desk.conn, PLANTED)
    encryption.encrypt_with(
        pgqueue.keyring.Keyring([pgqueue.keyring.Key("k1", pgqueue.keyring.KeyKind.SECRET, b"x" * 32)])
    )
    start(executor="thread", app=APP)
    wait_until(lambda: desk.values("select 1 from pgqueue.attempts where outcome = 'released'"), 20, "it is given back")
    found = pgqueue.get_job(desk.conn, job.id)
    assert not found.state.ended
    assert "another key than the 'k1' that is here has encrypted it" in (found.last_error or "")


def test_a_task_that_is_encrypted_is_never_enqueued_in_the_clear(conn: Conn) -> None:
    with pytest.raises(EncryptionError, match="there are no keys to encrypt with here; set PGQUEUE_ENCRYPTION_KEYS"):
        tasks.marked.enqueue(conn, PLANTED)
    with pytest.raises(EncryptionError, match="there are no keys"):
        pgqueue.enqueue_many(conn, [tasks.marked.job(PLANTED)] * 200)
    assert conn.execute("select count(*) from pgqueue.jobs").fetchone() == (0,)


def test_marked_tasks_alone_are_encrypted_if_that_is_said(conn: Conn) -> None:
    encryption.encrypt_with(ring("k1"), whose="marked")
    pgqueue.enqueue_many(conn, [tasks.marked.job(PLANTED), tasks.charge.job("plain")])
    assert columns_with(conn, "plain") == ["jobs.args"]
    encryption.encrypt_with(ring("k1"))
    tasks.open_task.enqueue(conn, "ajar")
    assert columns_with(conn, "ajar") == ["jobs.args"]
    assert columns_with(conn, PLANTED) == []


def test_many_jobs_are_copied_encrypted(conn: Conn) -> None:
    encryption.encrypt_with(ring("k1"))
    ids = pgqueue.enqueue_many(conn, [tasks.charge.job(PLANTED, n) for n in range(150)])
    assert columns_with(conn, PLANTED) == []
    args = conn.execute("select args from pgqueue.jobs where id = %s", [ids[149]]).fetchone()
    assert args is not None
    assert encryption.decrypted_args(args[0], ids[149], tasks.charge.target) == [PLANTED, 149]


def test_a_digest_of_arguments_is_no_key_of_an_encrypted_job(conn: Conn) -> None:
    encryption.encrypt_with(ring("k1"))
    with pytest.raises(OptionError, match="would write a digest of its arguments"):
        pgqueue.enqueue(conn, tasks.charge, {"who": PLANTED}, unique="args")


def test_a_job_that_is_replaced_can_still_be_read(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    first = pgqueue.enqueue(conn, tasks.charge, {"who": "a"}, unique_key="k", delay=60)
    again = pgqueue.enqueue(conn, tasks.charge, {"who": PLANTED}, unique_key="k", on_conflict="replace")
    assert again.id == first.id
    conn.execute("update pgqueue.jobs set run_at = now()")
    start(executor="thread", app=APP)
    wait_until(lambda: pgqueue.get_job(conn, first.id).state == "succeeded", 20, "its end")
    assert pgqueue.result(conn, first)["who"] == PLANTED


def test_what_came_encrypted_does_not_go_out_in_the_clear(desk: Desk, start: StartThreaded) -> None:
    encryption.encrypt_with(ring("k1"))
    job = tasks.charge.enqueue(desk.conn, PLANTED)
    encryption.encrypt_with(ring("k1"), whose="marked")
    start(executor="thread", app=APP)
    assert pgqueue.result(desk.conn, job, timeout=20)["who"] == PLANTED
    assert columns_with(desk.conn, PLANTED) == []


def test_a_file_of_keys_is_read_anew(conn: Conn, key_file: KeyFile) -> None:
    encryption.encrypt_with(key_file("k1"))
    place = Place(Kind.RESULT, new_job_id())
    old = json.loads(encryption.encrypted('"a"', place))
    key_file("k2", "k1")
    new = wait_until(
        lambda: (text := encryption.encrypted('"b"', place)) and '"encrypted:k2"' in text and json.loads(text), 5, "k2"
    )
    assert [encryption.decrypted(each, place) for each in (old, new)] == ["a", "b"]


def test_keys_stand_in_no_repr_and_no_traceback(key_file: KeyFile) -> None:
    encryption.encrypt_with(key_file("k1"))
    ours = encryption.encryption()
    assert content("k1").decode() not in repr(ours)
    error = EncryptionError("no such key", "k1", lasting=True)
    again = pickle.loads(pickle.dumps(error))
    assert (again.key, again.lasting, str(again)) == ("k1", True, "no such key")
    try:
        encryption.decrypted({"$codec": "encrypted:k1", "data": "AAAA"}, Place(Kind.ARGS, new_job_id()))
    except EncryptionError:
        assert content("k1").decode() not in traceback.format_exc()


def test_two_equal_values_have_nothing_in_common() -> None:
    encryption.encrypt_with(ring("k1"))
    place = Place(Kind.ARGS, new_job_id())
    one, other = (json.loads(encryption.encrypted('"same"', place))["data"] for _ in range(2))
    # Whose they are is there to be read; what wraps them and what they are differ.
    assert one[4:50] != other[4:50]
    assert one[90:] != other[90:]


def test_a_name_with_a_nul_cannot_pass_for_another_place() -> None:
    encryption.encrypt_with(ring("k1"))
    with pytest.raises(EncryptionError, match="NUL"):
        encryption.encrypted("1", Place(Kind.STEP, new_job_id(), "a\0b"))


def test_a_new_job_passes_for_none_that_is_encrypted(desk: Desk, start: StartThreaded) -> None:
    """Who may enqueue cannot have another job's arguments opened by a job of its own."""
    encryption.encrypt_with(ring("k1"))
    conn = desk.conn
    victim = tasks.charge.using(delay=600).enqueue(conn, PLANTED)
    (args,) = desk.values("select args from pgqueue.jobs where id = %s", victim.id)
    thief = pgqueue.enqueue(conn, NewJob("tests.encryption.tasks:open_task", args, store_result=True).name, args)
    nested = pgqueue.enqueue(conn, "tests.encryption.tasks:open_task", {"text": args})
    start(executor="thread", app=APP)
    wait_until(lambda: dead(desk, thief) and dead(desk, nested), 20, "the ends")
    assert reason_and_error(desk, thief)[0] == reason_and_error(desk, nested)[0] == "unreadable"


def test_the_template_of_another_task_is_opened_nowhere_else() -> None:
    encryption.encrypt_with(ring("k1"))
    other = json.loads(encryption.encrypted_args('["a"]', tasks.fail.target, None))
    with pytest.raises(EncryptionError, match="were encrypted for jobs of"):
        encryption.decrypted_args(other, new_job_id(), tasks.charge.target)
    assert encryption.decrypted_args(other, new_job_id(), tasks.fail.target) == ["a"]


def test_a_test_reads_what_a_job_did(conn: Conn) -> None:
    encryption.encrypt_with(ring("k1"))
    ran = run_job(tasks.fail, [PLANTED], conn=conn, raises=False)
    assert ran.message == f"ValueError: who {PLANTED} was declined"
    tasks.charge.enqueue(conn, PLANTED)
    (waiting,) = enqueued(conn, tasks.charge)
    assert waiting.args == [PLANTED]


def test_of_each_argument_that_is_encrypted_is_shown_that_it_is() -> None:
    encryption.encrypt_with(ring("k1"))
    args = encryption.encrypted_args('{"who": "a", "parts": null}', tasks.add_up.target, new_job_id(), ["parts"])
    shown = Redaction().of_args(tasks.add_up.target, args).text
    assert encryption.in_words(shown) == '{\n  "who": (encrypted, key k1),\n  "parts": null\n}'
