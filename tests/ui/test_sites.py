"""The Sites page: what is asked, what is taken over, and the page in Chromium on a county of three villages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from geodata.errors import LayoutError
from planning.actions import CloseSchool, OpenSchool, StagePlaces
from planning.siting_options import SitingOptions
from reports.language import read_catalogue
from tests.reports.siting_samples import build_best, build_county, build_plan
from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from tests.ui.sites_county import ENOUGH, SHORT, write_sites_counties
from ui.closures_propose import build_asked
from ui.closures_state import Asked, Resized
from ui.sites_choices import build_options, list_plain_years, pick_years
from ui.sites_job import FindAsk, SitesAsk, compute_find_key, compute_sites_key
from ui.sites_more import More
from ui.sites_put import build_taken, place_actions

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PROOF, CONFLICT = ".st-key-sites_side .proof", ".st-key-sites_side .conflict"
PATIENCE_MS = 240_000.0
"""The first run on a machine compiles the solver."""


def test_what_may_not_change_is_nobody_and_what_may_is_everybody() -> None:
    options = build_options("primary", "walk", (2030, 2027), "middle", ("close",), More(), {"max_changes": 3})
    assert (options.may_close, options.may_expand, options.may_open) == (None, (), ())
    assert options.years == (2027, 2030)
    assert options.rules.max_changes == 3


def test_a_model_of_one_moment_has_the_last_year() -> None:
    more = More(model="p_median", count=2)
    options = build_options("primary", "walk", (2027, 2030), "low", ("open",), more, {})
    assert (options.years, options.variant, options.count) == ((2030,), "low", 2)
    assert build_options("primary", "walk", (), "low", ("open",), more, {}).variant == ""
    with pytest.raises(LayoutError):
        build_options("primary", "walk", (), "", ("open",), More(model="p_center"), {})


def test_years_are_offered_also_where_nothing_is_forecast() -> None:
    years = list_plain_years(build_county())
    assert years[0] == 2026
    assert len(years) == 10
    assert pick_years(years) == [2027, 2030]
    assert pick_years([2026]) == [2026]
    assert pick_years([]) == []


def test_every_choice_has_an_answer_of_its_own() -> None:
    find = FindAsk("cn", "primary", "walk", 30.0, 12)
    one = SitesAsk("cn", SitingOptions())
    others = (SitesAsk("intl", SitingOptions()), SitesAsk("cn", SitingOptions(), find=find))
    keys = {compute_sites_key("f", ask) for ask in (one, *others)}
    assert len(keys | {compute_sites_key("g", one), compute_find_key("f", find)}) == 5
    assert compute_sites_key("f", one) == compute_sites_key("f", SitesAsk("cn", SitingOptions()))


def test_a_school_on_a_found_site_opens_at_its_point() -> None:
    places = (StagePlaces("primary", 90.0),)
    listed = OpenSchool(school_id="n1", name="One", stages=places, site_id="s1", year=2027)
    found = OpenSchool(school_id="new-001", name="Two", stages=places, site_id="new-001", year=2030)
    closed = CloseSchool(school_id="C", stages=("primary",), year=2030)
    taken = place_actions((listed, found, closed), {"s1"}, {"new-001": (5.0, 7.0), "s1": (0.0, 0.0)})
    assert taken[0] is listed
    assert taken[1].point == (5.0, 7.0)  # type: ignore[attr-defined]
    assert taken[1].site_id == ""  # type: ignore[attr-defined]
    assert taken[1].year == 2030
    assert taken[2] is closed
    study = build_county()
    sites = pd.DataFrame({"site_id": ["s1"], "x_m": [0.0], "y_m": [0.0]})
    assert build_taken(study, build_plan(), sites, read_catalogue("en")).actions == build_plan().scenario.actions


def test_a_plan_becomes_the_changes_of_the_closures_page() -> None:
    assert build_asked(build_plan()) == Asked(closed=("C",))
    assert build_asked(build_best()) == Asked(resized=(Resized("A", places=600.0),))


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("sites")
    write_sites_counties(folder)
    with start_app(folder) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(token: str = ENOUGH, page: str = "sites", **query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open(f"/{page}", study=f"upload-{token}", **query)
            seen.page.wait_for_selector(".buju-map[data-version]", timeout=PATIENCE_MS)
            return seen.settle()

        yield start


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_opens_and_hostile_names_stay_text(open_page: Callable[..., Visit], language: str) -> None:
    seen = open_page(lang=language, mode="walk")
    say, words = read_catalogue(language), seen.text()
    for word in ("Sites", "Years of the plan", "What may change", "Find places for new schools", "Propose plans"):
        assert say(word) in words
    assert say("Sites ({count})", count="2") in words
    seen.require_clean()


@pytest.mark.browser
def test_plans_come_with_a_proof_can_be_looked_through_and_taken_over(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    seen.click("sites_run")
    seen.page.wait_for_selector(PROOF, timeout=PATIENCE_MS)
    seen.settle()
    first = seen.page.locator(".headline").inner_text()
    assert "Plan 1" in first
    assert "proven" in first
    assert "No plan that keeps these rules can be better" in seen.page.locator(PROOF).inner_text()
    seen.by_key("sites_plan_choice").locator("button").nth(1).click()
    seen.settle()
    assert "Plan 2" in seen.page.locator(".headline").inner_text()
    for name in ("Decisions", "Proof", "Downloads"):
        seen.by_key("sites_table").get_by_text(name, exact=True).click()
        seen.settle()
    with seen.page.expect_download() as waiting:
        seen.by_key("sites_workbook").locator("button").click()
    assert waiting.value.suggested_filename == "sites.xlsx"
    seen.page.get_by_text("Take over as a scenario").first.click()
    seen.by_key("sites_who").locator("input").fill("Li")
    seen.by_key("sites_who").locator("input").press("Enter")
    seen.settle()
    seen.click("sites_put_go")
    seen.by_key("sites_open").wait_for()
    seen.settle()
    seen.require_clean()
    again = open_page(lang="en")
    again.page.wait_for_selector(PROOF)
    assert "Plan 1" in again.page.locator(".headline").inner_text(), "the same question is answered at once"
    seen.click("sites_open")
    seen.page.wait_for_selector(".buju-map[data-version]")
    seen.page.wait_for_function("document.body.innerText.includes('Plan 2')")
    seen.settle()
    assert "Plan 2" in seen.text()
    seen.require_clean()


@pytest.mark.slow
@pytest.mark.browser
def test_sites_are_found_and_a_search_can_be_stopped(open_page: Callable[..., Visit]) -> None:
    seen = open_page(SHORT, lang="en")
    seen.page.get_by_text("Find places for new schools").first.click()
    seen.click("sites_find_go")
    seen.by_key("sites_use_found").wait_for(timeout=PATIENCE_MS)
    seen.settle()
    seen.click("sites_run")
    seen.by_key("sites_cancel").locator("button").click()
    seen.page.get_by_text("Stopped. The result shown before still stands.").wait_for()
    seen.settle()
    assert seen.by_key("sites_run").locator("button").is_enabled()
    seen.require_clean()


@pytest.mark.browser
def test_too_few_places_are_a_conflict_with_its_cure(open_page: Callable[..., Visit]) -> None:
    seen = open_page(SHORT, lang="en")
    for name in ("Expand", "Open new schools"):
        seen.by_key("sites_changes").get_by_text(name, exact=True).click()
        seen.settle()
    seen.click("sites_run")
    seen.page.wait_for_selector(CONFLICT, timeout=PATIENCE_MS)
    seen.settle()
    assert "There is no lawful plan with these rules." in seen.text()
    assert "Cure:" in seen.by_key("sites_side").inner_text()
    seen.require_clean()


@pytest.mark.slow
@pytest.mark.browser
def test_closures_are_proposed_and_shown_on_their_page(open_page: Callable[..., Visit]) -> None:
    seen = open_page(page="closures", lang="en", mode="walk")
    seen.page.get_by_text("Propose closures").first.click()
    seen.click("closures_propose_go")
    seen.by_key("closures_plan").wait_for(timeout=PATIENCE_MS)
    seen.settle()
    seen.by_key("closures_plan").locator("button").first.click()
    seen.settle()
    assert "Plan 1:" in seen.by_key("closures_side").inner_text()
    seen.require_clean()
