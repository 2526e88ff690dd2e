"""With ATOMIC_REQUESTS what a view enqueues is there if and only if its response is no error."""

from __future__ import annotations

import pytest

from tests.django.test_connections import count

pytestmark = pytest.mark.usefixtures("fresh")


def test_a_request_that_fails_leaves_no_job() -> None:
    from django.test import Client

    client = Client(raise_request_exception=False)
    assert client.post("/orders", {"item": "ball"}).status_code == 202
    assert count() == 2
    assert client.post("/orders", {"item": "ball", "fail": "1"}).status_code == 500
    assert count() == 2
