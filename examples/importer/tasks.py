"""What the worker does: reads a CSV file from where it was, and commits each batch with where it is now."""

import csv
import datetime
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

import pgqueue

BATCH = 500
Row = tuple[int, str, str, datetime.date, Decimal]


@pgqueue.task(queue="imports", iterable=True, transactional=True, max_run="5m", retry=pgqueue.Backoff(first=1))
def import_orders(conn: psycopg.Connection, path: str) -> Iterator[dict[str, int]]:
    """Import the orders of a file: at each yield the rows of a batch commit, and with them the place behind it."""
    job = pgqueue.current_job()
    place = job.resumed_from or {"byte": 0, "line": 0}
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        while batch := _next_batch(file, place["byte"]):
            rows, refused = _parsed(batch, place["line"])
            with conn.cursor().copy("copy orders (line, customer, city, ordered, amount) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            with conn.cursor() as cursor:
                cursor.executemany("insert into refused_lines (line, why, text) values (%s, %s, %s)", refused)
            place = {"byte": file.tell(), "line": place["line"] + len(batch)}
            job.progress(place["byte"], size, f"{place['line']:,} lines")
            yield place


def _next_batch(file: BinaryIO, byte: int) -> list[bytes]:
    """The next lines of the file; the first one of all names the columns."""
    file.seek(byte)
    if byte == 0:
        file.readline()
    return list(islice(file, BATCH))


def _parsed(batch: list[bytes], before: int) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """Rows, and lines that are none, each with its number."""
    rows: list[Row] = []
    refused: list[tuple[int, str, str]] = []
    for number, line in enumerate(batch, before + 1):
        text = line.decode(errors="replace").rstrip("\r\n")
        try:
            rows.append(_row(number, next(csv.reader([text]))))
        except (ValueError, InvalidOperation, csv.Error) as error:
            refused.append((number, str(error), text))
    return rows, refused


def _row(number: int, cells: list[Any]) -> Row:
    customer, city, ordered, amount = cells
    return number, customer, city, datetime.date.fromisoformat(ordered), Decimal(amount)
