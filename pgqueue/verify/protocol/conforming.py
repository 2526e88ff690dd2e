"""The course of the checks: a database of its own, and for each check a queue and a fresh worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg

from pgqueue.errors import JobNotFound, UsageError
from pgqueue.interrupt import interruptible
from pgqueue.store.connection import open_connection
from pgqueue.verify.folder import folder_of
from pgqueue.verify.guard import Guard
from pgqueue.verify.protocol.checks import CHECKS, Check
from pgqueue.verify.protocol.program import words_of
from pgqueue.verify.protocol.table import Found
from pgqueue.verify.protocol.trial import LEASE, Broken, Trial
from pgqueue.verify.scratch import plain_name, scratch
from pgqueue.verify.settings import Say


def conform(dsn: str | None, command: str, only: Sequence[str], *, keep: bool, say: Say) -> list[Found]:
    """Start the command once for each check, and judge what it does. Nothing is left behind, unless `keep`.

    Raises UsageError if the command cannot be started, or there is no such check.
    """
    words, checks = words_of(command), _chosen(only)
    with interruptible(), folder_of(keep, say) as folder, scratch(dsn, folder, LEASE, keep=keep) as made:
        say(f"database {made.name} on {plain_name(dsn)}; a lease of {LEASE:g} s")
        with Guard(folder, keep=keep) as guard, open_connection(made.dsn, "verify", deadline=None) as conn:
            return [_tried(check, conn, made.dsn, words, folder, guard, say) for check in checks]


def _tried(
    check: Check, conn: psycopg.Connection[object], dsn: str, words: list[str], folder: Path, guard: Guard, say: Say
) -> Found:
    say(f"{check.name} ...")
    trial = Trial(conn, dsn, words, f"conformance-{check.name}", folder / f"{check.name}.log", guard)
    found, printed = None, ""
    try:
        check.run(trial)
    except (Broken, JobNotFound) as broken:
        # No job vanishes unless somebody deletes its row.
        found, printed = str(broken), trial.printed
    finally:
        trial.end()
    return Found(check.name, check.promise, found, check.cure, printed)


def _chosen(only: Sequence[str]) -> list[Check]:
    known = {check.name: check for check in CHECKS}
    for name in only:
        if name not in known:
            raise UsageError(f"there is no check {name!r}; there are {', '.join(known)}")
    return [check for check in CHECKS if not only or check.name in only]
