"""The Today page without a browser: switches, cards, tables, words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.language import read_catalogue
from tests.ui.today_page import BRACES, HOSTILE, load_county
from tests.worlds import WorldSchool, build_five_villages, build_island, build_world
from ui.cards import build_school_card, build_unit_card
from ui.map_settings import list_tile_hosts, read_tiles
from ui.today_choices import Choice, list_bases, list_enrolments, list_stages
from ui.today_panels import say_headline

PAGE = Path(__file__).with_name("today_page.py")
ENGLISH = read_catalogue("en")
CHOICE = Choice("primary", "walk", "nearest", "cn", "time", "actual")


@pytest.fixture
def page() -> Iterator[AppTest]:
    st.cache_resource.clear()
    test = AppTest.from_file(str(PAGE), default_timeout=60)
    test.query_params["lang"] = "en"
    yield test.run()


def _words(test: AppTest) -> str:
    return " ".join(str(block.proto.body) for block in test.get("html"))


def test_the_page_opens_with_its_main_message(page: AppTest) -> None:
    assert not page.exception
    # East: 70 pupils for 40 places; West: 40 for 100.
    assert "1 of 2 schools hold more pupils than places, 1 are less than half full" in _words(page)
    assert "Synthetic demo" in _words(page)


def test_a_switch_gives_other_minutes(page: AppTest) -> None:
    assert "half of the children need up to 0 min, 5% of them more than 20 min" in _words(page)
    page.session_state["today_mode"] = "drive"
    page.run()
    assert not page.exception
    # Driving is five times as fast as walking.
    assert "5% of them more than 4 min" in _words(page)


@pytest.mark.parametrize("table", ["flags", "indicators", "areas", "lived", "leakage", "downloads"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_table_opens_in_both_languages(page: AppTest, table: str, language: str) -> None:
    page.session_state["today_table"] = table
    page.session_state["language"] = language
    page.run()
    assert not page.exception


@pytest.mark.parametrize("colour", ["time", "children", "school", "reach"])
@pytest.mark.parametrize("rulebook", ["cn", "intl"])
def test_every_colour_and_rulebook_works(page: AppTest, colour: str, rulebook: str) -> None:
    page.session_state["today_colour"] = colour
    page.session_state["rules"] = rulebook
    page.run()
    assert not page.exception


@pytest.mark.parametrize("selected", [("school", "W"), ("school", "gone"), ("unit", "a"), ("unit", "gone")])
def test_a_card_opens_for_what_is_chosen_and_nothing_breaks_for_what_is_gone(
    page: AppTest, selected: tuple[str, str]
) -> None:
    page.session_state["today_selected"] = {"kind": selected[0], "id": selected[1]}
    page.run()
    assert not page.exception
    assert [button.label for button in page.button if button.key == "today_close"] == (
        [] if selected[1] == "gone" else ["← Back to the county"]
    )


def test_names_stay_text_in_cards() -> None:
    study = load_county()
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    cards = [build_school_card(study, outcome, key, "primary", ENGLISH) for key in "WE"]
    cards += [build_unit_card(study, outcome, key, "primary", ENGLISH) for key in "abcde"]
    for card in cards:
        assert HOSTILE not in card
        assert "<img" not in card
    assert "&lt;img src=x onerror=alert(1)&gt;" in cards[0]
    assert BRACES in cards[1]


def test_the_card_holds_the_numbers_of_the_school() -> None:
    study = build_five_villages()
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    card = build_school_card(study, outcome, "E", "primary", ENGLISH)
    for word in ("70", "40", "175%", "East School", "Over capacity", "60"):
        assert word in card, word


def test_the_card_of_a_school_of_another_stage_says_what_it_teaches() -> None:
    school = WorldSchool(kind="nine_year", stages=("primary", "junior"), places={"primary": 100, "junior": 80}, roll=60)
    study = build_world("a/S b", pupils={"a": 30}, schools={"S": school})
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    card = build_school_card(study, outcome, "S", "senior", ENGLISH)
    assert "This school has no Senior stage." in card
    assert "<td>Primary</td><td>60</td><td>100</td>" in card
    assert "<td>Junior</td><td>–</td><td>80</td>" in card


def test_the_card_of_a_cut_off_unit_says_so() -> None:
    study = build_island()
    outcome = run_scenario(study, read_rulebook("cn"), Scenario())
    assert "no school within reach" in build_unit_card(study, outcome, "i", "primary", ENGLISH)


def test_only_what_the_county_offers_can_be_chosen() -> None:
    study = build_five_villages()
    assert list_stages(study) == ["primary"]
    assert list_enrolments(study, "primary") == ["nearest"]
    assert list_bases(study, "primary") == ["actual", "modelled"]
    assert list_bases(study, "junior") == ["modelled"]
    zoned = build_five_villages(zones=[("a", "primary", "W")])
    assert list_enrolments(zoned, "primary") == ["nearest", "zones"]


def test_where_no_plan_is_possible_the_headline_says_why() -> None:
    study = build_five_villages(modes=["walk"])
    outcome = run_scenario(study, read_rulebook("cn"), Scenario(mode="drive"))
    assert "There are no travel times by car or school bus" in say_headline(outcome, CHOICE, ENGLISH)


def test_tiles_come_from_configuration_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUJU_TILES", raising=False)
    assert read_tiles() is None
    assert list_tile_hosts() == ()
    monkeypatch.setenv("BUJU_TILES", "https://{s}.tiles.example/{z}/{x}/{y}.png")
    assert read_tiles() == {"url": "https://{s}.tiles.example/{z}/{x}/{y}.png"}
    assert list_tile_hosts() == ("https://*.tiles.example",)
    monkeypatch.setenv("BUJU_TILES", "javascript:alert(1)")
    assert read_tiles() is None
