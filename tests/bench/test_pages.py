"""The page of figures: sections between markers, pictures, and a run read back from its JSON lines."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import pages, records
from bench.figures import drawn
from bench.manifest import peers
from bench.pages import PAGE, replaced, sections
from bench.peer_measures import url_of
from pgqueue.bench.beside import Rival
from pgqueue.bench.machine import Machine
from pgqueue.bench.reading import Key, Reading
from pgqueue.bench.run import Results
from pgqueue.bench.sizes import FULL
from pgqueue.bench.tables import json_lines
from pgqueue.bench.targets import judge, targets

MACHINE = Machine("abacus", 2, 4.0, "Linux", "3.11", "3.2", "15", "1.0", {"fsync": "on"})
VALUES = {
    Key("drain, 1 worker", "thread"): 750.0,
    Key("drain, 1 worker", "raw"): 1000.0,
    Key("drain beside others", "snail & co"): 10.0,
    Key("drain beside others", "pgqueue, thread"): 700.0,
    Key("drain, 2 workers", "thread"): 800.0,
    Key("claim of 50, p95", "1k ready"): 2.0,
    Key("claim of 50, p95", "5M ready"): 2.5,
    Key("drain under a held horizon", "first tenth"): 700.0,
    Key("drain under a held horizon", "last tenth"): 690.0,
    Key("WAL per job, enqueue to end", "in bulk"): 900.0,
}


@pytest.fixture
def found() -> Results:
    """A run that found a few figures, and could not measure one."""
    results = Results(
        MACHINE, [{key: Reading(key, "/s", value) for key, value in VALUES.items()}], command="make bench"
    )
    results.missing["enqueue-1/pgbench"] = "pgbench is not on PATH"
    results.rivals = [Rival("snail & co", True)]
    results.verdicts = [judge(target, results.rounds) for target in targets(FULL, results.rivals)]
    return results


def test_a_section_replaces_what_stands_between_its_markers_alone() -> None:
    text = "a <!-- bench:x -->old<!-- /bench --> b <!-- bench:y -->kept<!-- /bench --> c"
    once = replaced(text, "x", r"new \1")
    assert once == "a <!-- bench:x -->\n\nnew \\1\n\n<!-- /bench --> b <!-- bench:y -->kept<!-- /bench --> c"
    assert replaced(once, "x", r"new \1") == once
    with pytest.raises(LookupError, match="bench:z"):
        replaced(text, "z", "")


def test_the_page_has_a_place_for_every_section(found: Results, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text())
    pages.fill_in(found, page, tmp_path / "figures")
    text = page.read_text()
    for section in [*sections(found, []).values(), *pages.limit_sections(found).values()]:
        assert section in text or "figures/" in text
    assert "| drain, `thread`, over the fastest loop | ≥ 0.6 × | 0.75 | 0.75–0.75 | met |" in text
    assert "- enqueue-1/pgbench: pgbench is not on PATH" in text
    pictures = {file.stem for file in (tmp_path / "figures").iterdir()}
    assert pictures == {"ratios", "drain", "beside", "claims", "workers", "horizon"}
    assert all(f"figures/{name}.svg" in text for name in pictures)


def test_every_figure_is_well_formed_and_is_no_picture_of_nothing(found: Results) -> None:
    for _, picture in drawn(found):
        ElementTree.fromstring(picture)
        assert "prefers-color-scheme: dark" in picture
    assert "snail &amp; co" in dict(drawn(found))["beside"]


def test_a_run_is_read_back_as_it_was(found: Results, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text("".join(f"{line}\n" for line in json_lines(found)))
    assert records.read(file) == found


def test_every_manifest_of_a_peer_can_be_read() -> None:
    for peer in peers():
        assert peer.packages or peer.kind == "ours", peer.name
        assert peer.does, peer.name
        assert (Path(pages.ROOT) / "bench" / "peers" / peer.program).exists(), peer.name


def test_a_libpq_string_becomes_a_url() -> None:
    assert (
        url_of("host=/tmp/x port=5432 user=postgres dbname=a") == "postgresql://postgres@/a?host=%2Ftmp%2Fx&port=5432"
    )


def test_our_default_executor_stands_in_every_comparison() -> None:
    ours = {peer.title: peer.does for peer in peers() if peer.kind == "ours"}
    assert set(ours) == {"pgqueue, process", "pgqueue, thread", "pgqueue, async"}
    assert set(ours["pgqueue, process"]) == {each for peer in peers() for each in peer.does}
