"""`python -m bench.looking`: how long all takes that looks at a month of history, in four states of its database.

Every command that reads, in one process, so that what a process takes to start stands apart; every page, over HTTP, of
a dashboard in a process of its own. Each is asked once a round, all one after another. Marked is what takes more than
300 ms in the middle or 1 s at p95. What a page remembers of a minute ago it remembers here too: `first` is without.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import psycopg

from bench import history
from bench.asking import Browser, dashboard, seconds_of_command, seconds_to_start
from bench.month.found import found
from bench.questions import addresses, commands
from bench.states import STATES, copied
from pgqueue.bench.processes import cpu_seconds
from pgqueue.bench.reading import quantile
from pgqueue.embedded import Server
from pgqueue.errors import PgqueueError

MIDDLE, SLOWEST = 0.3, 1.0
ROUNDS = 20
STARTS = 5

Ask = Callable[[], float]


def main() -> None:
    """Measure, and print a table a state; what is too slow ends it with code 1."""
    options = argparse.ArgumentParser(prog="python -m bench.looking", description=__doc__)
    history.add_options(options)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--only", action="append", default=[], metavar="TEXT", help="questions with this in them")
    options.add_argument("--state", action="append", default=[], choices=list(STATES), help="in this state alone")
    options.add_argument("--out", type=Path, help="a file of JSON lines")
    options.add_argument("--all", action="store_true", help="print every question, not the slowest alone")
    given = options.parse_args()
    print(f"a process starts in {median(seconds_to_start() for _ in range(STARTS)) * 1000:.0f} ms")
    slow = 0
    with history.opened(given.at, given.scale, given.seed, print) as server, copied(server) as dsn:
        for name, state in STATES.items():
            if name not in (given.state or STATES):
                continue
            with state(dsn):
                answers = Answers(server)
                answers.measure(dsn, given.rounds, given.only)
            slow += answers.show(name, whole=given.all)
            if given.out:
                with given.out.open("a") as out:
                    out.writelines(f"{json.dumps({'state': name, **each})}\n" for each in answers.rows())
    sys.exit(1 if slow else 0)


class Answers:
    """How long each question took in each round, and what failed."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._taken: dict[str, list[float]] = {}
        self._worked: dict[str, list[float]] = {}
        self._failed: dict[str, str] = {}

    def measure(self, dsn: str, rounds: int, only: list[str]) -> None:
        """Ask everything once a round."""
        with dashboard(dsn) as (port, pid):
            browser = Browser(port)
            for _ in range(rounds):
                # Anew: jobs end meanwhile.
                with psycopg.connect(dsn, autocommit=True) as conn:
                    there = found(conn)
                for words in commands(there):
                    if any(part in words for part in only) or not only:
                        self._ask(f"pgqueue {_shape(words, there)}", lambda: seconds_of_command(words, dsn), None)  # noqa: B023
                for address in addresses(there):
                    if any(part in address for part in only) or not only:
                        self._ask(_shape(address, there), lambda: browser.seconds_of(address), pid)  # noqa: B023

    def _ask(self, name: str, ask: Ask, answering: int | None) -> None:
        pids = [pid for pid in (self._server.pid, answering) if pid is not None]
        before = cpu_seconds(pids)
        try:
            self._taken.setdefault(name, []).append(ask())
        except PgqueueError as error:
            self._failed[name] = str(error)
        after = cpu_seconds(pids)
        if before is not None and after is not None:
            self._worked.setdefault(name, []).append(after - before)

    def rows(self) -> Iterator[dict[str, object]]:
        """Each question with its figures, milliseconds, the slowest first."""
        for name, taken in sorted(self._taken.items(), key=lambda each: -median(each[1] or [0])):
            if taken:
                worked = self._worked.get(name) or [0.0]
                yield {
                    "question": name,
                    "p50": round(1000 * median(taken), 1),
                    "p95": round(1000 * quantile(taken, 0.95), 1),
                    "first": round(1000 * taken[0], 1),
                    "cpu": round(1000 * sum(worked) / len(worked), 1),
                    "slow": median(taken) > MIDDLE or quantile(taken, 0.95) > SLOWEST,
                }

    def show(self, state: str, *, whole: bool) -> int:
        """Print them; answers how many are too slow, or failed."""
        rows = list(self.rows())
        slow = [row for row in rows if row["slow"]]
        print(f"\n{state}: {len(rows)} questions, {len(slow)} too slow, {len(self._failed)} failed")
        print(f"{'p50 ms':>9}{'p95':>9}{'first':>9}{'cpu':>9}")
        for row in rows if whole else [*slow, *[row for row in rows if not row["slow"]][:15]]:
            mark = "  << " if row["slow"] else "     "
            print("".join(f"{row[name]:>9}" for name in ("p50", "p95", "first", "cpu")) + mark + str(row["question"]))
        for name, why in self._failed.items():
            print(f"failed: {name}: {why}")
        return len(slow) + len(self._failed)


def _shape(words: str, there: dict[str, object]) -> str:
    """The same name in each round, whichever job it is about."""
    for name, value in there.items():
        if name not in ("queue", "target", "paused"):
            words = words.replace(str(value), f"{{{name}}}") if len(str(value)) > 4 else words
    return words


if __name__ == "__main__":
    main()
