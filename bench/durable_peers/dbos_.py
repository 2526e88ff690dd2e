"""DBOS: `python dbos_.py DSN JOBS STEPS THREADS PROCESSES`; prints the seconds from the first start to the last end.

Workflows are started directly, not through a queue, which only adds to that: their starts are in the seconds. Settings:
the threads, with a pool of as many connections; and processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from dbos import DBOS, DBOSConfig


@DBOS.step()
def step(n: int) -> int:
    """Nothing, as the others."""
    return n


@DBOS.workflow()
def steps(count: int) -> int:
    """So many of them."""
    return sum(step(n) for n in range(count))


def work(dsn: str, jobs: int, count: int, threads: int) -> None:
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": dsn,
        "sys_db_pool_size": threads + 2,
        "max_executor_threads": threads,
        "log_level": "ERROR",
        "executor_id": f"bench-{time.monotonic_ns()}",
    }
    DBOS(config=config)
    DBOS.launch()
    DBOS.start_workflow(steps, 1).get_result()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.time()
    handles = [DBOS.start_workflow(steps, count) for _ in range(jobs)]
    for handle in handles:
        handle.get_result()
    print(json.dumps({"began": began, "ended": time.time()}), flush=True)
    DBOS.destroy()


def main(dsn: str, jobs: int, count: int, threads: int, processes: int) -> None:
    command = [sys.executable, __file__, "work", dsn, str(jobs // processes), str(count), str(threads)]
    workers = []
    for _ in range(processes):
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        while worker.stdout.readline() != "ready\n":
            assert worker.poll() is None, "a worker did not start"
        workers.append(worker)
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    said = [json.loads(worker.communicate(timeout=600)[0].splitlines()[0]) for worker in workers]
    print(json.dumps({"seconds": max(each["ended"] for each in said) - min(each["began"] for each in said)}))


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main(sys.argv[1], *map(int, sys.argv[2:]))
