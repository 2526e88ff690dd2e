"""No command and no page is forgotten where it is measured and looked at what all of them read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main
from starlette.routing import Mount, Route

from bench import questions
from pgqueue.cli.app import app
from pgqueue.dashboard import create_app
from pgqueue.dashboard.api.reads import ROUTES


def of_group(command: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    if not hasattr(command, "commands"):
        yield " ".join(words)
        return
    for name, each in command.commands.items():
        if not each.hidden:
            yield from of_group(each, (*words, name))


def routes(found: Any, before: str = "") -> Iterator[str]:
    for route in found:
        if isinstance(route, Mount):
            yield from routes(route.routes, before + route.path)
        elif isinstance(route, Route) and "GET" in (route.methods or {"GET"}):
            yield before + route.path


def test_every_command_is_asked_or_it_is_said_why_not() -> None:
    there = set(of_group(typer.main.get_command(app)))
    said = questions.COMMANDS.keys() | questions.OTHERS
    assert there - said == set(), "name them in bench/questions.py: what they are asked, or why they are not"
    assert said - there == set(), "these are no commands any more"


def test_every_page_is_asked_for() -> None:
    there = {path for path in routes(create_app("postgresql://nowhere").routes) if not path.startswith(questions.FILES)}
    assert there - questions.PAGES.keys() == set(), "name them in bench/questions.py, with addresses to ask for"
    assert questions.PAGES.keys() - there == set(), "these are no pages any more"
    told = {route.path for route in ROUTES}
    assert told ^ questions.API.keys() == set(), "name them in bench/questions.py, or no more"
