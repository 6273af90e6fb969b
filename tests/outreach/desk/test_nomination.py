"""Nominating a person: everything wrong or missing is told at once, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from outreach import clock
from outreach.actions import applications, papers
from outreach.domain.retention import Holding
from outreach.models import Application, Guardian, PaperPhoto, Resident, StoredBlob, User
from outreach.retention.erasing import erase_case
from outreach.rules import Refused
from tests import builders
from tests.builders import START
from tests.outreach.desk.reading import compared_on
from tests.outreach.desk.test_main_job import nomination_form

SignIn = Callable[[User], Client]


def test_a_nomination_keeps_everything_that_was_said(
    place: builders.County, sign_in: SignIn
) -> None:
    form = nomination_form(place, latitude="31.02", longitude="106.1", severity_expected="1")
    sign_in(place.liaison).post("/cases/nominate/", form)
    case = Application.objects.get()
    assert (case.state, case.papers_missing, case.categories) == ("applied", [], ["physical"])
    assert case.consent == {"by": "resident", "name": "赵青山"}
    assert case.possible_times == [
        {"weekday": 0, "from": "08:00", "to": "12:00"},
        {"weekday": 1, "from": "13:00", "to": "18:00"},
    ]
    assert case.resident.place == {"lat": 31.02, "lon": 106.1}
    assert (case.resident.is_bedridden, case.resident.can_sit) == (True, False)


def test_without_consent_it_stays_a_nomination(place: builders.County, sign_in: SignIn) -> None:
    form = nomination_form(place, consent_by="", consent_name="")
    sign_in(place.liaison).post("/cases/nominate/", form)
    case = Application.objects.get()
    assert case.state == "nominated"
    agreed = {"consent_by": "resident", "consent_name": "赵青山"}
    answer = sign_in(place.liaison).post(f"/cases/{case.pk}/consent/", agreed)
    case.refresh_from_db()
    assert (answer.status_code, case.state) == (303, "applied")


@pytest.mark.parametrize(
    "guarded", [{"categories": ["mental"]}, {"id_number": builders.id_number(date(2008, 5, 1))}]
)
def test_for_a_child_or_a_ward_the_guardian_asks_later_too(
    place: builders.County, sign_in: SignIn, guarded: dict[str, Any]
) -> None:
    """A list, or a nomination without a consent, leaves it to the page of the case."""
    [case] = builders.applied(place, consent=None, **guarded)
    office = sign_in(place.liaison)
    address = f"/cases/{case.pk}/consent/"
    alone = office.post(address, {"consent_by": "resident", "consent_name": "赵青山"})
    assert (alone.status_code, alone["X-Refusal"]) == (422, "guardian-asks")
    case.refresh_from_db()
    assert (case.state, case.consent) == ("nominated", None)
    asked = office.post(address, {"consent_by": "guardian", "consent_name": "赵大山"})
    case.refresh_from_db()
    assert (asked.status_code, case.state) == (303, "applied")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("5113021950030200", "身份证号应为 18 位"),
        ("51130219500302001?", "身份证号应为 17 位数字"),
        ("511302195013020018", "不是有效的出生日期"),
        ("511302195003020018", "其中有一位不对"),
    ],
)
def test_a_malformed_id_number_is_explained_and_not_repeated(
    place: builders.County, sign_in: SignIn, typed: str, sentence: str
) -> None:
    answer = sign_in(place.liaison).post(
        "/cases/nominate/", nomination_form(place, id_number=typed)
    )
    page = answer.content.decode()
    summary = page[page.index('class="summary"') : page.index("<form method=")]
    assert (answer.status_code, answer["X-Refusal"]) == (422, "malformed-form")
    assert sentence in summary
    assert typed not in summary
    assert not Application.objects.exists()


def test_everything_wrong_is_told_at_once(place: builders.County, sign_in: SignIn) -> None:
    answer = sign_in(place.liaison).post("/cases/nominate/", {"telephone": "12"})
    wrong = set(answer.context["form"].errors)
    assert wrong == {"name", "id_number", "village", "categories", "telephone"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"id_number": builders.id_number(date(2008, 5, 1))}, ["consent_by", "guardian_name"]),
        ({"categories": ["mental"]}, ["consent_by", "guardian_name"]),
        ({"categories": ["intellectual"], "guardian_name": "赵大山"}, ["consent_by"]),
    ],
)
def test_minors_and_wards_need_a_guardian_who_asks(
    place: builders.County, sign_in: SignIn, changes: dict[str, object], wrong: list[str]
) -> None:
    answer = sign_in(place.liaison).post("/cases/nominate/", nomination_form(place, **changes))
    found = set(answer.context["form"].errors) - {"guardian_relation"}
    assert (answer.status_code, sorted(found)) == (422, wrong)


def test_a_form_left_open_until_the_case_was_erased_says_so(
    place: builders.County, sign_in: SignIn
) -> None:
    """It met an error page: nobody knows the age any more by which papers are asked for."""
    [case] = builders.applied(place)
    applications.advance([case], "withdraw", by=place.liaison, at=START)
    erase_case(case, Holding.UNFINISHED, by=None, at=START)
    office = sign_in(place.administrator)
    said = {"missing": ["id_card"], "consent_by": "guardian", "consent_name": "赵大山", "note": "x"}
    for step in ("return", "consent"):
        answer = office.post(f"/cases/{case.pk}/{step}/", said)
        assert answer.status_code == 422


def test_a_guardian_is_kept_with_the_person(place: builders.County, sign_in: SignIn) -> None:
    form = nomination_form(
        place,
        categories=["mental"],
        guardian_name="赵大山",
        guardian_relation="child",
        guardian_telephone="13700000000",
        consent_by="guardian",
        consent_name="赵大山",
    )
    assert sign_in(place.liaison).post("/cases/nominate/", form).status_code == 303
    guardian = Guardian.objects.get()
    assert (guardian.name, guardian.relation) == ("赵大山", "child")
    assert Application.objects.get().papers_missing == ["guardian_proof"]


def test_the_persons_own_number_is_not_the_guardians(
    place: builders.County, sign_in: SignIn
) -> None:
    form = nomination_form(place, guardian_name="赵大山", guardian_relation="child")
    form["guardian_id_number"] = form["id_number"]
    answer = sign_in(place.liaison).post("/cases/nominate/", form)
    assert (answer.status_code, list(answer.context["form"].errors)) == (
        422,
        ["guardian_id_number"],
    )
    assert not Application.objects.exists()


def test_a_second_open_application_is_refused(place: builders.County, sign_in: SignIn) -> None:
    form = nomination_form(place)
    liaison = sign_in(place.liaison)
    liaison.post("/cases/nominate/", form)
    again = liaison.post("/cases/nominate/", form)
    assert (again.status_code, again["X-Refusal"]) == (422, "open-application")
    assert Application.objects.count() == 1


def test_a_liaison_chooses_among_their_own_villages(
    place: builders.County, sign_in: SignIn
) -> None:
    liaison = sign_in(place.liaison)
    page = liaison.get("/cases/nominate/").content.decode()
    assert place.village.code in page
    assert place.other_village.code not in page
    form = nomination_form(place, village=place.other_village.code)
    assert liaison.post("/cases/nominate/", form).status_code == 422


def test_the_live_list_names_everything_still_missing(
    place: builders.County, sign_in: SignIn
) -> None:
    form = nomination_form(place, papers=["id_card"], consent_by="", consent_name="", name="")
    answer = sign_in(place.liaison).post("/cases/nominate/missing/", form)
    shown = answer.context["form"]
    assert answer.status_code == 200
    assert [field.name for field, _ in shown.wrong()] == ["name"]
    assert [str(text) for text in shown.missing()] == [
        "户口簿",
        "两寸白底照片三张",
        "本人或监护人的同意",
    ]
    assert not Application.objects.exists()


def test_a_complete_form_leaves_nothing_on_the_live_list(
    place: builders.County, sign_in: SignIn
) -> None:
    page = sign_in(place.liaison).post("/cases/nominate/missing/", nomination_form(place))
    assert "missing--none" in page.content.decode()


def test_the_office_returns_with_all_that_is_missing_and_takes_it_again(
    place: builders.County, sign_in: SignIn
) -> None:
    case = builders.applied(place)[0]
    missing = {"missing": ["photos", "household_book"]}
    office, liaison = sign_in(place.administrator), sign_in(place.liaison)
    assert office.post(f"/cases/{case.pk}/return/", missing).status_code == 303
    assert "户口簿" in liaison.get("/papers/").content.decode()
    assert liaison.post("/papers/", {"ids": [case.pk]}).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.papers_missing) == ("applied", [])


def a_photo(shade: int = 90) -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (320, 200), (shade, 120, 90)).save(out, "JPEG")
    return SimpleUploadedFile("photo.jpg", out.getvalue(), "image/jpeg")


def test_a_paper_photographed_on_the_spot_counts_and_stays_with_the_case(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    liaison = sign_in(place.liaison)
    shown = liaison.post("/cases/nominate/photo/", {"photo-id_card": a_photo()})
    photo = PaperPhoto.objects.get()
    assert (str(photo.pk) in shown.content.decode(), photo.application) == (True, None)
    form = nomination_form(place, papers=["household_book"], photo=[str(photo.pk)])
    listed = liaison.post("/cases/nominate/missing/", form).context["form"]
    assert [str(text) for text in listed.missing()] == ["两寸白底照片三张"]
    assert liaison.post("/cases/nominate/", form).status_code == 303
    case = Application.objects.get()
    photo.refresh_from_db()
    assert (case.papers_missing, photo.application, photo.is_accepted, photo.decided_by) == (
        ["photos"],
        case,
        True,
        place.liaison,
    )


def test_a_form_that_comes_back_has_lost_no_photo(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    liaison = sign_in(place.liaison)
    form = nomination_form(place, name="", papers=[]) | {"photo-id_card": a_photo()}
    back = liaison.post("/cases/nominate/", form)
    photo = PaperPhoto.objects.get()
    assert (back.status_code, f'value="{photo.pk}"' in back.content.decode()) == (422, True)
    bad = SimpleUploadedFile("photo.jpg", b"no picture", "image/jpeg")
    form = nomination_form(place, papers=[], photo=[str(photo.pk)]) | {"photo-photos": bad}
    again = liaison.post("/cases/nominate/", form)
    assert (again.status_code, again["X-Refusal"]) == (422, "not-a-picture")
    assert f'value="{photo.pk}"' in again.content.decode()
    other = sign_in(place.other_liaison)
    stolen = nomination_form(
        place, village=place.other_village.code, papers=[], photo=[str(photo.pk)]
    )
    assert other.post("/cases/nominate/", stolen)["X-Refusal"] == "photos-gone"
    photo.refresh_from_db()
    assert photo.application is None


def test_a_nomination_given_up_leaves_no_photo_behind(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    liaison = sign_in(place.liaison)
    liaison.post("/cases/nominate/photo/", {"photo-id_card": a_photo(10)})
    old = PaperPhoto.objects.get()
    liaison.get(f"/papers/{old.pk}/small/")
    clock.advance_to(clock.now() + timedelta(days=2))
    sign_in(place.liaison).post("/cases/nominate/photo/", {"photo-id_card": a_photo(200)})
    assert not PaperPhoto.objects.filter(pk=old.pk).exists()
    assert not StoredBlob.objects.filter(pk=old.sha256, removed_at=None).exists()
    names = [path.name for path in settings.OUTREACH_FILES.rglob("*") if path.is_file()]
    assert [name for name in names if old.sha256 in name] == []


def test_a_namesake_in_the_village_is_shown_with_the_date_of_birth(
    place: builders.County, sign_in: SignIn
) -> None:
    builders.applied(place, id_number=builders.id_number(date(1961, 7, 8)))
    page = sign_in(place.liaison).post("/cases/nominate/missing/", nomination_form(place))
    assert "1961-07-08" in page.content.decode()


def test_somebody_who_is_not_born_yet_is_refused_with_a_sentence(
    place: builders.County, sign_in: SignIn
) -> None:
    form = nomination_form(place, id_number=builders.id_number(date(2091, 3, 2)))
    told = sign_in(place.liaison).post("/cases/nominate/", form)
    assert (told.status_code, told["X-Refusal"]) == (422, "malformed-form")
    assert "尚未出生" in told.content.decode()
    listed = sign_in(place.liaison).post("/cases/nominate/missing/", form)
    assert "尚未出生" in listed.content.decode()


def test_photos_that_are_gone_are_said_to_be_gone_before_the_person_is_registered(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    """The form was left open over a night and another one was begun; its other photo is kept."""
    settings.OUTREACH_FILES = tmp_path / "files"
    liaison = sign_in(place.liaison)
    liaison.post("/cases/nominate/photo/", {"photo-id_card": a_photo(10)})
    old = PaperPhoto.objects.get()
    clock.advance_to(clock.now() + timedelta(days=2))
    liaison = sign_in(place.liaison)
    liaison.post("/cases/nominate/photo/", {"photo-household_book": a_photo(200)})
    fresh = PaperPhoto.objects.get()
    named = [str(old.pk), str(fresh.pk)]
    told = liaison.post("/cases/nominate/", nomination_form(place, papers=[], photo=named))
    assert (told.status_code, told["X-Refusal"]) == (422, "photos-gone")
    page = told.content.decode()
    assert (str(old.pk) in page, str(fresh.pk) in page) == (False, True)
    assert not Application.objects.exists()
    form = nomination_form(place, papers=[], photo=[str(fresh.pk)])
    assert liaison.post("/cases/nominate/", form).status_code == 303
    assert Application.objects.get().papers_missing == ["id_card", "photos"]


def test_a_photo_that_went_with_a_brother_is_not_counted_for_the_next_one(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    """Back to the form that was sent, and another child's name typed over the first."""
    settings.OUTREACH_FILES = tmp_path / "files"
    liaison = sign_in(place.liaison)
    liaison.post("/cases/nominate/photo/", {"photo-household_book": a_photo()})
    photo = PaperPhoto.objects.get()
    liaison.post("/cases/nominate/", nomination_form(place, papers=[], photo=[str(photo.pk)]))
    other = nomination_form(place, papers=[], photo=[str(photo.pk)], id_number=builders.id_number())
    assert liaison.post("/cases/nominate/", other)["X-Refusal"] == "photos-gone"
    assert Application.objects.count() == 1


@pytest.mark.parametrize("address", ["/cases/nominate/", "/cases/nominate/photo/"])
def test_one_file_that_is_no_photo_loses_no_other(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any, address: str
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    bad = SimpleUploadedFile("IMG_1.HEIC", b"no picture", "image/heic")
    form = nomination_form(place, papers=[]) | {
        "photo-id_card": [a_photo(10), bad, a_photo(200)],
        "photo-photos": a_photo(100),
    }
    told = sign_in(place.liaison).post(address, form)
    page = told.content.decode()
    assert (told.status_code, told["X-Refusal"]) == (422, "not-a-picture")
    kept = PaperPhoto.objects.values_list("pk", flat=True)
    assert (len(kept), [pk for pk in kept if f'value="{pk}"' not in page]) == (3, [])


def test_photos_that_go_with_another_in_the_same_moment_are_not_counted(
    place: builders.County, sign_in: SignIn, tmp_path: Path, settings: Any
) -> None:
    settings.OUTREACH_FILES = tmp_path / "files"
    sign_in(place.liaison).post("/cases/nominate/photo/", {"photo-id_card": a_photo()})
    photos = list(PaperPhoto.objects.all())
    first, second = builders.applied(place, 2)
    papers.attach(photos, first, by=place.liaison, at=builders.START)
    with pytest.raises(Refused, match=r"^photos-gone$"):
        papers.attach(photos, second, by=place.liaison, at=builders.START)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"times": ["5-am", "6-pm"]}, "times"),
        ({"guardian_telephone": "13700000000"}, "guardian_name"),
        ({"guardian_id_number": builders.id_number()}, "guardian_name"),
    ],
)
def test_what_could_not_be_used_is_asked_about(
    place: builders.County, sign_in: SignIn, changes: dict[str, object], wrong: str
) -> None:
    told = sign_in(place.liaison).post("/cases/nominate/", nomination_form(place, **changes))
    assert (told.status_code, list(told.context["form"].errors)) == (422, [wrong])


def test_a_known_number_under_another_name_is_pointed_out_while_it_is_typed(
    place: builders.County, sign_in: SignIn
) -> None:
    [case] = builders.applied(place, name="钱大海")
    applications.advance([case], "withdraw", by=place.liaison, at=builders.START)
    number = case.resident.id_number
    liaison = sign_in(place.liaison)
    form = nomination_form(place, id_number=number)
    page = liaison.post("/cases/nominate/missing/", form).content.decode()
    assert ("钱＊＊" in page, "钱大海" in page) == (True, False)
    same = nomination_form(place, id_number=number, name="钱大海")
    assert "钱＊＊" not in liaison.post("/cases/nominate/missing/", same).content.decode()


def test_another_telephone_takes_the_place_of_the_known_one_after_it_was_said(
    place: builders.County, sign_in: SignIn
) -> None:
    """The office may have corrected it since: a message would go to whoever has the old one."""
    [known] = builders.applied(place, telephone="13911112222")
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    liaison = sign_in(place.liaison)
    form = nomination_form(place, id_number=known.resident.id_number, telephone="13900000000")
    form["address"] = known.resident.address
    page = liaison.post("/cases/nominate/missing/", form).content.decode()
    assert ("联系电话" in page, "13911112222" in page) == (True, False)
    assert "登记库中已有此人" in page
    for same in ("", "139 1111 2222"):
        page = liaison.post("/cases/nominate/missing/", form | {"telephone": same})
        assert "登记库中已有此人" not in page.content.decode()


def test_who_is_known_keeps_their_ethnicity_where_nobody_types_another(
    place: builders.County, sign_in: SignIn
) -> None:
    """The form began with the usual one, which took its place, on the certificate too."""
    [known] = builders.applied(place, ethnicity="彝族")
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    liaison = sign_in(place.liaison)
    assert liaison.get("/cases/nominate/").context["form"]["ethnicity"].value() in ("", None)
    form = nomination_form(place, id_number=known.resident.id_number, ethnicity="")
    assert liaison.post("/cases/nominate/", form).status_code == 303
    known.resident.refresh_from_db()
    assert known.resident.ethnicity == "彝族"


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ({"ethnicity": "汉族"}, "民族"),
        ({"guardian_name": "赵小山"}, "监护人姓名"),
        ({"guardian_name": "赵大山", "guardian_telephone": "13911113333"}, "监护人电话"),
    ],
)
def test_another_ethnicity_or_guardian_takes_the_place_of_the_known_one_after_it_was_said(
    place: builders.County, sign_in: SignIn, typed: dict[str, str], named: str
) -> None:
    """The certificate prints both, and a child's messages go to the guardian."""
    guardian = applications.Guarding("赵大山", "13911112222", "parent")
    [known] = builders.applied(place, ethnicity="彝族", guardian=guardian)
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    form = nomination_form(place, id_number=known.resident.id_number, ethnicity="")
    form |= {"address": known.resident.address, "telephone": known.resident.telephone}
    liaison = sign_in(place.liaison)
    same = {"guardian_name": "赵大山", "guardian_telephone": "13911112222", "ethnicity": "彝族"}
    page = liaison.post("/cases/nominate/missing/", form | same)
    assert "登记库中已有此人" not in page.content.decode()
    page = liaison.post("/cases/nominate/missing/", form | typed)
    said = page.content.decode()
    assert ("登记库中已有此人" in said, named in said, "13911112222" in said) == (True, True, False)


def test_nobody_known_is_renamed_by_a_form_that_was_not_told_of_them(
    place: builders.County, sign_in: SignIn
) -> None:
    """Sent before the live list came, the wife's name with the husband's number renamed him."""
    [known] = builders.applied(place, name="钱大海", telephone="13911112222")
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    form = nomination_form(place, id_number=known.resident.id_number)
    liaison = sign_in(place.liaison)
    told = liaison.post("/cases/nominate/", form)
    page = told.content.decode()
    assert (told.status_code, told["X-Refusal"]) == (422, "known-otherwise")
    assert [said in page for said in ("钱＊＊", "钱大海", "13911112222")] == [True, False, False]
    known.resident.refresh_from_db()
    assert (known.resident.name, Application.objects.count()) == ("钱大海", 1)

    live = liaison.post("/cases/nominate/missing/", form).content.decode()
    assert compared_on(live) == compared_on(page)  # who reads it while typing is asked no more
    Resident.objects.filter(pk=known.resident_id).update(name="钱海")  # by the office, meanwhile
    again = liaison.post("/cases/nominate/", form | {"compared": compared_on(page)})
    assert again["X-Refusal"] == "known-otherwise"
    seen = {"compared": compared_on(again.content.decode())}
    assert liaison.post("/cases/nominate/", form | seen).status_code == 303
    known.resident.refresh_from_db()
    assert known.resident.name == "赵青山"


def test_who_corrects_what_was_typed_otherwise_is_asked_no_more(
    place: builders.County, sign_in: SignIn
) -> None:
    [known] = builders.applied(place, name="钱大海")
    applications.advance([known], "withdraw", by=place.liaison, at=builders.START)
    form = nomination_form(place, id_number=known.resident.id_number)
    liaison = sign_in(place.liaison)
    seen = compared_on(liaison.post("/cases/nominate/", form).content.decode())
    right = form | {"name": "钱大海", "compared": seen}
    assert liaison.post("/cases/nominate/", right).status_code == 303
