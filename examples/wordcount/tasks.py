"""What the workers do."""

import re
from collections import Counter
from pathlib import Path

import psycopg

import pgqueue

WORD = re.compile(r"\w+")


# A file that is not UTF-8 will not be next time either: its job is dead at once, and keeps the traceback.
@pgqueue.task(queue="demo", transactional=True, retry=pgqueue.Backoff(first=1, not_on=UnicodeDecodeError))
def count_words(conn: psycopg.Connection, document_id: int) -> None:
    """Count the words of a document: what is written on `conn` commits with the job's success, or not at all."""
    (path,) = conn.execute("select path from documents where id = %s", [document_id]).fetchone()
    words = Counter(WORD.findall(Path(path).read_text(encoding="utf-8").lower()))
    conn.execute(
        "insert into word_counts (document_id, word, occurrences) select %s, * from unnest(%s::text[], %s::int[])",
        [document_id, list(words), list(words.values())],
    )
