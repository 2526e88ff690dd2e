"""The view `pgqueue.job` as a model: one row a job, whatever its state; to read, in the admin and in queries."""

from __future__ import annotations

from django.db import models

from pgqueue.job import JobState

STATES = [(state.value, state.value) for state in JobState]


class Job(models.Model):
    """A job. Ask by `id`, or in order of `-id` with a limit: other questions walk all of history.

    Arguments, results and errors are not here: `pgqueue.get_job()` has them, and the dashboard, which hides secrets.
    """

    id = models.UUIDField(primary_key=True)
    queue = models.TextField()
    target = models.TextField("task")
    state = models.TextField(choices=STATES)
    priority = models.SmallIntegerField(null=True)
    attempt = models.SmallIntegerField()
    max_attempts = models.SmallIntegerField(null=True)
    created_at = models.DateTimeField(null=True)
    run_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """A view is no table of Django's.

        Nor do `dumpdata` and other commands that walk all models come to it: what they wrote, nobody could load.
        """

        managed = False
        auto_created = True
        db_table = '"pgqueue"."job"'

    def __str__(self) -> str:
        return f"{self.target} {self.id}"
