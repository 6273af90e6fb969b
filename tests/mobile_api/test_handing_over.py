"""A certificate put into its holder's hands is said by the tablet of whoever did it."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from certificates.founding import Names, create_authority
from certificates.models import Certificate
from mobile_api.disputes import decide
from mobile_api.models import Decision, Dispute
from outreach.demo.tablet import Tablet
from outreach.domain.vocabulary import Role
from outreach.models import Application, User
from tests import builders
from tests.certificates.issuing import ISSUED_AT, issued, paper_of
from tests.mobile_api.talking import ON_THE_DAY, enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_the_day")]


@pytest.fixture
def paper(place: builders.County, tmp_path: Path, settings: Any) -> Certificate:
    settings.OUTREACH_FILES, settings.OUTREACH_KEYS_DIR = tmp_path / "files", tmp_path / "keys"
    create_authority(tmp_path / "keys", Names("南充市顺庆区残疾人联合会", demo=True), at=ISSUED_AT)
    [made] = issued(place, tmp_path / "files")
    return made


@pytest.fixture
def phone(place: builders.County, tmp_path: Path) -> Tablet:
    """Return a tablet of the village's liaison."""
    return enrolled(place, tmp_path, place.liaison, "phone")


def hand_over(phone: Tablet, paper: Certificate) -> tuple[str, str | None]:
    said = {
        "certificate": str(paper.pk),
        "to": "guardian",
        "handed_over_at": ON_THE_DAY.isoformat(),
    }
    phone.say("hand_over_certificate", said, ON_THE_DAY)
    [answer] = phone.exchange()["outcomes"]
    return answer["outcome"], answer["code"]


def test_a_paper_in_its_holders_hands_ends_the_case_and_is_handed_over_once(
    place: builders.County, phone: Tablet, paper: Certificate
) -> None:
    phone.sync()
    assert phone.rows("certificate")[str(paper.pk)]["handed_over"] is False
    assert hand_over(phone, paper) == ("applied", None)
    assert Application.objects.get().state == "handed_over"
    assert paper.events.get(name="hand_over").by == place.liaison
    assert phone.rows("certificate")[str(paper.pk)]["handed_over"] is True
    assert hand_over(phone, paper) == ("refused", "wrong-state")


def test_of_two_that_say_so_in_one_push_one_has_handed_it_over(
    phone: Tablet, paper: Certificate
) -> None:
    said = {
        "certificate": str(paper.pk),
        "to": "guardian",
        "handed_over_at": ON_THE_DAY.isoformat(),
    }
    phone.say("hand_over_certificate", said, ON_THE_DAY)
    phone.say("hand_over_certificate", said, ON_THE_DAY)
    outcomes = [(one["outcome"], one["code"]) for one in phone.exchange()["outcomes"]]
    assert outcomes == [("applied", None), ("refused", "wrong-state")]
    assert paper.events.filter(name="hand_over").count() == 1


def test_one_whose_case_left_the_area_is_parked_and_accepted_under_its_authors_name(
    place: builders.County, phone: Tablet, paper: Certificate
) -> None:
    User.objects.filter(pk=place.liaison.pk).update(division=place.other_village)
    assert hand_over(phone, paper) == ("parked", "out-of-scope")
    paper.refresh_from_db()
    assert paper.handed_over_at is None
    dispute = Dispute.objects.get()
    decide(dispute, Decision.ACCEPTED, reason="家属已收到", by=place.administrator, at=ON_THE_DAY)
    paper.refresh_from_db()
    assert paper.handed_over_at == ON_THE_DAY
    assert paper.events.get(name="hand_over").by == place.liaison
    assert Application.objects.get().state == "handed_over"


def test_one_of_a_liaison_who_is_an_approver_by_now_is_accepted_under_their_name(
    place: builders.County, phone: Tablet, paper: Certificate
) -> None:
    User.objects.filter(pk=place.liaison.pk).update(role=Role.APPROVER)
    assert hand_over(phone, paper) == ("parked", "not-your-step")
    dispute = Dispute.objects.get()
    decide(dispute, Decision.ACCEPTED, reason="家属已收到", by=place.administrator, at=ON_THE_DAY)
    assert paper.events.get(name="hand_over").by == place.liaison


def test_where_the_newest_file_is_lost_the_version_before_is_given_and_named(
    phone: Tablet, paper: Certificate
) -> None:
    lost = {
        "sha256": "a" * 64,
        "path": "certificates/aa/lost.pdf",
        "size": 9,
        "made_at": ON_THE_DAY,
    }
    paper.files.create(version=2, kind="LTA", **lost)
    phone.sync()
    assert phone.rows("certificate")[str(paper.pk)]["sha256"] == "a" * 64
    headers = {"Authorization": f"Bearer {phone.state.token}"}
    answer = phone.client.get(f"/api/v1/certificates/{paper.pk}.pdf", headers=headers)
    told = answer.headers["Repr-Digest"].removeprefix("sha-256=:").removesuffix(":")
    assert base64.b64decode(told) == hashlib.sha256(answer.content).digest()
    assert answer.content == paper_of(paper)
