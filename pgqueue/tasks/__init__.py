"""Tasks: the functions that jobs may call."""

from pgqueue.tasks.discovery import callable_tasks
from pgqueue.tasks.lookup import Refused, Unknown, find_task, import_apps
from pgqueue.tasks.options import CallOptions, check_call_options
from pgqueue.tasks.scheduled import declared_schedule, said_of
from pgqueue.tasks.task import Task, TransactionalTask, registered, registered_tasks, target_of, task

__all__ = [
    "CallOptions",
    "Refused",
    "Task",
    "TransactionalTask",
    "Unknown",
    "callable_tasks",
    "check_call_options",
    "declared_schedule",
    "find_task",
    "import_apps",
    "registered",
    "registered_tasks",
    "said_of",
    "target_of",
    "task",
]
