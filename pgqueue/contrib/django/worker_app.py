"""The first app of a worker of a Django project: what importing it does in the worker and in each of its children.

Django is set up by the variable DJANGO_SETTINGS_MODULE, which children inherit, and the tasks are imported.
"""

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from pgqueue.contrib.django import modules

modules.import_tasks()
