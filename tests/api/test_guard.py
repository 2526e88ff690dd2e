"""Who may ask the API: who shows a token, and nobody else, by no other way."""

from __future__ import annotations

import asyncio
import base64
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from pgqueue.dashboard import Basic, Dashboard, Tokens, User, hash_password, hash_token, new_token
from pgqueue.dashboard.api.problems import Problem
from pgqueue.dashboard.waits import FREE_FAILURES, MOST_WAITING
from pgqueue.errors import UsageError
from tests.api.addresses import ADDRESSES
from tests.api.asking import BASE, TOKENS, ask, bearer, make
from tests.dashboard.asking import Answer
from tests.dashboard.asking import ask as ask_anything
from tests.dashboard.filled import Filled
from tests.dashboard.test_guard import METHODS, assert_headers

PASSWORD = "correct horse"
BASIC = ("authorization", "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode())
COOKIE = ("cookie", f"session=ann; token={TOKENS['admin']}")
STRANGERS: dict[str, list[tuple[str, str]]] = {
    "nothing": [],
    "a wrong token": [("authorization", f"Bearer {new_token()}")],
    "an empty token": [("authorization", "Bearer ")],
    "the hash of a token": [("authorization", f"Bearer {hash_token(TOKENS['admin'])}")],
    "another scheme": [("authorization", f"Token {TOKENS['admin']}")],
    "a password": [BASIC],
    "a cookie": [COOKIE],
    "two tokens": [*bearer("viewer"), *bearer("admin")],
    "a header of a proxy": [("x-test-role", "admin")],
    "the page's own site": [COOKIE, ("sec-fetch-site", "same-origin")],
}


def header_auth(request: Request) -> User | None:
    return User("ann", "admin") if "x-test-role" in request.headers else None


@pytest.mark.parametrize("kind", STRANGERS)
def test_nobody_without_a_token_is_answered_whatever_the_route_and_method(
    matrix_app: Dashboard, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pgqueue.dashboard.api import tokens

    # Else the matrix would wait for minutes; that they wait is shown below.
    monkeypatch.setattr(tokens, "delay", lambda _failures: 0.0)
    for shape, method in product((*sorted({each.partition("?")[0] for each in ADDRESSES}), "/nowhere"), METHODS):
        address = f"{BASE}{shape}?token={TOKENS['admin']}&access_token={TOKENS['admin']}"
        answer = ask_anything(matrix_app, address, method=method, headers=STRANGERS[kind])
        assert answer.status == 401, (shape, method)
        assert (answer.header("www-authenticate") or "").startswith("Bearer ")
        assert answer.header("content-type") == "application/problem+json"
        assert_headers(answer)


@pytest.fixture
def matrix_app(dsn: str) -> Dashboard:
    return make(dsn, auth=header_auth)


@pytest.mark.parametrize("who", ["viewer", "operator", "admin", "tenant"])
def test_who_has_a_token_reads_and_every_other_method_is_refused(app: Dashboard, filled: Filled, who: str) -> None:
    for shape, method in product(ADDRESSES, METHODS):
        answer = ask(app, filled.address(shape), who, method=method)
        if method == "OPTIONS":
            assert answer.status == 204
            assert answer.header("allow") == "GET, HEAD, OPTIONS"
        elif method in ("GET", "HEAD"):
            assert answer.status in (200, 404), (shape, method, answer)
        else:
            assert answer.status == 405, (shape, method)
            assert answer.header("allow") == "GET, HEAD, OPTIONS"
        assert answer.header("access-control-allow-origin") is None
        assert answer.header("set-cookie") is None
        assert_headers(answer)


def test_it_is_off_unless_tokens_are_given(dsn: str) -> None:
    from pgqueue.dashboard import create_app

    app = create_app(dsn)
    assert ask(app, "/overview").status == 404
    asyncio.run(app.aclose())


def test_a_token_does_not_open_the_pages_and_a_password_does_not_open_the_api(dsn: str) -> None:
    app = make(dsn, auth=Basic({"ann": hash_password(PASSWORD)}))
    assert ask_anything(app, "/queues", headers=bearer()).status == 401
    assert ask_anything(app, "/queues", headers=[BASIC]).status == 200
    assert ask_anything(app, f"{BASE}/queues", headers=[BASIC]).status == 401
    assert ask(app, "/queues").status == 200
    asyncio.run(app.aclose())


def test_a_token_is_answered_from_elsewhere_where_pages_are_for_this_machine_alone(app: Dashboard) -> None:
    elsewhere: dict[str, Any] = {"host": "queue.example", "client": ("10.0.0.7", 1)}
    assert ask(app, "/queues", **elsewhere).status == 200
    assert ask_anything(app, "/queues", headers=bearer(), **elsewhere).status == 403


@pytest.mark.parametrize("strips", [True, False])
def test_it_stands_under_any_prefix(app: Dashboard, *, strips: bool) -> None:
    path = f"{'' if strips else '/ops/queue'}{BASE}/queues"
    assert ask_anything(app, path, headers=bearer(), root_path="/ops/queue").status == 200
    assert ask_anything(app, f"/ops/queues{BASE}/queues", headers=bearer(), root_path="/ops/queue").status in (403, 404)


def test_it_mounts_with_the_pages(app: Dashboard) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    host = Starlette(routes=[Mount("/ops/queue", app)])
    assert ask_anything(host, f"/ops/queue{BASE}/queues", headers=bearer()).status == 200


def test_wrong_tokens_wait_and_right_ones_do_not() -> None:
    tokens = Tokens({"ci": hash_token(TOKENS["viewer"])})

    async def run() -> None:
        for _ in range(FREE_FAILURES):
            with pytest.raises(Problem):
                await tokens.user_of(request_with(new_token()))
        guesses = [asyncio.create_task(tokens.user_of(request_with(new_token()))) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as many:
            await tokens.user_of(request_with(new_token()))
        assert many.value.status == 429
        assert (await tokens.user_of(request_with(TOKENS["viewer"]))).name == "ci"
        assert not any(guess.done() for guess in guesses)
        for guess in guesses:
            guess.cancel()

    asyncio.run(run())


def request_with(token: str) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)})


def test_a_token_is_kept_as_a_hash_and_nothing_else(tmp_path: Path) -> None:
    token = new_token()
    kept = Tokens({"ci": hash_token(token)})
    assert token not in repr(vars(kept))
    for wrong in (token, "sha256$", hash_password(PASSWORD)):
        with pytest.raises(UsageError, match="hash"):
            Tokens({"ci": wrong})
    with pytest.raises(UsageError, match="each has its own"):
        Tokens({"one": hash_token(token), "two": hash_token(token)})
    for short in ("", "secret", "x" * 31, "x" * 20 + " " + "x" * 20):
        with pytest.raises(UsageError, match="32 letters"):
            hash_token(short)


def test_tokens_stand_in_a_file_with_role_and_queues(tmp_path: Path) -> None:
    token, file = new_token(), tmp_path / "tokens.txt"
    file.write_text(f"# ours\n\nci:operator:{hash_token(token)}:mail.*,!mail.x\n")
    user = asyncio.run(Tokens.of_file(file).user_of(request_with(token)))
    assert user == User("ci", "operator", ["mail.*", "!mail.x"], via="api")
    for said, complaint in (
        ("ci:operator\n", "line 1"),
        ("", "names no token"),
        (f"ci:root:{hash_token(token)}", "a role is"),
        (f"a:viewer:{hash_token(token)}\na:viewer:{hash_token(new_token())}", "names a again"),
    ):
        file.write_text(said)
        with pytest.raises(UsageError, match=complaint):
            Tokens.of_file(file)
    with pytest.raises(UsageError, match="cannot be read"):
        Tokens.of_file(tmp_path / "none")


def test_what_is_refused_says_what_to_do(app: Dashboard) -> None:
    told = json.loads(ask_anything(app, f"{BASE}/jobs").text)
    assert "Authorization: Bearer" in told["cure"]
    refused: Answer = ask(app, "/jobs", method="POST")
    assert json.loads(refused.text)["detail"] == "POST is not for /api/v1/jobs"
