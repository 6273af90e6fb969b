"""What the office does behind a test's back, and what it finds in the register.

Run as `python -m tests.e2e.office VERB ARGUMENTS…` by `Office`, in the server's own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from datetime import date
from tempfile import NamedTemporaryFile
from typing import Any

from tests.e2e.serving import ROOT, Service


@dataclass(frozen=True)
class Office:
    """Somebody with the register open, beside the running server."""

    service: Service

    def __call__(self, verb: str, *arguments: str) -> Any:
        """Do or ask something, and return what was found."""
        command = [sys.executable, "-m", "tests.e2e.office", verb, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.service.environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


def expire(label: str) -> None:
    """Let the token of the tablet of that label be known no more."""
    from mobile_api.models import Device

    for device in Device.objects.filter(label=label):
        Device.objects.filter(pk=device.pk).update(token_sha256=f"expired {device.pk}")


def revoke(label: str) -> None:
    """Stop the tablet of that label."""
    from mobile_api.devices import revoke as stop
    from mobile_api.models import Device
    from outreach import clock
    from outreach.models import User

    stop(
        Device.objects.get(label=label),
        by=User.objects.get(username="administrator"),
        at=clock.now(),
    )


def reassign(name: str) -> None:
    """Give the case of that person to the colleague."""
    from outreach import clock
    from outreach.actions import applications
    from outreach.models import User

    case = _case(name)
    applications.assign(
        [case],
        User.objects.get(username="colleague"),
        by=User.objects.get(username="administrator"),
        at=clock.now(),
    )


def appoint(username: str, role: str) -> None:
    """Give an account another role."""
    from outreach.models import User

    User.objects.filter(username=username).update(role=role)


def agree(name: str, minutes: str) -> None:
    """Let that person's visit take so long, and the family be at home on two mornings only."""
    from outreach.models import Visit

    case = _case(name)
    mornings = [{"weekday": day, "from": "09:00", "to": "11:30"} for day in (1, 2)]
    type(case).objects.filter(pk=case.pk).update(possible_times=mornings)
    Visit.objects.filter(application=case).update(minutes=int(minutes))


def postpone(name: str, on: str) -> None:
    """Move that person's visit to another day, at the same time."""
    from outreach import clock
    from outreach.actions import visits
    from outreach.models import User, Visit

    visit = Visit.objects.get(application=_case(name))
    to = visits.Appointment(visit.application, date.fromisoformat(on), visit.start)
    visits.move(visit, to, by=User.objects.get(username="administrator"), at=clock.now())


def lose_newest(name: str) -> None:
    """Make that person's paper anew, and lose it: the version before is what can be given."""
    from certificates.models import Certificate
    from outreach import clock

    paper = Certificate.objects.get(application=_case(name))
    newest = paper.files.order_by("-version")[0]
    lost = {"sha256": "a" * 64, "path": "certificates/aa/lost.pdf", "size": newest.size}
    paper.files.create(version=newest.version + 1, kind="LTA", made_at=clock.now(), **lost)


def nominated(name: str) -> dict[str, Any]:
    """Tell who agreed to that person's application, and what the register calls them."""
    from outreach.actions.guardians import guardian_of

    case = _case(name)
    held = guardian_of(case.resident)
    guardian = held and [held.name, held.relation, held.telephone]
    return {"consent": case.consent, "ethnicity": case.resident.ethnicity, "guardian": guardian}


def evaluations(*names: str) -> dict[str, Any]:
    """Tell for each person what was evaluated, and whether every picture was recomputed."""
    from outreach.models import Evaluation

    found = {}
    for name in names:
        rows = Evaluation.objects.filter(application=_case(name))
        waiting = rows.awaiting_media().count()
        pictures = [row.photos.count() for row in rows]
        found[name] = {"evaluations": len(rows), "waiting": waiting, "pictures": pictures}
    return found


def ledger(label: str) -> list[list[Any]]:
    """List what the tablet of that label said, in its order, and what became of it."""
    from mobile_api.models import LedgerEntry

    rows = LedgerEntry.objects.filter(replica__device__label=label).order_by("replica", "seq")
    return [[row.seq, row.name, row.outcome] for row in rows]


def secrets(*names: str) -> list[str]:
    """List what of these people must stand nowhere in clear."""
    people = [_case(name).resident for name in names]
    return [
        words
        for person in people
        for words in (person.name, person.identity.value, person.telephone, person.address)
    ]


def pictures(*names: str) -> list[str]:
    """Read the pictures of these people, which lie sealed on the server, as base64."""
    from outreach.files.storage import files, photo_name
    from outreach.models import Evaluation

    rows = Evaluation.objects.filter(application__in=[_case(name) for name in names])
    wanted = {photo.sha256 for row in rows for photo in row.photos.all()}
    kept = files()
    return [b64encode(kept.open(photo_name(one)).read()).decode() for one in sorted(wanted)]


def open_handin(label: str) -> str:
    """Open what the tablet of that label handed in, and return all of it as one text."""
    from django.conf import settings

    from mobile_api.federation import FederationKeys
    from mobile_api.handin import opened
    from mobile_api.models import HandInPart

    theirs = HandInPart.objects.filter(replica__device__label=label, n=0)
    keys = FederationKeys(settings.OUTREACH_KEYS_DIR)
    parts = [part for first in theirs for part in opened(first.hand_in, keys)]
    return json.dumps(parts, ensure_ascii=False)


def verify_receipt(text: str) -> str:
    """Have a receipt that a tablet handed on checked, against the register too."""
    from io import StringIO

    from django.core.management import call_command

    told = StringIO()
    with NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        call_command("verify_receipt", file.name, stdout=told)
    return told.getvalue()


def _case(name: str) -> Any:
    from outreach.models import Application

    [found] = [row for row in Application.objects.all() if row.resident.name == name]
    return found


DEEDS = (expire, revoke, reassign, appoint, agree, postpone, lose_newest)
QUESTIONS = (evaluations, nominated, ledger, secrets, pictures, open_handin, verify_receipt)
VERBS = {verb.__name__: verb for verb in (*DEEDS, *QUESTIONS)}

if __name__ == "__main__":
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "outreach.settings"
    django.setup()
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:])))
