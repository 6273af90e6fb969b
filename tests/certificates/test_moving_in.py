"""Somebody moves in with another county's certificate, and gets one of this county's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from certificates import actions, life, moving_in
from certificates.models import Certificate, MoveIn
from certificates.moving_in import Left
from certificates.steps import Kind
from certificates.verdicts import Finding, judge
from outreach.actions import applications, evaluations, publicity
from outreach.domain.vocabulary import Category, EvidenceKind, Mode
from outreach.models import Application, AuditEvent, Evaluation, Notice, Visit
from outreach.reports.monthly import monthly
from outreach.rules import Refused
from tests import builders
from tests.certificates.issuing import ISSUED_AT, issued, paper_of, put_portraits
from tests.certificates.making import text_of

pytestmark = pytest.mark.django_db

LEFT = Left(
    "蓬安县残疾人联合会",
    {Category.PHYSICAL: 2},
    issued_on=date(2014, 3, 5),
    valid_until=date(2024, 3, 5),
)
PICTURES = [
    evaluations.Declared("a1" * 32, EvidenceKind.PORTRAIT, 1000, "image/png", ISSUED_AT),
    evaluations.Declared("d1" * 32, EvidenceKind.DOCUMENT, 2000, "image/png", ISSUED_AT),
]


def moved_in(place: builders.County, left: Left = LEFT, **changes: Any) -> Application:
    """Enter somebody who moved in, with their pictures."""
    builders.store([picture.sha256 for picture in PICTURES])
    wanted = builders.nomination(place, **changes)
    return moving_in.move_in(wanted, left, PICTURES, by=place.administrator, at=ISSUED_AT)


def signed(place: builders.County, files: Path, case: Application) -> Certificate:
    """Review a case, approve it and make its paper."""
    publicity.review([case], by=place.administrator, at=ISSUED_AT)
    publicity.approve([case], by=place.approver, at=ISSUED_AT)
    put_portraits(files, [case])
    (made,) = actions.issue([case], by=place.approver, at=ISSUED_AT)
    return made


def test_the_paper_keeps_category_grade_and_last_day_and_names_the_county_left(
    place: builders.County, files: Path
) -> None:
    case = moved_in(place)
    assert list(case.events.values_list("name", "target")) == [
        ("nominate", "nominated"),
        ("apply", "applied"),
        ("move_in", "noticed"),
    ]
    made = signed(place, files, case)
    identity = case.resident.id_number
    assert (made.number, made.category, made.grade) == (f"{identity}42", "physical", 2)
    assert (made.kind, made.valid_until) == (Kind.MOVE_IN, date(2024, 3, 5))
    assert list(made.events.values_list("name", flat=True)) == ["issue_moved_in"]
    assert "迁入：由蓬安县残疾人联合会转入，原证于2014年03月05日签发。" in text_of(
        paper_of(made)
    ).replace("\n", "")
    assert judge(paper_of(made), on=made.issued_on).finding == Finding.UNCHANGED
    assert (Notice.objects.count(), Visit.objects.count()) == (0, 0)
    assert AuditEvent.objects.filter(action="application.move_in", subject_id=case.pk).count() == 1


def test_a_reissue_is_counted_on_and_says_both(place: builders.County, files: Path) -> None:
    made = signed(place, files, moved_in(place, replace(LEFT, suffix="B1")))
    life.declare_lost([made], by=place.liaison, at=ISSUED_AT)
    (again,) = actions.reissue([made], by=place.approver, at=ISSUED_AT)
    assert (made.suffix, again.suffix, again.valid_until) == ("B1", "B2", made.valid_until)
    text = text_of(paper_of(again)).replace("\n", "")
    assert "由蓬安县残疾人联合会转入" in text
    assert "第2次补发（B2）" in text


@pytest.mark.parametrize("last", [date(2019, 6, 13), date(2016, 1, 1)])
def test_a_certificate_in_its_last_year_is_renewed_at_once(
    place: builders.County, files: Path, last: date
) -> None:
    left = replace(LEFT, issued_on=last.replace(year=last.year - 10), valid_until=last)
    made = signed(place, files, moved_in(place, left))
    assert made.valid_until == date(2028, 6, 13)
    said = f"原证有效期至{last:%Y年%m月%d日}，迁入时一并换领"
    assert said in text_of(paper_of(made)).replace("\n", "")


def test_a_day_more_than_the_last_year_is_kept(place: builders.County, files: Path) -> None:
    left = replace(LEFT, issued_on=date(2009, 6, 14), valid_until=date(2019, 6, 14))
    assert signed(place, files, moved_in(place, left)).valid_until == date(2019, 6, 14)


def test_several_categories_make_a_multiple_disability(place: builders.County, files: Path) -> None:
    left = replace(LEFT, grades={Category.VISION: 3, Category.PHYSICAL: 2})
    made = signed(place, files, moved_in(place, left))
    assert (made.category, made.grade, made.number[18:]) == ("multiple", 2, "72")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"office": " "}, "office-missing"),
        ({"grades": {}}, "unknown-category"),
        ({"grades": {Category.PHYSICAL: 5}}, "unknown-category"),
        ({"suffix": "C1"}, "unknown-suffix"),
        ({"issued_on": date(2018, 6, 14), "valid_until": date(2028, 6, 14)}, "in-the-future"),
        ({"valid_until": date(2014, 3, 5)}, "dates-disagree"),
        ({"valid_until": date(2024, 3, 6)}, "dates-disagree"),
        ({"issued_on": date(1949, 1, 1), "valid_until": date(1959, 1, 1)}, "dates-disagree"),
    ],
)
def test_what_a_certificate_cannot_say_is_refused_and_nothing_is_kept(
    place: builders.County, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        moved_in(place, replace(LEFT, **changes))
    assert (Application.objects.count(), MoveIn.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("pictures", "code"),
    [
        (PICTURES[:1], "evidence-missing"),
        ([PICTURES[0], replace(PICTURES[1], sha256=PICTURES[0].sha256)], "photo-twice"),
    ],
)
def test_both_pictures_are_needed(
    place: builders.County, pictures: list[evaluations.Declared], code: str
) -> None:
    with pytest.raises(Refused, match=code):
        moving_in.move_in(
            builders.nomination(place), LEFT, pictures, by=place.administrator, at=ISSUED_AT
        )


def test_only_an_administrator_enters_only_their_own_county(place: builders.County) -> None:
    for user in (place.liaison, place.assessor, place.approver, place.auditor):
        with pytest.raises(Refused, match="not-your-step"):
            moving_in.move_in(builders.nomination(place), LEFT, PICTURES, by=user, at=ISSUED_AT)
    with pytest.raises(Refused, match="consent-missing"):
        moved_in(place, consent=None)


def test_who_holds_a_certificate_here_or_is_barred_cannot_move_in(
    place: builders.County, files: Path
) -> None:
    (held,) = issued(place, files)
    with pytest.raises(Refused, match="holds-another"):
        moved_in(place, id_number=held.resident.id_number)
    actions.hand_over([held], by=place.liaison, at=ISSUED_AT)
    life.cancel(
        [held], ground="false_information", reason="伪造", by=place.administrator, at=ISSUED_AT
    )
    with pytest.raises(Refused, match="barred"):
        moved_in(place, id_number=held.resident.id_number)


def test_who_moved_away_may_come_back(place: builders.County, files: Path) -> None:
    (held,) = issued(place, files)
    actions.hand_over([held], by=place.liaison, at=ISSUED_AT)
    life.move_out([held], to="蓬安县残联", by=place.administrator, at=ISSUED_AT)
    case = moved_in(place, id_number=held.resident.id_number)
    assert signed(place, files, case).resident_id == held.resident_id


def test_a_doubtful_file_goes_back_with_a_reason_and_can_be_entered_anew(
    place: builders.County,
) -> None:
    case = moved_in(place)
    with pytest.raises(Refused, match="reason-missing"):
        moving_in.give_back(case, reason=" ", by=place.administrator, at=ISSUED_AT)
    moving_in.give_back(case, reason="等级填错", by=place.administrator, at=ISSUED_AT)
    assert case.state == "closed"
    assert moved_in(place, id_number=case.resident.id_number).state == "noticed"


def test_a_case_of_this_county_has_no_file_to_give_back(place: builders.County) -> None:
    (case,) = builders.noticed(place)
    with pytest.raises(Refused, match="no-file"):
        moving_in.give_back(case, reason="退回", by=place.administrator, at=ISSUED_AT)


def test_who_is_assessed_here_after_all_gets_ten_years_and_the_new_grade(
    place: builders.County, files: Path
) -> None:
    case = moved_in(place, replace(LEFT, suffix="B3"))
    applications.advance([case], "send_back", by=place.administrator, at=ISSUED_AT, note="等级存疑")
    file = Evaluation.objects.get()
    found = Evaluation.objects.get()
    found.pk, found.mode, found.grade = None, Mode.HOME, 3
    found.id = builders.new_id()
    found.parts = [dict(file.parts[0], grade=3)]
    found.received_at = ISSUED_AT + timedelta(hours=1)
    found._state.adding = True
    found.save()
    Application.objects.update(state="noticed")
    case.refresh_from_db()
    for photo in file.photos.all():
        photo.pk, photo._state.adding, photo.evaluation = builders.new_id(), True, found
        photo.save()
    made = signed(place, files, case)
    assert (made.grade, made.suffix, made.valid_until) == (3, "", date(2028, 6, 13))
    assert "由蓬安县残疾人联合会转入" in text_of(paper_of(made)).replace("\n", "")


def test_another_countys_rating_is_not_counted_as_an_assessment_of_ours(
    place: builders.County,
) -> None:
    case = moved_in(place)
    Evaluation.objects.update(evaluated_at=ISSUED_AT)
    assert monthly(ISSUED_AT.date(), within=place.county).matters == 0
    assert Evaluation.objects.filter(application=case, mode=Mode.FILE).count() == 1
