import re
from collections import Counter
from datetime import date

import pytest

from outreach.demo.county import SEED, County, DemoResident, demo_county
from outreach.demo.fates import Decision, Ending
from outreach.demo.names import RARE
from outreach.demo.places import FIRST_STOP
from outreach.domain.grading import Case, grade, load_standard
from outreach.domain.identity import normalise_name, normalise_telephone, parse_id_number
from outreach.domain.vocabulary import (
    GUARDED_CATEGORIES,
    Category,
    Level,
    NextStep,
    NotDone,
    Paper,
    Role,
    Sex,
)

CAMPAIGN = (date(2018, 6, 1), date(2018, 7, 2))
NAMED = {
    "芦溪", "李家", "灯台", "大林", "金台", "搬罾", "双桥", "共兴", "渔溪", "新复",
}  # fmt: skip

STANDARD = load_standard()


@pytest.fixture(scope="module")
def county() -> County:
    return demo_county()


def the_man(county: County) -> DemoResident:
    return county.residents[0]


def test_is_the_same_county_for_the_same_seed(county: County) -> None:
    demo_county.cache_clear()
    again = demo_county(SEED)
    assert again == county
    assert [one.id_number for one in again.residents] == [one.id_number for one in county.residents]


def test_is_another_county_for_another_seed(county: County) -> None:
    assert demo_county(1).residents != county.residents


def test_has_29_townships_ten_of_them_known(county: County) -> None:
    townships = [one for one in county.divisions if one.level == Level.TOWNSHIP]
    known = {re.sub("[乡镇]$", "", one.name) for one in townships if not one.name_is_invented}
    assert (len(townships), known) == (29, NAMED)


def test_eleven_townships_end_in_october_2019(county: County) -> None:
    gone = {one.name: one for one in county.divisions if one.valid_to and len(one.code) == 9}
    ends = {(one.valid_to.year, one.valid_to.month) for one in gone.values() if one.valid_to}
    assert (len(gone), ends, "灯台乡" in gone) == (11, {(2019, 10)}, True)


def test_villages_have_codes_places_and_dates_of_their_townships(county: County) -> None:
    villages = [one for one in county.divisions if one.level == Level.VILLAGE]
    for village in villages:
        township = county.by_code[village.parent_code or ""]
        assert re.fullmatch(r"511302\d{6}", village.code)
        assert village.code[:9] == township.code
        assert village.valid_to == township.valid_to
        assert abs(village.latitude - township.latitude) <= 0.018
        assert abs(village.longitude - township.longitude) <= 0.018
    per_township = Counter(one.parent_code for one in villages)
    assert (min(per_township.values()), max(per_township.values())) == (3, 6)


def test_codes_and_village_names_are_unique(county: County) -> None:
    assert len(county.by_code) == len(county.divisions)
    assert len({one.name for one in county.divisions}) == len(county.divisions)


def test_only_the_known_village_has_a_name_that_is_not_invented(county: County) -> None:
    known = [
        (county.by_code[one.parent_code or ""].name, one.name)
        for one in county.divisions
        if one.level == Level.VILLAGE and not one.name_is_invented
    ]
    assert known == [FIRST_STOP]


def test_600_are_nominated_200_in_each_teams_area(county: County) -> None:
    assert Counter(one.team for one in county.residents) == {"A": 200, "B": 200, "C": 200}
    for team in county.teams:
        lives = {one.township_code for one in county.residents if one.team == team.code}
        assert lives == set(team.townships)


def test_every_id_number_is_valid_unique_and_tells_birth_and_sex(county: County) -> None:
    numbers = [one.id_number for one in county.residents]
    assert len(set(numbers)) == 600
    for one in county.residents:
        parsed = parse_id_number(one.id_number)
        told = (parsed.value, parsed.birth_on, parsed.sex, one.id_number[:6])
        assert told == (one.id_number, one.birth_on, one.sex, "511302")


def test_names_and_telephones_are_as_the_register_keeps_them(county: County) -> None:
    people = [*county.residents, *(one.guardian for one in county.residents if one.guardian)]
    for one in people:
        assert normalise_name(one.name) == one.name
        assert normalise_telephone(one.telephone) == one.telephone
    telephones = [one.telephone for one in [*people, *county.users]]
    assert len(set(telephones)) == len(telephones)
    assert len({one.name for one in county.residents}) == 600


def test_some_names_have_rare_characters_or_the_dot(county: County) -> None:
    names = "".join(one.name for one in county.residents)
    assert {character for character in RARE if character in names} == set(RARE)
    assert names.count("·") == 3


def test_one_man_of_88_lies_in_bed_at_the_first_stop(county: County) -> None:
    man = the_man(county)
    village = county.by_code[man.village_code]
    township = county.by_code[man.township_code]
    assert (township.name, village.name) == FIRST_STOP
    assert (man.sex, man.age(CAMPAIGN[0]), man.is_bedridden, man.can_sit) == (
        Sex.MALE,
        88,
        True,
        False,
    )
    assert (man.categories, man.grade) == ((Category.PHYSICAL,), 1)
    assert "卧床三年" in man.diagnosis


def test_nobody_else_is_like_him(county: County) -> None:
    like_him = [
        one
        for one in county.residents
        if "卧床三年" in one.diagnosis or one.name == the_man(county).name
    ]
    assert like_him == [the_man(county)]


@pytest.mark.parametrize("on", CAMPAIGN)
def test_findings_give_the_grade_or_the_doctor_writes_a_reason(county: County, on: date) -> None:
    differing = []
    for one in county.residents:
        for found in one.found:
            case = Case(found.category, one.age(on), findings=found.findings)
            if grade(case, STANDARD).grade != found.grade:
                differing.append(found.reason)
            else:
                assert found.reason == ""
    assert (len(differing), all(differing)) == (5, True)


def test_several_categories_give_the_most_severe_grade(county: County) -> None:
    several = [one for one in county.residents if len(one.found) > 1]
    for one in several:
        parts = tuple(
            Case(found.category, one.age(CAMPAIGN[0]), findings=found.findings)
            for found in one.found
        )
        whole = Case(Category.MULTIPLE, one.age(CAMPAIGN[0]), parts=parts)
        assert grade(whole, STANDARD).grade == one.grade
    assert len(several) > 30


def test_all_seven_categories_occur_mostly_physical(county: County) -> None:
    counts = Counter(
        Category.MULTIPLE if len(one.categories) > 1 else one.categories[0]
        for one in county.residents
    )
    assert set(counts) == set(Category)
    assert counts.most_common(1)[0][0] == Category.PHYSICAL
    assert counts[Category.PHYSICAL] > 300


def test_a_guardian_is_named_exactly_where_one_is_needed(county: County) -> None:
    for one in county.residents:
        needed = one.age(CAMPAIGN[0]) < 18 or bool(GUARDED_CATEGORIES & set(one.categories))
        assert (one.guardian is not None) == needed
        assert needed or Paper.GUARDIAN_PROOF not in one.papers


def test_children_keep_their_age_during_the_campaign(county: County) -> None:
    children = [one for one in county.residents if one.age(CAMPAIGN[0]) < 19]
    assert [one.age(CAMPAIGN[0]) for one in children] == [one.age(CAMPAIGN[1]) for one in children]


def test_consent_is_the_guardians_where_there_is_one(county: County) -> None:
    for one in county.residents:
        if one.ending == Ending.NO_CONSENT:
            assert one.consent is None
        elif one.guardian:
            assert one.consent == {"by": "guardian", "name": one.guardian.name}
        else:
            assert one.consent == {"by": "resident", "name": one.name}


def test_some_papers_are_missing_at_first(county: County) -> None:
    incomplete = [one for one in county.residents if len(one.papers) < 3 + bool(one.guardian)]
    assert len(incomplete) == 12


def test_the_fates_are_dealt_in_exact_numbers(county: County) -> None:
    endings = Counter(one.ending for one in county.residents if one.ending)
    assert endings == {Ending.NO_CONSENT: 8, Ending.WITHDRAWN: 6, Ending.REFUSED: 4}
    reasons = Counter(one.obstacle.reason for one in county.residents if one.obstacle)
    assert reasons == {
        NotDone.ABSENT: 14,
        NotDone.REFUSED: 6,
        NotDone.IN_HOSPITAL: 8,
        NotDone.ROAD_CUT: 6,
        NotDone.WRONG_SPECIALTY: 4,
        NotDone.PAPERS_MISSING: 5,
        NotDone.GUARDIAN_ABSENT: 6,
    }
    assert Counter(one.objection for one in county.residents if one.objection) == {
        Decision.DISMISSED: 2,
        Decision.UPHELD: 1,
    }
    appeals = [one for one in county.residents if one.appeal]
    assert Counter(one.appeal for one in appeals) == {Decision.DISMISSED: 1, Decision.UPHELD: 1}
    assert {one.grade for one in appeals} == {None}


def test_only_adults_publicised_get_an_objection(county: County) -> None:
    objected = [one for one in county.residents if one.objection]
    assert all(one.grade and one.age(CAMPAIGN[0]) >= 18 for one in objected)


def test_a_guardian_can_only_be_absent_where_one_is_needed(county: County) -> None:
    absent = [
        one.guardian
        for one in county.residents
        if one.obstacle and one.obstacle.reason == NotDone.GUARDIAN_ABSENT
    ]
    assert None not in absent


def test_the_wrong_specialty_is_referred_and_found_nothing(county: County) -> None:
    wrong = [
        (one.team, one.found, one.obstacle.next_step)
        for one in county.residents
        if one.obstacle and one.obstacle.reason == NotDone.WRONG_SPECIALTY
    ]
    assert wrong == [("C", (), NextStep.REFER_HOSPITAL)] * 4


def test_every_team_has_a_qualified_assessor_for_each_of_its_cases(county: County) -> None:
    staff = {user.username: user for user in county.users}
    for team in county.teams:
        for one in county.residents:
            if one.team == team.code:
                assert any(set(one.categories) <= set(staff[a].categories) for a in team.assessors)


def test_there_are_accounts_for_every_role(county: County) -> None:
    assert Counter(user.role for user in county.users) == {
        Role.LIAISON: 29,
        Role.ASSESSOR: 9,
        Role.ADMINISTRATOR: 2,
        Role.APPROVER: 1,
        Role.AUDITOR: 1,
    }
    assert len({user.username for user in county.users}) == 42


def test_assessors_hold_only_categories_of_their_institution(county: County) -> None:
    designated = {one.name: set(one.categories) for one in county.institutions}
    for user in county.users:
        if user.role == Role.ASSESSOR:
            assert set(user.categories) <= designated[user.institution]


def test_a_resident_is_nominated_by_the_liaison_of_the_township(county: County) -> None:
    man = the_man(county)
    liaison = county.liaison_of(man)
    assert (liaison.role, liaison.division_code) == (Role.LIAISON, man.township_code)


def test_relatives_are_declared(county: County) -> None:
    declared = {one.username for one in county.relations}
    assert declared == {"assessor-a2", "assessor-c1", "administrator-2"}
    first = county.relations[0]
    resident = next(one for one in county.residents if one.key == first.resident)
    assert county.relatives_of(resident) == {"assessor-a2"}


def test_an_id_number_is_not_shown_when_printed(county: County) -> None:
    assert the_man(county).id_number not in repr(the_man(county))
