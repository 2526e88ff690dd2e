"""The watchdog: "alive and idle with work due" is impossible.

Once a beat, and only while the claimer rests, it asks whether a job waits that a claim should have had long ago. If so
the claimer is told to forget what it believes about queues and bounds, and to look. If the same job still waits a beat
later, this process cannot be trusted to find work: it retires, and a fresh one takes its place. Of very many queues it
looks at some after others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from pgqueue.events import Observer, Trouble
from pgqueue.store import execute, queues, workers
from pgqueue.worker.loop import Connection
from pgqueue.worker.outage import Stuck
from pgqueue.worker.selection import Selection

# A job that has been due for so many polls is overdue: a worker that does its work looks at each.
POLLS = 2
# A claimer that is refused for so many seconds is not helped by trying again.
RETIRE_AFTER = 300.0
# So many slots, or named queues, are looked at each time.
WINDOW = 1000


class Watchdog:
    """`resting` answers how many claims there were so far, or None while the claimer is busy or has reason to wait.

    `passed_by` are jobs that it cannot claim and knows of; `stuck` says why it does not get on at all.
    """

    def __init__(
        self,
        worker: int,
        selection: Selection,
        host: str,
        observe: Observer,
        *,
        poll: float,
        every: float,
        resting: Callable[[], int | None],
        passed_by: Callable[[], Sequence[UUID]],
        stuck: Callable[[], Stuck | None],
        kick: Callable[[], None],
        retire: Callable[[str], None],
    ) -> None:
        self._worker = worker
        self._selection = selection
        self._names = selection.names
        # Behind which slot, or at which of the queues named, the next look begins.
        self._behind = ("", 0)
        self._from = 0
        self._host = host
        self._observe = observe
        self._age = timedelta(seconds=POLLS * poll)
        self._every = every
        self._resting = resting
        self._passed_by = passed_by
        self._stuck = stuck
        self._kick = kick
        self._retire = retire
        self._seen: tuple[int, UUID] | None = None

    def look(self, conn: Connection) -> float:
        """One look; answers the seconds until the next."""
        stuck = self._stuck()
        if stuck is not None and not stuck.passing and stuck.seconds > RETIRE_AFTER:
            self._retire(f"its claims have been refused for {stuck.seconds:.0f} s: {stuck.why}")
        claims = self._resting()
        overdue = None if claims is None else self._overdue(conn)
        if claims is None or overdue is None or claims != self._resting():
            self._seen = None
        elif (claims, overdue) == self._seen:
            self._retire(f"it was idle while job {overdue} was due for more than {POLLS} polls, and did not claim it")
        else:
            self._seen = claims, overdue
            self._observe(Trouble("watchdog", f"idle, but job {overdue} is long due", "the claim loop begins anew"))
            self._kick()
        return self._every

    def _overdue(self, conn: Connection) -> UUID | None:
        """An overdue job in the next window; it is looked at again until there is none."""
        heads = self._heads(conn)
        old = -self._age.total_seconds()
        late = dict.fromkeys(
            head.queue
            for head in heads
            if head.seconds is not None and head.seconds <= old and self._selection.serves(head.queue)
        )
        if late:
            found = workers.overdue(self._worker, list(late), self._host, self._age, self._passed_by())
            if (job := execute(conn, found)) is not None:
                return job
        if self._names is None:
            self._behind = heads[-1][:2] if len(heads) == WINDOW else ("", 0)
        else:
            self._from = self._from + WINDOW if self._from + WINDOW < len(self._names) else 0
        return None

    def _heads(self, conn: Connection) -> list[queues.Head]:
        if self._names is None:
            return execute(conn, queues.heads(*self._behind, WINDOW))
        return execute(conn, queues.heads_of(self._names[self._from : self._from + WINDOW]))
