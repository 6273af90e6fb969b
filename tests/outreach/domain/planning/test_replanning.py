"""Mending a plan: nobody told moves, or few do; what is done stays done."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.planning import Cut, Disruption, Pin, Until, Visit, check, plan, replan
from outreach.domain.planning.draft import draft_of, moved, total_cost
from outreach.domain.planning.ground import OVERMOVED, ground
from outreach.domain.planning.replanning import appointments
from tests.outreach.domain.planning.campaigns import campaign

PROBLEM = campaign(11, people=40, teams=2, days=6)
PLAN = plan(PROBLEM, seed=1, stop=Until(rounds=3))
TOLD = appointments(PLAN)


def mended(happened: Disruption, rounds: int = 2):
    return replan(PROBLEM, PLAN, happened, seed=1, stop=Until(rounds=rounds))


def on_day(day: int) -> list[int]:
    return [visit for visit, told in TOLD.items() if told.day == day]


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_both_answers_keep_the_hard_rules_and_insert_only_moves_nobody(data):
    day = data.draw(st.integers(0, 4))
    later = [visit for visit, told in TOLD.items() if told.day >= day]
    absent = data.draw(st.frozensets(st.sampled_from(later), max_size=4))
    village = data.draw(st.sampled_from(sorted({visit.village for visit in PROBLEM.visits})))
    cut = frozenset(visit.id for visit in PROBLEM.visits if visit.village == village)
    lost = data.draw(st.sampled_from([route.key for route in PLAN.routes if route.day >= day]))
    both = mended(
        Disruption(
            day=day,
            minute=data.draw(st.sampled_from([0, 600, 760, 1000])),
            absent=absent,
            cut=(Cut(cut, frozenset({day, day + 1})),),
            lost=frozenset({lost}),
        )
    )
    for answer in (both.insert_only, both.repair):
        assert check(both.problem, answer.plan) == []
    assert both.insert_only.moved == 0
    assert not any(call.untouched for call in both.insert_only.calls)
    assert both.repair.untouched == both.insert_only.untouched
    done = {stop.visit for route in both.done for stop in route.stops}
    going_on = {visit.id for visit in both.problem.visits}
    assert done | going_on == {visit.id for visit in PROBLEM.visits}
    assert not done & going_on


def test_somebody_absent_gets_another_day_and_is_the_only_one_to_call():
    missing = on_day(2)[0]
    both = mended(Disruption(day=2, absent=frozenset({missing})))
    [call] = both.insert_only.calls
    assert (call.visit, call.before, call.untouched) == (missing, TOLD[missing], False)
    assert call.after is None or call.after.day > 2


def test_a_lost_team_day_is_told_to_everybody_on_it_and_to_nobody_else():
    lost = next(route for route in PLAN.routes if route.day == 3)
    both = mended(Disruption(day=2, lost=frozenset({lost.key})))
    concerned = {stop.visit for stop in lost.stops}
    assert {call.visit for call in both.insert_only.calls} <= concerned
    assert lost.key not in {route.key for route in both.repair.plan.routes}


def test_a_cut_village_is_not_visited_while_the_road_is_closed():
    visit = on_day(3)[0]
    both = mended(Disruption(day=2, cut=(Cut(frozenset({visit}), frozenset({2, 3})),)))
    for answer in (both.insert_only, both.repair):
        told = appointments(answer.plan).get(visit)
        assert told is None or told.day > 3


def test_a_sick_doctor_takes_the_specialty_out_of_the_day():
    route = next(route for route in PLAN.routes if route.day == 2)
    both = mended(Disruption(day=2, without={route.key: frozenset({"ortho"})}))
    skills = {visit.id: visit.skills for visit in PROBLEM.visits}
    for answer in (both.insert_only, both.repair):
        for each in answer.plan.routes:
            if each.key == route.key:
                assert not any("ortho" in skills[stop.visit] for stop in each.stops)


def test_during_the_day_what_has_begun_is_done_and_the_team_goes_on_from_there():
    route = max(PLAN.routes, key=lambda each: len(each.stops))
    minute = route.stops[1].start + 1
    both = mended(Disruption(day=route.day, minute=minute))
    done = next(each for each in both.done if each.key == route.key)
    assert done.stops == route.stops[:2]
    shift = next(each for each in both.problem.shifts if each.key == route.key)
    last = next(visit for visit in PROBLEM.visits if visit.id == route.stops[1].visit)
    assert (shift.base, shift.start) == (last.place, max(route.stops[1].end, minute))


def test_a_new_request_during_the_campaign_finds_its_place():
    new = Visit("new", 30.85, 106.1, 20, frozenset({"ortho"}), deadline=5)
    both = mended(Disruption(day=1, new=(new,)))
    assert "new" in appointments(both.insert_only.plan)
    [call] = both.insert_only.calls
    assert (call.visit, call.before) == ("new", None)


def test_a_dear_move_moves_fewer():
    lost = frozenset(route.key for route in PLAN.routes if route.day == 2)
    happened = Disruption(day=2, lost=lost)

    def moved(price: float) -> int:
        priced = replace(PROBLEM, prices=replace(PROBLEM.prices, moved=price))
        both = replan(priced, PLAN, happened, seed=1, stop=Until(rounds=3), keeping=0)
        return both.repair.moved

    assert moved(1000) == 0 < moved(0)


def test_whom_a_plan_leaves_out_counts_as_moved():
    field = ground(PROBLEM, told={visit: each.day for visit, each in TOLD.items()}, moves=1)
    draft = draft_of(field, PLAN)
    first = next(n for n, stops in enumerate(draft.routes) if len(stops) > 2)
    fewer = draft.changed({first: draft.routes[first][:1]})
    gone = len(draft.routes[first]) - 1
    assert (moved(field, draft.routes), moved(field, fewer.routes)) == (0, gone)
    unbounded = replace(field, moves=gone)
    beyond = total_cost(field, fewer) - total_cost(unbounded, fewer)
    assert beyond == OVERMOVED * (gone - 1)


def test_reasons_say_that_a_promise_cannot_be_kept():
    visit = on_day(1)[0]
    lost = frozenset(route.key for route in PLAN.routes if route.day == 1)
    left = replace(
        PROBLEM, shifts=tuple(shift for shift in PROBLEM.shifts if shift.key not in lost)
    )
    again = plan(left, seed=1, stop=Until(rounds=0), pinned={visit: Pin(1)})
    [reason] = [each.reason for each in again.unassigned if each.visit == visit]
    assert (reason.code, reason.data) == ("pin_broken", {"day": 1})
