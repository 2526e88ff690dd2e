"""`@job`: a function that enqueues calls of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgqueue.compat.rq.job import Job
from pgqueue.compat.rq.options import NAMES
from pgqueue.compat.rq.queue import Queue
from pgqueue.errors import OptionError


def job(queue: Queue | str, connection: Any = None, timeout: Any = None, **options: Any) -> Callable[[Any], Any]:
    """Give a module-level function a `delay(...)`, which enqueues a call of it: `@job("low", timeout=5)`."""
    if unknown := sorted(options.keys() - set(NAMES)):
        raise OptionError(f"@job takes no option {', '.join(unknown)}; it takes {', '.join(NAMES)}")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def delay(*args: Any, **kwargs: Any) -> Job:
            own = Queue(queue, connection=connection) if isinstance(queue, str) else queue
            said = {**options, **{name: kwargs.pop(name) for name in NAMES if name in kwargs}}
            return own.enqueue_call(function, args, kwargs, timeout, **said)

        function.delay = delay  # type: ignore[attr-defined]  # as RQ does
        return function

    return decorate
