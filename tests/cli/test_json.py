"""`--json`: every command that prints has it, and what changes something says what it has done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Command
from tests.docs.test_reference import COMMANDS

# What goes on until it is ended and prints nothing but a log, or is a screen; what prints JSON anyway; and what draws.
WITHOUT = {
    "pgqueue worker",
    "pgqueue exporter",
    "pgqueue dashboard",
    "pgqueue top",
    "pgqueue jobs result",
    "pgqueue demo",
    "pgqueue workflows graph",
}


def test_every_command_that_prints_takes_json() -> None:
    without = {
        name
        for name, command in COMMANDS.items()
        if "--json" not in {option for parameter in command.params for option in parameter.opts}
    }
    assert without == WITHOUT


def test_what_changes_something_says_as_json_what_it_has_done(pgqueue: Command, enqueue: Callable[..., str]) -> None:
    job = enqueue("send_receipt", "[1]", "--delay", "1h")
    assert pgqueue("queues", "pause", "mail", "web", "--json").json == [
        {"queue": "mail", "said": "mail is paused"},
        {"queue": "web", "said": "web is paused"},
    ]
    assert pgqueue("jobs", "snooze", job, "--for", "2h", "--json").json == [
        {"job": job, "state": "scheduled", "said": f"{job} scheduled"}
    ]
    (cancelled,) = pgqueue("jobs", "cancel", f"id:{job}", "--yes", "--json").json
    assert (cancelled["done"], cancelled["said"]) == (1, "1 cancelled")
    (made,) = pgqueue("enqueue", "tests.cli.shop:send_receipt", "[2]", "--json").json
    assert (made["created"], made["said"]) == (True, made["id"])


@pytest.mark.parametrize("words", [("jobs", "cancel", "0" * 32), ("workers", "stop", "1"), ("schedules", "run", "no")])
def test_what_could_not_be_done_is_no_part_of_it_and_the_exit_code_is_the_same(
    pgqueue: Command, words: tuple[str, ...]
) -> None:
    plain, told = pgqueue(*words), pgqueue(*words, "--json")
    assert told.json == []
    assert (told.code, told.err) == (plain.code, plain.err)
    assert told.code == 4
