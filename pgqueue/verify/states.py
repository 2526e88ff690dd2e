"""The dangerous states: how often each occurred in a run. One that did not occur was not verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from pgqueue.verify.schedule import OF_THE_SERVER, Kind
from pgqueue.verify.tally import Tally

Conn = psycopg.Connection[Any]

# Counted in the tables.
QUERIES = {
    "attempts lost with their worker": "select count(*) from pgqueue.attempts where outcome in ('lost', 'late')",
    "attempts crashed with their child": "select count(*) from pgqueue.attempts where outcome = 'crashed'",
    "leases that expired and were reaped": (
        "select count(*) from verify.leases where change = 'DELETE' and before <= at"
    ),
    "late settlements, refused": "select count(*) from verify.judged where late",
    "late successes, while another ran the job": (
        "select count(*) from verify.judged where late and ran and outcome = 'succeeded'"
    ),
    "late failures, while another ran the job": (
        "select count(*) from verify.judged where late and ran and outcome = 'failed'"
    ),
    "repeated settlements, acknowledged": "select count(*) from verify.judged where not late",
    "attempts overlapping across an expired lease": (
        "select count(*) from verify.starts as second where exists ("
        " select from verify.ends as sign where sign.job_id = second.job_id and sign.claim < second.claim"
        " and sign.at > second.at)"
    ),
    "transactional jobs ended between effect and commit": (
        "select count(*) from verify.ends as sign where sign.what = 'wrote' and not exists ("
        " select from verify.effects as effect where effect.job_id = sign.job_id and effect.claim = sign.claim)"
    ),
    "attempts past their timeout": "select count(*) from pgqueue.attempts where outcome = 'timeout'",
    "lost attempts of jobs that run at most once": (
        "select count(*) from pgqueue.attempts as attempt"
        " where attempt.outcome in ('lost', 'late', 'crashed') and exists ("
        " select from verify.asked as asked where asked.job_id = attempt.job_id and asked.kind = 'once')"
    ),
    "requests that found a job waiting until its start": (
        "select count(*) from verify.asked as asked where asked.until_start and not asked.created and not asked.again"
    ),
    "limits that were reached": "select count(*) from verify.shares where running = most",
    "attempts lost that had a share of a limit": (
        "select count(*) from pgqueue.attempts as attempt where attempt.outcome in ('lost', 'late') and exists ("
        " select from verify.shares as share where share.job_id = attempt.job_id and share.claim = attempt.claim)"
    ),
    "rates that were used up": (
        "select count(*) from verify.metered as begun where begun.starts = ("
        " select count(*) from verify.metered as before where before.name = begun.name"
        " and before.at > begun.at - begun.period * interval '1 s' and before.at <= begun.at)"
    ),
    "jobs past their ttl, never started": "select count(*) from pgqueue.dead_jobs where reason = 'expired'",
}
# Counted as they happened.
TALLIED = (
    "stopped workers that woke while another ran their job",
    "half-open links",
    "COMMITs cut off",
    "COMMITs cut off that had happened",
    "COMMITs cut off that had not",
    "transactions rolled back",
    "savepoints rolled back",
    "unique keys that were taken",
    "waiting jobs cancelled by hand",
    "running jobs cancelled by hand",
    "dead jobs revived by hand",
    "limits changed by hand",
    "shares held by code outside of jobs",
    "shares refused to code outside of jobs",
)


@dataclass(frozen=True, slots=True)
class States:
    """How often each fault was done, and how often each state occurred."""

    faults: dict[str, int]
    states: dict[str, int]

    @property
    def missing(self) -> list[str]:
        """What never occurred."""
        return [name for counts in (self.faults, self.states) for name, count in counts.items() if not count]


def count_states(conn: Conn, tally: Tally, *, owns_server: bool) -> States:
    """Count them in the tables and in the tally."""
    kinds = [kind for kind in Kind if owns_server or kind not in OF_THE_SERVER]
    counted = {name: _one(conn, query) for name, query in QUERIES.items()}
    return States({str(kind): tally[kind] for kind in kinds}, counted | {name: tally[name] for name in TALLIED})


def _one(conn: Conn, query: str) -> int:
    (count,) = conn.execute(query.encode()).fetchone() or (0,)
    return int(count)
