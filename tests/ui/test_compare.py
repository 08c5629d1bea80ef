"""The Compare page in Chromium, on a county of three villages: choose, share, read, swipe, years, download."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.scenario import Scenario
from planning.scenario_file import render_scenario
from reports.language import read_catalogue
from store import open_store
from tests.small_county import write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
TOKEN = "c" * 32
KEY = f"upload-{TOKEN}"
HOSTILE = "<b>*New*</b> =1+1"
CLOSE = Scenario(name="Close 002", actions=(CloseSchool(school_id="002"),))
BUILD = Scenario(
    name=HOSTILE,
    actions=(
        ChangePlaces(school_id="001", stage="primary", add_places=90, year=2027),
        OpenSchool(
            school_id="N", name="新学校", stages=(StagePlaces("primary", capacity_places=90),), unit_id="02", year=2029
        ),
    ),
)


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningApp, dict[str, str]]]:
    """The app with two scenarios in its store, and their ids by name."""
    folder = tmp_path_factory.mktemp("compare")
    place = folder / "uploads" / TOKEN
    place.mkdir(parents=True)
    write_small_county(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUJU_STORE", str(folder / "store"))
        patch.delenv("BUJU_DATABASE_URL", raising=False)
        store = open_store()
        store.register_study(KEY, "小县", "", "planner")
        ids = {
            item.name: store.create_scenario(KEY, item.name, render_scenario(item), "planner").scenario_id
            for item in (CLOSE, BUILD)
        }
    with start_app(folder, BUJU_STORE=str(folder / "store")) as started:
        yield started, ids


@pytest.fixture
def open_page(
    browser: Browser, county_app: tuple[RunningApp, dict[str, str]]
) -> Iterator[Callable[..., tuple[Visit, dict[str, str]]]]:
    app, ids = county_app
    with ExitStack() as stack:

        def start(*names: str, **query: str) -> tuple[Visit, dict[str, str]]:
            seen = stack.enter_context(visit(browser, app))
            asked = "-".join(ids.get(name, name) for name in names)
            seen.open("/compare", study=KEY, **({"compare": asked} if asked else {}), **query)
            seen.page.wait_for_selector(".buju-map[data-version]", timeout=90_000)
            return seen.settle(), ids

        yield start


def _panes(seen: Visit) -> list[object]:
    script = """() => { const m = bujuMap.maps.get("compare_map");
      const others = m.panes.filter((pane) => pane.shown).map((pane) => pane.badge.textContent);
      return [m.data.panes.layout, m.badge.textContent, ...others]; }"""
    return list(seen.page.evaluate(script))


def test_a_link_shows_the_options_with_numbers_direction_and_definitions(
    open_page: Callable[..., tuple[Visit, dict[str, str]]],
) -> None:
    seen, _ids = open_page("today", "Close 002", lang="en")
    # The third village (60 pupils) loses school 002 in the east and walks to 001: the only pupils with a longer way.
    headline = seen.page.locator(".headline").inner_text()
    assert "60 pupils have a longer way, 0 a shorter one" in headline
    assert "schools closed: 1" in headline
    row = seen.page.locator(".compare-key tr", has_text="Pupils with a longer way")
    assert row.locator("td").nth(2).inner_text().split() == ["60", "worse"]
    row.locator("a").click()
    told = seen.page.locator("#definition-worse-pupils")
    told.wait_for(state="visible")
    assert "0.5 minutes longer" in told.inner_text()
    seen.require_clean()


def test_maps_swipe_and_stand_side_by_side_in_step(open_page: Callable[..., tuple[Visit, dict[str, str]]]) -> None:
    seen, _ids = open_page("today", "Close 002", "<b>*New*</b> =1+1", lang="en")
    assert HOSTILE in seen.page.locator(".headline").inner_text()
    assert _panes(seen)[0] == "swipe"
    seen.by_key("today_compare_painted").locator("button").nth(0).click()
    seen.settle()
    seen.by_key("today_compare_layout").locator("button").nth(1).click()
    seen.settle()
    seen.page.wait_for_function("() => bujuMap.maps.get('compare_map').data.panes.layout === 'grid'")
    assert _panes(seen) == ["grid", "Today", "Close 002", HOSTILE]
    moved = seen.page.evaluate(
        """() => { const m = bujuMap.maps.get("compare_map");
          m.map.setView(m.map.getCenter(), m.map.getZoom() + 1, { animate: false });
          m.panes[0].map.panBy([30, 20], { animate: false });
          return [m, ...m.panes].map((view) => [view.map.getZoom(), view.map.getCenter().lat.toFixed(5)].join()); }"""
    )
    assert len(set(moved)) == 1
    marks = seen.page.evaluate(
        """() => { const m = bujuMap.maps.get("compare_map");
          return [m, ...m.panes].map((view) => view.schools.map((item) => item.mark)); }"""
    )
    assert "closed" in marks[1]
    assert "new" in marks[2]
    assert not {"closed", "new"} & set(marks[0])
    seen.require_clean()


def test_choices_go_into_the_address_and_the_shared_link(
    open_page: Callable[..., tuple[Visit, dict[str, str]]],
) -> None:
    seen, ids = open_page(lang="en")
    box = seen.by_key("compare_options")
    box.locator("input").click()
    seen.page.get_by_role("option", name="Close 002").or_(seen.page.get_by_role("option", name=HOSTILE)).first.click()
    seen.settle()
    seen.page.wait_for_function("() => new URL(location).searchParams.get('compare').split('-').length === 3")
    seen.by_key("compare_share").locator("button").first.click()
    link = seen.page.locator("[data-testid=stPopoverBody] code").inner_text()
    assert set(ids.values()) <= set(link.split("compare=")[1].split("&")[0].split("-"))
    assert "today" in link
    seen.require_clean()


def test_years_worst_schools_and_downloads(
    open_page: Callable[..., tuple[Visit, dict[str, str]]], tmp_path: Path
) -> None:
    seen, _ids = open_page("today", HOSTILE, "Close 002", lang="zh")
    say = read_catalogue("zh")
    assert seen.by_key("compare_year").count() == 1
    assert "2029/30" in seen.by_key("compare_year").inner_text()
    buttons = seen.by_key("compare_table").locator("button")
    for number, word in enumerate(
        ("The way to school", "Split by", "", "What happens", "The numbers of the charts", "Excel workbook")
    ):
        buttons.nth(number).click()
        seen.settle()
        if word and number != 3:
            seen.page.get_by_text(say(word), exact=True).first.wait_for()
        if number in (1, 4):
            seen.page.locator(
                "[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg"
            ).first.wait_for()
    with seen.page.expect_download() as waiting:
        seen.by_key("compare_workbook").locator("button").click()
    assert waiting.value.suggested_filename == "comparison.xlsx"
    assert Path(waiting.value.path()).read_bytes()[:2] == b"PK"
    assert not [word for word in ("Pupils with", "worse", "Baseline") if word in seen.text()]
    seen.require_clean()
