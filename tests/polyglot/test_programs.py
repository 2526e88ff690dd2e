"""What a program is told, what it may say, and what its exit code makes of the attempt."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import which
from typing import Any

import pytest

import pgqueue
from pgqueue.errors import ArgumentError, OptionError, ProgramFailed, SignatureError, TargetError
from pgqueue.polyglot.command import BASICS
from pgqueue.testing import Ran, run_job
from tests.worker.running import await_end

bash = pytest.mark.skipif(which("bash") is None, reason="no bash here")
needs_node = pytest.mark.skipif(which("node") is None, reason="no node here")
needs_perl = pytest.mark.skipif(which("perl") is None, reason="no perl here")
pytestmark = bash


def ran(script: str, args: Any = None, *, said: dict[str, Any] | None = None, **options: Any) -> Ran:
    """What becomes of a job whose program is a script of bash."""
    task = pgqueue.command_task("scripted", ["bash", "-c", script], **options)
    return run_job(task, args, raises=False, **(said or {}))


NODE = """
let told = "";
process.stdin.on("data", part => told += part).on("end", () => {
  const job = JSON.parse(told);
  console.log(JSON.stringify({progress: 1, total: 2, note: "half"}));
  console.log(JSON.stringify({log: `attempt ${job.attempt}`, level: "warning"}));
  console.log(JSON.stringify({result: job}));
});
"""


@needs_node
def test_a_program_is_told_of_its_job_and_tells_how_far_it_is() -> None:
    task = pgqueue.command_task("told", ["node", "-e", NODE], max_attempts=7, timeout=60)
    done = run_job(
        task, {"path": "kö\u2028\U0001f600", "n": 12345678901234567}, attempt=2, labels={"who": "ann"}, queue="q"
    )
    assert done.value.pop("id") == str(done.id)
    deadline = datetime.fromisoformat(done.value.pop("deadline"))
    assert 0 < (deadline - datetime.now(UTC)).total_seconds() <= 60
    # A number of JavaScript has 53 bits.
    assert done.value.pop("args") == {"path": "kö\u2028\U0001f600", "n": 12345678901234568}
    assert done.value == {
        "attempt": 2,
        "max_attempts": 7,
        "queue": "q",
        "target": "tests.polyglot.test_programs:told",
        "labels": {"who": "ann"},
        "headers": {},
    }
    assert done.progress == (1, 2, "half")
    assert done.log == ("attempt 2",)


@needs_perl
def test_a_program_of_perl_answers_by_lines() -> None:
    task = pgqueue.command_task("perl", ["perl", "-ne", r"""/"args":(\[.*?\])/; print qq({"result":$1}\n)"""])
    assert run_job(task, [1, "zwei", None]).value == [1, "zwei", None]


@pytest.mark.parametrize(
    ("script", "outcome", "retry_in", "reason", "message"),
    [
        ("exit 0", "succeeded", None, None, None),
        ("exit 75", "failed", "policy", None, "Retry: exit code 75"),
        ('echo \'{"delay": 42.5, "error": "locked"}\'; exit 75', "failed", 42.5, None, "Retry: exit code 75: locked"),
        ("echo 'no such file' >&2; exit 65", "failed", None, "buried", "Bury: exit code 65: no such file"),
        ("echo '{\"delay\": 9}'; exit 76", "released", 9.0, None, "snoozed for 9 s"),
        (
            "exit 76",
            "failed",
            "policy",
            None,
            'ProgramFailed: exit code 76, which wants a line {"delay": seconds} before it',
        ),
        ("echo a >&2; echo b >&2; exit 3", "failed", "policy", None, "ProgramFailed: exit code 3: b"),
        ('echo \'{"error": {"no": 1}}\'; exit 1', "failed", "policy", None, 'ProgramFailed: exit code 1: {"no": 1}'),
        ('echo \'{"error": "in spite of 0"}\'', "failed", "policy", None, "ProgramFailed: in spite of 0"),
        ("kill -SEGV $$", "failed", "policy", None, "ProgramFailed: ended by SIGSEGV"),
    ],
)
def test_the_exit_code_says_what_becomes_of_the_job(
    script: str, outcome: str, retry_in: float | str | None, reason: str | None, message: str | None
) -> None:
    done = ran(script)
    assert (done.outcome, done.reason) == (outcome, reason)
    assert done.message == message
    assert done.retry_in == retry_in if retry_in != "policy" else done.retry_in is not None


def test_an_error_has_its_exit_code_and_the_end_of_stderr() -> None:
    done = ran("for i in $(seq 5000); do echo line $i >&2; done; exit 4")
    assert isinstance(done.error, ProgramFailed)
    assert done.error.exit_code == 4
    (note,) = done.error.__notes__
    assert note.startswith("The end of its stderr:\nline ")
    assert note.endswith("\nline 5000")
    assert len(note) < 9_000


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"result": 1', "line 2 of its output cannot be read"),
        ('{"result": NaN}', "NaN is no JSON"),
        ('{"progress": "half"}', "done must be a number"),
        ('{"delay": -1}', "delay must be seconds"),
        ('{"x":' * 100_000, "line 2 of its output cannot be read"),
    ],
)
def test_a_message_that_makes_no_sense_is_a_failure(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "line").write_text(line)
    done = ran(f"echo so far so good; cat {tmp_path / 'line'}; echo; echo '{{\"result\": 2}}'")
    assert done.outcome == "failed"
    assert why in (done.message or "")


def test_what_is_no_message_is_a_line_of_the_log() -> None:
    done = ran(
        "echo plain; echo; printf 'a \\xff b\\n'; echo '{\"msg\": \"of a logger\"}'; echo '[1]'; echo oops >&2;"
        " printf last"
    )
    assert done.succeeded
    assert sorted(done.log) == sorted(["plain", "a \ufffd b", '{"msg": "of a logger"}', "[1]", "oops", "last"])


@pytest.mark.filterwarnings("ignore::pgqueue.SizeWarning")
def test_huge_arguments_and_results_go_through() -> None:
    task = pgqueue.command_task("echoing", ["perl", "-ne", r"""/"args":\["(.*?)"\]/; print qq({"result":"$1"}\n)"""])
    for letter in ("x", "ü"):
        text = letter * 250_000
        assert run_job(task, [text]).value == text


@pytest.mark.filterwarnings("ignore::pgqueue.SizeWarning")
def test_a_program_that_does_not_listen_is_no_mistake() -> None:
    text = "x" * 900_000
    assert ran("exec <&-; echo '{\"result\": 1}'; sleep 0.1", [text]).value == 1
    assert ran("echo '{\"result\": 2}'", [text]).value == 2


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_program_that_floods_is_ended(tmp_path: Path, stream: str) -> None:
    done = ran(f"echo $$ > {tmp_path / 'pid'}; yes >&{stream}", max_output=1_000_000)
    assert done.message == "ProgramFailed: it printed more than 1,000,000 bytes; let it print less, or say max_output"
    await_end([int((tmp_path / "pid").read_text())])


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    done = ran("tr '\\0' x < /dev/zero", max_output=1 << 30)
    assert "it printed a line of more than 1,048,576 bytes" in (done.message or "")


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    # It holds stdout and stderr open, too.
    done = ran(f"sleep 600 & echo $! > {tmp_path / 'pid'}; echo '{{\"result\": 1}}'")
    assert done.value == 1
    assert done.elapsed < 5
    await_end([int((tmp_path / "pid").read_text())])


def test_what_has_a_session_of_its_own_holds_up_nobody(tmp_path: Path) -> None:
    done = ran(f"setsid sh -c 'echo $$ > {tmp_path / 'pid'}; exec sleep 60' & sleep 0.3; echo '{{\"result\": 1}}'")
    assert (done.value, done.elapsed < 10) == (1, True)
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_what_cannot_be_started_says_why() -> None:
    for command, cwd, why in (
        (["pgqueue-no-such"], None, "not started: No such file or directory: pgqueue-no-such"),
        (["/etc/passwd"], None, "not started: Permission denied: /etc/passwd"),
        (["true"], "/no/such", "not started: No such file or directory: /no/such"),
    ):
        done = run_job(pgqueue.command_task("absent", command, cwd=cwd), raises=False)
        assert done.message == f"ProgramFailed: {why}"


def test_a_program_finds_little_of_the_environment_of_its_worker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGQUEUE_DSN", "postgresql://hush")
    monkeypatch.setenv("LC_TIME", "C")
    task = pgqueue.command_task("looking", ["env"], env={"KEY": "a=b"}, cwd=str(tmp_path))
    done = run_job(task, attempt=3)
    found = dict(line.partition("=")[::2] for line in done.log)
    assert found.pop("KEY") == "a=b"
    assert found.pop("PGQUEUE_JOB_ID") == str(done.id)
    assert found.pop("PGQUEUE_ATTEMPT") == "3"
    assert {"PATH", "LC_TIME"} <= found.keys()
    assert found.keys() <= {*BASICS} | {name for name in found if name.startswith("LC_")}


def test_a_program_is_given_no_file_but_its_own_three() -> None:
    assert ran("ls /proc/$$/fd; true").log in (("0", "1", "2"), ("0", "1", "2", "255"))


def test_signals_are_to_a_program_what_they_are_to_any() -> None:
    done = ran("grep -E 'Sig(Ign|Blk)' /proc/self/status") if os.path.exists("/proc/self/status") else None
    # Those up to 31: the C library keeps some of the others for itself.
    assert done is None or [int(line.split()[1], 16) & 0x7FFFFFFF for line in done.log] == [0, 0]


def test_a_timeout_ends_a_program_and_what_it_has_started(tmp_path: Path) -> None:
    started = time.monotonic()
    done = ran(f"sleep 600 & echo $! > {tmp_path / 'pid'}; echo too slow >&2; wait", said={"timeout": 0.4})
    assert done.outcome == "timeout"
    assert time.monotonic() - started < 2
    await_end([int((tmp_path / "pid").read_text())])


def test_a_program_has_time_to_clean_up_and_no_more() -> None:
    done = ran("trap 'echo cleaned; exit 1' TERM; sleep 600 & wait", said={"timeout": 0.4})
    assert (done.outcome, done.log) == ("timeout", ("cleaned",))
    started = time.monotonic()
    assert ran("trap '' TERM; while true; do sleep 1; done", said={"timeout": 0.4}).outcome == "timeout"
    assert 2 < time.monotonic() - started < 5


def test_arguments_that_are_sensitive_are_in_no_word_about_a_program() -> None:
    done = ran("cat; echo iban=DE1234567 >&2; exit 1", {"iban": "DE1234567"}, sensitive=["iban"])
    assert "DE1234567" not in json.dumps([done.message, done.log])
    assert done.log


def takes(path: str, day: date | None = None, width: int = 320) -> dict[str, int]:
    """Make a photo small."""
    raise NotImplementedError


def test_a_signature_is_that_of_what_it_takes() -> None:
    task = pgqueue.command_task("typed", ["true"], takes=takes)
    assert task.job("a.png", width=3).args == {"path": "a.png", "width": 3}
    with pytest.raises(SignatureError, match="typed"):
        task.job("a.png", height=3)  # type: ignore[call-arg]
    assert run_job(task, ["a.png", "soon"], raises=False).reason == "unbindable"
    assert run_job(task, ["a.png", "2026-01-31"]).succeeded


def test_a_task_is_named_by_its_module_and_its_name() -> None:
    task = pgqueue.command_task("named", ["true"], queue="media", max_attempts=3)
    assert task.target == f"{__name__}:named"
    assert task.job(1).queue == "media"


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"name": "not a name"}, TargetError, "name must be that of a variable"),
        ({"command": "node resize.js"}, OptionError, "must be a list of words"),
        ({"command": []}, OptionError, "the program first"),
        ({"command": ["a\0b"]}, OptionError, "the program first"),
        ({"cwd": ""}, OptionError, "path of a folder"),
        ({"env": {"A=B": "c"}}, OptionError, "'A=B'"),
        ({"max_output": 0}, OptionError, "max_output"),
        ({"takes": int}, OptionError, "takes must be a plain function"),
        ({"takes": ran}, OptionError, r"\*\*options: 'Any' has no name"),
        ({"transactional": True}, OptionError, "takes no transactional"),
        ({"batch": 5}, OptionError, "takes no batch"),
        ({"iterable": True}, OptionError, "takes no iterable"),
        ({"time_out": 5}, OptionError, "time_out"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_declared(
    options: dict[str, Any], error: type[Exception], why: str
) -> None:
    given = {"name": "refused", "command": ["true"], **options}
    with pytest.raises(error, match=why):
        pgqueue.command_task(given.pop("name"), given.pop("command"), **given)


def test_outside_of_a_job_there_is_nothing_to_tell() -> None:
    task = pgqueue.command_task("idle", ["true"])
    with pytest.raises(pgqueue.UsageError, match="running job"):
        task(1).send(None)


def test_arguments_that_are_no_json_are_refused_as_of_any_task() -> None:
    with pytest.raises(ArgumentError):
        run_job(pgqueue.command_task("plain", ["true"]), [object()])
