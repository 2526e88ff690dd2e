"""Numbers, times and texts say what they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgqueue.dashboard.bars import bar
from pgqueue.dashboard.figures import brief_id, lasting, moment, number, short, target, visible
from pgqueue.dashboard.tracebacks import parts_of


@pytest.mark.parametrize(
    ("value", "estimated", "most", "shown"),
    [
        (None, False, None, "–"),
        (0, False, None, ">0<"),
        (312, False, None, "312"),
        (12_345, False, None, "12,345"),
        (3_141_592, True, None, "≈&nbsp;3.1 M"),
        (0, True, None, "≈&nbsp;0"),
        (1_234, True, None, "≈&nbsp;1,200"),
        (1_000, False, 1_000, "&gt;&nbsp;1,000"),
        (999, False, 1_000, "999"),
        (10**15, False, None, "1e+03 T"),
    ],
)
def test_a_number_says_whether_it_is_exact(value: int | None, estimated: bool, most: int | None, shown: str) -> None:
    assert shown in number(value, estimated, most)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"), (0.08, "80 ms"), (0.4, "0.4 s"), (9.96, "10 s"), (12, "12 s"), (59.6, "1 min"), (240, "4 min"),
        (7500, "2 h 5 min"), (86_400, "1 d"), (273_600, "3 d 4 h"), (-240, "−4 min"), (10**9, "11,574 d"),
    ],
)  # fmt: skip
def test_a_length_of_time_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert lasting(seconds) == said
    assert lasting(timedelta(seconds=seconds)) == said


def test_a_time_stands_there_for_browsers_and_for_people() -> None:
    at = datetime(2026, 11, 29, 12, 3, 11, tzinfo=UTC)
    html = moment(at, ZoneInfo("Europe/Vienna"))
    assert 'datetime="2026-11-29T12:03:11.000Z"' in html
    assert ">2026-11-29 13:03:11<" in html
    assert moment(None) == '<span class="none">–</span>'


@given(
    st.lists(st.tuples(st.sampled_from(["ready", "dead"]), st.integers(0, 10**12)), max_size=6), st.integers(0, 10**12)
)
def test_a_bar_never_leaves_its_frame(parts: list[tuple[str, int]], most: int) -> None:
    import re

    drawn = [
        (float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"', bar(parts, most))
    ]
    assert len(drawn) == sum(1 for _, value in parts if value)
    assert all(width > 0 and x + width <= 100.1 for x, width in drawn)


def test_a_text_is_short_and_visible() -> None:
    assert short("a\nb  c" + "x" * 400, 10) == "a b cxxxxx…"
    assert short(None) == "–"
    assert visible("a\x1bb\u202e") == "a\\x1bb\\u202e"
    assert "100,000 characters" in visible("x" * 100_000)


def test_ids_and_targets_show_what_tells_them_apart() -> None:
    assert brief_id("0190a7c2-1111-7000-8000-00000000e2ff") == "0190a7c2…e2ff"
    assert target("shop.mail:<b>") == '<span class="target"><span>shop.mail:</span><wbr><b>&lt;b&gt;</b></span>'


def test_frames_of_libraries_are_folded_and_no_line_is_lost() -> None:
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "/app/shop/tasks.py", line 3, in send\n    smtp.send()\n    ~~~~^^\n'
        '  File "/app/.venv/lib/python3.11/site-packages/smtp/a.py", line 7, in send\n    self.go()\n'
        '  File "/usr/lib/python3.11/socket.py", line 9, in go\n    raise OSError\n'
        '  File "/app/shop/net.py", line 1, in last\n'
        "OSError: no route\n"
        "  on two lines\n"
    )
    parts = parts_of(traceback)
    assert [part.frames for part in parts] == [0, 2, 0]
    assert "\n".join(part.text for part in parts) == traceback.rstrip()


@given(st.text())
def test_no_line_of_any_traceback_is_lost(text: str) -> None:
    assert "\n".join(part.text for part in parts_of(text)) == text.rstrip()
