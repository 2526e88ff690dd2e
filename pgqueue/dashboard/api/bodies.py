"""What a program sends: an object of JSON, of which no digit is lost, read up to a bound."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from pgqueue.dashboard.api.problems import Problem, wrong
from pgqueue.exact_json import Number

KIND = "application/json"
LARGEST = 64 * 1024
# Seconds for the whole of it, from a slow client.
PATIENCE = 10.0
CURE = 'send an object as application/json, such as {"reason": "..."}, or nothing'


async def sent(request: Request) -> Mapping[str, Any]:
    """The object that a request brings; an empty one if it brings nothing. Raises Problem."""
    try:
        body = await asyncio.wait_for(_body(request), PATIENCE)
    except TimeoutError:
        raise Problem(408, "the body did not come in time", "send it at once") from None
    except ClientDisconnect:
        raise wrong("the body did not come whole", "send it again") from None
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise Problem(415, f"what is sent is {KIND}", CURE)
    try:
        value = json.loads(body.decode(), parse_int=Number, parse_float=Number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise wrong("the body is no JSON that can be read", CURE) from None
    if not isinstance(value, dict):
        raise wrong("the body is no object", CURE)
    return value


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Problem(413, f"a body has at most {LARGEST // 1024} KB", "send less")
    return bytes(body)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
