"""Who may ask, from where, and by which way: closed unless somebody opened it."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from pgqueue.dashboard import Basic, Dashboard, TrustedHeader, User, hash_password
from pgqueue.dashboard.actions import ACTIONS
from pgqueue.dashboard.waits import FREE_FAILURES, LONGEST_DELAY, MOST_OF_ONE, MOST_WAITING, delay
from pgqueue.errors import UsageError
from tests.conftest import Connect
from tests.dashboard.asking import Answer, ask
from tests.dashboard.conftest import NewApp

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
SAME_SITE = [("sec-fetch-site", "same-origin")]
PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)


def basic(name: str, password: str) -> list[tuple[str, str]]:
    return [("authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())]


def header_auth(request: Request) -> User | None:
    name = request.headers.get("x-test-role")
    return User("ann", name) if name else None


def routes_of(app: Dashboard) -> list[tuple[str, frozenset[str]]]:
    """Every address that the application knows, filled in, and its methods; and one that it does not know."""
    found = [("/nowhere", frozenset({"GET", "HEAD"}))]
    for route in app.routes:
        assert isinstance(route, Route)
        path = re.sub(r"\{[a-z_]+\}", "0", route.path)
        found.append((f"{path}?name=0&of=0", frozenset(route.methods or ())))
    return found


@pytest.mark.parametrize("actions", [False, True])
def test_the_matrix_of_routes_methods_and_roles(actions: bool, new_app: NewApp) -> None:
    app = new_app(auth=header_auth, actions=actions)
    for (route, methods), method, role in product(routes_of(app), METHODS, ("viewer", "operator", "admin", None)):
        headers = [("x-test-role", role)] if role else []
        answer = ask(app, route, method=method, headers=[*headers, *SAME_SITE])
        case = (route, method, role, answer.status)
        user = None if role is None else User("ann", role)
        assert answer.status in expected(route, methods, method, user, actions), case
        assert_headers(answer)


def test_many_who_ask_whether_it_is_ready_ask_the_database_once(
    new_app: NewApp, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows them, and the places of those who are known are few."""
    monkeypatch.setattr("pgqueue.dashboard.readiness.GOOD_FOR", 60.0)
    asked = 0

    class Pool:
        @contextmanager
        def connection(self) -> Iterator[Any]:
            nonlocal asked
            asked += 1
            yield connect()

    app = new_app(pool=Pool(), auth=lambda _: None)
    assert {ask(app, "/readyz").status for _ in range(20)} == {200}
    assert asked == 1


def expected(route: str, methods: frozenset[str], method: str, user: User | None, actions: bool) -> set[int]:
    """What may be answered: nothing changes but by POST, of what acts, for who may."""
    path = route.partition("?")[0]
    if method not in ("GET", "HEAD", *(["POST"] if actions else [])):
        return {405}
    if user is None and path not in ("/healthz", "/readyz"):
        return {401}
    if path == "/export" and user is not None and method != "POST":
        return {200} if user.may("export") else {403}
    action = next((each for each in ACTIONS if each.path == path), None)
    if method not in methods:
        return {404, 405}
    if action is not None and user is not None and not user.may(action.permission):
        return {403}
    # Sent without a form, or about what is not there.
    return {415} if method == "POST" else {200, 404}


@pytest.mark.parametrize("kind", ["basic", "header", "nobody is asked"])
def test_whatever_says_who_it_is_a_role_may_act_as_far_as_it_may(kind: str, new_app: NewApp) -> None:
    app = new_app(auth=AUTHS[kind], actions=True)
    for role, action in product(("viewer", "operator", "admin", None), ACTIONS):
        if kind == "basic":
            headers = basic(role, PASSWORD) if role else []
        else:
            headers = [("x-user", "ann"), ("x-groups", role)] if role else []
        may = kind == "nobody is asked" or (role is not None and User("ann", role).may(action.permission))
        answer = ask(app, action.path, method="POST", headers=[*headers, *SAME_SITE])
        known = role is not None or kind == "nobody is asked"
        assert answer.status == (404 if may else 403 if known else 401), (role, action.path)
        assert ask(app, action.path, method="POST", headers=headers).status == 403, "no site is said"


AUTHS = {
    "basic": Basic({role: (User(role, role), HASH) for role in ("viewer", "operator", "admin")}),
    "header": TrustedHeader(
        "X-User",
        proxies=["127.0.0.0/8"],
        groups={role: role for role in ("viewer", "operator", "admin")},
        groups_header="X-Groups",
        role=None,
        queues=None,
    ),
    "nobody is asked": None,
}


def assert_headers(answer: Answer) -> None:
    assert answer.header("content-security-policy") == POLICY
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "same-origin"
    assert answer.header("cross-origin-opener-policy") == "same-origin"
    cached = answer.header("cache-control")
    assert cached is not None
    assert "no-store" in cached or "immutable" in cached


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 403),
        ([("sec-fetch-site", "cross-site")], 403),
        ([("sec-fetch-site", "same-site")], 403),
        ([("sec-fetch-site", "none")], 403),
        ([("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")], 403),
        ([("origin", "null")], 403),
        ([("origin", "https://localhost:8080")], 403),
        ([("origin", "http://evil.example")], 403),
        ([("origin", "http://localhost:8080")], 405),
        ([("sec-fetch-site", "same-origin")], 405),
    ],
)
def test_what_would_change_something_is_refused_unless_it_is_the_users_own_wish(
    app: Dashboard, headers: list[tuple[str, str]], status: int
) -> None:
    answer = ask(app, "/", method="POST", headers=headers)
    assert answer.status == status
    assert_headers(answer)


@pytest.mark.parametrize("host", ["localhost", "localhost:99", "127.0.0.1:8080", "127.8.9.1", "[::1]:8080"])
def test_without_auth_the_machine_itself_is_answered(app: Dashboard, host: str) -> None:
    assert ask(app, "/jobs", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "", "[", "localhost@evil", None]
)
def test_without_auth_a_name_that_a_page_of_the_web_chose_is_refused(app: Dashboard, host: str | None) -> None:
    answer = ask(app, "/jobs", host=host)
    assert answer.status == 403
    assert_headers(answer)


def test_without_auth_nobody_else_is_answered(app: Dashboard) -> None:
    assert ask(app, "/jobs", client=("10.0.0.7", 1)).status == 403
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        assert ask(app, "/jobs", headers=[(header, "127.0.0.1")]).status == 403
    assert ask(app, "/jobs", headers=[("host", "localhost")]).status == 403, "two Host headers"


def test_with_auth_any_host_is_answered(new_app: NewApp) -> None:
    app = new_app(auth=header_auth)
    answer = ask(app, "/jobs", host="queue.example", client=("10.0.0.7", 1), headers=[("x-test-role", "viewer")])
    assert answer.status == 200


def test_a_page_may_show_it_in_a_frame_only_if_it_was_named(new_app: NewApp) -> None:
    policy = ask(new_app(embed=["https://ops.example"]), "/jobs").header("content-security-policy") or ""
    assert "frame-ancestors https://ops.example;" in policy


def test_a_password_opens_and_a_wrong_one_does_not(new_app: NewApp) -> None:
    app = new_app(auth=Basic({"ann": HASH, "bob": (User("bob", "viewer", ["mail.*"]), HASH)}))
    assert ask(app, "/jobs", headers=basic("ann", PASSWORD)).status == 200
    for headers in (
        [],
        basic("ann", "wrong"),
        basic("eve", PASSWORD),
        basic("ann", ""),
        [("authorization", "Bearer x")],
        [("authorization", "Basic !!!")],
        [*basic("ann", PASSWORD), *basic("ann", PASSWORD)],
    ):
        answer = ask(app, "/jobs", headers=headers)
        assert answer.status == 401
        assert (answer.header("www-authenticate") or "").startswith("Basic ")
        assert_headers(answer)


def test_a_password_is_kept_as_a_hash_and_nothing_else() -> None:
    with pytest.raises(UsageError, match="hash"):
        Basic({"ann": PASSWORD})
    assert PASSWORD not in repr(vars(Basic({"ann": HASH})))


def test_a_password_that_was_right_is_not_hashed_again(new_app: NewApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from pgqueue.dashboard import basic as module

    app = new_app(auth=Basic({"ann": HASH}))
    assert ask(app, "/healthz").status == 200
    assert ask(app, "/jobs", headers=basic("ann", PASSWORD)).status == 200
    monkeypatch.setattr(module, "_matches", lambda *_: pytest.fail("hashed again"))
    assert ask(app, "/jobs", headers=basic("ann", PASSWORD)).status == 200


def test_guesses_wait_longer_and_longer() -> None:
    delays = [delay(failures) for failures in range(FREE_FAILURES + 12)]
    assert delays[:FREE_FAILURES] == [0.0] * FREE_FAILURES
    assert delays[FREE_FAILURES:] == sorted(delays[FREE_FAILURES:])
    assert delays[FREE_FAILURES] > 0
    assert delays[-1] == LONGEST_DELAY


def test_a_header_is_believed_from_the_proxy_alone(new_app: NewApp) -> None:
    app = new_app(
        auth=TrustedHeader("X-User", proxies=["10.0.0.0/8", "::1/128"], groups={"ops": "operator"}, queues=None)
    )
    ann = [("x-user", "ann"), ("x-forwarded-for", "1.2.3.4")]
    assert ask(app, "/jobs", headers=ann, client=("10.1.2.3", 1)).status == 200
    for headers, client in (
        (ann, ("11.0.0.1", 1)),
        (ann, ("unix:", 1)),
        (ann, None),
        ([], ("10.1.2.3", 1)),
        ([("x-user", " ")], ("10.1.2.3", 1)),
        ([*ann, ("x-user", "eve")], ("10.1.2.3", 1)),
    ):
        assert ask(app, "/jobs", headers=headers, client=client).status == 401


def test_groups_are_roles_and_the_highest_holds() -> None:
    groups = {"ops": "operator", "root": "admin"}
    auth = TrustedHeader("X-User", proxies=["10.0.0.0/8"], groups=groups, role=None, queues=None)

    def role_of(groups: str | None) -> Any:
        headers = [(b"x-user", b"ann")] + ([(b"x-forwarded-groups", groups.encode())] if groups else [])
        user = auth(Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)}))
        return user and user.role

    assert role_of("ops, root") == "admin"
    assert role_of("dev,ops") == "operator"
    assert role_of("dev") is None
    assert role_of(None) is None


def test_who_comes_by_a_header_sees_the_queues_that_were_said_and_no_others() -> None:
    with pytest.raises(TypeError, match="queues"):
        TrustedHeader("X-User", proxies=["10.0.0.0/8"])  # type: ignore[call-arg]
    said: dict[str, list[str]] = {"ann": ["mail.*"]}

    def queues_of(name: str, queues: Any) -> Any:
        auth = TrustedHeader("X-User", proxies=["10.0.0.0/8"], queues=queues)
        user = auth(Request({"type": "http", "headers": [(b"x-user", name.encode())], "client": ("10.0.0.1", 1)}))
        return user and user.queues

    assert queues_of("ann", said) == ("mail.*",)
    assert queues_of("bob", {**said, "*": ["web"]}) == ("web",)
    auth = TrustedHeader("X-User", proxies=["10.0.0.0/8"], queues=said)
    assert auth(Request({"type": "http", "headers": [(b"x-user", b"bob")], "client": ("10.0.0.1", 1)})) is None
    assert queues_of("bob", None) is None


def test_a_flood_of_wrong_passwords_delays_nobody_at_another_address() -> None:
    auth = Basic({"ann": HASH})

    def login(password: str, host: str) -> Any:
        headers = [(name.encode(), value.encode()) for name, value in basic("ann", password)]
        return auth(Request({"type": "http", "headers": headers, "client": (host, 1)}))

    async def main() -> None:
        # Until each further guess from there waits for its answer.
        for guess in range(FREE_FAILURES):
            assert await login(f"guess {guess}", "2001:db8::1") is None
        flood = [asyncio.create_task(login(f"more {n}", f"2001:db8::{n:x}")) for n in range(2 * MOST_WAITING)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        user = await login(PASSWORD, "192.0.2.7")
        assert user is not None
        assert user.name == "ann"
        # Two tries at most are before it, of a twentieth of a second.
        assert time.monotonic() - begun < delay(FREE_FAILURES)
        # Most were refused at once; those that wait are few.
        assert sum(not each.done() for each in flood) <= MOST_OF_ONE
        for each in flood:
            each.cancel()

    asyncio.run(main())


def test_any_callable_may_say_who_it_is_or_lead_to_a_login(new_app: NewApp) -> None:
    async def auth(request: Request) -> Any:
        return User("ann") if "x-in" in request.headers else RedirectResponse("/login")

    app = new_app(auth=auth)
    assert ask(app, "/jobs", headers=[("x-in", "1")]).status == 200
    assert ask(app, "/jobs").header("location") == "/login"
    with pytest.raises(UsageError, match="auth must answer"):
        ask(new_app(auth=lambda _: "ann"), "/jobs")


def test_users_say_what_they_are() -> None:
    assert [User("a", role).may("view_args") for role in ("viewer", "operator", "admin")] == [False, True, True]
    assert not User("a", "operator").may("purge")
    with pytest.raises(UsageError):
        User("a", "root")
    with pytest.raises(UsageError):
        User("a", queues="mail")


def test_a_websocket_is_closed(app: Dashboard) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "websocket", "path": "/", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]
