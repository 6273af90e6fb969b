"""A real browser, for the tests that look at screens; and a real server, for the main job."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    Page,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from outreach.demo.loading import password_of
from outreach.models import User
from tests.e2e.album import Album
from tests.e2e.desk import Desk
from tests.e2e.handset import HOME, Handset
from tests.e2e.line import Line, a_line
from tests.e2e.office import Office
from tests.e2e.preparing import CODES
from tests.e2e.serving import Service, serving
from tests.e2e.tablet import Camera, Look, Tablet

#: What Playwright leaves out of Chromium, which another list replaces, and the two pop-ups of the
#: address bar that nobody sees: each window drew them in a process of its own, for a second of CPU.
LEFT_OUT = (
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "OptimizationHints"),
    *("ThirdPartyStoragePartitioning", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
)
FLAGS = (
    f"--disable-features={','.join(LEFT_OUT)}",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
#: Milliseconds that a busy machine gets before a screen counts as stuck.
PATIENCE = 20_000
PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what is taken down after a test know how that ended."""
    told = yield
    if call.when == "call":
        item.stash[PASSED] = told.passed
    return told


@pytest.fixture(scope="package")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    """What the browser sees when it opens the camera."""
    return Camera(tmp_path_factory.mktemp("camera") / "scene.mjpeg")


@pytest.fixture(scope="package")
def browsing(camera: Camera) -> Iterator[tuple[BrowserType, dict[str, Any]]]:
    """Find Debian's Chromium and how it is to be started."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("The browser tests need Debian's Chromium: sh tests/system-packages.sh")
    expect.set_options(timeout=PATIENCE)
    film = f"--use-file-for-fake-video-capture={camera.film}"
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; Django takes that for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield playwright.chromium, {"executable_path": path, "args": [*FLAGS, film]}


@pytest.fixture(scope="package")
def chromium(browsing: tuple[BrowserType, dict[str, Any]]) -> Iterator[Browser]:
    """Start Debian's Chromium once for the browser tests of a process."""
    kind, how = browsing
    browser = kind.launch(**how)
    yield browser
    browser.close()


@pytest.fixture
def seat(
    chromium: Browser, live_server: LiveServer
) -> Iterator[Callable[[User | None], BrowserContext]]:
    """Return a function that opens a browser in which the user has signed in."""
    opened = []

    def sit_down(user: User | None = None) -> BrowserContext:
        context = chromium.new_context(base_url=live_server.url, locale="zh-CN")
        if user is not None:
            client = Client()
            client.force_login(user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session}
            context.add_cookies([{**cookie, "url": live_server.url}])
        opened.append(context)
        return context

    yield sit_down
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the demo county, in which nobody is nominated yet, from a child process."""
    with serving(tmp_path_factory.mktemp("service"), "campaign") as running:
        yield running


@pytest.fixture
def album() -> Album:
    """Where pictures of the screens go, if anybody wants them."""
    return Album.of_environment()


@pytest.fixture
def broken() -> list[str]:
    """What no page may report: a script that failed, or something that the policy blocked."""
    return []


@pytest.fixture
def window(
    chromium: Browser,
    service: Service,
    broken: list[str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a window of somebody's own browser."""
    contexts: list[BrowserContext] = []

    def opened(width: int = 1280, height: int = 800, **how: object) -> Page:
        size = {"width": width, "height": height}
        wanted = {"base_url": service.address, "locale": "zh-CN", "viewport": size} | how
        context = chromium.new_context(**wanted)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.extend(_blocked(said.text)))
        return page

    yield opened
    for number, context in enumerate(contexts):
        # What stood on each screen at the end is the first thing to see when the test failed.
        if not request.node.stash.get(PASSED, False):
            context.pages[0].screenshot(path=tmp_path / f"end-{number}.png")
        context.close()


def _blocked(text: str) -> list[str]:
    return [text] if "Content Security Policy" in text else []


@pytest.fixture
def desk(window: Callable[..., Page], album: Album) -> Callable[..., Desk]:
    """Return a function that signs somebody in at a desk of their own."""

    def signed_in(username: str, password: str = "", **size: int) -> Desk:
        return Desk(window(**size), album).sign_in(username, password or password_of(username))

    return signed_in


@pytest.fixture
def tablet(window: Callable[..., Page], camera: Camera) -> Callable[[Look], Tablet]:
    """Return a function that hands somebody a tablet, at the home of the first stop."""

    def handed(look: Look) -> Tablet:
        page = window(800, 1280, has_touch=True, geolocation=HOME, permissions=["geolocation"])
        return Tablet(page, camera, look)

    return handed


@pytest.fixture(scope="module")
def office(service: Service) -> Office:
    """Somebody with the register open."""
    return Office(service)


@pytest.fixture(scope="module")
def codes(service: Service) -> Iterator[str]:
    """The one-time codes that lie ready."""
    folder = Path(service.environment["OUTREACH_DATA"])
    return iter(json.loads((folder / CODES).read_text()))


@pytest.fixture
def hand(tablet: Callable[[Look], Tablet], codes: Iterator[str], request: Any) -> Tablet:
    """An enrolled tablet, called like its test, whose screens others look at."""
    held = tablet(lambda _page, _name: None)
    held.enrol(next(codes), request.node.name[:60])
    return held


@pytest.fixture
def clocked(
    window: Callable[..., Page], camera: Camera, codes: Iterator[str]
) -> Callable[..., Tablet]:
    """Return a function that enrols a tablet whose clock the test sets, as `install` is told."""

    def begun(name: str, **told: Any) -> Tablet:
        page = window(800, 1280, geolocation=HOME, permissions=["geolocation"])
        page.clock.install(**told)
        held = Tablet(page, camera, lambda _page, _name: None)
        held.enrol(next(codes), name)
        return held

    return begun


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    """A line to the office of this test's own."""
    with a_line(service.port) as laid:
        yield laid


@pytest.fixture
def handset(
    browsing: tuple[BrowserType, dict[str, Any]], line: Line, tmp_path: Path
) -> Iterator[Handset]:
    """A tablet that can be killed."""
    thing = Handset(*browsing, tmp_path / "disk", line.address)
    yield thing
    thing.switch_off()
