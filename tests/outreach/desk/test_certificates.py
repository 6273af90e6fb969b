"""The pages of a certificate's life, and of the batches in which papers are made."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from certificates import actions, batches, life, storage
from certificates.keys import TokenAway
from certificates.models import Batch, Certificate, CertificateFile, ItemState, PaperRequest
from outreach import clock
from outreach.domain.vocabulary import Level, Role
from outreach.models import Application, AuditEvent, User
from tests import builders
from tests.certificates.issuing import ISSUED_AT, flipped, issued, paper_of, put_portraits

pytestmark = pytest.mark.usefixtures("authority")
SignIn = Callable[[User], Client]


@pytest.fixture
def files(tmp_path: Path, settings: LazySettings) -> Path:
    settings.OUTREACH_FILES = tmp_path
    clock.advance_to(ISSUED_AT)
    return tmp_path


@pytest.fixture
def held(place: builders.County, files: Path) -> Certificate:
    return issued(place, files)[0]


def step_of(held: Certificate, name: str) -> str:
    return reverse("desk:certificate_step", args=[held.pk, name])


#: Step → who takes it, what they write, where the certificate stands then.
STORY = [
    ("declare_lost", "liaison", {"note": "赶集时遗失", "wants_another": "on"}, "lost"),
    ("find", "liaison", {}, "valid"),
    ("declare_lost", "liaison", {"note": "又丢了"}, "lost"),
    ("ask_another", "liaison", {}, "lost"),
    ("find", "liaison", {}, "valid"),
    ("freeze", "administrator", {"note": "核查"}, "frozen"),
    ("unfreeze", "administrator", {"note": "查清"}, "valid"),
    ("note_move", "administrator", {"moved_on": "2018-06-01", "note": "邻县"}, "valid"),
    ("forget_move", "administrator", {"note": "同名误记"}, "valid"),
    ("cancel", "administrator", {"ground": "own_wish", "note": "自愿"}, "cancelled"),
    ("restore", "approver", {"note": "误销"}, "valid"),
    ("move_out", "administrator", {"to": "邻县残联"}, "moved"),
    ("restore", "approver", {"note": "误迁"}, "valid"),
]


def test_a_certificates_life_is_lived_from_its_page(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    page = reverse("desk:certificate", args=[held.pk])
    for name, who, fields, state in STORY:
        browser = sign_in(getattr(place, who))
        assert step_of(held, name) in browser.get(page).content.decode()
        assert browser.get(step_of(held, name)).status_code == 200
        done = browser.post(step_of(held, name), fields)
        assert (name, done.status_code, done.headers.get("Location")) == (name, 303, page)
        assert (name, Certificate.objects.get().state) == (name, state)
    shown = sign_in(place.auditor).get(page).content.decode()
    assert [word for word in ("挂失", "找回", "冻结", "邻县残联") if word not in shown] == []


@pytest.mark.parametrize("name", ["freeze", "cancel", "move_out", "note_move"])
def test_what_must_be_written_is_asked_for(
    held: Certificate, place: builders.County, sign_in: SignIn, name: str
) -> None:
    answer = sign_in(place.administrator).post(step_of(held, name), {})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")
    assert 'role="alert"' in answer.content.decode()
    assert Certificate.objects.get().state == "valid"


def test_a_step_that_came_too_late_is_refused(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    office = sign_in(place.administrator)
    office.post(step_of(held, "freeze"), {"note": "核查"})
    again = office.post(step_of(held, "freeze"), {"note": "核查"})
    assert (again.status_code, again["X-Refusal"]) == (422, "wrong-state")


def test_the_number_is_not_on_the_page(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    page = sign_in(place.administrator).get(reverse("desk:certificate", args=[held.pk]))
    assert held.number not in page.content.decode()


def test_of_a_persons_certificates_whoever_looks_sees_those_of_their_area(
    place: builders.County, files: Path, sign_in: SignIn
) -> None:
    """Where the person lived before they read what the new one says, and a link led nowhere."""
    before, after = issued(place, files, 2)
    Certificate.objects.filter(pk=before.pk).update(state="replaced")
    Certificate.objects.filter(pk=after.pk).update(resident=before.resident_id)
    Application.objects.filter(pk=after.application_id).update(village=place.other_village)
    page = reverse("desk:certificate", args=[before.pk])
    sees = {
        who: str(after.pk) in sign_in(getattr(place, who)).get(page).content.decode()
        for who in ("liaison", "administrator")
    }
    assert sees == {"liaison": False, "administrator": True}


def test_renewals_come_to_the_desk_are_signed_and_handed_over(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    actions.hand_over([held], by=place.liaison, at=ISSUED_AT)
    Certificate.objects.update(valid_until="2019-06-13")
    office, approver = sign_in(place.administrator), sign_in(place.approver)
    assert "办理换领" in office.get("/").content.decode()
    assert office.post("/certificates/renew/", {"ids": [held.pk]}).status_code == 303
    late = office.post("/certificates/renew/", {"ids": [held.pk]})
    assert (late.status_code, late["X-Refusal"]) == (422, "done-already")
    request = PaperRequest.objects.get()
    assert "签批换领和补办" in approver.get("/").content.decode()
    assert approver.post("/certificates/sign/", {"ids": [request.pk]}).status_code == 303
    new = Certificate.objects.get(replaces=held)
    liaison = sign_in(place.liaison)
    assert liaison.post("/certificates/hand-over/", {"ids": [new.pk]}).status_code == 303
    new.refresh_from_db()
    assert new.handed_over_at is not None


def test_lists_take_the_same_number_of_queries_whatever_their_length(
    place: builders.County, files: Path, sign_in: SignIn, django_assert_num_queries: Callable
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    office, counts = sign_in(place.administrator), []
    pages = {
        office: ("/certificates/", "/certificates/renew/", "/batches/", "/hand-over/"),
        sign_in(place.approver): ("/certificates/sign/",),
        sign_in(place.liaison): ("/certificates/hand-over/",),
    }
    for _ in range(2):
        made = [one.pk for one in issued(place, files, 2)]
        Certificate.objects.filter(kind="first").update(valid_until="2019-06-13")
        to_replace = list(Certificate.objects.filter(pk__in=made))
        actions.hand_over(to_replace, by=place.liaison, at=ISSUED_AT)
        life.ask_renewal(to_replace, by=place.administrator, at=ISSUED_AT)
        actions.renew(to_replace[:1], by=place.approver, at=ISSUED_AT)
        issued(place, files, 2)
        for one in to_replace:
            made_for = Batch.objects.create(by=place.approver, at=ISSUED_AT)
            made_for.items.create(application=one.application, state=ItemState.DONE)
        Certificate.objects.filter(kind="first").update(valid_until="2019-06-13")
        with CaptureQueriesContext(connection) as queries:
            for browser, paths in pages.items():
                for path in paths:
                    answer = browser.get(path)
                    assert (path, answer.status_code) == (path, 200)
                    assert len(answer.context["listing"]) > 0, path
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_opening_a_paper_leaves_a_trace(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    """It shows face, ID number and home: whoever opened one after the other stood nowhere."""
    sign_in(place.liaison).get(reverse("desk:paper", args=[held.pk]))
    seen = AuditEvent.objects.get(action="certificate.view")
    assert (seen.by, seen.subject_id) == (place.liaison, held.pk)


def signed_for(place: builders.County, files: Path, sign_in: SignIn, count: int) -> str:
    cases = []
    for day in (4, 5):
        on = builders.VISIT_ON.replace(day=day)
        cases += builders.reviewed(place, count // 2, on=on)
    put_portraits(files, cases)
    clock.advance_to(builders.notice_over(builders.VISIT_ON.replace(day=5)))
    answer = sign_in(place.approver).post("/sign/", {"ids": [case.pk for case in cases]})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_large_batch_leads_to_a_page_that_counts(
    place: builders.County, files: Path, sign_in: SignIn
) -> None:
    page = signed_for(place, files, sign_in, 30)
    browser = sign_in(place.approver)
    assert "已制作 0 / 30 本" in browser.get(page).content.decode()
    assert 'name="ids"' not in browser.get("/sign/").content.decode()
    batches.work(uuid4())
    told = browser.get(page, headers={"accept": "application/json"}).json()
    assert told == {"total": 30, "done": 25, "refused": 0}
    batches.work(uuid4())
    assert "证件已制作完毕" in browser.get(page).content.decode()
    assert "30 / 30" in browser.get("/batches/").content.decode()


def test_papers_that_wait_for_a_key_say_so(
    place: builders.County, files: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page said that they are being made, for as long as nobody looked into the log."""
    said = "签名密钥或文件存储没有响应"

    def away() -> NoReturn:
        raise TokenAway("no such token")

    page, browser = signed_for(place, files, sign_in, 30), sign_in(place.approver)
    with monkeypatch.context() as unplugged:
        assert said not in browser.get(page).content.decode()
        unplugged.setattr(actions, "open_signer", away)
        batches.work(uuid4())
        assert said in browser.get(page).content.decode()
    Batch.objects.get().items.update(leased_until=None)
    batches.work(uuid4())
    assert said not in browser.get(page).content.decode()


def test_what_could_not_be_made_is_named_with_its_reason(
    place: builders.County, files: Path, sign_in: SignIn
) -> None:
    cases = builders.reviewed(place, 2)
    put_portraits(files, cases[:1])
    answer = sign_in(place.approver).post("/sign/", {"ids": [case.pk for case in cases]})
    shown = sign_in(place.approver).get(answer["Location"]).content.decode()
    assert "1 本未能制作" in shown
    assert f"{cases[1].number}" in shown
    assert cases[1].number in sign_in(place.approver).get("/sign/").content.decode()


def test_whoever_signed_and_works_elsewhere_takes_no_batch_along(
    place: builders.County, files: Path, sign_in: SignIn
) -> None:
    """The office saw no more what could not be made; that of their new area read whose it is."""
    cases = builders.reviewed(place, 2)
    put_portraits(files, cases[:1])
    batch = batches.sign(cases, by=place.approver, at=ISSUED_AT)
    elsewhere = builders.division("511303", "高坪区", Level.COUNTY)
    place.approver.division = elsewhere
    place.approver.save()
    there = builders.user("there", Role.ADMINISTRATOR, elsewhere)
    found = {}
    for who in (place.administrator, there):
        browser = sign_in(who)
        shown, listed = browser.get(f"/batches/{batch.pk}/"), browser.get("/batches/")
        is_named = cases[1].number in shown.content.decode()
        found[who.username] = (shown.status_code, is_named, len(listed.context["listing"]))
    assert found == {"administrator": (200, True, 1), "there": (404, False, 0)}


def test_a_single_paper_that_cannot_be_made_is_refused_on_the_spot(
    place: builders.County, files: Path, sign_in: SignIn
) -> None:
    cases = builders.reviewed(place, 1)
    answer = sign_in(place.approver).post("/sign/", {"ids": [cases[0].pk]})
    assert (answer.status_code, answer["X-Refusal"]) == (422, "no-portrait")
    assert Batch.objects.count() == 1


def test_a_lost_paper_and_a_renewal_at_once_are_no_contradiction(
    held: Certificate, place: builders.County
) -> None:
    late = ISSUED_AT.replace(year=2027)
    life.ask_renewal([held], by=place.administrator, at=late)
    life.declare_lost([held], by=place.administrator, at=late)
    assert PaperRequest.objects.open().get().kind == "reissue"


def test_a_renewal_of_what_was_frozen_since_waits_until_it_is_valid_again(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    """The approver was sent round in a circle: it cannot be signed, and stood on the list."""
    later = ISSUED_AT.replace(year=2027)
    clock.advance_to(later)
    actions.hand_over([held], by=place.liaison, at=later)
    life.ask_renewal([held], by=place.administrator, at=later)
    life.freeze([held], reason="核查", by=place.administrator, at=later)
    approver, page = sign_in(place.approver), reverse("desk:certificate", args=[held.pk])
    assert held.application.number not in approver.get("/certificates/sign/").content.decode()
    assert "/certificates/sign/" not in main_of(approver.get(page).content.decode())
    life.unfreeze([held], reason="查清", by=place.administrator, at=later)
    assert held.application.number in approver.get("/certificates/sign/").content.decode()
    assert "/certificates/sign/" in main_of(approver.get(page).content.decode())


def main_of(page: str) -> str:
    """Return the page without its navigation."""
    return page.partition("<main")[2]


def test_the_home_page_says_since_when_a_renewal_waits(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    Certificate.objects.update(valid_until="2019-06-04")
    office = sign_in(place.administrator)
    tallies = {tally.step.url: tally.age for tally in office.get("/").context["board"]}
    assert tallies["desk:renewals"].days == 7
    (row,) = office.get("/certificates/renew/").context["listing"]
    assert row.age.days == 7


def test_the_page_says_how_long_the_signature_can_be_proven(
    held: Certificate, place: builders.County, sign_in: SignIn, settings: LazySettings
) -> None:
    settings.OUTREACH_TSA_URL = "https://tsa.example.org/"
    office = sign_in(place.administrator)
    page = office.get(reverse("desk:certificate", args=[held.pk])).content.decode()
    assert "已签名（B-B） · 自 2018-06-13 起" in page
    assert "有 1 份证件待长期归档" in office.get("/certificates/").content.decode()
    assert "待长期归档" not in sign_in(place.liaison).get("/certificates/").content.decode()


@pytest.mark.parametrize("page", ["list", "case", "certificate"])
def test_a_paper_that_another_one_replaced_meanwhile_is_not_what_is_handed_over(
    held: Certificate, place: builders.County, sign_in: SignIn, page: str
) -> None:
    address = {
        "list": "/hand-over/",
        "case": f"/cases/{held.application_id}/",
        "certificate": reverse("desk:certificate", args=[held.pk]),
    }[page]
    liaison = sign_in(place.liaison)
    shown = liaison.get(address).content.decode()
    [form] = [
        one for one in re.findall(r"<form.*?</form>", shown, re.DOTALL) if 'name="ids"' in one
    ]
    left_open = {
        name: re.findall(rf'name="{name}" value="([^"]+)"', form) for name in ("shown", "papers")
    } | {"ids": [str(held.application_id)]}

    life.declare_lost([held], by=place.administrator, at=ISSUED_AT)
    [new] = actions.reissue([held], by=place.approver, at=ISSUED_AT)
    answer = liaison.post("/hand-over/", left_open)
    assert (answer.status_code, answer["X-Refusal"]) == (422, "wrong-state")
    assert Certificate.objects.get(pk=new.pk).handed_over_at is None
    anew = liaison.post("/hand-over/", left_open | {"papers": [str(new.pk)]})
    assert anew.status_code == 303


def test_a_paper_whose_newest_file_is_lost_or_damaged_is_given_out_as_it_was_before(
    held: Certificate, place: builders.County, files: Path, sign_in: SignIn
) -> None:
    first = paper_of(held)
    path = storage.keep(first + b"% archived")
    CertificateFile.objects.create(
        certificate=held, version=2, sha256="0" * 64, size=1, path=path, made_at=ISSUED_AT
    )
    browser, address = sign_in(place.administrator), reverse("desk:paper", args=[held.pk])

    def given() -> bytes:
        return b"".join(browser.get(address).streaming_content)  # type: ignore[attr-defined]

    assert given() == first + b"% archived"
    (files / path).write_bytes(flipped((files / path).read_bytes()))  # not in its last part
    assert given() == first
    (files / path).unlink()
    assert given() == first
    (files / held.files.get(version=1).path).unlink()
    assert browser.get(address).status_code == 404


def test_a_hand_over_by_a_slip_is_taken_back_on_the_page_of_the_certificate(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    """Nothing on any page led back: the family waited for a paper that counted as brought."""
    liaison, page = sign_in(place.liaison), reverse("desk:certificate", args=[held.pk])
    step = reverse("desk:certificate_step", args=[held.pk, "not_handed_over"])
    assert step not in liaison.get(page).content.decode()
    liaison.post("/hand-over/", {"ids": [str(held.application_id)]})
    assert step in liaison.get(page).content.decode()
    assert liaison.post(step, {}).status_code == 422
    assert liaison.post(step, {"note": "勾错了人"}).status_code == 303
    assert held.application.number in liaison.get("/hand-over/").content.decode()
    assert "发现未送达" in liaison.get(page).content.decode()


def test_the_office_reads_that_nothing_settles_the_days_any_more(
    held: Certificate, place: builders.County, sign_in: SignIn
) -> None:
    """A certificate that had not followed its household stayed valid, and nobody but a log knew."""
    office, said = sign_in(place.administrator), "已无人处理"

    def reads_on(at: datetime) -> bool:
        clock.advance_to(at)
        return said in office.get("/").content.decode()

    began = ISSUED_AT.date() - timedelta(days=300)  # noted late: the coming night sees to it
    life.note_move([held], moved_on=began, note="邻县", by=place.administrator, at=ISSUED_AT)
    after = [reads_on(ISSUED_AT + timedelta(days=days)) for days in (1, 6)]
    assert after == [False, True]
    life.settle(at=clock.now())
    assert not reads_on(clock.now())
    assert [reads_on(ISSUED_AT + timedelta(days=days)) for days in (60, 90)] == [False, True]
    assert said not in sign_in(place.liaison).get("/").content.decode()
