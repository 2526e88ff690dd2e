"""The process executor: children, what is said to them, and what their ends mean."""

from pgqueue.worker.executors.process.executor import ProcessExecutor

__all__ = ["ProcessExecutor"]
