"""What code can know about where it runs: the current job, and the connection bound for `Task.delay()`."""

from pgqueue.context.checkpoints import place_of
from pgqueue.context.current import Middleware, current_job, running
from pgqueue.context.home import (
    at_home_in,
    be_at_home_here,
    be_at_home_in,
    bound,
    bound_connection,
    home_database,
)
from pgqueue.context.job import LONGEST_EXTENSION, JobContext, Spawner, WorkerPhase
from pgqueue.context.telling import (
    as_shown,
    equip,
    extended_until,
    give_line,
    keep_last,
    keep_place,
    phase_of,
    resume_from,
    tell_advanced,
    tell_cancelled,
    tell_phase,
)

__all__ = [
    "LONGEST_EXTENSION",
    "JobContext",
    "Middleware",
    "Spawner",
    "WorkerPhase",
    "as_shown",
    "at_home_in",
    "be_at_home_here",
    "be_at_home_in",
    "bound",
    "bound_connection",
    "current_job",
    "equip",
    "extended_until",
    "give_line",
    "home_database",
    "keep_last",
    "keep_place",
    "phase_of",
    "place_of",
    "resume_from",
    "running",
    "tell_advanced",
    "tell_cancelled",
    "tell_phase",
]
