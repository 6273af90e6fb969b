"""A province's register with years behind it, written by PostgreSQL itself in a few minutes.

One case is led from nomination to paper through the real actions; its rows are the models that
`generate_series` copies under fresh keys, dates, places and states. People are sealed one by one,
since lists open their columns; what no list opens keeps the sealed body of the model. Foreign keys
are not checked meanwhile, which only the owner of a database may ask for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, models
from stdnum.iso7064 import mod_11_2

from benchmarks import register
from certificates.models import Certificate, CertificateEvent, CertificateFile
from mobile_api.models import LedgerEntry
from outreach.domain.vocabulary import Level, Role
from outreach.models import (
    ApplicationEvent,
    Assessor,
    AuditEvent,
    Counter,
    Division,
    Institution,
    Journey,
    Notice,
    Photo,
    Resident,
    StoredBlob,
    User,
    Visit,
    VisitEvent,
)
from outreach.models.sealed import blind_index
from tests import builders
from tests.builders import START, VISIT_ON

TOWNSHIPS, VILLAGES, DOCTORS = 30, 10, 10
#: Cases written by one statement.
SLICE = 50_000
#: Visits of each case; all but the last met nobody.
VISITS = 5
#: Days from the first case to the last.
SPAN = 3_500
#: One case in so many is still open, the youngest ones.
OPEN = 33
#: Where open cases stand, as many at each step.
STANDING = (
    *("nominated", "applied", "returned", "accepted", "accepted", "accepted", "evaluated"),
    *("on_notice", "on_notice", "noticed", "reviewed", "issued"),
)
UNASSIGNED, SCHEDULED, NOTICE_OVER = 3, 5, 8
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂淑华建国玉梅守田德贵福清"

DEEDS = "(ARRAY['apply', 'accept', 'assign', 'evaluate', 'review'])[k + 1]"
PEOPLE = (
    *("liaison", "other_liaison", "assessor", "colleague", "administrator", "approver", "auditor"),
)

_KEY = "('00' || lpad(to_hex({}), 30, '0'))::uuid"
_CASE = _KEY.format("n")
_STEP = f"(n % {len(STANDING)})"


@dataclass(frozen=True)
class Size:
    """How large the register is."""

    residents: int
    counties: int


def write(size: Size, place: builders.County, model: Certificate) -> Iterator[tuple[str, int]]:
    """Write the history after the pattern of one issued case; yield each table and its rows."""
    _people_and_places(size, place)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        _lay_out(cursor)
        yield "residents", _residents(cursor, size)
        for name, statement in _statements(size, place, model):
            rows, began = 0, time.perf_counter()
            for first in range(1, size.residents + 1, SLICE):
                last = min(first + SLICE - 1, size.residents)
                cursor.execute(statement.replace(":first", str(first)).replace(":last", str(last)))
                rows += cursor.rowcount
            yield f"{name} ({time.perf_counter() - began:.0f} s)", rows
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("RESET synchronous_commit")
        Counter.objects.update_or_create(name="trail", defaults={"value": size.residents * 5})
        cursor.execute("VACUUM ANALYZE")


def small_county() -> builders.County:
    """Return the people of the small county in a register that was kept."""
    places = {row.code: row for row in Division.objects.filter(code__startswith="511302")}
    theirs = User.objects.filter(username__in=PEOPLE).select_related("division")
    people = {row.username: row for row in theirs}
    return builders.County(
        county=places["511302"],
        township=places["511302201"],
        village=places["511302201201"],
        other_village=places["511302202201"],
        **{name: people[name] for name in PEOPLE},
    )


def bytes_held() -> int:
    """Return how large the database is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


# -- places and people -------------------------------------------------------------------


def _people_and_places(size: Size, place: builders.County) -> None:
    hospital = Institution.objects.get()
    for number in range(size.counties):
        code = str(int(place.county.code) + number)
        county = builders.division(code, f"第{number + 1}县", Level.COUNTY)
        towns = _below(county, 201, TOWNSHIPS, "乡", Level.TOWNSHIP)
        for town in towns:
            _below(town, 201, VILLAGES, "村", Level.VILLAGE)
        _accounts(county, towns, hospital)


def _below(above: Division, first: int, count: int, kind: str, level: Level) -> list[Division]:
    return [
        builders.division(
            f"{above.code}{first + n}", f"{above.name[:3]}{n + 1}{kind}", level, above
        )
        for n in range(count)
    ]


def _accounts(county: Division, towns: Sequence[Division], hospital: Institution) -> None:
    def made(name: str, role: Role, area: Division) -> User:
        return User(
            username=f"{name}-{county.code}-{area.code}",
            full_name=name,
            role=role,
            division=area,
            password=register.UNUSABLE,
        )

    office = (Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR)
    User.objects.bulk_create(made(role.value, role, county) for role in office)
    User.objects.bulk_create(made("liaison", Role.LIAISON, town) for town in towns)
    doctors = User.objects.bulk_create(
        made(f"doctor{n}", Role.ASSESSOR, county) for n in range(DOCTORS)
    )
    Assessor.objects.bulk_create(
        Assessor(user=one, institution=hospital, categories=["physical", "hearing"])
        for one in doctors
    )


def _lay_out(cursor: Any) -> None:
    """Number the villages, each with who works there."""
    cursor.execute(
        """
        CREATE TEMPORARY TABLE places AS
        SELECT row_number() OVER (ORDER BY v.code) - 1 AS i, v.id AS village, v.code AS code,
               v.name AS name, t.name AS township,
               (SELECT id FROM outreach_user WHERE role = 'liaison' AND division_id = t.id
                LIMIT 1) AS liaison,
               (SELECT id FROM outreach_user WHERE role = 'administrator' AND division_id =
                t.parent_id ORDER BY username DESC LIMIT 1) AS office,
               (SELECT id FROM outreach_user WHERE role = 'approver' AND division_id =
                t.parent_id ORDER BY username DESC LIMIT 1) AS approver,
               (SELECT array_agg(id ORDER BY username) FROM outreach_user WHERE role = 'assessor'
                AND division_id = t.parent_id AND username LIKE 'doctor%') AS doctors
        FROM outreach_division v JOIN outreach_division t ON t.id = v.parent_id
        WHERE v.level = 'village' AND EXISTS (
            SELECT 1 FROM outreach_user WHERE role = 'liaison' AND division_id = t.id)
        """
    )
    cursor.execute("CREATE INDEX ON places (i)")
    cursor.execute("ANALYZE places")


def _residents(cursor: Any, size: Size) -> int:
    """Seal and copy everybody: the columns that lists open are sealed for their own row."""
    cursor.execute("SELECT village, code FROM places ORDER BY i")
    villages = cursor.fetchall()
    fields = {field.attname: field for field in Resident._meta.concrete_fields}
    names = [
        *("id", "name", "id_number", "id_number_index", "village_id", "address", "telephone"),
        *("ethnicity", "is_bedridden", "can_sit", "is_poor_household", "created_at"),
    ]
    listed = ", ".join(fields[name].column for name in names)
    with cursor.copy(f"COPY outreach_resident ({listed}) FROM STDIN") as sink:
        for first in range(1, size.residents + 1, SLICE):
            numbers = range(first, min(first + SLICE, size.residents + 1))
            keys = [f"00{n:030x}" for n in numbers]
            said = [_person(n, *villages[n % len(villages)]) for n in numbers]
            dashed = [f"{k[:8]}-{k[8:12]}-{k[12:16]}-{k[16:20]}-{k[20:]}" for k in keys]
            sealed = {
                name: fields[name].seal_all([one[name] for one in said], dashed)  # type: ignore[attr-defined]
                for name in ("id_number", "address", "telephone", "ethnicity")
            }
            for at, one in enumerate(said):
                row = one | {"id": dashed[at]} | {name: body[at] for name, body in sealed.items()}
                sink.write_row([row[name] for name in names])
    return size.residents


def _person(number: int, village: int, code: str) -> dict[str, Any]:
    born = date(1930, 1, 1) + timedelta(days=number * 37 % 29_000)
    base = f"{code[:6]}{born:%Y%m%d}{number % 999 + 1:03d}"
    id_number = base + mod_11_2.calc_check_digit(base)
    given = GIVEN[number // 41 % len(GIVEN)] + GIVEN[number // 1_517 % len(GIVEN)]
    return {
        "name": SURNAMES[number % len(SURNAMES)] + given,
        "id_number": id_number,
        "id_number_index": blind_index(f"{id_number}/{number}", "id_number"),
        "village_id": village,
        "address": f"{number % 9 + 1}组{number % 211 + 1}号",
        "telephone": f"139{number % 10**8:08d}",
        "ethnicity": "汉族",
        "is_bedridden": number % 3 == 0,
        "can_sit": number % 6 != 0,
        "is_poor_household": number % 4 == 0,
        "created_at": START,
    }


# -- what happened to them ---------------------------------------------------------------


def _statements(
    size: Size, place: builders.County, model: Certificate
) -> Iterator[tuple[str, str]]:
    """Yield what copies the model's rows, table by table."""
    how = _How(size)
    case, evaluation = model.application, model.evaluation
    began, ended = how.began, f"{how.began} + interval '60 days'"
    doctor = "p.doctors[1 + n % array_length(p.doctors, 1)]"
    state = how.state
    yield (
        "applications",
        how.copy(
            case,
            id=_CASE,
            number="substr(to_char(n, 'FM00000000000000000000'), 1, 20)",
            resident_id=_CASE,
            village_id="p.village",
            state=state,
            state_since=f"CASE WHEN {how.old} THEN {ended} ELSE {how.recent} END",
            nominated_by_id="p.liaison",
            assessor_id=f"CASE WHEN {how.stands(0, 1, 2, UNASSIGNED)} THEN NULL ELSE {doctor} END",
            created_at=began,
        ),
    )
    event = ApplicationEvent.objects.filter(application=case).order_by("pk")[0]
    yield (
        "events of cases",
        how.copy(
            event,
            repeat=6,
            id=_KEY.format("n * 8 + k"),
            application_id=_CASE,
            name=_one_of("nominate", "apply", "accept", "evaluate", "notice", "review"),
            target=_one_of("nominated", "applied", "accepted", "evaluated", "on_notice", "noticed"),
            by_id="p.liaison",
            at=f"{began} + k * interval '8 days'",
        ),
    )
    visit = Visit.objects.get(application=case)
    tried = f"k < {VISITS - 1} OR {how.stands(UNASSIGNED, UNASSIGNED + 1)}"
    last = f"CASE WHEN {how.stands(SCHEDULED)} THEN 'scheduled' ELSE 'done' END"
    on = f"({began})::date + k * 5"
    yield (
        "visits",
        how.copy(
            visit,
            repeat=VISITS,
            where=f"NOT ({how.stands(0, 1, 2)})",
            id=_KEY.format("n * 8 + k"),
            application_id=_CASE,
            state=f"CASE WHEN {tried} THEN 'not_done' ELSE {last} END",
            on=on,
            assessor_id=doctor,
            not_done_reason=f"CASE WHEN {tried} THEN 'absent' ELSE '' END",
            next_step=f"CASE WHEN {tried} THEN 'revisit' ELSE '' END",
        ),
    )
    step = VisitEvent.objects.filter(visit=visit).order_by("pk")[0]
    yield (
        "events of visits",
        how.copy(
            step,
            repeat=2 * VISITS,
            where=f"NOT ({how.stands(0, 1, 2)})",
            id=_KEY.format("n * 16 + k"),
            visit_id=_KEY.format("n * 8 + k / 2"),
            name="(ARRAY['schedule', 'miss'])[1 + k % 2]",
            target="(ARRAY['scheduled', 'not_done'])[1 + k % 2]",
            on=f"({began})::date + k / 2 * 5",
            by_id=doctor,
            at=f"{began} + k / 2 * interval '5 days'",
        ),
    )
    assessed = f"NOT ({how.stands(*range(SCHEDULED + 1))})"
    yield (
        "evaluations",
        how.copy(
            evaluation,
            where=assessed,
            id=_CASE,
            application_id=_CASE,
            visit_id=_KEY.format(f"n * 8 + {VISITS - 1}"),
            assessor_id=doctor,
            category="(ARRAY['physical', 'hearing', 'vision', 'mental'])[1 + n % 4]",
            met=f"{state} <> 'not_met'",
            grade="1 + n % 4",
            computed_grade="1 + n % 4",
            evaluated_at=f"{began} + interval '{5 * VISITS - 5} days'",
            received_at=f"{began} + interval '{5 * VISITS - 5} days'",
        ),
    )
    photo = Photo.objects.filter(evaluation=evaluation).order_by("pk")[0]
    sha256 = "encode(sha256((n || '-' || k)::bytea), 'hex')"
    yield (
        "photos",
        how.copy(
            photo,
            repeat=2,
            where=assessed,
            id=_KEY.format("n * 8 + k"),
            evaluation_id=_CASE,
            sha256=sha256,
            kind=_one_of("portrait", "whole_body"),
        ),
    )
    blob = StoredBlob.objects.get(pk=photo.sha256)
    yield "stored photos", how.copy(blob, repeat=2, where=assessed, sha256=sha256)
    journey = Journey.objects.get(evaluation=evaluation)
    yield (
        "journeys",
        how.copy(
            journey,
            where=assessed,
            id=_CASE,
            evaluation_id=_CASE,
            on=f"({began})::date + {5 * VISITS - 5}",
            village_code="p.code",
            village_name="p.name",
            township_name="p.township",
            distance_km="3 + (n % 9973) / 173.0",
            is_bedridden="n % 3 = 0",
            can_sit="n % 6 <> 0",
            category="(ARRAY['physical', 'hearing', 'vision', 'mental'])[1 + n % 4]",
        ),
    )
    notice = Notice.objects.get(application=case)
    hangs = how.stands(NOTICE_OVER - 1, NOTICE_OVER)
    over = f"date '{VISIT_ON}' + CASE WHEN {how.stands(NOTICE_OVER)} THEN -2 ELSE 3 END"
    yield (
        "notices",
        how.copy(
            notice,
            where=f"NOT ({how.stands(*range(SCHEDULED + 2))})",
            id=_CASE,
            application_id=_CASE,
            evaluation_id=_CASE,
            posted_on=f"CASE WHEN {hangs} THEN date '{VISIT_ON}' - 4 ELSE ({began})::date + 30 END",
            ends_on=f"CASE WHEN {hangs} THEN {over} ELSE ({began})::date + 37 END",
            posted_by_id="p.office",
            taken_down_on=f"CASE WHEN {hangs} THEN NULL ELSE ({began})::date + 38 END",
        ),
    )
    issued = f"{state} IN ('issued', 'handed_over')"
    yield (
        "certificates",
        how.copy(
            model,
            where=issued,
            id=_CASE,
            resident_id=_CASE,
            application_id=_CASE,
            evaluation_id=_CASE,
            number_index="md5(n::text)",
            grade="1 + n % 4",
            category="(ARRAY['physical', 'hearing', 'vision', 'mental'])[1 + n % 4]",
            issued_on=f"({ended})::date",
            issued_at=ended,
            valid_until=f"(({ended})::date + interval '10 years')::date",
            issued_by_id="p.approver",
            handed_over_at=f"CASE WHEN {state} = 'issued' THEN NULL ELSE {ended} END",
        ),
    )
    yield (
        "events of certificates",
        how.copy(
            CertificateEvent.objects.filter(certificate=model).order_by("pk")[0],
            repeat=2,
            where=issued,
            id=_KEY.format("n * 8 + k"),
            certificate_id=_CASE,
            name=_one_of("issue", "hand_over"),
            by_id="p.approver",
            at=ended,
        ),
    )
    yield (
        "papers",
        how.copy(
            CertificateFile.objects.get(certificate=model),
            where=issued,
            id=_CASE,
            certificate_id=_CASE,
            sha256="encode(sha256(n::text::bytea), 'hex')",
            path="n::text",
            made_at=ended,
        ),
    )
    yield (
        "mutations",
        how.copy(
            _mutation(place),
            where=assessed,
            id=_CASE,
            seq="n + 1000",
            mutation_id=_CASE,
            received_at=f"{began} + interval '{5 * VISITS - 5} days'",
        ),
    )
    yield (
        "audit events",
        how.copy(
            AuditEvent.objects.filter(subject="application").order_by("pk")[0],
            repeat=5,
            id=_KEY.format("n * 8 + k"),
            at=f"{began} + k * interval '8 days'",
            by_id="p.office",
            action="'application.' || "
            + _one_of("apply", "accept", "assign", "evaluate", "review"),
            subject_id=_CASE,
            number="(n - 1) * 5 + k + 1",
            division_code="p.code",
            digest="md5(n::text) || md5(k::text)",
        ),
    )


def _one_of(*words: str) -> str:
    """Return the expression for the k-th of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"(ARRAY[{listed}])[k + 1]"


def _mutation(place: builders.County) -> LedgerEntry:
    """Return an entry of the ledger with a whole evaluation in it, on a tablet of its own."""
    [player] = register.players(place, 1, 1)
    return LedgerEntry.objects.create(
        replica_id=player.tablet.state.replica,
        seq=1,
        mutation_id=player.visits[0].pk,
        name="submit_evaluation",
        version=1,
        chain="0" * 64,
        said_at=START.isoformat(),
        args=register.evaluation(player, player.visits[0]),
        signature="",
        outcome="applied",
        received_at=START,
    )


class _How:
    """Writes the statements: which case has come how far, and what a copy changes."""

    def __init__(self, size: Size) -> None:
        self.open_from = size.residents - size.residents // OPEN
        self.old = f"n <= {self.open_from}"
        seconds = SPAN * 86_400 // size.residents or 1
        self.began = (
            f"(timestamptz '{START.isoformat()}'"
            f" - ({size.residents} - n) * interval '{seconds} seconds' - interval '70 days')"
        )
        self.recent = f"timestamptz '{START.isoformat()}' + (n % 14) * interval '1 day'"
        steps = "ARRAY[" + ", ".join(f"'{step}'" for step in STANDING) + "]"
        past = "CASE WHEN n % 10 = 0 THEN 'not_met' ELSE 'handed_over' END"
        self.state = f"CASE WHEN {self.old} THEN {past} ELSE ({steps})[1 + {_STEP}] END"

    def stands(self, *steps: int) -> str:
        """Return the condition that an open case stands at one of these steps."""
        return f"n > {self.open_from} AND {_STEP} IN ({', '.join(map(str, steps))})"

    def copy(
        self, row: models.Model, *, repeat: int = 1, where: str = "true", **changed: str
    ) -> str:
        """Return the statement that writes `repeat` copies of a row for each case of a slice."""
        meta = row._meta
        quote = connection.ops.quote_name
        columns = [field.column for field in meta.concrete_fields]
        unknown = set(changed) - set(columns)
        if unknown:
            raise LookupError(f"{meta.db_table} has no {sorted(unknown)}")
        values = ", ".join(changed.get(name, f"one.{quote(name)}") for name in columns)
        return (
            f"INSERT INTO {quote(meta.db_table)} ({', '.join(map(quote, columns))}) "
            f"SELECT {values} FROM generate_series(:first, :last) AS n "
            f"CROSS JOIN generate_series(0, {repeat - 1}) AS k "
            "JOIN places AS p ON p.i = n % (SELECT count(*) FROM places) "
            f"CROSS JOIN {quote(meta.db_table)} AS one "
            f"WHERE one.{quote(meta.pk.column)} = '{row.pk}' AND ({where})"
        )
