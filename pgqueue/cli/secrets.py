"""A DSN with a password among the arguments: everybody on the machine can read those, and they stand in no message.

The environment of a process is for its own user's eyes. So the command begins anew, with the words there instead.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import MutableMapping, Sequence

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from pgqueue.errors import UsageError
from pgqueue.store.dsn import has_secret

VARIABLES = {
    "--dsn": "PGQUEUE_DSN",
    "--job-dsn": "PGQUEUE_JOB_DSN",
    "--listen-dsn": "PGQUEUE_LISTEN_DSN",
    "--read-dsn": "PGQUEUE_READ_DSN",
}


# In the environment the words as typed come across, and are taken out of it: what a job starts would inherit them.
_CARRIER = "_PGQUEUE_TYPED"


def hide_secrets() -> list[str]:
    """The arguments as they were typed; begins anew if a DSN with a secret is among them.

    Raises UsageError for a DSN where none is expected.
    """
    typed = sys.argv[1:]
    if carried := os.environ.pop(_CARRIER, ""):
        words: list[str] = json.loads(carried)
        return words
    kept = without_secrets(typed, {})
    # Else it was not started by these words, and who calls main() of its own program keeps its process.
    if kept != typed and sys.orig_argv[len(sys.orig_argv) - len(typed) :] == typed:
        start = sys.orig_argv[: len(sys.orig_argv) - len(typed)]
        sys.stdout.flush()
        os.execve(sys.executable, [*start, *kept], {**os.environ, _CARRIER: json.dumps(typed)})
    return typed


def without_secrets(typed: Sequence[str], environ: MutableMapping[str, str]) -> list[str]:
    """The arguments without the DSNs that hold a secret, which stand in `environ` instead."""
    kept, given = _parted(typed)
    moved = [option for option, dsns in given.items() if any(has_secret(dsn) for dsn in dsns)]
    for option in moved:
        # The last one holds, as it would on the command line.
        environ[VARIABLES[option]] = given[option][-1]
    if moved:
        return kept if len(moved) == len(given) else [*kept[:1], *_again(given, moved), *kept[1:]]
    return list(typed)


def _parted(typed: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The other arguments, and the DSNs by option. Raises UsageError for one in another's place."""
    kept: list[str] = []
    given: dict[str, list[str]] = {}
    words = iter(typed)
    for word in words:
        option, equals, value = word.partition("=")
        if word == "--":
            return [*kept, word, *words], given
        if option in VARIABLES and (equals or (value := next(words, ""))):
            given.setdefault(option, []).append(value)
        elif _is_dsn(word) and not (kept and kept[-1].startswith("-")):
            raise UsageError("a database stands where none is expected; say --dsn before it")
        else:
            kept.append(word)
    return kept, given


def _again(given: dict[str, list[str]], moved: Sequence[str]) -> list[str]:
    return [word for option, dsns in given.items() if option not in moved for word in (option, dsns[-1])]


def _is_dsn(word: str) -> bool:
    if re.match(r"\w+(\+\w+)?://[^/?]*@", word):
        return True
    try:
        return bool(conninfo_to_dict(word).get("password"))
    except (ProgrammingError, UnicodeEncodeError):
        return False
