"""Executors: three ways to run claims, of one shape."""

from collections.abc import Callable

from pgqueue.events import Observer
from pgqueue.worker.executors.async_ import AsyncExecutor
from pgqueue.worker.executors.base import Executor, Leftover, Report, Settings
from pgqueue.worker.executors.process import ProcessExecutor
from pgqueue.worker.executors.thread import ThreadExecutor

# By the name that `--executor` takes.
EXECUTORS: dict[str, Callable[[Settings, Report, Observer], Executor]] = {
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
    "Settings",
    "ThreadExecutor",
]
