"""The settings of other queues: swept, kept, and taken as found best for each figure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.manifest import Peer, peers
from bench.settings import Sweep, Try, best, read, said, write

FEW, MANY = {"batch": 1}, {"batch": 1000}


@pytest.fixture
def peer() -> Peer:
    """One whose manifest has two settings to try."""
    return replace(next(peer for peer in peers() if peer.name == "procrastinate"), tries=(FEW, MANY))


def sweep(*tries: Try) -> Sweep:
    """One of these."""
    return Sweep(machine="abacus", jobs=10, tries=list(tries))


FOUND = sweep(
    Try(settings=FEW, drain=[10.0, 50.0, 12.0], pick_up=[9.0, 1.0]),
    Try(settings=MANY, drain=[90.0, 11.0], pick_up=[2.0]),
)


def test_each_figure_is_measured_at_the_settings_that_were_best_for_it(peer: Peer, tmp_path: Path) -> None:
    write(peer, FOUND, tmp_path)
    assert best(peer, "drain", tmp_path) == MANY
    assert best(peer, "pick_up", tmp_path) == FEW


def test_a_sweep_is_read_back_as_it_was(peer: Peer, tmp_path: Path) -> None:
    write(peer, FOUND, tmp_path)
    assert read(peer, tmp_path) == FOUND


def test_settings_that_failed_are_not_chosen(peer: Peer, tmp_path: Path) -> None:
    failed, slow = Try(settings=FEW, drain=[], pick_up=[]), Try(settings=MANY, drain=[1.0], pick_up=[9.0])
    write(peer, sweep(failed, slow), tmp_path)
    assert best(peer, "pick_up", tmp_path) == MANY


def test_without_a_sweep_or_after_the_manifest_changed_the_first_is_taken(peer: Peer, tmp_path: Path) -> None:
    assert best(peer, "drain", tmp_path) == FEW
    write(peer, FOUND, tmp_path)
    assert best(replace(peer, tries=({"batch": 7},)), "drain", tmp_path) == {"batch": 7}


def test_every_durable_peer_has_settings_to_try() -> None:
    for peer in peers():
        assert len(peer.tries) >= 3 or peer.context or peer.kind == "ours", peer.name


def test_settings_are_said_for_people() -> None:
    assert said({"local_queue": 2000, "concurrency": 100}) == "local queue 2,000, concurrency 100"
