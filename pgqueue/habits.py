"""What others call on tasks, jobs and results: the call to write here, for whoever writes theirs.

Of Celery, RQ, Dramatiq, Huey, arq, Procrastinate, PgQueuer, Sidekiq, Active Job, Good Job, Oban and Django's Tasks.
Options have a place of their own: vocabulary.py.
"""

from __future__ import annotations

from collections.abc import Mapping

_ENQUEUE = "say task.enqueue(conn, ...), in your transaction, or task.delay(...)"
_USING = "say task.using(delay=60, queue='mail').enqueue(conn, ...)"
_JOB = "a call as a value is task.job(...)"
_RESULT = "say pgqueue.result(conn, job, timeout=5)"
_STATE = "say pgqueue.get_job(conn, job).state"
_CANCEL = "say pgqueue.cancel(conn, job)"
_RETRY = "say pgqueue.retry(conn, job)"
_CHAIN = "say pgqueue.chain(task.job(...), task.job(pgqueue.previous))"
_PROGRESS = "say pgqueue.current_job().progress(done, total, note)"
_TASK = "say @pgqueue.task, and run `pgqueue worker -A` with its module; there is no app object"
_NO_QUEUE = "a queue is a name: @pgqueue.task(queue='mail'), or pgqueue.enqueue(conn, ..., queue='mail')"
_CRON = "say @pgqueue.task(cron='0 9 * * *'), or pgqueue.schedule(conn, name, target, args, cron=...)"


def _each(several: Mapping[str, str]) -> Mapping[str, str]:
    """Words that have one answer stand in one key."""
    return {word: ours for words, ours in several.items() for word in words.split()}


OF_TASKS: Mapping[str, str] = _each(
    {
        "apply_async set configure send_with_options perform_in perform_at": _USING,
        "send defer defer_async aenqueue kiq perform_later perform_async push submit": _ENQUEUE,
        "enqueue_in enqueue_at enqueue_call schedule schedule_in schedule_at": _USING,
        "s si signature subtask message message_with_options": _JOB,
        "apply call_local perform_now func fn run": "call it: task(...)",
        "AsyncResult": _RESULT,
        "batch_defer": "say pgqueue.enqueue_many(conn, [task.job(...), ...])",
        "chunks": "say pgqueue.map_chunks(task, items, 100)",
        "map": "say pgqueue.map(task, items)",
        "max_retries": "see task.options.max_attempts",
        "request": "say pgqueue.current_job()",
        "starmap": "say pgqueue.starmap(task, items)",
        "update_state": _PROGRESS,
    }
)
OF_ENQUEUED: Mapping[str, str] = _each(
    {
        "get wait result return_value get_result join": _RESULT,
        "state status get_status ready successful failed is_finished refresh": _STATE,
        "cancel revoke abort stop": _CANCEL,
        "retry requeue": _RETRY,
        "job_id task_id message_id get_id": "it is called id",
        "children": "say pgqueue.tree(conn, job)",
        "traceback": "say pgqueue.attempts(conn, job)",
    }
)
OF_JOBS: Mapping[str, str] = _each(
    {
        "result return_value get wait": _RESULT,
        "status get_status": "it is called state",
        "cancel revoke abort": _CANCEL,
        "requeue retry": _RETRY,
        "refresh reload": "say pgqueue.get_job(conn, job) again",
        "meta tags headers": "they are called labels",
        "exc_info traceback errors": "say pgqueue.attempts(conn, job)",
        "func_name task_name kind worker_class": "it is called target",
        "attempts retries retry_count": "its number is attempt; all of them are pgqueue.attempts(conn, job)",
        "scheduled_at eta scheduled_for": "it is called run_at",
        "kwargs": "see args: a list is positional, a dict by keyword",
        "job_id task_id": "it is called id",
    }
)
OF_RUNNING_JOBS: Mapping[str, str] = _each(
    {
        "retry": "say raise pgqueue.Retry(delay=60)",
        "snooze": "say raise pgqueue.Snooze(delay=60)",
        "discard fail reject": "say raise pgqueue.Bury(why)",
        "ignore cancel": "say raise pgqueue.Cancel(why)",
        "update_state save_meta set_progress update_progress write_meta": "say job.progress(done, total, note)",
        "meta tags headers": "they are called labels",
        "retries attempts job_try tries": "it is called attempt; 1 is the first",
        "request": "this is it",
        "kwargs": "see args: a list is positional, a dict by keyword",
        "should_abort is_aborted is_cancelled abort_requested": "it is called cancelled",
        "job_id task_id": "it is called id",
        "set_result complete_job": "return it, and say store_result=True",
        "replace": "say job.add(part), and return",
    }
)
OF_NEW_JOBS: Mapping[str, str] = _each(
    {
        "apply_async enqueue send defer push perform_later": "say pgqueue.enqueue_many(conn, [job])",
        "link": _CHAIN,
        "link_error": "say on_failure=task",
        "set": "say task.using(...).job(...)",
    }
)
OF_WORKFLOWS: Mapping[str, str] = _each(
    {
        "apply_async delay run send start": "say .enqueue(conn), in your transaction",
        "get wait join results": "say pgqueue.wait_workflow(conn, started), of what enqueue() answered",
        "link": "put it behind: pgqueue.chain(part, job)",
        "link_error": "say on_death=job of a group, or .on_failure(task) of a Workflow",
    }
)
OF_STARTED: Mapping[str, str] = _each(
    {
        "get wait join result results": "say pgqueue.wait_workflow(conn, started)",
        "state status ready": "say pgqueue.get_workflow(conn, started).state",
        "cancel revoke": "say pgqueue.cancel_workflow(conn, started)",
        "retry": "say pgqueue.retry_workflow(conn, started)",
        "children parent": "say pgqueue.workflow_nodes(conn, started)",
    }
)
OF_PGQUEUE: Mapping[str, str] = _each(
    {
        "App Celery Huey PgQueuer Procrastinate actor shared_task": _TASK,
        "Queue QueueManager": _NO_QUEUE,
        "crontab periodic periodic_task db_periodic_task beat Schedule": _CRON,
        "AsyncResult get_result fetch_job": "say pgqueue.get_job(conn, id), pgqueue.result(conn, id)",
        "send_task enqueue_call defer add_job": "say pgqueue.enqueue(conn, target, args)",
        "enqueue_in enqueue_at": "say pgqueue.enqueue(conn, target, args, delay=60), or run_at=",
        "get_current_job current_task get_task": "say pgqueue.current_job()",
        "revoke abort cancel_job": "say pgqueue.cancel(conn, job_id)",
        "requeue requeue_job retry_job": "say pgqueue.retry(conn, job_id)",
        "Reject Discard Fail": "say raise pgqueue.Bury(why)",
        "Ignore CancelExecution Abort": "say raise pgqueue.Cancel(why)",
        "RetryTask TryAgain": "say raise pgqueue.Retry(delay=60)",
        "SoftTimeLimitExceeded JobTimeoutException TimeLimitExceeded": "it is pgqueue.SoftTimeout",
        "signature subtask": _JOB,
        "pipeline": _CHAIN,
        "set_broker": "there is nothing to set up: pass a connection, or set PGQUEUE_DSN",
    }
)
OF_COMMANDS: Mapping[str, str] = {
    "beat": "every `pgqueue worker` looks at the schedules; see `pgqueue schedules`",
    "call": "say `pgqueue enqueue`",
    "control": "say `pgqueue workers`, `pgqueue queues`, `pgqueue limits`",
    "cron": "every `pgqueue worker` looks at the schedules; see `pgqueue schedules`",
    "defer": "say `pgqueue enqueue`",
    "empty": "say `pgqueue jobs cancel 'queue:NAME'`",
    "flower": "say `pgqueue dashboard`, or `pgqueue top`",
    "info": "say `pgqueue status`",
    "init": "say `pgqueue migrate`",
    "inspect": "say `pgqueue workers list`, `pgqueue jobs list --state running`",
    "install": "say `pgqueue migrate`",
    "job": "say `pgqueue jobs`",
    "monitor": "say `pgqueue status`, or `pgqueue top`",
    "purge": "say `pgqueue jobs cancel 'queue:NAME'`",
    "queue": "say `pgqueue queues`",
    "requeue": "say `pgqueue dead retry`",
    "result": "say `pgqueue jobs result`",
    "resume": "say `pgqueue queues resume`",
    "retry": "say `pgqueue jobs retry`, or `pgqueue dead retry`",
    "run": "say `pgqueue worker -A`",
    "schedule": "say `pgqueue schedules`",
    "schema": "say `pgqueue migrate`",
    "start": "say `pgqueue worker -A`",
    "stats": "say `pgqueue status`",
    "suspend": "say `pgqueue queues pause`",
    "upgrade": "say `pgqueue migrate`",
    "work": "say `pgqueue worker -A`",
}
# By command.
OF_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "worker": _each(
        {
            "--autoscale": "say --concurrency",
            "--beat -B --with-scheduler --scheduler": "every worker looks at the schedules",
            "--loglevel -l --logging-level --verbose": "say --log-level",
            "--logfile -f --pidfile --detach": "a supervisor does that: see docs/guides/deploying.md",
            "--max-jobs --max-tasks-per-child": "say --max-jobs-per-child",
            "--name -n --hostname": "a worker is named by its id: `pgqueue workers list`",
            "--pool -P --worker-class -w": "say --executor process, thread or async",
            "--prefetch-multiplier": "a worker claims as many jobs as it has slots",
            "--processes -p --threads -t --num-workers": "say --executor and --concurrency",
            "--queue -q": "say --queues",
            "--time-limit --soft-time-limit": "say timeout, soft_timeout in @task(...), or `pgqueue queues set`",
            "--url --broker -b --redis-url -u": "say --dsn, of the database that the jobs are in",
            "--without-gossip --without-mingle --without-heartbeat -E --task-events": "leave it out",
        }
    ),
}
