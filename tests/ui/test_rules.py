"""The Rules page in Chromium, on a county of three villages: read, filter, copy, change, check, both languages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planning.rules import read_rulebook
from reports.language import read_catalogue
from tests.small_county import write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
TOKEN = "d" * 32
KEY = f"upload-{TOKEN}"
CN = read_rulebook("cn")
ROW_PX = 35
HOSTILE = "<b>*Ours*</b> =1+1"
TRIES = itertools.count(1)
"""A copy's name must be new, also when a test is tried again."""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("rules")
    place = folder / "uploads" / TOKEN
    place.mkdir(parents=True)
    write_small_county(place)
    with start_app(folder, BUJU_STORE=str(folder / "store")) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(**query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            return seen.open("/rules", **query)

        yield start


def _search(seen: Visit, words: str) -> None:
    field = seen.by_key("rules_words").locator("input")
    field.fill(words)
    field.press("Enter")
    seen.settle()


def _choose_row(seen: Visit, opens: str) -> None:
    """Tick the first row, until what it opens is there: a table that a filter replaces forgets the first click."""
    for _attempt in range(4):
        table = seen.page.locator("[data-testid=stDataFrame] .dvn-scroller").first
        table.click(position={"x": 16, "y": ROW_PX + ROW_PX // 2})
        seen.settle()
        seen.page.wait_for_timeout(1000)
        if seen.by_key(opens).count():
            return
    raise AssertionError(seen.text())


def _fill(seen: Visit, key: str, words: str) -> None:
    field = seen.page.locator(f"[class*='{key}'] input").first
    field.fill(words)
    field.press("Tab")


def _make_copy(seen: Visit, name: str) -> str:
    """Make a copy and wait until the page shows it; returns its name, another one for every try."""
    name = f"{name} {next(TRIES)}"
    seen.by_key("rules_copy").locator("button").first.click()
    seen.page.locator("[class*='st-key-rules_copy_name'] input").first.wait_for()
    if seen.by_key("rules_who_copy").count():
        _fill(seen, "st-key-rules_who_copy", "Li Wei")
        seen.settle()
    _fill(seen, "st-key-rules_copy_name", name)
    seen.settle()
    seen.click("rules_copy_make").settle()
    seen.page.keyboard.press("Escape")
    seen.page.locator(".headline").get_by_text(name).wait_for()
    seen.settle()
    return name


def _count_flags(seen: Visit) -> int:
    words = seen.by_key("today_table").locator("button").first.inner_text()
    return int(re.sub(r"\D", "", words))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_reads_filters_and_shows_a_card(open_page: Callable[..., Visit], language: str) -> None:
    seen, say = open_page(lang=language), read_catalogue(language)
    headline = seen.page.locator(".headline").inner_text()
    assert f"{len(CN.rules)}" in headline
    rule = CN.by_id("P7.red")
    _search(seen, "P7.red")
    _choose_row(seen, "rules_close")
    card = seen.by_key("rules_side").inner_text()
    assert (rule.name_zh if language == "zh" else rule.name_en) in card
    assert (rule.source_zh if language == "zh" else rule.source) in card
    assert say("✓ verified") in card
    _search(seen, "nothing at all like this")
    seen.page.get_by_text(say("No rule fits the filter."), exact=True).wait_for()
    if language == "zh":
        assert not [word for word in ("rules", "Severity", "verified") if word in headline]
    seen.require_clean()


def test_a_change_in_a_copy_changes_what_other_pages_find(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en", study=KEY)
    seen.open("/today", lang="en", study=KEY)
    seen.by_key("today_table").wait_for(timeout=90_000)
    before = _count_flags(seen.settle())
    assert "Judged by: cn" in seen.page.locator(".headline").inner_text()
    seen.page.get_by_role("link", name="Rules", exact=True).click()
    seen.settle()
    name = _make_copy(seen, HOSTILE)
    _search(seen, "U1")
    _choose_row(seen, "rules_close")
    seen.page.get_by_text("Change this rule").click()
    form = "st-key-rules_edit_"
    seen.page.locator(f"[class*='{form}'][class*='_save'] button").click()
    seen.settle()
    seen.page.get_by_text("Say why it is changed.").wait_for()  # what is missing is told in its place
    seen.page.locator(f"[class*='{form}'][class*='_value_all'] input").fill("20")
    seen.page.locator(f"[class*='{form}'][class*='_source'] input").fill("County notice no. 3")
    seen.page.locator(f"[class*='{form}'][class*='_reason'] input").fill("Villages keep their schools")
    seen.page.locator(f"[class*='{form}'][class*='_save'] button").click()
    seen.settle()
    seen.by_key("rules_side").get_by_text("50% → 20%").first.wait_for()
    seen.page.get_by_role("link", name="Today", exact=True).click()
    seen.by_key("today_table").wait_for(timeout=90_000)
    # School 002 holds 60 pupils in 180 places: little used by the default, used enough by this copy.
    after = _count_flags(seen.settle())
    assert after == before - 1
    assert f"Judged by: {name} 2" in seen.page.locator(".headline").inner_text()
    assert "not verified" in seen.page.locator(".headline .judged-by").inner_text()
    link = seen.page.url
    assert "rules=" in link
    seen.page.reload()
    seen.by_key("today_table").wait_for(timeout=90_000)
    assert _count_flags(seen.settle()) == after, "the address holds the choice"
    seen.require_clean()


def test_changes_can_be_undone_restored_and_downloaded(open_page: Callable[..., Visit], tmp_path: Path) -> None:
    seen = open_page(lang="zh")
    say = read_catalogue("zh")
    _make_copy(seen, "县级")
    text = 'name = "县级二"\nversion = "1"\nbase = "cn"\n[[rule]]\nid = "P7.red"\nvalue = 0.9\n'
    wrong, right = tmp_path / "wrong.toml", tmp_path / "right.toml"
    wrong.write_text(text + "severity = 7\n", encoding="utf-8")
    right.write_text(text + 'source = "通知"\nreason = "学位紧张"\n', encoding="utf-8")
    seen.by_key("rules_tab").locator("button").nth(1).click()
    seen.settle()
    seen.upload("rules_import", wrong)
    alerts = seen.page.locator("[data-testid=stAlert]")
    assert alerts.count() == 3, "source, reason and severity are told at once"
    seen.upload("rules_import", right)
    seen.page.get_by_text("100% → 90%").first.wait_for()
    seen.click("rules_undo_0")
    seen.page.get_by_text(say("Nothing yet: choose a rule in the table and change it.")).first.wait_for()
    seen.settle().click("rules_restore_1")
    seen.by_key("rules_version_3").wait_for()
    assert "100% → 90%" in seen.settle().text()
    with seen.page.expect_download() as waiting:
        seen.click("rules_download")
    assert 'version = "3"' in Path(waiting.value.path()).read_text(encoding="utf-8")
    seen.require_clean()


def test_the_county_is_checked_against_the_rules(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en", study=KEY)
    seen.by_key("rules_tab").locator("button").nth(2).click()
    seen.page.locator(".weights").wait_for(timeout=90_000)
    seen.settle()
    headline = seen.page.locator(".headline").inner_text()
    assert re.search(r"Rules that fail: \d+, at \d schools", headline), headline
    assert "Not judged for want of data" in headline
    assert "Data that would answer most rules" in seen.by_key("rules_side").inner_text()
    _choose_row(seen, "rules_check_close")
    # School 001 holds 120 pupils in 90 places.
    assert "30 more places would cure it" in seen.by_key("rules_side").inner_text()
    seen.by_key("rules_check_by").locator("button").nth(1).click()
    seen.settle()
    _choose_row(seen, "rules_check_close")
    assert "=第一小学" in seen.by_key("rules_side").inner_text()
    seen.by_key("rules_check_by").locator("button").nth(3).click()
    seen.page.wait_for_selector(".buju-map[data-version]")
    seen.settle()
    seen.by_key("rules_check_by").locator("button").nth(4).click()
    seen.settle()
    with seen.page.expect_download() as waiting:
        seen.click("rules_check_workbook")
    assert Path(waiting.value.path()).read_bytes()[:2] == b"PK"
    seen.by_key("language_box").get_by_text("中文").click()
    seen.settle()
    assert "不达标" in seen.page.locator(".headline").inner_text()
    seen.require_clean()
