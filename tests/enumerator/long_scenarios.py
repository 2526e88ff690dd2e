"""Jobs that go on where they were: whatever befalls them, each unit is done once, and none passed over."""

from __future__ import annotations

from tests.enumerator.scenarios import BEGUN, Scenario

LONG_SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="units of a transactional job",
        setup=lambda stage: stage.send("write_units"),
        worker={},
        roles=frozenset({"job", "claimer"}),
        limits=BEGUN,
    ),
    Scenario(
        name="units in transactions of its own",
        setup=lambda stage: stage.send("write_own_units", stage.proxied),
        worker={},
        roles=frozenset({"own", "line"}),
    ),
    Scenario(
        name="stop at a yield",
        setup=lambda stage: stage.send("write_units", 0.3),
        worker={"shutdown_timeout": 3},
        roles=frozenset({"job", "claimer"}),
        limits={**BEGUN, "step": 1, "connect": 0, "settings": 0},
        limit=2,
        signal_when="select count(*) > 0 from units",
    ),
)
