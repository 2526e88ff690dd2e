"""What a form sent: read up to a bound, and taken apart by Python's own parser."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

LARGEST = 64 * 1024
MOST_FIELDS = 1_000
# Seconds for the whole of it, from a slow client.
PATIENCE = 10.0
KIND = "application/x-www-form-urlencoded"

Sent = Mapping[str, list[str]]


class BadForm(Exception):
    """What was sent is no form of ours: a status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


async def sent(request: Request) -> Sent:
    """The fields of a form, each with its values in order. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise BadForm(415, f"a form is sent as {KIND}")
    try:
        body = await asyncio.wait_for(_body(request), PATIENCE)
        text = body.decode("ascii")
        return parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except TimeoutError:
        raise BadForm(408, "the form did not come in time") from None
    except ClientDisconnect:
        raise BadForm(400, "the form did not come whole") from None
    except ValueError:
        raise BadForm(400, "the form cannot be read") from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise BadForm(413, f"a form has at most {LARGEST // 1024} KB")
    return bytes(body)
