"""Where uploads meet the service: its settings, its tablets and its register."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest
from django.utils import timezone

from mobile_api.auth import device_id_for
from mobile_api.photos import PictureReceiver
from mobile_api.turns import Rank, turns
from mobile_api.tus.store import Store
from mobile_api.tus.views import Uploads, upload_urls
from outreach import clock
from outreach.files import files


def provide() -> Uploads:
    """Return the uploads of this service as its settings describe them.

    They expire by the real clock: the demo's simulated one leaps over notice periods, while
    a tablet that resumes waits in real time. Only what the register notes follows its clock.
    """
    return Uploads(
        store=Store(settings.OUTREACH_FILES, files()),
        receiver=PictureReceiver(settings.OUTREACH_MAX_PHOTO_PIXELS, clock.now),
        owner_of=_owner_of,
        now=timezone.now,
        max_bytes=settings.OUTREACH_MAX_PHOTO_BYTES,
        keep_for=timedelta(hours=settings.OUTREACH_UPLOAD_TTL_HOURS),
        let_go=_let_go,
        turn=partial(turns.taken, Rank.FILE),
    )


def _let_go() -> None:
    """Give the connection to the database back where others share it."""
    if not connection.in_atomic_block:
        close_old_connections()


def _owner_of(request: HttpRequest) -> str:
    return str(device_id_for(request))


urlpatterns = upload_urls(provide)
