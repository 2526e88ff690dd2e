"""An app whose hooks are for every task and for the worker; imported in processes of their own alone."""

from __future__ import annotations

from pgqueue import hooks
from pgqueue.events import Finished, WorkerStarted, WorkerStopping
from pgqueue.tasks import task
from tests.hooks.tasks import write


@hooks.on_success
def tell(done: Finished) -> None:
    write("on_success", done.claim.id, done.claim.target)


@hooks.on_worker_start
def tell_start(started: WorkerStarted) -> None:
    write("on_worker_start", started.worker, started.executor)


@hooks.on_worker_stop
def tell_stop(stopping: WorkerStopping) -> None:
    write("on_worker_stop", stopping.worker, stopping.why)


@task
def plain() -> None:
    return None
