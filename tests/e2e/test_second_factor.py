"""Setting a telephone up and signing in with it, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from outreach.models import SecondFactor, User
from tests import builders
from tests.e2e.album import Album
from tests.e2e.looking import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def code(steps: int) -> str:
    totp = pyotp.TOTP(SecondFactor.objects.get().secret)
    return totp.at(timezone.now(), counter_offset=steps)


def look(page: Page, album: Album, name: str) -> list[str]:
    album.take(page, name)
    return [f"{name}: {one['id']}" for one in violations(page)]


def sign_in(page: Page) -> None:
    page.goto("/sign-in/")
    page.get_by_label("用户名").fill("administrator")
    page.get_by_label("密码").fill("administrator" * 2)
    page.get_by_role("button", name="登录").click()


def test_a_telephone_is_set_up_and_then_asked_for(
    place: builders.County,
    seat: Callable[[User | None], BrowserContext],
    settings: object,
    album: Album,
) -> None:
    settings.OUTREACH_TWO_FACTOR = True  # type: ignore[attr-defined]
    cache.clear()
    page = seat(None).new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page)
    expect(page.get_by_role("heading", name="设置手机验证")).to_be_visible()
    found = look(page, album, "telephone")
    page.get_by_label("验证码").fill(code(-1))
    page.get_by_role("button", name="设置并登录").click()
    expect(page.locator(".spare-codes li")).to_have_count(8)
    found += look(page, album, "spare-codes")
    page.get_by_role("link", name="我已抄好").click()
    expect(page.get_by_role("button", name="退出")).to_be_visible()
    again = seat(None).new_page()
    sign_in(again)
    again.get_by_label("验证码").fill("12")
    again.get_by_role("button", name="登录").click()
    expect(again.get_by_text("不是当前的验证码").first).to_be_visible()
    found += look(again, album, "code")
    again.get_by_label("验证码").fill(code(1))
    again.get_by_role("button", name="登录").click()
    expect(again.get_by_role("button", name="退出")).to_be_visible()
    assert found == []
