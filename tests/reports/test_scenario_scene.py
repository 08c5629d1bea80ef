"""The scenario map: what is crossed, starred, striped, and what the legend says, on five villages."""

from __future__ import annotations

import base64
import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geodata.study import StudyArea
from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.language import read_catalogue
from reports.scenario_after import BeforeAfter, compare_outcomes
from reports.scenario_points import SITE_PREFIX, Look, build_picture, build_point_symbols, list_points
from reports.scenario_scene import build_scenario_paint, build_scenario_parts, build_scenario_scene
from tests.worlds import build_five_villages

EN = read_catalogue("en")
NO_PAIRS = np.empty((0, 2), dtype=np.int64)


def _answer(study: StudyArea, *actions: object) -> tuple[Outcome, BeforeAfter]:
    scenario = Scenario(actions=actions)  # type: ignore[arg-type]
    outcome = run_scenario(study, read_rulebook("cn"), scenario)
    return outcome, compare_outcomes(study, outcome.before or outcome, outcome, "primary")


def _numbers(text: str, kind: str) -> list[int]:
    return np.frombuffer(base64.b64decode(text), dtype=kind).tolist()


def test_a_closed_school_is_crossed_and_its_villages_are_striped() -> None:
    # Villages a/W b c d e/E: 30, 20, 10, 20, 30 pupils, 10 minutes from each to the next. a and b go to W, then to E.
    study = build_five_villages()
    outcome, now = _answer(study, CloseSchool(school_id="W"))
    picture = build_picture(study, outcome.changes, now)
    went_to_w = [0, 1]
    assert picture.moved.tolist() == went_to_w
    paint = build_scenario_paint(study, picture, Look(), EN, pairs=NO_PAIRS)
    assert _numbers(paint["units"]["striped"], "<u4") == went_to_w
    marks = {item["at"]: item["mark"] for item in paint["shown"]}
    ids = picture.points["point_id"].tolist()
    assert marks[ids.index("W")] == "closed"
    assert marks[ids.index("E")] != "closed"
    numbers = now.numbers
    assert numbers["moved_pupils"] == pytest.approx(50)
    assert numbers["mean_min_before"] == pytest.approx(600 / 110)
    assert numbers["mean_min_after"] == pytest.approx((30 * 40 + 20 * 30 + 10 * 20 + 20 * 10) / 110)
    assert numbers["max_min_after"] == pytest.approx(40)
    assert (numbers["over_places_pupils_before"], numbers["over_places_pupils_after"]) == (20, 70)


def test_today_shows_neither_crosses_nor_stripes() -> None:
    study = build_five_villages()
    outcome, now = _answer(study, CloseSchool(school_id="W"))
    picture = build_picture(study, outcome.changes, now)
    paint = build_scenario_paint(study, picture, Look(painted="today"), EN, pairs=NO_PAIRS)
    assert "striped" not in paint["units"]
    assert {item.get("mark") for item in paint["shown"]} <= {"", "over", "unknown"}


def test_a_new_school_is_a_star_that_takes_villages_and_a_larger_one_has_a_plus() -> None:
    study = build_five_villages()
    village = str(study.units["unit_id"].iloc[0])
    opened = OpenSchool(
        school_id="N", name="<i>New</i>", stages=(StagePlaces("primary", capacity_places=90.0),), unit_id=village
    )
    larger = ChangePlaces(school_id="E", stage="primary", add_places=45.0)
    outcome, now = _answer(study, opened, larger)
    picture = build_picture(study, outcome.changes, now)
    shown, _others = build_point_symbols(study, picture, Look(), EN)
    ids = picture.points["point_id"].tolist()
    by_id = {ids[item["at"]]: item for item in shown}
    assert by_id["N"]["mark"] == "new"
    assert by_id["E"]["badge"] == "plus"
    assert now.school_after[0] == "N"
    assert shown[-1]["strong"]  # what the scenario changes lies above the rest
    scene = build_scenario_scene(study, picture, Look(), EN)
    words = [item["label"] for section in scene["legend"] for item in section["items"]]
    assert {"new school", "more places"} <= set(words)
    assert "closed" not in words


def test_a_site_is_offered_until_a_school_stands_there() -> None:
    study = build_five_villages()
    x_m, y_m = float(study.units["x_m"].iloc[0]), float(study.units["y_m"].iloc[0])
    row = {
        "site_id": ["S"],
        "name": ["Field"],
        "x_m": [x_m],
        "y_m": [y_m],
        "class_options": ["6"],
        "stages": ["primary"],
    }
    sites = gpd.GeoDataFrame(row, geometry=gpd.points_from_xy([x_m], [y_m]), crs=study.sites.crs)
    with_site = dataclasses.replace(study, sites=sites)
    columns = ["number", "school_id", "name", "what", "kind_after", "places_before", "places_after", "x_m", "y_m"]
    nothing = pd.DataFrame(columns=columns)
    assert f"{SITE_PREFIX}S" in list_points(with_site, nothing)["point_id"].tolist()
    taken = pd.DataFrame([[1, "N", "New", "opened", "primary", np.nan, 90.0, x_m, y_m]], columns=columns)
    points = list_points(with_site, taken)
    assert f"{SITE_PREFIX}S" not in points["point_id"].tolist()
    assert points.set_index("point_id").loc["N", "what"] == "opened"


def test_equal_pictures_have_equal_parts_and_a_step_changes_only_the_paint() -> None:
    study = build_five_villages()
    pictures = []
    for actions in ((), (), (CloseSchool(school_id="W"),)):
        outcome, now = _answer(study, *actions)
        picture = build_picture(study, outcome.changes, now)
        pictures.append(build_scenario_parts(study, picture, Look(), EN, pairs=NO_PAIRS))
    first, again, closed = pictures
    assert {role: part.digest for role, part in first.items()} == {role: part.digest for role, part in again.items()}
    assert first["schools"].digest == closed["schools"].digest  # the browser keeps the points that it has
    assert first["paint"].digest != closed["paint"].digest
