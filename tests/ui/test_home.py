"""The first page: into the demo county with one click."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.ui.app_driver import Visit

pytestmark = pytest.mark.browser


def test_one_click_leads_to_the_demo_county(new_visit: Callable[..., Visit]) -> None:
    seen = new_visit(locale="en-GB").open("/")
    seen.click("open_demo")
    seen.page.wait_for_url("**/today**", timeout=180_000)
    seen.settle()
    assert "study=demo" in seen.page.url
    seen.require_clean()
    again = new_visit(locale="zh-CN").open("/")
    again.click("open_demo")
    again.page.wait_for_url("**/today**", timeout=30_000)
    again.settle().require_clean()


def test_the_other_door_leads_to_the_data_page(new_visit: Callable[..., Visit]) -> None:
    seen = new_visit().open("/")
    seen.click("open_own")
    seen.page.wait_for_url("**/data**")
    seen.settle().require_clean()
