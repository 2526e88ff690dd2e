"""Jobs that raise what nobody should: under every kind of executor a failed attempt, and nothing else."""

from __future__ import annotations

import pytest

from pgqueue.description import MESSAGE_LIMIT, TRACEBACK_LIMIT
from pgqueue.store import execute, reading
from tests.hostile.arena import Arena

pytestmark = pytest.mark.faults
ERRORS = "tests.hostile.nasty.errors"


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "Foreign"])
@pytest.mark.parametrize("how", ["raise_builtin", "raise_builtin_async"])
def test_no_exception_gets_out_of_an_attempt(arena: Arena, how: str, name: str) -> None:
    outcome, kind = arena.end_of(arena.meet(f"errors:{how}", name))
    assert (outcome, (kind or "").rpartition(".")[2]) == ("failed", name)


@pytest.mark.parametrize(
    ("target", "args", "kind", "said"),
    [
        ("raise_mute", ["raises"], f"{ERRORS}.Mute", "(its __str__ raised RuntimeError)"),
        ("raise_mute", ["exits"], f"{ERRORS}.Mute", "(its __str__ raised SystemExit)"),
        ("raise_mute", ["interrupts"], f"{ERRORS}.Mute", "(its __str__ raised KeyboardInterrupt)"),
        ("raise_mute", ["recurses"], f"{ERRORS}.Mute", "(its __str__ raised RecursionError)"),
        ("raise_mute", ["lies"], f"{ERRORS}.Mute", "(its __str__ raised TypeError)"),
        ("raise_mute", ["tricks"], f"{ERRORS}.Mute", "a text that is no plain one"),
        ("raise_nameless", [], f"{ERRORS}.Nameless", "who am I"),
        ("raise_circular", [], "ValueError", "first"),
        ("raise_chain", [50_000], "ValueError", "number 49999"),
        ("raise_group", [10_000], "ExceptionGroup", "many (10000 sub-exceptions), first ValueError: 0"),
        ("raise_nested_group", [900], "ExceptionGroup", "one more (1 sub-exception), first ValueError: innermost"),
        ("raise_unstorable_text", [], "ValueError", "a NUL \\x00 and a lone \\ud800 surrogate"),
        ("raise_with_notes", [], "ValueError", "annotated"),
        ("recurse", [], "RecursionError", "maximum recursion depth exceeded"),
    ],
)
def test_an_exception_that_cannot_be_described_is_described_as_far_as_it_can_be(
    arena: Arena, target: str, args: list[object], kind: str, said: str
) -> None:
    job = arena.meet(f"errors:{target}", *args)
    assert arena.end_of(job) == ("failed", kind)
    (attempt,) = execute(arena.desk.conn, reading.attempts(job.id))
    assert attempt.error == said
    assert target in (attempt.traceback or "")


def test_a_message_of_50_mb_does_not_fill_the_history(arena: Arena) -> None:
    job = arena.meet("errors:raise_long", 50)
    (attempt,) = execute(arena.desk.conn, reading.attempts(job.id))
    assert len(attempt.error or "") < MESSAGE_LIMIT + 100
    assert len(attempt.traceback or "") < TRACEBACK_LIMIT + 100


def test_a_traceback_of_100_000_frames_is_cut(children: Arena) -> None:
    """Under threads the stack ends, and with it the worker: a raised recursion limit is only a child's to survive."""
    job = children.meet("errors:raise_deep", 100_000)
    assert children.end_of(job)[0] in ("failed", "crashed")
