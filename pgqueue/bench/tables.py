"""What a run found as text: the table of targets, the table of all figures, JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pgqueue.bench.reading import Key, Round, Spread, ratios, spread, values_of
from pgqueue.bench.run import Results
from pgqueue.bench.targets import Verdict

Rows = list[list[str]]
SAID = {True: "met", False: "**not met**", None: "not measured"}


def target_rows(verdicts: Sequence[Verdict]) -> Rows:
    """One row a target: what is wanted, what was reached, how far that went, and whether it is enough."""
    rows = [["target", "wanted", "reached", "min–max", ""]]
    for verdict in verdicts:
        reached = verdict.reached
        rows.append(
            [
                verdict.target.what,
                verdict.target.wanted,
                "" if reached is None else number(reached.median),
                "" if reached is None else _range(reached),
                SAID[verdict.met],
            ]
        )
    return rows


def figure_rows(rounds: Sequence[Round], ceilings: dict[str, str]) -> Rows:
    """One row a figure and subject; the ratio is to the raw ceiling of the same figure."""
    rows = [["figure", "of", "median", "min–max", "ratio to the ceiling"]]
    for key in _keys(rounds):
        found = spread(values_of(rounds, key))
        assert found is not None
        unit = next(each[key].unit for each in rounds if key in each)
        over = ceilings.get(key.figure)
        beside = None if over in (None, key.subject) else spread(ratios(rounds, key, Key(key.figure, str(over))))
        rows.append(
            [
                key.figure,
                key.subject,
                f"{number(found.median)} {unit}".strip(),
                _range(found),
                number(beside.median) if beside else "",
            ]
        )
    return rows


def markdown(rows: Rows) -> str:
    """Rows as a Markdown table, the first of them the head."""
    head, *rest = rows
    rule = ["---", "---", *["---:"] * (len(head) - 2)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rest))


def json_lines(results: Results, at: datetime | None = None) -> Iterator[str]:
    """One line a reading, and one a target."""
    said = {"at": (at or datetime.now(UTC)).isoformat(timespec="seconds"), **asdict(results.machine)}
    course = {"rounds": len(results.rounds), "seconds": round(results.seconds), "command": results.command}
    yield json.dumps({"kind": "run", **said, **course})
    for count, found in enumerate(results.rounds, 1):
        for reading in found.values():
            value = {"figure": reading.key.figure, "of": reading.key.subject, "value": reading.value}
            yield json.dumps({"kind": "reading", "round": count, **value, "unit": reading.unit}, ensure_ascii=False)
    for verdict in results.verdicts:
        reached = None if verdict.reached is None else asdict(verdict.reached)
        target = {"target": verdict.target.what, "wanted": verdict.target.wanted}
        yield json.dumps({"kind": "target", **target, "reached": reached, "met": verdict.met}, ensure_ascii=False)
    for rival in results.rivals:
        yield json.dumps({"kind": "rival", **asdict(rival)}, ensure_ascii=False)
    for name, why in results.missing.items():
        yield json.dumps({"kind": "missing", "measure": name, "why": why}, ensure_ascii=False)


def number(value: float) -> str:
    """Three digits that tell something, or all of those before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _range(found: Spread) -> str:
    return f"{number(found.lowest)}–{number(found.highest)}"


def _keys(rounds: Sequence[Round]) -> list[Key]:
    """Every figure once, those of one name together, in the order of their first appearance."""
    keys = dict.fromkeys(key for found in rounds for key in found)
    names = list(dict.fromkeys(key.figure for key in keys))
    return sorted(keys, key=lambda key: names.index(key.figure))
