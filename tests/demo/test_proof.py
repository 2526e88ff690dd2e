"""The proof must be able to fail: each sabotage of what the jobs wrote is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest

import pgqueue
from pgqueue.demo import example
from pgqueue.demo.database import demo_schema
from pgqueue.demo.example import Conn
from pgqueue.demo.proof import Proof, prove
from pgqueue.ids import new_job_id

READABLE, LATIN = 5, 1


class Counted(NamedTuple):
    """Files whose jobs have all ended, and the proof about them."""

    conn: Conn
    files: list[Path]
    first: UUID

    def prove(self) -> Proof:
        return prove(self.conn, self.files, self.first)

    def only(self, sql: str) -> None:
        """Run a statement that must hit one row."""
        assert self.conn.execute(sql).rowcount == 1


@pytest.fixture
def counted(dsn: str, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    chosen = [*files[:READABLE], *(path for path in files if path.name == "latin.py")]
    add_document = example.producer()
    monkeypatch.syspath_prepend(str(example.home()))
    first = new_job_id()
    with demo_schema(dsn, first, keep=False) as (inside, conn):
        for path in chosen:
            add_document(conn, path)
        worker = pgqueue.Worker(inside, app=[example.APP], queues=["demo"], executor="thread", burst=True, observers=[])
        assert worker.run() == 0
        yield Counted(conn, chosen, first)


def test_what_was_done_once_is_right(counted: Counted) -> None:
    proof = counted.prove()
    assert proof == Proof(documents=READABLE + LATIN, succeeded=READABLE, dead=LATIN, lost=[], doubled=[])
    assert proof.holds


ONE_ROW = "ctid = (select max(ctid) from word_counts)"
SOME_JOB = "(select max(job_id::text)::uuid from pgqueue.attempts where outcome = 'succeeded')"
LOSSES = {
    "a count is missing": f"delete from word_counts where {ONE_ROW}",
    "a count is wrong": f"update word_counts set occurrences = occurrences + 1 where {ONE_ROW}",
    "a count belongs to another word": f"update word_counts set word = 'sabotage' where {ONE_ROW}",
    "a job has not ended": f"delete from pgqueue.attempts where job_id = {SOME_JOB}",
    "a document is missing": "delete from documents where id = 1",
    "a dead job left a count": "insert into word_counts select max(id), 'half', 1 from documents",
    "a dead job is forgotten": "delete from pgqueue.dead_jobs",
}
DOUBLES = {
    "a count stands twice": f"insert into word_counts select * from word_counts where {ONE_ROW}",
    "a job succeeded twice": f"""
        insert into pgqueue.attempts (job_id, claim, attempt, outcome, queue, target, args)
        select job_id, claim + 1, attempt + 1, outcome, queue, target, args
        from pgqueue.attempts where job_id = {SOME_JOB}""",
    "a document stands twice": "insert into documents (path) select path from documents where id = 1",
}


@pytest.mark.parametrize("sabotage", LOSSES.values(), ids=LOSSES)
def test_a_loss_is_found(counted: Counted, sabotage: str) -> None:
    counted.only(sabotage)
    proof = counted.prove()
    assert (len(proof.lost), len(proof.doubled)) == (1, 0)
    assert not proof.holds


@pytest.mark.parametrize("sabotage", DOUBLES.values(), ids=DOUBLES)
def test_a_double_is_found(counted: Counted, sabotage: str) -> None:
    counted.only(sabotage)
    proof = counted.prove()
    assert (len(proof.lost), len(proof.doubled)) == (0, 1)
    assert not proof.holds
