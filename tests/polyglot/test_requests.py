"""What is posted, where it may go, and what the answer makes of the attempt."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

import pgqueue
from pgqueue.errors import OptionError, RequestFailed
from pgqueue.testing import Ran, run_job
from tests.polyglot.server import Request, Server, answer, answer_json
from tests.waiting import wait_until
from tests.worker.benches import Make
from tests.worker.claims import claim

SECRET = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="
LOCAL = ["127.0.0.0/8"]


def posted(url: str, args: Any = None, *, said: dict[str, Any] | None = None, **options: Any) -> Ran:
    """What becomes of a job that is posted there."""
    task = pgqueue.http_task("posting", url, **{"allow_private": LOCAL, **options})
    return run_job(task, args, raises=False, **(said or {}))


def test_a_job_is_posted_with_what_its_receiver_needs(web: Server) -> None:
    web.says = lambda request: answer_json({"got": request.json["args"]})
    done = posted(web.url, {"order": 42, "name": "ü"}, secret=SECRET, said={"attempt": 3, "timeout": 60})
    assert done.value == {"got": {"order": 42, "name": "ü"}}
    (request,) = web.taken
    assert request.line == "POST /jobs?a=b HTTP/1.1"
    assert request.fields["host"] == f"127.0.0.1:{web.port}"
    assert request.fields["content-type"] == "application/json"
    assert request.fields["idempotency-key"] == request.fields["webhook-id"] == str(done.id) == request.json["id"]
    assert request.fields["pgqueue-attempt"] == "3"
    assert request.fields["pgqueue-deadline"][:16] == request.json["deadline"][:16]
    assert pgqueue.verify_signature(SECRET, request.fields, request.body)
    assert not pgqueue.verify_signature(SECRET, request.fields, request.body + b" ")


def test_without_a_secret_nothing_is_signed(web: Server) -> None:
    assert posted(web.url).succeeded
    assert "webhook-signature" not in web.taken[0].fields


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        *((each, "succeeded", None) for each in (200, 201, 202, 204, 299)),
        *((each, "failed", None) for each in (300, 301, 302, 303, 307, 308)),
        *((each, "failed", "buried") for each in (400, 401, 403, 404, 405, 409, 410, 422, 451, 499)),
        *((each, "failed", None) for each in (408, 425, 429, 500, 501, 502, 503, 504, 599)),
    ],
)
def test_the_status_says_what_becomes_of_the_job(web: Server, status: int, outcome: str, reason: str | None) -> None:
    web.says = lambda request: answer(status, b"" if status in (204, 304) else b"why", location="http://127.0.0.2/")
    done = posted(web.url)
    assert (done.outcome, done.reason) == (outcome, reason)
    assert (done.retry_in is None) == (outcome == "succeeded" or reason == "buried")
    assert len(web.taken) == 1
    if outcome == "failed":
        assert f"127.0.0.1 answered {status}" in (done.message or "")
        assert isinstance(done.error, pgqueue.Bury) if reason else isinstance(done.error, RequestFailed)
    if isinstance(done.error, RequestFailed):
        assert done.error.status == status


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (1, 3600),
        (-1, 0),
        ("999999999999999999999", 86_400),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 86_400),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_says_when_it_wants_it_again(web: Server, status: int, said: str | int, seconds: float) -> None:
    if isinstance(said, int):
        said = format_datetime(datetime.now(UTC) + timedelta(hours=said), usegmt=True)
    web.says = lambda request: answer(status, retry_after=said)
    done = posted(web.url)
    assert done.retry_in == pytest.approx(seconds, abs=60)
    assert done.outcome == "failed"


@pytest.mark.parametrize("said", ["soon", "-5", "1.5", "Thu, 99 Jan"])
def test_what_says_no_time_is_left_to_the_policy(web: Server, said: str) -> None:
    web.says = lambda request: answer(503, retry_after=said)
    assert posted(web.url, retry=pgqueue.Fixed(77, jitter=0)).retry_in == 77


@pytest.mark.parametrize(
    ("said", "value", "reason"),
    [
        (answer_json([1, "ü"]), [1, "ü"], None),
        (answer(200, b"[1]", content_type="application/problem+json"), [1], None),
        (answer(200, b"<p>", content_type="text/html"), None, None),
        (answer(200, b"", content_type="application/json"), None, None),
        (answer(200, b"[1", content_type="application/json"), None, "buried"),
        (answer(200, b"[NaN]", content_type="application/json"), None, "buried"),
        (answer(200, b"\xff", content_type="application/json"), None, "buried"),
        (answer(200, b"[" * 100_000, content_type="application/json"), None, "buried"),
        (answer(200, gzip.compress(b"[1]"), content_type="application/json", content_encoding="gzip"), None, "buried"),
        (b"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 3\n\n[1]rest", [1], None),
        (b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n[1]", [1], None),
        (b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + answer_json(1), 1, None),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"1;x=y\r\n[\r\n00002\r\n1]\r\n0\r\nTrailer: t\r\n\r\n",
            [1],
            None,
        ),
    ],
)
def test_an_answer_is_read_however_it_comes(web: Server, said: bytes, value: Any, reason: str | None) -> None:
    # A byte at a time is no other answer.
    for parts in ([said], [said[n : n + 1] for n in range(len(said))] if len(said) < 500 else []):
        if parts:
            web.says = lambda request, parts=parts: parts  # type: ignore[misc]
            done = posted(web.url)
            assert (done.value, done.reason) == (value, reason), done.message


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 20",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n[1]",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n[1]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n[1] ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[1]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1]\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n",
        b"HTTP/1.1 200 OK\r\n folded: line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200,
        b"HTTP/1.1 100 Go on\r\n\r\n" * 20,
        b"HTTP/1.1 101 Switching\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_a_failure_that_is_retried(web: Server, said: bytes) -> None:
    web.says = lambda request: said
    done = posted(web.url)
    assert (done.outcome, done.reason) == ("failed", None)
    assert "RequestFailed: no answer of 127.0.0.1" in (done.message or "")


def endless(request: Request) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    yield from itertools.repeat(b" " * 65_536)


@pytest.mark.parametrize("says", [endless, lambda request: answer_json("x" * 2_000)])
def test_of_a_big_answer_no_more_is_read_than_may_be(web: Server, says: Any) -> None:
    web.says = says
    done = posted(web.url, max_answer=1_000)
    assert done.reason == "buried"
    assert "answered 200 with more than 1,000 bytes" in (done.message or "")


def test_an_error_of_any_size_is_cut(web: Server) -> None:
    web.says = lambda request: answer(500, b"e" * 1_000)
    assert len(posted(web.url).message or "") < 700
    web.says = lambda request: answer(422, b"e" * 10_000_000)
    assert posted(web.url).reason == "buried"


def test_who_answers_too_slowly_has_not_answered(web: Server) -> None:
    def loris(request: Request) -> Iterator[bytes]:
        for letter in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: "):
            web.wait(0.05)
            yield bytes([letter])

    web.says = loris
    began = time.monotonic()
    done = posted(web.url, answer_timeout=0.5)
    assert done.message == "RequestFailed: 127.0.0.1 did not answer within 0.5 s"
    assert posted(web.url, said={"timeout": 0.5}).outcome == "timeout"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_requests_are_under_way_at_once_and_end_when_their_jobs_are_cancelled(
    make: Make, web: Server, kind: str
) -> None:
    task = pgqueue.http_task("waiting", web.url, allow_private=LOCAL)

    def says(request: Request) -> bytes:
        if request.json["args"] == ["slow"]:
            web.wait(60)
        return answer_json(request.json["args"])

    web.says = says
    bench = make(kind, 20, apps=(__name__,))
    slow = [claim("", "slow", target=task.target) for _ in range(10)]
    bench.executor.submit(slow)
    wait_until(lambda: len(web.taken) == 10)
    quick = [claim("", n, target=task.target, store_result=True) for n in range(10)]
    assert [done.result for done in bench.run(quick)] == [f"[{n}]" for n in range(10)]
    began = time.monotonic()
    bench.executor.cancel([each.id for each in slow])
    wait_until(lambda: len(bench.finished) == 20)
    assert {done.settlement.outcome for done in bench.finished[10:]} == {"cancelled"}
    assert time.monotonic() - began < 2


def test_who_does_not_accept_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        done = posted(f"http://127.0.0.1:{port}/", connect_timeout=0.4)
        for one in waiting:
            one.close()
    assert done.outcome == "failed"
    assert posted(f"http://127.0.0.1:{port}/").message == (
        f"RequestFailed: no answer of 127.0.0.1: no connection to 127.0.0.1: [Errno 111] Connect call failed"
        f" ('127.0.0.1', {port})"
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "127.1",
        "0",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[::127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "100.64.0.1",
        "224.0.0.1",
    ],
)
def test_no_private_address_is_connected_to(web: Server, host: str) -> None:
    done = posted(f"http://{host}:{web.port}/", allow_private=False)
    if "is not found" in (done.message or ""):
        pytest.skip(f"this machine knows no {host}")
    assert done.reason == "buried"
    assert "which is private; allow_private says" in (done.message or "")
    assert web.taken == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names stand for, each time that they are asked for: the first list, then the next."""
    known: dict[str, list[list[str]]] = {}
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in known:
            return ask(host, port, *rest, **more)
        return [each for address in known[host].pop(0) for each in ask(address, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def test_a_name_that_leads_inside_is_refused_also_if_only_one_of_its_addresses_does(
    web: Server, names: dict[str, list[list[str]]]
) -> None:
    for addresses in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["127.0.0.1", "93.184.215.14"]):
        names["shop.test"] = [addresses]
        done = posted(f"http://shop.test:{web.port}/", allow_private=False)
        assert "shop.test is 127.0.0.1, which is private" in (done.message or "")
    assert web.taken == []


def test_a_name_is_asked_for_once_and_leads_nowhere_else(names: dict[str, list[list[str]]]) -> None:
    with Server(host="127.0.0.2") as public, Server() as inside:
        names["shop.test"] = [["127.0.0.2"], ["127.0.0.1"]]
        done = posted(f"http://shop.test:{public.port}/", allow_private=["127.0.0.2/32"])
        assert done.succeeded
        assert public.taken[0].fields["host"] == f"shop.test:{public.port}"
        # The next time it is looked at again.
        assert posted(f"http://shop.test:{inside.port}/", allow_private=["127.0.0.2/32"]).reason == "buried"
        assert inside.taken == []


def test_of_several_addresses_the_next_is_tried(web: Server, names: dict[str, list[list[str]]]) -> None:
    names["shop.test"] = [["127.0.0.3", "127.0.0.1"]]
    assert posted(f"http://shop.test:{web.port}/").succeeded


def test_no_proxy_of_the_environment_is_asked(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert posted(web.url).succeeded
        assert (len(web.taken), proxy.taken) == (1, [])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_tls_is_asked_for_the_name_and_trusts_whom_it_is_told_to(
    authority: trustme.CA, names: dict[str, list[list[str]]], tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Server(tls=tls_of(authority, "shop.test"), says=lambda request: answer_json("ok")) as server:
        for host, trusted, message in (
            ("shop.test", True, None),
            ("shop.test", False, "TLS failed"),
            ("other.test", True, "Hostname mismatch"),
        ):
            names[host] = [["127.0.0.1"]]
            ca_file = str(tmp_path / "ca.pem") if trusted else None
            done = posted(f"https://{host}:{server.port}/", ca_file=ca_file)
            assert done.succeeded if message is None else message in (done.message or ""), done.message
            assert done.reason is None
        assert server.names[0] == "shop.test"
        assert len(server.taken) == 1


def test_who_does_not_speak_tls_is_not_spoken_to(web: Server) -> None:
    began = time.monotonic()
    done = posted(web.url.replace("http:", "https:"), connect_timeout=1)
    assert (done.outcome, done.reason) == ("failed", None)
    assert time.monotonic() - began < 5
    assert web.taken == []


@pytest.mark.filterwarnings("ignore::pgqueue.SizeWarning")
def test_a_server_may_refuse_before_it_has_read_everything() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def refuse() -> None:
            conn, _ = listening.accept()
            with conn:
                conn.recv(100)
                conn.sendall(answer(413, b"too large"))
                conn.shutdown(socket.SHUT_WR)
                while conn.recv(1 << 16):
                    pass

        threading.Thread(target=refuse, daemon=True).start()
        done = posted(f"http://127.0.0.1:{port}/", ["x" * 1_000_000])
    assert done.reason == "buried"
    assert "answered 413: too large" in (done.message or "")


def test_sensitive_arguments_are_posted_and_in_no_word_about_it(web: Server) -> None:
    web.says = lambda request: answer(422, b"bad iban " + request.json["args"]["iban"].encode())
    done = posted(web.url, {"iban": "DE1234567"}, sensitive=["iban"])
    assert web.taken[0].json["args"] == {"iban": "DE1234567"}
    assert "answered 422: bad iban" in (done.message or "")
    assert "DE1234567" not in (done.message or "")


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("ftp://example.com/", {}, "must begin with https"),
        ("example.com", {}, "must begin with https"),
        ("https:///jobs", {}, "name a host"),
        ("https://example.com:99999/", {}, "cannot be read"),
        ("https://ann:pw@example.com/", {}, "no user or password"),
        ("https://example.com/a b", {}, "plain letters"),
        ("https://example.com/\r\nX: y", {}, "plain letters"),
        ("https://exämple.com/", {}, "plain letters"),
        ("https://example.com/", {"secret": ""}, "not empty"),
        ("https://example.com/", {"secret": []}, "not empty"),
        ("https://example.com/", {"secret": "whsec_?"}, "not base64"),
        ("https://example.com/", {"allow_private": "10.0.0.0/8"}, "list of networks"),
        ("https://example.com/", {"allow_private": ["10.0.0.1/8"]}, "networks such as"),
        ("https://example.com/", {"answer_timeout": 0}, "answer_timeout"),
        ("https://example.com/", {"connect_timeout": -1}, "connect_timeout"),
        ("https://example.com/", {"max_answer": 0}, "max_answer"),
        ("https://example.com/", {"transactional": True}, "takes no transactional"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_declared(url: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(OptionError, match=why) as caught:
        pgqueue.http_task("refused", url, **options)
    assert "pw" not in str(caught.value)
