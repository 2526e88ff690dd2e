"""The server's log: every error in it that the faults did not ask for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Time, process, code, database and application stand before each line.
LOG_SETTINGS = {
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    "log_line_prefix": "%m [%p] %e %q%d %a | ",
}
LINE = re.compile(r"^\S+ \S+ \S+ \[\d+\] (?P<code>[0-9A-Z]{5}) .*?(?P<level>ERROR|FATAL|PANIC):  (?P<text>.*)$")

# What the faults ask for: backends terminated and servers stopped; links that end in the middle; and waits that
# pgqueue itself limits.
ASKED_FOR = {
    "57P01": "terminated by administrator command",
    "57P02": "terminated by the crash of another backend",
    "57P03": "the server was starting up or shutting down",
    "08003": "connection lost",
    "08006": "connection lost",
    "08P01": "connection lost in the middle of a message",
    "57014": "statements cancelled by a limit of their own",
    "55P03": "waits for a lock ended by a limit of their own",
    "40001": "repeated enqueues that met the end of their job",
}


@dataclass(frozen=True, slots=True)
class Log:
    """What the log holds: counts of what was asked for, and every other line."""

    asked_for: Counter[str]
    others: list[str]


def read_log(paths: Iterable[Path]) -> Log:
    """Judge every line of these files."""
    log = Log(Counter(), [])
    for path in paths:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if found := LINE.match(line):
                reason = ASKED_FOR.get(found["code"])
                if reason is None:
                    log.others.append(line)
                else:
                    log.asked_for[reason] += 1
            elif re.search(r"\b(PANIC|FATAL|ERROR):  ", line):
                # In whatever form: nothing passes unseen.
                log.others.append(line)
    return log
