"""What the shop sells."""

from django.db import models


class Order(models.Model):
    """An order."""

    item = models.TextField()


class Receipt(models.Model):
    """What a task has written."""

    order = models.IntegerField()
    by = models.TextField(default="")
