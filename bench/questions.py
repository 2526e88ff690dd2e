"""Every question that the command line and the dashboard answer, in words: what is asked in a month of history.

Each command and each route must stand here, or among those that ask nothing; a test compares them with the
application's own lists. `{dead}`, `{queue}` and the like stand for what is there (bench/month/found.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from string import Formatter
from typing import Any
from urllib.parse import quote

from pgqueue.dashboard.api.route import BASE

STATES = ("waiting", "scheduled", "ready", "running", "retrying", "succeeded", "dead", "cancelled")

# The words of a command, and what is said behind them, once each.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "status": ("", "--json", "--max-dead 5 --max-age 5m --max-depth mail=10000 --need-workers"),
    "doctor": ("", "--only horizon,head,targets,orphans,timeouts --json"),
    "jobs list": (
        *(
            "",
            "--json",
            "-n 1000",
            "-q {queue}",
            "-t {target}",
            "-t nobody:has",
            "-q nobody-has",
            "-q {queue} -t nobody:has",
        ),
        *(f"-s {state}" for state in STATES),
        *(f"-s {state} -q {{queue}}" for state in STATES),
        *(f"-s {state} -t nobody:has" for state in STATES),
        *("-s running -n 1000 --json", "-s scheduled -s retrying"),
        *("queue:{queue}", "task:*_check", "args.order_id=12345", "args.total>29998", "label.tenant:t7", "since:2h"),
        *(
            "error:nothing",
            "key:nobody",
            "worker:web-3",
            "cause:{cause}",
            "attempt>5",
            "state:dead,retrying error:refused",
        ),
    ),
    "jobs show": ("{ready}", "{later}", "{running}", "{ended}", "{dead}", "{dead} --json"),
    "jobs attempts": ("{ended}", "{dead}"),
    "jobs result": ("{ended}",),
    "jobs explain": ("{ready}", "{last}", "{later}", "{running}", "{ended}", "{dead}", "{limited}", "{ready} --json"),
    "jobs cancel": ("queue:{queue} --dry-run",),
    "jobs retry": ("queue:{queue} --dry-run", "cause:{cause} --dry-run", "error:nothing --dry-run"),
    "jobs bury": ("task:{target} --dry-run",),
    "jobs purge": ("error:refused --dry-run",),
    "jobs priority": ("queue:{queue} 7 --dry-run",),
    "dead list": (
        *("", "--json", "-q {queue}", "-t nobody:has", "-q {queue} -t {target}", "--cause {cause}", "error:nothing"),
    ),
    "dead show": ("{dead}", "{dead} --json"),
    "manual list": ("", "--json"),
    "steps": ("{ended}", "{ended} --json"),
    "workflows list": ("", "--json", "-s failed", "-s running --name order*", "-s succeeded", "-s cancelled"),
    "workflows show": ("{workflow}", "{workflow} --io --json"),
    "workflows graph": ("{workflow}", "{workflow} -f svg"),
    "causes list": ("", "--json", "--within 30d"),
    "causes show": ("{cause}", "{cause} --json"),
    "queues list": ("", "--json"),
    "queues show": ("{queue}",),
    "queues explain": ("{queue}", "{paused}", "{queue} --json"),
    "limits list": ("", "--json"),
    "limits show": ("tenant:7", "tenant:* --json"),
    "routes list": ("",),
    "routes test": ("bench.shop:mail_send",),
    "workers list": ("", "-v", "--json"),
    "workers show": ("{worker}",),
    "schedules list": ("", "--json"),
    "schedules show": ("{schedule}",),
    "schedules history": ("{schedule}",),
    "schedules next": ("{schedule}",),
    "tasks list": ("-A bench.shop",),
    "tasks timings": ("", "--since 24h", "--since 90d", "-q {queue}", "--json"),
    "feeds list": ("",),
    "feeds show": ("{feed}",),
    "effects list": ("", "charge:* --json", "--open"),
    "effects show": ("charge:7",),
    "operations list": ("", "--json"),
    "operations show": ("{operation}",),
    "audit list": ("", "--json"),
    "jobs watch": ("{ended} --timeout 1",),
    "jobs logs": ("{ended}", "{ended} --json"),
    "jobs tree": ("{ended}", "{ended} --json"),
    "at": ("03:12", "03:12 --json"),
    "events": ("", "-q {queue} -n 1000 --json"),
    "queues whatif": ("{queue} --slots +8 --pause 10m",),
    "index list": ("",),
    "alerts list": ("", "--all --json"),
    "alerts show": ("{alert}",),
    "alerts channels list": ("",),
    "alerts rules list": ("",),
    "migrate": ("--status",),
    "roles show": ("", "worker --json"),
    "tenants show": ("", "--json"),
}
# Those that change something, run until they are ended, or ask no database of this size.
OTHERS = frozenset(
    {
        *(
            "worker",
            "exporter",
            "dashboard",
            "feed",
            "import",
            "demo",
            "verify",
            "bench",
            "top",
            "index add",
            "index drop",
        ),
        *("db start", "db stop", "db status", "db url"),
        # Those of keys ask for keys of their own; an erasure reads every table whole, and says so.
        *("keys list", "keys new", "keys rotate", "keys status", "erase"),
        *("roles sync", "tenants on", "tenants off", "tenants bind", "tenants unbind", "limits role"),
        *(
            "enqueue",
            "jobs run",
            "jobs run-again",
            "jobs sign",
            "jobs edit",
            "jobs due-now",
            "jobs snooze",
            "dead retry",
            "dead purge",
            "signal",
            "fork",
            "manual show",
            "manual done",
            "manual fail",
        ),
        *(
            "causes mute",
            "causes resolve",
            "causes describe",
            "feeds remove",
            "effects forget",
            "effects done",
            "routes set",
            "routes remove",
        ),
        *("queues limit", "queues pause", "queues resume", "queues notify", "queues set", "queues unset"),
        *("workflows retry", "workflows cancel"),
        *("limits set", "limits remove", "operations stop", "operations resume"),
        *("workers quiet", "workers resume", "workers stop", "workers evict", "workers dump"),
        *("alerts mute", "alerts unmute", "alerts test", "alerts channels add", "alerts channels remove"),
        *("alerts rules set", "alerts rules unset"),
        *("schedules add", "schedules pause", "schedules resume", "schedules remove", "schedules run"),
    }
)
# A route of the dashboard, and its addresses, once each.
PAGES: Mapping[str, tuple[str, ...]] = {
    "/": ("/", "/?range=7d", "/?range=90d"),
    "/queues": ("/queues", "/queues?sort=oldest"),
    "/queue": ("/queue?name={queue}", "/queue?name={queue}&range=90d"),
    "/jobs": (
        *("/jobs", "/jobs?q=queue:{queue}", "/jobs?q=task:{target}", "/jobs?q=task:nobody", "/jobs?limit=200"),
        *(f"/jobs?q=state:{state}" for state in STATES),
        *(f"/jobs?q=state:{state}+queue:{{queue}}" for state in STATES),
        *(f"/jobs?q=state:{state}+task:nobody" for state in STATES),
        *("/jobs?q=args.order_id%3D12345", "/jobs?q=error:nothing", "/jobs?q=key:nobody", "/jobs?q=cause:{cause}"),
        *("/jobs?q=label.tenant:t7", "/jobs?q=worker:web-3", "/jobs?q=since:2h+attempt%3E5"),
    ),
    "/jobs/{id}": (
        "/jobs/{ready}",
        "/jobs/{later}",
        "/jobs/{running}",
        "/jobs/{ended}",
        "/jobs/{dead}",
        "/jobs/{limited}",
    ),
    "/running": ("/running",),
    "/dead": ("/dead", "/dead?queue={queue}", "/dead?target=nobody:has"),
    "/causes": ("/causes",),
    "/causes/{cause}": ("/causes/{cause}",),
    "/workflows": ("/workflows", "/workflows?state=failed", "/workflows?name=order*"),
    "/workflows/{id}": ("/workflows/{workflow}",),
    "/workers": ("/workers",),
    "/worker": ("/worker?id={worker}",),
    "/schedules": ("/schedules",),
    "/schedule": ("/schedule?name={schedule}",),
    "/limits": ("/limits",),
    "/limit": ("/limit?of=key&name=tenant:7", "/limit?of=key&name=tenant:*"),
    "/settings": ("/settings",),
    "/feeds": ("/feeds",),
    "/doctor": ("/doctor",),
    "/operations": ("/operations",),
    "/operations/{number}": ("/operations/{operation}",),
    "/audit": ("/audit",),
    "/at": ("/at", "/at?when=03:12"),
    # As long as there are jobs: nobody waits for its end.
    "/export": (),
    "/metrics": ("/metrics",),
    "/healthz": ("/healthz",),
    "/readyz": ("/readyz",),
}
FILES = "/static/"
# The same for programs, below /api/v1.
API: Mapping[str, tuple[str, ...]] = {
    "/overview": ("/overview",),
    "/past": ("/past", "/past?range=90d", "/past?queue={queue}"),
    "/queues": ("/queues",),
    "/queue": ("/queue?name={queue}",),
    "/queue/explain": ("/queue/explain?name={queue}", "/queue/explain?name={paused}"),
    "/jobs": (
        *("/jobs", "/jobs?queue={queue}", "/jobs?target={target}", "/jobs?target=nobody:has", "/jobs?limit=200"),
        *(f"/jobs?state={state}" for state in STATES),
        *(f"/jobs?state={state}&target=nobody:has" for state in STATES),
    ),
    "/running": ("/running",),
    "/dead": ("/dead", "/dead?queue={queue}", "/dead?cause={cause}", "/dead?target=nobody:has"),
    "/jobs/{id}": ("/jobs/{ready}", "/jobs/{running}", "/jobs/{ended}", "/jobs/{dead}"),
    "/jobs/{id}/attempts": ("/jobs/{dead}/attempts", "/jobs/{ended}/attempts"),
    "/jobs/{id}/logs": ("/jobs/{ended}/logs",),
    "/alerts": ("/alerts", "/alerts?all=true"),
    "/jobs/{id}/explain": ("/jobs/{ready}/explain", "/jobs/{last}/explain", "/jobs/{limited}/explain"),
    "/causes": ("/causes",),
    "/causes/{cause}": ("/causes/{cause}",),
    "/workflows": ("/workflows", "/workflows?state=failed"),
    "/workflows/{id}": ("/workflows/{workflow}",),
    "/workers": ("/workers",),
    "/worker": ("/worker?id={worker}",),
    "/schedules": ("/schedules",),
    "/schedule": ("/schedule?name={schedule}",),
    "/limits": ("/limits",),
    "/limit": ("/limit?of=key&name=tenant:7",),
    "/operations": ("/operations",),
    "/operations/{number}": ("/operations/{operation}",),
    "/audit": ("/audit",),
    "/at": ("/at?when=03:12",),
    "/queue/whatif": ("/queue/whatif?name={queue}&slots=%2B8",),
    "/settings": ("/settings",),
    "/feeds": ("/feeds",),
    "/doctor": ("/doctor",),
}


def commands(found: Mapping[str, Any]) -> Iterator[str]:
    """Each command with its words, where what it asks for is there."""
    for command, ways in COMMANDS.items():
        for words in ways:
            if (said := _filled(words, found)) is not None:
                yield f"{command} {said}".strip()


def addresses(found: Mapping[str, Any]) -> Iterator[str]:
    """The path and query of each page, and of what programs ask, where what it shows is there."""
    escaped = {name: quote(str(value), safe=":*") for name, value in found.items()}
    told = ((f"{BASE}{address}" for address in ways) for ways in API.values())
    for address in chain.from_iterable((*PAGES.values(), *told)):
        if (said := _filled(address, escaped)) is not None:
            yield said


def _filled(words: str, found: Mapping[str, Any]) -> str | None:
    wanted = {name for _, name, _, _ in Formatter().parse(words) if name}
    return words.format(**found) if wanted <= found.keys() else None
