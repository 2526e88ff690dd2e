"""Refused jobs: those whose row no claim can have are passed by, tried again alone, and in the end buried.

While there are any, jobs are claimed by name: which are due is asked first, and what is refused is not named.
A slot in which not even that can be asked, as where a page of the table is lost, is passed by as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from pgqueue.events import Observer
from pgqueue.store import by_name, execute
from pgqueue.store.jobs import Slot, Step
from pgqueue.store.outages import is_lost
from pgqueue.worker.claiming.held_claims import HeldClaims
from pgqueue.worker.claiming.narrowing import narrow
from pgqueue.worker.claiming.refusals import Refusals
from pgqueue.worker.claiming.settler import was_refused
from pgqueue.worker.loop import Connection
from pgqueue.worker.outage import Stuck

# So many are tried again at one go.
AT_ONCE = 20


class RefusedJobs:
    """What cannot be claimed, and claims of all the rest; used by the claim loop."""

    def __init__(self, worker: int, held: HeldClaims, observe: Observer) -> None:
        self._worker = worker
        self._held = held
        self._observe = observe
        self.jobs: Refusals[UUID] = Refusals(lambda count: f"the claims of {count} jobs")
        self.slots: Refusals[tuple[str, int]] = Refusals(
            lambda count: f"to look for jobs in {count} slots", lambda slot: slot[0]
        )
        # Whether the last claim found fewer jobs than it was to take.
        self.short = True

    def __bool__(self) -> bool:
        return bool(self.jobs) or bool(self.slots)

    def stuck(self) -> Stuck | None:
        """Why some slots cannot be looked through, and since when."""
        for slot in self.slots.passed_by():
            refusal = self.slots[slot]
            why = f"queue {slot[0]} at priority {slot[1]} cannot be looked through: {refusal.error}"
            return Stuck(why, refusal.since, passing=False)
        return None

    def claim(self, conn: Connection, slots: Sequence[Slot], lag: timedelta, limit: int) -> Iterator[Step]:
        """Claim at most `limit` jobs that the database does not refuse; a step for each part, as it is answered.

        Take each before the next is asked for. Raises what all of it is refused with, if that is no matter of rows.
        """
        for job_id in self.jobs.due()[:AT_ONCE]:
            yield from self._claim(conn, [job_id], slots)
        names = self._due(conn, slots, lag, limit)
        self.short = len(names) < limit
        yield from self._claim(conn, names, slots) if names else [self._named(conn, [], slots)]
        for refusals in (self.jobs, self.slots):
            if (news := refusals.news()) is not None:
                self._observe(news)

    def _claim(self, conn: Connection, names: Sequence[UUID], slots: Sequence[Slot]) -> Iterator[Step]:
        return narrow(
            conn,
            names,
            lambda part: self._named(conn, part, slots),
            lambda job_id, error: self._alone(conn, job_id, error, slots),
        )

    def _named(self, conn: Connection, names: Sequence[UUID], slots: Sequence[Slot]) -> Step:
        try:
            step = execute(conn, by_name.claim(self._worker, names, slots, self._held.unknown.epoch))
        except Exception as error:
            if is_lost(conn, error) or not was_refused(error):
                self._held.unknown.suspect()
            if not is_lost(conn, error):
                # Claimed, and not to be read: before any of them is named again.
                self._held.give_back_unknown(conn)
            raise
        if step.claims or step.expired:
            self.jobs.accept(names)
        else:
            self.jobs.forget(names)
        return step

    def _alone(self, conn: Connection, job_id: UUID, error: Exception, slots: Sequence[Slot]) -> Step | None:
        if self.jobs.is_hopeless(job_id) and self._buried(conn, job_id):
            self.jobs.forget([job_id])
            return None
        # If not even this is taken, the job is innocent.
        answer = self._named(conn, [], slots)
        self.jobs.refuse(job_id, error)
        if self.jobs.general:
            raise error
        return answer

    def _buried(self, conn: Connection, job_id: UUID) -> bool:
        refusal = self.jobs[job_id]
        error = f"its claim was refused for {refusal.seconds:.0f} s: {refusal.error}"
        try:
            return execute(conn, by_name.bury(job_id, "pgqueue.Unclaimable", error))
        except Exception as refused:  # Where not even this is taken, the job waits on, and is told of.
            if is_lost(conn, refused):
                raise
            return False

    def _due(self, conn: Connection, slots: Sequence[Slot], lag: timedelta, limit: int) -> list[UUID]:
        passed_by, retried = self.slots.passed_by(), set(self.slots.due())
        closed = {slot for slot in passed_by if slot not in retried}
        asked = [slot for slot in slots if (slot.queue, slot.priority) not in closed]
        found: list[UUID] = []
        for names in narrow(
            conn,
            asked,
            lambda part: self._found(conn, part, lag, limit),
            lambda slot, error: self._slot_alone(slot, error),
        ):
            found += names
        return found[:limit]

    def _found(self, conn: Connection, slots: Sequence[Slot], lag: timedelta, limit: int) -> list[UUID]:
        names = execute(conn, by_name.due(self._worker, slots, lag, limit, self.jobs.passed_by()))
        self.slots.accept([(slot.queue, slot.priority) for slot in slots])
        return names

    def _slot_alone(self, slot: Slot, error: Exception) -> None:
        self.slots.refuse((slot.queue, slot.priority), error)
        if self.slots.general:
            raise error
