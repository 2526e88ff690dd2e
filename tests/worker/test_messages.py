"""What worker and children say to each other: it comes across whole, and nonsense stays data."""

from __future__ import annotations

import inspect
import json
import math
import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgqueue.brings import Brings
from pgqueue.errors import OptionError
from pgqueue.events import Finished
from pgqueue.job import BatchClaim, QueueTerms, each_of
from pgqueue.judge import Fallback, Terms, judge
from pgqueue.outcome import (
    Bury,
    Cancelled,
    Crashed,
    Ended,
    Failed,
    Late,
    Outcome,
    Reason,
    Released,
    Settlement,
    Succeeded,
    TimedOut,
    error_report,
)
from pgqueue.retry import Backoff, Delays, Fixed, Linear, RetryPolicy
from pgqueue.tasks import Modules
from pgqueue.worker.attempts.task_spec import TaskSpec, portable
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.executors.process import messages, spec_wire, wire
from tests.worker.claims import claim

ERROR = error_report("shop.Error", "\x00 \x1b \ud800 żółw 亀 " + "x" * 9_000)
LONGEST = 4096


def sent(message: bytes) -> list[list[Any]]:
    """What arrives of it, byte by byte."""
    unpacker = messages.Unpacker(messages.LONGEST_SAID)
    heard = [each for byte in message for each in unpacker.feed(bytes([byte]))]
    assert not unpacker.torn
    return heard


def ordered(message: bytes) -> list[tuple[Any, ...]]:
    """What arrives in the child of what its worker says, byte by byte, twice."""
    unpacker = messages.OrderUnpacker()
    first, second = [each for byte in message * 2 for each in unpacker.feed(bytes([byte]))]
    assert first == second
    return [first]


def test_a_claim_comes_across_whole() -> None:
    first = claim("give", {"deep": ["ü\n\x1b", 10**40]}, timeout=math.inf, labels='{"a": "b"}', worker=2**63 - 1)
    ((_, entries),) = ordered(messages.pack_order(messages.RUN, [wire.claim_to_wire(7, first)]))
    assert [wire.claim_from_wire(entry) for entry in entries] == [(7, first)]


def test_what_a_queue_says_comes_across_with_its_claims() -> None:
    first = claim("give")._replace(terms=QueueTerms(2.5, 3), headers='{"traceparent": "00"}')
    ((_, entries),) = ordered(messages.pack_order(messages.RUN, [wire.fed_to_wire(7, BatchClaim.of([first, first]))]))
    ((number, batch),) = [wire.fed_from_wire(entry) for entry in entries]
    assert (number, each_of(batch)) == (7, (first, first))
    assert type(each_of(batch)[0].terms) is QueueTerms


def test_settings_come_across_whole() -> None:
    modules = Modules(("a", "b"), ("c",), tasks_only=True)
    settings = Settings(
        dsn="host=/tmp", concurrency=3, modules=modules, middleware=("m:n",), max_jobs_per_child=7, pass_dsn=True
    )
    ((_, said),) = ordered(messages.pack_order(messages.START, wire.settings_to_wire(settings)))
    assert wire.settings_from_wire(said) == settings


@pytest.mark.parametrize("said", ["shop:send", {"shop:send": 1}, [1], [None], ["shop.send"], ["shop:send", "a\x00:b"]])
def test_a_child_tells_of_no_functions_but_by_targets(said: object) -> None:
    assert wire.targets_from_child(["shop:send", "shop:send"]) == {"shop:send"}
    with pytest.raises(wire.Nonsense):
        wire.targets_from_child(said)


def brought(*texts: str) -> Brings:
    brings = Brings()
    for text in texts:
        brings.add("jobs", text)
    return brings


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(),
        Succeeded('{"long": "' + "ü" * 100_000 + '"}'),
        Succeeded(settled=True),
        Succeeded('"r"', brings=brought('{"target": "ü"}', "{}")),
        Failed(ERROR, delay=7),
        Failed(ERROR, retryable=False),
        TimedOut(ERROR),
        Crashed(ERROR),
        Ended(Reason.BURIED, error_report("", Bury("why"))),
        Cancelled("not wanted"),
        Released(5.0),
        Released(5.0, started=False, error=ERROR, avoid=True),
        Late(),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_every_outcome_comes_across_whole(outcome: Outcome) -> None:
    taken = claim("give")
    done = Finished(taken, judge(taken, outcome), 0.25)
    took = wire.seconds_to_wire(done.elapsed)
    said = messages.pack(messages.MOVED, 3, took, wire.settlement_to_wire(done.settlement), None)
    result = done.settlement.result
    if result is not None:
        said = messages.pack_result(result) + said
    if (brings := done.settlement.brings) is not None:
        said = messages.pack_result(brings, messages.BROUGHT) + said
    heard = sent(said)
    beside = [None if value is None else heard.pop(0)[1] for value in (brings, result)]
    ((_, _, elapsed, settlement, _),) = heard
    seconds = wire.elapsed_from_child(elapsed)
    assert wire.finished_from_child(taken, seconds, settlement, *reversed(beside))._replace(ended=0.0) == done


@pytest.mark.parametrize("begun", [None, 4])
@pytest.mark.parametrize("seconds", [0.0, 1e-7, 0.25, 86400.5])
def test_a_success_is_said_as_every_outcome_is(seconds: float, begun: int | None) -> None:
    """It is written by a way of its own, because it is said most often."""
    took = wire.seconds_to_wire(seconds)
    assert sent(messages.pack_success(3, took, begun)) == [[messages.MOVED, 3, took, None, begun]]
    assert wire.elapsed_from_child(took) == seconds


@pytest.mark.parametrize(
    "policy",
    [
        RetryPolicy(on=ValueError, not_on=KeyError),
        Backoff(first=1, cap=99),
        Linear(step=3, jitter=0),
        Fixed(7),
        Delays([1, 2]),
    ],
    ids=lambda policy: type(policy).__name__,
)
def test_a_task_comes_across_whole(policy: RetryPolicy) -> None:
    terms = Terms(policy, 5, "bury", "cancel", at_most_once=True, fallback=Fallback("a:b", 2, ("failed", "lost")))
    spec = portable(TaskSpec("shop:send", terms, math.inf, 1.5))
    ((_, said),) = sent(messages.pack(messages.TASK, spec_wire.spec_to_wire(spec)))
    assert spec_wire.spec_from_child(said) == spec


def test_every_policy_of_ours_can_come_across() -> None:
    module = inspect.getmodule(RetryPolicy)
    ours = {kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, RetryPolicy)}
    assert set(spec_wire._POLICIES.values()) == ours


def test_every_field_of_a_settlement_is_checked() -> None:
    assert set(wire._CHECKS) | {"id", "claim", *wire.BESIDE} == set(Settlement._fields)


def settled(**changes: Any) -> list[Any]:
    values = {
        "move": "retry",
        "outcome": "failed",
        "delay": 1.0,
        "reason": None,
        "error_type": "E",
        "error": "e",
        "traceback": None,
        "started": True,
        "avoid": False,
        "headers": None,
        "cause": "0123456789ab",
        "expected": False,
        "fallback": None,
        **changes,
    }
    return [values[name] for name in wire._FIELDS]


@pytest.mark.parametrize(
    "lie",
    [
        1,
        "x",
        [],
        {},
        [None] * 50,
        settled(move="drop table"),
        settled(move=None),
        settled(move={}),
        settled(outcome=1),
        settled(outcome="x" * 1_000_000),
        settled(delay=math.nan),
        settled(delay=-1),
        settled(delay=1e300),
        settled(delay="1"),
        settled(delay=True),
        settled(reason="because"),
        settled(reason=[]),
        settled(error="\x00"),
        settled(error="\ud800"),
        settled(error=["e"]),
        settled(traceback="x" * 1_000_000),
        settled(started=1),
        settled(avoid=None),
        settled(cause=7),
        settled(cause="0123456789AB"),
        settled(cause="0" * 13),
        settled(fallback="drop table"),
        settled(fallback=["human"]),
    ],
    ids=str,
)
def test_a_lie_about_an_attempt_is_nonsense(lie: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        wire.finished_from_child(claim("give"), 0.1, json.loads(json.dumps(lie)), None)
    assert wire.finished_from_child(claim("give"), 0.1, settled(), None).settlement.error == "e"


@pytest.mark.parametrize("lie", [None, 0.5, "1", -1, True, math.nan, math.inf, 10**18, []])
def test_a_lie_about_the_time_is_nonsense(lie: Any) -> None:
    with pytest.raises(wire.Nonsense):
        wire.elapsed_from_child(lie)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("lie", [None, 1, "x", [], {}, math.nan, {"cap": -1}, {"max_attempts": 10**9}, 10**400])
def test_a_lie_about_a_task_is_nonsense_or_no_lie(place: int, lie: Any) -> None:
    true = TaskSpec("shop:send", Terms(), 1.0, None)
    said = json.loads(json.dumps(spec_wire.spec_to_wire(true)))
    said[place] = lie
    try:
        spec = spec_wire.spec_from_child(json.loads(json.dumps(said)))
    except (ValueError, TypeError, OverflowError, OptionError):
        return
    # Another name, or another limit, may be true.
    assert spec._replace(target="", timeout=None, soft_timeout=None) == true._replace(target="", timeout=None)


class Bomb:
    """Goes off when it is unpickled."""

    def __reduce__(self) -> Any:
        return print, ("BOOM",)


@pytest.mark.parametrize(
    "garbage",
    [
        pickle.dumps((6, None, 1, Bomb())) + b"\n",
        len(pickle.dumps(Bomb())).to_bytes(4, "big") + pickle.dumps(Bomb()) + b"\n",
        b"[" + b" " * LONGEST + b"4]\n",
        b"\xff\xff\xff\xff\n",
        b"[" * 100_000 + b"\n",
        b"[" + b"9" * 100_000 + b"]\n",
        b"[12,99999999999999]\n",
        b"[12,-1]\n",
        b'[12,"9"]\n',
        b"[12,2]\n\xff\xff",
        b"[]\n",
        b"{}\n",
        b"7\n",
        b"[1]x\n",
        b"\n",
        "[é]\n".encode(),
        b"x" * (LONGEST + 1),
    ],
    ids=lambda garbage: repr(garbage[:20]),
)
def test_what_is_no_message_tears_the_stream_and_nothing_else(
    garbage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    unpacker = messages.Unpacker(100_000 if garbage.startswith(b"[9") else LONGEST)
    good = messages.pack(messages.GIVEN_BACK, [1])
    assert unpacker.feed(good + garbage) == [[messages.GIVEN_BACK, [1]]]
    assert unpacker.torn
    assert unpacker.feed(good) == []
    assert "BOOM" not in capsys.readouterr().out


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"[12,3]\n", b"[4]\n", b"[", b"\n", b'"'])))
def test_no_bytes_raise_or_are_kept_beyond_the_longest_line(chunks: list[bytes]) -> None:
    unpacker = messages.Unpacker(100)
    for chunk in chunks:
        for message in unpacker.feed(chunk):
            assert type(message) is list
            assert message
        assert len(unpacker._buffer) <= 100 + 200 or unpacker._result is not None


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_is_taken_for_what_a_child_says_unless_it_is_that(said: Any) -> None:
    with pytest.raises(wire.Nonsense):
        spec_wire.spec_from_child(said)
    if said is not None:
        with pytest.raises((ValueError, TypeError)):
            wire.finished_from_child(claim("give"), 0.1, said, None)


_ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5_000)


@given(st.lists(_ANYTHING, max_size=4), _ANYTHING)
def test_a_lie_about_progress_and_time_is_nonsense_or_no_lie(said: list[Any], seconds: Any) -> None:
    with suppress(wire.Nonsense):
        found = wire.progress_from_child(said)
        assert math.isfinite(found.done)
        assert found.total is None or 0 <= found.total < math.inf
        assert found.note is None or len(found.note) <= 2_000
    with suppress(wire.Nonsense):
        assert 0 < wire.seconds_from_child(seconds) <= 86_400
