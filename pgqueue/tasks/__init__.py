"""Tasks: the functions that jobs may call."""

from pgqueue.call_options import CallOptions
from pgqueue.tasks.batch_task import BatchTask
from pgqueue.tasks.declared import declared_follows, declared_rules
from pgqueue.tasks.decorator import task
from pgqueue.tasks.discovery import callable_tasks, plain_targets
from pgqueue.tasks.importing import import_modules
from pgqueue.tasks.lookup import Refused, Unknown, find_task
from pgqueue.tasks.modules import Modules
from pgqueue.tasks.options import check_call_options
from pgqueue.tasks.registry import registered, registered_batching, registered_tasks, target_of
from pgqueue.tasks.scheduled import said_of
from pgqueue.tasks.task import Task, TransactionalTask

__all__ = [
    "BatchTask",
    "CallOptions",
    "Modules",
    "Refused",
    "Task",
    "TransactionalTask",
    "Unknown",
    "callable_tasks",
    "check_call_options",
    "declared_follows",
    "declared_rules",
    "find_task",
    "import_modules",
    "plain_targets",
    "registered",
    "registered_batching",
    "registered_tasks",
    "said_of",
    "target_of",
    "task",
]
