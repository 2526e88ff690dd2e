"""Causes: failures of one kind share theirs, and no others do."""

from __future__ import annotations

import pytest

from pgqueue.cause import cause_of, own_frames, similar

TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/releases/{release}/shop/mail.py", line {line}, in send
    deliver(address)
  File "/srv/shop/releases/{release}/shop/smtp.py", line 12, in deliver
    connection.send(b"x")
  File "/usr/lib/python3.11/smtplib.py", line 400, in send
    raise SMTPServerDisconnected("please run connect() first")
smtplib.SMTPServerDisconnected: please run connect() first, job {line}
"""


def of(traceback: str | None = None, error: str = "", target: str = "shop.mail:send", kind: str = "OSError") -> str:
    return cause_of(target, kind, error, traceback)


def test_the_same_place_in_another_release_and_line_is_the_same_cause() -> None:
    one = TRACEBACK.format(release="1", line=10)
    other = TRACEBACK.format(release="2", line=99)
    assert own_frames(one) == "mail.py:send smtp.py:deliver"
    assert of(one, "job 10") == of(other, "job 99")
    assert len(of(one)) == 12


def test_another_task_error_or_place_is_another_cause() -> None:
    text = TRACEBACK.format(release="1", line=10)
    causes = {
        of(text),
        of(text, target="shop.mail:receive"),
        of(text, kind="ValueError"),
        of(text.replace("in deliver", "in connect")),
    }
    assert len(causes) == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 is gone", "order 4711 is gone"),
        ("no user 'ann'", "no user 'bob'"),
        ('no user "ann"', 'no user "bob"'),
        ("ann@example.com bounced", "bob@example.org bounced"),
        ("object at 0x7f3a", "object at 0xdeadbeef"),
        ("job 0190a7c2-0000-7000-8000-000000000001 failed", "job 0190a7ff-1234-7abc-9def-0123456789ab failed"),
        ("10.0.0.1:5432 refused", "192.168.17.4:5433 refused"),
        ("took 3.25 s at 12:03", "took 17.5 s at 23:59"),
    ],
)
def test_without_a_traceback_what_differs_from_job_to_job_is_left_out(one: str, other: str) -> None:
    assert similar(one) == similar(other)
    assert of(None, one) == of(None, other)


def test_messages_of_different_kinds_stay_apart() -> None:
    assert of(None, "connection refused") != of(None, "connection reset")


def test_a_traceback_of_libraries_alone_leaves_the_message_to_decide() -> None:
    library = 'Traceback (most recent call last):\n  File "/x/site-packages/a.py", line 1, in b\n    c()\n'
    assert own_frames(library) == ""
    assert of(library, "refused 1") == of(None, "refused 2")


def test_frames_of_a_group_count_too() -> None:
    group = (
        '  + Exception Group Traceback (most recent call last):\n  |   File "/srv/a.py", line 1, in b\n  |     c()\n'
    )
    assert own_frames(group) == "a.py:b"
