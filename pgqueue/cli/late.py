"""Commands that are imported when they are asked for: of a hundred, a process runs one."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from pgqueue.habits import OF_OPTIONS


class Command(typer.core.TyperCommand):
    """A command that knows what other queues call its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual; for the word of another queue, say what to say."""
        if words := OF_OPTIONS.get(self.name or ""):
            known = {option for parameter in self.get_params(ctx) for option in parameter.opts}
            for option in (arg.partition("=")[0] for arg in args):
                if option in words and option not in known:
                    ctx.fail(f"there is no option {option}: {words[option]}")
        return super().parse_args(ctx, args)


class LateCommands(UserDict[str, Any]):
    """A group's commands by their names; `places` says by all words where each is, as module:name of pgqueue.cli."""

    def __init__(
        self, places: Mapping[str, str], words: tuple[str, ...] = (), there: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(there or {})
        self._places = places
        self._words = words
        for place in places:
            *above, name = place.split()
            if tuple(above) == words:
                self.data[name] = None

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if found is None:
            words = (*self._words, name)
            found = self.data[name] = _made(name, self._places[" ".join(words)])
            if hasattr(found, "commands"):
                found.commands = LateCommands(self._places, words, found.commands)
        return found


def _made(name: str, place: str) -> Any:
    module, attribute = place.split(":")
    found = getattr(import_module(f"pgqueue.cli.{module}"), attribute)
    around = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name, cls=Command)(found)
    return typer.main.get_group(around).commands[name]
