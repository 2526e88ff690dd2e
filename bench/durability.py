"""What each synchronous_commit costs an enqueue, beside a synchronous standby: `python -m bench.durability`.

Every measure is compared with `on` and no standby, each by its best round: what else the machine does only ever slows
one down. Rounds are short and interleaved. Both servers share one machine and disk, so that the network costs nothing
here and the disk counts twice.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

import psycopg

from pgqueue.bench.client import enqueue_singly
from pgqueue.migrate import migrate
from tests.faults.standby import Pair, pair

ROUNDS, JOBS = 12, 60
LEVELS = ("on", "remote_apply", "remote_write", "local", "off")


def main() -> None:
    rates: dict[str, list[float]] = {}
    # On the disk, not in memory: it is the disk that is waited for.
    with tempfile.TemporaryDirectory(prefix="pgqueue-bench-", dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        folder.chmod(0o711)
        with pair(folder) as servers:
            dsn = servers.primary.dsn(tcp=True)
            migrate(dsn)
            for number in range(1, ROUNDS + 1):
                print(f"round {number} of {ROUNDS}", flush=True)
                servers.commit_alone()
                rates.setdefault("on, no synchronous standby", []).append(_rate(servers, dsn, "on"))
                servers.commit_on_both()
                for level in LEVELS:
                    rates.setdefault(level, []).append(_rate(servers, dsn, level))
    alone = max(rates["on, no synchronous standby"])
    for name, found in rates.items():
        best = max(found)
        print(f"{name:27} {best:8,.0f} /s  {best / alone:5.2f}  (median {statistics.median(found):,.0f})")


def _rate(servers: Pair, dsn: str, level: str) -> float:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("truncate pgqueue.jobs")
    done = enqueue_singly(f"{dsn} options='-c synchronous_commit={level}'", JOBS)
    return float(done["count"] / done["seconds"])


if __name__ == "__main__":
    main()
