"""Tasks that are programs: one JSON object on stdin, JSON lines on stdout, and an exit code that says how it went.

The row of a job names the task; which command that is, the module says that declares it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from pgqueue.context import JobContext, current_job
from pgqueue.errors import OptionError, ProgramFailed
from pgqueue.options import check_integer
from pgqueue.outcome import Bury, Retry, Snooze
from pgqueue.polyglot.declaring import declared
from pgqueue.polyglot.keeping import Order
from pgqueue.polyglot.lines import Said, Split, Words
from pgqueue.polyglot.program import Ending, Listener, run_program
from pgqueue.polyglot.telling import told
from pgqueue.retry import DEFAULT_RETRY, RetryPolicy
from pgqueue.tasks import Task
from pgqueue.tasks.options import AllTaskOptions

P = ParamSpec("P")
R = TypeVar("R")

# Bytes of stdout and stderr together.
MAX_OUTPUT = 16 << 20
# As of sysexits.h: EX_TEMPFAIL, EX_DATAERR; and the next one that means nothing that a job could mean.
RETRY, BURY, SNOOZE = 75, 65, 76
# What a program finds of the worker's environment; and each LC_.
BASICS = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")


@overload
def command_task(
    name: str,
    command: Sequence[str],
    /,
    *,
    takes: Callable[P, R],
    cwd: str | None = ...,
    env: Mapping[str, str] | None = ...,
    max_output: int = ...,
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Task[P, Coroutine[Any, Any, R]]: ...
@overload
def command_task(
    name: str,
    command: Sequence[str],
    /,
    *,
    takes: None = None,
    cwd: str | None = ...,
    env: Mapping[str, str] | None = ...,
    max_output: int = ...,
    retry: RetryPolicy = ...,
    **options: Unpack[AllTaskOptions],
) -> Task[..., Coroutine[Any, Any, Any]]: ...
def command_task(
    name: str,
    command: Sequence[str],
    /,
    *,
    takes: Callable[..., Any] | None = None,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    max_output: int = MAX_OUTPUT,
    retry: RetryPolicy = DEFAULT_RETRY,
    **options: Unpack[AllTaskOptions],
) -> Task[..., Any]:
    """Make a program a task: `resize = command_task("resize", ["node", "resize.js"])` in `shop` is `shop:resize`.

    It gets the job as a JSON object on stdin and answers by JSON lines on stdout. Exit code 0 is success, 75 asks for a
    retry, 65 buries, 76 snoozes; any other has failed. No shell reads `command`. It runs in `cwd` (None: the worker's),
    with `env` and what every program needs of the worker's environment, and ends with its process group when its time
    is up, when it is cancelled, and with its worker. `takes` is a function whose parameters a job's arguments must fit.
    `options` are those of @task, but for what only code of Python can do. Raises TargetError, OptionError.
    """
    words = _command(command)
    own = _environment(env)
    check_integer("max_output", max_output, 1, 1 << 40)
    if cwd is not None and (not isinstance(cwd, str) or not cwd or "\0" in cwd):
        raise OptionError(f"cwd must be the path of a folder, got {cwd!r:.80}")

    async def run() -> Any:
        job = current_job()
        order = Order(words, _inherited() | own | _of_job(job), cwd or os.getcwd())
        return await _run(job, order, told(job, takes), max_output)

    return declared(name, sys._getframe(1).f_globals["__name__"], run, takes, retry, options)


async def _run(job: JobContext, order: Order, message: bytes, max_output: int) -> Any:
    said, words, lines = Said(job), Words(job), Split()

    def hear(chunk: bytes) -> None:
        for line in lines.feed(chunk):
            said.take(line)

    ending = await run_program(order, message, Listener(hear, words.take, max_output))
    for line in lines.last():
        said.take(line)
    words.end_line()
    return _answer(ending, said, words.tail)


def _answer(ending: Ending, said: Said, tail: str) -> Any:
    """What the job returns; raises what it has chosen, or ProgramFailed."""
    match ending.exit_code:
        case 0 if said.fault is None and said.error is None:
            return said.result
        case 0:
            raise _failed(said.error or said.fault or "", 0, tail)
        case code if code == RETRY:
            raise Retry(_why(ending, said, tail), delay=said.delay) from _failed(ending.how, code, tail)
        case code if code == BURY:
            raise Bury(_why(ending, said, tail)) from _failed(ending.how, code, tail)
        case code if code == SNOOZE and said.delay is not None:
            raise Snooze(said.delay)
        case code if code == SNOOZE:
            raise _failed(f'{ending.how}, which wants a line {{"delay": seconds}} before it', code, tail)
        case code:
            raise _failed(_why(ending, said, tail), code, tail)


def _why(ending: Ending, said: Said, tail: str) -> str:
    """How it ended, and the words that it found for that itself."""
    words = said.error or said.fault or tail.rpartition("\n")[2]
    return f"{ending.how}: {words}" if words else ending.how


def _failed(message: str, code: int | None, tail: str) -> ProgramFailed:
    failed = ProgramFailed(message, code)
    if tail:
        failed.add_note(f"The end of its stderr:\n{tail}")
    return failed


def _command(command: Sequence[str]) -> list[str]:
    if isinstance(command, str):
        raise OptionError(
            f"command must be a list of words, got {command!r:.80}; a line for a shell is ['sh', '-c', line]"
        )
    words = list(command)
    if not words or not all(isinstance(each, str) and "\0" not in each for each in words) or not words[0]:
        raise OptionError(f"command must be a list of texts, the program first, got {command!r:.200}")
    return words


def _environment(env: Mapping[str, str] | None) -> dict[str, str]:
    own = dict(env or {})
    for name, value in own.items():
        if not isinstance(name, str) or not isinstance(value, str) or not name or "=" in name or "\0" in name + value:
            # Not the value: it may be a secret.
            raise OptionError(f"env must be texts by names of variables, and {name!r:.80} is not so")
    return own


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in BASICS or name.startswith("LC_")}


def _of_job(job: JobContext) -> dict[str, str]:
    return {"PGQUEUE_JOB_ID": str(job.id), "PGQUEUE_ATTEMPT": str(job.attempt)}
