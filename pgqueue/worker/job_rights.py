"""Whether transactional jobs can have the rights that were asked for: asked at the start, before a job finds out."""

from __future__ import annotations

import psycopg

from pgqueue.errors import UsageError
from pgqueue.store import execute, job_rights
from pgqueue.store.connection import open_connection
from pgqueue.store.job_rights import JobRights
from pgqueue.worker.loop import Connection


def require_job_rights(conn: Connection, rights: JobRights) -> None:
    """Raise UsageError for a role that this login cannot take on, and for another that cannot settle jobs here."""
    if rights.role is not None:
        _require_role(conn, rights.role)
    if rights.dsn is not None:
        _require_login(conn, rights.dsn)


def _require_role(conn: Connection, role: str) -> None:
    login = conn.info.user
    try:
        execute(conn, job_rights.take_on(role))
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        said = str(error).splitlines()[0]
        raise UsageError(
            f"jobs cannot have the rights of {role!r}: {said}; make it, and let the worker take it on: grant {role} to"
            f" {login}"
        ) from None
    if execute(conn, job_rights.is_superuser(role)):
        raise UsageError(_superuser(role))


def _require_login(conn: Connection, dsn: str) -> None:
    with open_connection(dsn, "worker") as theirs:
        login = theirs.info.user
        if execute(theirs, job_rights.database()) != execute(conn, job_rights.database()):
            raise UsageError("the DSN of jobs leads to another database than the worker's, which has the jobs")
        if not execute(theirs, job_rights.may_settle()):
            raise UsageError(
                f"the login {login!r} of jobs cannot settle them: make the roles by `pgqueue migrate --roles`, and let"
                f" it have that of jobs: grant pgqueue_job to {login}"
            )
        if execute(theirs, job_rights.is_superuser(login)):
            raise UsageError(_superuser(login))


def _superuser(role: str) -> str:
    return f"{role!r} is a superuser, and may do everything; name a role that may do what jobs need"
