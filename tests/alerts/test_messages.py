"""What a message says: all that helps, no secret, and nothing that a job wrote and somebody's reader would obey."""

from __future__ import annotations

import email.policy
import json
import re
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import pytest

from pgqueue.alerting.composing import compose
from pgqueue.alerting.mail import letter
from pgqueue.alerting.message import Message, as_text
from pgqueue.alerting.templates import TEMPLATES, body_of
from pgqueue.leaving_out import HIDDEN
from pgqueue.redaction import Redaction
from pgqueue.store.alerts import Sample, Unsent
from tests.dashboard.filled import planted

SECRET = "hush-7f3a91"
MADE = datetime(2026, 11, 28, 12, 3, tzinfo=UTC)
FOUND = {"why": "new", "target": "shop.mail:send", "error_type": "ConnectionError", "queue": "mail"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}} ${7*7} %s %n",
    "javascript:alert(1)",
    "a\u202eb\u200bc",
    "\x1b[2J\x1b]0;x\x07",
    "a\r\nBcc: everybody@example.com\r\n\r\nbody",
    "<!channel> <@U1> <https://evil.example|look> @here *b* _i_ ~s~ `c` ```",
    "[look](https://evil.example) ![x](y)",
    "\ud800",
    "'; drop table jobs; --",
    "x" * 100_000,
    "9" * 5_000,
    "line one\nline two\x85line three\u2028line four",
    "``` ```",
    "=?utf-8?q?x?=",
]


def message(what: str = "opened", sample: Sample | None = None, key: str = "dead:9f2c", **said: Any) -> Message:
    kind, _, name = key.partition(":")
    facts = {
        "kind": kind,
        "object": name,
        "n": 31,
        "more": 12,
        "since": "2026-11-28T12:01:00+00:00",
        "until": "2026-11-28T12:03:00+00:00",
        "found": FOUND,
        **said,
    }
    settings = json.dumps({"url": "https://example.com", "link": "https://ops.example/queue/"})
    unsent = Unsent(1764331380000, what, MADE, json.dumps(facts), "webhook", settings)
    return compose(key, unsent, "orders@db1", lambda _: sample, Redaction())


def sample(
    args: object = None, error: str | None = "no route", traceback: str | None = "Traceback", **said: Any
) -> Sample:
    given = {"labels": None, "attempts": 26, "release": "4f1a", **said}
    return Sample(
        "0190a7",
        "shop:send",
        json.dumps(args or {"order_id": 42}),
        given["labels"],
        error,
        traceback,
        given["attempts"],
        given["release"],
    )


def all_forms(told: Message) -> list[bytes]:
    """As every channel sends it."""
    mail = letter(told, "pgqueue@example.com", ["ann@example.com"])
    text = mail.get_content().encode("utf-8", "surrogatepass")
    return [*(body_of(name, told, "key") for name in TEMPLATES), mail.as_bytes(), text]


def test_a_message_says_what_since_when_how_many_and_what_to_do() -> None:
    lines = "\n".join(f"line {n}" for n in range(100))
    text = as_text(message(sample=sample(traceback=lines)))
    for part in (
        "[pgqueue orders@db1] 31 dead jobs: ConnectionError in shop.mail:send (new cause)",
        "since: 2026-11-28 12:01:00 UTC (2 min)",
        "how many: 31",
        "task: shop.mail:send",
        "queue: mail",
        "error: no route",
        "attempts: 26",
        "release: 4f1a",
        '"order_id": 42',
        "line 80\n",
        "line 99",
        "pgqueue dead list --cause 9f2c",
        "pgqueue jobs retry 'state:dead cause:9f2c' --rate 50/s --trial 10",
        "pgqueue jobs purge 'state:dead cause:9f2c'",
        "https://ops.example/queue/causes/9f2c",
    ):
        assert part in text
    assert "line 79" not in text, "20 lines"


def test_what_goes_on_says_how_many_since_the_last_message() -> None:
    told = dict(message("again", told_at="2026-11-28T11:03:00+00:00").facts)
    assert told["how many"] == "31, of them 12 since the last message at 2026-11-28 11:03:00 UTC"


def test_what_is_resolved_says_so_and_asks_for_nothing() -> None:
    told = message("resolved", sample=sample())
    assert told.subject.startswith("[pgqueue orders@db1] Resolved: ")
    assert (told.commands, told.args, told.traceback) == ((), None, None)
    assert json.loads(body_of("pagerduty", told, "key"))["event_action"] == "resolve"


def test_the_id_is_the_same_whatever_the_message_says_now() -> None:
    first, second = message(n=1), message(n=2, sample=sample())
    assert first.id == second.id == "dead%3A9f2c.1764331380000@pgqueue"
    assert message(key="stalled:a b\r\n>").id == "stalled%3Aa%20b%5Cr%5Cn%3E.1764331380000@pgqueue"


def test_planted_secrets_are_found_in_no_message() -> None:
    said = f"no such key {SECRET}: {json.dumps(SECRET)} {SECRET!r}"
    lines = f"Traceback\n  {said}\nKeyError: {said}"
    labels = json.dumps({"api-key": "label-secret-1"})
    given = sample(planted(SECRET), said + " label-secret-1", lines, labels=labels)
    for form in all_forms(message(sample=given)):
        assert SECRET.encode() not in form
        assert b"label-secret-1" not in form
    assert HIDDEN in as_text(message(sample=given))


@pytest.mark.parametrize("args", ['{"password": "%s", "deep": ' + "[" * 3000 + "]" * 3000 + "}", None])
def test_where_the_secrets_are_not_known_nothing_is_told(args: str | None) -> None:
    given = Sample("0190a7", "shop:send", args and args % SECRET, None, f"bad {SECRET}", f"bad {SECRET}", 1, None)
    for form in all_forms(message(sample=given)):
        assert SECRET.encode() not in form


def test_half_a_secret_is_not_told_where_a_traceback_was_cut() -> None:
    lines = f"{SECRET[3:]} {'x' * 65_600}"[:65_536]
    assert SECRET[3:] not in as_text(message(sample=sample(planted(SECRET), traceback=lines)))


def test_a_password_in_an_address_is_not_told() -> None:
    error = f"cannot connect to postgresql://shop:{SECRET}@db1/orders"
    assert SECRET not in as_text(message(sample=sample(error=error, traceback=error)))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_every_field_steers_nothing(text: str) -> None:
    found = {**dict.fromkeys(("why", "target", "error_type", "title", "queue"), text)}
    jobs = sample({text: text, "n": [text]}, text, text, release=text)
    for key in (f"dead:{text[:100]}", f"stalled:{text[:100]}", f"doctor:{text[:100]}"):
        told = message(sample=jobs, key=key, found={**found, "text": text, "cure": text, "job": text, "due": text})
        for form in all_forms(told):
            assert len(form) < 60_000
            spoken = form.decode("utf-8")
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202e\u2028]", spoken.replace("\r\n", "\n"))
        mail = message_from_bytes(
            letter(told, "a@example.com", ["b@example.com"]).as_bytes(), policy=email.policy.default
        )
        assert set(mail.keys()) == {
            "From", "To", "Subject", "Date", "Message-ID", "References", "Auto-Submitted", "X-Pgqueue-Alert",
            "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
        }  # fmt: skip
        assert mail["To"] == "b@example.com"
        slack = json.loads(body_of("slack", told))
        for block in slack["blocks"]:
            assert len(block["text"]["text"]) <= 3_000
            assert not re.search(r"<[!@#]|<https?:", block["text"]["text"])
        assert not re.search(r"<[!@#]|<https?:", slack["text"])


def test_a_digest_names_the_worst_and_how_many_there_are() -> None:
    first = [{"key": f"dead:{n}", "kind": "dead", "object": str(n), "n": n, "found": FOUND} for n in range(20)]
    told = message("digest", key="storm", keys=500, kinds={"dead": 480, "stalled": 20}, first=first)
    text = as_text(told)
    assert "500 alerts at once" in told.subject
    assert "kinds: 480 dead, 20 stalled" in text
    assert "480 more: pgqueue alerts list" in text


def test_rows_that_another_hand_wrote_make_a_message_all_the_same() -> None:
    for facts in ("[]", "7", '{"found": 3, "n": "x", "first": 1, "kinds": []}', "{}"):
        for what in ("opened", "again", "resolved", "digest", "test"):
            unsent = Unsent(1, what, MADE, facts, "webhook", "[]")
            assert as_text(compose("dead:x", unsent, "db", lambda _: None, Redaction()))
