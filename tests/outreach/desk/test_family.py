"""The family's one link: narrow, hashed, ending; papers by photo and a time for the visit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from outreach import clock
from outreach.actions import applications, family, offering, papers, planning, visits
from outreach.actions.contacts import Contact, Correction, correct_contacts
from outreach.actions.notifying.delivery import deliver
from outreach.actions.notifying.outbox import fill_outbox
from outreach.desk.views.family import USES
from outreach.domain.retention import Holding
from outreach.models import (
    Application,
    AuditEvent,
    Call,
    FamilyLink,
    Notification,
    PaperPhoto,
    StoredBlob,
    User,
    Visit,
)
from outreach.retention.erasing import erase_case
from tests import builders
from tests.builders import START
from tests.outreach.planning import ASKED, FRIDAY, hills, published, wait

SignIn = Callable[[User], Client]
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(planning, "launch", lambda plans: None)
    settings.OUTREACH_FILES = tmp_path / "files"
    cache.clear()
    yield
    cache.clear()


class Kept:
    """A sender that keeps the texts it was given."""

    is_idempotent = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, *, key: str, telephone: str, text: str) -> None:
        self.sent.append(text)


def picture(shade: int = 90, kind: str = "JPEG") -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (320, 200), (shade, 120, 90)).save(out, kind)
    return SimpleUploadedFile("photo.jpg", out.getvalue(), "image/jpeg")


def link_for(place: builders.County, case: Application) -> str:
    _link, secret = family.make_link(case, by=place.administrator, at=clock.now())
    return f"/family/{secret}/"


def shown_on(page: str) -> str:
    """Return the secret of the link that a page shows this once."""
    found = re.search(r"/family/([\w-]{22})/", page)
    assert found is not None
    return found[1]


def returned(place: builders.County, *missing: str) -> Application:
    case = builders.applied(place)[0]
    applications.send_back(case, list(missing or ("id_card",)), by=place.administrator, at=START)
    return case


def test_the_liaison_makes_a_link_that_is_shown_once_and_kept_as_a_fingerprint(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    page = sign_in(place.liaison).post(f"/cases/{case.pk}/link/").content.decode()
    secret = shown_on(page)
    link = FamilyLink.objects.get()
    assert (link.secret_sha256, link.made_by) == (family.fingerprint(secret), place.liaison)
    assert ("<svg" in page, "尚未接入短信平台" in page) == (True, True)
    again = sign_in(place.liaison).get(f"/cases/{case.pk}/link/").content.decode()
    assert secret not in again


def test_what_only_previews_a_link_has_not_opened_it(place: builders.County) -> None:
    """The liaison read that it had arrived, where a messenger had looked at the address."""
    address = link_for(place, builders.applied(place)[0])
    assert Client().get(address).status_code == 200
    assert FamilyLink.objects.get().opened_at is None
    assert Client().post(address).status_code == 204
    assert FamilyLink.objects.get().opened_at is not None
    assert "data-opened" not in Client().get(address).content.decode()


def test_the_page_shows_the_family_what_it_needs_and_no_more(place: builders.County) -> None:
    case = builders.applied(place)[0]
    answer = Client().get(link_for(place, case))
    page = answer.content.decode()
    person = case.resident
    said = [person.name, person.id_number, person.telephone, person.address, case.diagnosis, "肢体"]
    assert [word for word in said if word in page] == []
    assert (case.number in page, "赵＊＊" in page) == (True, True)
    assert answer["Referrer-Policy"] == "strict-origin"
    assert answer["Cache-Control"] == "no-store, private"


def test_the_message_with_the_link_goes_out_once_and_forgets_the_secret(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    page = sign_in(place.liaison).post(f"/cases/{case.pk}/link/").content.decode()
    secret = shown_on(page)
    listed = sign_in(place.auditor).get("/notifications/").content.decode()
    assert (secret in listed, "/family/…/" in listed) == (False, True)
    sender, at = Kept(), max(clock.now(), Notification.objects.get().due_at)
    deliver(sender, at=at)
    deliver(sender, at=at)
    held = Notification.objects.get()
    assert (len(sender.sent), secret in sender.sent[0], held.state) == (1, True, "sent")
    assert secret not in held.text


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_link_that_went_to_a_wrong_number_ends_as_it_is_put_right(
    place: builders.County, sign_in: SignIn, is_sent: bool
) -> None:
    """Whoever has that number went on choosing times and seeing the photos of the papers."""
    case, office = builders.applied(place)[0], sign_in(place.administrator)
    page = office.post(f"/cases/{case.pk}/link/").content.decode()
    if is_sent:
        deliver(Kept(), at=Notification.objects.get().due_at)
    wrong = case.resident.telephone
    right = {"telephone": "13900000009", "address": "", "seen_telephone": wrong, "seen_address": ""}
    said = office.post(f"/cases/{case.pk}/contact/", right, follow=True).content.decode()
    assert ("原链接已失效" in said) is is_sent
    opened = Client().get(f"/family/{shown_on(page)}/")
    assert opened.status_code == (404 if is_sent else 200)


def test_it_ends_too_where_the_number_is_put_right_twice_at_once(
    place: builders.County, sign_in: SignIn
) -> None:
    """As a tablet says it in the evening."""
    case = builders.applied(place)[0]
    sign_in(place.liaison).post(f"/cases/{case.pk}/link/")
    deliver(Kept(), at=Notification.objects.get().due_at)
    first, second, last = (
        Contact(one, "") for one in ("13900000000", "13900000008", "13900000009")
    )
    said = [Correction(case, second, first), Correction(case, last, second)]
    correct_contacts(said, by=place.liaison, at=clock.now())
    assert not FamilyLink.objects.standing(clock.now()).exists()


def seen_by(browser: Client, page: str) -> str:
    """Return the link that a page of its forms shows."""
    found = re.search(r'name="seen" value="([^"]*)"', browser.get(page).content.decode())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("what", [{}, {"revoke": "yes"}])
def test_a_page_left_open_ends_no_link_that_a_colleague_made_since(
    place: builders.County, sign_in: SignIn, what: dict[str, str]
) -> None:
    case = builders.applied(place)[0]
    liaison, office = sign_in(place.liaison), sign_in(place.administrator)
    page = f"/cases/{case.pk}/link/"
    office.post(page)
    shown = {"seen": seen_by(liaison, page)}
    newer = shown_on(office.post(page, {"seen": seen_by(office, page)}).content.decode())
    answer = liaison.post(page, shown | what)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "link-meanwhile")
    assert Client().get(f"/family/{newer}/").status_code == 200
    assert liaison.post(page, {"seen": seen_by(liaison, page)} | what).status_code < 400
    assert Client().get(f"/family/{newer}/").status_code == 404


def test_a_link_that_is_over_keeps_nobody_from_making_the_next(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    family.make_link(case, by=place.liaison, at=clock.now())
    clock.advance_to(START + family.LIFETIME + DAY)
    office, page = sign_in(place.administrator), f"/cases/{case.pk}/link/"
    shown = office.post(page, {"seen": seen_by(office, page)})
    assert Client().get(f"/family/{shown_on(shown.content.decode())}/").status_code == 200


def test_a_link_that_ended_before_its_message_went_out_is_not_sent(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    liaison = sign_in(place.liaison)
    liaison.post(f"/cases/{case.pk}/link/")
    liaison.post(f"/cases/{case.pk}/link/", {"revoke": "yes"})
    came = deliver(Kept(), at=Notification.objects.get().due_at)
    assert (came.overtaken, came.sent) == (1, 0)


@pytest.mark.parametrize("how", ["revoked", "replaced", "expired", "maker gone", "mistyped"])
def test_a_link_that_is_over_shows_nothing_of_the_case(place: builders.County, how: str) -> None:
    case = builders.applied(place)[0]
    address = link_for(place, case)
    if how == "revoked":
        family.revoke_link(case, by=place.liaison, at=clock.now())
    elif how == "replaced":
        link_for(place, case)
    elif how == "expired":
        FamilyLink.objects.update(expires_at=clock.now())
    elif how == "maker gone":
        User.objects.filter(pk=place.administrator.pk).update(is_active=False)
    else:
        address = address[:-2] + ("A/" if address[-2] != "A" else "B/")
    answer = Client().get(address)
    assert (answer.status_code, case.number in answer.content.decode()) == (404, False)


def test_guessing_and_hammering_are_slowed_down(place: builders.County) -> None:
    case = builders.applied(place)[0]
    address = link_for(place, case)
    browser = Client()
    assert {browser.get(address).status_code for _ in range(USES)} == {200}
    assert browser.get(address).status_code == 429
    cache.clear()
    codes = [browser.get(f"/family/{'x' * 21}{index % 10}/").status_code for index in range(31)]
    assert (set(codes[:30]), codes[30]) == ({404}, 429)
    assert browser.get(address).status_code == 429


def test_only_a_liaison_or_the_office_makes_a_link_and_only_before_the_visit(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.evaluated(place)[0].application
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/link/")
    assert (answer.status_code, answer["X-Refusal"]) == (422, "nothing-to-do")
    assert not FamilyLink.objects.exists()


def test_a_family_sends_a_paper_and_the_liaison_accepts_it_so_that_the_case_goes_on(
    place: builders.County, sign_in: SignIn
) -> None:
    case = returned(place, "id_card")
    address, phone = link_for(place, case), Client()
    sent = phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    assert sent.status_code == 303
    photo = PaperPhoto.objects.get()
    assert (photo.is_accepted, photo.application, photo.sent_by) == (None, case, None)
    assert StoredBlob.objects.get(pk=photo.sha256).content_type == "image/jpeg"
    assert phone.get(f"{address}papers/{photo.pk}/").getvalue()[:2] == b"\xff\xd8"
    case.refresh_from_db()
    assert (case.state, case.papers_missing) == ("returned", ["id_card"])
    liaison = sign_in(place.liaison)
    assert case.number in liaison.get("/papers/sent/").content.decode()
    assert liaison.get(f"/papers/{photo.pk}/").getvalue()[:2] == b"\xff\xd8"
    assert liaison.post(f"/papers/{photo.pk}/decide/", {"accept": "yes"}).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.papers_missing) == ("applied", [])
    assert case.number not in liaison.get("/papers/sent/").content.decode()
    deeds = AuditEvent.objects.filter(action__startswith="paper.")
    assert set(deeds.values_list("action", flat=True)) == {
        "paper.send",
        "paper.view",
        "paper.accept",
    }


def test_a_photo_that_cannot_be_used_comes_back_with_the_reason(
    place: builders.County, sign_in: SignIn
) -> None:
    case = returned(place, "id_card")
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    photo = PaperPhoto.objects.get()
    liaison = sign_in(place.liaison)
    without = liaison.post(f"/papers/{photo.pk}/decide/", {})
    assert (without.status_code, without["X-Refusal"]) == (422, "fault-missing")
    liaison.post(f"/papers/{photo.pk}/decide/", {"fault": "blurred"})
    assert "看不清" in phone.get(address).content.decode()
    again = liaison.post(f"/papers/{photo.pk}/decide/", {"accept": "yes"})
    assert (again.status_code, again["X-Refusal"]) == (422, "decided-already")
    case.refresh_from_db()
    assert case.papers_missing == ["id_card"]


def test_a_photo_that_is_taken_back_twice_leads_back_to_the_family_both_times(
    place: builders.County,
) -> None:
    """The answer was lost, or it was open in two windows: they read “not in your area”."""
    case = returned(place)
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    photo = PaperPhoto.objects.get()
    for _twice in range(2):
        answer = phone.post(f"{address}papers/{photo.pk}/take-back/")
        assert (answer.status_code, answer["Location"]) == (303, address)
    assert AuditEvent.objects.filter(action="paper.take_back").count() == 1


def test_a_photo_can_be_taken_back_until_somebody_decided(place: builders.County) -> None:
    case = returned(place)
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "id_card", "photos": [picture(1), picture(200)]})
    first, second = PaperPhoto.objects.all()
    assert phone.post(f"{address}papers/{first.pk}/take-back/").status_code == 303
    assert list(PaperPhoto.objects.undecided()) == [second]
    assert phone.get(f"{address}papers/{first.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        (b"%PDF-1.4 no picture", "not-a-picture"),
        (b"", "photo-too-large"),
        (picture().read()[:-400], "not-a-picture"),
        (picture(kind="GIF").read(), "not-a-picture"),
        (b"\xff\xd8" + b"\0" * 4000, "photo-too-large"),
    ],
)
def test_bad_files_are_refused_with_a_sentence_and_leave_nothing(
    place: builders.County, settings: Any, what: bytes, refusal: str
) -> None:
    settings.OUTREACH_MAX_PHOTO_BYTES = 3000
    case = returned(place)
    file = SimpleUploadedFile("photo.jpg", what, "image/jpeg")
    answer = Client().post(f"{link_for(place, case)}papers/", {"paper": "id_card", "photos": file})
    assert (answer.status_code, answer["X-Refusal"]) == (422, refusal)
    assert not PaperPhoto.objects.exists()
    assert not StoredBlob.objects.exists()
    left = [path for path in settings.OUTREACH_FILES.rglob("*") if path.is_file()]
    assert left == []


@pytest.mark.parametrize("refusal", ["papers-over", "too-many-photos"])
def test_a_photo_that_is_not_taken_is_not_kept(
    place: builders.County, sign_in: SignIn, settings: Any, refusal: str, monkeypatch: Any
) -> None:
    """Nobody could see it, and nobody would ever remove it."""
    case = returned(place)
    address, sent = f"{link_for(place, case)}papers/", {"paper": "id_card"}
    if refusal == "papers-over":
        Application.objects.update(state="evaluated")
        case_page = f"/cases/{case.pk}/papers/"
        refused = sign_in(place.liaison).post(case_page, {**sent, "photos": picture()})
        assert refused["X-Refusal"] == refusal
    else:
        monkeypatch.setattr(papers, "MOST", 0)
    assert Client().post(address, {**sent, "photos": picture()})["X-Refusal"] == refusal
    assert not StoredBlob.objects.exists()
    assert [path for path in settings.OUTREACH_FILES.rglob("*") if path.is_file()] == []


def test_another_familys_photo_is_not_there(place: builders.County) -> None:
    one, other = returned(place), returned(place)
    first, second = link_for(place, one), link_for(place, other)
    Client().post(f"{first}papers/", {"paper": "id_card", "photos": picture()})
    photo = PaperPhoto.objects.get()
    assert Client().get(f"{second}papers/{photo.pk}/").status_code == 404
    assert Client().post(f"{second}papers/{photo.pk}/take-back/").status_code == 404


def offered(place: builders.County) -> tuple[Application, str]:
    """Return a waiting case of a published campaign and its family's address."""
    hill = hills(place, 4)
    published(hill)
    [case] = wait(place, hill.villages, 1)
    clock.advance_to(ASKED)
    return case, link_for(place, case)


def test_a_family_chooses_changes_and_gives_back_a_time(place: builders.County) -> None:
    case, address = offered(place)
    phone = Client()
    page = phone.get(f"{address}time/").content.decode()
    keys = re.findall(r'name="offer" value="([^"]+)"', page)
    stand = {one.key: (one.on, one.start) for one in offering.offered(case, clock.now(), 9)}
    assert (len(keys), len({stand[key] for key in keys})) == (3, 3)
    assert phone.post(f"{address}time/", {"offer": keys[0]}).status_code == 303
    visit = Visit.objects.get(application=case)
    assert keys[0].endswith(f"{visit.on.isoformat()}/{visit.start:%H:%M}")
    fill_outbox(clock.now())
    told = Notification.objects.filter(application=case, kind="appointment")
    assert told.count() == 1
    others = re.findall(
        r'name="offer" value="([^"]+)"', phone.get(f"{address}time/").content.decode()
    )
    assert (len(others) > 0, keys[0] in others) == (True, False)
    seen = f"{visit.on.isoformat()} {visit.start:%H:%M}"
    assert phone.post(f"{address}time/", {"offer": others[0], "seen": seen}).status_code == 303
    visit.refresh_from_db()
    assert others[0].endswith(f"{visit.on.isoformat()}/{visit.start:%H:%M}")
    seen = f"{visit.on.isoformat()} {visit.start:%H:%M}"
    assert phone.post(f"{address}time/", {"take_back": "yes", "seen": seen}).status_code == 303
    visit.refresh_from_db()
    assert visit.state == "cancelled"
    assert keys[0] in phone.get(f"{address}time/").content.decode()
    names = visit.events.order_by("pk").values_list("name", "by")
    assert list(names) == [
        ("schedule", place.administrator.pk),
        ("move", place.administrator.pk),
        ("cancel", place.administrator.pk),
    ]


def test_who_presses_once_more_as_the_answer_was_lost_reads_that_it_is_done(
    place: builders.County,
) -> None:
    """It read that it was not done, since somebody had moved the visit: they had, themselves."""
    case, address = offered(place)
    phone = Client()
    key = offering.offered(case, clock.now())[0].key
    for _twice in range(2):
        answer = phone.post(f"{address}time/", {"offer": key, "seen": ""}, follow=True)
        assert "已约好" in answer.content.decode()
    visit = Visit.objects.get(application=case)
    given = {"take_back": "yes", "seen": f"{visit.on.isoformat()} {visit.start:%H:%M}"}
    for _twice in range(2):
        answer = phone.post(f"{address}time/", given, follow=True)
        assert "时间已退回" in answer.content.decode()
    assert list(visit.events.values_list("name", flat=True)) == ["schedule", "cancel"]


def test_after_the_evening_before_the_time_stands(place: builders.County) -> None:
    case, address = offered(place)
    phone = Client()
    key, other = (one.key for one in offering.offered(case, clock.now())[:2])
    phone.post(f"{address}time/", {"offer": key})
    visit = Visit.objects.get(application=case)
    evening = datetime.combine(visit.on - DAY, time(20), builders.SHANGHAI)
    FamilyLink.objects.update(expires_at=evening + DAY)
    clock.advance_to(evening - timedelta(minutes=1))
    assert 'name="take_back"' in phone.get(f"{address}time/").content.decode()
    clock.advance_to(evening)
    assert 'name="take_back"' not in phone.get(f"{address}time/").content.decode()
    seen = f"{visit.on.isoformat()} {visit.start:%H:%M}"
    for form in ({"take_back": "yes"}, {"offer": other}):
        answer = phone.post(f"{address}time/", form | {"seen": seen})
        assert (answer.status_code, answer["X-Refusal"]) == (422, "too-late")


@pytest.mark.parametrize(("day", "hour"), [(3, 20), (4, 8)])
def test_no_time_is_offered_that_the_family_could_not_change_any_more(
    place: builders.County, day: int, hour: int
) -> None:
    """Nobody sees it at the office in that night, nor on a tablet that has left already."""
    case, address = offered(place)
    phone = Client()
    clock.advance_to(datetime(2018, 6, day, hour, tzinfo=builders.SHANGHAI))
    tomorrow = offering.offered(case, clock.now())[0]
    assert tomorrow.on == date(2018, 6, 4)
    page = phone.get(f"{address}time/").content.decode()
    keys = re.findall(r'name="offer" value="([^"]+)"', page)
    assert len(keys) == 3
    assert [key for key in keys if "/2018-06-04/" in key] == []
    answer = phone.post(f"{address}time/", {"offer": tomorrow.key})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "offer-gone")
    assert phone.post(f"{address}time/", {"offer": keys[0]}).status_code == 303


@pytest.mark.parametrize("what", ["take_back", "offer"])
def test_a_page_left_open_while_the_office_moved_the_visit_changes_nothing(
    place: builders.County, what: str
) -> None:
    case, address = offered(place)
    phone = Client()
    key, other = (one.key for one in offering.offered(case, clock.now())[:2])
    phone.post(f"{address}time/", {"offer": key})
    visit = Visit.objects.select_related("application", "assessor").get(application=case)
    page = phone.get(f"{address}time/").content.decode()
    [seen] = set(re.findall(r'name="seen" value="([^"]+)"', page))
    to = visits.Appointment(visit.application, FRIDAY, time(16, 30))
    visits.move(visit, to, by=place.administrator, at=clock.now())
    answer = phone.post(f"{address}time/", {what: other, "seen": seen})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "appointment-changed")
    visit.refresh_from_db()
    assert (visit.state, visit.on, visit.start) == ("scheduled", FRIDAY, time(16, 30))
    shown = answer.content.decode()
    assert f'name="seen" value="{FRIDAY.isoformat()} 16:30"' in shown


def test_a_time_that_is_gone_is_refused_and_nothing_is_booked(place: builders.County) -> None:
    case, address = offered(place)
    answer = Client().post(f"{address}time/", {"offer": "x/2018-06-05/09:00"})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "offer-gone")
    assert not case.visits.exists()


def test_who_is_assessed_meanwhile_is_not_told_of_an_appointment(place: builders.County) -> None:
    case = builders.accepted(place)[0]
    address, phone = link_for(place, case), Client()
    Application.objects.filter(pk=case.pk).update(state="evaluated")
    for form in ({"tell": "yes"}, {"take_back": "yes"}, {"offer": "x/2018-06-05/09:00"}):
        answer = phone.post(f"{address}time/", form | {"seen": "2018-06-04 09:00"})
        assert (answer.status_code, answer["X-Refusal"]) == (422, "nothing-to-do")
        page = answer.content.decode()
        assert ("已经约好时间" in page, "期间有人改动" in page) == (False, False)
    assert "现在这里没有要办的事" in phone.get(f"{address}time/").content.decode()


def test_a_refused_offer_leaves_the_times_ticked_that_the_family_once_said(
    place: builders.County,
) -> None:
    case = builders.accepted(place)[0]
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}time/", {"tell": "yes", "times": ["2-am"]})
    answer = phone.post(f"{address}time/", {"offer": "x/2018-06-05/09:00"})
    assert answer["X-Refusal"] == "offer-gone"
    assert re.findall(r'value="(\w-\w+)"[^>]* checked', answer.content.decode()) == ["2-am"]


def test_a_visit_whose_day_is_over_is_not_said_to_come(
    place: builders.County, settings: Any
) -> None:
    """Its tablet is not back yet; the family read when the doctors come, and to be at home."""
    settings.OUTREACH_ISSUER_TELEPHONE = "0817-7654321"
    [visit] = builders.scheduled(place)
    clock.advance_to(datetime.combine(visit.on + DAY, time(9), builders.SHANGHAI))
    address, phone = link_for(place, visit.application), Client()
    for page in (address, f"{address}time/"):
        shown = phone.get(page).content.decode()
        assert ("请在家等候" in shown, "现在约定的时间" in shown) == (False, False)
        assert ("如果没有人来" in shown, "0817-7654321" in shown) == (True, True)


def test_a_family_reads_why_its_application_came_back(place: builders.County) -> None:
    """Where no paper is missing, all of them read “here” under “returned”, and nothing else."""
    case = builders.applied(place)[0]
    applications.send_back(case, [], reasons=["photo_unfit"], by=place.administrator, at=START)
    assert "不符合： 照片不合要求" in Client().get(link_for(place, case)).content.decode()


def test_where_the_office_only_wrote_to_the_liaison_the_family_is_told_to_ask(
    place: builders.County,
) -> None:
    case = builders.applied(place)[0]
    applications.send_back(case, [], note="请核对", by=place.administrator, at=START)
    said = {"number": case.number, "digits": case.resident.id_number[-4:]}
    pages = [Client().get(link_for(place, case)), Client().post("/welcome/status/", said)]
    assert ["您的村联络员知道" in page.content.decode() for page in pages] == [True, True]


def test_without_offers_the_family_tells_when_it_is_at_home(place: builders.County) -> None:
    case = builders.accepted(place)[0]
    address = link_for(place, case)
    answer = Client().post(f"{address}time/", {"tell": "yes", "times": ["2-am"]})
    case.refresh_from_db()
    assert (answer.status_code, case.possible_times) == (
        303,
        [{"weekday": 2, "from": "08:00", "to": "12:00"}],
    )


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_sent_papers_takes_as_many_queries_for_one_row_as_for_three(
    place: builders.County,
    sign_in: SignIn,
    django_assert_num_queries: Callable[[int], Any],
    count: int,
) -> None:
    for index in range(count):
        case = returned(place)
        address = link_for(place, case)
        Client().post(f"{address}papers/", {"paper": "id_card", "photos": picture(80 * index)})
    liaison = sign_in(place.liaison)
    with django_assert_num_queries(8):
        liaison.get("/papers/sent/")


def test_a_family_that_sends_a_whole_household_book_page_by_page_is_not_locked_out(
    place: builders.County,
) -> None:
    """Each page shows all photos sent so far; these are no calls of their own."""
    case = returned(place, "household_book")
    address, phone = link_for(place, case), Client()
    for number in range(16):
        sent = {"paper": "household_book", "photos": picture(number * 10)}
        assert phone.post(f"{address}papers/", sent).status_code == 303
        page = phone.get(address).content.decode()
        small = set(re.findall(r'src="([^"]*/papers/[^"]+)"', page))
        assert len(small) == number + 1
        assert {phone.get(one).getvalue()[:2] for one in small} == {b"\xff\xd8"}


def test_the_link_and_the_photos_of_an_erased_case_are_gone(
    place: builders.County, sign_in: SignIn
) -> None:
    case = returned(place, "id_card")
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    liaison = sign_in(place.liaison)
    assert case.number in liaison.get("/papers/sent/").content.decode()
    applications.advance([case], "withdraw", by=place.liaison, at=START)
    assert case.number not in liaison.get("/papers/sent/").content.decode()  # nobody need look
    erase_case(case, Holding.UNFINISHED, by=None, at=START)
    photo = PaperPhoto.objects.get()
    assert phone.get(address).status_code == 404
    assert phone.get(f"{address}papers/{photo.pk}/").status_code == 404


def test_a_link_ends_where_its_maker_got_another_area(place: builders.County) -> None:
    case = builders.applied(place)[0]
    _link, secret = family.make_link(case, by=place.liaison, at=clock.now())
    assert Client().get(f"/family/{secret}/").status_code == 200
    User.objects.filter(pk=place.liaison.pk).update(division=place.other_village)
    assert Client().get(f"/family/{secret}/").status_code == 404


def test_what_came_back_may_be_sent_once_more_and_leaves_its_room(
    place: builders.County, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers, "MOST", 1)
    case = returned(place, "id_card")
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    first = PaperPhoto.objects.get()
    sign_in(place.liaison).post(f"/papers/{first.pk}/decide/", {"fault": "wrong_paper"})
    again = phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture()})
    assert again.status_code == 303
    assert list(PaperPhoto.objects.undecided().exclude(pk=first.pk)) == list(
        PaperPhoto.objects.undecided()
    )
    assert PaperPhoto.objects.undecided().count() == 1


def test_nobody_fills_the_disk_by_taking_back_what_was_sent(
    place: builders.County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taken back made room for the next photo, and its file stayed: a gigabyte an hour."""
    monkeypatch.setattr(papers, "MOST_EVER", 2)
    case = returned(place, "id_card")
    address, phone = link_for(place, case), Client()
    for shade in (10, 60):
        phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture(shade)})
        for photo in PaperPhoto.objects.undecided():
            phone.post(f"{address}papers/{photo.pk}/take-back/")
    kept = StoredBlob.objects.count()
    told = phone.post(f"{address}papers/", {"paper": "id_card", "photos": picture(110)})
    assert (told.status_code, told["X-Refusal"]) == (422, "link-used-up")
    assert StoredBlob.objects.count() == kept == 2
    sent = phone.post(f"{link_for(place, case)}papers/", {"paper": "id_card", "photos": picture()})
    assert sent.status_code == 303


def test_a_guardians_proof_is_looked_at_also_after_the_child_came_of_age(
    place: builders.County, sign_in: SignIn
) -> None:
    child = builders.guarded(place, id_number=builders.id_number(date(2000, 5, 20)))
    case = applications.nominate([child], by=place.liaison, at=START)[0]
    applications.send_back(case, ["guardian_proof"], by=place.administrator, at=START)
    address, phone = link_for(place, case), Client()
    phone.post(f"{address}papers/", {"paper": "guardian_proof", "photos": picture()})
    clock.advance_to(START + 7 * DAY)
    photo = PaperPhoto.objects.get()
    assert f"/papers/{photo.pk}/" in phone.get(address).content.decode()
    liaison = sign_in(place.liaison)
    assert str(photo.pk) in liaison.get(f"/cases/{case.pk}/papers/").content.decode()


def test_a_link_works_until_the_end_of_the_day_that_its_message_names(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    page = sign_in(place.liaison).post(f"/cases/{case.pk}/link/").content.decode()
    secret = shown_on(page)
    assert "5月28日" in Notification.objects.get().text
    clock.advance_to(START.replace(day=28, hour=23, minute=59))
    assert Client().get(f"/family/{secret}/").status_code == 200
    clock.advance_to(START.replace(day=29, hour=0))
    assert Client().get(f"/family/{secret}/").status_code == 404


def test_one_file_that_is_no_photo_holds_up_no_other(
    place: builders.County, sign_in: SignIn
) -> None:
    case = returned(place, "id_card")
    bad = SimpleUploadedFile("IMG_1.HEIC", b"no picture", "image/heic")
    sent = {"paper": "id_card", "photos": [bad, picture()]}
    answer = Client().post(f"{link_for(place, case)}papers/", sent)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "not-a-picture")
    assert PaperPhoto.objects.count() == 1
    bad.seek(0)
    sent = {"paper": "id_card", "photos": [bad, picture(200)]}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/papers/", sent)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "not-a-picture")
    assert PaperPhoto.objects.count() == 2


def test_no_call_tells_another_time_than_the_one_that_the_family_chose(
    place: builders.County, sign_in: SignIn
) -> None:
    hill = hills(place, 4)
    published(hill)
    clock.advance_to(ASKED)
    call = Call.objects.to_make().filter(kind="new").order_by("pk")[0]
    case = call.visit.application
    address, phone = link_for(place, case), Client()
    seen = f"{call.on.isoformat()} {call.start:%H:%M}"
    key = offering.offered(case, clock.now(), instead_of=call.visit)[0].key
    assert phone.post(f"{address}time/", {"offer": key, "seen": seen}).status_code == 303
    page = sign_in(place.administrator).get("/calls/").content.decode()
    assert case.number not in page


def test_a_family_that_is_at_home_on_weekends_only_is_told_that_nobody_comes_then(
    place: builders.County,
) -> None:
    """The office could book no time at all, and has no form to change what the family said."""
    case = builders.accepted(place)[0]
    answer = Client().post(f"{link_for(place, case)}time/", {"tell": "yes", "times": ["5-am"]})
    case.refresh_from_db()
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")
    assert case.possible_times == []
