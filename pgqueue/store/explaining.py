"""Why a job is where it is, and why a queue does not drain, as the functions of the schema say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pgqueue.record import Explanation, Finding
from pgqueue.store.direct import Rows
from pgqueue.store.reading import load_json
from pgqueue.store.statement import Statement, only_value


def job(job_id: UUID) -> Statement[Explanation | None]:
    """Every reason why a job may be where it is; None if there is no such job. Bounded: see explain.sql."""
    return Statement(
        f"{_COLUMNS} from pgqueue.explain($1::pg_catalog.uuid) order by ord",
        (job_id,),
        lambda rows: _read(rows) if rows else None,
    )


def queue(name: str) -> Statement[Explanation]:
    """Every reason why a queue may not drain. Bounded: see explain_queue.sql."""
    return Statement(f"{_COLUMNS} from pgqueue.explain_queue($1::pg_catalog.text) order by ord", (name,), _read)


_COLUMNS = "select ord, code, holds, text, detail::pg_catalog.text, cure"


def _read(rows: Rows) -> Explanation:
    return Explanation(
        tuple(
            Finding(order, code, holds, text, _facts(detail), cure) for order, code, holds, text, detail, cure in rows
        )
    )


def _facts(detail: str) -> Mapping[str, Any]:
    """The facts; of a database that knows no encoding with those bytes written out that are no text (tolerant.py)."""
    found = load_json(detail)
    if not isinstance(found, dict):
        found = load_json(detail.replace("\\x", "\\\\x"))
    return found if isinstance(found, dict) else {}


def nearest_target(target: str) -> Statement[str | None]:
    """The target of live workers that is most like this one; None if none is. O(names)."""
    return Statement("select pgqueue.nearest_target($1::text)", (target,), only_value)
