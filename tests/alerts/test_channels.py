"""Channels against real servers: TLS that is checked, signatures, no redirect, no private address, no shell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from pgqueue.addresses import is_permitted
from pgqueue.alerting.channels import channel_of, check_channel
from pgqueue.alerting.command import Command
from pgqueue.alerting.errors import NotSentError
from pgqueue.alerting.mail import Mail
from pgqueue.alerting.webhook import Webhook
from pgqueue.errors import OptionError
from tests.alerts.receiving import Hook, Mailbox
from tests.alerts.test_messages import message

HERE = "127.0.0.0/8"


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_ALLOW_PRIVATE", HERE)


@pytest.fixture
def trusting(mailbox: Mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a machine whose authorities are the mailbox's."""
    file = tmp_path / "ca.pem"
    mailbox.authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def mail(mailbox: Mailbox, **said: object) -> Mail:
    given: dict[str, object] = {
        "host": "127.0.0.1",
        "port": mailbox.port,
        "sender": "q@example.com",
        "to": ["a@example.com"],
    }
    return Mail(**{**given, **said})  # type: ignore[arg-type]


@pytest.mark.usefixtures("trusting")
def test_mail_goes_by_tls_with_its_id_and_text(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_PASSWORD", "hush-hush")
    mailbox.users[b"q@example.com"] = b"hush-hush"
    mail(mailbox, password_env="PGQUEUE_ALERT_PASSWORD", to=["a@example.com", "b@example.com"]).deliver(message())
    (got,) = mailbox.mails
    assert got["Message-ID"] == "<dead%3A9f2c.1764331380000@pgqueue>"
    assert got["To"] == "a@example.com, b@example.com"
    assert got["Subject"] == "[pgqueue orders@db1] 31 dead jobs: ConnectionError in shop.mail:send (new cause)"
    assert "pgqueue dead list --cause 9f2c" in got.get_content()
    assert b"hush-hush" not in mailbox.raw[0]


def test_a_certificate_that_nobody_vouches_for_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(NotSentError, match="TLS failed"):
        mail(mailbox).deliver(message())
    assert mailbox.mails == []


@pytest.mark.usefixtures("trusting")
def test_a_certificate_of_another_name_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(NotSentError, match="TLS failed"):
        mail(mailbox, host="localhost").deliver(message())
    assert mailbox.mails == []


@pytest.mark.usefixtures("trusting")
def test_what_the_mail_server_refuses_is_not_sent(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.refuse = True
    with pytest.raises(NotSentError, match=r"takes no recipient \(550\)"):
        mail(mailbox).deliver(message())
    monkeypatch.setenv("PGQUEUE_ALERT_PASSWORD", "wrong-one")
    with pytest.raises(NotSentError, match="answered 535") as refused:
        mail(mailbox, password_env="PGQUEUE_ALERT_PASSWORD").deliver(message())
    assert "wrong-one" not in str(refused.value)


def test_no_password_goes_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_PASSWORD", "hush-hush")
    channel = Mail(
        "mail.example.com", "q@example.com", ["a@example.com"], tls="none", password_env="PGQUEUE_ALERT_PASSWORD"
    )
    with pytest.raises(NotSentError, match="without TLS"):
        channel.deliver(message())


@pytest.mark.usefixtures("allowed")
def test_a_webhook_is_signed_and_says_its_id(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = b"0123456789abcdef"
    for said in ("whsec_" + base64.b64encode(secret).decode(), secret.decode()):
        monkeypatch.setenv("PGQUEUE_ALERT_SECRET", said)
        Webhook(url=hook.url, secret_env="PGQUEUE_ALERT_SECRET").deliver(message())
        got = hook.taken.pop()
        headers = {name.lower(): value for name, value in got.headers.items()}
        assert headers["idempotency-key"] == headers["webhook-id"] == message().id
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + got.body
        wanted = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{wanted}"
        assert got.json["title"] == "31 dead jobs: ConnectionError in shop.mail:send (new cause)"


@pytest.mark.usefixtures("allowed")
def test_a_redirect_is_not_followed(hook: Hook) -> None:
    with Hook() as other:
        for status in (301, 302, 303, 307, 308):
            hook.answers, hook.location = [status], other.url
            with pytest.raises(NotSentError, match=f"answered {status}, a redirect"):
                Webhook(url=hook.url).deliver(message())
        assert other.taken == []


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_what_a_webhook_does_not_take_is_not_sent(hook: Hook, status: int) -> None:
    hook.answers = [status]
    with pytest.raises(NotSentError, match=f"answered {status}"):
        Webhook(url=hook.url).deliver(message())


def test_a_private_address_is_refused_and_nothing_goes_there(hook: Hook) -> None:
    for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"):
        with pytest.raises(NotSentError):
            Webhook(url=f"http://{host}:{hook.port}/").deliver(message())
    assert hook.taken == []


def test_what_a_name_leads_to_decides_and_not_the_name(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may lead elsewhere at every question: it is asked once, and what was permitted is connected to."""
    answers = iter([["127.0.0.1"], ["93.184.215.14"]])

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        return [(2, 1, 6, "", (address, port)) for address in next(answers)]

    monkeypatch.setattr("pgqueue.alerting.addresses.socket.getaddrinfo", getaddrinfo)
    with pytest.raises(NotSentError, match=r"is 127\.0\.0\.1, which is private"):
        Webhook(url=f"http://rebound.example:{hook.port}/").deliver(message())
    assert hook.taken == []


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "127.9.9.9", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
     "2002:7f00:1::", "ff02::1", "fec0::1", "::7f00:1"],
)  # fmt: skip
def test_no_address_that_is_not_public_is_permitted(address: str) -> None:
    assert not is_permitted(address, [])
    assert is_permitted("93.184.215.14", [])
    assert is_permitted("10.1.2.3", [ip_network("10.0.0.0/8")])
    assert is_permitted("fec0::1", [ip_network("fec0::/10")])
    assert not is_permitted("127.0.0.1", [ip_network("10.0.0.0/8")])


@pytest.mark.usefixtures("allowed")
def test_the_certificate_of_a_webhook_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Hook(tls=context) as hook:
        with pytest.raises(NotSentError, match="TLS failed"):
            Webhook(url=hook.url).deliver(message())
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        Webhook(url=hook.url).deliver(message())
        assert len(hook.taken) == 1


def test_an_error_does_not_tell_a_secret_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in (
        "https://nowhere.invalid/T0/hush-7f3a91",
        "https://user:hush-7f3a91@example.com/",
        "ftp://hush-7f3a91/",
    ):
        monkeypatch.setenv("PGQUEUE_ALERT_URL", url)
        with pytest.raises(NotSentError) as refused:
            Webhook(url_env="PGQUEUE_ALERT_URL").deliver(message())
        assert "hush-7f3a91" not in str(refused.value)


@pytest.mark.usefixtures("allowed")
def test_each_template_is_what_its_service_reads(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_KEY", "r0ut1ng")
    for template in ("slack", "teams", "pagerduty"):
        Webhook(template, url=hook.url, key_env="PGQUEUE_ALERT_KEY").deliver(message())
    slack, teams, pagerduty = [taken.json for taken in hook.taken]
    assert "31 dead jobs" in slack["text"]
    assert teams["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert (pagerduty["routing_key"], pagerduty["event_action"]) == ("r0ut1ng", "trigger")
    assert pagerduty["dedup_key"] == "orders@db1 dead:9f2c"
    assert "r0ut1ng" not in json.dumps([slack, teams])


def test_a_command_gets_json_and_no_shell_and_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "tell.py"
    script.write_text(
        "import json, os, sys\n"
        "told = json.load(sys.stdin)\n"
        f"open({str(tmp_path / 'out')!r}, 'w').write(json.dumps([sys.argv[1:], told['key'], dict(os.environ)]))\n"
    )
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql://u:hush-7f3a91@db/x")
    monkeypatch.setenv("PGQUEUE_ALERT_TELL", f"{sys.executable} {script} '$(touch {tmp_path}/pwned)' '; ls'")
    Command("PGQUEUE_ALERT_TELL").deliver(message())
    words, key, environ = json.loads((tmp_path / "out").read_text())
    assert (words, key) == ([f"$(touch {tmp_path}/pwned)", "; ls"], "dead:9f2c")
    assert environ["PGQUEUE_MESSAGE_ID"] == message().id
    assert "hush-7f3a91" not in json.dumps(environ)
    assert not (tmp_path / "pwned").exists()


def test_a_command_that_fails_or_hangs_has_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGQUEUE_ALERT_TELL", f"{sys.executable} -c 'import sys; sys.exit(3)'")
    with pytest.raises(NotSentError, match="ended with 3"):
        Command("PGQUEUE_ALERT_TELL").deliver(message())
    monkeypatch.setattr("pgqueue.alerting.command.TIMEOUT", 0.3)
    monkeypatch.setenv("PGQUEUE_ALERT_TELL", f"{sys.executable} -c 'import time; time.sleep(60)'")
    with pytest.raises(NotSentError, match="did not end"):
        Command("PGQUEUE_ALERT_TELL").deliver(message())
    monkeypatch.setenv("PGQUEUE_ALERT_TELL", "/nowhere/at/all")
    with pytest.raises(NotSentError, match="could not be started"):
        Command("PGQUEUE_ALERT_TELL").deliver(message())


@pytest.mark.parametrize(
    ("kind", "settings", "why"),
    [
        ("pigeon", {}, "one of smtp"),
        ("smtp", {"host": "h", "sender": "q@example.com", "to": []}, "at least one address"),
        ("smtp", {"host": "h", "sender": "q@example.com", "to": ["a@b.c\r\nBcc: x@y.z"]}, "no address of mail"),
        ("smtp", {"sender": "q@example.com", "to": ["a@example.com"]}, "needs a server"),
        ("smtp", {"host": "h", "sender": "q@example.com", "to": ["a@example.com"], "tls": "maybe"}, "tls is one of"),
        ("smtp", {"host": "h", "sender": "q@e.com", "to": ["a@e.com"], "password_env": "AWS_SECRET"}, "PGQUEUE_ALERT_"),
        ("webhook", {}, "needs --url"),
        ("webhook", {"url": "file:///etc/passwd"}, "must begin with https"),
        ("webhook", {"url": "https://a b/"}, "plain letters"),
        ("webhook", {"url": "https://x/", "url_env": "PGQUEUE_ALERT_X"}, "not both"),
        ("webhook", {"url": "https://x/", "template": "fax"}, "template is one of"),
        ("webhook", {"template": "pagerduty"}, "routing key"),
        ("webhook", {"url_env": "PGQUEUE_DSN"}, "PGQUEUE_ALERT_"),
        ("webhook", {"url_env": "PGQUEUE_ALERT_ALLOW_PRIVATE"}, "PGQUEUE_ALERT_"),
        ("webhook", {"url": "https://x/", "link": "javascript:alert(1)"}, "link begins with"),
        ("webhook", {"url": "https://x/", "color": "red"}, "not set so"),
        ("webhook", {"url": 7}, "must be a text"),
        ("command", {}, "needs --command-env"),
        ("command", {"command_env": "PATH"}, "PGQUEUE_ALERT_"),
        ("command", {"command_env": "PGQUEUE_ALERT_X", "argv": ["rm"]}, "not set so"),
    ],
)
def test_a_row_that_another_hand_wrote_sends_nothing(kind: str, settings: dict[str, object], why: str) -> None:
    for check in (lambda: channel_of(kind, settings), lambda: check_channel("ops", kind, settings)):
        with pytest.raises(OptionError, match=why):
            check()
