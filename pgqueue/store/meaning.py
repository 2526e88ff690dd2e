"""What an error of the database means, where it is one that we have a word for."""

from __future__ import annotations

import json
from uuid import UUID

from psycopg import errors

from pgqueue.errors import (
    EnqueueLimit,
    KeyTaken,
    OptionError,
    QueueFull,
    SchemaError,
    SpawnLimit,
    TargetNotAllowed,
    UsageError,
)
from pgqueue.version import __version__

# What PostgreSQL says where a schema, a table, a function or a column is missing, a unique key is taken, a queue is
# full or does not take a target, a job brings too many others, or a function of ours refuses what it is told, or when;
# and Python, of a text that the session's encoding does not have.
TOLD = (
    errors.ConfigurationLimitExceeded,
    errors.InvalidParameterValue,
    errors.ObjectNotInPrerequisiteState,
    errors.ProgramLimitExceeded,
    errors.UniqueViolation,
    errors.WithCheckOptionViolation,
    errors.UndefinedTable,
    errors.UndefinedFunction,
    errors.UndefinedColumn,
    errors.InvalidSchemaName,
    UnicodeEncodeError,
)


def told(error: Exception) -> Exception:
    """The error of ours that says what one of TOLD means."""
    if isinstance(error, UnicodeEncodeError):
        return UsageError(
            f"the connection's client_encoding has no {error.object[error.start : error.end]!r:.20}; say"
            " `set client_encoding = 'utf8'` on it, or leave that setting out"
        )
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if isinstance(error, errors.UniqueViolation):
        return _taken(said, error)
    if isinstance(error, errors.ConfigurationLimitExceeded):
        return _too_much(said, error)
    if isinstance(error, errors.WithCheckOptionViolation):
        return _not_allowed(said, error)
    if isinstance(error, errors.ProgramLimitExceeded):
        ours = error.diag.schema_name == "pgqueue"
        return SpawnLimit(f"{error.diag.message_primary}; {error.diag.message_hint}") if ours else error
    if isinstance(error, errors.InvalidParameterValue):
        ours = error.diag.schema_name == "pgqueue"
        return OptionError(f"{error.diag.message_primary}; {error.diag.message_hint}") if ours else error
    if isinstance(error, errors.ObjectNotInPrerequisiteState):
        ours = error.diag.schema_name == "pgqueue"
        return UsageError(f"{error.diag.message_primary}; {error.diag.message_hint}") if ours else error
    if isinstance(error, errors.InvalidSchemaName) or 'relation "pgqueue.' in said:
        return SchemaError(f"this database has no schema pgqueue yet ({said}); run `pgqueue migrate` on it")
    if "pgqueue." not in said and not isinstance(error, errors.UndefinedColumn):
        # Of a trigger or a default of the user's: it is theirs to mend.
        return error
    return SchemaError(
        f"the schema pgqueue is of another version than this pgqueue {__version__} ({said}); run `pgqueue migrate`, and"
        " where that says that the database is newer, upgrade pgqueue here"
    )


def _taken(said: str, error: errors.UniqueViolation) -> Exception:
    """KeyTaken, if it was enqueue_keyed() that raised this (its detail is an id); else it is the caller's own."""
    if error.diag.schema_name != "pgqueue" or error.diag.constraint_name != "jobs_unique":
        return error
    try:
        return KeyTaken(said, UUID(error.diag.message_detail or ""))
    except ValueError:
        return error


def _too_much(said: str, error: errors.ConfigurationLimitExceeded) -> Exception:
    if error.diag.schema_name != "pgqueue":
        return error
    whole, detail = f"{said}; {error.diag.message_hint}", error.diag.message_detail or ""
    if error.diag.constraint_name == "queues_full":
        return QueueFull(whole, detail)
    if error.diag.constraint_name == "role_limits":
        about = json.loads(detail)
        return EnqueueLimit(whole, about["role"], about["limit"], about["retry_after"])
    return error


def _not_allowed(said: str, error: errors.WithCheckOptionViolation) -> Exception:
    if error.diag.schema_name != "pgqueue" or error.diag.constraint_name != "queues_allow":
        return error
    about = json.loads(error.diag.message_detail or "{}")
    return TargetNotAllowed(f"{said}; {error.diag.message_hint}", about["queue"], about["target"])
