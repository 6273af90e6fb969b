"""Make a register with work for everybody, and say afterwards what became of it.

Run as `python -m tests.kills.register prepare CASES VISITS` or `… tell`, in the environment of
the installation.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from datetime import date, timedelta

import django

#: Working days on which the homes of the cases to sign were visited; so many fit into a day.
FIRST, A_DAY = date(2018, 5, 15), 18
#: Today: the notices of those visits are over, and visits are due.
TODAY = date(2018, 6, 13)


def prepare(cases: int, visits: int) -> None:
    """Enter the small county with cases to sign and visits of today, and a code for each tablet."""
    from django.conf import settings
    from django.core.management import call_command

    from mobile_api.devices import make_code
    from outreach import clock
    from outreach.demo.field import at
    from tests import builders
    from tests.certificates.issuing import put_portraits

    for command in ("migrate", "create_authority", "create_handin_key", "create_receipt_key"):
        call_command(command, verbosity=0, stdout=sys.stderr)
    now = at(TODAY, "09:00")
    clock.advance_to(now)
    place = builders.county()
    days = (FIRST + timedelta(days=n) for n in range(60))
    signable = []
    for day in (one for one in days if one.weekday() < 5):
        if left := min(cases - len(signable), A_DAY):
            signable += builders.reviewed(place, left, on=day)
    put_portraits(settings.OUTREACH_FILES, signable)
    complete = builders.applied(place, cases)
    due = builders.scheduled(place, visits, on=TODAY)
    codes = [
        make_code(user, by=place.administrator, at=now) for user in (place.liaison, place.assessor)
    ]
    told = {
        "signable": [str(one.pk) for one in signable],
        "complete": [str(one.pk) for one in complete],
        "visits": [str(one.pk) for one in due],
        "colleague": str(place.colleague.pk),
        "village": place.village.code,
        "codes": codes,
    }
    sys.stdout.write(json.dumps(told))


def tell() -> None:
    """Print what the register holds, for the test that compares it with what was acknowledged."""
    from certificates.models import BatchItem, Certificate, CertificateFile
    from mobile_api.models import LedgerEntry, Replica
    from outreach.actions.trail import number_trail, verify_trail
    from outreach.files import files, photo_name
    from outreach.models import Application, ApplicationEvent, Evaluation, StoredBlob

    def intact(name: str, sha256: str) -> bool:
        with files().read(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256  # type: ignore[arg-type]

    number_trail()
    certificates = list(Certificate.objects.all())
    blobs = StoredBlob.objects.exclude(content_type="image/jpeg", size=1000)
    accepts = ApplicationEvent.objects.filter(name="accept").values_list("application", flat=True)
    ledger: dict[str, list[int]] = {}
    for replica, seq in LedgerEntry.objects.order_by("seq").values_list("replica", "seq"):
        ledger.setdefault(str(replica), []).append(seq)
    told = {
        "last_seq": {str(one.pk): one.last_seq for one in Replica.objects.all()},
        "ledger": ledger,
        "outcomes": Counter(LedgerEntry.objects.values_list("outcome", flat=True)),
        "applications": [str(one) for one in Application.objects.values_list("pk", flat=True)],
        "evaluations": [str(one) for one in Evaluation.objects.values_list("pk", flat=True)],
        "accepted": Counter(map(str, accepts)),
        "blobs": [one.pk for one in blobs if intact(photo_name(one.pk), one.pk)],
        "certified": [str(one.application_id) for one in certificates],
        "numbers": [f"{one.number}{one.suffix}" for one in certificates],
        "papers": sum(
            intact(path, sha256)
            for path, sha256 in CertificateFile.objects.values_list("path", "sha256")
        ),
        "unmade": BatchItem.objects.exclude(state="done").count(),
        "trail_broken_at": verify_trail().broken_at,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    if sys.argv[1] == "tell":
        tell()
    else:
        prepare(int(sys.argv[2]), int(sys.argv[3]))
