"""The frame: pages, languages, address, headers, silence."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui.app_driver import RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
TITLES = {
    "en-GB": ("Home", "Data", "Today", "Zoning", "Where should our schools be?", "Load data"),
    "zh-CN": ("首页", "数据", "现状", "划片", "学校应该布局在哪里？", "导入数据"),
}


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_every_page_opens_in_the_language_of_the_browser(new_visit: Callable[..., Visit], locale: str) -> None:
    home, data, today, zoning, home_title, data_title = TITLES[locale]
    seen = new_visit(locale=locale).open("/")
    words = seen.text()
    assert home_title in words
    for title in (home, data, today, zoning):
        assert title in words
    assert data_title in seen.open("/data").text()
    seen.open("/today")
    seen.require_clean()


def test_the_switch_changes_the_language_and_the_address(new_visit: Callable[..., Visit]) -> None:
    seen = new_visit(locale="en-GB").open("/")
    seen.by_key("language_box").get_by_text("中文").click()
    seen.settle()
    assert TITLES["zh-CN"][4] in seen.text()
    assert "lang=zh" in seen.page.url
    seen.page.get_by_role("link", name="数据").click()
    seen.settle()
    assert TITLES["zh-CN"][5] in seen.text(), "the choice holds on the next page"
    seen.page.reload()
    assert TITLES["zh-CN"][5] in seen.settle().text(), "and after a reload"
    seen.require_clean()


def test_the_address_chooses_the_language(new_visit: Callable[..., Visit]) -> None:
    assert TITLES["en-GB"][4] in new_visit(locale="zh-CN").open("/", lang="en").text()
    assert TITLES["zh-CN"][4] in new_visit(locale="en-GB").open("/", lang="zh").text()
    assert TITLES["en-GB"][4] in new_visit(locale="en-GB").open("/", lang="<script>").text()


def test_an_unknown_study_in_the_address_is_no_traceback(new_visit: Callable[..., Visit]) -> None:
    for reference in ("../../etc/passwd", "upload-" + "0" * 32, "nothing"):
        seen = new_visit().open("/today", study=reference)
        assert seen.by_key("no_study").is_visible()
        seen.require_clean()


def test_headers(app: RunningApp) -> None:
    with urllib.request.urlopen(app.url + "/") as answer:
        headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "http" not in headers["content-security-policy"]


def test_the_template_can_be_downloaded(new_visit: Callable[..., Visit]) -> None:
    seen = new_visit().open("/")
    with seen.page.expect_download() as waiting:
        seen.click("template")
    assert waiting.value.suggested_filename == "buju-template.xlsx"
    seen.require_clean()


def test_a_page_opened_first_has_its_frame(browser: Browser, tmp_path: Path) -> None:
    """Streamlit's old router must not take over the folder of pages in a server that has just started."""
    with start_app(tmp_path) as fresh, visit(browser, fresh, locale="en-GB") as seen:
        seen.open("/data")
        assert seen.page.locator("[data-testid=stSidebarNav]").count() == 0
        assert TITLES["en-GB"][5] in seen.text()
        assert seen.by_key("language_box").is_visible()
        seen.require_clean()


def test_back_leads_back_and_links_carry_the_address(new_visit: Callable[..., Visit]) -> None:
    seen = new_visit(locale="en-GB").open("/", lang="zh")
    for name in ("数据", "现状"):
        seen.page.get_by_role("link", name=name, exact=True).click()
        seen.settle()
        assert "lang=zh" in seen.page.evaluate("location.search")
    for path in ("/data", "/"):
        seen.page.go_back()
        seen.settle()
        assert seen.page.evaluate("location.pathname") == path
    seen.require_clean()
