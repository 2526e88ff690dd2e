"""What pgqueue has in the database: its objects as this code wants them, its indexes, and who has which rights."""

from __future__ import annotations

import re

from pgqueue.doctor.patient import Patient, first
from pgqueue.doctor.verdict import Found, Status, fail, listed, ok, warn, worst
from pgqueue.store import arg_indexes, execute, rights
from pgqueue.store import schema as revisions
from pgqueue.store.functions import repeatables, serves
from pgqueue.store.stamp import read_stamp
from pgqueue.store.statement import query

TABLES = [
    "jobs",
    "attempts",
    "results",
    "dead_jobs",
    "workers",
    "queues",
    "cancellations",
    "targets",
    "parked",
    "unique_windows",
    "schedules",
    "ticks",
    "rule_sets",
    "feeds",
    "feed_batches",
    "limits",
    "holds",
    "meters",
    "routes",
    "tallies",
    "depths",
    "worker_reports",
    "causes",
    "duties",
    "operations",
    "audit",
    "revisions",
    "alert_channels",
    "alert_rules",
    "alerts",
    "alert_messages",
    "job_logs",
    "worker_dumps",
    "sensitive",
    "effects",
    "follow_ups",
    "lineage",
    "progress",
    "checkpoints",
    "manual_jobs",
    "steps",
    "signals",
    "waits",
    "abandoned",
    "workflows",
    "nodes",
    "gates",
    "waiting",
    "arrivals",
    "roles",
    "role_limits",
    "tenant_roles",
]
TRIGGERS = ["jobs_new", "jobs_keyed"]


def schema(patient: Patient) -> Found:
    """The revision, functions, views, tables and triggers that this code works with."""
    if not execute(patient.conn, revisions.exists()):
        return fail("this database has no schema pgqueue", "pgqueue migrate")
    revision = execute(patient.conn, revisions.revision()) or ""
    if revision < revisions.OLDEST_REVISION:
        return fail(f"revision {revision}; this code needs {revisions.OLDEST_REVISION}", "pgqueue migrate")
    texts = {name: text for text in repeatables() if (name := _name(text))}
    functions = [name for kind, name in texts if kind == "function"]
    views = [name for kind, name in texts if kind == "view"]
    missing = patient.ask("objects", functions, views, TABLES, TRIGGERS)
    if missing:
        cures = [cure for kind, name in missing for cure in _cure(kind, name, texts)]
        text = "missing: " + listed([f"{kind} {name}" for kind, name in missing])
        cure = 'pgqueue doctor --only schema --fix-sql | psql "$PGQUEUE_DSN"' if cures else "restore them from a backup"
        return Found(Status.FAIL, text, cure, tuple(cures))
    comment = first(patient.ask("comment"))[0]
    if revision > revisions.NEWEST_REVISION:
        return warn(
            f"revision {revision} is newer than this code, which knows {revisions.NEWEST_REVISION}",
            "upgrade pgqueue here",
        )
    if not serves(read_stamp(comment)) or revision < revisions.NEWEST_REVISION:
        return warn(f"revision {revision}; its functions are not those of this code", "pgqueue migrate")
    return ok(f"revision {revision} as the code wants ({len(set(functions))} functions, {len(views)} views)")


def indexes(patient: Patient) -> Found:
    """All indexes, built to their end."""
    rows = patient.ask("indexes")
    wrong = [row for row in rows if row[0] is not None]
    added = execute(patient.conn, arg_indexes.listed())
    if not wrong and (half := [row for row in added if not row.valid]):
        path = half[0].path or half[0].name
        text = f"{listed([row.name for row in half])} of `pgqueue index add` not built to the end: no search uses it"
        return warn(text, f"pgqueue index drop {path}")
    if not wrong:
        count = next(row[1] for row in rows if row[0] is None)
        paths = sorted({row.path for row in added if row.path is not None})
        size = sum(row.bytes for row in added) // 2**20
        more = f"; added for searches: {listed(paths)} ({size} MB)" if paths else ""
        return ok(f"{count} indexes, none missing, none invalid{more}")
    cures = tuple(cure for _, _, cure in wrong)
    return Found(Status.FAIL, listed([f"{name} is {how}" for name, how, _ in wrong]), cures[0], cures)


def grants(patient: Patient) -> Found:
    """Rights that fit together, also for what the last migration brought."""
    if amiss := patient.look(lambda conn: execute(conn, rights.amiss())):
        text = f"the roles of pgqueue have other rights than they should: {listed(amiss)}"
        return Found(Status.FAIL, text, "pgqueue roles sync", ("pgqueue roles sync",))
    lacking = patient.ask("grants")
    if not lacking:
        return ok("roles that may work, enqueue or look may do all of it")
    text = listed([f"{role} may {verb}, but not on {what}" for _, role, verb, what, _ in lacking])
    cures = tuple(row[4] for row in lacking)
    return Found(worst([row[0] for row in lacking]), text, cures[0], cures)


def _name(text: str) -> tuple[str, str] | None:
    found = re.search(r"^create or replace (function|view) pgqueue\.(\w+)", text, re.MULTILINE)
    return (found[1], found[2]) if found else None


def _cure(kind: str, name: str, texts: dict[tuple[str, str], str]) -> list[str]:
    if (text := texts.get((kind, name))) is not None:
        return [f"{text.strip().removesuffix(';')};"]
    if kind == "disabled trigger":
        return [f"alter table pgqueue.jobs enable trigger {name};"]
    if kind == "trigger":
        return [query(f"doctor/{name}").strip()]
    return []
