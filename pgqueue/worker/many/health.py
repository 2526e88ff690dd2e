"""How a worker of several databases is: it lives if all that it does there lives, and is ready if it works for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pgqueue.worker.supervision.health import Health, Phase, not_ready

# With these the loops of an enlistment turn.
_AT_WORK = (Phase.WORKING, Phase.QUIET)


def together(healths: Sequence[Health], silent: float, *, stopping: bool) -> Health:
    """The health of all of them; `silent` is for how many seconds the main thread has not looked."""
    ready = [each for each in healths if not not_ready(each)]
    best = ready[0] if ready else max(healths, key=lambda each: each.phase in _AT_WORK)
    turning = [each for each in healths if each.phase in _AT_WORK] or [best]
    return replace(
        best,
        phase=Phase.STOPPING if stopping else best.phase,
        lease_left=min(each.lease_left for each in ready or [best]),
        silent=max([silent, *(each.silent for each in turning)]),
        claimer_silent=max(each.claimer_silent for each in turning),
        heartbeat_silent=max(each.heartbeat_silent for each in turning),
        jobs=sum(each.jobs for each in healths),
        outbox=sum(each.outbox for each in healths),
        databases=f"for {len(ready)} of {len(healths)} databases",
    )
