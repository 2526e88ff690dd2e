"""An application that says itself what becomes of its lines, on standard error and with the job's fields."""

from __future__ import annotations

import logging.config

from pgqueue.tasks import task

logging.config.dictConfig(
    {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"own": {"format": "OWN %(levelname)s %(message)s job=%(job)s attempt=%(attempt)s"}},
        "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
        "root": {"level": "INFO", "handlers": ["own"]},
    }
)


@task
def tell(words: str) -> None:
    logging.getLogger("shop").info("told %s", words)
