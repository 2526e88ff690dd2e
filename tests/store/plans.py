"""What statements read: the plans of everything that runs inside an act, and the rows that their scans touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

Plan = dict[str, Any]
# The tables that grow with the work.
LARGE = frozenset({"jobs", "attempts", "dead_jobs", "waiting"})
_LOGGED = re.compile(r" LOG:  duration: [0-9.]+ ms  plan:\n((?:\t.*\n)+)")


def plans_of(conn: psycopg.Connection[Any], act: Callable[[], Any]) -> list[Plan]:
    """Run something on `conn`, and answer the plans of all statements inside of it, functions' own included."""
    heard: list[str] = []
    hear = lambda notice: heard.append(notice.message_primary or "")  # noqa: E731
    conn.add_notice_handler(hear)
    conn.execute(
        "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on;"
        "set auto_explain.log_buffers = on; set auto_explain.log_timing = off; set auto_explain.log_format = json;"
        "set auto_explain.log_nested_statements = on; set client_min_messages = log"
    )
    heard.clear()
    act()
    conn.execute("set auto_explain.log_min_duration = -1; set client_min_messages = notice")
    conn.remove_notice_handler(hear)
    return [json.loads(text[text.index("{") :])["Plan"] for text in heard if "plan:" in text]


def read_logged(text: str) -> list[Plan]:
    """The plans that auto_explain wrote into a server's log, as JSON."""
    return [json.loads(found[1])["Plan"] for found in _LOGGED.finditer(text)]


def scans(plans: list[Plan]) -> list[Plan]:
    """The nodes that read one of the large tables, and did."""
    return [
        node
        for plan in plans
        for node in nodes(plan)
        if node.get("Relation Name") in LARGE and node["Actual Loops"] and "Scan" in node["Node Type"]
    ]


def rows_read(plans: list[Plan]) -> float:
    """How many rows of the large tables were read, kept or not."""
    return sum(map(rows_of, scans(plans)))


def rows_of(scan: Plan) -> float:
    """How many rows a scan read."""
    read = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return float(sum(scan.get(name, 0) for name in read) * scan["Actual Loops"])


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
