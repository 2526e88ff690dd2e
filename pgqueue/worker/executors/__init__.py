"""Executors: three ways to run claims, of one shape."""

from collections.abc import Callable

from pgqueue.worker.executors.async_ import AsyncExecutor
from pgqueue.worker.executors.base import Executor, Leftover, Report, Retire, Settings
from pgqueue.worker.executors.process.executor import ProcessExecutor
from pgqueue.worker.executors.thread import ThreadExecutor

# By the name that `--executor` takes; each is made of (settings, report, observe, retire).
EXECUTORS: dict[str, Callable[..., Executor]] = {
    "process": ProcessExecutor,
    "thread": ThreadExecutor,
    "async": AsyncExecutor,
}

__all__ = [
    "EXECUTORS",
    "AsyncExecutor",
    "Executor",
    "Leftover",
    "ProcessExecutor",
    "Report",
    "Retire",
    "Settings",
    "ThreadExecutor",
]
