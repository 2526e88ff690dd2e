"""`python -m bench peers sweep`: each peer at each of the settings of its manifest; the best ones are published.

Rounds are interleaved, setting by setting, on a server like that of the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench import settings
from bench.install import state
from bench.manifest import Peer, peers
from bench.peer_measures import drained, picked_up
from pgqueue.bench.machine import machine
from pgqueue.bench.reading import quantile
from pgqueue.bench.run import Settings, open_settings_site
from pgqueue.bench.site import Site
from pgqueue.bench.sizes import FULL
from pgqueue.errors import PgqueueError

ROUNDS = 2
JOBS, PICKUPS = 20_000, 60
# Where a wait takes a second, fewer of them tell as much.
PICKUP_SECONDS = 10.0


def main(names: Sequence[str]) -> int:
    """Sweep these, or all; answers 1 if one of them could not be measured."""
    failed = 0
    with open_settings_site(Settings(dsn=None, sizes=replace(FULL, drain=JOBS), rounds=ROUNDS)) as site:
        where = machine(site).sentence()
        for peer in peers():
            if not peer.tries or (names and peer.name not in names):
                continue
            if not peer.installed:
                print(f"{peer.title}: {state(peer)}")
                failed = 1
                continue
            tries = _sweep(site, peer)
            settings.write(peer, settings.Sweep(machine=where, jobs=JOBS, tries=tries))
            failed |= not any(each.drain for each in tries)
    return int(failed)


def _sweep(site: Site, peer: Peer) -> list[settings.Try]:
    tries = [settings.Try(settings=each, drain=[], pick_up=[]) for each in peer.tries]
    for number in range(1, ROUNDS + 1):
        for each in tries:
            try:
                each.drain.append(round(drained(site, peer, each.settings).rate))
                waits = picked_up(site, peer, each.settings, PICKUPS, seconds=PICKUP_SECONDS)
                each.pick_up.append(round(quantile(waits, 0.5), 3))
            except PgqueueError as error:
                print(f"{peer.title}: {settings.said(each.settings)}: {error}", flush=True)
                continue
            told = f"{each.drain[-1]:,} /s, pick-up {each.pick_up[-1]:.3g} ms"
            print(f"round {number}: {peer.title}: {settings.said(each.settings)}: {told}", flush=True)
    return tries
