"""All points of all scenarios, or of those named: `python -m tests.enumerator ["transactional job" ...]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.enumerator.company import assembled_alone
from tests.enumerator.enumeration import enumerate_scenario
from tests.enumerator.scenarios import SCENARIOS, named

COLUMNS = "{:<28} {:>9} {:>7} {:>10} {:>11} {:>8}"


def main(names: Sequence[str]) -> int:
    began = time.monotonic()
    reports = []
    print(COLUMNS.format("scenario", "requests", "points", "unreached", "violations", "seconds"), flush=True)
    with assembled_alone() as company:
        for scenario in [named(name) for name in names] or SCENARIOS:
            report = enumerate_scenario(scenario, company)
            reports.append(report)
            row = report.requests, report.points, len(report.unreached), len(report.violations), f"{report.seconds:.1f}"
            print(COLUMNS.format(report.scenario, *row), flush=True)
            for point in report.unreached:
                print(f"  not reached: {point}")
            for violation in report.violations:
                print(f"  {violation}", flush=True)
    totals = (
        sum(report.requests for report in reports),
        sum(report.points for report in reports),
        sum(len(report.unreached) for report in reports),
        sum(len(report.violations) for report in reports),
    )
    print(COLUMNS.format("in all", *totals, f"{time.monotonic() - began:.1f}"))
    return 1 if totals[-1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
