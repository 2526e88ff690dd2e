"""absurd: `python absurd_.py DSN JOBS STEPS PROCESSES CLAIM`; prints the seconds from the first start to the last end.

Settings: processes, each with a connection and one task at a time, and how many tasks each claims at once. Threads of
one process share its one connection.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import absurdctl
import psycopg
from absurd_sdk import Absurd

QUEUE = "bench"
ENDED = f"select count(*), extract(epoch from max(completed_at) - min(started_at))::float8 from absurd.r_{QUEUE}"


def client(dsn: str) -> Absurd:
    """One with the function of so many steps."""
    made = Absurd(dsn, queue_name=QUEUE)

    @made.register_task(name="steps")
    def steps(params: dict[str, int], ctx: object) -> int:
        return sum(ctx.step(f"step {n}", lambda n=n: n) for n in range(params["steps"]))  # type: ignore[attr-defined]

    return made


def main(dsn: str, jobs: int, steps: int, processes: int, claim: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("drop schema if exists absurd cascade")
        conn.execute(absurdctl.BUNDLED_SCHEMA_SQL.encode())
        own = client(dsn)
        own.create_queue(QUEUE)
        for _ in range(jobs):
            own.spawn("steps", {"steps": steps})
        conn.execute("vacuum analyze")
        command = [sys.executable, __file__, "work", dsn, str(claim)]
        workers = [subprocess.Popen(command) for _ in range(processes)]
        try:
            while True:
                state = f"select count(*) from absurd.t_{QUEUE} where state <> 'completed'"
                if conn.execute(state.encode()).fetchone() == (0,):
                    break
                time.sleep(0.1)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        count, seconds = conn.execute(ENDED.encode()).fetchone() or (0, 0.0)
    assert count == jobs, f"{count} of {jobs}"
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    if sys.argv[1] == "work":
        client(sys.argv[2]).start_worker(batch_size=int(sys.argv[3]), poll_interval=0.01)
    else:
        main(sys.argv[1], *map(int, sys.argv[2:]))
