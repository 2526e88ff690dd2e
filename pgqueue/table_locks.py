"""What a statement of a migration locks, and how much it has to do meanwhile: read from its text, no database asked.

After PostgreSQL's manual: "Explicit Locking", and the pages of each command. tests/upgrades/test_locks.py holds it to
what pg_locks shows while every migration is applied; a statement that it cannot read is an error there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Lock(IntEnum):
    """A mode of PostgreSQL's table locks, the weakest first; each is at odds with more than the one before."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def words(self) -> str:
        """As the manual writes it."""
        return self.name.lower().replace("_", " ")


class Work(StrEnum):
    """What has to be done under the lock."""

    AT_ONCE = "at once"
    READS = "reads it whole"
    INDEXES = "builds an index"
    REWRITES = "writes it anew"


@dataclass(frozen=True, slots=True)
class TableLock:
    """One lock that a statement takes; `narrows`: what the release before uses may be gone after it."""

    table: str
    lock: Lock
    work: Work = Work.AT_ONCE
    narrows: bool = False


class Unreadable(ValueError):
    """A statement whose locks cannot be read from its text."""


class Reader:
    """Reads the statements of a chain of migrations in their order: what was made in it is locked for nobody."""

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._table_of: dict[str, str] = {}

    def have(self) -> None:
        """What was made so far is there, and others use it."""
        self._made.clear()

    def read(self, statement: str) -> list[TableLock]:
        """The locks of one statement on what is there already. Raises Unreadable."""
        text = plain(statement)
        return [each for each in self._locks(text) if each.table not in self._made]

    def narrows(self, statement: str) -> bool:
        """Whether it takes something away that code knows, or refuses what code does. Raises Unreadable."""
        return bool(_DROP_OBJECT.match(plain(statement))) or any(each.narrows for each in self.read(statement))

    def _locks(self, text: str) -> Iterator[TableLock]:
        if found := _CREATE_TABLE.match(text):
            self._made.add(found["name"])
        elif found := _CREATE_INDEX.match(text):
            self._table_of[found["name"]] = found["table"]
            lock = Lock.SHARE_UPDATE_EXCLUSIVE if found["concurrently"] else Lock.SHARE
            yield TableLock(found["table"], lock, Work.INDEXES, narrows=bool(found["unique"]))
        elif found := _ALTER_TABLE.match(text):
            for part in _parts(found["parts"]):
                yield _altered(found["table"], part)
        elif found := _RENAME_INDEX.match(text):
            self._table_of[found["to"]] = self._table_of.pop(found["name"], found["name"])
        elif found := _DROP_INDEX.match(text):
            table = self._table_of.get(found["name"])
            if table is None:
                raise Unreadable(f"which table is the index {found['name']} of? no migration made it: {text[:80]}")
            yield TableLock(table, Lock.ACCESS_EXCLUSIVE)
        else:
            yield from _others(text)


def plain(statement: str) -> str:
    """A statement without comments and line breaks, and in lower case but for what stands in quotes."""
    text = re.sub(r"--[^\n]*", "", statement)
    text = " ".join(text.split()).rstrip("; ")
    return re.sub(r"'[^']*'|[^']+", lambda found: found[0] if found[0].startswith("'") else found[0].lower(), text)


def strongest(locks: Iterable[TableLock]) -> dict[str, Lock]:
    """The strongest lock on each table."""
    found: dict[str, Lock] = {}
    for each in locks:
        found[each.table] = max(found.get(each.table, each.lock), each.lock)
    return found


_NAME = r'(?:pgqueue\.)?"?(?P<{}>\w+)"?'
_TABLE = r'pgqueue\."?(?P<table>\w+)"?'
_IF = r"(?:if (?:not )?exists )?"
_CREATE_TABLE = re.compile(rf"create table {_IF}{_NAME.format('name')}(?! partition of)")
_CREATE_INDEX = re.compile(
    r"create (?P<unique>unique )?index (?P<concurrently>concurrently )?"
    rf"{_IF}{_NAME.format('name')} on (?:only )?{_TABLE}"
)
_ALTER_TABLE = re.compile(rf"alter table {_IF}(?:only )?{_TABLE} (?P<parts>.*)")
_RENAME_INDEX = re.compile(rf"alter index {_IF}{_NAME.format('name')} rename to {_NAME.format('to')}")
# Without it code is slower, and no different.
_DROP_INDEX = re.compile(rf"drop index (?:concurrently )?{_IF}{_NAME.format('name')}")
_DROP_OBJECT = re.compile(r"drop (?:function|procedure|type|sequence|domain)\b")

# Told in order: the first that begins a part of ALTER TABLE says what it does. Those that narrow take something away
# from code that knows the table as it was, or refuse what it writes.
_ALTERATIONS: tuple[tuple[str, Lock, Work, bool], ...] = (
    (r"add column .*\b(?:primary key|unique)\b", Lock.ACCESS_EXCLUSIVE, Work.INDEXES, False),
    (r"add column .*\bgenerated always as\b", Lock.ACCESS_EXCLUSIVE, Work.REWRITES, False),
    (
        r"add column .*\bdefault (?:clock_timestamp|gen_random_uuid|nextval|random)\b",
        Lock.ACCESS_EXCLUSIVE,
        Work.REWRITES,
        False,
    ),
    (r"add column (?!.*\bdefault\b).*\bnot null\b", Lock.ACCESS_EXCLUSIVE, Work.READS, True),
    (r"add column .*\bcheck\b", Lock.ACCESS_EXCLUSIVE, Work.READS, False),
    (r"add column\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
    (r"add constraint .*\busing index\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, True),
    (r"add constraint .*\b(?:primary key|unique|exclude)\b", Lock.ACCESS_EXCLUSIVE, Work.INDEXES, True),
    (r"add constraint .*\bnot valid$", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, True),
    (r"add (?:constraint|check)\b", Lock.ACCESS_EXCLUSIVE, Work.READS, True),
    (r"validate constraint\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS, False),
    # Whatever the dropped constraint refused is allowed from now on.
    (r"drop constraint\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
    (r"alter (?:column )?\w+ (?:set data )?type\b", Lock.ACCESS_EXCLUSIVE, Work.REWRITES, True),
    (r"alter (?:column )?\w+ set not null\b", Lock.ACCESS_EXCLUSIVE, Work.READS, True),
    (r"alter (?:column )?\w+ drop default\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, True),
    (r"alter (?:column )?\w+ (?:set default|drop not null)\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
    (r"alter (?:column )?\w+ set statistics\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.AT_ONCE, False),
    (r"(?:drop|rename)\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, True),
    (r"(?:set|reset) \(", Lock.SHARE_UPDATE_EXCLUSIVE, Work.AT_ONCE, False),
    (r"attach partition\b", Lock.SHARE_UPDATE_EXCLUSIVE, Work.READS, False),
    (r"(?:enable|disable|force|no force) row level security\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
    (r"(?:enable|disable) trigger\b", Lock.SHARE_ROW_EXCLUSIVE, Work.AT_ONCE, False),
    (r"owner to\b", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
)


def _altered(table: str, part: str) -> TableLock:
    for beginning, lock, work, narrows in _ALTERATIONS:
        if re.match(beginning, part):
            return TableLock(table, lock, work, narrows)
    raise Unreadable(f"alter table pgqueue.{table} {part[:80]}")


def _parts(text: str) -> list[str]:
    """The parts of an ALTER TABLE: at the commas that stand in no brackets and no quotes."""
    depth, quoted, parts = 0, False, [""]
    for sign in text:
        quoted ^= sign == "'"
        if not quoted:
            depth += (sign in "([") - (sign in ")]")
        if sign == "," and not quoted and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


# Told in order. What locks no table at all has no lock here.
_OTHERS: tuple[tuple[re.Pattern[str], Lock | None, Work, bool], ...] = tuple(
    (re.compile(beginning), lock, work, narrows)
    for beginning, lock, work, narrows in (
        (rf"create (?:constraint )?trigger \w+ .*?\bon {_TABLE}", Lock.SHARE_ROW_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"drop trigger {_IF}\w+ on {_TABLE}", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"(?:create|alter|drop) policy {_IF}\w+ on {_TABLE}", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"drop (?:table|view) {_IF}{_TABLE}", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, True),
        (rf"comment on (?:table|view) {_TABLE}", Lock.SHARE_UPDATE_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"comment on column {_TABLE}", Lock.SHARE_UPDATE_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"insert into {_TABLE} \([^)]*\) values\b", Lock.ROW_EXCLUSIVE, Work.AT_ONCE, False),
        (rf"(?:insert into|update|delete from) {_TABLE}", Lock.ROW_EXCLUSIVE, Work.REWRITES, False),
        (rf"lock table {_TABLE} in access exclusive mode", Lock.ACCESS_EXCLUSIVE, Work.AT_ONCE, False),
        (r"create (?:schema|sequence|type|domain|operator|role)\b", None, Work.AT_ONCE, False),
        (r"create (?:or replace )?(?:function|procedure)\b", None, Work.AT_ONCE, False),
        (r"alter (?:function|procedure|type|sequence|default privileges)\b", None, Work.AT_ONCE, False),
        (r"drop (?:function|procedure|type|sequence|domain)\b", None, Work.AT_ONCE, False),
        (r"comment on (?:schema|function|sequence|type|trigger|constraint)\b", None, Work.AT_ONCE, False),
        (r"(?:grant|revoke)\b", None, Work.AT_ONCE, False),
    )
)
# What a block of code must not do, because nobody can read from outside on what it does it.
_HIDDEN = re.compile(
    r"\b(?:(?:create|alter|drop|lock|truncate) (?:table|index|view|trigger|policy)|(?:insert into|update|delete from)"
    r" pgqueue\.|execute )"
)


def _others(text: str) -> Iterator[TableLock]:
    if text.startswith("do "):
        if _HIDDEN.search(text):
            raise Unreadable(f"a block of code that changes tables: {text[:80]}; give each change a statement")
        return
    for beginning, lock, work, narrows in _OTHERS:
        if found := beginning.match(text):
            if lock is not None:
                yield TableLock(found["table"], lock, work, narrows)
                # What it reads besides; who writes to that goes on.
                yield from (TableLock(name, Lock.ACCESS_SHARE) for name in _READ.findall(text))
            return
    raise Unreadable(text[:80])


_READ = re.compile(r"\b(?:from|join) pgqueue\.(\w+)")
