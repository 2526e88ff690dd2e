"""The admin's pages of jobs: to read, with links to the dashboard, which shows more and can act.

Like all questions beside the work they are bounded: a list counts up to 1,000, and no statement takes longer than 2 s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import OperationalError, connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

import pgqueue
from pgqueue.contrib.django import conf
from pgqueue.contrib.django.connection import below
from pgqueue.contrib.django.models import Job
from pgqueue.redaction import Redaction
from pgqueue.store import secrecy
from pgqueue.store.looking import plan_soundly

MOST_COUNTED = 1_000
PATIENCE_MS = 2_000
# The last of a job that was retried for long.
MOST_ATTEMPTS = 50


class BoundedPaginator(Paginator):
    """Counts as far as somebody may want to page."""

    @cached_property
    def count(self) -> int:
        """How many there are, up to MOST_COUNTED."""
        counted: int = self.object_list[:MOST_COUNTED].count()
        return counted


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    """Jobs, newest first."""

    list_display = ("id", "target", "queue", "state", "attempt", "run_at", "finished_at", "on_dashboard")
    list_filter = ("state",)
    search_fields = ("id",)
    search_help_text = "A job's id, a task as module:function, or the name of a queue."
    fields = readonly_fields = (
        *("id", "target", "queue", "state", "priority", "attempt", "max_attempts"),
        *("created_at", "run_at", "started_at", "finished_at"),
        *("arguments", "last_error", "reason", "labels", "attempts", "on_dashboard"),
    )
    ordering = ("-id",)
    sortable_by = ()
    show_full_result_count = False
    # To count each state is to count all of history.
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    actions = None
    paginator = BoundedPaginator

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those of the database that has them."""
        return super().get_queryset(request).using(conf.database())

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """By what an index finds, or a walk from the newest on does soon."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(id=UUID(term)), False
        except ValueError:
            return queryset.filter(**{"target" if ":" in term else "queue": term}), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, or what to do where the database did not answer in time."""
        try:
            with _bounded():
                return _rendered(super().changelist_view(request, extra_context))
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != "57014":
                raise
        said = f"The database did not answer within {PATIENCE_MS / 1000:g} s; ask for one state, or by id."
        self.message_user(request, said, messages.ERROR)
        return HttpResponseRedirect(f"{request.path}?state__exact=dead")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """One job, within the same bounds."""
        with _bounded():
            return _rendered(super().changeform_view(request, *args, **kwargs))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Jobs are enqueued by code."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The dashboard acts, and keeps who did what."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing that has not ended is ever deleted."""
        return False

    @admin.display(description="dashboard")
    def on_dashboard(self, job: Job) -> SafeString | str:
        """A link to the job's page."""
        url = conf.dashboard_url()
        return "-" if url is None else format_html('<a href="{}jobs/{}">open</a>', url, job.pk)

    @admin.display
    def arguments(self, job: Job) -> str:
        """As the dashboard shows them: secrets are dots."""
        return _as_json(_shown(job).args)

    @admin.display
    def last_error(self, job: Job) -> str:
        """What the last attempt raised."""
        return _shown(job).last_error or "-"

    @admin.display
    def reason(self, job: Job) -> str:
        """Why it is dead, or cancelled."""
        return _shown(job).reason or "-"

    @admin.display
    def labels(self, job: Job) -> str:
        """The labels that it was enqueued with."""
        return _as_json(_shown(job).labels)

    @admin.display
    def attempts(self, job: Job) -> SafeString:
        """How each attempt ended."""
        raw: Any = below(connections[conf.database()])
        ended = secrecy.attempts_shown(raw, _shown(job), pgqueue.attempts(raw, job.pk)[-MOST_ATTEMPTS:])
        lines = [f"{each.attempt}: {each.outcome} {each.error_type or ''} {each.error or ''}".strip() for each in ended]
        return format_html("<pre>{}</pre>", "\n".join(lines) or "-")


@contextmanager
def _bounded() -> Iterator[None]:
    """A transaction in which no statement takes long, planned as all questions are."""
    alias = conf.database()
    with transaction.atomic(using=alias):
        raw: Any = below(connections[alias])
        raw.execute(f"set local statement_timeout = {PATIENCE_MS}")
        plan_soundly(raw)
        yield


def _rendered(response: HttpResponse) -> HttpResponse:
    """Ask what a page shows now, and not when the transaction is over."""
    return response.render() if hasattr(response, "render") else response


def _shown(job: Any) -> pgqueue.Job | Any:
    """The whole job as people may see it; remembered on the model's instance, because each field asks for it."""
    if not hasattr(job, "_pgqueue_shown"):
        raw: Any = below(connections[conf.database()])
        (job._pgqueue_shown,) = secrecy.shown(raw, [pgqueue.get_job(raw, job.pk)], Redaction())
    return job._pgqueue_shown


def _as_json(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
