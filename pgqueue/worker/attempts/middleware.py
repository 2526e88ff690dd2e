"""Middleware: what `--middleware module:name` names, and the way into all of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pgqueue.context import JobContext, Middleware
from pgqueue.errors import AppError
from pgqueue.worker.attempts.call import Call


def load_middleware(names: Sequence[str]) -> tuple[Middleware, ...]:
    """The middleware of these names, outermost first. Raises AppError."""
    return tuple(_load(name) for name in names)


@contextmanager
def entered(middleware: Sequence[Middleware], job: JobContext) -> Iterator[None]:
    """All middleware round one attempt."""
    with ExitStack() as stack:
        for each in middleware:
            stack.enter_context(each(job))
        yield


@contextmanager
def remembering(call: Call) -> Iterator[None]:
    """Keep what the task itself raised: a middleware round it may raise something else."""
    try:
        yield
    except BaseException as error:
        call.raised = error
        raise


def _load(name: str) -> Middleware:
    module, colon, attribute = name.partition(":")
    if not colon:
        raise AppError(f"middleware must read 'module:name', got {name!r}")
    try:
        found: Middleware = getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise AppError(f"cannot import the middleware {name}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise AppError(f"the middleware {name} is no callable that takes a JobContext")
    return found
