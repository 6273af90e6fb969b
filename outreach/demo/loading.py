"""Put the demo county's map, staff and rules into the register; people come by nomination."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from outreach.demo.county import County
from outreach.demo.places import COUNTY_CODE, DemoDivision
from outreach.demo.script import PlannedVisit, team_costs
from outreach.demo.staff import DemoUser
from outreach.domain.vocabulary import Level
from outreach.models import (
    Assessor,
    DeclaredRelative,
    Division,
    Institution,
    OutreachCost,
    Resident,
    User,
)

ORDER = [Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE]


def password_of(username: str) -> str:
    """Return the demo password of an account, which is no secret."""
    return f"{username}-2018"


@transaction.atomic
def load(county: County, script: tuple[PlannedVisit, ...]) -> None:
    """Enter divisions, institutions, accounts and the costs of the campaign, once."""
    divisions: dict[str, Division] = {}
    for place in sorted(county.divisions, key=lambda one: ORDER.index(one.level)):
        divisions[place.code] = _division(place, divisions)
    for one in county.institutions:
        Institution.objects.get_or_create(
            name=one.name,
            defaults={
                "designated_from": one.designated_from,
                "categories": [str(category) for category in one.categories],
            },
        )
    for user in county.users:
        _user(user, divisions)
    OutreachCost.objects.bulk_create(
        [
            OutreachCost(
                place=COUNTY_CODE,
                on=cost.on,
                team=cost.team,
                what=cost.what,
                amount_fen=cost.amount_fen,
                source=cost.source,
            )
            for cost in team_costs(script)
        ],
        ignore_conflicts=True,
    )


def _division(place: DemoDivision, known: dict[str, Division]) -> Division:
    made, _ = Division.objects.get_or_create(
        code=place.code,
        valid_from=place.valid_from,
        defaults={
            "name": place.name,
            "level": place.level,
            "parent": known.get(place.parent_code or ""),
            "valid_to": place.valid_to,
            "source": place.source,
            "name_is_invented": place.name_is_invented,
            "latitude": place.latitude,
            "longitude": place.longitude,
        },
    )
    return made


def _user(user: DemoUser, divisions: dict[str, Division]) -> None:
    if User.objects.filter(username=user.username).exists():
        return
    made = User.objects.create_user(
        user.username,
        password_of(user.username),
        full_name=user.full_name,
        role=user.role,
        division=divisions[user.division_code],
        telephone=user.telephone,
    )
    if user.institution:
        Assessor.objects.create(
            user=made,
            institution=Institution.objects.get(name=user.institution),
            categories=[str(category) for category in user.categories],
        )


def declare_relatives(county: County, at: datetime) -> None:
    """Enter the relatives that members of staff declared, once the persons are nominated."""
    for relation in county.relations:
        [person] = [one for one in county.residents if one.key == relation.resident]
        resident = Resident.objects.with_id_number(person.id_number).get()
        DeclaredRelative.objects.get_or_create(
            user=User.objects.get(username=relation.username),
            resident=resident,
            defaults={"declared_at": at},
        )
