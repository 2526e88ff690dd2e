"""Where the dashboard is, below whatever path a project includes this at."""

from django.urls import re_path

from pgqueue.contrib.django.dashboard import view

app_name = "pgqueue"
urlpatterns = [re_path(r"^(?P<path>.*)$", view, name="dashboard")]
