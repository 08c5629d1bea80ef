"""The table "How children get to school" of the Today page, without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

PAGE = Path(__file__).with_name("today_page.py")


def _words(test: AppTest) -> str:
    """All sentences, without the backslashes that keep names from being read as Markdown."""
    return " ".join(str(item.value) for item in [*test.markdown, *test.text, *test.caption]).replace("\\", "")


def _draw(stage: str, language: str) -> None:
    """Draw the table alone, for the street of ``tests.planning.test_lived_travel`` with names that break out."""
    from planning.rules import read_rulebook
    from planning.run import run_scenario
    from planning.scenario import Scenario
    from reports.language import read_catalogue
    from tests.planning.test_lived_travel import build_street
    from tests.worlds import WorldSchool, WorldUnit
    from ui.today_choices import Choice
    from ui.today_lived import render_lived

    name = "{{7*7}} $x$ **b** :smile: <img src=x onerror=alert(1)>"
    kind = {"kind": stage, "stages": (stage,)}
    study = build_street(
        pupils={stage: dict.fromkeys("abcde", 10.0)},
        schools={"S": WorldSchool(name=name, **kind)},  # type: ignore[arg-type]
        units={"d": WorldUnit(name=name)},
    )
    outcome = run_scenario(study, read_rulebook("cn"), Scenario(stages=(stage,)))  # type: ignore[arg-type]
    choice = Choice(stage, "walk", "nearest", "cn")  # type: ignore[arg-type]
    render_lived(study, outcome, choice, read_catalogue(language))


def test_the_villages_all_walk() -> None:
    """Nobody lives more than 20 min from a school, so no school needs a bus."""
    st.cache_resource.clear()
    test = AppTest.from_file(str(PAGE), default_timeout=60)
    test.query_params["lang"] = "en"
    test.session_state["today_table"] = "lived"
    test.run()
    assert not test.exception
    assert "Grades 1–3: 55 on foot, 0 by school bus" in _words(test)
    assert "Everybody has a way to school within the limits." in _words(test)


def test_the_street_tells_who_has_no_way() -> None:
    test = AppTest.from_function(_draw, kwargs={"stage": "primary", "language": "en"}, default_timeout=60).run()
    assert not test.exception
    assert "Grades 1–3: 10 on foot, 5 by school bus, 0 boarding, 10 without a lawful way." in _words(test)
    bands, stranded, needs = (frame.value for frame in test.dataframe)
    assert "Not known" not in bands.columns  # all is known, so no empty columns
    assert stranded["Pupils"].tolist() == [5.0, 5.0, 2.0]
    assert stranded["Community"][0].startswith("{{7*7}}")
    assert needs["Buses"].tolist() == [1]
    assert test.session_state["today_lived_rows"] == ["d", "e", "e"]


@pytest.mark.parametrize(("stage", "said"), [("junior", "7–9年级"), ("senior", "只对小学和初中")])
def test_other_stages_in_chinese(stage: str, said: str) -> None:
    test = AppTest.from_function(_draw, kwargs={"stage": stage, "language": "zh"}, default_timeout=60).run()
    assert not test.exception
    assert said in _words(test)
