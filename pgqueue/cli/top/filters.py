"""A filter as the search language has it, held against queues, workers, causes, or handed on to the search for jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pgqueue.job import JobState
from pgqueue.search import Candidate, Matcher, Query, parse
from pgqueue.store.causes import Cause

_NOBODY = Candidate(
    id=UUID(int=0),
    queue="",
    target="",
    state="",
    priority=None,
    attempt=0,
    worker=None,
    run_at=None,
    started_at=None,
    finished_at=None,
    unique_key=None,
    limit_key=None,
    reason=None,
    error_type=None,
    error=None,
    host=None,
    labels=None,
    args=None,
    large=False,
    cause=None,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What was typed; of a table that has no such field, a condition does not count."""

    text: str = ""
    query: Query = field(default_factory=lambda: Query("", ()))

    def takes_queue(self, name: str) -> bool:
        """Whether a queue is meant."""
        return self._takes(_NOBODY._replace(queue=name), {"queue"})

    def takes_worker(self, host: str, worker: int) -> bool:
        """Whether a worker is meant."""
        return self._takes(_NOBODY._replace(host=host, worker=worker), {"worker"})

    def takes_cause(self, row: Cause) -> bool:
        """Whether a cause is meant."""
        found = _NOBODY._replace(
            target=row.target or "", cause=row.cause, error_type=row.error_type, error=row.error or row.title
        )
        return self._takes(found, {"task", "cause", "type", "error"})

    def of_jobs(self, state: JobState) -> Query:
        """The query of the jobs of a state that are meant."""
        only = parse(f"state:{state}", datetime.now().astimezone())
        said = tuple(each for each in self.query.conditions if each.field != "state")
        return Query(f"{self.text} {only.text}", (*said, *only.conditions))

    def _takes(self, candidate: Candidate, fields: set[str]) -> bool:
        known = tuple(each for each in self.query.conditions if each.field in fields)
        return Matcher(Query(self.text, known)).matches(candidate)


def filter_of(text: str, now: datetime) -> Filter:
    """The filter that a text says. Raises UsageError."""
    return Filter(text.strip(), parse(text, now)) if text.strip() else Filter()
