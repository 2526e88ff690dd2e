"""`pgqueue effects`: what was done once, and what people decide about what nobody knows."""

from __future__ import annotations

import inspect
from typing import Any

import psycopg
import pytest

import pgqueue as api
from pgqueue.cli.errors import Exit
from pgqueue.secrecy import Secrecy
from pgqueue.store import execute, secrecy
from tests.cli.conftest import Command

RESERVED = """
insert into pgqueue.effects (scope, key, state, expires_at, target, job_id, worker, claim, attempt)
values ('default', %s, 'reserved', now() + interval '1 day', 'shop:charge', pgqueue.uuid7(), 1, 1, 1)
"""


@pytest.fixture
def filled(conn: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Keys of two scopes that are done, and one that an attempt has vanished over."""
    for scope, key in (("default", "charge:1"), ("default", "charge:2"), ("default", "mail:1"), ("other", "charge:3")):
        with api.once(conn, key, scope=scope) as first:
            first.value = {"n": key[-1]}
    conn.execute(RESERVED, ["charge:0"])
    conn.commit()
    return conn


def keys(pgqueue: Command, *words: str) -> list[str]:
    return [f"{row['scope']} {row['key']} {row['state']}" for row in pgqueue("effects", "list", *words, "--json").json]


def test_effects_are_listed_by_scope_and_key_page_by_page(pgqueue: Command, filled: psycopg.Connection[Any]) -> None:
    everything = keys(pgqueue)
    assert everything == [
        *("default charge:0 unknown", "default charge:1 done", "default charge:2 done", "default mail:1 done"),
        "other charge:3 done",
    ]
    assert keys(pgqueue, "charge:*") == everything[:3]
    assert keys(pgqueue, "charge:1") == everything[1:2]
    assert keys(pgqueue, "charge:*", "--scope", "other") == everything[4:]
    assert keys(pgqueue, "--open") == everything[:1]
    first = pgqueue("effects", "list", "-n", "2")
    assert "charge:0" in first.out
    assert "--after default:charge:1" in first.err
    assert keys(pgqueue, "--after", "default:charge:1") == everything[2:]
    assert pgqueue("effects", "list", "--after", "charge").code == Exit.USAGE


def test_one_effect_is_shown_with_what_came_of_it(pgqueue: Command, filled: psycopg.Connection[Any]) -> None:
    shown = pgqueue("effects", "show", "charge:1").out
    assert 'value       {"n": "1"}' in shown
    assert pgqueue("effects", "show", "charge:3", "--scope", "other", "--json").json["value"] == {"n": "3"}
    missing = pgqueue("effects", "show", "charge:9")
    assert (missing.code, "nothing is known of 'charge:9'" in missing.err) == (Exit.NOT_FOUND, True)


def test_what_people_decide_stands_in_the_audit(pgqueue: Command, filled: psycopg.Connection[Any]) -> None:
    assert pgqueue("effects", "done", "charge:0", "--reason", "looked").code == 0
    assert pgqueue("effects", "forget", "charge:1", "charge:2").code == 0
    assert pgqueue("effects", "forget", "charge:1").code == Exit.NOT_FOUND
    assert keys(pgqueue, "charge:*") == ["default charge:0 done"]
    acts = [(row["action"], row["filter"]) for row in pgqueue("audit", "list", "--json").json]
    assert acts == [
        ("effects forget", "default:charge:2"),
        ("effects forget", "default:charge:1"),
        ("effects done", "default:charge:0"),
    ]


def test_what_came_of_a_job_with_sensitive_arguments_is_hidden(
    pgqueue: Command, filled: psycopg.Connection[Any]
) -> None:
    said = Secrecy.of(("card",), "shop:charge", inspect.signature(lambda card: None))
    assert said is not None
    execute(filled, secrecy.declare([("shop:charge", said.said())]))
    filled.execute("update pgqueue.effects set value = '\"4111\"' where key = 'charge:0'")
    filled.commit()
    for words in (("show", "charge:0"), ("show", "charge:0", "--json"), ("list", "--json")):
        assert "4111" not in pgqueue("effects", *words).out
