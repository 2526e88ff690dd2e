"""Every command of the command line, with words that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from pgqueue.cli.app import app

# Those that go on until they are ended, or make databases of their own.
_LASTING = {"worker", "dashboard", "exporter", "top", "events", "demo", "verify", "bench"}
_OF_THEIR_OWN = {"db"}
# What an argument is given, by a part of its name; else a word.
_GIVEN = (
    ("job", "0190f5f0-0000-7000-8000-000000000001"),
    ("workflow", "0190f5f0-0000-7000-8000-000000000001"),
    ("moment", "2031-05-01T09:30"),
    ("level", "3"),
    ("number", "3"),
    ("limit", "key:x"),
    ("target", "shop:send"),
    ("path", "args.order_id"),
)


def every_command() -> Iterator[list[str]]:
    """The words of each, with what it must be given."""
    yield from _below(typer.main.get_command(app), [])


def _below(command: Any, words: list[str]) -> Iterator[list[str]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield [*words, *_needed(command)]
        return
    for name, each in below.items():
        if words or name not in _LASTING | _OF_THEIR_OWN:
            yield from _below(each, [*words, name])


def _needed(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if not parameter.required:
            continue
        if parameter.param_type_name == "option":
            yield parameter.opts[0]
        said = f"{parameter.name} {parameter.metavar or ''}".lower()
        yield next((value for part, value in _GIVEN if part in said), "x")
