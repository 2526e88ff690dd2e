"""The app; its tasks are imported by the worker, because `include` names them."""

from pgqueue.compat.celery import Celery
from pgqueue.compat.celery.schedules import crontab

app = Celery("proj", broker="amqp://", backend="rpc://", include=["tests.compat.proj.tasks"])
app.conf.update(result_expires=3600, timezone="Europe/London")
app.conf.beat_schedule = {
    "add-every-morning": {
        "task": "tests.compat.proj.tasks.add",
        "schedule": crontab(hour=7, minute=30, day_of_week="mon"),
        "args": (16, 16),
        "options": {"queue": "early", "expires": 60},
    },
}


@app.on_after_configure.connect
def set_up_periodic_tasks(sender, **kwargs):
    from tests.compat.proj.tasks import add

    sender.add_periodic_task(3600.0, add.s(1, 1), name="add every hour")
