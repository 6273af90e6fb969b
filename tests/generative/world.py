"""One server, its office, and the tablets that lose lines, power, rows and sometimes everything."""

from __future__ import annotations

import copy
import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from certificates.actions import issue
from certificates.founding import Names, create_authority
from certificates.models import Certificate
from mobile_api.changes import make_integration
from mobile_api.devices import make_code
from mobile_api.federation import FederationKeys
from mobile_api.models import LedgerEntry, Replica
from mobile_api.photos import remove_files
from mobile_api.receipts import ReceiptKeys
from mobile_api.restoring import begin_epoch
from outreach import clock
from outreach.actions import publicity
from outreach.actions.trail import number_trail
from outreach.domain.vocabulary import EvidenceKind
from outreach.files import files
from outreach.models import (
    Application,
    Assessor,
    Evaluation,
    StoredBlob,
    User,
    Visit,
    working_calendar,
)
from outreach.models.ids import new_id
from outreach.retention import requests
from tests import builders
from tests.builders import SHANGHAI, VISIT_ON
from tests.certificates.issuing import put_portraits
from tests.generative import databases
from tests.generative.device import Device, Reply, fresh_key
from tests.generative.expected import expected
from tests.generative.forgotten import keys_of
from tests.generative.handed import handed_in, parts_here
from tests.generative.home import forget_tablets
from tests.generative.promises import check
from tests.generative.reading import Reader
from tests.generative.receipts import receipt_is_true
from tests.generative.speaking import browser, post
from tests.mobile_api.uploading import CHUNK, b64, jpeg, metadata

NOW = datetime.combine(VISIT_ON, time(10), SHANGHAI)
#: Days on which somebody was assessed before the scenarios begin.
ISSUED_OF, OBJECTED_OF = date(2018, 5, 15), date(2018, 5, 28)
#: Where a restored register may have a case that was closed since, and nobody closes it by itself.
LEFT_TO_THE_DESK = ("on_notice", "under_objection", "under_appeal", "issued")
KINDS = [EvidenceKind.PORTRAIT, EvidenceKind.WHOLE_BODY, EvidenceKind.ENVIRONMENT]
HEARS_NOTHING = {"right_db": [95, 95, 95, 95], "left_db": [95, 95, 95, 95]}
HEARS_WELL = {"right_db": [20, 20, 20, 20], "left_db": [20, 20, 20, 20]}
_PICTURE = jpeg(8, 8)


@dataclass
class Made:
    """One finished evaluation, as the doctor remembers it."""

    id: str
    visit: str
    remark: str
    media: list[str]
    tablet: str


@dataclass
class Beginning:
    """Where every scenario begins: the kept database, and tablets that are enrolled in it."""

    place: builders.County
    kept: databases.Kept
    devices: list[Device]
    readers: list[Reader]
    #: What was assessed, and which files were kept, before anybody said anything.
    assessed: frozenset[UUID]
    files: frozenset[str]

    @classmethod
    def make(cls) -> Beginning:
        """Build the county, its visits, its three enrolled tablets, and two offices that read."""
        clock.advance_to(NOW)
        ReceiptKeys(settings.OUTREACH_KEYS_DIR).create()
        FederationKeys(settings.OUTREACH_KEYS_DIR).create()
        place = builders.county()
        builders.scheduled(place, 6, categories=["hearing"])
        builders.accepted(place, 2, categories=["hearing"])
        issue_certificates(place)
        assess_once_more(place)
        Assessor.objects.filter(user__username="second").update(categories=["physical", "hearing"])
        devices = []
        for name, user in (("A", "assessor"), ("B", "colleague"), ("C", "liaison")):
            device = Device(name, user, fresh_key())
            enrol(device, place)
            devices.append(device)
        readers = [
            Reader(make_integration("county", place.county, at=NOW), place.county.code, limit=7),
            Reader(make_integration("village", place.village, at=NOW), place.village.code),
        ]
        number_trail()
        for reader in readers:
            reader.catch_up()
        assessed = frozenset(Evaluation.objects.values_list("pk", flat=True))
        kept = frozenset(StoredBlob.objects.values_list("pk", flat=True))
        return cls(place, databases.keep(), devices, readers, assessed, kept)


def issue_certificates(place: builders.County) -> None:
    """Issue two certificates, which wait to be handed over."""
    at = builders.notice_over(ISSUED_OF)
    create_authority(settings.OUTREACH_KEYS_DIR, Names("示例残疾人联合会", demo=True), at=at)
    cases = builders.reviewed(place, 2, on=ISSUED_OF)
    publicity.approve(cases, by=place.approver, at=at)
    put_portraits(settings.OUTREACH_FILES, cases)
    issue(cases, by=place.approver, at=at)


def assess_once_more(place: builders.County) -> None:
    """Uphold an objection: somebody who was visited last week waits for another visit."""
    [case] = builders.on_notice(place, 1, on=OBJECTED_OF)
    at = datetime.combine(OBJECTED_OF, time(17), SHANGHAI)
    objection = publicity.object_to(
        case.notices.get(), from_whom="邻居", text="看错了", by=place.liaison, at=at
    )
    by = place.administrator
    publicity.decide_objection(objection, upheld=True, decision="重新评定", by=by, at=at)


def enrol(device: Device, place: builders.County) -> None:
    """Enrol a tablet with a code that the office makes for it."""
    user = User.objects.get(username=device.username)
    code = make_code(user, by=place.administrator, at=clock.now())
    body = {
        "code": code,
        "label": device.name,
        "public_key": device.public_key,
        "replica": device.state.replica,
    }
    status, answer = post("/api/v1/devices/enrol", body)
    check("enrol", status == 201, answer)
    device.state.token, device.state.epoch, device.state.halt = answer["token"], "", None
    device.save()


@dataclass
class World:
    """A scenario under way, and what its people remember of it."""

    beginning: Beginning
    devices: dict[str, Device] = field(init=False)
    made: dict[str, Made] = field(default_factory=dict)
    kept_by: dict[str, set[str]] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    #: What tablets name those by who were erased at their request.
    gone: set[str] = field(default_factory=set)
    readers: list[Reader] = field(init=False)
    enrolments_lost: bool = False
    late: dict[str, list[tuple[dict[str, Any], Reply]]] = field(default_factory=dict)
    old: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    backup: databases.Kept = field(init=False)
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    history: dict[str, dict[str, int]] = field(default_factory=dict)
    clean_views: dict[str, str] = field(default_factory=dict)
    cloned: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    told_revoked: set[str] = field(default_factory=set)
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)
    begun: set[str] = field(default_factory=set)
    slot: int = 100

    def __post_init__(self) -> None:
        self.beginning.kept.put_back()
        cache.clear()  # scenarios before this one have used up the enrolments of a minute
        self.place, self.backup = self.beginning.place, self.beginning.kept
        self.devices = {one.name: one.copied(one.name) for one in self.beginning.devices}
        self.kept_by = {name: set() for name in self.devices}
        self.readers = [replace(one) for one in self.beginning.readers]
        forget_tablets()
        settings.OUTREACH_CO_SIGNERS = 1
        self.note_history()

    # What the server and the people around it know

    def note_history(self) -> None:
        """Remember which version of each visit looks like what (for I7)."""
        for visit in Visit.objects.values_list("pk", "on", "start", "state", "revision"):
            pk, on, start, state, revision = visit
            look = f"{on} {start:%H:%M} {state}"
            self.history.setdefault(str(pk), {})[look] = revision

    def next_slot(self) -> tuple[date, time]:
        """Return an appointment that nobody had before in this scenario."""
        self.slot += 1
        day, part = divmod(self.slot, 14)
        on = VISIT_ON + timedelta(days=day // 5 * 7 + day % 5)
        if not working_calendar(on).is_working_day(on):
            self.slot += 14
            return self.next_slot()
        return on, (datetime.combine(on, time(8)) + timedelta(minutes=40 * part)).time()

    def everywhere(self) -> set[str]:
        """Return the evaluations that stand on the server or in a physical store."""
        entries = LedgerEntry.objects.filter(name="submit_evaluation")
        server = {str(entry.args["evaluation"]) for entry in entries if "evaluation" in entry.args}
        return server | set(handed_in()) | set().union(*self.kept_by.values())

    def knows(self, device: Device) -> bool:
        """Tell whether the register has this tablet's log."""
        return replica_of(device) is not None

    def forget(self, device: Device) -> None:
        """Note that a tablet's store is gone, with what the network still carries for it."""
        self.kept_by[device.name] = set()
        self.late.pop(device.name, None)
        self.clean_views.pop(device.name, None)

    # Exchanges

    def exchange(self, device: Device, how: str = "whole") -> str:
        """Do one round trip, or what a bad line leaves of it; return the tablet's next step."""
        if device.state.halt == "revoked":
            return "halted"
        request = copy.deepcopy(device.request())
        token = device.state.token
        self.reached["exchanges"] += 1
        if how == "lost":
            self.reached["lost"] += 1
            return "later"
        reply = self._deliver(device, request, token)
        if how == "twice":
            self.reached["duplicated"] += 1
            reply = self._deliver(device, request, token)
        if how == "cut":
            self.reached["cut"] += 1
            return "later"
        if how == "late":
            self.late.setdefault(device.name, []).append((request, reply))
            return "later"
        if how == "crash":
            # The power goes before the answer is on the disk.
            self.reached["crash"] += 1
            device.crash()
            return "later"
        held = device.state.rows
        step = device.receive(request, reply)
        if reply[0] == 200 and reply[1]["pull"]:
            self.after(device, held)
        self.old.append((device.name, request, token))
        return step

    def late_answer(self, device: Device) -> None:
        """Hand a tablet an answer to a request that it gave up long ago."""
        waiting = self.late.get(device.name)
        if not waiting or device.state.halt:
            return
        _, reply = waiting.pop()
        self.reached["late"] += 1
        held = device.state.rows
        device.receive({"rid": "the present request's"}, reply)
        if device.state.rows is not held:
            self.after(device, held)

    def _deliver(self, device: Device, request: dict[str, Any], token: str) -> Reply:
        place = replica_of(device)
        batch = request.get("push", {}).get("mutations", [])
        fresh = [one for one in batch if place and one["seq"] > place.last_seq]
        wanted = expected(device.username, fresh, self.made, self.reached)
        reply = post("/api/v1/sync", request, token)
        status, answer = reply
        self.note_history()
        if self.is_stopped(device):
            check("I5", status in (401, 403), f"a stopped tablet was answered {status}")
            self.reached["revoked told"] += 1
            self.told_revoked.add(device.name)
        if status == 409:
            self.reached[answer["type"].rpartition("/")[2]] += 1
        if status == 200:
            self._heard(device, request, answer)
            if request.get("push"):
                self.reached["receipts"] += 1
                receipt_is_true(device, answer)
            got = {one["seq"]: one for one in answer["outcomes"]}
            for seq, (promise, outcome) in wanted.items():
                check(promise, got[seq]["outcome"] == outcome, got[seq])
        turned_away = status == 200 or status in (401, 403, 409, 410)
        check("push is accepted for ever", turned_away, f"{status} {answer}")
        return reply

    def _heard(self, device: Device, request: dict[str, Any], answer: dict[str, Any]) -> None:
        for outcome in answer["outcomes"]:
            self.reached[outcome["outcome"]] += 1
            if outcome.get("code") == "out-of-scope":
                self.reached["reassignment met"] += 1
        page = answer["pull"]
        asked = request["pull"]["view"]
        if page and asked and self.clean_views.get(device.name) == asked:
            check("I10", page["base"] == asked, "a full download although the view was proven")

    def after(self, device: Device, held: dict[str, Any]) -> None:
        """Look at what a tablet newly shows after it took an answer in (I7)."""
        state = device.state
        if state.view and device.name not in self.cloned:
            self.clean_views[device.name] = state.view
        else:
            self.clean_views.pop(device.name, None)
        for key, (hashed, row) in state.rows.items():
            kind, _, pk = key.partition("/")
            if kind != "visit" or (key in held and held[key][0] == hashed):
                continue
            look = f"{row['on']} {row['start']} {row['state']}"
            version = self.history.get(pk, {}).get(look)
            check("I7", version is not None, f"{key} was never so: {look}")
            mark = (device.name, f"{state.epoch} {pk}")
            check("I7", version >= self.shown.get(mark, 0), f"{key} went back to {look}")
            self.shown[mark] = version

    def replayed(self, name: str, request: dict[str, Any], token: str) -> None:
        """Deliver a request that was answered before."""
        if name not in self.devices:
            return
        status, answer = post("/api/v1/sync", request, token)
        self.reached["replayed"] += 1
        self.note_history()
        if status == 200 and request.get("push"):
            known = [one["outcome"] == "duplicate" for one in answer["outcomes"]]
            check("I1", all(known) or self.reached["restores"], "a replay was taken in again")

    # Photos

    def picture(self) -> bytes:
        """Return a whole JPEG that no other evaluation declares."""
        note = new_id().bytes
        return _PICTURE[:2] + b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note + _PICTURE[2:]

    def upload(self, device: Device, name: str, how: str = "whole") -> None:
        """Upload one photo, damaged on the way or cut in the middle where the line is bad."""
        state = device.state
        content = state.photos[name]
        body = content or b""
        if how == "damaged" and body:
            body = body[:-3] + bytes([body[-3] ^ 1]) + body[-2:]
        if how == "cut":
            body = body[: len(body) // 2]
            self.begun.add(name)
        elif name in self.begun:
            # Announced again, as a tablet does that lost its answer; the rest follows.
            body = b""
        headers = {
            "Authorization": f"Bearer {state.token}",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": str(state.sizes[name]),
            "Upload-Metadata": metadata(name),
        }
        answer = browser().generic(
            "POST", "/api/v1/uploads/", body, content_type=CHUNK if body else "", headers=headers
        )
        check("no 5xx", answer.status_code < 500, answer.status_code)
        self.reached[f"upload {how}"] += 1
        if answer.status_code == 201 and how == "whole" and content:
            self._rest_of(device, name, content, answer)

    def _rest_of(self, device: Device, name: str, content: bytes, created: Any) -> None:
        offset = int(created["Upload-Offset"])
        if offset < len(content):
            self.reached["upload resumed"] += 1
            browser().generic(
                "PATCH",
                created["Location"],
                content[offset:],
                content_type=CHUNK,
                headers={
                    "Authorization": f"Bearer {device.state.token}",
                    "Tus-Resumable": "1.0.0",
                    "Upload-Offset": str(offset),
                    "Upload-Checksum": "sha256 " + b64(hashlib.sha256(content[offset:]).digest()),
                },
            )

    # The server's fate

    def back_up(self) -> None:
        """Keep the database as of now; the files are content-addressed and only grow."""
        self.backup = databases.keep()

    def restore(self) -> None:
        """Put yesterday's database back, as the how-to says: with another epoch.

        What was handed in stays, as its tablets forget it, and what was only acknowledged may go.
        """
        before, parts = self.everywhere(), parts_here()
        acked = LedgerEntry.objects.count()
        held, duties, ended, papers = self._known_here(), _duties(), _ended(), _papers()
        self.backup.put_back()
        forgotten = held - self._known_here()
        kept = len(parts_here())
        self.announce_restore()
        check("hand-in", parts.items() <= parts_here().items(), "lost by a restore")
        check("accounts", duties == _duties(), "a restore gave somebody a role or an area back")
        check("accounts", ended <= _ended(), "a restore let somebody in again")
        stood = {papers.get(pk) for pk, state in _papers().items() if state == "valid"}
        check("papers", stood <= {"valid"}, f"{stood} are valid again by a restore")
        self.reached["parts found again"] += len(parts_here()) - kept
        self.reached["enrolled after the backup"] += len(forgotten & self._known_here())
        self.excused |= before - self.everywhere()
        self.reached["restores"] += 1
        self.reached["restored mutations"] += acked - LedgerEntry.objects.count()
        self.note_history()
        self.clean_views.clear()
        self.late.clear()
        if self.revoked:
            self.reached["restored after a stop"] += 1

    def _known_here(self) -> set[str]:
        return {one.name for one in self.devices.values() if self.knows(one)}

    def announce_restore(self) -> None:
        """Begin another epoch, by which tablets know that time went back; erase again."""
        begin_epoch([])
        self.reached["erased again"] += requests.reapply(clock.now())
        remove_files(clock.now(), files())
        for case in Application.objects.filter(erased_at=None, state__in=LEFT_TO_THE_DESK):
            self.gone -= keys_of(case)

    def is_stopped(self, device: Device) -> bool:
        """Tell whether a tablet was taken out of use, or the account of whoever has it."""
        return device.name in self.revoked or device.username in _ended()

    def is_gone(self, said: dict[str, Any]) -> bool:
        """Tell whether a record is about somebody who was erased at their request."""
        return any(said.get(name) in self.gone for name in ("application", "visit", "evaluation"))


def _duties() -> set[tuple[str, str, str]]:
    """Return the role and area of each account."""
    return set(User.objects.values_list("username", "role", "division__code"))


def _ended() -> set[str]:
    """Return the accounts that are ended."""
    return set(User.objects.filter(is_active=False).values_list("username", flat=True))


def _papers() -> dict[UUID, str]:
    """Return where each certificate stands."""
    return dict(Certificate.objects.values_list("pk", "state"))


def administrator(world: World) -> User:
    """Return the administrator as the database has them."""
    return User.objects.get(pk=world.place.administrator.pk)


def replica_of(device: Device) -> Replica | None:
    """Return the server's side of a tablet's log."""
    return Replica.objects.filter(pk=UUID(device.state.replica)).first()
