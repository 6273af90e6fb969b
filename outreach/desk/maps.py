"""A day on a map, drawn on the server: villages, the order of homes, and the way between.

A local plane is enough for a county: longitudes shrink by the cosine of the latitude. No tiles
are fetched, so no place leaves the house. The table beside says the same in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 640.0, 460.0, 46.0
KM_PER_DEGREE = 111.195
#: A day within one village would otherwise fill the map with metres.
SMALLEST_KM = 2.0
SCALES_KM = (0.5, 1, 2, 5, 10, 20, 50, 100)
#: Rough box of a label, in the map's units.
LETTER, LINE = 15.0, 20.0

Place = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """A numbered stop on the map, where its village is."""

    x: float
    y: float
    text: str
    title: str


@dataclass(frozen=True)
class Label:
    """A name beside a village."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True)
class Map:
    """Everything the template draws, in the units of its view box."""

    width: float
    height: float
    way: str
    base: tuple[float, float]
    dots: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]
    scale_km: float
    scale_width: float


@dataclass(frozen=True)
class Stay:
    """Consecutive homes in one village: one mark on the map."""

    place: Place
    name: str
    first: int
    last: int

    @property
    def text(self) -> str:
        """The numbers of its homes."""
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


class _Plane:
    """Projects places into the view box, north up."""

    def __init__(self, places: Sequence[Place]) -> None:
        latitudes, longitudes = zip(*places, strict=True)
        self.middle = (
            (min(latitudes) + max(latitudes)) / 2,
            (min(longitudes) + max(longitudes)) / 2,
        )
        self.shrink = math.cos(math.radians(self.middle[0]))
        high = max((max(latitudes) - min(latitudes)) * KM_PER_DEGREE, SMALLEST_KM)
        wide = (max(longitudes) - min(longitudes)) * KM_PER_DEGREE * self.shrink
        wide = max(wide, SMALLEST_KM)
        self.per_km = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)

    def __call__(self, place: Place) -> tuple[float, float]:
        north = (place[0] - self.middle[0]) * KM_PER_DEGREE
        east = (place[1] - self.middle[1]) * KM_PER_DEGREE * self.shrink
        return (
            round(WIDTH / 2 + east * self.per_km, 1),
            round(HEIGHT / 2 - north * self.per_km, 1),
        )


def draw(base: Place, base_name: str, stays: Sequence[Stay], others: Iterable[Place]) -> Map:
    """Draw a day: from the base through the stays in order and back, other villages as dots."""
    plane = _Plane([base, *(stay.place for stay in stays)])
    points = [plane(stay.place) for stay in stays]
    home = plane(base)
    path = [home, *points, home] if points else []
    way = " ".join(f"{x},{y}" for x, y in path)
    inside = (plane(place) for place in others)
    dots = tuple((x, y) for x, y in inside if 6 < x < WIDTH - 6 and 6 < y < HEIGHT - 6)
    kilometres = max((km for km in SCALES_KM if km * plane.per_km <= WIDTH / 3), default=0.5)
    return Map(
        WIDTH,
        HEIGHT,
        way,
        home,
        dots,
        tuple(_marks(points, stays)),
        tuple(_labels([(home, base_name), *zip(points, (s.name for s in stays), strict=True)])),
        kilometres,
        round(kilometres * plane.per_km, 1),
    )


def _marks(points: Sequence[tuple[float, float]], stays: Sequence[Stay]) -> Iterable[Mark]:
    """Mark each village once, with all its numbers where the day comes back to it."""
    at: dict[tuple[float, float], list[Stay]] = {}
    for point, stay in zip(points, stays, strict=True):
        at.setdefault(point, []).append(stay)
    for (x, y), here in at.items():
        yield Mark(x, y, ",".join(stay.text for stay in here), here[0].name)


def _labels(named: Iterable[tuple[tuple[float, float], str]]) -> Iterable[Label]:
    """Write each name once, on the side where it meets no other name."""
    named = list(named)
    taken = [(x - 15, y - 15, x + 15, y + 15) for (x, y), _ in named]
    written: set[tuple[str, float, float]] = set()
    for (x, y), name in named:
        if (name, x, y) in written:
            continue
        written.add((name, x, y))
        wide = LETTER * len(name)
        sides = (
            Label(x + 20, y + 5, "start", name),
            Label(x - 20, y + 5, "end", name),
            Label(x, y - 22, "middle", name),
            Label(x, y + 34, "middle", name),
        )
        boxes = [_box(label, wide) for label in sides]
        own = (x - 15, y - 15, x + 15, y + 15)
        free = [
            index
            for index, box in enumerate(boxes)
            if box[0] >= 0
            and box[2] <= WIDTH
            and not any(meet(box, other) for other in taken if other != own)
        ]
        if free:
            taken.append(boxes[free[0]])
            yield sides[free[0]]


def _box(label: Label, wide: float) -> tuple[float, float, float, float]:
    left = {"start": label.x, "end": label.x - wide, "middle": label.x - wide / 2}[label.anchor]
    return left, label.y - LINE + 5, left + wide, label.y + 5


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Tell whether two boxes (left, top, right, bottom) overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
