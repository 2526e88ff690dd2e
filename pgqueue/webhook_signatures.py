"""Signatures of what is posted: who receives it knows who sent it, and when.

As https://www.standardwebhooks.com has it: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256
of id, timestamp and body joined by dots.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence

from pgqueue.errors import OptionError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
# Seconds that two clocks may differ, and a message be on its way.
TOLERANCE = 300.0
# Of a header; and of the signatures in it.
_LONGEST, _MOST = 4_096, 20
# One, or several while one takes the place of another.
Secret = str | Sequence[str]


def signed(secret: Secret, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at this second. Raises OptionError for a secret that cannot be read."""
    digests = " ".join(f"v1,{_digest(each, message_id, str(at), body)}" for each in each_secret(secret))
    return {ID: message_id, TIMESTAMP: str(at), SIGNATURE: digests}


def verify_signature(
    secret: Secret, headers: Mapping[str, str], body: bytes, *, tolerance: float = TOLERANCE, now: float | None = None
) -> bool:
    """Whether a message was signed by one who knows the secret, at most `tolerance` seconds ago.

    `body` are its bytes as they came, before anything read them; `headers` by names of any case. `now` is seconds
    since 1970. Several secrets: any of them. Raises OptionError for a secret that cannot be read.
    """
    known = each_secret(secret)
    said = {name.lower(): value for name, value in headers.items()}
    message_id, at, signatures = (said.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or len(message_id) + len(signatures) > _LONGEST or not (at.isascii() and at.isdigit()):
        return False
    if len(at) > 15 or abs((time.time() if now is None else now) - int(at)) > tolerance:
        return False
    given = [
        each.removeprefix("v1,").encode(errors="replace")
        for each in signatures.split()[:_MOST]
        if each.startswith("v1,")
    ]
    wanted = [_digest(each, message_id, at, body).encode() for each in known]
    # All are compared, whichever fits: the time that it takes tells nothing.
    fitting = [hmac.compare_digest(one, other) for one in given for other in wanted]
    return any(fitting)


def each_secret(secret: Secret) -> list[str]:
    """The secrets, of which there is one at least. Raises OptionError."""
    several = [secret] if isinstance(secret, str) else list(secret)
    if not several or not all(isinstance(each, str) and each for each in several):
        raise OptionError("secret must be a text that is not empty, or a list of such")
    for each in several:
        _key(each)
    return several


def _digest(secret: str, message_id: str, at: str, body: bytes) -> str:
    signed = b".".join((message_id.encode(errors="replace"), at.encode(), body))
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise OptionError("the secret begins with whsec_, and the rest is not base64") from None
    return secret.encode()
