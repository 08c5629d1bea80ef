"""The maps of a comparison: every answer on its own pane, the same school in the same place and colour."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from geodata.study import StudyArea
from planning.actions import ChangePlaces, CloseSchool, OpenSchool, StagePlaces
from planning.compare import compare_outcomes
from planning.rules import read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario
from reports.colours import MISSING_CLASS
from reports.compare_scene import LOST, RAMP, Panes, build_pane_parts, build_pane_scene, list_sites
from reports.language import read_catalogue
from tests.worlds import WorldSchool, build_five_villages, build_world

_ = read_catalogue("en")


def _ask(study: StudyArea, **changes: object) -> Outcome:
    return run_scenario(study, read_rulebook("cn"), Scenario(**changes))  # type: ignore[arg-type]


def _open(unit: str, school_id: str = "N") -> OpenSchool:
    places = (StagePlaces("primary", capacity_places=50),)
    return OpenSchool(school_id=school_id, name=f"New at {unit}", stages=places, unit_id=unit)


def _read(payload: dict[str, Any], name: str, dtype: str) -> list[float]:
    return np.frombuffer(base64.b64decode(payload["units"][name]), dtype=dtype).tolist()


def test_classes_of_change_follow_the_bands() -> None:
    study = build_five_villages()
    outcomes = [_ask(study), _ask(study, actions=(CloseSchool(school_id="E"),))]
    compared = compare_outcomes(outcomes, ["Today", "Close E"])
    panes = Panes("primary", "change", "single", (1,))
    parts = build_pane_parts(study, outcomes, compared, panes, _)
    payload = parts["paint_0"].build()
    # a, b, c keep their minutes; d 10 -> 30, e 0 -> 40.
    same, far = RAMP.index("same"), RAMP.index("worse_15")
    assert _read(payload, "classes", "u1") == [same, same, same, far, far]
    assert _read(payload, "changes", "<f4") == [0, 0, 0, 20, 40]
    scene = build_pane_scene(study, outcomes, compared, panes, _)
    assert scene["panes"] == {"layout": "single", "items": [{"label": "Close E"}]}
    assert scene["legend"][0]["ramp"]["bounds"] == ["−15", "−5", "−0.5", "+0.5", "+5", "+15"]


def test_closed_new_and_changed_schools_are_marked() -> None:
    study = build_five_villages()
    steps = (CloseSchool(school_id="E"), _open("c"), ChangePlaces(school_id="W", stage="primary", add_places=-20))
    outcomes = [_ask(study), _ask(study, actions=steps)]
    compared = compare_outcomes(outcomes, ["Today", "Plan"])
    panes = Panes("primary", "school", "swipe", (0, 1))
    parts = build_pane_parts(study, outcomes, compared, panes, _)
    shown = [{item["at"]: item for item in parts[f"paint_{place}"].build()["shown"]} for place in (0, 1)]
    assert {at: item.get("mark") for at, item in shown[0].items()} == {0: "", 1: "over"}
    assert shown[1][1]["mark"] == "closed"
    assert shown[1][2]["mark"] == "new"
    assert shown[1][0]["badge"] == "minus"
    signs = [item["label"] for item in build_pane_scene(study, outcomes, compared, panes, _)["legend"][-1]["items"]]
    assert signs == ["closed", "new school", "fewer places"]


def test_a_school_keeps_its_colour_in_every_pane() -> None:
    study = build_world(
        "a/S b/T c/U d e/V",
        pupils=dict.fromkeys("abcde", 10.0),
        schools={key: WorldSchool() for key in "STUV"},
    )
    outcomes = [_ask(study), _ask(study, actions=(CloseSchool(school_id="U"),))]
    compared = compare_outcomes(outcomes, ["Today", "Plan"])
    parts = build_pane_parts(study, outcomes, compared, Panes("primary", "school", "grid", (0, 1)), _)
    before, after = (_read(parts[f"paint_{place}"].build(), "classes", "u1") for place in (0, 1))
    assert before[0] == after[0]  # unit a stays with S
    assert before[4] == after[4]  # unit e stays with V
    assert len(set(before)) == 4 or MISSING_CLASS not in before


def test_two_options_may_open_different_schools_under_one_id() -> None:
    study = build_five_villages()
    outcomes = [_ask(study), _ask(study, actions=(_open("b"),)), _ask(study, actions=(_open("d"),))]
    sites = list_sites(study, outcomes)
    assert len(sites.points) == 4
    assert sites.points["id"].is_unique
    assert sites.at[1]["N"] != sites.at[2]["N"]
    assert "N" not in sites.at[0]


def test_a_lost_way_has_a_class_of_its_own() -> None:
    here = build_world(
        "a b/S . i/T", pupils={"a": 10, "b": 20, "i": 5}, schools={"S": WorldSchool(), "T": WorldSchool()}
    )
    outcomes = [_ask(here), _ask(here, actions=(CloseSchool(school_id="T"),))]
    compared = compare_outcomes(outcomes, ["Today", "Plan"])
    panes = Panes("primary", "change", "single", (1,))
    classes = _read(build_pane_parts(here, outcomes, compared, panes, _)["paint_0"].build(), "classes", "u1")
    assert classes[2] == LOST
    labels = [item["label"] for item in build_pane_scene(here, outcomes, compared, panes, _)["legend"][0]["items"]]
    assert labels == ["loses its way to school"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_scenes_are_plain_in_both_languages(language: str) -> None:
    study = build_five_villages()
    outcomes = [_ask(study), _ask(study, stages=("junior",))]
    compared = compare_outcomes(outcomes, ["Today", "Nothing"])
    translator = read_catalogue(language)
    for painted in ("school", "time", "change"):
        panes = Panes("primary", painted, "swipe", (0, 1), language)  # type: ignore[arg-type]
        build_pane_parts(study, outcomes, compared, panes, translator)
        assert build_pane_scene(study, outcomes, compared, panes, translator)["text"]["map"]
