"""What each kind of alert is called, what is told of it, and the commands that help: pure, from facts as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from pgqueue.printable import in_one_line

# Characters of a title, and of a fact.
TITLE, FACT = 160, 500
Facts = Mapping[str, Any]


def title_of(kind: str, name: str, n: int, found: Facts) -> str:
    """What is wrong, in a line."""
    make = _TITLES.get(kind)
    return one_line(make(name, n, found) if make else f"{kind} {name}", TITLE)


def commands_of(kind: str, name: str, found: Facts) -> tuple[str, ...]:
    """What to type, or to run as SQL."""
    make = _COMMANDS.get(kind)
    return tuple(one_line(command, FACT) for command in (make(name, found) if make else ()))


def page_of(kind: str, name: str) -> str:
    """The path of the dashboard's page about it."""
    path = _PAGES.get(kind, "")
    return path.format(name=quote(name, safe="", errors="replace"))


def one_line(value: object, limit: int = FACT) -> str:
    """Whatever a job or a person wrote, as one short line that steers nothing."""
    return in_one_line(str(value), limit)


def lasting(seconds: float) -> str:
    """A time in its two largest units."""
    whole = timedelta(seconds=max(0, round(seconds)))
    days, rest = whole.days, whole.seconds
    for large, small, sizes in (("d", "h", (days, rest // 3600)), ("h", "min", divmod(rest // 60, 60))):
        if sizes[0]:
            return f"{sizes[0]} {large}" + (f" {sizes[1]} {small}" if sizes[1] else "")
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"


def moment(text: object) -> datetime | None:
    """A time as PostgreSQL writes it in JSON."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def clock(when: object) -> str | None:
    """A time as people read it, wherever they are; None if it is none."""
    found = when if isinstance(when, datetime) else moment(when)
    return None if found is None else f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _dead(name: str, n: int, found: Facts) -> str:
    of = f"{found.get('error_type') or 'failure'} in {found.get('target')}"
    jobs = f"{n:,} dead job{'s' * (n != 1)}"
    lead = {"new": "new cause", "regression": "back after it was resolved", "burst": "burst"}.get(str(found.get("why")))
    return f"{jobs}: {found.get('title') or of}{f' ({lead})' if lead else ''}"


def _schedule(name: str, n: int, found: Facts) -> str:
    if found.get("fault"):
        return f"schedule {name} cannot be decided about: {found['fault']}"
    return f"schedule {name} missed {n:,} tick{'s' * (n != 1)}" if n else f"schedule {name} is not looked at in time"


_TITLES: dict[str, Callable[[str, int, Facts], str]] = {
    "dead": _dead,
    "stalled": lambda name, n, found: f"queue {name} stands: a job has been due since {clock(found.get('due'))}",
    "unserved": lambda name, n, found: f"queue {name} has due jobs, and {_nobody(found)}",
    "growing": lambda name, n, found: f"queue {name} grows: {n:,} ready jobs, {found.get('before')} before",
    "schedule": _schedule,
    "horizon": lambda name, n, found: f"{found.get('who')} keeps ended jobs from being cleaned away",
    "worker_lost": lambda name, n, found: (
        f"{n:,} worker{'s' * (n != 1)} vanished on {name}, with {found.get('jobs', 0)} jobs"
    ),
    "limit_starved": lambda name, n, found: f"jobs wait long for the limit {name}: {found.get('text', '')}",
    "workflow": lambda name, n, found: (
        f"{n:,} workflow{'s have' if n != 1 else ' has'} failed: {', '.join(map(str, found.get('names', ())))}"
    ),
    "doctor": lambda name, n, found: f"doctor FAIL {name}: {found.get('text', '')}",
}
_COMMANDS: dict[str, Callable[[str, Facts], tuple[str, ...]]] = {
    "dead": lambda name, found: (
        f"pgqueue causes show {name}",
        f"pgqueue dead list --cause {name}",
        f"pgqueue jobs retry 'state:dead cause:{name}' --rate 50/s --trial 10",
        f"pgqueue jobs purge 'state:dead cause:{name}'",
        f"pgqueue causes mute {name}",
    ),
    "stalled": lambda name, found: (
        f"pgqueue queues explain -- {shlex.quote(name)}",
        f"pgqueue jobs explain {found.get('job')}",
    ),
    "unserved": lambda name, found: (
        f"pgqueue queues explain -- {shlex.quote(name)}",
        f"pgqueue worker -A {shlex.quote(str(found.get('target', '')).partition(':')[0])} -Q {shlex.quote(name)}",
    ),
    "growing": lambda name, found: (f"pgqueue queues explain -- {shlex.quote(name)}", "pgqueue status"),
    "schedule": lambda name, found: (f"pgqueue schedules show -- {shlex.quote(name)}",),
    "horizon": lambda name, found: ("pgqueue doctor --only horizon", str(found.get("sql", ""))),
    "worker_lost": lambda name, found: ("pgqueue workers list",),
    "limit_starved": lambda name, found: tuple(
        str(each) for each in (f"pgqueue jobs explain {found.get('job')}", found.get("cure")) if each
    ),
    "workflow": lambda name, found: (
        f"pgqueue workflows show {found.get('workflow')}",
        f"pgqueue workflows retry {found.get('workflow')}",
        "pgqueue workflows list --state failed",
    ),
    "doctor": lambda name, found: tuple(
        str(each) for each in (f"pgqueue doctor --only {name}", found.get("cure")) if each
    ),
}
_PAGES = {
    "dead": "/causes/{name}",
    "stalled": "/queue?name={name}",
    "unserved": "/queue?name={name}",
    "growing": "/queue?name={name}",
    "schedule": "/schedule?name={name}",
    "worker_lost": "/workers",
    "limit_starved": "/limits",
    "horizon": "/doctor",
    "workflow": "/workflows",
    "doctor": "/doctor",
}


def _nobody(found: Facts) -> str:
    return "no live worker serves it" if found.get("workers") else "no worker runs"
