"""What `pgqueue migrate` would do to a database: what it locks, who waits for it, and about how long. Changes nothing.

A migration locks everything of pgqueue at once (docs/design/migrating-beside-others.md), so that what counts is how
long all of it takes together: the work of each statement, by the size of its table. What stands in BESIDE was done
before, and nobody waited for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgqueue import migrate, revisions
from pgqueue.contracting import superfluous
from pgqueue.database import address_of
from pgqueue.errors import SchemaError
from pgqueue.giving_way import longest_wait
from pgqueue.store import execute
from pgqueue.store.connection import open_connection
from pgqueue.store.functions import repeatables
from pgqueue.store.rights import has_roles, made
from pgqueue.store.schema import TableSize, lock_holders, table_sizes
from pgqueue.table_locks import Lock, Reader, Work, plain

# Rows a second, on two cores with the table in memory: measured by tests/upgrades/test_rates.py, and rounded down. A
# disk may be slower.
RATES = {Work.READS: 5_000_000, Work.INDEXES: 500_000, Work.REWRITES: 250_000}
# What a statement of the catalogue takes, and a function or view: all of them run under the locks.
STATEMENT = 0.001
# As DESIGN.md's P14 and docs/guarantees.md promise.
LONGEST = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """One statement on one table: `waits` is who waits for its lock, `rows` and `seconds` are estimates.

    `beside`: before the migration, in a transaction of its own.
    """

    revision: str
    beside: bool
    statement: str
    table: str
    lock: str
    work: str
    waits: tuple[str, ...]
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """All that `pgqueue migrate` would do now.

    `locks`: the strongest lock on each table and view that it holds to its end. `pause`: for how many seconds it holds
    them, about; `wait`: for how many it may wait for them, others behind it, before it gives way. `blockers`:
    whose transactions it would have to wait for at this moment. `contract`: what `--contract` would drop.
    """

    revision: str | None
    newest: str
    state: str
    functions: bool
    steps: tuple[Step, ...] = ()
    locks: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    wait: float = 0.0
    blockers: tuple[str, ...] = ()
    contract: tuple[str, ...] = ()

    @property
    def too_long(self) -> bool:
        """Whether somebody would wait for longer than the lock timeout that is promised."""
        return self.pause > LONGEST


def plan(dsn: str) -> Plan:
    """What `migrate` would do to this database. Raises SchemaError as that does; DatabaseUnreachable."""
    found = migrate.status(dsn)
    if found.state == "newer":
        raise SchemaError(
            f"the database is at revision {found.revision}, newer than this code, which knows {found.newest}: there is"
            " nothing that this code could migrate; upgrade pgqueue here"
        )
    if found.revision is None:
        return Plan(None, found.newest, found.state, found.functions)
    with open_connection(address_of(dsn), "migrate", autocommit=True) as conn:
        contract = tuple(superfluous(conn))
        if found.state == "current" and found.functions:
            return Plan(found.revision, found.newest, found.state, found.functions, contract=contract)
        sizes, blockers = execute(conn, table_sizes()), execute(conn, lock_holders())
        # Rights that change lock all tables, too; whether some do is known when the functions are made.
        everything = found.state == "behind" or bool(execute(conn, has_roles()) and execute(conn, made()))
        wait = longest_wait(conn, everything=everything)
    steps = tuple(_steps(found.revision, {size.name: size.rows for size in sizes}))
    inside = [step for step in steps if not step.beside]
    texts = len([*repeatables()])
    return Plan(
        found.revision,
        found.newest,
        found.state,
        found.functions,
        steps=steps,
        locks=_locks(sizes, everything=everything),
        pause=round(sum(step.seconds for step in inside) + STATEMENT * texts, 2),
        wait=wait,
        blockers=tuple(blockers),
        contract=contract,
    )


def _steps(revision: str, rows: dict[str, int]) -> Iterator[Step]:
    reader = Reader()
    for each in revisions.coming(None, revision):
        for statement in each.statements:
            reader.read(statement)
    reader.have()
    for each in revisions.coming(revision):
        done = frozenset(_bare(statement) for statement in each.beside)
        for statement in each.beside:
            yield from _steps_of(reader, each.name, statement, rows, beside=True)
        for statement in each.statements:
            # What was built beside is there: `if not exists` finds it.
            yield from _steps_of(reader, each.name, statement, rows, is_done=_bare(statement) in done)


def _steps_of(
    reader: Reader, revision: str, statement: str, rows: dict[str, int], *, beside: bool = False, is_done: bool = False
) -> Iterator[Step]:
    text = plain(statement)
    for each in reader.read(statement):
        work = Work.AT_ONCE if is_done else each.work
        many = rows.get(each.table, 0)
        seconds = STATEMENT + (many / RATES[work] if work in RATES else 0.0)
        waits = WAITS[each.lock]
        yield Step(revision, beside, text, each.table, each.lock.words, work, waits, many, round(seconds, 3))


def _bare(statement: str) -> str:
    return plain(statement).replace(" concurrently", "")


# Who waits behind each lock. Autovacuum is not named: it gives way.
_WRITERS = ("claims", "enqueues")
WAITS: dict[Lock, tuple[str, ...]] = {
    Lock.ACCESS_SHARE: (),
    Lock.ROW_SHARE: (),
    Lock.ROW_EXCLUSIVE: (),
    Lock.SHARE_UPDATE_EXCLUSIVE: (),
    Lock.SHARE: _WRITERS,
    Lock.SHARE_ROW_EXCLUSIVE: _WRITERS,
    Lock.EXCLUSIVE: _WRITERS,
    Lock.ACCESS_EXCLUSIVE: (*_WRITERS, "reads"),
}


def _locks(sizes: Sequence[TableSize], *, everything: bool) -> dict[str, str]:
    """As lock_everything() takes them, or, where only functions and views are made anew, as these do."""
    own = {"alembic_version": Lock.SHARE_ROW_EXCLUSIVE.words}
    locked = [size.name for size in sizes if (everything or size.is_view) and size.name not in own]
    return own | dict.fromkeys(locked, Lock.ACCESS_EXCLUSIVE.words)
