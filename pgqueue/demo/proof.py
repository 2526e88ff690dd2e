"""The proof: every file is counted again, directly, and compared with what its job left behind."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from pgqueue.demo.example import QUEUE, TARGET, Conn

STATES = """
select (args ->> 0)::bigint, state from pgqueue.job where id > %s and queue = %s and target = %s
"""
ROWS = """
select document.id, document.path,
       coalesce(array_agg(counted.word) filter (where counted.word is not null), '{}'),
       coalesce(array_agg(counted.occurrences) filter (where counted.word is not null), '{}')
from documents as document left join word_counts as counted on counted.document_id = document.id
group by document.id
"""


class Verdict(StrEnum):
    """What became of one file."""

    RIGHT = "right"
    LOST = "lost"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class Document:
    """What the database has of one file: the states of its jobs, and its rows (word, occurrences)."""

    states: list[str]
    rows: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Proof:
    """The sums over all files; `lost` and `doubled` name the files."""

    documents: int
    succeeded: int
    dead: int
    lost: list[Path]
    doubled: list[Path]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, nothing doubled, and every document has come to one end."""
        return not self.lost and not self.doubled and self.succeeded + self.dead == self.documents


def prove(conn: Conn, files: Sequence[Path], first: UUID) -> Proof:
    """Compare `files` with the database; jobs whose id is above `first` count."""
    left = dict.fromkeys(files, 0)
    states: Counter[str] = Counter()
    verdicts: dict[Verdict, list[Path]] = defaultdict(list)
    for path, document in _documents(conn, first):
        states.update(document.states)
        twice = left.pop(path, None) is None
        verdicts[Verdict.DOUBLED if twice else verdict(count(path), document)].append(path)
    return Proof(
        documents=sum(map(len, verdicts.values())),
        succeeded=states["succeeded"],
        dead=states["dead"],
        lost=[*left, *verdicts[Verdict.LOST]],
        doubled=verdicts[Verdict.DOUBLED],
    )


def count(path: Path) -> Counter[str] | None:
    """The words of a file; None if it cannot be decoded."""
    try:
        return Counter(re.findall(r"\w+", path.read_text(encoding="utf-8").lower()))
    except UnicodeDecodeError:
        return None


def verdict(expected: Counter[str] | None, document: Document) -> Verdict:
    """One job, one end, and the right rows once; a file that cannot be decoded has a dead job and no rows."""
    words = Counter(word for word, _ in document.rows)
    if len(document.states) > 1 or any(times > 1 for times in words.values()):
        return Verdict.DOUBLED
    end = "dead" if expected is None else "succeeded"
    is_right = document.states == [end] and dict(document.rows) == dict(expected or {})
    return Verdict.RIGHT if is_right else Verdict.LOST


def _documents(conn: Conn, first: UUID) -> Iterator[tuple[Path, Document]]:
    states = defaultdict(list)
    for document_id, state in conn.execute(STATES, [first, QUEUE, TARGET]):
        states[document_id].append(state)
    # Half a million rows: a cursor on the server hands them over in portions.
    with conn.transaction(), conn.cursor("documents") as cursor:
        for document_id, path, words, occurrences in cursor.execute(ROWS):
            yield Path(path), Document(states[document_id], list(zip(words, occurrences, strict=True)))
