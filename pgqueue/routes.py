"""Routes in code: which queue the jobs of a target wait in, where neither they nor their task say one.

They are this process's: producers and workers import the module that sets them. Routes in the database come after them
(route.sql), and then the queue `default`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pgqueue.errors import OptionError
from pgqueue.globs import best, is_glob
from pgqueue.options import check_name

# Replaced as a whole, never changed: threads may read it at any time.
_routes: Mapping[str, str] = {}


def set_routes(routes: Mapping[str, str]) -> None:
    """Have jobs of targets, or of those that a glob means, wait in a queue: `{"video.*": "media"}`.

    For all that this process enqueues without a queue of the job's or its task's own. Of several patterns that fit the
    one that says most rules. A second call replaces the first. Raises OptionError.
    """
    global _routes
    if not isinstance(routes, Mapping):
        raise OptionError(f"routes must map targets to queues, got {routes!r:.80}; write {{'video.*': 'media'}}")
    for pattern, queue in routes.items():
        check_route(pattern, queue)
    _routes = dict(routes)


def check_route(pattern: str, queue: str) -> None:
    """Raise OptionError for what can be no route."""
    if not isinstance(pattern, str) or not (":" in pattern or is_glob(pattern)):
        raise OptionError(
            f"a route is of a target 'module:function', or of a glob of them, got {pattern!r:.80}; write 'video.*'"
        )
    check_name("a route", pattern)
    if queue is None:
        raise OptionError(f"the route of {pattern!r} must name a queue, got None")
    check_name("a queue", queue)


def routed(target: str) -> str | None:
    """The queue that a route of this process names for a target; None if none does."""
    routes = _routes
    if not routes:
        return None
    pattern = best(routes, target)
    return None if pattern is None else routes[pattern]


def routes_in_code() -> Mapping[str, str]:
    """The routes that were set in this process, by pattern."""
    return _routes
