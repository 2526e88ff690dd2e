"""The worker: a parent that talks to the database, and executors that run jobs."""

from typing import TYPE_CHECKING

from pgqueue.process_end import end_process

if TYPE_CHECKING:
    from pgqueue.worker.worker import Worker

__all__ = ["Worker", "end_process"]

# A child of the worker is in this package, too, and needs nothing of what only its parent does.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import the worker when it is asked for."""
        if name != "Worker":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from pgqueue.worker.worker import Worker

        return Worker

    def __dir__() -> list[str]:
        """All names, also the one that comes late."""
        return sorted({*globals(), "Worker"})
