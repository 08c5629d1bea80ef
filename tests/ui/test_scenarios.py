"""The Scenarios page in Chromium: built by clicks and table, found again, shared, restored, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from reports.language import read_catalogue
from tests.small_county import write_small_county
from tests.ui.app_driver import ROOT, RunningApp, Visit, start_app, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
COUNTY = "c" * 32
SITES = "地块编号,地块名称,经度,纬度,可建规模,可办学段\nS1,<b>东地块</b>,113.015,34.50,6;12,小学\n"
FIND = """([kind, id]) => {
  const m = bujuMap.maps.get("scenario_map"), part = m.parts[kind === "unit" ? "units" : "schools"];
  const at = part.at.get(id);
  const [x, y] = kind === "unit" ? m.middle(part, at) : [part.x[at], part.y[at]];
  const p = m.map.latLngToContainerPoint(m.toLatLng(x, y)), b = m.frame.getBoundingClientRect();
  return [b.left + p.x, b.top + p.y]; }"""


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("scenarios")
    place = folder / "uploads" / COUNTY
    place.mkdir(parents=True)
    study = write_small_county(place)
    (place / "sites.csv").write_text(SITES, encoding="utf-8")
    with study.open("a", encoding="utf-8") as stream:
        stream.write('[sites]\npath = "sites.csv"\n')
    with start_app(folder) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(**query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open("/scenarios", study=f"upload-{COUNTY}", **{"lang": "en", **query})
            return seen

        yield start


def _name_planner(seen: Visit, who: str, key: str = "scenario_who") -> None:
    box = seen.by_key(key).locator("input")
    box.fill(who)
    box.press("Enter")
    seen.page.wait_for_function("who => localStorage.getItem('buju-who') === who", arg=who)
    seen.settle()


def _make(seen: Visit, name: str, who: str = "Li Min") -> str:
    """Make a scenario on the list, and return its id."""
    seen.by_key("scenario_new").wait_for()
    seen.settle()
    if seen.by_key("scenario_who").locator("input").input_value() != who:
        _name_planner(seen, who)
    box = seen.by_key("scenario_new_name").locator("input")
    box.fill(name)
    box.press("Enter")
    seen.settle()
    seen.click("scenario_create")
    seen.page.wait_for_selector(".buju-map[data-version]")
    seen.settle()
    return parse_qs(urlsplit(seen.page.url).query)["scenario"][0]


def _click(seen: Visit, kind: str, key: str) -> None:
    seen.page.mouse.click(*seen.page.evaluate(FIND, [kind, key]))
    seen.by_key("scenario_card_close").wait_for()
    seen.settle()


def _take(seen: Visit, kind: str, key: str, task: str, button: str) -> None:
    """Click on the map, choose what to do, and put the step into the scenario."""
    _click(seen, kind, key)
    if task:
        seen.by_key("scenario_side").get_by_text(task, exact=True).first.click()
        seen.settle()
    seen.click(button)
    seen.by_key("scenario_card_close").wait_for(state="detached")
    seen.settle()


def _tiles(seen: Visit) -> list[str]:
    """The figures of the strip: value and change of each."""
    seen.page.locator(".tile").first.wait_for()
    return [str(line) for line in seen.page.locator(".tile").all_inner_texts()]


def _steps(seen: Visit) -> list[str]:
    return [str(line) for line in seen.page.locator(".st-key-scenario_side .step > div:nth-child(2)").all_inner_texts()]


def test_a_scenario_is_built_by_clicks_and_table_found_again_and_runs_alike_in_the_terminal(
    open_page: Callable[..., Visit], county_app: RunningApp, tmp_path: Path
) -> None:
    seen = open_page()
    scenario = _make(seen, "One school")
    before = seen.page.evaluate(
        "() => { const c = bujuMap.maps.get('scenario_map').map.getCenter(); return [c.lat, c.lng]; }"
    )
    # Villages of 60 pupils each; school 001 stands between the first two and takes 120, school 002 takes 60 of 180.
    _take(seen, "school", "001", "Close down", "scenario_add_close")
    assert _tiles(seen)[0].split("\n")[-1] == "120 pupils"
    assert _steps(seen) == ["Close =第一小学"]
    _take(seen, "school", "site:S1", "", "scenario_add_open")
    assert len(_steps(seen)) == 2
    assert "<b>东地块</b>" in _steps(seen)[1]
    marks = seen.page.evaluate("() => bujuMap.maps.get('scenario_map').schools.map((item) => item.mark)")
    assert sorted(mark for mark in marks if mark in ("closed", "new", "site")) == ["closed", "new"]
    after = seen.page.evaluate(
        "() => { const c = bujuMap.maps.get('scenario_map').map.getCenter(); return [c.lat, c.lng]; }"
    )
    assert after == pytest.approx(before, abs=0.01)
    _edit_by_table(seen)
    seen.page.reload()
    seen.page.wait_for_selector(".buju-map[data-version]")
    seen.settle()
    assert _steps(seen)[0].startswith("Open ")
    shown, file = _read_fingerprint(seen), _download(seen, tmp_path)
    assert shown == _run_in_terminal(county_app, file, tmp_path)
    other = open_page(scenario=scenario)  # the link, in the browser of somebody else
    other.page.wait_for_selector(".buju-map[data-version]")
    other.settle()
    assert _steps(other) == _steps(seen)
    assert other.by_key("scenario_who_side").count() == 1
    seen.require_clean()
    other.require_clean()


def _edit_by_table(seen: Visit) -> None:
    """Put the second step first, and give it a comment."""
    seen.by_key("scenario_step_menu_2").locator("button").first.click()
    seen.by_key("scenario_up_2").locator("button").click()
    seen.page.locator(".st-key-scenario_step_1 .step", has_text="Open").wait_for()
    seen.settle()
    seen.page.keyboard.press("Escape")
    seen.by_key("scenario_step_menu_2").locator("button").first.click()
    box = seen.by_key("scenario_comment_2").locator("input")
    box.fill("after the new one is ready")
    box.press("Enter")
    seen.page.locator(".step .more", has_text="after the new one is ready").wait_for()
    seen.settle()
    seen.page.keyboard.press("Escape")


def _read_fingerprint(seen: Visit) -> str:
    seen.by_key("scenario_tab").get_by_text("Details", exact=True).click()
    table = seen.page.locator(".record[data-plan]")
    table.wait_for()
    seen.settle()
    return str(table.get_attribute("data-plan"))


def _download(seen: Visit, folder: Path) -> Path:
    seen.by_key("scenario_more").locator("button").first.click()
    with seen.page.expect_download() as waiting:
        seen.by_key("scenario_file").locator("button").click()
    seen.page.keyboard.press("Escape")
    path = folder / "scenario.toml"
    path.write_bytes(Path(waiting.value.path()).read_bytes())
    return path


def _run_in_terminal(app: RunningApp, scenario: Path, folder: Path) -> str:
    study = app.cache_folder.parent / "uploads" / COUNTY / "study.toml"
    command = [sys.executable, "cli.py", "run", str(study), "--scenario", str(scenario), "--out", str(folder / "out")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((folder / "out" / "outcome.json").read_text(encoding="utf-8"))
    return str(record["plan_fingerprint"])


def test_two_planners_get_a_question_and_no_work_is_lost(open_page: Callable[..., Visit]) -> None:
    first = open_page()
    scenario = _make(first, "Shared")
    second = open_page(scenario=scenario)
    second.page.wait_for_selector(".buju-map[data-version]")
    second.settle()
    _name_planner(second, "Wang", "scenario_who_side")
    first.page.get_by_text("No step closes").wait_for()  # nothing will draw this page anew by itself
    _click(first, "school", "001")
    first.by_key("scenario_side").get_by_text("Close down", exact=True).first.click()
    first.by_key("scenario_add_close").wait_for()
    first.settle()
    _set_classes(second, "002", 5)
    assert len(_steps(second)) == 1
    first.click("scenario_add_close")  # the first planner still looks at the empty scenario
    box = first.by_key("scenario_conflict_box")
    first.by_key("scenario_keep_both").wait_for()  # the last of the box: all its words are there
    words = box.inner_text()
    assert "Wang" in words
    assert "Close =第一小学" in words
    first.click("scenario_keep_both")
    first.page.get_by_text("Yours is kept as").wait_for()
    first.settle()
    assert _steps(first) == _steps(second)
    first.click("scenario_all")
    first.page.get_by_role("button", name="Shared (Li Min)").click()
    first.page.wait_for_selector(".buju-map[data-version]")
    first.settle()
    assert _steps(first) == ["Close =第一小学"]
    first.require_clean()
    second.require_clean()


def _set_classes(seen: Visit, school: str, classes: int) -> None:
    """Give a school another number of classes."""
    _click(seen, "school", school)
    seen.by_key("scenario_side").get_by_text("Places", exact=True).last.click()
    seen.settle()
    box = seen.by_key("scenario_form").locator("input[type=number]").first
    box.fill(str(classes))
    box.press("Enter")
    seen.settle()
    seen.click("scenario_add_places")
    seen.by_key("scenario_card_close").wait_for(state="detached")
    seen.settle()


def test_steps_are_undone_versions_restored_and_a_deletion_taken_back(open_page: Callable[..., Visit]) -> None:
    seen = open_page()
    scenario = _make(seen, "Now and then")
    _take(seen, "school", "001", "Close down", "scenario_add_close")
    seen.click("scenario_undo")
    seen.page.get_by_text("No steps yet").wait_for()
    seen.settle()
    seen.click("scenario_redo")
    seen.page.locator(".step").first.wait_for()
    seen.settle()
    seen.by_key("scenario_tab").get_by_text("History", exact=True).click()
    seen.settle()
    seen.click("scenario_restore_1")
    seen.page.get_by_text("No steps yet").wait_for()
    seen.settle()
    assert seen.by_key("scenario_version_5").count() == 1
    assert (
        "Earlier version restored"
        in seen.page.evaluate(
            "() => [...document.querySelectorAll('.st-key-scenario_below')].map((box) => box.innerText).join()"
        )
        or seen.by_key("scenario_below").locator("[data-testid=stDataFrame]").count() > 0
    )
    seen.by_key("scenario_more").locator("button").first.click()
    seen.click("scenario_delete")
    seen.by_key("scenario_undelete").wait_for()
    seen.settle()
    assert seen.by_key(f"scenario_open_{scenario}").count() == 0
    seen.click("scenario_undelete")
    seen.by_key(f"scenario_open_{scenario}").wait_for()
    seen.require_clean()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_to_nothing_is_told_and_both_languages_are_whole(open_page: Callable[..., Visit], language: str) -> None:
    seen = open_page(lang=language, scenario="0" * 16)
    say = read_catalogue(language)
    seen.by_key("scenario_new").wait_for()
    seen.settle()
    words = seen.text()
    for word in (
        "The scenario of this link is not there: it may be of another county or another machine.",
        "New scenario",
    ):
        assert say(word) in words
    seen.require_clean()
