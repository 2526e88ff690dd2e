"""The dashboard as a part of a Django site: for staff, below a path of the project's urls.

    path("ops/queue/", include("pgqueue.contrib.django.urls"))

Who has the permission `pgqueue.view_job` looks as a viewer, with `pgqueue.change_job` as an operator, and a superuser
as an admin; what they may do is the dashboard's, and nobody acts unless `PGQUEUE["DASHBOARD"]` says `actions`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import salted_hmac
from django.views.decorators.csrf import csrf_exempt

from pgqueue.contrib.django import conf
from pgqueue.contrib.django.asgi_thread import AsgiThread
from pgqueue.contrib.django.dsn import dsn_of


# It seals its own forms, and asks browsers from where they post.
@csrf_exempt
def view(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """A page of the dashboard, or the way to the login."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return redirect_to_login(request.get_full_path(), _login_url())
    if not (user.is_active and user.is_staff and user.has_perm("pgqueue.view_job")):
        raise PermissionDenied
    return served.answer(request, path, {"django.user": user})


def _made() -> Any:
    from pgqueue.dashboard import User, create_app

    def looking(request: Any) -> User:
        user = request.scope["django.user"]
        if user.is_superuser:
            return User(user.get_username(), "admin")
        return User(user.get_username(), "operator" if user.has_perm("pgqueue.change_job") else "viewer")

    # All processes of a site seal forms alike.
    secret = salted_hmac("pgqueue.dashboard", "forms", algorithm="sha256").hexdigest()
    return create_app(dsn_of(conf.database()), auth=looking, secret=secret, **conf.dashboard())


def _login_url() -> str | None:
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return None


served = AsgiThread(_made)
