"""Which modules have the tasks of a project: the tasks.py of each installed app, and those of the setting PGQUEUE."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from pgqueue.contrib.django import conf

# What a worker imports first, also in its children: it sets Django up, and finds the tasks.
SETUP = "pgqueue.contrib.django.worker_app"


def task_modules() -> list[str]:
    """Their names, each once."""
    discovered = [f"{each.name}.tasks" for each in apps.get_app_configs() if module_has_submodule(each.module, "tasks")]
    return list(dict.fromkeys([*discovered, *conf.modules()]))


def know_tasks_of(module: ModuleType) -> None:
    """Have workers find the framework's tasks in a module, also those whose own backend is none of ours."""
    if find_spec("django.tasks") is None and find_spec("django_tasks") is None:
        return
    from pgqueue.contrib.django import framework
    from pgqueue.contrib.django.known import known

    for member in vars(module).values():
        if isinstance(member, framework.Task) and member.func.__module__ == module.__name__:
            known(member, {})


def import_tasks() -> None:
    """Import all of them, and have their tasks found."""
    for name in task_modules():
        know_tasks_of(import_module(name))
