"""A seed stands for a run: its faults, their times and victims, and its jobs."""

from __future__ import annotations

from itertools import islice

import pytest

from pgqueue.verify.schedule import OF_THE_SERVER, Kind, schedule
from pgqueue.verify.workload import Batch, batches


def drawn(seed: int, producer: int) -> list[Batch]:
    return list(islice(batches(seed, producer, 2.5), 200))


def test_a_seed_repeats_its_faults() -> None:
    assert schedule(7, 120, owns_server=True) == schedule(7, 120, owns_server=True)
    assert schedule(7, 120, owns_server=True) != schedule(8, 120, owns_server=True)


def test_a_longer_run_begins_as_the_shorter_one() -> None:
    short = schedule(7, 60, owns_server=True)
    assert schedule(7, 600, owns_server=True)[: len(short)] == short


def test_a_seed_repeats_its_jobs_and_each_producer_has_its_own() -> None:
    assert drawn(7, 1) == drawn(7, 1)
    assert drawn(7, 1) != drawn(7, 2)
    assert drawn(7, 1) != drawn(8, 1)


@pytest.mark.parametrize("owns_server", [True, False])
def test_every_fault_comes_in_two_minutes_whatever_the_seed(owns_server: bool) -> None:
    wanted = {kind for kind in Kind if owns_server or kind not in OF_THE_SERVER}
    for seed in range(200):
        faults = schedule(seed, 120, owns_server=owns_server)
        assert {fault.kind for fault in faults} == wanted
        assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
