"""For unittest: the same databases as a mixin."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg

from pgqueue.testing.database import ScratchDatabase
from pgqueue.testing.server import scratch_database

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class DatabaseMixin(_Base):
    """Before unittest.TestCase among the bases: `self.pgqueue_db`, one a class, and `self.pgqueue_conn`, rolled back.

    `pgqueue_prepare` fills the database, as a static method that is given its DSN; `pgqueue_dsn` names its server.
    """

    pgqueue_dsn: ClassVar[str | None] = None
    pgqueue_prepare: ClassVar[Callable[[str], object] | None] = None
    pgqueue_db: ClassVar[ScratchDatabase]
    pgqueue_conn: psycopg.Connection[Any]

    @classmethod
    def setUpClass(cls) -> None:
        """Make the database."""
        super().setUpClass()
        made = scratch_database(cls.pgqueue_dsn, prepare=cls.pgqueue_prepare)
        cls.pgqueue_db = cls.enterClassContext(made)

    def setUp(self) -> None:
        """Open the connection."""
        super().setUp()
        self.pgqueue_conn = self.enterContext(self.pgqueue_db.rolled_back())
