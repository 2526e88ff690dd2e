"""The command `pgqueue`, run for `manage.py`: on a database of Django's, with the tasks of the project."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.cli.app import main
from pgqueue.contrib.django import conf
from pgqueue.contrib.django.closing import closing_old_connections
from pgqueue.contrib.django.dsn import dsn_of
from pgqueue.contrib.django.modules import SETUP, task_modules
from pgqueue.errors import UsageError
from pgqueue.process_end import end_process, exit_code_of

DATABASE = "--database"
# Options that stand anywhere, as with all of Django's commands; each has a value. The first two have done their work.
_DJANGO = ("--settings", "--pythonpath", DATABASE)
# Commands that run jobs, or look at what may run.
WITH_APPS = {("worker",), ("enqueue",), ("jobs", "run"), ("tasks", "list")}
OF_SEVERAL = {"worker", "status", "doctor", "dashboard"}
WITH_MIDDLEWARE = {("worker",), ("jobs", "run")}
MIDDLEWARE = f"{closing_old_connections.__module__}:{closing_old_connections.__qualname__}"


def run(words: Sequence[str], aliases: Sequence[str], *, whole_process: bool) -> int:
    """Run `pgqueue WORDS`; answers its exit code, or ends the process with it, if the command is all of that.

    Raises UsageError for an alias that has no jobs, and for several where a command takes one.
    """
    kept, named = _parted(words)
    first, *others = [dsn_of(alias) for alias in [*aliases, *named] or [conf.database()]]
    typed = arguments(kept)
    if others:
        if typed[:1] and typed[0] not in OF_SEVERAL:
            raise UsageError(f"{typed[0]} takes one --database; several are for {', '.join(sorted(OF_SEVERAL))}")
        # Nobody else reads these words: they are no arguments of the process.
        typed[1:1] = [word for dsn in (first, *others) for word in ("--dsn", dsn)]
    try:
        main(typed, dsn=first, name="manage.py pgqueue")
        code = 0
    except SystemExit as end:
        code = exit_code_of(end)
    if whole_process:
        end_process(code)
    return code


def arguments(words: Sequence[str]) -> list[str]:
    """The words with the project's apps and middleware where jobs run."""
    kept = list(words)
    command = next((tuple(kept[:n]) for n in (1, 2) if tuple(kept[:n]) in WITH_APPS), ())
    more: list[str] = []
    if command in WITH_APPS:
        more += [word for app in (SETUP, *task_modules()) for word in ("-A", app)]
    if command in WITH_MIDDLEWARE:
        more += ["--middleware", MIDDLEWARE]
    return [*command, *more, *kept[len(command) :]]


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words without Django's own options, and the aliases that --database names among them."""
    kept: list[str] = []
    aliases: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option not in _DJANGO:
            kept.append(word)
            continue
        value = value if equals else next(rest, "")
        if option == DATABASE:
            aliases.append(value)
    return kept, aliases
