"""A tablet as a thing: a browser with a disk of its own, which can be killed and switched on."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Any

from playwright.sync_api import BrowserContext, BrowserType, CDPSession, Error, Page

PATIENCE_S = 20
#: Where the first stop of the demo county is.
HOME = {"latitude": 31.022955, "longitude": 106.118295, "accuracy": 12}


@dataclass(frozen=True)
class Finger:
    """A finger on the sensor of a device that keeps passkeys; `refuse` takes it away."""

    devtools: CDPSession
    name: str

    @classmethod
    def on(cls, page: Page) -> Finger:
        """Give the page's device a sensor."""
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        sensor = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal"}
        able = {"hasUserVerification": True, "isUserVerified": True, "hasPrf": True}
        options = sensor | able | {"hasResidentKey": True}
        made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return cls(devtools, made["authenticatorId"])

    def refuse(self) -> None:
        """Be somebody else's finger from now on."""
        refusing = {"authenticatorId": self.name, "isUserVerified": False}
        self.devtools.send("WebAuthn.setUserVerified", refusing)


@dataclass
class Handset:
    """One browser profile on the disk; `page` is there while the thing is switched on."""

    kind: BrowserType
    how: dict[str, Any]
    disk: Path
    address: str
    context: BrowserContext | None = None

    def switch_on(self) -> Page:
        """Start the browser on what the disk holds, with the app on the screen."""
        self.context = self.kind.launch_persistent_context(
            str(self.disk),
            **self.how,
            base_url=self.address,
            locale="zh-CN",
            viewport={"width": 800, "height": 1280},
            has_touch=True,
            geolocation=HOME,
            permissions=["geolocation", "camera"],
        )
        self.context.set_default_timeout(PATIENCE_S * 1000)
        page = self.context.pages[0]
        page.goto("/tablet/")
        return page

    def grant(self, permission: str) -> None:
        """Allow what Playwright has no word for."""
        assert self.context is not None
        devtools = self.context.new_cdp_session(self.context.pages[0])
        wanted = {"permission": {"name": permission}, "setting": "granted"}
        devtools.send("Browser.setPermission", {**wanted, "origin": self.address})

    def kill(self) -> None:
        """End the browser's process at once, as an empty battery does."""
        number = int((self.disk / "SingletonLock").readlink().name.rpartition("-")[2])
        browser = os.pidfd_open(number)
        signal.pidfd_send_signal(browser, signal.SIGKILL)
        select([browser], [], [], PATIENCE_S)  # readable as soon as it has ended
        os.close(browser)
        self.switch_off()

    def switch_off(self) -> None:
        """Close the browser, if it is still there to be closed."""
        if self.context is not None:
            with suppress(Error):
                self.context.close()
            self.context = None
