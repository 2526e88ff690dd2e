"""The app: Celery's way of making tasks, and of saying how their jobs are."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pgqueue import hooks
from pgqueue.client import cancel
from pgqueue.compat.celery import beat
from pgqueue.compat.celery.call_options import as_list
from pgqueue.compat.celery.current import make_current
from pgqueue.compat.celery.naming import known
from pgqueue.compat.celery.result import AsyncResult
from pgqueue.compat.celery.settings import Settings
from pgqueue.compat.celery.signatures import Signature
from pgqueue.compat.celery.task import CeleryTask, name_of
from pgqueue.compat.celery.task_options import task_options
from pgqueue.compat.connecting import connection_for, named_database
from pgqueue.compat.ids import job_id_of
from pgqueue.database import address_of
from pgqueue.elsewhere import missing_attribute
from pgqueue.errors import TargetError
from pgqueue.store.connection import open_connection
from pgqueue.tasks.importing import when_imported

_WORKER = "run `pgqueue worker -A` with the module of the app"
_ELSEWHERE: Mapping[str, str] = {
    "Beat": "every worker looks at the schedules: " + _WORKER,
    "GroupResult": "keep the ids, and make results of them by AsyncResult(id)",
    "Task": "a task is a function; what its class did before or after it is a hook: @pgqueue.hooks.on_dead and others",
    "Worker": _WORKER,
    "amqp": "there is no broker: jobs are rows of the database",
    "backend": "results are in the database of the jobs: pgqueue.result(conn, job_id)",
    "broker_connection": "jobs go to the database: pgqueue.connect()",
    "connection": "say connection=conn in apply_async(...), a connection to the database",
    "connection_for_write": "say connection=conn in apply_async(...), a connection to the database",
    "events": "see `pgqueue events`, or Worker(observers=...)",
    "log": "see docs/guides/logging.md",
    "pool": "say connection=conn in apply_async(...), a connection to the database",
    "producer_pool": "say connection=conn in apply_async(...), a connection to the database",
    "register_task": "a task is a function: decorate it by @app.task",
    "start": _WORKER,
    "steps": "there are no bootsteps; see pgqueue.hooks",
    "user_options": "there are no options of your own for the worker; see pgqueue.hooks",
    "worker_main": _WORKER,
}
_CONTROL: Mapping[str, str] = {
    "broadcast": "see `pgqueue workers`",
    "inspect": "see `pgqueue workers show`, `pgqueue jobs list --state running`",
    "purge": "see `pgqueue jobs cancel 'queue:NAME'`",
    "rate_limit": "say pgqueue.set_limit(conn, 'task', task, rate='10/m')",
    "shutdown": "see `pgqueue workers stop`",
    "time_limit": "say time_limit in @app.task(...)",
}


class Moment:
    """When the app is configured: who connects to it is called then, with the app as `sender`."""

    def __init__(self) -> None:
        self.receivers: list[Callable[..., object]] = []

    def connect(self, receiver: Callable[..., object] | None = None, **_: object) -> Any:
        """Have this called; also a decorator."""
        if receiver is None:
            return self.connect
        self.receivers.append(receiver)
        return receiver


class Control:
    """`app.control`, of which cancelling is left."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def revoke(
        self, task_id: str | Sequence[str], terminate: bool = False, connection: Any = None, **_: object
    ) -> None:
        """Cancel jobs, by their ids."""
        ids = [task_id] if isinstance(task_id, str) else task_id
        with connection_for(connection, self._app.conf.dsn, "revoke()") as conn:
            for each in ids:
                cancel(conn, job_id_of(each))

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("app.control", name, _CONTROL)


class Celery:
    """An app: `main` is its name; of `broker` a DSN counts, and any `backend` has results kept."""

    def __init__(
        self,
        main: str | None = None,
        broker: str | None = None,
        backend: str | None = None,
        include: Iterable[str] | None = None,
        config_source: Any = None,
        namespace: str | None = None,
        set_as_current: bool = True,
        **settings: Any,
    ) -> None:
        self.main = main or "celery"
        self.conf = Settings()
        self.control = Control(self)
        self.on_after_configure, self.on_after_finalize = Moment(), Moment()
        self._found_later: list[Callable[[], Iterable[str]]] = []
        given = {"broker_url": broker, "result_backend": backend, "include": include}
        self.conf.update({name: value for name, value in given.items() if value is not None} | settings)
        if config_source is not None:
            self.config_from_object(config_source, namespace=namespace)
        if set_as_current:
            make_current(self)
        when_imported(self.finalize)

    def __repr__(self) -> str:
        return f"<Celery {self.main}>"

    def __getattr__(self, name: str) -> Any:
        return missing_attribute("app", name, _ELSEWHERE)

    def task(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a module-level function a task: `@app.task`, `@app.task(bind=True, max_retries=5)`."""
        if function is not None:
            return made_task(function, self, self.conf, options)
        return lambda below: made_task(below, self, self.conf, options)

    @property
    def tasks(self) -> Mapping[str, CeleryTask]:
        """The tasks of this process, by name."""
        return dict(known)

    def config_from_object(
        self, obj: Any, silent: bool = False, force: bool = False, namespace: str | None = None
    ) -> None:
        """Take over the settings of a module, by its name or itself, of an object or a mapping."""
        self.conf.read(obj, namespace)

    def autodiscover_tasks(
        self,
        packages: Iterable[str] | Callable[[], Iterable[str]] | None = None,
        related_name: str = "tasks",
        force: bool = False,
    ) -> None:
        """Have the worker import the module `tasks` of these packages; of none those of the Django project's apps."""

        def found() -> list[str]:
            named = _installed_apps() if packages is None else packages() if callable(packages) else packages
            modules = [f"{each}.{related_name}" for each in named]
            return [each for each in modules if importlib.util.find_spec(each) is not None]

        self._found_later.append(found)

    def finalize(self) -> None:
        """What a worker does once the app is imported: import its tasks, and mind its periodic ones."""
        for receiver in [*self.on_after_configure.receivers, *self.on_after_finalize.receivers]:
            receiver(sender=self)
        self.on_after_configure.receivers.clear()
        self.on_after_finalize.receivers.clear()
        later = [module for found in self._found_later for module in found()]
        for module in [*as_list(self.conf["include"]), *as_list(self.conf["imports"]), *later]:
            importlib.import_module(module)
        if self.conf["beat_schedule"]:
            beat.check(self)
            hooks.on_worker_start(self._on_worker_start)

    def send_task(
        self, name: str, args: Sequence[Any] | None = None, kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> AsyncResult:
        """Enqueue a call of a task by its name, which need not be imported here."""
        result: AsyncResult = Signature(name, args or (), kwargs, app=self).apply_async(**options)
        return result

    def signature(self, *args: Any, **kwargs: Any) -> Signature:
        """A call as a value."""
        call = Signature(*args, **kwargs)
        call.app = self
        return call

    def AsyncResult(self, task_id: str) -> AsyncResult:  # as Celery calls it
        """The result of a job, by its id."""
        return AsyncResult(task_id, app=self)

    def add_periodic_task(
        self, schedule: Any, sig: Signature, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None,
        name: str | None = None, **options: Any,
    ) -> str:  # fmt: skip
        """Have a task called again and again; answers the name of its entry in `beat_schedule`."""
        call = sig.clone(args, kwargs)
        own = name or repr(call)
        self.conf["beat_schedule"][own] = beat.entry_of(call, schedule, options, self)
        return own

    def write_beat_schedule(self, connection: Any = None) -> None:
        """Write the periodic tasks down as schedules of pgqueue's; a worker does so when it starts."""
        with connection_for(connection, self.conf.dsn, "write_beat_schedule()") as conn:
            beat.write(self, conn)

    def _on_worker_start(self, started: object) -> None:
        # Whatever the role's defaults are: what a worker writes does not depend on them.
        address = address_of(named_database(self.conf.dsn, "the beat schedule"))
        with open_connection(address, "beat") as conn, conn.transaction():
            self.write_beat_schedule(conn)


def made_task(
    function: Callable[..., Any], app: Celery | None, conf: Settings, options: Mapping[str, Any]
) -> CeleryTask:
    """A task of a function, found from now on by its name. Raises OptionError, TargetError."""
    said = dict(options)
    name = name_of(function, said.pop("name", None))
    called = _bound(function, name) if said.pop("bind", False) else function
    made = known[name] = CeleryTask(called, name, task_options(name, said, conf), app)
    return made


def _bound(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function without its first parameter, for which it is given its task."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    if not parameters:
        raise TargetError(
            f"{name} is bound and takes no argument; its first must be the task: def {function.__name__}(self)"
        )

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(known[name], *args, **kwargs)

    called.__signature__ = signature.replace(parameters=parameters[1:])  # type: ignore[attr-defined]  # read by inspect
    return called


def _installed_apps() -> list[str]:
    django = sys.modules.get("django.apps")
    return [] if django is None else [each.name for each in django.apps.get_app_configs()]
