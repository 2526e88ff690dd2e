"""The worker under trial: a process with a session of its own, and what it prints."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from pgqueue.errors import UsageError
from pgqueue.verify.guard import Guard

# Of what it printed, what a report shows.
_TAIL = 500
_VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}


def words_of(command: str) -> list[str]:
    """The words of a command line; no shell runs it. Raises UsageError."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--protocol {command!r} is no command line: {error}") from error
    if not words:
        raise UsageError("--protocol needs a command, such as 'node worker.js'")
    return words


class Program:
    """One run of the command. Signals but SIGTERM go to all of its processes."""

    def __init__(self, words: Sequence[str], env: dict[str, str], log: Path, guard: Guard) -> None:
        self._log = log
        self._guard = guard
        try:
            with log.open("wb") as out:
                self._process = subprocess.Popen(
                    words,
                    env={**os.environ, **env},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
        except OSError as error:
            raise UsageError(f"{words[0]!r} cannot be started: {error.strerror}") from error
        guard.watch(self._process.pid)

    @property
    def code(self) -> int | None:
        """With what it ended; None while it runs."""
        return self._process.poll()

    @property
    def printed(self) -> str:
        """The end of what it printed, in whole lines."""
        text = self._log.read_text(errors="replace").strip()
        return text if len(text) <= _TAIL else text[-_TAIL:].partition("\n")[2]

    def terminate(self) -> None:
        """SIGTERM, to the process that was started alone, as from a supervisor."""
        self._process.terminate()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """SIGKILL, and what is left of it is gone."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._guard.forget(self._process.pid)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def variables(dsn: str) -> dict[str, str]:
    """The database as PGQUEUE_DSN, a URL, and as the variables that libpq and other drivers read."""
    given = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    rest = {name: value for name, value in given.items() if name not in ("user", "password", "dbname")}
    user, password = quote(given.get("user", ""), safe=""), quote(given.get("password", ""), safe="")
    place = "" if "," in given.get("host", ",") or given["host"].startswith("/") else given["host"]
    if place:
        del rest["host"]
        place += f":{rest.pop('port')}" if "port" in rest else ""
    name = user + (f":{password}" if password else "") + ("@" if user else "")
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    url = f"postgresql://{name}{place}/{quote(given.get('dbname', ''), safe='')}{query}"
    return {"PGQUEUE_DSN": url} | {_VARIABLES[each]: value for each, value in given.items() if each in _VARIABLES}
