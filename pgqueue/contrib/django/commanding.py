"""The command `pgqueue`, run for `manage.py`: on a database of Django's, with the tasks of the project."""

from __future__ import annotations

from collections.abc import Sequence

from pgqueue.cli.app import main
from pgqueue.contrib.django.closing import closing_old_connections
from pgqueue.contrib.django.dsn import dsn_of
from pgqueue.contrib.django.modules import SETUP, task_modules
from pgqueue.process_end import end_process, exit_code_of

# Django's own, which have done their work by then; each has a value.
_DJANGO = ("--settings", "--pythonpath")
# Commands that run jobs, or look at what may run.
WITH_APPS = {("worker",), ("enqueue",), ("jobs", "run"), ("tasks", "list")}
WITH_MIDDLEWARE = {("worker",), ("jobs", "run")}
MIDDLEWARE = f"{closing_old_connections.__module__}:{closing_old_connections.__qualname__}"


def run(words: Sequence[str], alias: str, *, whole_process: bool) -> int:
    """Run `pgqueue WORDS`; answers its exit code, or ends the process with it, if the command is all of that."""
    try:
        main(arguments(words), dsn=dsn_of(alias), name="manage.py pgqueue")
        code = 0
    except SystemExit as end:
        code = exit_code_of(end)
    if whole_process:
        end_process(code)
    return code


def arguments(words: Sequence[str]) -> list[str]:
    """The words without Django's own options, and with the project's apps and middleware where jobs run."""
    kept = _without_django(words)
    command = next((tuple(kept[:n]) for n in (1, 2) if tuple(kept[:n]) in WITH_APPS), ())
    more: list[str] = []
    if command in WITH_APPS:
        more += [word for app in (SETUP, *task_modules()) for word in ("-A", app)]
    if command in WITH_MIDDLEWARE:
        more += ["--middleware", MIDDLEWARE]
    return [*command, *more, *kept[len(command) :]]


def _without_django(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, _ = word.partition("=")
        if option not in _DJANGO:
            kept.append(word)
        elif not equals:
            next(rest, None)
    return kept
