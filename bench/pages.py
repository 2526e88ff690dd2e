"""docs/performance.md filled in: what stands between two markers is replaced by what a run found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import drawn
from bench.manifest import ROOT, Peer, peers
from bench.settings import best, read, said
from pgqueue.bench.limit_targets import is_of_limits
from pgqueue.bench.run import Results
from pgqueue.bench.tables import figure_rows, markdown, number, target_rows
from pgqueue.bench.targets import CEILINGS

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "figures"
COSTS = ("CPU per", "WAL per", "transactions per", "dead rows per", "memory")


def fill_in(found: Results, page: Path = PAGE, figures: Path = FIGURES) -> None:
    """Write the figures, and the page's marked sections."""
    pictures = dict(drawn(found))
    figures.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (figures / f"{name}.svg").write_text(picture)
    _write(page, {**sections(found, list(pictures)), **limit_sections(found)})


def fill_in_limits(found: Results, page: Path = PAGE) -> None:
    """Write the sections about limits alone."""
    _write(page, limit_sections(found))


def _write(page: Path, sections: Mapping[str, str]) -> None:
    text = page.read_text()
    for name, section in sections.items():
        text = replaced(text, name, section)
    page.write_text(text)


def limit_sections(found: Results) -> dict[str, str]:
    """What the markers of the part about limits are to hold."""
    verdicts = [verdict for verdict in found.verdicts if is_of_limits(verdict.target.figure.figure)]
    rounds = [{key: each[key] for key in each if is_of_limits(key.figure)} for each in found.rounds]
    missing = [f"not measured: {name}: {why}" for name, why in found.missing.items()]
    return {
        "limits-run": _course(found),
        "limits-targets": markdown(target_rows(verdicts)),
        "limits-figures": "\n\n".join([markdown(figure_rows(rounds, {})), *missing]),
    }


def _course(found: Results) -> str:
    rounds = len(found.rounds)
    return (
        f"`{found.command}`, {rounds} rounds interleaved, {found.seconds / 60:.0f} minutes. {found.machine.sentence()}."
    )


def sections(found: Results, pictures: list[str]) -> dict[str, str]:
    """What each pair of markers is to hold, but for those about limits."""
    verdicts = [verdict for verdict in found.verdicts if not is_of_limits(verdict.target.figure.figure)]
    rounds = [{key: each[key] for key in each if not is_of_limits(key.figure)} for each in found.rounds]
    compared = [[peer.title, ", ".join(peer.packages), _settings(peer)] for peer in peers()]
    return {
        "run": _course(found),
        "targets": markdown(target_rows(verdicts)),
        "figures": markdown(figure_rows(rounds, CEILINGS)),
        "costs": markdown(costs(found)),
        "pictures": "\n\n".join(f"![{name}](figures/{name}.svg)" for name in pictures),
        "peers": markdown([["queue", "version", "settings"], *compared]) if compared else "None was measured.",
        "sweeps": markdown(swept(peers())),
        "missing": "\n".join(f"- {name}: {why}" for name, why in found.missing.items()) or "Nothing.",
    }


def _settings(peer: Peer) -> str:
    """What it was told, and which of its settings a sweep chose."""
    drain, pick_up = best(peer, "drain"), best(peer, "pick_up")
    if not drain:
        return peer.settings
    chosen = said(drain) if drain == pick_up else f"{said(drain)}, to pick up {said(pick_up)}"
    return f"{chosen}; {peer.settings}"


def swept(found: Sequence[Peer]) -> list[list[str]]:
    """What each of the settings that were tried came to, by its best round."""
    rows = [["queue", "settings", "drain", "pick-up p50"]]
    for peer in found:
        sweep = read(peer)
        for each in sweep.tries if sweep else []:
            drain = f"{number(max(each.drain))} /s" if each.drain else "failed"
            pick_up = f"{number(min(each.pick_up))} ms" if each.pick_up else "failed"
            rows.append([peer.title, said(each.settings), drain, pick_up])
    return rows


def costs(found: Results) -> list[list[str]]:
    """The rows of what a job costs."""
    head, *rows = figure_rows(found.rounds, {})
    return [head[:4], *[row[:4] for row in rows if row[0].startswith(COSTS)]]


def replaced(text: str, name: str, section: str) -> str:
    """The text with another section between the markers of that name. Raises LookupError where there are none."""
    opening, closing = f"<!-- bench:{name} -->", "<!-- /bench -->"
    pattern = re.compile(f"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    if not pattern.search(text):
        raise LookupError(f"the page has no {opening} ... {closing}")
    return pattern.sub(lambda _: f"{opening}\n\n{section}\n\n{closing}", text)
