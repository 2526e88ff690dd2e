"""The tasks of the documentation's examples, and those that fail."""

import os
from pathlib import Path

from pgqueue.compat.celery import shared_task
from tests.compat.proj.celery import app


@app.task
def add(x, y, debug=False):
    return (x + y, "debug") if debug else x + y


@app.task
def mul(x, y):
    return x * y


@app.task
def subtract(x, y):
    return x - y


@app.task
def tsum(numbers):
    return sum(numbers)


@app.task
def create_user(username, first, last, email):
    return f"{first} {last} <{email}>"


@app.task
def import_contacts(user):
    return f"contacts of {user}"


@app.task
def send_welcome_email(user):
    return f"welcome, {user}"


@app.task
def reset_buffers():
    return "reset"


@app.task
def fail(*given):
    raise ValueError("something something")


def _write(request, text):
    Path(os.environ["COMPAT_FOLDER"], request if isinstance(request, str) else request.id).write_text(text)


@app.task
def log_error(request, exc, traceback):
    _write(request, f"{request.id}: {exc!r}\n{traceback}")


@app.task
def log_id(uuid):
    _write(uuid, f"only {uuid}")


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def flaky(self, good_at):
    if self.request.retries < good_at:
        try:
            raise KeyError(good_at)
        except KeyError as exc:
            raise self.retry(exc=exc) from exc
    return [self.request.id, self.request.retries, self.name]


@app.task(autoretry_for=(OSError,), retry_kwargs={"max_retries": 2, "countdown": 0})
def stubborn():
    raise OSError("still down")


@shared_task(bind=True)
def whoami(self):
    return self.app.main


@app.task(ignore_result=True)
def quiet(x):
    return x
