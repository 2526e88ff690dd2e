"""The workers beside what waits: who knows it, who serves it, who has vanished, who is of another release."""

from __future__ import annotations

import shlex

from pgqueue.doctor.patient import Patient, first
from pgqueue.doctor.verdict import Found, Status, fail, lasting, listed, ok, warn

HEADS = 2_000
QUEUES_LOOKED_AT = 200
NEWEST_ATTEMPTS = 5_000
MANUAL_LOOKED_AT = 10_000
WORKFLOWS_LOOKED_AT = 1_000
# Seconds after which a human should have answered.
MANUAL_PATIENCE = 86_400.0


def targets(patient: Patient) -> Found:
    """Every task that jobs wait for is known to a live worker that serves their queue."""
    rows = patient.ask("targets", HEADS)
    if not rows:
        return ok("live workers know the tasks of the jobs that were looked at, or no worker runs")
    told = [f"{target}: {count} job{'s' * (count != 1)}{_meant(nearest)}" for target, _, count, nearest in rows]
    return warn(f"no live worker that serves their queue knows {listed(told)}", _worker_for(rows[0][0]))


def queues_unserved(patient: Patient) -> Found:
    """Every queue with due jobs is served by a live worker that takes any."""
    rows = patient.ask("unserved", QUEUES_LOOKED_AT)
    if not rows:
        return ok(f"each queue with due jobs has a worker, of the first {QUEUES_LOOKED_AT}")
    queue, target, live = rows[0]
    if not live:
        return fail(f"jobs are due in {listed([row[0] for row in rows])}, and no worker runs", _worker_for(target))
    return fail(
        f"no worker takes jobs of {listed([row[0] for row in rows])}",
        f"{_worker_for(target)} -Q {shlex.quote(queue)}",
    )


def leases(patient: Patient) -> Found:
    """The jobs of workers that vanished are taken back soon."""
    count, seconds, who, live = first(patient.ask("leases", patient.bounds.lease))
    if not count:
        return ok("no worker has vanished with its jobs")
    text = (
        f"{count} worker{'s' * (count != 1)} vanished up to {lasting(seconds)} ago ({who}), their jobs not taken back"
    )
    return fail(
        f"{text}: {'no worker runs' if not live else 'the chores of the others fail'}",
        sql=["select * from pgqueue.reap();"],
    )


def releases(patient: Patient) -> Found:
    """All live workers are of this release, and of one deploy."""
    rows = patient.ask("releases")
    if not rows:
        return ok("live workers are of this release and declare the same rules, as far as they say")
    words = {
        "older": "{count} live worker(s) of an older release ({who})",
        "rules": "live workers declare {count} different sets of rules for app {who}",
        "release": "live workers run {count} releases of the code: {who}",
        "pgqueue": "live workers run {count} releases of pgqueue: {who}",
    }
    told = [words[what].format(count=count, who=who) for what, count, who in rows]
    return warn(listed(told), "pgqueue workers list, and stop those of the old deploy: pgqueue workers stop ID")


def timeouts(patient: Patient) -> Found:
    """Few attempts end by their timeout."""
    rows = patient.ask("timeouts", NEWEST_ATTEMPTS)
    if not rows:
        return ok(f"of the newest {NEWEST_ATTEMPTS:,} attempts hardly any ended by its timeout")
    told = [
        f"{target}: {hit} of {count} attempts, the longest of {lasting(longest)}"
        for target, _, hit, count, longest, _ in rows
    ]
    target, queue, _, _, longest, _ = rows[0]
    enough = round(longest * 2) + 1
    return warn(
        f"attempts end by their timeout: {listed(told)}",
        f"@task(timeout={enough}) for {target}, or: pgqueue queues set --timeout {enough} -- {shlex.quote(queue)}",
    )


def manual(patient: Patient) -> Found:
    """Jobs that fell back to a human are answered within a day."""
    count, seconds = first(patient.ask("manual", MANUAL_LOOKED_AT))
    if seconds is None:
        return ok("no job waits for a human")
    many = f"{count:,}{' or more' * (count == MANUAL_LOOKED_AT)} job{'s wait' if count != 1 else ' waits'}"
    text = f"{many} for a human, the oldest for {lasting(seconds)}"
    return warn(text, "pgqueue manual list") if seconds > MANUAL_PATIENCE else ok(text)


def workflows(patient: Patient) -> Found:
    """No workflow has failed, and none stands still."""
    failed, stuck, still, refused, late = first(patient.ask("workflows", WORKFLOWS_LOOKED_AT))
    found = [
        (stuck, f"workflows wait for jobs that are gone: {stuck:,}", f"select pgqueue.mend_workflow('{still}');"),
        (refused, f"workflows whose counts were refused: {refused:,}", f"select pgqueue.mend_workflow('{late}');"),
    ]
    told = [text for count, text, _ in found if count]
    cures = tuple(cure for count, _, cure in found if count)
    if failed:
        more = " or more" * (failed == WORKFLOWS_LOOKED_AT)
        told.append(f"{failed:,}{more} workflow{'s have' if failed != 1 else ' has'} failed")
    if not told:
        return ok("no workflow has failed, and none stands still")
    return warn(listed(told), cures[0] if cures else "pgqueue workflows list --state failed", cures)


def schedules_missed(patient: Patient) -> Found:
    """Schedules are looked at in time, and their rules can be read."""
    rows = patient.ask("schedules", patient.bounds.schedule)
    if not rows:
        return ok("all schedules were looked at in time")
    faulty = [row for row in rows if row[1] is not None]
    if faulty:
        name = faulty[0][0]
        return fail(
            f"nobody can decide about {listed([f'{row[0]} ({row[1]})' for row in faulty])}",
            f"say its rule anew: pgqueue schedules add; until then: pgqueue schedules pause -- {shlex.quote(name)}",
        )
    name, _, late, target, live = rows[0]
    text = f"schedule {name} was to be looked at {lasting(late)} ago, and {len(rows) - 1} others"
    return fail(
        f"{text}: {'no worker runs' if not live else 'the schedulers of the workers do not come'}", _worker_for(target)
    )


def orphans(patient: Patient) -> Found:
    """Nothing belongs to a job or a worker that is gone."""
    holds, running, cancellations = first(patient.ask("orphans", NEWEST_ATTEMPTS))
    found = {
        f"{holds} shares of limits whose job does not run": ("select * from pgqueue.reconcile_holds();", holds),
        f"{running} jobs whose worker has no row": ("select pgqueue.reap_orphans(2147483647);", running),
        f"{cancellations} cancellations of jobs that ended": ("select pgqueue.tidy_cancellations();", cancellations),
    }
    told = [text for text, (_, count) in found.items() if count]
    if not told:
        return ok("nothing belongs to a job or a worker that is gone")
    cures = tuple(cure for cure, count in found.values() if count)
    return Found(Status.WARN, listed(told), " ".join(cures), cures)


def _meant(nearest: str | None) -> str:
    return f" (nearest: {nearest})" if nearest else ""


def _worker_for(target: str) -> str:
    return f"pgqueue worker -A {shlex.quote(target.partition(':')[0])}"
