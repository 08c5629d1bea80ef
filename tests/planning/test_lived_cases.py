"""How children get to school in the demo county and in real places."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from geodata.build import build_study
from geodata.study import StudyArea
from geodata.study_file import read_study_file
from planning.lived_sums import summarise_lived_county, summarise_lived_schools
from planning.lived_travel import build_lived_travel, list_lived_notes
from planning.rules import design_class_size, read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario

CN = read_rulebook("cn")
STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"


def answer(name: str, *, modes: tuple[str, ...] = ()) -> tuple[StudyArea, Outcome, pd.DataFrame]:
    """Return the study, its present, and how its children get to school."""
    spec = read_study_file(STUDIES / f"{name}.toml")
    if modes:
        spec = dataclasses.replace(spec, travel=dataclasses.replace(spec.travel, modes=modes))  # type: ignore[arg-type]
    study = build_study(spec, design_class_size=design_class_size(CN))
    taught = set(study.places["stage"])
    stages = tuple(stage for stage in ("primary", "junior") if stage in taught)
    outcome = run_scenario(study, CN, Scenario(stages=stages))  # type: ignore[arg-type]
    lived = build_lived_travel(study, CN, outcome)
    assert lived["pupils"].sum() == pytest.approx(sum(outcome.indicator("pupils", stage=stage) for stage in stages))
    schools = summarise_lived_schools(lived, study, CN, outcome)
    assert schools["pupils"].sum() == pytest.approx(lived["pupils"].sum())
    assert (schools.loc[schools["buses"] > 0, "bus_seats"] >= 7).all()
    return study, outcome, lived


def count(lived: pd.DataFrame, band: str, way: str) -> float:
    """Return the share of a band that takes a way."""
    table = summarise_lived_county(lived).set_index(["band", "way"])["share"]
    return float(table[band, way])


@pytest.mark.slow
def test_the_demo_county() -> None:
    study, outcome, lived = answer("demo")
    assert not list_lived_notes(study, outcome)
    assert count(lived, "1-3", "walk") == pytest.approx(0.866, abs=0.01)
    assert count(lived, "7-9", "bus") == pytest.approx(0.301, abs=0.01)
    assert set(lived["way"]) <= {"walk", "bus", "board"}  # villages are near enough for a bus


@pytest.mark.real
@pytest.mark.slow
def test_liechtenstein(cases: Path) -> None:
    """A few alpine huts are too far for grades 1 to 3; no beds are known."""
    study, outcome, lived = answer("liechtenstein")
    assert str(list_lived_notes(study, outcome)[0]).startswith("No school's beds are known")
    assert 0 < count(lived, "1-3", "none") < 0.02
    assert 0.5 < count(lived, "1-3", "walk") < 0.9


@pytest.mark.real
def test_porto_alegre(cases: Path) -> None:
    """A dense town: nearly everybody walks; an island has neither bridge nor bus."""
    _, _, lived = answer("porto_alegre")
    assert count(lived, "1-3", "walk") > 0.99
    stranded = lived[lived["way"] == "none"]
    assert 0 < stranded["pupils"].sum() < 20


@pytest.mark.real
def test_gongyi_without_car_times(cases: Path) -> None:
    study, outcome, lived = answer("gongyi", modes=("walk",))
    assert any("by car" in str(note) for note in list_lived_notes(study, outcome))
    assert set(lived["way"]) == {"walk", "unknown"}
    assert lived.loc[lived["way"] == "unknown", "lawful"].isna().all()
