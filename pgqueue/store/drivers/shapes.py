"""How connections of other drivers look to a type checker, also where those are not installed."""

from __future__ import annotations

from typing import Any, Protocol


class Psycopg2Connection(Protocol):
    """psycopg2's."""

    def get_transaction_status(self) -> int:
        """As libpq says it."""

    def get_dsn_parameters(self) -> dict[str, str]:
        """Without the password."""


class Psycopg2Cursor(Protocol):
    """psycopg2's."""

    def mogrify(self, query: Any, vars: Any = ...) -> bytes:  # noqa: A002  # psycopg2's name
        """What would be sent."""


class AsyncpgConnection(Protocol):
    """asyncpg's, and what its pool lends."""

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def get_server_pid(self) -> int:
        """The backend's."""
