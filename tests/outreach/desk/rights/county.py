"""Three areas and an account of each role in each; in the own one, a case at every step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from certificates import batches
from certificates.models import Batch, Certificate, SecondSignature
from mobile_api.auth import fingerprint
from mobile_api.chain import ZERO
from mobile_api.models import Device, Dispute, HandInPart, Replica
from outreach import clock
from outreach.actions import (
    accounts,
    applications,
    costs,
    enquiries,
    family,
    papers,
    publicity,
    visits,
)
from outreach.actions.importing.checking import Checked, Fault
from outreach.actions.importing.taking import keep
from outreach.actions.notifying.outbox import fill_outbox
from outreach.domain.vocabulary import Level, NextStep, NotDone, Paper, Role
from outreach.models import (
    AccountRequest,
    Application,
    Assessor,
    Division,
    Enquiry,
    Evaluation,
    ImportDraft,
    Institution,
    Notice,
    Notification,
    Objection,
    Outlet,
    OutreachCost,
    PaperPhoto,
    Photo,
    StoredBlob,
    User,
    Visit,
)
from outreach.models.ids import new_id
from tests import builders
from tests.builders import VISIT_ON
from tests.mobile_api.uploading import metadata
from tests.outreach.desk.pictures import real_media
from tests.outreach.desk.rights import campaign
from tests.outreach.desk.rights.campaign import a_campaign
from tests.outreach.desk.test_tablets import a_dispute

#: Stands on every page that shows a case of the own area, and nowhere else.
NAME = "唐独一"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Somebody:
    """An account, the session of its browser, and the token of its tablet."""

    user: User
    session: str
    token: str
    replica: UUID


def people(place: builders.County) -> dict[tuple[str, str], Somebody]:
    """Return every account: the own area's are the small county's."""
    desk = [role for role in Role if role != Role.OUTLET]
    found = {(role.value, "own"): getattr(place, role.value) for role in desk}
    found["liaison", "neighbour"] = place.other_liaison
    found["assessor", "neighbour"] = builders.user("another", Role.ASSESSOR, place.county)
    _make_assessor(found["assessor", "neighbour"])
    for area, code in (("neighbour", "511303"), ("other", "510104")):
        county = builders.division(code, f"{code}区", Level.COUNTY)
        for role in desk:
            if (role.value, area) not in found:
                where = _village(county) if role == Role.LIAISON else county
                found[role.value, area] = builders.user(f"{role.value} {area}", role, where)
        if area == "other":
            _make_assessor(found["assessor", "other"])
    counters = {("outlet", "own"): an_outlet(place.county)}
    for area, code in (("neighbour", "511303"), ("other", "510104")):
        counters["outlet", area] = an_outlet(Division.objects.get(code=code))
    # A counter has no tablet.
    return {who: _with_tablet(user) for who, user in found.items()} | {
        who: Somebody(user, _session(user), "no token", new_id()) for who, user in counters.items()
    }


def an_outlet(area: Division) -> User:
    """Return the account of a counter in the area."""
    outlet = Outlet.objects.create(
        name=f"{area.code}窗口", kind="bank", division=area, opened_at=builders.START
    )
    made = User(username=f"counter {area.code}", full_name="柜员", role=Role.OUTLET)
    made.division, made.outlet = area, outlet
    made.set_unusable_password()
    made.save()
    return made


def _village(county: Division) -> Division:
    township = builders.division(f"{county.code}201", "某乡", Level.TOWNSHIP, county)
    return builders.division(f"{county.code}201201", "某村", Level.VILLAGE, township)


def _make_assessor(user: User) -> None:
    Assessor.objects.create(
        user=user, institution=Institution.objects.get(), categories=["physical"]
    )


def _with_tablet(user: User) -> Somebody:
    token = f"token of {user.username}"
    device = Device.objects.create(
        user=user,
        label="平板",
        public_key=b"key",
        token_sha256=fingerprint(token),
        enrolled_at=builders.START,
    )
    replica = Replica.objects.create(
        id=uuid4(), device=device, chain=ZERO, created_at=builders.START
    )
    return Somebody(user, _session(user), token, replica.pk)


def _session(user: User) -> str:
    browser = Client()
    browser.force_login(user)
    return browser.cookies["sessionid"].value


def _upload() -> str:
    """Announce a file from the own area's assessor's tablet, and return what it is called."""
    answer = Client().generic(
        "POST",
        "/api/v1/uploads/",
        headers={
            "Authorization": "Bearer token of assessor",
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "100",
            "Upload-Metadata": metadata(new_id().hex * 2),
        },
    )
    return str(answer["Location"].rpartition("/")[2])


def a_case_at_every_step(place: builders.County) -> None:
    """Fill the own area so that every list shows somebody of the one name."""
    office, who = place.administrator, {"name": NAME}
    signed = _called(builders.reviewed(place, pictures=real_media))
    batches.sign(signed, by=place.approver, at=builders.notice_over(VISIT_ON))
    _called(builders.reviewed(place, on=VISIT_ON + DAY))
    _called(builders.noticed(place, on=VISIT_ON + DAY * 2))
    _called(builders.on_notice(place, on=VISIT_ON + DAY * 3))
    late = VISIT_ON + DAY * 7
    at = datetime.combine(late, time(16), builders.SHANGHAI)
    objected = _called(builders.on_notice(place, on=late + DAY))[0].notices.get()
    publicity.object_to(objected, from_whom="邻居", text="他能走路", by=place.liaison, at=at + DAY)
    _called(builders.on_notice(place, on=late + DAY * 2))
    _called([one.application for one in builders.evaluated(place, on=late + DAY * 3)])
    missed = builders.scheduled(place, on=VISIT_ON + DAY * 4, **who)[0]
    why = {"reason": NotDone.ABSENT, "next_step": NextStep.REVISIT}
    visits.record_not_done(missed, **why, by=place.assessor, at=at)
    builders.scheduled(place, on=late + DAY * 4, **who)
    builders.applied(place, **who)
    builders.applied(place, consent=None, **who)
    counter = User.objects.get(username=f"counter {place.county.code}")
    applications.nominate([builders.nomination(place, **who)], by=counter, at=builders.START)
    builders.applied(place, urgency="subsidy_lapsing", urgent_why="到期", **who)
    back = builders.applied(place, **who)[0]
    link, _secret = family.make_link(back, by=office, at=builders.START)
    kept = Photo.objects.filter(evaluation__application__in=signed)[0].sha256
    papers.send(link, Paper.PHOTOS, StoredBlob.objects.get(pk=kept), at=builders.START)
    applications.send_back(back, ["photos"], by=office, at=builders.START)
    applications.accept(builders.applied(place, **who), by=office, at=builders.START)
    builders.accepted(place, **who)
    a_dispute(place)
    a_hand_in(Replica.objects.get(device__label="平板 3 号"), at)
    enquiries.ask(f"{NAME}何时上门？", division=place.village, by=place.liaison, at=at)
    costs.record_cost(at.date(), "一队", "车辆", 45_000, "派车单", by=office, at=at)
    fill_outbox(at)
    _an_account_that_waits(place, at)
    fault = Fault(2, "身份证号", "The last digits are lost: make the cell a text, type it anew.")
    keep(Checked([], [fault], 1), f"{NAME}.csv", by=office, at=at)
    Device.objects.exclude(label="平板").update(label=f"{NAME}的平板")
    mine = Institution.objects.create(name="独家医院", designated_from=VISIT_ON)
    Assessor.objects.filter(user=place.colleague).update(institution=mine)
    clock.advance_to(datetime.combine(late + DAY * 4, time(17), builders.SHANGHAI))
    a_campaign(place)


def a_hand_in(replica: Replica, at: datetime) -> None:
    """Add the one part of what a tablet handed in, sealed to nobody."""
    HandInPart.objects.create(
        hand_in=new_id(),
        n=0,
        of=1,
        said_replica=replica.pk,
        replica=replica,
        reason="revoked",
        kind="end",
        sealed={},
        said_at=at.isoformat(),
        received_at=at,
    )


def _an_account_that_waits(place: builders.County, at: datetime) -> None:
    """Add somebody of the one name, whose lost password waits for a second person."""
    made = builders.user("named", Role.LIAISON, place.village)
    made.full_name = NAME
    made.save()
    asks = builders.user("asks", Role.ADMINISTRATOR, place.county)
    accounts.ask_reset(made, AccountRequest.Kind.PASSWORD, "忘了", by=asks, at=at)


def _called(cases: list[Application]) -> list[Application]:
    """Give residents the one name: the builders of later steps take none."""
    for case in cases:
        case.resident.name = NAME
        case.resident.save()
    return cases


def case_of(about: dict[str, str]) -> Application:
    """Return the case that a row is about: in the state it names, else with a visit to come."""
    if state := about.get("state"):
        return Application.objects.filter(state=state).order_by("pk")[0]
    return Visit.objects.get(state="scheduled").application


def _signed_twice() -> str:
    """Give the certificate's file an SM2 signature, and return the file's SHA-256."""
    file = Certificate.objects.get().newest_file
    SecondSignature.objects.get_or_create(
        file=file, defaults={"body": b"0", "made_at": builders.START}
    )
    return file.sha256


#: How to find what an address names, in the own area; a new name wants an entry.
SUBJECTS: dict[str, Callable[[dict[str, str]], Any]] = {
    "case": lambda about: case_of(about).pk,
    "step": lambda about: about.get("step", "withdraw"),
    "visit": lambda _: Visit.objects.get(state="scheduled").pk,
    "holder": lambda _: Visit.objects.get(state="scheduled").assessor_id,
    "evaluation": lambda _: Evaluation.objects.get(application__state="evaluated").pk,
    "photo": lambda _: (
        Photo.objects.filter(evaluation__application__in=Certificate.objects.values("application"))[
            0
        ].pk
    ),
    "paper_photo": lambda _: PaperPhoto.objects.get().pk,
    "outlet": lambda _: Outlet.objects.get(division__code="511302").pk,
    "account": lambda _: User.objects.get(username="counter 511302").pk,
    "person": lambda _: User.objects.get(username="named").pk,
    "wish": lambda _: AccountRequest.objects.get().pk,
    "notice": lambda _: Notice.objects.filter(application__state="on_notice")[0].pk,
    "objection": lambda _: Objection.objects.get().pk,
    "certificate": lambda _: Certificate.objects.get().pk,
    "sha256": lambda _: _signed_twice(),
    "batch": lambda _: Batch.objects.get().pk,
    "cost": lambda _: OutreachCost.objects.get().pk,
    "tariff": lambda _: "511302-2018",
    "device": lambda _: Device.objects.exclude(label="平板").get().pk,
    "institution": lambda _: Institution.objects.get(name="独家医院").pk,
    "hand_in": lambda _: HandInPart.objects.get().pk,
    "dispute": lambda _: Dispute.objects.get().pk,
    "what": lambda _: "cases",
    "kind": lambda _: "csv",
    "draft": lambda _: ImportDraft.objects.get().pk,
    "enquiry": lambda _: Enquiry.objects.get().pk,
    "notification": lambda _: Notification.objects.filter(state="waiting")[0].pk,
    "identifier": lambda _: _upload(),
    "name": lambda _: "index.html",
    "part": lambda _: "sw.js",
    **campaign.SUBJECTS,
}
