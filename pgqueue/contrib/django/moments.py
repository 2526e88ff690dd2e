"""Times as Django has them; and when a job was enqueued, by its id, for which the database is not asked."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone


def enqueued_at(job_id: UUID) -> datetime | None:
    """The time in a version 7 UUID, by the clock of whoever enqueued it; None for another."""
    return shown(datetime.fromtimestamp((job_id.int >> 80) / 1000, UTC)) if job_id.version == 7 else None


def shown(moment: datetime | None) -> datetime | None:
    """As Django has times: with a zone, unless USE_TZ is off."""
    return moment if moment is None or settings.USE_TZ else timezone.make_naive(moment)


def aware(moment: datetime | None) -> datetime | None:
    """With a zone: without USE_TZ Django lets it out."""
    return timezone.make_aware(moment) if moment is not None and timezone.is_naive(moment) else moment
