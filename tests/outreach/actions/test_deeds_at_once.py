"""Two people do the same in one moment: it is done once, and the second is told."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from outreach.actions import (
    accounts,
    applications,
    campaigns,
    evaluations,
    outlets,
    publicity,
    tariffs,
    visits,
)
from outreach.actions.contacts import Contact, Correction, correct_contacts
from outreach.domain.savings import shipped_tariffs, tariff_for
from outreach.domain.vocabulary import OutletKind, Role
from outreach.models import (
    AccountRequest,
    Application,
    Assessor,
    Notice,
    Resident,
    SecondOpinion,
    User,
    Visit,
)
from tests import builders
from tests.at_once import ON_POSTGRESQL, halfway, meanwhile, refusal, second_of
from tests.builders import SHANGHAI, START, VISIT_ON, County
from tests.outreach.planning import hills

pytestmark = ON_POSTGRESQL
AFTERNOON = datetime.combine(VISIT_ON, time(16), SHANGHAI)


def test_of_two_second_opinions_the_first_counts(place: County) -> None:
    [made] = builders.evaluated(place)
    one = builders.second_assessor(place)
    other = builders.user("third", one.role, place.county)
    builders.Assessor.objects.create(
        user=other,
        institution=builders.Institution.objects.get(),
        categories=["physical"],
    )
    code = second_of(
        lambda: evaluations.give_second_opinion([made], by=one, at=AFTERNOON),
        lambda: evaluations.give_second_opinion(
            [made], grade=2, reason="能坐", by=other, at=AFTERNOON
        ),
    )
    assert code == "second-opinion-closed"
    assert [opinion.assessor for opinion in SecondOpinion.objects.all()] == [one]


def test_what_is_agreed_to_cannot_be_taken_back_in_the_same_moment(place: County) -> None:
    account, office = place.liaison, place.administrator
    kind = AccountRequest.Kind.PASSWORD
    wish = accounts.ask_reset(account, kind, "忘了", by=office, at=START)

    def read() -> AccountRequest:
        return AccountRequest.objects.select_related("account").get(pk=wish.pk)

    mine = read()
    code = second_of(
        lambda: accounts.confirm(read(), by=place.approver, at=START),
        lambda: accounts.take_back(mine, by=office, at=START),
    )
    wish.refresh_from_db()
    assert (code, wish.was_confirmed, wish.decided_by) == (
        "request-decided",
        True,
        place.approver,
    )


def test_an_account_is_let_in_once_and_its_first_password_counts(place: County) -> None:
    office = place.administrator
    accounts.end_account(place.liaison, "离任", by=office, at=START)

    def resume() -> None:
        held = User.objects.get(pk=place.liaison.pk)
        accounts.resume_account(held, "回来了", by=office, at=START)

    late = User.objects.get(pk=place.liaison.pk)
    code = second_of(resume, lambda: accounts.resume_account(late, "回来", by=office, at=START))
    assert code == "request-waits"
    told = accounts.confirm(AccountRequest.objects.get(), by=place.approver, at=START)
    assert User.objects.get(pk=place.liaison.pk).check_password(told or "")


def test_two_administrators_who_take_the_role_off_each_other_leave_one(
    place: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = place.administrator
    other = builders.user("deputy", one.role, place.county)
    duty = accounts.Duty(place.liaison.role, place.county)

    def demote(whom: User, by: User) -> str:
        held = User.objects.select_related("division").get(pk=whom.pk)
        return refusal(lambda: accounts.change_account(held, whom.full_name, duty, by=by, at=START))

    codes: list[str] = []
    halfway(
        monkeypatch,
        (User, "save"),
        lambda: codes.append(demote(other, one)),
        lambda: codes.append(demote(one, other)),
    )
    assert sorted(codes) == ["", "last-administrator"]
    assert User.objects.filter(role=one.role).count() == 1


def test_an_appointment_that_is_booked_while_its_case_ends_is_cancelled_with_it(
    place: County,
) -> None:
    [case] = builders.accepted(place)
    to = visits.Appointment(case, VISIT_ON, time(9))
    office = place.administrator
    meanwhile(
        lambda: visits.schedule([to], by=office, at=START),
        lambda: visits.leave(case, "withdraw", by=office, at=START, note="不办了"),
    )
    assert [visit.state for visit in Visit.objects.all()] == ["cancelled"]


def test_a_new_nomination_puts_no_older_address_over_a_corrected_one(place: County) -> None:
    [case] = builders.applied(place)
    applications.advance([case], "withdraw", by=place.liaison, at=START, note="不办了")
    resident = case.resident
    said = Correction(
        case, Contact("13900000001", "新村二组"), Contact(resident.telephone, resident.address)
    )
    again = builders.nomination(place, id_number=resident.id_number, address="", telephone="")
    meanwhile(
        lambda: correct_contacts([said], by=place.administrator, at=START),
        lambda: applications.nominate([again], by=place.liaison, at=START),
    )
    now = Resident.objects.get(pk=resident.pk)
    assert (now.address, now.telephone) == ("新村二组", "13900000001")


def test_no_notice_of_an_evaluation_over_which_another_one_is_taken_in(place: County) -> None:
    [made] = builders.evaluated(place)
    evaluations.give_second_opinion([made], by=builders.second_assessor(place), at=AFTERNOON)
    visit = made.visit
    assert visit is not None

    def admit() -> None:
        held = type(visit).objects.select_related("application").get(pk=visit.pk)
        said = builders.submission(place, held)
        evaluations.submit([said], by=place.assessor, at=AFTERNOON, admitted_by=place.administrator)

    case = Application.objects.get(pk=made.application_id)
    code = second_of(
        admit, lambda: publicity.post_notices([case], by=place.administrator, at=AFTERNOON)
    )
    assert (code, Notice.objects.count()) == ("awaiting-media", 0)


def test_of_two_who_give_the_same_cases_away_the_second_is_told(place: County) -> None:
    [case] = builders.accepted(place)
    third = builders.second_assessor(place)

    def give(to: User, read: Application) -> None:
        applications.assign([read], to, by=place.administrator, at=START)

    late = Application.objects.get(pk=case.pk)
    first = lambda: give(place.colleague, Application.objects.get(pk=case.pk))  # noqa: E731
    assert second_of(first, lambda: give(third, late)) == "assigned-meanwhile"
    assert Application.objects.get(pk=case.pk).assessor == place.colleague


def test_a_name_to_sign_in_is_given_once(place: County) -> None:
    duty = accounts.Duty(Role.LIAISON, place.village)

    def open_one() -> None:
        accounts.open_account("newcomer", "新来的", duty, by=place.administrator, at=START)

    assert second_of(open_one, open_one) == "username-taken"
    assert User.objects.filter(username="newcomer").count() == 1


def test_a_name_at_a_counter_is_given_once(place: County) -> None:
    office = place.administrator
    outlet = outlets.open_outlet("服务点", OutletKind.BANK, place.township, by=office, at=START)

    def open_one() -> None:
        outlets.open_account(outlet, "counter", "前台", by=office, at=START)

    assert second_of(open_one, open_one) == "username-taken"


def test_a_team_is_added_once(place: County) -> None:
    campaign = hills(place, 1).campaign
    crew = a_crew(place)

    def add() -> None:
        campaigns.add_team(campaign, crew, by=place.administrator, at=START)

    assert second_of(add, add) == "team-exists"


def a_crew(place: County) -> campaigns.Crew:
    second = builders.second_assessor(place)
    return campaigns.Crew("东线", [Assessor.objects.get(user=second)], "县城", 30.8, 106.09)


def test_a_version_of_the_tariff_is_withdrawn_once(place: County) -> None:
    known = tariff_for(place.county.code, START.date(), shipped_tariffs())
    figures = {name: (one.value, one.source, one.assumed) for name, one in known.parameters.items()}
    prices = tariffs.draw_up(place.county.code, VISIT_ON, figures)
    tariffs.take_in(prices, by=place.administrator, at=START)

    def withdraw() -> None:
        tariffs.withdraw(prices.code, by=place.administrator, at=START)

    assert second_of(withdraw, withdraw) == "tariff-withdrawn"


def test_of_an_appeal_that_is_taken_back_and_decided_the_first_counts(
    place: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who decided held the appeal before its case, and each waited for the other."""
    [case] = builders.accepted(place)
    applications.move_on([case], "find_not_met", by=place.assessor, at=AFTERNOON)
    publicity.appeal(case, text="不服", by=place.liaison, at=AFTERNOON)
    codes: list[str] = []
    halfway(
        monkeypatch,
        (publicity, "advance"),
        lambda: publicity.withdraw_appeal(case, note="撤回", by=place.liaison, at=AFTERNOON),
        lambda: codes.append(
            refusal(
                lambda: publicity.decide_appeal(
                    case, upheld=True, note="成立", by=place.administrator, at=AFTERNOON
                )
            )
        ),
    )
    case.refresh_from_db()
    assert (codes, case.state) == (["wrong-state"], "not_met")
    assert [one.is_upheld for one in case.appeals.all()] == [None]
