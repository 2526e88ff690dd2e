"""The project of Celery's "Next steps": an app in one module, its tasks in another."""
