"""Batches on their way through an executor: who of them is meant, and what is left without some."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from uuid import UUID

from pgqueue.job import BatchClaim, Claim, each_of
from pgqueue.worker.executors.base import Leftover, Whereabouts


def all_of(claims: Iterable[Claim]) -> list[Claim]:
    """Each of the claims, those of batches one by one."""
    return [each for claim in claims for each in each_of(claim)]


def ids_among(claim: Claim, ids: Collection[UUID], of: int | None = None) -> frozenset[UUID]:
    """Which of these jobs it is, or its batch holds; none, if another worker id claimed it."""
    if of is not None and claim.worker != of:
        # A copy of a database has jobs with the same ids.
        return frozenset()
    return frozenset(each.id for each in each_of(claim) if each.id in ids)


def are_all(claim: Claim, ids: Collection[UUID]) -> bool:
    """Whether these are all of its jobs."""
    return all(each.id in ids for each in each_of(claim))


def parted(claim: Claim, ids: Collection[UUID]) -> tuple[Claim | None, list[Claim]]:
    """It without these jobs, None if nothing is left; and those."""
    stay = [each for each in each_of(claim) if each.id not in ids]
    rest = None if not stay else claim if len(stay) == len(each_of(claim)) else BatchClaim.of(stay)
    return rest, [each for each in each_of(claim) if each.id in ids]


def take_those(
    waiting: deque[tuple[Claim, float]], ids: Collection[UUID], of: int | None = None
) -> list[tuple[Claim, float]]:
    """Take what has any of these jobs out of `waiting`; others may take from either end meanwhile."""
    taken: list[tuple[Claim, float]] = []
    for entry in tuple(waiting):
        if ids_among(entry[0], ids, of):
            with suppress(ValueError):
                waiting.remove(entry)
                taken.append(entry)
    return taken


def left_unstarted(claim: Claim) -> list[Leftover]:
    """It never began."""
    return [Leftover(each, started=False) for each in each_of(claim)]


def whereabouts_of(
    claim: Claim, seconds: float, pid: int | None, stack: str | None, why: str | None
) -> list[Whereabouts]:
    """Where it is; of a batch the first job has the stack, and the others say so."""
    first, *others = each_of(claim)
    with_it = f"it runs in one call with job {first.id}"
    return [
        Whereabouts(first, seconds, pid, stack, why),
        *(Whereabouts(each, seconds, pid, None, with_it) for each in others),
    ]
