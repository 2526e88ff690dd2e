"""The questions of the API, each in a file of its kind."""

from pgqueue.dashboard.api.reads import (
    acts,
    alerts,
    causes,
    jobs,
    limits,
    overview,
    queues,
    rest,
    schedules,
    times,
    workers,
    workflows,
)
from pgqueue.dashboard.api.route import Route

ROUTES: tuple[Route, ...] = (
    *overview.ROUTES,
    *queues.ROUTES,
    *jobs.ROUTES,
    *causes.ROUTES,
    *workers.ROUTES,
    *workflows.ROUTES,
    *schedules.ROUTES,
    *limits.ROUTES,
    *acts.ROUTES,
    *alerts.ROUTES,
    *times.ROUTES,
    *rest.ROUTES,
)
