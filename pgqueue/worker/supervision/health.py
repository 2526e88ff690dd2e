"""How a worker is, as values, and what follows from them: whether it lives, and whether it is ready for work.

A worker that waits for a database lives: a fresh process would wait as well. One whose threads hang does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# The main thread looks twice a second, but for the last seconds of its end.
MAIN_PATIENCE = 60.0
# A claim that is not answered for so long, seconds, waits for somebody.
CLAIM_PATIENCE = 3.0


class Phase(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    WORKING = "working"
    QUIET = "quiet"
    STOPPING = "stopping"
    WAITING = "waiting for the database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A worker at one moment. `silent` are seconds since the main thread, the claim loop, the heartbeat last turned.

    `answered` is whether the database was there when last asked; `longest_turn` how long a loop may take. `refused` is
    why the last claim was not answered, if it was not; `waited` how many seconds one has waited for its answer.
    `databases` says of several how many it works for.
    """

    worker: int
    phase: Phase
    lease_left: float
    answered: bool
    silent: float
    claimer_silent: float
    heartbeat_silent: float
    longest_turn: float
    jobs: int
    outbox: int
    refused: str | None = None
    waited: float = 0.0
    databases: str = ""


def not_live(health: Health) -> list[str]:
    """Why this process should be replaced; empty if it should not."""
    if health.phase is Phase.STARTING:
        return []
    reasons = []
    if health.silent > MAIN_PATIENCE:
        reasons.append(f"the main thread has not looked for {health.silent:.0f} s")
    if health.phase in (Phase.WORKING, Phase.QUIET):
        for loop, silent in (("claim loop", health.claimer_silent), ("heartbeat", health.heartbeat_silent)):
            # Each statement has a deadline below this: who is silent for longer does not wait for the database.
            if silent > health.longest_turn:
                reasons.append(f"the {loop} has not turned for {silent:.0f} s")
    return reasons


def not_ready(health: Health) -> list[str]:
    """Why it takes no work; empty if it does."""
    reasons = not_live(health)
    if health.phase is not Phase.WORKING:
        reasons.append(f"it is {health.phase}")
    elif health.lease_left <= 0:
        reasons.append("its lease is gone")
    elif not health.answered:
        reasons.append("the database does not answer")
    elif health.refused is not None:
        reasons.append(f"its claims, or the outcomes of jobs, are refused: {health.refused}")
    elif health.waited > CLAIM_PATIENCE:
        reasons.append(f"a claim has not been answered for {health.waited:.0f} s")
    return reasons
