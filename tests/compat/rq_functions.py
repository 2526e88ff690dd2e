"""The functions of RQ's pages: nothing is special about them."""

import os
from pathlib import Path

from pgqueue.compat.rq import get_current_job
from pgqueue.compat.rq.decorators import job


def count_words_at_url(url):
    return len(url.split("/"))


def say_hello(name="World", punctuation="!"):
    return f"Hello, {name}{punctuation}"


def div_by_zero(x=1):
    return x / 0


def fails_until(name, times):
    file = Path(os.environ["COMPAT_FOLDER"], name)
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    if len(file.read_text()) <= times:
        raise ConnectionError(f"not yet: {file.read_text()}")
    return file.read_text()


def note(name):
    with Path(os.environ["COMPAT_FOLDER"], name).open("a") as file:
        file.write("x")


def who_am_i():
    return get_current_job().id


def report_success(job, connection, result, *args, **kwargs):
    Path(os.environ["COMPAT_FOLDER"], job.id).write_text(f"{job.get_status()}: {result!r}")


def report_failure(job, connection, type, value, traceback):  # noqa: A002  # as the page has it
    Path(os.environ["COMPAT_FOLDER"], job.id).write_text(f"{type.__name__}: {value}\n{traceback}")


def report_stopped(job, connection):
    Path(os.environ["COMPAT_FOLDER"], job.id).write_text(str(job.get_status()))


@job("low", timeout=5)
def add(x, y):
    return x + y
