"""As `celery.utils`, of which the log is left."""
