"""The Closures page: what is changed, what the page answers, and the page in Chromium on a county of three villages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.scenario import Scenario
from reports.language import read_catalogue
from tests.small_county import write_small_county
from tests.ui.app_driver import RunningApp, Visit, start_app, visit
from tests.ui.closures_page import load_county
from ui.closures_choices import Question, list_methods
from ui.closures_engine import answer_asked, build_engine, find_places, judge_closed, rank_at_once
from ui.closures_full import build_full_scenario
from ui.closures_put import rename_opened
from ui.closures_state import (
    ASKED_KEY,
    Asked,
    Opened,
    Resized,
    build_actions,
    close_exactly,
    drop_change,
    drop_unknown,
    name_new_school,
    open_school,
    resize,
    toggle_closed,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = Path(__file__).with_name("closures_page.py")
TOKEN = "c" * 32


def _ask(method: str = "nearest") -> Question:
    scenario = Scenario(enrolment="capacity" if method == "capacity" else "nearest")
    return Question("primary", "walk", "cn", scenario, "", "Today")


def test_a_click_replaces_the_change_or_adds_to_it() -> None:
    one = toggle_closed(Asked(), "A", combine=False)
    assert one == Asked(closed=("A",))
    assert toggle_closed(one, "G", combine=False) == Asked(closed=("G",))
    assert toggle_closed(one, "A", combine=False).is_empty
    both = toggle_closed(one, "G", combine=True)
    assert both.closed == ("A", "G")
    assert toggle_closed(both, "A", combine=True).closed == ("G",)


def test_a_closed_school_has_no_size_and_a_resized_one_is_open() -> None:
    larger = resize(Asked(closed=("A", "C")), Resized("A", add_classes=2), combine=True)
    assert (larger.closed, larger.resized) == (("C",), (Resized("A", add_classes=2),))
    assert close_exactly(larger, ("A",)) == Asked(closed=("A",))
    assert resize(larger, Resized("A", add_classes=0), combine=True).resized == ()
    assert drop_change(larger, "places", "A").resized == ()


def test_new_schools_get_free_ids() -> None:
    first = Opened(name_new_school(Asked(), frozenset({"A"}), combine=True), "One", 90, unit_id="a")
    asked = open_school(Asked(), first, combine=True)
    assert name_new_school(asked, frozenset({"A"}), combine=True) == "new_2"
    assert name_new_school(asked, frozenset({"new_1"}), combine=False) == "new_2"
    actions = build_actions(asked, "primary")
    renamed = rename_opened(actions, {"new_1", "new_1_2"})
    assert [action.school_id for action in renamed if isinstance(action, OpenSchool)] == ["new_1_3"]


def test_what_the_base_does_not_know_is_forgotten() -> None:
    asked = Asked(("A", "gone"), (Resized("gone", places=5),), (Opened("n", "New", 90, unit_id="nowhere"),))
    assert drop_unknown(asked, load_county(), frozenset({"A", "C", "G"})) == Asked(closed=("A",))


def test_changes_become_actions_of_the_stage_only() -> None:
    asked = Asked(("G",), (Resized("A", add_classes=2),), (Opened("new_1", "New", 90, unit_id="d"),))
    assert build_actions(asked, "primary") == (
        OpenSchool(school_id="new_1", name="New", stages=(StagePlaces("primary", 90),), unit_id="d"),
        ChangePlaces(school_id="A", stage="primary", add_classes=2),
        CloseSchool(school_id="G", stages=("primary",)),
    )


def test_the_engine_answers_closing_and_says_who_depends() -> None:
    engine = build_engine("near", load_county(), _ask())
    assert judge_closed(engine, Asked()) is None
    alone = judge_closed(engine, Asked(closed=("G",)))
    assert alone is not None
    assert (alone.can_close, alone.dependents) == (False, ("g",))
    free = judge_closed(engine, Asked(closed=("A",)))
    assert free is not None
    assert free.can_close
    # Either may close, but not both: a, b and c would walk 70, 60 and 40 min to G.
    both = judge_closed(engine, Asked(closed=("A", "C")))
    assert both is not None
    assert set(both.dependents) == {"a", "b", "c"}
    answered = answer_asked(engine, Asked(closed=("A", "C")))
    assert answered is not None
    assert answered.answer is not None
    assert answered.answer.numbers["extra_pupil_min"] == pytest.approx(3700)


def test_the_verdict_of_one_school_is_that_of_the_ranking() -> None:
    for method in ("nearest", "capacity"):
        engine = build_engine(f"same-{method}", load_county(), _ask(method))
        ranking = rank_at_once(engine.key, engine).set_index("school_id")
        for school_id in ("A", "C", "G"):
            verdict = judge_closed(engine, Asked(closed=(school_id,)))
            assert verdict is not None
            assert verdict.can_close == bool(ranking.loc[school_id, "can_close"])
            assert verdict.dependents == tuple(ranking.loc[school_id, "dependent_units"])


def test_more_classes_and_a_new_school_are_answered() -> None:
    engine = build_engine("room", load_county(), _ask("capacity"))
    # One class more at C has 45 places by the rules, beside the 25 there are; nothing is less than none.
    assert find_places(engine, Resized("C", add_classes=1)) == 70
    assert find_places(engine, Resized("C", add_classes=-9)) == 0
    answered = answer_asked(engine, Asked(opened=(Opened("new_1", "New", 100, unit_id="d"),)))
    assert answered is not None
    assert answered.answer is not None
    rows = answered.answer.schools.set_index("school_id")
    assert rows.loc["new_1", "pupils_after"] == 10  # only d is nearer to it
    assert [(school.school_id, school.x_m) for school in answered.opened] == [("new_1", 4500.0)]


def test_places_come_first_where_they_are_known() -> None:
    assert list_methods(load_county(), "primary") == ["capacity", "nearest"]
    assert list_methods(load_county(), "junior") == ["nearest"]


def test_the_full_scenario_has_the_changes_after_those_of_the_base() -> None:
    engine = build_engine("near", load_county(), _ask())
    actions = build_full_scenario(engine, Asked(closed=("A",)), "Without A").actions
    assert actions == (CloseSchool(school_id="A", stages=("primary",)),)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("BUJU_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path / "cache"))
    st.cache_resource.clear()
    test = AppTest.from_file(str(PAGE), default_timeout=60)
    test.query_params["lang"] = "en"
    test.session_state["today_closures_method_primary"] = "nearest"
    yield test
    st.cache_resource.clear()


def _words(test: AppTest) -> str:
    return " ".join(str(block.proto.body) for block in test.get("html"))


def _change(test: AppTest, **asked: object) -> None:
    scope = _ask().compute_key(load_county().fingerprint)
    test.session_state[ASKED_KEY] = {"scope": scope, "closed": [], "resized": [], "opened": [], **asked}


def test_the_page_opens_with_its_main_message_and_names_stay_text(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "by the travel limit 2 of 3 schools could close, 1 of them also within the places." in _words(page)
    assert "<img" not in _words(page)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("table", ["ranking", "moves", "full", "pairs", "meaning", "downloads"])
def test_every_table_opens_in_both_languages(page: AppTest, table: str, language: str) -> None:
    page.session_state["language"] = language
    page.session_state["closures_table"] = table
    _change(page, closed=["G"])
    page.run()
    assert not page.exception
    assert "<img" not in _words(page)


def test_a_school_that_cannot_close_says_why_and_for_whom(page: AppTest) -> None:
    _change(page, closed=["G"])
    page.run()
    words = _words(page)
    assert "✗ cannot close" in words
    assert "Communities that depend on it (1)" in words
    assert "&lt;img src=x" in words
    # 280 %: 70 pupils on 25 places.
    assert "280%" in words
    assert "Beyond the travel limit</td><td>0</td><td>40</td>" in words


def test_ticked_rows_close_together_and_the_button_takes_all_back(page: AppTest) -> None:
    _change(page, closed=["A", "C"])
    page.run()
    assert "All together: ✗ cannot close" in _words(page)
    assert page.session_state["closures_rows"]["selection"]["rows"] == [0, 1]
    page.button(key="closures_clear").click().run()
    assert not page.exception
    assert "Click a school on the map" in _words(page)


def test_one_of_several_changes_can_be_taken_back(page: AppTest) -> None:
    new = {"school_id": "new_1", "name": "New", "places": 90, "unit_id": "d", "site_id": ""}
    _change(page, closed=["G"], opened=[new])
    page.run()
    assert "2 changes at once" in _words(page)
    page.button_group(key="closures_changes").set_value(["close\nG"]).run()
    assert not page.exception
    assert page.session_state[ASKED_KEY]["closed"] == ["G"]
    assert page.session_state[ASKED_KEY]["opened"] == []
    assert "If G closed" in _words(page)


def test_the_full_answer_comes_on_demand_and_into_a_scenario_it_goes(page: AppTest) -> None:
    _change(page, closed=["G"])
    page.session_state["who"] = "Li"
    page.run()
    page.button(key="closures_full_open").click().run()
    assert not page.exception
    assert "What becomes free" in _words(page)
    assert "30" in _words(page)
    page.button(key="closures_add_go").click().run()
    assert not page.exception
    assert [box.value for box in page.success] == ["Now in the scenario “Without G”\\."]


def test_an_unknown_size_asks_for_places_and_a_known_one_for_classes(page: AppTest) -> None:
    page.session_state["closures_tool"] = "places"
    page.session_state["closures_selected"] = {"kind": "school", "id": "G"}
    page.run()
    assert page.number_input[0].label == "G\\: places \\(today unknown\\)"
    page.session_state["closures_selected"] = {"kind": "school", "id": "A"}
    page.run()
    assert "classes more" in page.number_input[0].label
    page.number_input[0].set_value(1).run()
    assert not page.exception
    assert "classes +1" in _words(page)


def test_a_large_county_answers_what_ifs_before_it_is_ranked(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    # The county of this page has no file, so no job can rank it: the page offers to try again, and goes on answering.
    monkeypatch.setattr("ui.closures_engine.RANK_AT_ONCE", 0)
    _change(page, closed=["G"])
    page.run()
    assert not page.exception
    assert "✗ cannot close" in _words(page)
    assert page.button(key="closures_singles_run").label == "Rank all closures"


@pytest.fixture(scope="module")
def county_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("closures")
    (folder / "uploads" / TOKEN).mkdir(parents=True)
    write_small_county(folder / "uploads" / TOKEN)
    with start_app(folder, BUJU_STORE=str(folder / "store")) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, county_app: RunningApp) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as stack:

        def start(**query: str) -> Visit:
            seen = stack.enter_context(visit(browser, county_app))
            seen.open("/closures", study=f"upload-{TOKEN}", **query)
            seen.page.wait_for_selector(".buju-map[data-version]")
            return seen.settle()

        yield start


SCHOOL_ON_SCREEN = """(id) => {
  const map = bujuMap.maps.get("closures_map"), part = map.parts.schools, i = part.at.get(id);
  const at = map.map.latLngToContainerPoint(map.toLatLng(part.x[i], part.y[i]));
  const box = map.frame.getBoundingClientRect();
  return [box.left + at.x, box.top + at.y];
}"""


@pytest.mark.browser
def test_a_click_on_the_map_answers_and_the_view_stays(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="en")
    before = seen.page.evaluate(SCHOOL_ON_SCREEN, "002")
    seen.page.mouse.click(*seen.page.evaluate(SCHOOL_ON_SCREEN, "001"))
    seen.page.wait_for_selector(".st-key-closures_side .verdict")
    seen.settle()
    assert "If =第一小学 closed" in seen.by_key("closures_side").inner_text()
    marks = seen.page.evaluate("() => bujuMap.maps.get('closures_map').schools.map((item) => item.mark)")
    assert "closed" in marks
    # Another legend stands below the map now, and nothing on it has moved.
    assert seen.page.evaluate(SCHOOL_ON_SCREEN, "002") == pytest.approx(before, abs=1.0)
    seen.require_clean()


@pytest.mark.browser
def test_pairs_are_ranked_by_a_job_and_the_page_speaks_chinese(open_page: Callable[..., Visit]) -> None:
    seen = open_page(lang="zh")
    say = read_catalogue("zh")
    assert say("All closures, ranked") in seen.text()
    seen.by_key("closures_table").get_by_role("radio", name=say("Pairs"), exact=True).click()
    seen.page.wait_for_selector(".st-key-closures_pairs_run")
    seen.click("closures_pairs_run")
    seen.page.wait_for_selector(".st-key-closures_pair_rows", timeout=60_000)
    seen.require_clean()
