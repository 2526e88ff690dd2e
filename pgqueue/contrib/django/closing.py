"""Middleware of a Django project's worker: what Django does round a request is done round a job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from asgiref.sync import SyncToAsync
from django.db import close_old_connections, reset_queries

from pgqueue.context import JobContext


@contextmanager
def closing_old_connections(job: JobContext) -> Iterator[None]:
    """Close connections of Django's that are lost or have lived for CONN_MAX_AGE, before a job and behind it.

    So a job that met a lost connection is the only one, and none is held while nothing runs unless it may live on.
    """
    _between_jobs()
    try:
        yield
    finally:
        _between_jobs()


def _between_jobs() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        _tidy()
    else:
        # The ORM of coroutines works in this one thread: it is done there, before what the job asks of it.
        SyncToAsync.single_thread_executor.submit(_tidy)


def _tidy() -> None:
    reset_queries()
    close_old_connections()
