"""Tasks that are servers: the job is posted as JSON, signed, and the status of the answer says what becomes of it.

The row of a job names the task; where that is posted to, the module says that declares it.
"""

from __future__ import annotations

import asyncio
import functools
import json
import ssl
import sys
import time
from collections.abc import Callable, Collection, Coroutine
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_network
from typing import Any, NoReturn, ParamSpec, TypeVar, Unpack, overload

from pgqueue.addresses import Network
from pgqueue.context import JobContext, current_job
from pgqueue.errors import OptionError, RequestFailed
from pgqueue.options import Duration, check_duration, check_integer
from pgqueue.outcome import Bury, Retry
from pgqueue.polyglot.answer import BadAnswer
from pgqueue.polyglot.declaring import declared
from pgqueue.polyglot.request import Answer, NotPermitted, Place, Unreachable, Way, post
from pgqueue.polyglot.telling import deadline_of, told
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy, seconds
from pgqueue.tasks import Task
from pgqueue.tasks.options import AllTaskOptions
from pgqueue.version import __version__
from pgqueue.webhook_signatures import Secret, each_secret, signed

P = ParamSpec("P")
R = TypeVar("R")

# Bytes of an answer.
MAX_ANSWER = 1 << 20
# What may be well another time: the server says so, or does not know.
_PASSES = frozenset({408, 425, 429, *range(500, 600)})
# However much later a server wants it again, seconds.
_LATEST = 86_400.0
# Characters of an answer that stand with an error.
_SHOWN = 500
_ANYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@overload
def http_task(
    name: str,
    url: str,
    /,
    *,
    secret: Secret | None = ...,
    takes: Callable[P, R],
    allow_private: bool | Collection[str] = ...,
    connect_timeout: Duration = ...,
    answer_timeout: Duration = ...,
    max_answer: int = ...,
    ca_file: str | None = ...,
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Task[P, Coroutine[Any, Any, R]]: ...
@overload
def http_task(
    name: str,
    url: str,
    /,
    *,
    secret: Secret | None = ...,
    takes: None = None,
    allow_private: bool | Collection[str] = ...,
    connect_timeout: Duration = ...,
    answer_timeout: Duration = ...,
    max_answer: int = ...,
    ca_file: str | None = ...,
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Task[..., Coroutine[Any, Any, Any]]: ...
def http_task(
    name: str,
    url: str,
    /,
    *,
    secret: Secret | None = None,
    takes: Callable[..., Any] | None = None,
    allow_private: bool | Collection[str] = False,
    connect_timeout: Duration = 10,
    answer_timeout: Duration = 60,
    max_answer: int = MAX_ANSWER,
    ca_file: str | None = None,
    retry: RetryPolicy = DEFAULT_RETRY,
    **options: Unpack[AllTaskOptions],
) -> Task[..., Any]:
    """Make a server a task: `invoice = http_task("invoice", "https://...")` in module `shop` is `shop:invoice`.

    The job is posted as JSON, signed with `secret` (of several, with each). 2xx is success, and its JSON the result;
    408, 425, 429, 5xx and no answer are failures that are retried, at Retry-After if that is said; other 4xx bury.
    Redirects are failures. Private addresses are refused but for networks in `allow_private` (True: all). TLS trusts
    whom the system trusts, or those in `ca_file`. `takes` is a function whose parameters a job's arguments must fit.
    `options` are those of @task, but for what only code of Python can do. Raises TargetError, OptionError.
    """
    place = Place.read(url)
    if secret is not None:
        each_secret(secret)
    allowed = _networks(allow_private)
    for option, said in (("connect_timeout", connect_timeout), ("answer_timeout", answer_timeout)):
        check_duration(option, said, zero=False, infinite=False)
    check_integer("max_answer", max_answer, 1, 1 << 30)
    limit = seconds(answer_timeout)

    async def run() -> Any:
        job = current_job()
        way = Way(seconds(connect_timeout), allowed, _trust(ca_file) if place.scheme == "https" else None)
        body = told(job, takes)
        try:
            async with asyncio.timeout(limit):
                answer = await post(place, way, _fields(job, secret, body), body, max_answer)
        except NotPermitted as refusal:
            raise Bury(f"{refusal}; allow_private says to which private networks it may go") from None
        except TimeoutError:
            raise RequestFailed(f"{place.host} did not answer within {limit:g} s") from None
        except (Unreachable, BadAnswer) as error:
            raise RequestFailed(f"no answer of {place.host}: {error}") from None
        return _judged(place, answer, max_answer)

    return declared(name, sys._getframe(1).f_globals["__name__"], run, takes, retry, options)


def _fields(job: JobContext, secret: Secret | None, body: bytes) -> dict[str, str]:
    fields = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"pgqueue/{__version__}",
        "Idempotency-Key": str(job.id),
        "Pgqueue-Attempt": str(job.attempt),
    }
    if (deadline := deadline_of(job)) is not None:
        fields["Pgqueue-Deadline"] = deadline
    if secret is not None:
        fields |= signed(secret, str(job.id), int(time.time()), body)
    return fields


def _judged(place: Place, answer: Answer, most: int) -> Any:
    """What the job returns; raises what its status makes of it."""
    status = answer.head.status
    said = f"{place.host} answered {status}"
    if 200 <= status < 300:
        if answer.body is None:
            raise Bury(f"{said} with more than {most:,} bytes: it is done, but its result cannot be kept")
        return _result(answer, said)
    shown = "" if not answer.body else f": {answer.body.decode(errors='replace').strip()[:_SHOWN]}"
    if status in _PASSES:
        delay = _delay(answer.head.fields.get("retry-after", ""))
        if delay is not None:
            raise Retry(f"{said}{shown}", delay=delay)
        raise RequestFailed(f"{said}{shown}", status)
    if status < 400:
        raise RequestFailed(f"{said}, a redirect, which is not followed; let url be where it leads", status)
    raise Bury(f"{said}{shown}")


def _result(answer: Answer, said: str) -> Any:
    """Its JSON; None if it has no body, or one of another kind."""
    kind = answer.head.fields.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.body or not (kind == "application/json" or kind.endswith("+json")):
        return None
    try:
        return json.loads(answer.body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        # It would do it again.
        raise Bury(f"{said} with what is no JSON, though it says so: {error}") from None


def _delay(said: str) -> float | None:
    """Retry-After in seconds, given as that or as a date; None if it says nothing."""
    if said.isascii() and said.isdigit():
        return min(float(said[:12]), _LATEST)
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, IndexError, TypeError):
        return None
    left = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(max(left.total_seconds(), 0.0), _LATEST)


def _networks(allow_private: bool | Collection[str]) -> tuple[Network, ...]:
    if isinstance(allow_private, bool):
        return _ANYWHERE if allow_private else ()
    if isinstance(allow_private, str):
        raise OptionError(
            f"allow_private must be a list of networks, got {allow_private!r:.80}; write [{allow_private!r:.80}]"
        )
    try:
        return tuple(ip_network(each) for each in allow_private)
    except (ValueError, TypeError) as error:
        raise OptionError(f"allow_private must be True, or networks such as '10.0.0.0/8': {error}") from None


@functools.lru_cache(maxsize=16)
def _trust(ca_file: str | None) -> ssl.SSLContext:
    # It takes some milliseconds to read them all.
    return ssl.create_default_context(cafile=ca_file)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
