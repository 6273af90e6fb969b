"""Photos of papers: taken on the spot, sent beforehand by a family, accepted or sent back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from outreach.actions.applications import complete_papers
from outreach.actions.audit import record
from outreach.actions.family import STATES
from outreach.actions.photos import erase, held
from outreach.domain.vocabulary import Paper, PaperFault, Role
from outreach.domain.workflow import ApplicationState
from outreach.models import Application, FamilyLink, PaperPhoto, Photo, StoredBlob, User
from outreach.rules import Refused, check_in_scope, not_yours

#: Enough for every page of a household book; more is no paper.
MOST = 24
#: What one link brings at all, with what was taken back or came back to be sent anew.
MOST_EVER = 4 * MOST
#: A photo taken for a nomination that was never registered goes after this.
DRAFTS_LAST = timedelta(days=1)
DECIDERS = (Role.LIAISON, Role.ADMINISTRATOR)


def photograph(paper: Paper, blob: StoredBlob, *, by: User, at: datetime) -> PaperPhoto:
    """Keep a photo that a member of staff took before the person is registered."""
    if PaperPhoto.objects.filter(application=None, sent_by=by).count() >= 4 * MOST:
        raise Refused("too-many-photos", _("Too many photos; register the person first."))
    with transaction.atomic():
        return PaperPhoto.objects.create(
            sent_by=by, paper=paper, sent_at=at, is_accepted=True, **_file(blob)
        )


def forget_drafts(at: datetime) -> bool:
    """Forget the photos of nominations that were given up; tell whether files are to be removed."""
    old = PaperPhoto.objects.filter(application=None, sent_at__lt=at - DRAFTS_LAST)
    if not old.exists():
        return False
    with transaction.atomic():
        names = held(set(old.values_list("sha256", flat=True)))
        old.delete()
        for rows in (PaperPhoto.objects, Photo.objects):
            names -= set(rows.filter(sha256__among=names).values_list("sha256", flat=True))
        erase(names, at)
    return bool(names)


def drafts_of(ids: Sequence[UUID], by: User) -> list[PaperPhoto]:
    """Return a member of staff's own photos that belong to no case yet."""
    return list(PaperPhoto.objects.filter(pk__in=ids, application=None, sent_by=by))


def photos_gone() -> Refused:
    """Return the refusal of photos that are not the nomination's any more."""
    return Refused(
        "photos-gone",
        _(
            "Some of the photos are not here any more: they are kept for a day, and go with the"
            " person who is registered with them. Take those anew; all else is kept."
        ),
    )


def attach(
    photos: Sequence[PaperPhoto], application: Application, *, by: User, at: datetime
) -> None:
    """Give photos taken on the spot to the case that was registered with them, or none of them.

    Raises `Refused` where one went with another case, or was removed, in this very moment.
    """
    ids = [photo.pk for photo in photos]
    drafts = PaperPhoto.objects.filter(pk__in=ids, application=None, sent_by=by)
    if drafts.update(application=application, decided_by=by, decided_at=at) < len(ids):
        raise photos_gone()
    record("paper.photograph", photos, by=by, at=at)


def photograph_for(
    application: Application, paper: Paper, blob: StoredBlob, *, by: User, at: datetime
) -> PaperPhoto:
    """Keep a photo that a member of staff took of a known case's paper, and count the paper."""
    _check_decides(application, by)
    check_takes_papers(application)
    with transaction.atomic():
        made = PaperPhoto.objects.create(
            application=application,
            sent_by=by,
            paper=paper,
            sent_at=at,
            is_accepted=True,
            decided_by=by,
            decided_at=at,
            **_file(blob),
        )
        record("paper.photograph", [made], by=by, at=at)
        _count(application, paper, by=by, at=at)
    return made


def send(link: FamilyLink, paper: Paper, blob: StoredBlob, *, at: datetime) -> PaperPhoto:
    """Keep a photo that a family sent; it counts when somebody has accepted it."""
    case = link.application
    with transaction.atomic():
        Application.objects.select_for_update().get(pk=case.pk)
        check_may_send(link)
        alike = case.paper_photos.shown().filter(paper=paper, sha256=blob.pk)
        if same := alike.exclude(is_accepted=False).first():
            return same
        made = PaperPhoto.objects.create(
            application=case, link=link, paper=paper, sent_at=at, **_file(blob)
        )
        record("paper.send", [made], by=None, at=at)
    return made


def check_may_send(link: FamilyLink) -> None:
    """Refuse what would not be taken; asked before a file is kept, for nobody removes it again."""
    check_takes_papers(link.application)
    # What came back to be sent anew leaves its room to the next one.
    if link.application.paper_photos.shown().exclude(is_accepted=False).count() >= MOST:
        raise Refused("too-many-photos", _("These are enough photos; the office looks first."))
    if link.photos.count() >= MOST_EVER:  # the file of what was taken back stays for a while
        raise Refused(
            "link-used-up",
            _("This link has brought so many photos that it takes no more; ask for a new one."),
        )


def take_back(photo: PaperPhoto, *, at: datetime) -> None:
    """Take a family's photo back while nobody has decided about it; once more changes nothing."""
    undecided = PaperPhoto.objects.undecided().filter(pk=photo.pk)
    with transaction.atomic():
        if not undecided.update(taken_back_at=at):
            if PaperPhoto.objects.filter(pk=photo.pk, taken_back_at__isnull=False).exists():
                return
            raise Refused("decided-already", _("The office has looked at this photo already."))
        record("paper.take_back", [photo], by=None, at=at)


def decide(
    photo: PaperPhoto, *, is_accepted: bool, by: User, at: datetime, fault: PaperFault | str = ""
) -> bool:
    """Accept a family's photo, or say what is wrong with it; tell whether the case goes on.

    With the last missing paper a returned application is handed in again.
    """
    case = photo.application
    assert case is not None
    _check_decides(case, by)
    if not is_accepted and not fault:
        raise Refused("fault-missing", _("Say what is wrong with the photo."))
    with transaction.atomic():
        changed = (
            PaperPhoto.objects.undecided()
            .filter(pk=photo.pk)
            .update(is_accepted=is_accepted, fault=fault, decided_by=by, decided_at=at)
        )
        if not changed:
            raise Refused("decided-already", _("A colleague has decided this meanwhile."))
        record(f"paper.{'accept' if is_accepted else 'refuse'}", [photo], by=by, at=at)
        return is_accepted and _count(case, Paper(photo.paper), by=by, at=at)


def _count(case: Application, paper: Paper, *, by: User, at: datetime) -> bool:
    """Strike a paper off what is missing; hand a returned case in again with the last one."""
    held = Application.objects.select_for_update().get(pk=case.pk)
    if paper in held.papers_missing:
        held.papers_missing = [code for code in held.papers_missing if code != paper]
        held.revision = F("revision") + 1
        held.save(update_fields=["papers_missing", "revision"])
        held.refresh_from_db()
    case.papers_missing = held.papers_missing
    if held.state != ApplicationState.RETURNED or held.papers_missing or held.return_reasons:
        return False
    complete_papers(held, by=by, at=at)
    case.state, case.state_since = held.state, held.state_since
    return True


def _file(blob: StoredBlob) -> dict[str, object]:
    """Return what a photo says of its file, which nobody erases before that is committed."""
    if not held([blob.pk]):
        raise Refused("photo-gone", _("The photo was not kept; send it once more."))
    return {"sha256": blob.pk, "size": blob.size, "content_type": blob.content_type}


def _check_decides(application: Application, by: User) -> None:
    if by.role not in DECIDERS:
        raise not_yours()
    check_in_scope(by, [application])


def check_takes_papers(application: Application) -> None:
    """Refuse photos of papers of a case whose papers are complete."""
    if application.state not in STATES:
        raise Refused("papers-over", _("The papers of this case are complete; nothing is needed."))
