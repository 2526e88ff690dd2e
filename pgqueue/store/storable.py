"""Whether PostgreSQL can hold a value at all: asked of the value alone, without a row, a trigger or a lock."""

from __future__ import annotations

from pgqueue.store.statement import Statement, nothing


def result(text: str) -> Statement[None]:
    """Fails if no row can hold this result. O(its size)."""
    return Statement("select json_typeof($1::text::json)", (text,), nothing)


def texts(error_type: str | None, error: str | None, traceback: str | None) -> Statement[None]:
    """Fails if no row can hold these texts. O(their size)."""
    return Statement(
        "select $1::text is null, $2::text is null, $3::text is null", (error_type, error, traceback), nothing
    )
