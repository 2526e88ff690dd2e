"""Signatures: made as Standard Webhooks has them, and told from all that only looks like one."""

from __future__ import annotations

import pytest

from pgqueue.errors import OptionError
from pgqueue.webhook_signatures import signed, verify_signature

# The example of https://www.standardwebhooks.com, by its own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


def test_a_signature_is_that_of_standard_webhooks() -> None:
    assert verify_signature(SECRET, HEADERS, BODY, now=NOW)
    made = signed(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert made == {name.lower(): value for name, value in HEADERS.items()}


@pytest.mark.parametrize(
    ("changed", "body", "now"),
    [
        ({}, BODY + b" ", NOW),
        ({}, BODY, NOW + 301),
        ({}, BODY, NOW - 301),
        ({"Webhook-Id": "other"}, BODY, NOW),
        ({"Webhook-Id": ""}, BODY, NOW),
        ({"Webhook-Timestamp": "1614265331"}, BODY, NOW),
        ({"Webhook-Timestamp": "soon"}, BODY, NOW),
        ({"Webhook-Timestamp": "²"}, BODY, NOW),
        ({"Webhook-Timestamp": "1" * 5000}, BODY, NOW),
        ({"Webhook-Signature": ""}, BODY, NOW),
        ({"Webhook-Signature": "v1,"}, BODY, NOW),
        ({"Webhook-Signature": "v1,é\ud800"}, BODY, NOW),
        ({"Webhook-Signature": HEADERS["Webhook-Signature"].replace("v1,", "v2,")}, BODY, NOW),
        ({"Webhook-Signature": "v1,x " * 1000 + HEADERS["Webhook-Signature"]}, BODY, NOW),
    ],
)
def test_what_was_changed_or_is_old_is_not_believed(changed: dict[str, str], body: bytes, now: float) -> None:
    assert not verify_signature(SECRET, HEADERS | changed, body, now=now)


def test_a_secret_is_changed_while_both_sides_know_both() -> None:
    both = signed(["new", "old"], "id", 1, b"")
    for known in ("new", "old", ["other", "old"]):
        assert verify_signature(known, both, b"", now=1)
    assert not verify_signature("other", both, b"", now=1)
    assert not verify_signature("new", signed("old", "id", 1, b""), b"", now=1)


def test_a_secret_that_is_none_is_a_mistake() -> None:
    for secret in ("", [], ["a", ""], "whsec_?"):
        with pytest.raises(OptionError):
            verify_signature(secret, HEADERS, BODY)
