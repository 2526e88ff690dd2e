"""Declared rules: what the code of an app says of schedules and limits, told by its workers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pgqueue.store.statement import Statement, only_value


def declare(worker: int, source: str, declared: Sequence[str]) -> Statement[bool]:
    """A worker says what the tasks of an app declare, each as JSON; whether to say so again later."""
    text = f"[{','.join(sorted(declared))}]"
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]
    sql = "select pgqueue.declare_rules($1::bigint, $2::text, $3::text, $4::json)"
    return Statement(sql, (worker, source, digest, text), only_value)
