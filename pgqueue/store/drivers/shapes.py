"""How connections of other drivers, and Django's, look to a type checker, also where those are not installed."""

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


class DjangoConnection(Protocol):
    """Django's."""

    in_atomic_block: Any

    def ensure_connection(self) -> None:
        """Open it, if it is not."""

    def validate_no_broken_transaction(self) -> None:
        """Raise in one."""


class DjangoCursor(Protocol):
    """Django's."""

    db: Any

    def callproc(self, procname: Any, params: Any = ..., kparams: Any = ...) -> Any:
        """As DB-API has it, with arguments by name."""
