"""The report: what was run, what happened, and the verdict, as lines for people or as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pgqueue.verify.checks import Violation, rules
from pgqueue.verify.states import States

# How many are shown one by one.
MOST_SHOWN = 12


class Verdict(StrEnum):
    """What a run has shown."""

    HELD = "held"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"  # nothing was violated, but not every danger occurred
    REFUSED = "refused"  # the checker could not prove itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run. `untrusted` is what the checker failed to find, or found where it was not, in planted sabotage."""

    seed: int
    minutes: float
    server: str
    plant: str | None
    sabotages: int
    untrusted: list[str]
    jobs: dict[str, int]
    attempts: int
    states: States | None
    violations: list[Violation]
    deadlocks: int
    surprises: list[str]
    log_asked_for: dict[str, int]
    log_others: list[str]

    @property
    def verdict(self) -> Verdict:
        """Violations count even in a run that was too short to count for anything else."""
        if self.untrusted:
            return Verdict.REFUSED
        if self.violations or self.deadlocks or self.surprises or self.log_others:
            return Verdict.VIOLATED
        if self.states is None or self.states.missing:
            return Verdict.INCONCLUSIVE
        return Verdict.HELD


def lines(report: Report) -> Iterator[str]:
    """The report for people."""
    if report.untrusted:
        yield "The checker could not prove itself, so nothing is judged:"
        yield from _shown(report.untrusted)
    else:
        yield f"The checker found each of {report.sabotages} planted sabotages, and nothing else."
        yield from _course(report)
        yield from _books(report)
    yield ""
    yield f"Verdict: {_sentence(report)}"


def _course(report: Report) -> Iterator[str]:
    yield ""
    ends = ", ".join(f"{count:,} {state}" for state, count in sorted(report.jobs.items(), key=lambda each: -each[1]))
    yield f"{sum(report.jobs.values()):,} jobs ({ends}) in {report.attempts:,} attempts"
    if report.states is not None:
        yield ""
        yield "Faults"
        yield from (_row(name, count) for name, count in report.states.faults.items())
        yield ""
        yield "Dangerous states"
        yield from (_row(name, count) for name, count in report.states.states.items())
    if report.log_asked_for:
        yield ""
        yield "Errors in the server's log that the faults asked for"
        yield from (_row(name, count) for name, count in report.log_asked_for.items())


def _books(report: Report) -> Iterator[str]:
    yield ""
    yield "The checks"
    for rule in rules():
        found = [violation for violation in report.violations if violation.rule == rule.name]
        yield _row(rule.meaning.partition(":")[0].partition(",")[0].rstrip(".").lower(), len(found))
        yield from _shown([f"{violation.job_id or ''} {violation.detail}".strip() for violation in found])
    yield _row("deadlocks", report.deadlocks)
    yield _row("workers that ended by surprise", len(report.surprises))
    yield from _shown(report.surprises)
    yield _row("errors in the server's log that nothing asked for", len(report.log_others))
    yield from _shown(report.log_others)


def _sentence(report: Report) -> str:
    match report.verdict:
        case Verdict.HELD:
            return "held. Every danger occurred, and every promise was kept."
        case Verdict.VIOLATED:
            names = sorted({violation.rule for violation in report.violations})
            return f"violated ({', '.join(names) or 'see above'}). Repeat it with --seed {report.seed}."
        case Verdict.REFUSED:
            return "refused. This is a bug of the verifier."
        case _:
            missing = ", ".join(report.states.missing) if report.states else "all of it"
            return f"inconclusive. Nothing was violated, but these never occurred: {missing}. Give it more --minutes."


def _row(name: str, count: int) -> str:
    return f"  {name:<54}{count:>7,}"


def _shown(details: list[str]) -> Iterator[str]:
    for detail in details[:MOST_SHOWN]:
        yield f"      {detail}"
    if len(details) > MOST_SHOWN:
        yield f"      and {len(details) - MOST_SHOWN:,} more"
