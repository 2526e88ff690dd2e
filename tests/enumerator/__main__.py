"""All points of all scenarios, or of those named: `python -m tests.enumerator ["transactional job" ...]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.enumerator.bringing_scenarios import BRINGING_SCENARIOS
from tests.enumerator.company import assembled_alone
from tests.enumerator.durable_scenarios import DURABLE_SCENARIOS
from tests.enumerator.enumeration import Report, enumerate_scenario
from tests.enumerator.fallback_scenarios import FALLBACK_SCENARIOS
from tests.enumerator.flowing_scenarios import FLOWING_SCENARIOS
from tests.enumerator.keyed_scenarios import KEYED_SCENARIOS
from tests.enumerator.long_scenarios import LONG_SCENARIOS
from tests.enumerator.once_scenarios import ONCE_SCENARIOS
from tests.enumerator.scenarios import SCENARIOS

COLUMNS = "{:<28} {:>9} {:>7} {:>10} {:>9} {:>11} {:>8}"
HEADINGS = ("scenario", "requests", "points", "unreached", "replayed", "violations", "seconds")


def main(names: Sequence[str]) -> int:
    began = time.monotonic()
    known = (
        *SCENARIOS,
        *KEYED_SCENARIOS,
        *ONCE_SCENARIOS,
        *BRINGING_SCENARIOS,
        *LONG_SCENARIOS,
        *FALLBACK_SCENARIOS,
        *FLOWING_SCENARIOS,
        *DURABLE_SCENARIOS,
    )
    chosen = [next(each for each in known if each.name == name) for name in names] or known
    reports = []
    print(COLUMNS.format(*HEADINGS), flush=True)
    with assembled_alone() as company:
        for scenario in chosen:
            reports.append(enumerate_scenario(scenario, company))
            _print_report(reports[-1])
        deadlocks = company.deadlocks()
    print(
        COLUMNS.format("in all", *map(sum, zip(*map(_counts, reports), strict=True)), f"{time.monotonic() - began:.1f}")
    )
    print(f"deadlocks: {deadlocks}")
    return 1 if deadlocks or any(report.faults for report in reports) else 0


def _print_report(report: Report) -> None:
    print(COLUMNS.format(report.scenario, *_counts(report), f"{report.seconds:.1f}"))
    for heading, lines in (("not reached", report.unreached), ("replayed", report.replayed)):
        for line in lines:
            print(f"  {heading}: {line}")
    for fault in report.faults:
        print(f"  {fault}")
    sys.stdout.flush()


def _counts(report: Report) -> tuple[int, int, int, int, int]:
    return (
        report.requests,
        report.points,
        len(report.unreached),
        len(report.replayed),
        len(report.violations),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
