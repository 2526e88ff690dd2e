"""As `celery.utils.log`."""

from __future__ import annotations

import logging


def get_task_logger(name: str) -> logging.Logger:
    """A logger; what it is told can be kept with the job: docs/guides/logging.md."""
    return logging.getLogger(name)
