"""`manage.py pgqueue ...`: the command `pgqueue` on a database of the project, whose tasks a worker knows."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pgqueue.cli.errors import Exit
from pgqueue.contrib.django.commanding import DATABASE, run
from pgqueue.errors import UsageError

_EPILOG = """
Everything else is as for the command pgqueue: worker, status, jobs, dead, queues, dashboard ...
`manage.py pgqueue worker --help` tells of one of them. A worker needs no -A: it runs the tasks.py of installed apps.
"""


class Command(BaseCommand):
    """Runs the command pgqueue with the project's settings."""

    help = "Work with the jobs of this project: run a worker, look at jobs, steer queues."
    # A worker that starts must not wait for checks of templates and urls; `manage.py check` runs ours.
    requires_system_checks: Sequence[str] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The alias, and all the rest."""
        parser.epilog = _EPILOG
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        aliases = 'An alias of DATABASES; else PGQUEUE["DATABASE"]. Several for a worker, status, doctor, dashboard.'
        parser.add_argument(DATABASE, metavar="ALIAS", action="append", help=aliases)
        parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="A command of pgqueue's.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it. Raises CommandError, with its exit code, where it did not end well and was called by call_command."""
        words = [*args, *options["words"]]
        whole = bool(getattr(self, "_called_from_command_line", False))
        try:
            code = run(words, options["database"] or [], whole_process=whole)
        except UsageError as error:
            raise CommandError(str(error), returncode=Exit.USAGE) from error
        if code:
            raise CommandError(f"pgqueue {' '.join(words)} ended with {code}", returncode=code)
