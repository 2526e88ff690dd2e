"""The pages, each in a file of its own: what it asks the database; how it looks stands in its templates."""

from pgqueue.dashboard.pages import (
    causes,
    dead,
    doctor,
    feeds,
    job,
    jobs,
    limits,
    overview,
    queue,
    queues,
    running,
    schedule,
    schedules,
    settings,
    workers,
)
from pgqueue.dashboard.pages.page import Page

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    queues.PAGE,
    queue.PAGE,
    jobs.PAGE,
    job.PAGE,
    running.PAGE,
    dead.PAGE,
    causes.PAGE,
    causes.ONE,
    workers.PAGE,
    schedules.PAGE,
    schedule.PAGE,
    limits.PAGE,
    limits.ONE,
    settings.PAGE,
    feeds.PAGE,
    doctor.PAGE,
)
