"""Enqueue measured: one by one by several clients at once, also while a worker listens, and in bulk.

Beside it psycopg's own prepared insert, pgbench and COPY.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from pgqueue.bench.bare_enqueue import NOOP
from pgqueue.bench.idle_workers import EXECUTORS, idle_workers
from pgqueue.bench.program import Answer, ask_client, clients
from pgqueue.bench.reading import Key, Measure, Reading
from pgqueue.bench.site import Site
from pgqueue.errors import PgqueueError

CLIENTS = (1, 2, 8)
HEARD = "enqueue, 1 client, a worker listening"
# The target comes as the column's default: pgbench takes what follows a colon for a variable of its own.
INSERT = "insert into public.bench_jobs (id, args) values (gen_random_uuid(), '[1]');\n"


def measures(site: Site) -> list[Measure]:
    """Those of enqueue, each ceiling beside ours."""
    found = []
    for number in CLIENTS:
        found += [
            Measure(f"enqueue-{number}/pgbench", lambda site, n=number: _pgbench(site, n)),  # type: ignore[misc]  # bound early
            Measure(f"enqueue-{number}/psycopg", lambda site, n=number: _bare_inserts(site, n)),  # type: ignore[misc]  # bound early
            Measure(f"enqueue-{number}/pgqueue", lambda site, n=number: _one_by_one(site, n)),  # type: ignore[misc]  # bound early
        ]
    found += [
        Measure(f"enqueue-heard/{executor}", lambda site, x=executor: _heard(site, x))  # type: ignore[misc]  # bound early
        for executor in EXECUTORS
    ]
    if site.sizes.bulk:
        found += [Measure("bulk/COPY", _copy), Measure("bulk/pgqueue", _bulk)]
    return found


def figure(number: int) -> str:
    """The name of the figure for so many clients."""
    return f"enqueue, {number} client{'s' if number > 1 else ''}"


def rate(key: Key, answer: Answer) -> Reading:
    """Jobs a second."""
    return Reading(key, "/s", answer["count"] / answer["seconds"])


def _one_by_one(site: Site, number: int) -> list[Reading]:
    return [rate(Key(figure(number), "pgqueue"), _together(site, number, "open", "enqueue_one"))]


def _bare_inserts(site: Site, number: int) -> list[Reading]:
    return [rate(Key(figure(number), "psycopg"), _together(site, number, "open_bare", "insert_one"))]


def _heard(site: Site, executor: str) -> list[Reading]:
    """One client, while an idle worker listens, is notified, and does each job."""
    with idle_workers(site, executor):
        return [rate(Key(HEARD, executor), _together(site, 1, "open", "enqueue_one"))]


def _together(site: Site, number: int, opening: str, what: str) -> Answer:
    """What so many clients did at once, each after its warm-up."""
    seconds = site.sizes.enqueue_seconds
    with clients(number) as running:
        for client in running:
            client.ask(do=opening, dsn=site.dsn)
        for client in running:
            client.tell(do=what, seconds=seconds)
        answers = [client.answer(seconds + 60) for client in running]
    return {"count": sum(each["count"] for each in answers), "seconds": max(each["seconds"] for each in answers)}


def _bulk(site: Site) -> list[Reading]:
    return [rate(Key("bulk", "pgqueue"), ask_client(do="enqueue_bulk", dsn=site.dsn, count=site.sizes.bulk))]


def _copy(site: Site) -> list[Reading]:
    return [rate(Key("bulk", "COPY"), ask_client(do="copy", dsn=site.dsn, count=site.sizes.bulk))]


def _pgbench(site: Site, number: int) -> list[Reading]:
    """pgbench with bare prepared inserts into a table with the columns and indexes of `jobs`, durable as ours."""
    command = pgbench_command(site)
    with site.connect() as conn:
        conn.execute("drop table if exists public.bench_jobs")
        conn.execute("create table public.bench_jobs (like pgqueue.jobs including all)")
        conn.execute(f"alter table public.bench_jobs alter target set default '{NOOP}'")
    with tempfile.NamedTemporaryFile("w", prefix="pgqueue-bench-", suffix=".sql") as script:
        script.write(INSERT)
        script.flush()
        seconds = max(1, round(site.sizes.enqueue_seconds))
        options = ["-n", "-M", "prepared", "-c", number, "-j", min(number, 2), "-T", seconds, "-f", script.name]
        # The whole libpq string is the database name; a password would be seen in the list of processes.
        words = conninfo_to_dict(site.dsn)
        password = str(words.pop("password", "") or "")
        dsn = " ".join(f"{name}='{value}'" for name, value in words.items())
        said = subprocess.run(
            [str(word) for word in (command, *options, dsn)],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **({"PGPASSWORD": password} if password else {})},
        )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if said.returncode or found is None:
        raise PgqueueError(f"pgbench failed: {said.stderr.strip()[-300:]}")
    with site.connect() as conn:
        conn.execute("drop table public.bench_jobs")
    return [Reading(Key(figure(number), "pgbench"), "/s", float(found[1]))]


def pgbench_command(site: Site) -> Path:
    """Where pgbench is. Raises PgqueueError where there is none."""
    beside = site.programs / "pgbench" if site.programs else None
    if beside is not None and beside.exists():
        return beside
    if on_path := shutil.which("pgbench"):
        return Path(on_path)
    where = f"neither in {site.programs} nor on PATH" if site.programs else "not on PATH"
    raise PgqueueError(f"pgbench is {where}: install it (Debian: apt install postgresql-contrib) for this ceiling")
