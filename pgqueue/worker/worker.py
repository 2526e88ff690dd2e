"""The worker: one enlistment after another, until it is time to end."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from pgqueue import encryption, signing
from pgqueue.errors import OptionError, UsageError
from pgqueue.events import Event, Observer, WorkerStopped
from pgqueue.job_log import LEVELS
from pgqueue.metrics import families
from pgqueue.metrics.meter import Gauges, Meter
from pgqueue.options import Duration, check_choice, check_flag
from pgqueue.store.dsn_files import DsnFile, check_all
from pgqueue.tasks.modules import Modules
from pgqueue.version import __version__
from pgqueue.vocabulary import advised_worker
from pgqueue.worker import task_log
from pgqueue.worker.executors.base import Settings
from pgqueue.worker.log import LogObserver
from pgqueue.worker.many.several import Several
from pgqueue.worker.selection import select
from pgqueue.worker.settings import Signed, WorkerSettings, length, names
from pgqueue.worker.supervision.health import Health
from pgqueue.worker.supervision.probes import Probes
from pgqueue.worker.supervision.pulse import Pulse
from pgqueue.worker.supervision.roles import Timings
from pgqueue.worker.supervision.serving import Serving
from pgqueue.worker.supervision.signals import Signals
from pgqueue.worker.supervision.systemd import Systemd


@advised_worker
class Worker:
    """Claims jobs and runs them until it is told to stop.

    `queues` None serves all of them; else their names, or globs (`"email.*"`) that new queues may match, or a mapping
    of those to weights: `{"critical": 3, "default": 1}` gives each its share of the claims. `exclude` leaves queues
    out. `ageing` is how much waiting a level of priority is worth, so that low ones do not starve; with None they may.
    `app` names the modules whose tasks may run, each with its module `tasks` if it has one; `include` names more
    modules, each as it is. Of them jobs may call every @task and the public functions that they define themselves; with
    `tasks_only` no function that is no @task. `lease`, `poll` and `shutdown_timeout` are seconds or timedeltas.
    `burst` ends the worker when nothing is due. Behind a pooler, `listen_dsn` leads round it to where LISTEN works, and
    `poll_only` says that none is wanted: then jobs are looked for every second.
    `max_jobs_per_child` and `max_memory_per_child` (bytes) bound how long a child process is kept.
    `infra_limit` infrastructure errors within `infra_minutes` end the worker, for another process to take its place.
    A job whose task no live worker knows waits for one as long as `keep_unknown`, and is dead then.
    What tasks log from the level `store_logs` on is kept with their jobs, too.
    Children do not inherit PGQUEUE_DSN and PGPASSWORD, unless `pass_dsn` says so; connect() and delay() need neither.
    Transactional jobs have the rights of `job_role` on their connection, or of the login that `job_dsn` names.
    With `require_signature`, True or names and globs of queues, nothing runs but what is signed with a known key.
    With `health_port` it answers probes over HTTP at `health_host`, and Prometheus, if the extra `prometheus` is there.
    While it is ready it asks for `heartbeat_url` once a minute: who watches that tells people when no worker does.

    Holds three connections, whatever the concurrency, and one more per slot that runs transactional tasks.

    Of several databases, that is a list for `dsn`, or a `dsn_file` that names one a line and is read again when it
    changes, each has its own lease and three connections; they share the slots. One that is away hurts no other.
    """

    def __init__(
        self,
        dsn: str | Sequence[str] = (),
        *,
        dsn_file: str | os.PathLike[str] | None = None,
        queues: Sequence[str] | Mapping[str, int] | None = None,
        exclude: Sequence[str] = (),
        concurrency: int | None = None,
        executor: Literal["process", "thread", "async"] = "process",
        app: Sequence[str] = (),
        include: Sequence[str] = (),
        tasks_only: bool = False,
        middleware: Sequence[str] = (),
        burst: bool = False,
        poll: Duration = 5.0,
        lease: Duration = 30.0,
        shutdown_timeout: Duration = 8.0,
        listen_dsn: str | None = None,
        poll_only: bool = False,
        max_jobs_per_child: int | None = None,
        max_memory_per_child: int | None = None,
        infra_limit: int = 10,
        infra_minutes: float = 5.0,
        keep_unknown: Duration = 604_800.0,
        ageing: Duration | None = 600.0,
        health_host: str = "127.0.0.1",
        health_port: int | None = None,
        heartbeat_url: str | None = None,
        store_logs: Literal["debug", "info", "warning", "error"] | None = None,
        pass_dsn: bool = False,
        job_role: str | None = None,
        job_dsn: str | None = None,
        require_signature: bool | Sequence[str] = False,
        observers: Iterable[Observer] | None = None,
    ) -> None:
        check_choice("store_logs", store_logs, tuple(LEVELS))
        check_flag("tasks_only", tasks_only)
        check_flag("pass_dsn", pass_dsn)
        self._observers: list[Observer] = list(observers) if observers is not None else [LogObserver()]
        several = not isinstance(dsn, str) or dsn_file is not None
        dsns = check_all([dsn] if isinstance(dsn, str) else dsn) if several else ()
        if several and not dsns and dsn_file is None:
            raise UsageError("Worker() knows no database; give a DSN, a list of them, or a dsn_file")
        if several and listen_dsn is not None:
            raise OptionError("listen_dsn leads to one database, and there are several; give poll_only=True instead")
        if several and job_dsn is not None:
            raise OptionError(
                "job_dsn leads to one database, and there are several; say job_role, or run a worker each"
            )
        if job_dsn is not None and job_role is not None:
            raise OptionError("job_dsn is a login of its own already; give it, or job_role")
        home = dsn if isinstance(dsn, str) and not several else ""
        logs = [each for each in self._observers if isinstance(each, LogObserver) and not each.is_elsewhere]
        signer = signing.signer()
        tasks = Settings(
            concurrency=(os.cpu_count() or 1) if concurrency is None else concurrency,
            modules=Modules(names("app", app), names("include", include), tasks_only),
            middleware=names("middleware", middleware),
            dsn=home,
            max_jobs_per_child=max_jobs_per_child,
            max_memory_per_child=max_memory_per_child,
            log=(logs[0].style, logs[0].level) if logs else None,
            store_logs=store_logs,
            pass_dsn=pass_dsn,
            encryption=encryption.to_wire(),
            job_role=job_role,
            job_dsn=job_dsn,
            signing_keys=None if signer is None else signer.source.to_wire(),
        )
        self._settings = WorkerSettings(
            dsn=home,
            queues=select(queues, exclude),
            executor=executor,
            tasks=tasks,
            burst=burst,
            poll=length("poll", poll),
            lease=length("lease", lease),
            shutdown_timeout=length("shutdown_timeout", shutdown_timeout, zero=True),
            listen_dsn=listen_dsn,
            poll_only=poll_only,
            infra_limit=infra_limit,
            infra_minutes=infra_minutes,
            keep_unknown=length("keep_unknown", keep_unknown),
            ageing=None if ageing is None else length("ageing", ageing),
            signed=Signed.required(require_signature),
        )
        self._health_address = None if health_port is None else (health_host, health_port)
        self._pulse = None if heartbeat_url is None else Pulse(heartbeat_url, self._health, self._observe)
        # It counts only where somebody can ask.
        self._meter = Meter() if health_port is not None and families.is_there() else None
        if self._meter is not None:
            self._observers.append(self._meter)
        self._signals = Signals()
        self._asked_to_stop = False
        self._ran = False
        self._serving = self._new_serving(dsns if several else None, dsn_file)

    @property
    def id(self) -> int:
        """The id under which it holds its jobs now; a fresh one after an outage that outlasted its lease.

        Of several databases that in the first of them; 0 if it serves none.
        """
        return self._serving.id

    def run(self) -> int:
        """Work until a signal, stop(), the end of a burst or the loss of the lease; answers the exit code.

        Raises AppError if the app cannot be imported, DatabaseUnreachable and SchemaError if the worker cannot begin;
        once begun, it outlives any outage. In the main thread TERM, INT and HUP stop it, a second TERM or INT at once;
        TSTP makes it quiet, CONT go on; USR1 kills what runs, TTIN dumps the state to the log. A Worker runs once.
        """
        if self._ran:
            raise UsageError("a Worker runs once, and this one has run; make another")
        self._ran = True
        self._serving.find_database()
        with self._signals, self._doors(), task_log.for_now():
            code = self._serving.serve()
            self._observe(WorkerStopped(self.id, code))
            return code

    def stop(self) -> None:
        """Ask for a graceful stop; from any thread, any number of times."""
        self._asked_to_stop = True
        self._signals.wake()

    @contextmanager
    def _doors(self) -> Iterator[None]:
        """Open for supervisors: probes over HTTP, and what systemd wants to hear."""
        systemd = Systemd(self._health)
        self._observers.append(systemd)
        metrics = None if self._meter is None else self._metrics
        probes = None if self._health_address is None else Probes(*self._health_address, self._health, metrics)
        systemd.start()
        if probes is not None:
            probes.start()
        if self._pulse is not None:
            self._pulse.start()
        try:
            yield
        finally:
            systemd.stop()
            if self._pulse is not None:
                self._pulse.stop()
            if probes is not None:
                probes.stop()

    def _health(self) -> Health:
        return self._serving.health()

    def _new_serving(self, dsns: Sequence[str] | None, dsn_file: str | os.PathLike[str] | None) -> Serving | Several:
        timings = Timings() if self._meter is None else Timings(self._meter.timed_step, self._meter.timed_heartbeat)
        given = self._settings, self._signals, lambda: self._asked_to_stop, self._observe, timings
        if dsns is None:
            return Serving(*given)
        return Several(dsns, None if dsn_file is None else DsnFile(dsn_file), *given)

    def _metrics(self, accept: str) -> tuple[str, bytes]:
        meter = self._meter
        assert meter is not None, "asked for only where there is one"
        return families.rendered(lambda: meter.collected(self.gauges), accept)

    def gauges(self) -> Gauges:
        """How busy it is at this moment, and what it is; from any thread."""
        health, slots = self._health(), self._settings.tasks.concurrency
        return Gauges(
            slots=slots,
            busy=min(slots, health.jobs),
            buffered=health.outbox,
            lease_left=health.lease_left,
            version=__version__,
            release=os.environ.get("PGQUEUE_RELEASE", ""),
            executor=self._settings.executor,
            python=platform.python_version(),
        )

    def _observe(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # An observer is a guest: what it does wrong must not stop the work.
                continue
