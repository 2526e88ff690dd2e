"""The one module of Celery's "First steps"."""

from pgqueue.compat.celery import Celery

app = Celery("first_steps", backend="rpc://", broker="pyamqp://guest@localhost//")
app.config_from_object("tests.compat.celeryconfig")


@app.task
def add(x, y):
    return x + y
