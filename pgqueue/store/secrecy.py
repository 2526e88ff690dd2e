"""Which arguments are nobody's business: told by workers, asked by whoever shows jobs without having their code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import psycopg

from pgqueue import exact_json
from pgqueue.errors import QueryError
from pgqueue.leaving_out import HIDDEN, without
from pgqueue.record import Attempt, Effect, Job
from pgqueue.redaction import Declared, Redaction, echoing
from pgqueue.search import Candidate, Query
from pgqueue.secrecy import Secrecy
from pgqueue.store.direct import Rows
from pgqueue.store.searching import HOLDING
from pgqueue.store.statement import Statement, execute, nothing, only_value, query

# What stands under the names of secrets, and what tasks have said.
SHOWN = Redaction()
# What only tasks have said: for what leaves the database for good.
_EXPORTED = Redaction(by_name=False)
# Columns in which an error says something.
_SAID = frozenset({"error", "traceback", "reason", "last_error"})
# What of a candidate may hold secrets of its arguments.
_SEARCHED = ("error", "reason", "unique_key", "limit_key")


def declare(secrecies: Collection[tuple[str, str]]) -> Statement[None]:
    """A worker says what tasks call sensitive: by target, as Secrecy.said() has it. O(tasks log n)."""
    told = sorted(secrecies)
    targets, texts = [target for target, _ in told], [text for _, text in told]
    hashes = [hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32] for text in texts]
    sql = "select pgqueue.declare_sensitive($1::text[], $2::text[], $3::text[])"
    return Statement(sql, (targets, hashes, texts), nothing)


def declared(targets: Iterable[str]) -> Statement[Declared]:
    """What was said of these targets; nothing of most. Walks sensitive_pkey."""
    return Statement(query("sensitive"), (sorted(set(targets)),), _read)


def every() -> Statement[Declared]:
    """What was ever said, for who does not know whose jobs will be met. Reads the table, which is small."""
    return Statement(query("sensitive"), (None,), _read)


def knowing(conn: psycopg.Connection[Any], targets: Iterable[str], redaction: Redaction = SHOWN) -> Redaction:
    """What may be shown of jobs of these targets."""
    wanted = set(targets)
    return redaction.knowing(execute(conn, declared(wanted))) if wanted else redaction


def shown(conn: psycopg.Connection[Any], jobs: Sequence[Job], redaction: Redaction = SHOWN) -> list[Job]:
    """Jobs as they may be shown: without their secrets in arguments, errors and reasons."""
    known = knowing(conn, (job.target for job in jobs), redaction)
    return [_clean(known, job) for job in jobs]


def effects_shown(conn: psycopg.Connection[Any], effects: Sequence[Effect]) -> list[Effect]:
    """Effects as they may be shown: what came of them may hold any argument that a task calls sensitive."""
    known = knowing(conn, (each.target for each in effects if each.target is not None)).declared
    return [
        replace(each, value=HIDDEN) if each.value is not None and each.target in known else each for each in effects
    ]


def attempts_shown(conn: psycopg.Connection[Any], job: Job, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Attempts of a job without the secrets of its arguments; the job is as it was read."""
    secrets = secrets_in(conn, job)
    if secrets == frozenset():
        return list(attempts)
    return [
        replace(each, error=without(each.error, secrets), traceback=without(each.traceback, secrets))
        for each in attempts
    ]


def secrets_in(conn: psycopg.Connection[Any], job: Job) -> frozenset[str] | None:
    """The secrets among the arguments of a job as it was read; None if they cannot be known."""
    return knowing(conn, [job.target]).of_value(job.target, job.args)[1]


def lines_shown(conn: psycopg.Connection[Any], lines: Sequence[str]) -> list[str]:
    """Rows of jobs as JSON, one a line, as they may leave the database."""
    rows = [exact_json.read(line) for line in lines]
    known = knowing(conn, (row["target"] for row in rows), _EXPORTED)
    return [
        line if row["target"] not in known.declared else _line(known, row)
        for line, row in zip(lines, rows, strict=True)
    ]


def as_searched(redaction: Redaction) -> Callable[[Candidate], Candidate]:
    """A job as a search sees it that finds nobody by what is hidden.

    That is without what its task calls sensitive, and its error and its keys without the secrets of its arguments;
    without anything of them if those are not known.
    """

    def shown(candidate: Candidate) -> Candidate:
        told = candidate.target in redaction.declared
        if not told and not any(getattr(candidate, name) for name in _SEARCHED):
            return candidate
        found = None if candidate.args is None else redaction.of_args(candidate.target, candidate.args)
        secrets = None if found is None else found.secrets
        return candidate._replace(
            args=found.text if found is not None and told else candidate.args,
            error=without(candidate.error, secrets),
            reason=without(candidate.reason, secrets),
            unique_key=without(candidate.unique_key, secrets),
            limit_key=without(candidate.limit_key, secrets),
        )

    return shown


def searching_by(conn: psycopg.Connection[Any], asked: Query) -> Callable[[Candidate], Candidate] | None:
    """As as_searched(), of what is known in the database; None where a query asks for nothing that could be hidden.

    Raises QueryError if it asks for arguments, and this role may not read any.
    """
    refuse_blind(conn, asked)
    if all(each.field != "args" and each.field not in HOLDING for each in asked.conditions):
        return None
    return as_searched(Redaction(declared=execute(conn, every())))


def refuse_blind(conn: psycopg.Connection[Any], asked: Query) -> None:
    """Raise QueryError if a query asks for arguments, and this role may not read any: it would find nothing."""
    if any(each.field == "args" for each in asked.conditions) and not execute(conn, _SEES_PAYLOADS):
        raise QueryError("this role may not read what jobs carry: it finds none by their arguments")


_SEES_PAYLOADS: Statement[bool] = Statement("select pgqueue.sees_payloads()", (), only_value)


def _line(known: Redaction, row: dict[str, Any]) -> str:
    args, secrets = known.of_value(row["target"], row["args"])
    said = {name: echoing(value, lambda text: without(text, secrets)) for name, value in row.items() if name in _SAID}
    return exact_json.written({**row, **said, "args": args}, None)


def _clean(known: Redaction, job: Job) -> Job:
    args, secrets = known.of_value(job.target, job.args)
    if secrets == frozenset() and args == job.args:
        return job
    return replace(
        job,
        args=args,
        last_error=without(job.last_error, secrets),
        reason=without(job.reason, secrets),
        unique_key=without(job.unique_key, secrets),
        limit_key=without(job.limit_key, secrets),
    )


def _read(rows: Rows) -> Declared:
    found: dict[str, tuple[Secrecy, ...]] = {}
    for target, said in rows:
        found[target] = (*found.get(target, ()), Secrecy.read(said))
    return found
