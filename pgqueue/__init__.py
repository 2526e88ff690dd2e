"""pgqueue: a transactional job queue that lives in the PostgreSQL you already run."""

from typing import TYPE_CHECKING

# First, so that who has installed the package without its extra learns which line is missing.
try:
    import psycopg  # noqa: F401
except ImportError as missing:
    raise ImportError(
        f"pgqueue needs psycopg with libpq, which could not be imported ({str(missing).splitlines()[0]});"
        " run `pip install 'pgqueue-postgres[binary]'`, or install libpq (Debian: apt install libpq5)"
    ) from missing

from pgqueue.batch import Batch, BatchItem
from pgqueue.client import attempts, cancel, enqueue, enqueue_many, get_job, job_logs, retry, tree
from pgqueue.context import JobContext, Middleware, bound, current_job
from pgqueue.database import connect
from pgqueue.decrypting import decrypted
from pgqueue.durable import (
    Approval,
    AsyncDurable,
    Child,
    Durable,
    WorkflowTask,
    fork,
    signal,
    steps,
    undoable,
    workflow,
)
from pgqueue.effects import effect_done, forget_effect, get_effect, once
from pgqueue.encryption import encrypt_with
from pgqueue.enqueued import Enqueued
from pgqueue.enqueuing import Enqueuing, on_enqueue, travels
from pgqueue.erasing import Erasure, erase
from pgqueue.errors import (
    AnnotationWarning,
    AppError,
    ArgumentError,
    CodecError,
    DatabaseUnreachable,
    EffectBusy,
    EffectUnknown,
    EmbeddedError,
    EncryptionError,
    EnqueueLimit,
    FeedBusy,
    FeedFailed,
    FeedNotFound,
    HostExhausted,
    JobFailed,
    JobNotFound,
    KeyringError,
    KeyTaken,
    LeaseLost,
    LimitReached,
    NotBound,
    OptionError,
    PgqueueError,
    PgqueueWarning,
    ProgramFailed,
    QueueFull,
    RequestFailed,
    ResultTimeout,
    SchemaError,
    SignatureError,
    SizeWarning,
    SoftTimeout,
    SpawnLimit,
    StepUnreadable,
    TargetError,
    TargetNotAllowed,
    TransactionEnded,
    UsageError,
    WorkflowNotFound,
)
from pgqueue.explaining import explain, explain_queue
from pgqueue.feeding import Fed, FeedProgress, feed
from pgqueue.holding import limit
from pgqueue.job import JobState, NewJob
from pgqueue.ledger import First
from pgqueue.limits import remove_limit, set_limit, set_max_size
from pgqueue.manual import manual_done, manual_fail, manual_jobs
from pgqueue.outcome import Bury, Cancel, Retry, Snooze, Suspended
from pgqueue.polyglot import command_task, http_task
from pgqueue.queues import allow_targets, pause_queue, resume_queue, set_queue, unset_queue
from pgqueue.record import (
    Attempt,
    Effect,
    EndedJob,
    Explanation,
    Finding,
    Job,
    JobProgress,
    LogLine,
    ManualJob,
    Step,
    TreeNode,
    Watched,
    WorkflowNode,
    WorkflowRecord,
    WorkflowState,
)
from pgqueue.retry import Backoff, Delays, Fixed, Linear, RetryPolicy
from pgqueue.returned import result
from pgqueue.role_limits import remove_role_limit, set_role_limit
from pgqueue.routes import set_routes
from pgqueue.schedules import pause_schedule, resume_schedule, run_schedule, schedule, unschedule
from pgqueue.sealing import register_codec
from pgqueue.signing import sign_with
from pgqueue.tasks import BatchTask, Task, task
from pgqueue.tenants import tenant
from pgqueue.version import __version__
from pgqueue.waiting import Waited, wait_many
from pgqueue.watching import watch
from pgqueue.webhook_signatures import verify_signature
from pgqueue.workflow_states import get_workflow, list_workflows, workflow_nodes
from pgqueue.workflow_waiting import wait_workflow
from pgqueue.workflows import (
    Node,
    OpenGroup,
    Started,
    Workflow,
    cancel_workflow,
    chain,
    chord,
    chunks,
    group,
    map,  # noqa: A004  # as everybody calls it
    map_chunks,
    open_group,
    previous,
    results,
    retry_workflow,
    starmap,
)

if TYPE_CHECKING:
    from pgqueue.worker import Worker

__all__ = [
    "AnnotationWarning",
    "AppError",
    "Approval",
    "ArgumentError",
    "AsyncDurable",
    "Attempt",
    "Backoff",
    "Batch",
    "BatchItem",
    "BatchTask",
    "Bury",
    "Cancel",
    "Child",
    "CodecError",
    "DatabaseUnreachable",
    "Delays",
    "Durable",
    "Effect",
    "EffectBusy",
    "EffectUnknown",
    "EmbeddedError",
    "EncryptionError",
    "EndedJob",
    "EnqueueLimit",
    "Enqueued",
    "Enqueuing",
    "Erasure",
    "Explanation",
    "Fed",
    "FeedBusy",
    "FeedFailed",
    "FeedNotFound",
    "FeedProgress",
    "Finding",
    "First",
    "Fixed",
    "HostExhausted",
    "Job",
    "JobContext",
    "JobFailed",
    "JobNotFound",
    "JobProgress",
    "JobState",
    "KeyTaken",
    "KeyringError",
    "LeaseLost",
    "LimitReached",
    "Linear",
    "LogLine",
    "ManualJob",
    "Middleware",
    "NewJob",
    "Node",
    "NotBound",
    "OpenGroup",
    "OptionError",
    "PgqueueError",
    "PgqueueWarning",
    "ProgramFailed",
    "QueueFull",
    "RequestFailed",
    "ResultTimeout",
    "Retry",
    "RetryPolicy",
    "SchemaError",
    "SignatureError",
    "SizeWarning",
    "Snooze",
    "SoftTimeout",
    "SpawnLimit",
    "Started",
    "Step",
    "StepUnreadable",
    "Suspended",
    "TargetError",
    "TargetNotAllowed",
    "Task",
    "TransactionEnded",
    "TreeNode",
    "UsageError",
    "Waited",
    "Watched",
    "Worker",
    "Workflow",
    "WorkflowNode",
    "WorkflowNotFound",
    "WorkflowRecord",
    "WorkflowState",
    "WorkflowTask",
    "__version__",
    "allow_targets",
    "attempts",
    "bound",
    "cancel",
    "cancel_workflow",
    "chain",
    "chord",
    "chunks",
    "command_task",
    "connect",
    "current_job",
    "decrypted",
    "effect_done",
    "encrypt_with",
    "enqueue",
    "enqueue_many",
    "erase",
    "explain",
    "explain_queue",
    "feed",
    "forget_effect",
    "fork",
    "get_effect",
    "get_job",
    "get_workflow",
    "group",
    "http_task",
    "job_logs",
    "limit",
    "list_workflows",
    "manual_done",
    "manual_fail",
    "manual_jobs",
    "map",
    "map_chunks",
    "on_enqueue",
    "once",
    "open_group",
    "pause_queue",
    "pause_schedule",
    "previous",
    "register_codec",
    "remove_limit",
    "remove_role_limit",
    "result",
    "results",
    "resume_queue",
    "resume_schedule",
    "retry",
    "retry_workflow",
    "run_schedule",
    "schedule",
    "set_limit",
    "set_max_size",
    "set_queue",
    "set_role_limit",
    "set_routes",
    "sign_with",
    "signal",
    "starmap",
    "steps",
    "task",
    "tenant",
    "travels",
    "tree",
    "undoable",
    "unschedule",
    "unset_queue",
    "verify_signature",
    "wait_many",
    "wait_workflow",
    "watch",
    "workflow",
    "workflow_nodes",
]

# Who enqueues needs no worker, whose modules are half of all: they are imported with the first look at one of these.
if not TYPE_CHECKING:
    from pgqueue.elsewhere import missing_name as _missing_name
    from pgqueue.habits import OF_PGQUEUE as _OF_PGQUEUE

    _LATE = ("Worker", "logs", "testing", "worker")

    def __getattr__(name: str) -> object:
        """Import what is not there before it is asked for."""
        if name not in _LATE:
            _missing_name(__name__, name, _OF_PGQUEUE)
        from importlib import import_module

        return import_module("pgqueue.worker").Worker if name == "Worker" else import_module(f"pgqueue.{name}")

    def __dir__() -> list[str]:
        """All names, also those that come late."""
        return sorted({*globals(), *_LATE})
