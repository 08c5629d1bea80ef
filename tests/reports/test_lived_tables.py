"""How children get to school in words and tables: the street of ``tests.planning.test_lived_travel``."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planning.lived_sums import summarise_lived_schools
from planning.lived_travel import LivedOptions, build_lived_travel
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.colours import MISSING_CLASS, REACH_BREAKS, REACH_COLOURS, classify
from reports.language import read_catalogue
from reports.legend import COLOUR_BY, build_legend, name_colour_by
from reports.lived_tables import (
    build_band_table,
    build_lived_rows,
    build_school_table,
    build_stranded_table,
    list_assumptions,
    say_lived,
    select_stranded,
)
from reports.map_scene import View, build_paint, build_scene
from reports.tables import render_csv
from tests.planning.test_lived_travel import CN, build_street
from tests.worlds import build_five_villages

ENGLISH, CHINESE = read_catalogue("en"), read_catalogue("zh")


def test_the_street_in_words() -> None:
    study = build_street()
    outcome = run_scenario(study, CN, Scenario())
    lived = build_lived_travel(study, CN, outcome)
    assert say_lived(lived, ENGLISH) == (
        "Grades 1–3: 10 on foot, 5 by school bus, 0 boarding, 10 without a lawful way."
        " Grades 4–6: 15 on foot, 5 by school bus, 3 boarding, 2 without a lawful way."
    )
    bands = build_band_table(lived, ENGLISH)
    assert bands["Grades"].tolist() == ["1–3", "4–6"]
    assert bands["No lawful way (%)"].tolist() == [40.0, 8.0]
    rows = select_stranded(lived)
    assert list(zip(rows["unit_id"], rows["band"], rows["pupils"], strict=True)) == [
        ("d", "1-3", 5.0),
        ("e", "1-3", 5.0),
        ("e", "4-6", 2.0),
    ]
    table = build_stranded_table(rows, outcome, ENGLISH)
    assert table["Quickest way (min)"].tolist() == [31, 41, 41]
    assert table["Limit (min)"].tolist() == [30, 30, 40]
    assert str(table["Reason"].iloc[0]).startswith("90 min on foot is longer than the 30 min of grades 1–3.")
    needs = build_school_table(summarise_lived_schools(lived, study, CN, outcome), ENGLISH)
    assert list(needs.iloc[0][["Buses", "Bus seats", "Beds used", "Beds"]]) == [1, 10, 3, "3"]
    csv = render_csv(build_lived_rows(lived, ENGLISH)).decode("utf-8-sig")
    assert "1–3" in csv and ",1-3," not in csv  # a spreadsheet would read a date


def test_assumptions_name_their_source() -> None:
    study = build_street()
    lived = build_lived_travel(study, CN, run_scenario(study, CN, Scenario()))
    said = list_assumptions(lived, CN, LivedOptions(), ENGLISH)
    assert said[0].startswith("Grades 1–3: up to 30 min (Travel time, grades 1 to 3: 国办发〔2018〕27号")
    assert said[1] == "Grades 4–6: up to 40 min, an assumption: no rule names a limit."
    assert "300 m to the stop" in said[2] and "36 seats" in said[2]


def test_what_is_unknown_is_said() -> None:
    study = build_street(beds=None)
    lived = build_lived_travel(study, CN, run_scenario(study, CN, Scenario()))
    assert say_lived(lived, ENGLISH).endswith("Of 5 it is not known, for lack of data.")


@pytest.mark.parametrize("translator", [ENGLISH, CHINESE])
def test_places_within_reach_on_the_map(translator) -> None:  # type: ignore[no-untyped-def]
    """Five villages, 30 min: everybody reaches both schools, 140 places for 110 children."""
    study = build_five_villages()
    outcome = run_scenario(study, CN, Scenario())
    view = View("primary", "walk", "reach")
    paint = build_paint(study, outcome, view, translator)["units"]
    values = outcome.stages[0].reach
    # West's 100 places are asked by a to d (80 children), East's 40 by b to e (80).
    assert values.round(6).tolist() == [1.25, 1.75, 1.75, 1.75, 0.5]
    assert paint["digits"] == 2 and paint["colours"] == list(REACH_COLOURS)
    assert classify([0.0, 0.5, 1.25, np.nan], REACH_BREAKS).tolist() == [0, 2, 5, MISSING_CLASS]
    scene = build_scene(study, outcome, view, translator, has_isochrones=False)
    assert "30" in scene["legend"][0]["note"]
    assert scene["text"]["value"].count("{value}") == 1
    assert len({name_colour_by(name, translator) for name in COLOUR_BY}) == len(COLOUR_BY)


def test_the_legend_names_the_limit_of_the_rules() -> None:
    legend = build_legend(
        ENGLISH, stage="junior", mode="drive", colour_by="reach", basis="actual", child_breaks=(0.0,), reach_min=45
    )
    assert legend[0]["note"].startswith("Schools within 45 min by car or school bus")


def test_unknown_places_are_hatched() -> None:
    study = build_five_villages()
    places = study.places.assign(capacity_places=float("nan"))
    outcome = run_scenario(dataclasses.replace(study, places=places), CN, Scenario())
    assert outcome.stages[0].reach.isna().all()
    assert np.isnan(outcome.indicator("access_places_mean"))
    paint = build_paint(study, outcome, View("primary", "walk", "reach"), ENGLISH)["units"]
    assert paint["classes"]
