"""What a task calls sensitive is shown nowhere: planted values are looked for in whatever anybody can be shown."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk

import pgqueue
from pgqueue import instruments
from pgqueue.alerting.composing import _of_sample
from pgqueue.context import JobContext, running
from pgqueue.dashboard.pages.causes import _PRIVATE
from pgqueue.errors import OptionError
from pgqueue.ids import new_job_id
from pgqueue.job import Claim
from pgqueue.leaving_out import HIDDEN, without
from pgqueue.logs import JobFilter, add_job
from pgqueue.redaction import Redaction
from pgqueue.sentry import _instrument
from pgqueue.store import alerts, execute, secrecy
from pgqueue.tasks import Task
from tests import factories
from tests.api.asking import ask as api
from tests.api.asking import make
from tests.cli.conftest import Command
from tests.cli.conftest import pgqueue as command  # noqa: F401  # fixture
from tests.dashboard.asking import ask
from tests.dashboard.conftest import NewApp, new_app  # noqa: F401  # fixture
from tests.dashboard.posting import act, address
from tests.watching import private
from tests.watching.test_otel import Traced, traced  # noqa: F401  # fixture
from tests.watching.test_sentry import Begin, begin  # noqa: F401  # fixture
from tests.worker.conftest import desk, spawn, start  # noqa: F401  # fixtures
from tests.worker.running import TWO_KINDS, Desk, StartProcess, StartThreaded

PRIVATE = "tests.watching.private"
EMAIL, IBAN, PIN, WORD = "hush-7f3a91@example.org", 'DE89 3704 "0044"', 48151623, "väterlich-42"
SECRETS = (EMAIL, IBAN, IBAN.replace('"', '\\"'), str(PIN), WORD, WORD.replace("ä", "\\u00e4"), "hush-7f3a91")
# Where errors are kept.
SAID = {
    "job_logs": "line",
    "attempts": "error_type, error, traceback",
    "dead_jobs": "error",
    "causes": "error_type, error",
}
PAYMENT = {"iban": IBAN, "amount": 12}


@pytest.mark.parametrize("kind", TWO_KINDS)
def test_planted_secrets_are_shown_by_no_log_no_command_and_no_page(
    spawn: StartProcess,  # noqa: F811
    desk: Desk,  # noqa: F811
    command: Command,  # noqa: F811
    new_app: NewApp,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dsn: str,
    kind: str,
) -> None:
    worker = spawn(executor=kind, app=[PRIVATE], store_logs="info")
    pay = private.pay_async if kind == "async" else private.pay
    jobs = [
        pay.enqueue(desk.conn, EMAIL, dict(PAYMENT), PIN, "order-1"),
        pay.enqueue(desk.conn, email=EMAIL, payment=dict(PAYMENT), pin=PIN, order="order-1"),
        private.echo.enqueue(desk.conn, EMAIL, WORD),
        private.echo.enqueue(desk.conn, iban=IBAN, pin=PIN),
        private.read_out.enqueue(desk.conn, letter=f"{EMAIL} " * 500),
    ]
    desk.await_all_ended()
    waiting = pay.using(delay=3600).enqueue(desk.conn, EMAIL, dict(PAYMENT), PIN, "order-1")
    pgqueue.schedule(desk.conn, "payday", pay, [EMAIL, dict(PAYMENT), PIN, "order-1"], cron="0 3 1 1 *")
    # It has told what it counted.
    worker.signal(signal.SIGTERM)
    worker.wait()
    told = {"worker's log": worker.text}
    for table, columns in SAID.items():
        found = desk.conn.execute(f"select {columns} from pgqueue.{table}").fetchall()
        assert found, table
        told[table] = str(found)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {_editor(tmp_path)}")
    for words in [
        ["jobs", "list"],
        ["jobs", "list", "task:*"],
        ["dead", "list"],
        ["dead", "list", "task:*"],
        ["schedules", "list"],
        ["schedules", "show", "payday"],
        ["causes", "list"],
        ["status"],
        ["queues", "list"],
        ["tasks", "list", "--app", PRIVATE],
        *([what, "show", job.id] for job in jobs[:2] for what in ("jobs", "dead")),
        *(["jobs", "show", job.id] for job in (*jobs[2:], waiting)),
        *(["jobs", "attempts", job.id] for job in jobs),
        *(["jobs", "logs", job.id] for job in jobs),
        *(["jobs", "explain", job.id] for job in (*jobs, waiting)),
    ]:
        for form in ([], ["--json"]):
            ran = command(*words, *form)
            assert ran.code == 0, (words, ran.err)
            told[" ".join(map(str, [*words, *form]))] = ran.out + ran.err
    for job in jobs:
        ran = command("jobs", "result", job.id)
        told[f"result {job.id}"] = ran.out + ran.err
    for words in (
        ["jobs", "edit", waiting.id, "--reason", "test"],
        ["audit", "list", "--json"],
        ["jobs", "purge", "state:dead", "--yes", "--export", tmp_path / "purged.jsonl", "--dry-run"],
    ):
        ran = command(*words)
        told[" ".join(map(str, words))] = ran.out + ran.err
    told["the editor"] = (tmp_path / "seen").read_text()
    app = new_app()
    pages = ["/", "/jobs", "/dead", "/causes", "/running", "/schedules", "/schedule?name=payday", "/queues"]
    for page in [*pages, *(f"/jobs/{job.id}?whole=1" for job in (*jobs, waiting))]:
        told[page] = ask(app, page).text
    program = make(dsn)
    for path in ["/jobs", "/dead", "/schedules", "/schedule?name=payday", "/causes", "/running"]:
        told[f"api {path}"] = api(program, path).text
    for job in (*jobs, waiting):
        for path in (f"/jobs/{job.id}", f"/jobs/{job.id}/attempts"):
            answer = api(program, path)
            assert answer.status == 200, path
            told[f"api {path}"] = answer.text
    asyncio.run(program.aclose())
    acting = new_app(actions=True)
    for name, job in (("edit", waiting), ("run-again", jobs[0])):
        told[f"form of {name}"] = ask(acting, address("job", name, job.id)).text
    told["revealed"] = act(acting, address("job", "reveal", waiting.id)).text
    dead = desk.one("select cause from pgqueue.dead_jobs where id = %s", jobs[0].id)
    sample = execute(desk.conn, alerts.sample(dead))
    told["alert"] = str(_of_sample(sample, Redaction().knowing(execute(desk.conn, secrecy.every()))))
    # Nor does a search on a page tell whether a guess is right.
    guess = ask(app, f"/jobs?q=args.0:{EMAIL[:4]}*").text
    assert f"jobs/{waiting.id}" not in guess
    # Nor on the command line, nor do attempts, nor the count of what would be done.
    for words in (["jobs", "list"], ["events"], ["jobs", "cancel"]):
        ran = command(*words, f"args.0:{EMAIL[:4]}*", *(["--dry-run"] if "cancel" in words else ["--json"]))
        assert not any(str(job.id) in ran.out for job in (*jobs, waiting)), words
        assert "cancel" not in words or "No such job." in ran.out, ran
    command("jobs", "purge", "state:dead", "--yes", "--export", tmp_path / "purged.jsonl")
    told["export"] = (tmp_path / "purged.jsonl").read_text()
    assert len(told["export"].splitlines()) == 3
    for where, text in told.items():
        for secret in SECRETS:
            assert secret not in text, where
    assert HIDDEN in told[f"jobs show {jobs[0].id}"]
    # What is not sensitive is.
    assert "order-1" in told[f"jobs show {jobs[0].id}"]
    assert "order-1" in told[f"/jobs/{jobs[0].id}?whole=1"]
    assert '"order-1"' in told["export"]
    # A list that was changed cannot hold dots: whose they are could not be told.
    assert pgqueue.get_job(desk.conn, waiting.id).args == [EMAIL, PAYMENT, PIN, "order-1"]
    named = pay.using(delay=3600).enqueue(desk.conn, email=EMAIL, payment=dict(PAYMENT), pin=PIN, order="order-1")
    assert command("jobs", "edit", named.id).code == 0
    # An object can: the edit has put back what was hidden.
    edited = {"email": EMAIL, "payment": PAYMENT, "pin": PIN, "order": "order-2"}
    assert pgqueue.get_job(desk.conn, named.id).args == edited


def _editor(folder: Path) -> Path:
    """A program that keeps what it is given to edit, and changes one argument."""
    program = folder / "editor.py"
    program.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        f"pathlib.Path({str(folder / 'seen')!r}).write_text(file.read_text())\n"
        "file.write_text(file.read_text().replace('order-1', 'order-2'))\n"
    )
    return program


@pytest.mark.parametrize("kind", ["thread", "async"])
@pytest.mark.filterwarnings("ignore:The send_default_pii option is deprecated")
def test_planted_secrets_are_in_no_span_and_nothing_that_sentry_is_sent(
    begin: Begin,  # noqa: F811
    traced: Traced,  # noqa: F811
    start: StartThreaded,  # noqa: F811
    desk: Desk,  # noqa: F811
    kind: str,
) -> None:
    kept = begin(client={"send_default_pii": True, "include_local_variables": True}, report="every")
    sentry_sdk.get_global_scope().set_client(sentry_sdk.get_client())
    start(executor=kind, app=[PRIVATE])
    pay = private.pay_async if kind == "async" else private.pay
    pay.enqueue(desk.conn, EMAIL, dict(PAYMENT), PIN, "order-1")
    desk.await_all_ended()
    events, spans = kept.items, [span.to_json() for span in traced.spans()]
    assert kept.of("event")
    assert any("exception.stacktrace" in span for span in spans)
    instruments.remove(_instrument)
    for text in (json.dumps(events, ensure_ascii=False, default=str), *spans):
        for secret in SECRETS:
            assert secret not in text
    assert "order-1" in json.dumps(kept.of("event")[0]["contexts"]["pgqueue"])


@pytest.fixture
def paying() -> Iterator[JobContext]:
    """A job of a task with sensitive arguments, as if it ran here."""
    job = as_if_running(private.pay, [EMAIL, PAYMENT, PIN, "order-1"])
    token = running.set(job)
    yield job
    running.reset(token)


def as_if_running(task: Task[..., Any], args: list[Any]) -> JobContext:
    text = json.dumps(args)
    claim = Claim(
        new_job_id(), 1, 1, 0, None, None, None, 5, "default", task.target, text, None, factories.BEGINNING, 1
    )
    return JobContext(claim, args, {}, None, secrecy=task.secrecy)


def test_handlers_of_the_application_are_given_lines_without_secrets(paying: JobContext) -> None:
    try:
        raise KeyError(EMAIL)
    except KeyError:
        found = sys.exc_info()
    record = logging.makeLogRecord({"msg": "paying %s", "args": (EMAIL,), "exc_info": found, "iban": IBAN, "pin": PIN})
    JobFilter().filter(record)
    told = f"{logging.Formatter().format(record)} {vars(record)}"
    event = add_job(None, "info", {"event": f"paying {EMAIL}", "pin": PIN, "order": "order-1"})
    for secret in SECRETS:
        assert secret not in f"{told} {event}"
    assert "KeyError" in told
    assert (event["order"], event["job"]) == ("order-1", str(paying.id))


def test_a_long_secret_is_taken_out_before_a_text_is_cut() -> None:
    letter = "the quick brown fox " * 1_000
    job = as_if_running(private.read_out, [letter])
    assert job.hide(f"cannot read {letter}!") == f"cannot read {HIDDEN}!"


def test_what_no_worker_has_told_of_is_shown_and_what_one_has_told_of_once_stays_hidden(
    desk: Desk,  # noqa: F811
    start: StartThreaded,  # noqa: F811
    command: Command,  # noqa: F811
) -> None:
    job = private.pay.using(delay=3600).enqueue(desk.conn, EMAIL, dict(PAYMENT), PIN, "order-1")
    assert EMAIL in command("jobs", "show", job.id).out
    start(executor="thread", app=[PRIVATE]).stop()
    assert EMAIL not in command("jobs", "show", job.id).out
    desk.conn.execute("delete from pgqueue.targets")
    assert EMAIL not in command("jobs", "show", job.id, "--json").out


@pytest.mark.parametrize(
    ("sensitive", "fault"),
    [
        (("emial",), "sensitive names 'emial', which .*:pay does not take; it takes email, order, payment, pin"),
        ("email", "sensitive must be a list of names"),
        ((1,), "sensitive must be True, or names"),
        (("a..b",), "names joined by dots"),
    ],
)
def test_a_slip_of_the_pen_is_refused_and_not_taken_for_nothing(sensitive: Any, fault: str) -> None:
    with pytest.raises(OptionError, match=fault):
        Task(private.pay.function, sensitive=sensitive)


def test_a_limit_key_is_not_made_of_what_is_sensitive() -> None:
    with pytest.raises(OptionError, match="is made of email, which is sensitive"):
        pgqueue.task(limit_key="customer:{email}", concurrency=1, sensitive=("email",))(private.pay.function)


def test_a_thousand_secrets_are_taken_out_of_a_text_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of a job's lines, and a worker that writes one, must not look for each by a pattern of its own."""
    secrets = frozenset([*map(str, range(100_000, 100_800)), *(f"{each}.5" for each in range(100)), "-7", "ab"])
    patterns: list[str] = []

    def counted(pattern: str) -> re.Pattern[str]:
        patterns.append(pattern)
        return compiled(pattern)

    compiled = re.compile
    monkeypatch.setattr(re, "compile", counted)
    told = without("cost 100007, x100007, 3.5, 13.5, 3.55, -7, ab, abc", secrets)
    dots = HIDDEN
    assert told == f"cost {dots}, x100007, {dots}, {dots}, 3.55, {dots}, {dots}, abc"
    # One for all that is neither long nor a word.
    assert len(patterns) == 1
    assert without("a number 100007", {"a number 100007", "100007"}) == dots
    assert without("one\ntwo or 'one\\ntwo'", {"one\ntwo"}) == f"{dots} or '{dots}'"


def test_no_long_word_of_an_error_is_shown_of_a_cause_and_none_holds_up_the_page() -> None:
    long = "letters" * 280
    assert _PRIVATE.sub("…", f"no {long} of 'ann' at x@y or id7 there") == "no … of … at … or … there"
