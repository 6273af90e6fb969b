"""Real pictures behind declared photos, where a test wants to see or print them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from io import BytesIO

from PIL import Image

from certificates import batches
from certificates.models import Certificate
from outreach.actions.evaluations import Declared
from outreach.domain.vocabulary import EvidenceKind
from outreach.files import files, photo_name
from tests import builders

KINDS = (
    EvidenceKind.PORTRAIT,
    EvidenceKind.WHOLE_BODY,
    EvidenceKind.ENVIRONMENT,
    EvidenceKind.AFFECTED_PART,
)


def real_media(seed: int = 0) -> list[Declared]:
    """Return four declared photos whose files the server holds, as after the uploads."""
    declared = [_kept(kind, (seed + index) % 256) for index, kind in enumerate(KINDS)]
    builders.store([one.sha256 for one in declared])
    return declared


def issued(place: builders.County, at: datetime) -> Certificate:
    """Return a certificate made from real pictures, as it is once the approver has signed."""
    batches.sign(builders.reviewed(place, pictures=real_media), by=place.approver, at=at)
    return Certificate.objects.select_related("application", "resident").get()


def _kept(kind: EvidenceKind, shade: int) -> Declared:
    out = BytesIO()
    Image.new("RGB", (480, 640 + shade), (shade, 120, 90)).save(out, "JPEG")
    body = out.getvalue()
    name = hashlib.sha256(body).hexdigest()
    files().put(photo_name(name), BytesIO(body).read)
    taken = datetime(2018, 6, 4, 9, 30, tzinfo=builders.SHANGHAI)
    place = {"lat": 31.02, "lon": 106.1, "accuracy_m": 8.0}
    return Declared(name, kind, len(body), "image/jpeg", taken, place)
