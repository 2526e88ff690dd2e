"""A statement as drivers other than psycopg take it: every value a text, every type said in the SQL.

So nothing that the caller taught his driver about types, such as a codec for JSON, changes what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format

from pgqueue.store.direct import ADAPTERS, Rows

# Texts and comments are passed by; a number is a value, with the type that stands behind it.
_TOKEN = re.compile(r"""('(?:[^']|'')*')|(--[^\n]*)|\$(\d+)(?:\s*::\s*([\w."]+(?:\[\])?))?|(%)""")
_KEPT = 1000


def texts(params: Sequence[Any]) -> tuple[list[str | None], tuple[int, ...]]:
    """The values as PostgreSQL reads them, and the type of each; 0 where only the statement tells."""
    transformer = Transformer(_Context())
    dumped = transformer.dump_sequence(params, [PyFormat.TEXT] * len(params))
    return [None if each is None else bytes(each).decode() for each in dumped], tuple(transformer.types or ())


@lru_cache(_KEPT)
def numbered(sql: str, types: tuple[int, ...]) -> str:
    """The statement for a driver that sends the values beside it, each declared a text."""
    said = _types(sql)

    def spelled(token: re.Match[str]) -> str:
        text, comment, number, _, _ = token.groups()
        if comment is not None:
            return ""
        if number is None or text is not None:
            return token[0]
        kind = said.get(number) or _name(types[int(number) - 1])
        return f"(${number}::pg_catalog.text::{kind})" if kind else f"${number}"

    return _TOKEN.sub(spelled, sql)


@lru_cache(_KEPT)
def named(sql: str) -> str:
    """The statement for a driver that writes the values into it, by their numbers."""
    said = _types(sql)

    def spelled(token: re.Match[str]) -> str:
        text, comment, number, _, percent = token.groups()
        if comment is not None:
            # A value written into a comment could end it.
            return ""
        if percent or text is not None:
            return token[0].replace("%", "%%")
        return f"(%({number})s::{said[number]})" if number in said else f"%({number})s"

    return _TOKEN.sub(spelled, sql)


def loaded(rows: Sequence[Sequence[str | None]], types: Sequence[int]) -> Rows:
    """The values of rows that came as texts, as psycopg reads them; times are in UTC."""
    transformer = Transformer(_Context())
    transformer.set_loader_types(types, Format.TEXT)
    return [transformer.load_sequence([None if each is None else each.encode() for each in row]) for row in rows]


def _types(sql: str) -> dict[str, str]:
    """The type of each value, wherever the statement says it first: where it stands again it may not."""
    found: dict[str, str] = {}
    for token in _TOKEN.finditer(sql):
        if token[3] is not None and token[4] is not None:
            found.setdefault(token[3], token[4])
    return found


def _name(oid: int) -> str | None:
    info = psycopg.adapters.types.get(oid)
    if info is None:
        return None
    return f"pg_catalog.{info.name}[]" if oid == info.array_oid else f"pg_catalog.{info.name}"


class _Context:
    adapters = ADAPTERS
    connection = None
