"""Each row of a nomination list becomes a nomination, or a list of everything wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import Guarding, Nomination, guarded_otherwise
from outreach.actions.importing.sheets import Row
from outreach.domain.identity import (
    MalformedIdNumber,
    MalformedName,
    MalformedTelephone,
    age_on,
    normalise_name,
    normalise_telephone,
    parse_id_number,
)
from outreach.domain.vocabulary import Category
from outreach.domain.workflow import OPEN_STATES
from outreach.models import Application, Division, Guardian, Resident, User
from outreach.models.sealed import blind_index
from outreach.rules import ADULT, NEGATIVE, NOT_BORN, Refused, check_not_barred, needs_guardian

#: The headings of the list, as the template has them.
NAME, ID_NUMBER, VILLAGE, CATEGORIES = "姓名", "身份证号", "村（社区）", "残疾类别"
TELEPHONE, ADDRESS, ILLNESS = "联系电话", "家庭住址", "已知病情"
BEDRIDDEN, POOR = "长期卧床", "建档困难户"
GUARDIAN, GUARDIAN_TELEPHONE, RELATION = "监护人", "监护人电话", "与监护人关系"
NEEDED = (NAME, ID_NUMBER, VILLAGE, CATEGORIES)
HEADINGS = (
    *NEEDED,
    *(TELEPHONE, ADDRESS, ILLNESS, BEDRIDDEN, POOR, GUARDIAN, GUARDIAN_TELEPHONE, RELATION),
)
CATEGORY_WORDS = {
    "视力": Category.VISION,
    "听力": Category.HEARING,
    "言语": Category.SPEECH,
    "肢体": Category.PHYSICAL,
    "智力": Category.INTELLECTUAL,
    "精神": Category.MENTAL,
}
YES, NO = {"是", "有", "1", "Y", "y"}, {"", "否", "无", "0", "N", "n"}
ID_FAULTS = {
    "length": _("An ID number has 18 characters."),
    "characters": _("An ID number is 17 digits and then a digit or X."),
    "birth_date": _("Characters 7 to 14 are no date of birth."),
    "check_digit": _("One of the characters is wrong: the check digit does not fit."),
}
#: What a spreadsheet has where a formula failed.
FAILED = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"}
#: How a spreadsheet shows a long number of which it kept the first digits only.
DIGITS_LOST = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """What is wrong: the row as the spreadsheet counts, the column's heading, the reason."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """The rows that can be taken in, as plain data, and the faults of the others."""

    rows: list[dict[str, Any]]
    faults: list[Fault]
    total: int


def check_rows(rows: Sequence[Row], *, by: User, on: date) -> Checked:
    """Check every row and change nothing: identity, village in scope, category, guardian, twins."""
    if missing := [head for head in NEEDED if rows and head not in rows[0][1]]:
        faults = [Fault(1, head, str(_("This column is missing."))) for head in missing]
        return Checked([], faults, len(rows))
    villages = _villages(by, on)
    indexes = _indexes(rows)
    held, barred, people = _held(indexes), _barred(indexes, on), _known(indexes)
    guardians = Guardian.objects.newest_of(known.pk for known in people.values())
    seen: dict[str, int] = {}
    good, faults = [], []
    for number, cells in rows:
        found = _Reader(number, cells, villages, on)
        made = found.nomination()
        identity = made["id_number"]
        index = blind_index(identity, "id_number") if identity else ""
        if identity and identity in seen:
            found.wrong(ID_NUMBER, _("The same person stands in row %d too.") % seen[identity])
        elif index in held:
            found.wrong(ID_NUMBER, _("This person has an open application already."))
        elif index in barred:
            found.wrong(ID_NUMBER, barred[index])
        elif known := people.get(index):
            found.compare(known, guardians.get(known.pk), made)
        seen.setdefault(identity, number)
        if found.faults:
            faults += found.faults
        else:
            good.append(made)
    return Checked(good, faults, len(rows))


def _villages(by: User, on: date) -> dict[str, Division]:
    """Return the villages by code, by township and name, and by a name that is the only one."""
    rows = Division.objects.villages().valid(on).within(by.division).select_related("parent")
    found: dict[str, Division] = {}
    names: dict[str, list[Division]] = {}
    for row in rows:
        found[row.code] = row
        found[f"{row.parent.name if row.parent else ''}{row.name}"] = row
        names.setdefault(row.name, []).append(row)
    return found | {name: them[0] for name, them in names.items() if len(them) == 1}


def _indexes(rows: Sequence[Row]) -> list[list[str]]:
    """Return the fingerprints of the listed persons, 500 at a time."""
    wanted = []
    for _number, cells in rows:
        try:
            identity = parse_id_number(cells.get(ID_NUMBER, "")).value
        except MalformedIdNumber:
            continue
        wanted.append(blind_index(identity, "id_number"))
    return [wanted[start : start + 500] for start in range(0, len(wanted), 500)]


def _held(indexes: Sequence[list[str]]) -> set[str]:
    """Return the fingerprints of those who have an open application."""
    found: set[str] = set()
    for some in indexes:
        open_ones = Application.objects.filter(
            resident__id_number_index__in=some, state__in=OPEN_STATES
        )
        found |= set(open_ones.values_list("resident__id_number_index", flat=True))
    return found


def _known(indexes: Sequence[list[str]]) -> dict[str, Resident]:
    """Return those who are known, by their fingerprints."""
    columns = ("id_number_index", "name", "telephone", "address")
    rows = (Resident.objects.filter(id_number_index__in=some).only(*columns) for some in indexes)
    return {row.id_number_index: row for some in rows for row in some}


def _barred(indexes: Sequence[list[str]], on: date) -> dict[str, str]:
    """Return why nobody may apply for some of them now."""
    decided = Q(applications__state__in=NEGATIVE)
    found: dict[str, str] = {}
    for some in indexes:
        rows = Resident.objects.filter(decided | Q(bars__isnull=False), id_number_index__in=some)
        for resident in rows.distinct():
            try:
                check_not_barred(resident, on)
            except Refused as refusal:
                found[resident.id_number_index] = str(refusal.message)
    return found


class _Reader:
    """Reads one row and gathers everything wrong with it."""

    def __init__(
        self, number: int, cells: dict[str, str], villages: dict[str, Division], on: date
    ) -> None:
        self.number, self.cells, self.villages, self.on = number, cells, villages, on
        self.faults: list[Fault] = []

    def wrong(self, column: str, reason: str | Promise) -> None:
        self.faults.append(Fault(self.number, column, str(reason)))

    def compare(self, known: Resident, guardian: Guardian | None, made: dict[str, Any]) -> None:
        """Name what would take the place of something that is known of the person, unseen."""
        if made["name"] and known.name != made["name"]:
            self.wrong(
                NAME,
                _(
                    "The register knows this ID number under another name: compare both with the"
                    " card; where the name is new, nominate the person at the desk."
                ),
            )
        for column, name in ((TELEPHONE, "telephone"), (ADDRESS, "address")):
            if made[name] and getattr(known, name) not in ("", made[name]):
                self.wrong(
                    column,
                    _(
                        "The register has another one of this person: leave the cell empty, and it"
                        " stays; where yours is new, nominate the person at the desk."
                    ),
                )

        named = Guarding(**made["guardian"]) if made["guardian"] else None
        if guarded_otherwise(guardian, named):
            self.wrong(
                GUARDIAN,
                _(
                    "The register has another guardian of this person, or another telephone of"
                    " theirs: where yours is right, nominate the person at the desk."
                ),
            )

    def nomination(self) -> dict[str, Any]:
        identity = self._identity()
        village = self._village()
        categories = self._categories()
        guardian = self._guardian(identity, categories)
        return {
            "row": self.number,
            "name": self._name(NAME, needed=True),
            "id_number": identity,
            "village": village.pk if village else None,
            "categories": categories,
            "telephone": self._telephone(TELEPHONE),
            "address": self._words(ADDRESS, 200),
            "diagnosis": self._words(ILLNESS, 500),
            "is_bedridden": self._yes(BEDRIDDEN),
            "is_poor_household": self._yes(POOR),
            "guardian": guardian,
        }

    def _name(self, column: str, *, needed: bool) -> str:
        text = self.cells.get(column, "")
        if not text:
            if needed:
                self.wrong(column, _("This is empty."))
            return ""
        try:
            return normalise_name(text)
        except MalformedName:
            self.wrong(column, _("A name is at most 50 Chinese characters."))
            return ""

    def _identity(self) -> str:
        text = self.cells.get(ID_NUMBER, "")
        if not text:
            self.wrong(ID_NUMBER, _("This is empty."))
            return ""
        if DIGITS_LOST.fullmatch(text):
            self.wrong(
                ID_NUMBER, _("The last digits are lost: make the cell a text, type it anew.")
            )
            return ""
        try:
            identity = parse_id_number(text)
        except MalformedIdNumber as error:
            self.wrong(ID_NUMBER, ID_FAULTS[error.reason])
            return ""
        if identity.birth_on > self.on:
            self.wrong(ID_NUMBER, NOT_BORN)
            return ""
        return identity.value

    def _village(self) -> Division | None:
        text = self.cells.get(VILLAGE, "")
        village = self.villages.get(text)
        if village is None:
            self.wrong(VILLAGE, _("No village of your area is called so; the code works always."))
        return village

    def _categories(self) -> list[str]:
        text = self.cells.get(CATEGORIES, "")
        words = [word.strip() for word in text.replace(",", "、").replace("，", "、").split("、")]
        known = [CATEGORY_WORDS.get(word) for word in words]
        if not text or None in known:
            self.wrong(CATEGORIES, _("Write 视力, 听力, 言语, 肢体, 智力 or 精神."))
            return []
        return [str(code) for code in dict.fromkeys(known) if code]

    def _telephone(self, column: str) -> str:
        text = self.cells.get(column, "")
        try:
            return normalise_telephone(text) if text else ""
        except MalformedTelephone:
            self.wrong(column, _("A telephone is 11 digits of a mobile, or area code and number."))
            return ""

    def _words(self, column: str, most: int) -> str:
        text = self.cells.get(column, "")
        if text in FAILED:
            self.wrong(column, _("This formula came to nothing; type what belongs here."))
        if len(text) > most:
            self.wrong(column, _("This is longer than %d characters; shorten it.") % most)
        return text

    def _yes(self, column: str) -> bool | None:
        """Return what the column says, or nothing where the list has no such column."""
        text = self.cells.get(column)
        if text is None:
            return None
        if text not in YES | NO:
            self.wrong(column, _("Write 是 or 否."))
        return text in YES

    def _guardian(self, identity: str, categories: list[str]) -> dict[str, str] | None:
        name = self._name(GUARDIAN, needed=False)
        age = age_on(parse_id_number(identity).birth_on, self.on) if identity else ADULT
        if not name and needs_guardian(categories, age):
            self.wrong(GUARDIAN, _("Minors, 智力 and 精神 need a guardian."))
        telephone = self._telephone(GUARDIAN_TELEPHONE)
        if telephone and not (name or self.cells.get(GUARDIAN)):
            self.wrong(GUARDIAN, _("This is empty."))
        relation = self.cells.get(RELATION, "") or "其他"
        return asdict(Guarding(name, telephone, relation[:20])) if name else None


def nomination_of(row: dict[str, Any], village: Division) -> Nomination:
    """Return a checked row as the action takes it: papers and consent follow later."""
    guardian = Guarding(**row["guardian"]) if row["guardian"] else None
    said = {name: value for name, value in row.items() if name != "row"}
    return Nomination(**{**said, "village": village, "guardian": guardian, "papers": ()})
