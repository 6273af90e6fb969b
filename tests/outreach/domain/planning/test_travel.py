"""Legs by formula, against geopy and by the speed profile."""

from dataclasses import replace

import numpy as np
import pytest
from geopy.distance import geodesic
from hypothesis import given
from hypothesis import strategies as st

from outreach.domain.planning import Detour, MalformedProblem, Matrix, Problem, Travel, Visit
from outreach.domain.planning.travel import legs, road_metres, road_seconds
from tests.outreach.domain.planning.campaigns import campaign

county = st.tuples(st.floats(30.65, 30.95), st.floats(105.9, 106.25))


@given(here=county, there=county)
def test_a_county_is_measured_as_geopy_measures_it(here, there):
    metres = road_metres([here, there], 1.0)[0, 1]
    assert metres == pytest.approx(geodesic(here, there).m, rel=2e-6, abs=0.001)


@pytest.mark.parametrize(
    ("km", "seconds"),
    [
        (0, 0),
        (0.001, 180),
        (2.0, 400 + 180),
        (40.0, 400 + 3600 + 180),
        (1.0, 200 + 180),
    ],
)
def test_a_leg_lasts_as_the_speed_profile_says(km, seconds):
    assert road_seconds(np.array([km * 1000]), Travel()).tolist() == [seconds]


def test_identical_places_cost_nothing_and_near_ones_the_parking():
    problem = Problem(
        (Visit(1, 30.8, 106.0, 30), Visit(2, 30.8, 106.0, 30), Visit(3, 30.80001, 106.0, 30)), ()
    )
    assert legs(problem).seconds.tolist() == [[0, 0, 180], [0, 0, 180], [180, 180, 0]]


def test_a_matrix_of_a_map_service_replaces_the_formula():
    here, there = (30.8, 106.0), (30.9, 106.0)
    matrix = Matrix((there, here), ((0, 900), (1100, 0)), ((0, 90), (110, 0)))
    problem = Problem((Visit(1, *here, 30), Visit(2, *there, 30)), (), travel=Travel(matrix=matrix))
    measured = legs(problem)
    assert measured.metres.tolist() == [[0, 1100], [900, 0]]
    assert measured.seconds.tolist() == [[0, 110], [90, 0]]


def test_a_matrix_without_a_place_is_refused():
    problem = Problem((Visit(1, 30.8, 106, 30),), (), travel=Travel(matrix=Matrix((), (), ())))
    with pytest.raises(MalformedProblem, match=r"the travel matrix lacks the place \[30.8, 106\]"):
        legs(problem)


def test_a_detour_lengthens_every_leg_across_the_cut():
    problem = campaign(1, people=6)
    away = frozenset({0, 1})
    long = replace(problem, travel=Travel(detours=(Detour(away, 19),)))
    difference = legs(long).metres - legs(problem).metres
    inside = np.array([visit.id in away for visit in problem.visits] + [False])
    assert (difference == 19_000 * (inside[:, None] ^ inside[None, :])).all()
    later = legs(long).seconds - legs(problem).seconds
    assert (later == 1800 * (inside[:, None] ^ inside[None, :])).all()
