"""pgqueue in Django: put "pgqueue.contrib.django" into INSTALLED_APPS, and migrate.

TASKS = {"default": {"BACKEND": "pgqueue.contrib.django.Backend"}}      # for Django's own tasks
pgqueue.enqueue("default", "shop.tasks:send_receipt", [42])             # an alias, connection or cursor of Django's
$ python manage.py pgqueue worker
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pgqueue.contrib.django.backend import Backend
    from pgqueue.contrib.django.options import job_options

__all__ = ["Backend", "job_options"]

# The app is imported before Django is set up, and Django 5.2 has no framework for tasks of its own.
if not TYPE_CHECKING:
    _PLACES = {"Backend": "backend", "job_options": "options"}

    def __getattr__(name: str) -> object:
        """Import what is not there before it is asked for."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
