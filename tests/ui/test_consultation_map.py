"""The offline map as residents use it: opened from a file with the network cut, on a phone and at a desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from geodata.build import build_study
from geodata.study_file import read_study_file
from planning.publication_options import PackOptions
from planning.rules import read_rulebook
from planning.scenario_file import read_scenario
from reports.comment_form import build_form_spec, check_comment
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.consultation_map import build_map_page
from reports.language import read_catalogue
from tests.reports.consultation_worlds import HOSTILE, build_hostile_case
from tests.ui.app_driver import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 375, "height": 812}
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPENS_WITHIN_MS = 2000
BEYOND_MS = 3
"""How much slower than on a quiet machine a page may open while other tests run."""


@pytest.fixture(scope="module")
def small() -> Consultation:
    return build_hostile_case()


@pytest.fixture(scope="module")
def small_file(small: Consultation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_bytes(build_map_page(small))
    return path


@pytest.fixture(scope="module")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = build_study(read_study_file(ROOT / "examples" / "studies" / "demo.toml"))
    scenario = read_scenario(ROOT / "examples" / "scenarios" / "demo_merger.toml")
    options = PackOptions(office="义务教育科", phone="0371-0000000")
    case = build_consultation(study, read_rulebook("cn"), scenario, options=options, languages=("zh", "en"))
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_bytes(build_map_page(case))
    return path


@contextmanager
def open_map(
    browser: Browser,
    path: Path,
    *,
    window: dict[str, int] = DESK,
    locale: str = "en-GB",
    refused: str = "",
    **options: Any,
) -> Iterator[Page]:
    """Open the file without a network; fail when it asked for anything or complained, but of what is ``refused``."""
    context = browser.new_context(locale=locale, viewport=window, offline=True, **options)  # type: ignore[arg-type]
    asked: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith("file:"), refuse)
    page = context.new_page()
    page.on("request", note)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_function("document.documentElement.dataset.readyMs")
    try:
        yield page
        assert not [text for text in complaints if not refused or refused not in text], complaints
        assert not refused or complaints
        assert [url for url in asked if not url.startswith("blob:")] == [path.as_uri()]
    finally:
        context.close()


def search(page: Page, text: str) -> list[str]:
    """Type into the search box and return the options shown."""
    page.fill("#find-input", text)
    return [row.inner_text() for row in page.locator("#find-list li").all()]


def find_faults(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": STANDARDS}).response["violations"]
    return [f"{item['id']}: {[node['html'][:120] for node in item['nodes'][:3]]}" for item in found]


def test_it_opens_quickly_with_all_its_words(browser: Browser, demo_file: Path) -> None:
    assert demo_file.stat().st_size < 1_500_000
    with open_map(browser, demo_file) as page:
        assert int(page.evaluate("document.documentElement.dataset.readyMs")) < OPENS_WITHIN_MS * BEYOND_MS
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("#draft").is_visible() and page.locator("#map-draft").is_visible()
        assert page.locator("#changes-body").inner_text().count("→") >= 5
        empty = page.evaluate("[...document.querySelectorAll('[data-say]')].filter((e) => !e.textContent).length")
        assert empty == 0
        assert "undefined" not in page.locator("body").inner_text() and "{" not in page.locator(".page").inner_text()


def test_a_home_is_found_by_village_street_and_house_number(browser: Browser, small_file: Path) -> None:
    with open_map(browser, small_file) as page:
        assert search(page, "elm") == ["Elm Village\nEasttown"]
        page.keyboard.press("Enter")
        card = page.locator("#card")
        assert card.locator(".card-name").inner_text() == "Elm Village"
        assert "East School" in card.locator(".side.before").inner_text()
        after = card.locator(".side.after").inner_text()
        assert "West School" in after and "40 min" in after and "39 min longer" in after
        assert card.locator(".verdict.changed").is_visible() and card.locator(".why").inner_text()
        assert page.evaluate("document.activeElement.id") == "card"
        # 1 to 9 of the odd side stand in a; 8 is not known, so all units of the street may be chosen.
        assert search(page, "人民路 5号") == ["人民路 no. 5\nin Ash Village · Westtown"]
        assert {row.split("\n")[0] for row in search(page, "人民路8")} == {"人民路"}
        page.keyboard.press("Escape")
        assert page.locator("#find-list").is_hidden()
        search(page, "人民路")
        page.keyboard.press("Enter")
        assert page.locator("#find-list li").count() == 2  # of Easttown: d and e
        assert search(page, "Nowhere") == [] and "Nowhere" in page.locator(".combo-none").first.inner_text()


def test_a_click_on_the_map_and_the_keyboard_choose_too(browser: Browser, small_file: Path) -> None:
    with open_map(browser, small_file) as page:
        page.locator("#map").focus()
        page.keyboard.press("Enter")  # the middle of the map is c
        assert page.locator(".card-name").inner_text() == "Cherry Village"
        box = page.locator("#map").bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + box["width"] * 0.33, box["y"] + box["height"] / 2)
        assert page.locator(".card-name").inner_text() == "Beech Village"
        assert page.locator(".verdict.same").is_visible()
        page.locator("#card .school-name").first.click()
        assert page.locator(".card-name").inner_text() == "West School"
        assert "Number of communities" in page.locator("#card").inner_text()


def test_views_and_languages_switch(browser: Browser, small_file: Path) -> None:
    with open_map(browser, small_file, locale="zh-CN") as page:
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        legend = page.locator("#legend-list")
        signs = legend.locator("li").count()
        page.locator("#views input[value=before]").check()
        assert legend.locator("li").count() < signs
        search(page, "Elm")
        page.keyboard.press("Enter")
        page.locator("button[data-language=en]").click()
        assert page.locator("html").get_attribute("lang") == "en"
        assert "The school changes" in page.locator("#card").inner_text()
        assert page.locator("#views input[value=before]").is_checked()


def test_hostile_names_are_only_shown(browser: Browser, small_file: Path) -> None:
    with open_map(browser, small_file, refused="Content Security Policy") as page:
        assert HOSTILE in page.locator("#title").inner_text()
        search(page, "script")
        page.keyboard.press("Enter")
        assert HOSTILE in page.locator(".card-name").inner_text()
        page.get_by_role("button", name="Comment on this").click()
        page.wait_for_timeout(200)
        assert page.title().startswith("Close </script>")
        assert page.locator("img, iframe").count() == 0
        # What slips into the page by another way does not run either.
        page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<p onclick=\"document.title=1\" id=\"bad\">x</p>')"
        )
        page.evaluate("document.getElementById('bad').click()")
        assert page.title().startswith("Close </script>")


def fill_form(page: Page) -> None:
    page.locator("#field-position-box input[value=object]").check()
    page.locator("#field-topics-box input[value=distance]").check()
    page.locator("#field-topics-box input[value=safety]").check()
    page.fill("#field-comment", "Forty minutes on foot\nis too far for a child of six. <b>请考虑校车</b>")
    page.select_option("#field-school", "E")


def test_a_comment_is_saved_as_a_file_and_as_text(browser: Browser, small: Consultation, small_file: Path) -> None:
    with open_map(
        browser, small_file, accept_downloads=True, permissions=["clipboard-read", "clipboard-write"]
    ) as page:
        search(page, "elm")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Comment on this").click()
        assert page.input_value("#field-community-input") == "Elm Village"
        fill_form(page)
        with page.expect_download() as waiting:
            page.locator("#form-save").click()
        assert waiting.value.suggested_filename.startswith(f"comment_{small.pack_id}_")
        comment = json.loads(Path(waiting.value.path()).read_text(encoding="utf-8"))
        spec = build_form_spec(small, read_catalogue("en"))
        assert check_comment(comment, spec) == ()
        assert comment["answers"] == {
            "position": "object",
            "community": {"id": "e", "name": "Elm Village"},
            "stage": "primary",
            "school": {"id": "E", "name": "East School"},
            "topics": ["distance", "safety"],
            "comment": "Forty minutes on foot\nis too far for a child of six. <b>请考虑校车</b>",
        }
        page.locator("#form-copy").click()
        text = page.input_value(".copy-box")
        assert small.pack_id in text and "1. What do you think of the proposal?: I object to it" in text
        page.wait_for_timeout(100)
        assert page.evaluate("navigator.clipboard.readText()").replace("\r\n", "\n") == text
        assert "office@example.org" in page.locator("#form-status").inner_text()


def test_the_form_says_what_is_missing_and_keeps_answers(browser: Browser, small_file: Path) -> None:
    with open_map(browser, small_file) as page:
        page.locator("#form-save").click()
        assert page.locator(".errors li").count() == 2
        assert page.evaluate("document.activeElement.className") == "errors"
        assert not find_faults(page)
        page.locator("#field-position-box input[value=question]").check()
        page.fill("#field-comment", "11010519491231002X")
        page.locator("#form-save").click()
        assert "identity card" in page.locator(".errors").inner_text()
        page.locator("button[data-language=zh]").click()
        assert page.input_value("#field-comment") == "11010519491231002X"
        assert page.locator("#field-position-box input[value=question]").is_checked()


@pytest.mark.parametrize(("window", "locale"), [(DESK, "zh-CN"), (PHONE, "en-GB"), (PHONE, "zh-CN")])
def test_it_is_accessible_and_fits(browser: Browser, demo_file: Path, window: dict[str, int], locale: str) -> None:
    with open_map(browser, demo_file, window=window, locale=locale) as page:
        search(page, "下曾涧")
        assert not find_faults(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert page.locator(".card-name").inner_text() == "下曾涧村"
        page.locator("#card .school-name").first.click()
        page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
        assert not find_faults(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]
        page.set_viewport_size({"width": 320, "height": 640})
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_it_prints_the_card_and_the_map(browser: Browser, small_file: Path, tmp_path: Path) -> None:
    with open_map(browser, small_file) as page:
        search(page, "elm")
        page.keyboard.press("Enter")
        pdf = page.pdf(format="A4", print_background=False)
        (tmp_path / "map.pdf").write_bytes(pdf)
        pypdf = pytest.importorskip("pypdf")
        text = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "map.pdf").pages)
        assert "Elm Village" in text and "Draft for comment" in text
        assert "Your comment" not in text
