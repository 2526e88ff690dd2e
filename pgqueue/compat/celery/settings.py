"""What stands in an app's configuration: what means something here, what does not, and what is said elsewhere."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from pgqueue.cron.zones import zone_of
from pgqueue.elsewhere import NotHere
from pgqueue.errors import OptionError
from pgqueue.retry import seconds

# A result is kept for a day.
LONGEST_RESULT = 86_400.0
# What a setting is where nothing is said.
_DEFAULTS: Mapping[str, Any] = {
    "beat_schedule": {},
    "broker_url": None,
    "enable_utc": True,
    "imports": (),
    "include": (),
    "result_backend": None,
    "result_expires": LONGEST_RESULT,
    "task_acks_late": None,
    "task_annotations": {},
    "task_default_priority": None,
    "task_default_queue": None,
    "task_default_rate_limit": None,
    "task_ignore_result": False,
    "task_routes": {},
    "task_soft_time_limit": None,
    "task_time_limit": None,
    "timezone": "UTC",
}
# Nothing is lost by them: arguments are JSON, results and jobs in one database, and workers say what they do.
_MOOT = (
    "accept_content", "result_accept_content", "result_extended", "result_persistent", "result_chord_*",
    "result_compression", "result_serializer", "result_backend_*", "task_acks_on_failure_or_timeout",
    "task_compression", "task_create_missing_queues", "task_default_delivery_mode", "task_default_exchange*",
    "task_default_routing_key", "task_protocol", "task_publish_retry*", "task_queues", "task_queue_max_priority",
    "task_reject_on_worker_lost", "task_remote_tracebacks", "task_send_sent_event", "task_serializer",
    "task_store_errors_even_if_ignored", "task_track_started", "broker_*", "event_*", "database_*", "redis_*",
    "beat_max_loop_interval", "beat_schedule_filename", "beat_sync_every", "worker_prefetch_multiplier",
    "worker_send_task_events", "worker_enable_remote_control", "worker_disable_rate_limits",
    "worker_cancel_long_running_*", "worker_deduplicate_successful_tasks", "worker_proc_alive_timeout",
    "worker_lost_wait", "worker_timer*", "worker_state_db", "security_*", "deprecated_settings", "set_as_current",
)  # fmt: skip
# Said to the worker, or in tests.
_ELSEWHERE: Mapping[str, str] = {
    "beat_scheduler": "every worker looks at the schedules; write them in beat_schedule, or by pgqueue.schedule()",
    "task_always_eager": "in tests write `with pgqueue.testing.eager():`",
    "task_eager_propagates": "in tests write `with pgqueue.testing.eager():`",
    "task_store_eager_result": "in tests write `with pgqueue.testing.eager():`",
    "worker_concurrency": "say pgqueue worker --concurrency",
    "worker_pool": "say pgqueue worker --executor process, thread or async",
    "worker_max_tasks_per_child": "say pgqueue worker --max-jobs-per-child",
    "worker_max_memory_per_child": "say pgqueue worker --max-memory-per-child",
    "worker_soft_shutdown_timeout": "say pgqueue worker --shutdown-timeout",
    "worker_hijack_root_logger": "see `pgqueue worker --help` on its log",
    "worker_log_format": "see `pgqueue worker --help` on its log",
    "worker_task_log_format": "see `pgqueue worker --help` on its log",
    "worker_redirect_stdouts": "see `pgqueue worker --help` on its log",
}


class Settings(MutableMapping[str, Any]):
    """`app.conf`: settings as attributes and as items, in Celery's lower-case names. Raises OptionError."""

    def __init__(self) -> None:
        object.__setattr__(self, "_said", {})

    def __getitem__(self, name: str) -> Any:
        if name in self._said:
            return self._said[name]
        if name in _DEFAULTS:
            # One of its own, which may be changed in place.
            return self._said.setdefault(name, type(_DEFAULTS[name])()) if _DEFAULTS[name] == {} else _DEFAULTS[name]
        check_name(name)
        return None

    def __setitem__(self, name: str, value: Any) -> None:
        check_name(name)
        if value and name in _ELSEWHERE:
            raise OptionError(f"{name} is not said in the app's configuration here: {_ELSEWHERE[name]}")
        if name == "timezone":
            zone_of(str(value))
        if name == "result_expires":
            _check_expiry(value)
        self._said[name] = value

    def __delitem__(self, name: str) -> None:
        del self._said[name]

    def __contains__(self, name: object) -> bool:
        return name in self._said or name in _DEFAULTS

    def __iter__(self) -> Iterator[str]:
        return iter({**_DEFAULTS, **self._said})

    def __len__(self) -> int:
        return len({**_DEFAULTS, **self._said})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except OptionError as error:
            raise NotHere(str(error)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def get(self, name: str, default: Any = None) -> Any:
        """What is said, or is so where nothing is; the default of what nobody knows."""
        if name not in self:
            return default
        return self[name]

    def read(self, source: Any, namespace: str | None = None) -> None:
        """Take over what a module, by its name or itself, an object or a mapping says; of a `namespace` only that."""
        found = importlib.import_module(source.replace(":", ".")) if isinstance(source, str) else source
        said = found if isinstance(found, Mapping) else {name: getattr(found, name) for name in dir(found)}
        prefix = f"{namespace}_" if namespace else ""
        for name, value in said.items():
            if name.startswith("_") or not name.startswith(prefix):
                continue
            own = name.removeprefix(prefix)
            if namespace is not None:
                self[own.lower()] = value
            elif _is_setting(own):
                self[own] = value
            elif isinstance(found, Mapping):
                check_name(own)

    @property
    def dsn(self) -> str | None:
        """The database that `broker_url` names; None if that is another broker, which has no part here."""
        url = self["broker_url"]
        is_ours = isinstance(url, str) and url.startswith(("postgresql://", "postgres://", "embedded:"))
        return url if is_ours else None

    @property
    def keeps_results(self) -> bool:
        """Whether jobs store what they return, where neither they nor their task say: with any result_backend."""
        return self["result_backend"] is not None and not self["task_ignore_result"]

    def annotations_of(self, name: str) -> dict[str, Any]:
        """What `task_annotations` says of a task."""
        said = self["task_annotations"]
        if not isinstance(said, Mapping):
            raise OptionError(f"task_annotations must be a mapping from names of tasks to options, got {said!r:.80}")
        return {**said.get("*", {}), **said.get(name, {})}

    def route_of(self, name: str) -> dict[str, Any]:
        """What `task_routes` says of a task: options of its jobs, such as queue."""
        said = self["task_routes"]
        pairs = said.items() if isinstance(said, Mapping) else said
        for pattern, route in pairs:
            if not isinstance(pattern, str):
                raise OptionError(f"task_routes must map names of tasks, or globs, to queues, got {pattern!r:.80}")
            if fnmatchcase(name, pattern):
                return {"queue": route} if isinstance(route, str) else dict(route)
        return {}

    def aware(self, moment: datetime) -> datetime:
        """A moment with its zone: one without is in the app's."""
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self["timezone"]))


def check_name(name: str) -> None:
    """Raise OptionError for what is no setting, with the one that may have been meant."""
    if _is_setting(name):
        return
    lower = name.lower().removeprefix("celery_").removeprefix("celeryd_")
    near = [lower] if _is_setting(lower) else difflib.get_close_matches(lower, [*_DEFAULTS, *_MOOT, *_ELSEWHERE], n=1)
    meant = f"; did you mean {near[0]}?" if near else f"; it takes {', '.join(_DEFAULTS)}"
    raise OptionError(f"there is no setting {name!r}{meant}")


def _is_setting(name: str) -> bool:
    return name in _DEFAULTS or name in _ELSEWHERE or any(fnmatchcase(name, pattern) for pattern in _MOOT)


def _check_expiry(value: Any) -> None:
    if value is not None and seconds(value) > LONGEST_RESULT:
        raise OptionError(
            f"result_expires is a day at most here, got {value!r}; keep in a table of yours what is to last longer"
        )
