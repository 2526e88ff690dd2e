"""What is counted over time, and what jobs fail of."""

from __future__ import annotations

from pgqueue.doctor.patient import Patient, first
from pgqueue.doctor.verdict import Found, Status, fail, lasting, listed, ok, warn
from pgqueue.store import alerts as told
from pgqueue.store import execute

# Failed attempts of a new cause within an hour, if it has not made a job dead yet.
FAILURES = 10
# Seconds: a chore that nobody has done yet is as if of the year 2000.
NEVER = 20 * 365 * 86_400.0


def causes(patient: Patient) -> Found:
    """Nothing fails for a new reason, or for one that was resolved."""
    rows = patient.ask("causes", FAILURES)
    if not rows:
        return ok("jobs fail of nothing new within the last hour")
    told = [
        f"{cause} {what} in {target}, {state}: {failures:,} failures, {dead:,} dead"
        for cause, state, target, what, failures, dead in rows
    ]
    cause, state, *_ = rows[0]
    known = "resolve" if state == "regression" else "mute"
    return warn(listed(told), f"pgqueue causes show {cause}; once it is known: pgqueue causes {known} {cause}")


def alerts(patient: Patient) -> Found:
    """Somebody can be told what is wrong, if anybody is to be; and what is, they were told."""
    channels, wrong, failing, is_served = execute(patient.conn, told.standing())
    if not channels:
        return ok("nobody is to be told what is wrong: there is no channel")
    if not is_served:
        text = "no live worker serves the queue pgqueue.alerts: nobody is told anything"
        return fail(text, "pgqueue worker -A pgqueue.alerts -Q pgqueue.alerts, beside the others")
    if failing:
        return fail(
            f"{failing:,} message{'s' * (failing != 1)} could not be sent so far",
            "pgqueue alerts test; alerts show KEY",
        )
    if wrong:
        many = f"{wrong:,} alerts are open" if wrong != 1 else "1 alert is open"
        return warn(many, "pgqueue alerts list")
    return ok(f"nothing is wrong that the {channels} channel{'s' * (channels != 1)} would be told of")


def tallies_lag(patient: Patient) -> Found:
    """Workers tell in time what they have counted, and somebody adds it up."""
    late, depths, unmerged, live = first(patient.ask("tallies_lag", patient.bounds.tallies))
    most = patient.bounds.tallies.total_seconds()
    found: list[tuple[str, str | None]] = []
    if late:
        found.append((f"{late} live worker{'s' * (late != 1)} told nothing for {lasting(most)}", None))
    if live and depths is not None and depths > most:
        noted = "depths were never noted" if depths > NEVER else f"depths were noted {lasting(depths)} ago"
        found.append((noted, "select pgqueue.note_depths();"))
    if unmerged is not None and unmerged > 10 * most:
        found.append((f"tallies lie unmerged for {lasting(unmerged)}", "select pgqueue.merge_tallies(100000);"))
    if not found:
        return ok("tallies and depths are in time" if live else "no worker has run for long enough to tell")
    cures = tuple(cure for _, cure in found if cure)
    cure = cures[0] if cures else "pgqueue workers list -v; and see their logs"
    return Found(Status.WARN, listed([text for text, _ in found]), cure, cures)
