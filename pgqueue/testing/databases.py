"""Scratch databases: copies of a template that is migrated once a server, each of them one test's or one process's.

    pgqueue_template_<stamp>        made once for a schema, kept for the next runs
    pgqueue_scratch_<time>_<random> used, and dropped after it

Whoever uses one holds a lock on its name, which ends with the session: what a killed run left behind is dropped by the
next run of the same role, and nothing else is.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg
from psycopg.conninfo import make_conninfo

from pgqueue.errors import UsageError
from pgqueue.migrate import migrate
from pgqueue.store import scratch
from pgqueue.store.connection import open_connection
from pgqueue.store.functions import own_stamp
from pgqueue.store.schema import NEWEST_REVISION
from pgqueue.testing.database import ScratchDatabase

TEMPLATE, SCRATCH = "pgqueue_template_", "pgqueue_scratch_"
_SCRATCH_NAME = re.compile(rf"{SCRATCH}([0-9a-f]{{8}})_[0-9a-f]{{8}}")
_OURS = "made by pgqueue.testing"
# Databases that one run drops of those that others left; each takes about 20 ms.
MOST_SWEPT = 50
# Seconds after which one without a comment was left so, and a template of another schema is dropped.
UNSAID_AGE, TEMPLATE_AGE = 3_600, 7 * 86_400

Prepare = Callable[[str], object]


class Databases:
    """The scratch databases of one process on one server. Methods raise UsageError, DatabaseUnreachable."""

    def __init__(self, dsn: str, *, hurried: bool = False) -> None:
        self._dsn = dsn
        self._admin = open_connection(dsn, "test", deadline=None)
        self._template: str | None = None
        if self._admin.pooled:
            self.close()
            raise UsageError("the DSN for tests leads to a pooler; name the server itself: its sessions hold locks")
        if hurried:
            scratch.hurry(self._admin)

    def template(self, prepare: Prepare | None = None) -> str:
        """The migrated template; or a scratch database of this process that `prepare` was given the DSN of."""
        if self._template is None:
            self._template = self._shared_template()
            self._sweep()
        if prepare is None:
            return self._template
        name = self._make(self._template)
        prepare(self._dsn_of(name))
        return name

    def create(self, template: str | None = None) -> ScratchDatabase:
        """A fresh copy of a template."""
        name = self._make(template or self.template())
        return ScratchDatabase(name, self._dsn_of(name), lambda: self.drop(name))

    def drop(self, name: str) -> None:
        """Drop a scratch database, whoever is still connected to it."""
        scratch.drop(self._admin, name, force=True)
        scratch.let_go(self._admin, name)

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        self._admin.close()

    def _make(self, template: str, comment: str = _OURS) -> str:
        name = f"{SCRATCH}{int(time.time()):08x}_{secrets.token_hex(4)}"
        scratch.hold(self._admin, name)
        scratch.create(self._admin, name, template, comment)
        return name

    def _shared_template(self) -> str:
        """The template of this schema, made if need be: it gets its name when it is whole."""
        name = f"{TEMPLATE}{_stamp(self._admin.info.user)}"
        # Nobody sweeps it up from now on.
        scratch.hold(self._admin, name, shared=True)
        if scratch.exists(self._admin, name):
            return name
        # A lock of its own: that of the name is shared by those who are done, as long as they live.
        making = f"making {name}"
        scratch.hold(self._admin, making)
        try:
            if not scratch.exists(self._admin, name):
                unfinished = self._make("template0")
                migrate(self._dsn_of(unfinished))
                scratch.note(self._admin, unfinished, f"{_OURS}, {int(time.time())}")
                scratch.become(self._admin, unfinished, name)
                scratch.let_go(self._admin, unfinished)
        finally:
            scratch.let_go(self._admin, making)
        return name

    def _sweep(self) -> None:
        """Drop what runs that were killed have left, and templates that nobody has made anew for a week."""
        now = time.time()
        for found in scratch.known(self._admin, SCRATCH)[:MOST_SWEPT]:
            named = _SCRATCH_NAME.fullmatch(found.name)
            if named and (found.comment == _OURS or (not found.comment and now - int(named[1], 16) > UNSAID_AGE)):
                self._drop_unused(found.name)
        for found in scratch.known(self._admin, TEMPLATE)[:MOST_SWEPT]:
            made = re.fullmatch(rf"{_OURS}, (\d+)", found.comment or "")
            if made and found.name != self._template and now - int(made[1]) > TEMPLATE_AGE:
                self._drop_unused(found.name)

    def _drop_unused(self, name: str) -> None:
        if scratch.try_hold(self._admin, name):
            # Somebody may look into it without a lock.
            with suppress(psycopg.Error):
                scratch.drop(self._admin, name, force=False)
            scratch.let_go(self._admin, name)

    def _dsn_of(self, name: str) -> str:
        return make_conninfo(self._dsn, dbname=name)


def _stamp(user: str) -> str:
    """What a template is told by: the schema of this code, and whose it is."""
    return hashlib.sha256(f"{NEWEST_REVISION} {own_stamp().written()} {user}".encode()).hexdigest()[:16]
