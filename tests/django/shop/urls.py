"""Pages of the shop."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

import pgqueue
from tests.django.shop.models import Order
from tests.django.shop.tasks import send_receipt


def order(request: HttpRequest) -> HttpResponse:
    """Take an order; with `fail` it goes wrong behind the enqueue."""
    made = Order.objects.create(item=request.POST["item"])
    send_receipt.enqueue(made.pk)
    pgqueue.enqueue("default", "tests.django.shop.tasks:charge", [made.pk])
    if "fail" in request.POST:
        raise ValueError("no such item")
    return HttpResponse(str(made.pk), status=202)


urlpatterns = [
    path("orders", order),
    path("admin/", admin.site.urls),
    path("ops/queue/", include("pgqueue.contrib.django.urls")),
]
