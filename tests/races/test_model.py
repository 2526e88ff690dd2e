"""Any sequence of moves, with any token ever issued, against a small model: P2, P3 and P5 after every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pgqueue.job import Claim, NewJob
from pgqueue.store import enqueueing, execute, jobs, workers
from tests import factories
from tests.factories import HOUR, TARGET, Conn

TABLES = ", ".join(
    f"pgqueue.{name}" for name in ("jobs", "attempts", "results", "dead_jobs", "workers", "cancellations")
)
LIVE = ("waiting", "running")
Token = tuple[UUID, int, int]


@dataclass
class ModelJob:
    """What is known of a job; `waiting` stands for scheduled, ready and retrying, and `due` tells which."""

    key: str | None
    max_attempts: int
    due: bool
    state: str = "waiting"
    attempt: int = 0
    claim: int = 0
    crashes: int = 0
    worker: int | None = None
    unwanted: bool = False


@dataclass
class Model:
    """All jobs, which workers live, and how each token was used up."""

    jobs: dict[UUID, ModelJob] = field(default_factory=dict)
    alive: dict[int, bool] = field(default_factory=dict)
    used: dict[Token, str] = field(default_factory=dict)

    def holds(self, claim: Claim) -> bool:
        job = self.jobs[claim.id]
        return (job.state, job.worker, job.claim) == ("running", claim.worker, claim.claim)

    def acknowledged(self, claim: Claim, kind: str) -> bool:
        """Whether this token was used up in the same way before, as far as history can tell."""
        how, job = self.used.get(token(claim)), self.jobs[claim.id]
        if kind == "released" and how == "given back":
            return (job.state, job.claim) in [("waiting", claim.claim), ("cancelled", claim.claim + 1)]
        return how == kind

    def end(self, claim: Claim, how: str, state: str, *, due: bool = True, attempt: int = 0) -> None:
        job = self.jobs[claim.id]
        job.state, job.worker, job.due = state, None, due
        job.attempt += attempt
        self.used[token(claim)] = how
        if job.unwanted and state != "succeeded":
            job.state, job.claim = "cancelled", job.claim + 1
        job.unwanted = False


def token(claim: Claim) -> Token:
    return claim.id, claim.worker, claim.claim


NUMBERS = st.integers(0, 99)


def has_claims(self: Moves) -> bool:
    return bool(self.claims)


class Moves(RuleBasedStateMachine):
    """The moves that producers, workers, reapers and people can make."""

    conn: Conn

    @initialize()
    def begin(self) -> None:
        self.conn.execute(f"truncate {TABLES}")
        self.model = Model()
        self.claims: dict[Token, Claim] = {}
        self.workers: list[int] = []
        self.enlist()
        for key in ("a", None, None):
            self.enqueue(key, 3, True)

    def job(self, number: int) -> UUID:
        """Any job ever made."""
        return list(self.model.jobs)[number % len(self.model.jobs)]

    def worker(self, number: int) -> int:
        """Any worker ever enlisted, more often one of the last."""
        return self.workers[-1 - number % min(3, len(self.workers))]

    def token(self, number: int) -> Claim:
        """Any token ever issued."""
        return list(self.claims.values())[number % len(self.claims)]

    @precondition(lambda self: sum(self.model.alive.values()) < 2)
    @rule()
    def enlist(self) -> None:
        # Room for all that it may hold: each job was running, and is counted as crashed with its worker.
        worker = factories.enlist(self.conn, concurrency=100)
        self.model.alive[worker] = True
        self.workers.append(worker)

    @rule(key=st.sampled_from([None, "a", "b"]), most=st.integers(1, 4), due=st.booleans())
    def enqueue(self, key: str | None, most: int, due: bool) -> None:
        new = NewJob(TARGET, unique_key=key, max_attempts=most, delay=None if due else HOUR)
        added = execute(self.conn, enqueueing.enqueue(new))
        holder = [held for held, job in self.model.jobs.items() if key and job.key == key and job.state in LIVE]
        assert added.created == (not holder)
        if holder:
            assert added.id == holder[0]
        else:
            self.model.jobs[added.id] = ModelJob(key, most, due)

    @rule(number=NUMBERS)
    def enqueue_again(self, number: int) -> None:
        job = self.job(number)
        assert execute(self.conn, enqueueing.enqueue(NewJob(TARGET, job_id=job))) == (job, False)

    @rule(number=NUMBERS, limit=st.integers(1, 3))
    def claim(self, number: int, limit: int) -> None:
        worker = self.worker(number)
        due = [job for job in self.model.jobs.values() if job.state == "waiting" and job.due]
        alive = self.model.alive.get(worker, False)
        answer = factories.step(self.conn, worker, [], limit)
        assert answer.alive == alive
        assert len(answer.claims) == (min(limit, len(due)) if alive else 0)
        for claim in answer.claims:
            job = self.model.jobs[claim.id]
            assert (job.state, job.due) == ("waiting", True)
            job.state, job.worker = "running", worker
            job.attempt, job.claim = job.attempt + 1, job.claim + 1
            assert (claim.attempt, claim.claim, claim.crashes) == (job.attempt, job.claim, job.crashes)
            assert token(claim) not in self.claims
            self.claims[token(claim)] = claim

    @rule(number=NUMBERS, delay=st.sampled_from([0.0, 0.0, None]))
    def claim_and_fail(self, number: int, delay: float | None) -> None:
        """Both at once, so that jobs of several attempts, and their old tokens, are frequent."""
        before = len(self.claims)
        self.claim(number, 1)
        if len(self.claims) > before:
            self.fail(before, delay)

    @precondition(lambda self: any(job.state == "dead" for job in self.model.jobs.values()))
    @rule()
    def revive_all(self) -> None:
        for number, job in enumerate(self.model.jobs.values()):
            if job.state == "dead":
                self.retry(number)

    @precondition(has_claims)
    @rule(number=NUMBERS)
    def settle(self, number: int) -> None:
        first = self.token(number)
        # A batch of one worker, each job once.
        of_worker = {claim.id: claim for claim in self.claims.values() if claim.worker == first.worker}
        batch = list({**of_worker, first.id: first}.values())[-3:]
        late = factories.settle(self.conn, *batch)
        expected = set()
        for claim in batch:
            if self.model.holds(claim):
                self.model.end(claim, "succeeded", "succeeded")
            elif not self.model.acknowledged(claim, "succeeded"):
                expected.add(claim.id)
        assert late == expected

    @precondition(has_claims)
    @rule(number=NUMBERS, delay=st.sampled_from([0.0, HOUR, None]))
    def fail(self, number: int, delay: float | None) -> None:
        claim = self.token(number)
        late = factories.fail(self.conn, claim, delay)
        assert bool(late) == (not self.model.holds(claim) and not self.model.acknowledged(claim, "failed"))
        if self.model.holds(claim):
            self.model.jobs[claim.id].crashes = 0
            self.model.end(claim, "failed", "dead" if delay is None else "waiting", due=delay == 0)

    @precondition(has_claims)
    @rule(number=NUMBERS, started=st.booleans(), delay=st.sampled_from([0.0, HOUR]))
    def release(self, number: int, started: bool, delay: float) -> None:
        claim = self.token(number)
        late = factories.release(self.conn, claim, delay, started=started)
        assert bool(late) == (not self.model.holds(claim) and not self.model.acknowledged(claim, "released"))
        if self.model.holds(claim):
            how = "released" if started else "given back"
            self.model.end(claim, how, "waiting", due=delay == 0, attempt=-1)

    @precondition(has_claims)
    @rule(number=NUMBERS)
    def complete(self, number: int) -> None:
        claim = self.token(number)
        done = execute(self.conn, jobs.complete(claim, None))
        assert done == (self.model.holds(claim) or self.model.acknowledged(claim, "succeeded"))
        if self.model.holds(claim):
            self.model.end(claim, "succeeded", "succeeded")

    @rule(number=NUMBERS, keep=st.integers(0, 2))
    def disown(self, number: int, keep: int) -> None:
        worker = self.worker(number)
        held = [claim for claim in self.claims.values() if claim.worker == worker and self.model.holds(claim)]
        assert factories.disown(self.conn, worker, held[:keep]) == len(held[keep:])
        for claim in held[keep:]:
            self.model.end(claim, "given back", "waiting", attempt=-1)

    @precondition(lambda self: len(self.claims) > 2)
    @rule(number=NUMBERS)
    def expire(self, number: int) -> None:
        worker = self.worker(number)
        factories.expire(self.conn, worker)
        if worker in self.model.alive:
            self.model.alive[worker] = False

    @rule(number=NUMBERS)
    def beat(self, number: int) -> None:
        worker = self.worker(number)
        assert execute(self.conn, workers.heartbeat(worker, factories.LEASE)).alive == self.model.alive.get(
            worker, False
        )

    @precondition(lambda self: not all(self.model.alive.values()))
    @rule()
    def reap(self) -> None:
        gone = [worker for worker, alive in self.model.alive.items() if not alive]
        lost = [claim for claim in self.claims.values() if claim.worker in gone and self.model.holds(claim)]
        counts = {worker: sum(claim.worker == worker for claim in lost) for worker in gone}
        assert factories.reap(self.conn) == counts
        for claim in lost:
            job = self.model.jobs[claim.id]
            job.crashes += 1
            dead = job.crashes >= 3 or job.attempt >= job.max_attempts
            self.model.end(claim, "lost", "dead" if dead else "waiting")
        for worker in gone:
            del self.model.alive[worker]

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        job = self.job(number)
        answer = execute(self.conn, jobs.cancel(job))
        known = self.model.jobs[job]
        if known.state == "waiting":
            known.state, known.claim = "cancelled", known.claim + 1
        known.unwanted = known.state == "running"
        assert answer == known.state

    @rule(number=NUMBERS)
    def retry(self, number: int) -> None:
        job = self.job(number)
        known = self.model.jobs[job]
        others = [each for each in self.model.jobs.values() if each is not known and each.state in LIVE]
        free = not known.key or known.key not in [each.key for each in others]
        answer = execute(self.conn, jobs.retry(job))
        known.unwanted = False
        if known.state == "dead" and free:
            known.state, known.attempt, known.crashes, known.due = "waiting", 0, 0, True
        elif known.state == "waiting":
            known.due = True
        assert answer == ("ready" if known.state == "waiting" else known.state)

    @invariant()
    def p2_and_p3_every_job_is_in_its_one_state_with_its_count(self) -> None:
        seen = self.conn.execute("select id, state, attempt, worker from pgqueue.job order by id").fetchall()
        assert [_shown(*row) for row in seen] == [
            (made, _state(job), job.attempt, job.worker) for made, job in sorted(self.model.jobs.items())
        ]

    @invariant()
    def what_is_to_be_cancelled_runs(self) -> None:
        seen = self.conn.execute("select job_id from pgqueue.cancellations order by 1").fetchall()
        assert [row[0] for row in seen] == sorted(made for made, job in self.model.jobs.items() if job.unwanted)

    @invariant()
    def p5_history_holds_each_token_once_as_it_was_used(self) -> None:
        rows = self.conn.execute(
            "select job_id, worker, claim, outcome from pgqueue.attempts where worker is not null"
        ).fetchall()
        told = {tuple(each): outcome.replace("late", "lost") for *each, outcome in rows}
        assert told == {token: how for token, how in self.model.used.items() if how != "given back"}


def _shown(made: UUID, state: str, attempt: int, worker: int | None) -> tuple[Any, ...]:
    return made, {"retrying": "scheduled"}.get(state, state), attempt, worker


def _state(job: ModelJob) -> str:
    return ("ready" if job.due else "scheduled") if job.state == "waiting" else job.state


# The same ones at each run, and three times as many with the faults.
@pytest.mark.parametrize("sequences", [50, pytest.param(150, marks=pytest.mark.faults)])
def test_p2_p3_p5_hold_for_any_sequence_of_moves_with_any_token(db: Conn, sequences: int) -> None:
    class OnThisDatabase(Moves):
        conn = db

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=50,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
