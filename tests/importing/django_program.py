"""`python -m tests.adopted tests.importing.django_program fill|many|work`: as manage.py of django_app.py."""

from __future__ import annotations

import sys

from django.core.management import call_command

from tests.importing import django_app

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill"]:
            call_command("migrate", verbosity=0)
            django_app.fill()
        case ["many", number]:
            call_command("migrate", verbosity=0)
            for n in range(int(number)):
                django_app.send.enqueue(order_id=n)
        case ["work"]:
            call_command("db_worker", "--batch", "--no-reload", "--no-startup-delay", "--interval", "0")
