"""The dead man's switch: asked for while the worker is ready, and not otherwise; its address is told nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgqueue.errors import OptionError
from pgqueue.events import Event, Trouble
from pgqueue.worker import Worker
from pgqueue.worker.supervision.health import Health, Phase
from pgqueue.worker.supervision.pulse import Pulse
from tests.alerts.receiving import Hook
from tests.waiting import wait_until
from tests.worker.running import StartThreaded
from tests.worker.test_health import WELL

QUIET = Health(**{name: getattr(WELL, name) for name in WELL.__slots__} | {"phase": Phase.QUIET})


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def test_a_worker_that_is_ready_asks_for_the_address(start: StartThreaded, hook: Hook) -> None:
    start(executor="thread", heartbeat_url=f"{hook.url}?rid=1")
    wait_until(lambda: hook.taken)
    assert hook.taken[0].path == "/hook?rid=1"


def test_one_that_is_not_ready_does_not(hook: Hook) -> None:
    looked: list[Health] = []

    def health() -> Health:
        looked.append(QUIET if len(looked) < 3 else WELL)
        return looked[-1]

    pulse = Pulse(hook.url, health, lambda _: None, every=0.01)
    pulse.start()
    wait_until(lambda: hook.taken)
    pulse.stop()
    assert len(looked) > 3


def test_what_is_not_heard_is_told_once_without_the_address_and_tried_again(hook: Hook) -> None:
    events: list[Event] = []
    hook.answers = [500, 302, 500]
    pulse = Pulse(f"{hook.url}/hush-7f3a91", lambda: WELL, events.append, every=0.01)
    pulse.start()
    wait_until(lambda: len(hook.taken) > 4)
    pulse.stop()
    told = [event.error for event in events if isinstance(event, Trouble)]
    assert told == [
        "the heartbeat URL was not reached: answered 500",
        "the heartbeat URL was not reached: answered 302",
    ]
    assert "hush" not in str(events)


@pytest.mark.parametrize(
    "url", ["ftp://x/", "https://", "not an address", "https://x:0/", "https://x:y/", "http://x/\u00e9"]
)
def test_what_is_no_address_is_refused(url: str, dsn: str) -> None:
    with pytest.raises(OptionError, match="heartbeat_url must be"):
        Worker(dsn, heartbeat_url=url)
