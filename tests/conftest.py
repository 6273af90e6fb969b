"""What every test may ask for: the compiled words of the screens, the small county, its clock."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings as service
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from hypothesis import settings

from outreach import clock
from outreach.models import User
from tests import builders, migrated

HERE = Path(__file__).parent
LOCALE = HERE.parent / "outreach" / "locale"
SCREENS = HERE / "e2e"
#: Stories of minutes each. They begin the screens: one that comes last is played alone.
LONGEST = {
    *("test_accessibility", "test_bad_days", "test_campaign", "test_every_page", "test_main_job"),
    "test_the_day",
}


# Seeded in the ordinary run, at random in the long one; never timed, the machine is shared.
LONG = os.environ.get("OUTREACH_LONG") == "1"
settings.register_profile("outreach", deadline=None, derandomize=not LONG)
settings.load_profile("outreach")


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "leave out what is the same on every database: tests that meet none"
    parser.addoption("--meets-the-database", action="store_true", help=told)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--meets-the-database"):
        meets = {one: _meets_the_database(one) for one in items}
        config.hook.pytest_deselected(items=[one for one in items if not meets[one]])
        items[:] = [one for one in items if meets[one]]
    _mix(items)


def pytest_collection_finish() -> None:
    """Look for garbage no more among the suite's own modules and items: they stay to the end."""
    gc.collect()
    gc.freeze()


def _mix(items: list[pytest.Item]) -> None:
    """Spread the files that ask for no database evenly over those that are played first.

    pytest-django puts them last, where most wait for processes of their own: two workers would
    wait beside each other. The browser's stay there: beside its loop Django refuses the database.
    """
    files = list(dict.fromkeys(one.path for one in items))
    asks = {one.path for one in items if _asks_for_the_database(one)}
    browsers = [path for path in files if path.is_relative_to(SCREENS)]
    first = files.index(browsers[0]) if browsers else len(files)
    apart = [path for path in files if path not in asks and path not in browsers]
    before = [path for path in files[:first] if path in asks]
    places = {path: (at + 0.5) / len(apart) for at, path in enumerate(apart)}
    places |= {path: at / len(before) for at, path in enumerate(before)}
    # The rest stays in its order, at the end.
    items.sort(key=lambda one: places.get(one.path, 1 + (one.path.stem not in LONGEST)))


def _meets_the_database(item: pytest.Item) -> bool:
    """Tell whether a test asks for the database, or its file brings installations that have one."""
    brings = {"another_database", "a_register"} & vars(item.module).keys()  # type: ignore[attr-defined]
    return bool(brings) or _asks_for_the_database(item)


def _asks_for_the_database(item: pytest.Item) -> bool:
    asks = {"db", "transactional_db"} & set(item.fixturenames)  # type: ignore[attr-defined]
    return bool(asks or item.get_closest_marker("django_db"))


def pytest_configure() -> None:
    """Compile the catalogue, so that the screens speak Chinese in a fresh clone too."""
    gc.set_threshold(20_000, 50, 100)  # else a fifth of the collection is looking for garbage
    for source in LOCALE.glob("*/LC_MESSAGES/django.po"):
        draft = source.with_suffix(f".{os.getpid()}.mo")
        with source.open("rb") as read, draft.open("wb") as write:
            write_mo(write, read_po(read))
        draft.replace(source.with_suffix(".mo"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Keep the empty register for those that begin on one of their own."""
    with django_db_blocker.unblock():
        migrated.keep()
    yield
    with django_db_blocker.unblock():
        migrated.let_go()


@pytest.fixture
def place(db: None) -> builders.County:
    """Return the small county, on the Monday on which its cases begin."""
    cache.clear()  # what was counted against a throttle by the tests before
    # What they handed in, which a restored register would find.
    shutil.rmtree(service.OUTREACH_FILES / "handed", ignore_errors=True)
    clock.advance_to(builders.START)
    return builders.county()


@pytest.fixture
def authority() -> None:
    """Have the demo authority that signs certificates, made once for the test run."""
    if not (service.OUTREACH_KEYS_DIR / "signer.key.pem").exists():
        call_command("create_authority", stdout=StringIO())


@pytest.fixture
def looked_into_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look into papers in this very process: one of its own for each of many takes minutes."""
    from certificates import authority, examination, verdicts  # slow, and few tests ask for them

    def examined(pdf: bytes, folder: Path) -> examination.Examination:
        return examination.examine(pdf, authority.load_trust(folder))

    monkeypatch.setattr(verdicts, "examined", examined)


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """Return a function that opens a browser in which the user has signed in."""

    def opened(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return opened


@pytest.fixture
def move_on() -> Callable[[datetime], None]:
    """Return a function that moves the county's clock on."""
    return clock.advance_to
