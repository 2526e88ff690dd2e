"""`python -m bench.keyed_profile`: where the server's time of keyed jobs goes, by function, in microseconds a job.

One worker's calls in one loop, without running anything: 100,000 jobs of 1,000 keys, five at once of each. The figures
are PostgreSQL's own (`track_functions`), so a busy machine stretches them; their shares stay.
"""

from __future__ import annotations

import psycopg

import pgqueue
from pgqueue.bench import server
from pgqueue.bench.claiming import NOOP
from pgqueue.bench.keyed_claims import KeyedClaimant
from pgqueue.migrate import migrate

KEYS, JOBS, AT_ONCE, BATCH = 1000, 100_000, 5, 900
PORTION = 10_000
# What pg_stat_user_functions knows lags behind.
FLUSH = "select pg_stat_force_next_flush()"
SPENT = """
select funcname, calls, 1000 * total_time / %(jobs)s, 1000 * self_time / %(jobs)s
from pg_stat_user_functions where schemaname = 'pgqueue' and 1000 * self_time / %(jobs)s >= 0.05
order by self_time desc
"""


def main() -> None:
    """Measure, and print a table."""
    settings = {**server.SETTINGS, "track_functions": "all"}
    with server.durable_server(settings) as running:
        dsn = running.dsn()
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            _fill(conn)
            claimant = KeyedClaimant(dsn)
            claimant.step(BATCH)
            conn.execute("select pg_stat_reset()")
            jobs = _work_off(claimant)
            claimant.conn.execute(FLUSH)
            print(f"{'function':<20}{'calls':>8}{'us a job':>12}{'its own':>10}")
            for name, calls, total, own in conn.execute(SPENT, {"jobs": jobs}):
                print(f"{name:<20}{calls:>8,}{total:>12.1f}{own:>10.1f}")


def _fill(conn: psycopg.Connection[object]) -> None:
    pgqueue.set_limit(conn, "key", "bench-*", concurrency=AT_ONCE)
    for begin in range(0, JOBS, PORTION):
        new = [pgqueue.NewJob(NOOP, limit_key=f"bench-{n % KEYS}") for n in range(begin, begin + PORTION)]
        pgqueue.enqueue_many(conn, new)
    conn.execute("vacuum analyze")


def _work_off(claimant: KeyedClaimant) -> int:
    jobs = claimant.held
    while True:
        claimant.step(BATCH)
        if not claimant.held:
            return jobs
        jobs += claimant.held


if __name__ == "__main__":
    main()
