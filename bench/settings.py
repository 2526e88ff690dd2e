"""The settings of a peer that a sweep found best on this kind of machine, one choice for each figure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from bench.manifest import ROOT, Peer, Settings

SWEEPS = ROOT / "bench" / "sweeps"
Figure = Literal["drain", "pick_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One of the settings, and what each round of the sweep found: jobs a second, and milliseconds at p50."""

    settings: Settings
    drain: list[float]
    pick_up: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """All that were tried of a peer, and where."""

    machine: str
    jobs: int
    tries: list[Try]

    def best(self, figure: Figure) -> Settings | None:
        """Those with the most jobs a second, or the shortest wait; None if nothing was measured.

        By each one's best round: what else the machine does only ever slows one down.
        """
        measured = [each for each in self.tries if each.drain and each.pick_up]
        if not measured:
            return None
        if figure == "drain":
            return max(measured, key=lambda each: max(each.drain)).settings
        return min(measured, key=lambda each: min(each.pick_up)).settings


def best(peer: Peer, figure: Figure, folder: Path = SWEEPS) -> Settings:
    """What its sweep chose for this figure, among those that its manifest still has; else the first of them."""
    found = read(peer, folder)
    chosen = found.best(figure) if found else None
    if chosen in peer.tries and chosen is not None:
        return chosen
    return peer.tries[0] if peer.tries else {}


def read(peer: Peer, folder: Path = SWEEPS) -> Sweep | None:
    """The sweep of a peer as it was kept; None if there was none."""
    file = folder / f"{peer.name}.json"
    if not file.exists():
        return None
    words = json.loads(file.read_text())
    return Sweep(**{**words, "tries": [Try(**each) for each in words["tries"]]})


def write(peer: Peer, sweep: Sweep, folder: Path = SWEEPS) -> None:
    """Keep it; it is published with the figures."""
    folder.mkdir(exist_ok=True)
    (folder / f"{peer.name}.json").write_text(json.dumps(asdict(sweep), indent=1) + "\n")


def said(settings: Settings) -> str:
    """For people."""
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in settings.items())
