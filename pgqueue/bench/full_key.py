"""A key that is full, with very many jobs behind it: what it costs the claims of other keys, and those without keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pgqueue
from pgqueue.bench.claiming import BATCH
from pgqueue.bench.growth import said
from pgqueue.bench.program import ask_client, clients
from pgqueue.bench.reading import Key, Measure, Reading, quantile
from pgqueue.bench.site import Site, checkpoint
from pgqueue.bench.sizes import Sizes
from pgqueue.store.connection import open_connection

FIGURE = f"claim of {BATCH} beside a full key"
# Jobs that can be claimed, and in how many keys those with keys are.
READY, KEYS = 1_000, 100


@dataclass(frozen=True, slots=True)
class Shape:
    """Claims of jobs in so many keys, 0 for none; and how many wait behind the full one."""

    keys: int
    behind: int

    @property
    def name(self) -> str:
        """For people."""
        kind = "other keys" if self.keys else "without keys"
        return f"{kind}, {f'{said(self.behind)} behind it' if self.behind else 'alone'}"


def shapes(sizes: Sizes) -> list[tuple[Shape, Shape]]:
    """Each with the one that it is compared with: the same claims, and nothing else there."""
    return [(Shape(keys, sizes.behind), Shape(keys, 0)) for keys in (0, KEYS)]


@contextmanager
def measures(site: Site) -> Iterator[list[Measure]]:
    """One measure over all shapes, each in a database of its own, filled in the first round."""
    if not site.sizes.behind:
        yield []
        return
    with ExitStack() as stack:
        filled: dict[str, tuple[str, int]] = {}

        def measure(site: Site) -> list[Reading]:
            for pair in shapes(site.sizes):
                for shape in pair:
                    if shape.name not in filled:
                        dsn = stack.enter_context(site.another())
                        _fill(dsn, shape)
                        filled[shape.name] = dsn, shape.keys
            return _claims(site, filled)

        yield [Measure("full-key", measure)]


def _fill(dsn: str, shape: Shape) -> None:
    with open_connection(dsn, "bench", deadline=None) as conn:
        pgqueue.set_limit(conn, "key", "full", concurrency=1)
        pgqueue.set_limit(conn, "key", "other-*", concurrency=BATCH)
        if shape.behind:
            ask_client(do="hold_key", dsn=dsn, key="full")
            ask_client(do="enqueue_keyed", dsn=dsn, count=shape.behind, keys=1, name="full")
        if shape.keys:
            ask_client(do="enqueue_keyed", dsn=dsn, count=READY, keys=shape.keys, name="other")
        else:
            ask_client(do="enqueue_bulk", dsn=dsn, count=READY)
        conn.execute("vacuum (analyze) pgqueue.jobs")
        checkpoint(conn)


def _claims(site: Site, filled: dict[str, tuple[str, int]]) -> list[Reading]:
    with clients(1) as (client,):
        answer = client.ask(900, do="claims_beside", shapes=filled, cycles=site.sizes.claims)
    found = []
    for name, times in answer["times"].items():
        found += [Reading(Key(f"{FIGURE}, p{share}", name), "ms", quantile(times, share / 100)) for share in (50, 95)]
        found.append(Reading(Key(f"{FIGURE}, jobs got", name), "", answer["held"][name] / len(times)))
    return found
