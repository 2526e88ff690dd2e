"""The worker: a parent that talks to the database, and executors that run jobs."""

from pgqueue.process_end import end_process
from pgqueue.worker.worker import Worker

__all__ = ["Worker", "end_process"]
