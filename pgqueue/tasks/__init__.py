"""Tasks: the functions that jobs may call."""

from pgqueue.tasks.lookup import Refused, Unknown, find_task, import_apps
from pgqueue.tasks.task import CallOptions, Task, TransactionalTask, registered, registered_tasks, target_of, task

__all__ = [
    "CallOptions",
    "Refused",
    "Task",
    "TransactionalTask",
    "Unknown",
    "find_task",
    "import_apps",
    "registered",
    "registered_tasks",
    "target_of",
    "task",
]
