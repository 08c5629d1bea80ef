"""Drawing on real cases and the demo county: published figures, the reports' numbers, and reasons that hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geodata.build import read_study
from planning.conflicts import Conflict
from planning.drawing import DrawingTable, build_drawing_table, list_drawn, read_drawn
from planning.drawing_numbers import compare_numbers, measure_drawing
from planning.reasons import explain_unit, list_reasons
from planning.rules import design_class_size
from planning.scenario import Scenario
from planning.zone_changes import list_flows, list_grades
from planning.zone_troubles import list_troubles
from planning.zoning_problem import drop_locks
from planning.zoning_report import build_report
from tests.planning.drawing_worlds import at, scatter
from tests.planning.zoning_worlds import RULES

STUDIES = Path(__file__).resolve().parents[2] / "examples" / "studies"
CHECKED = 12
"""Units of each kind whose reason is tried."""


def _prepare(name: str, stage: str, mode: str) -> tuple[DrawingTable, object]:
    study = read_study(STUDIES / f"{name}.toml", design_class_size=design_class_size(RULES))
    scenario = Scenario(stages=(stage,), mode=mode)  # type: ignore[arg-type]
    table = build_drawing_table(study, RULES, scenario, stage)
    assert not isinstance(table, Conflict)
    return table, study


def _check_reasons(table: DrawingTable, zone: np.ndarray) -> None:
    """Do what the reasons say: free moves break nothing, chains make the room that they are said to make."""
    before = measure_drawing(table, zone)
    listed = list_reasons(table, zone)
    for kind in ("free", "full"):
        for unit in np.flatnonzero(listed["kinds"] == kind)[:CHECKED].tolist():
            reason = explain_unit(table, zone, unit)
            if kind == "full" and not reason.chain:
                continue
            after = zone.copy()
            after[unit] = table.zone_ids.index(reason.nearest_school_id)
            for unit_id, _old, new in reason.chain:
                after[at(table, unit_id)] = table.zone_ids.index(new)
            change = compare_numbers(measure_drawing(table, after), before)
            assert {conflict.rule for conflict in change.newly_broken} <= {"travel_cap", "class_size"}
            lost = reason.chain_min if reason.chain else 0.0
            assert change.pupil_min == pytest.approx(lost - reason.extra_min * table.pupils[unit], abs=1e-3)


def _check_mends(table: DrawingTable, zone: np.ndarray) -> None:
    before = measure_drawing(table, zone)
    troubles = list_troubles(table, zone)
    for row in troubles[troubles["mend_zone"] >= 0].head(CHECKED).itertuples():
        after = zone.copy()
        after[list(row.mend_units)] = row.mend_zone
        now = measure_drawing(table, after)
        assert now.pupil_min - before.pupil_min == pytest.approx(row.mend_min, abs=1e-3)
        assert not set(now.detached.tolist()) - set(before.detached.tolist())


@pytest.mark.parametrize("stage", ["primary", "junior"])
def test_the_demo_county(stage: str) -> None:
    """Today's zones with the units that two schools share; the numbers of the nearest are those of the report."""
    table, study = _prepare("demo", stage, "walk")
    assert table.n_zones > table.n_own
    assert (table.current >= 0).all()
    assert (read_drawn(table, list_drawn(table, table.current)) == table.current).all()
    today = measure_drawing(table, table.current)
    assert (today.moved_pupils, today.moved_units) == (0.0, 0)
    assert today.pupils[: table.n_own].sum() == pytest.approx(table.pupils.sum())
    numbers = measure_drawing(table, table.nearest)
    by_id = np.empty_like(table.nearest)
    by_id[table.to_facts] = table.nearest
    report = build_report(table.facts, by_id, drop_locks(table.facts), np.zeros(5), entering_share=None)
    assert numbers.moved_pupils == pytest.approx(report.moved_pupils)
    assert numbers.over_pupils == pytest.approx(report.overload_pupils)
    zoned = report.schools[report.schools["zone_id"] != ""]
    joined = zoned.groupby("zone_id")["joined_pupils"].sum().reindex(table.zone_ids[: table.n_own])
    np.testing.assert_allclose(numbers.joined_pupils[: table.n_own], joined)
    assert list_flows(table, table.nearest)["pupils"].sum() == pytest.approx(numbers.moved_pupils)
    grades = list_grades(study, table, table.current)  # type: ignore[arg-type]
    assert grades["pupils"].sum() == pytest.approx(table.pupils.sum())
    _check_reasons(table, table.current)
    _check_mends(table, table.current)


@pytest.mark.real
def test_vasileostrovsky(cases: Path) -> None:
    """The published figures of the nearest school: 11 schools overrun by 10,932 pupils, 7.044 min on the mean."""
    table, _ = _prepare("vasileostrovsky", "primary", "walk")
    numbers = measure_drawing(table, table.nearest)
    assert (numbers.over_zones, round(numbers.over_pupils)) == (11, 10_932)
    assert numbers.mean_travel_min_total == pytest.approx(7.044, abs=1e-3)
    zone = scatter(table, 1, 300)
    _check_reasons(table, zone)
    _check_mends(table, zone)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "stage", "mode", "pupils"),
    [("gongyi", "junior", "bicycle", 40_995), ("zy_blocks", "primary", "walk", 3_873)],
)
def test_villages_and_blocks(cases: Path, name: str, stage: str, mode: str, pupils: float) -> None:
    table, _ = _prepare(name, stage, mode)
    assert (table.current == -1).all()
    nobody = measure_drawing(table, table.current)
    assert nobody.without_zone_pupils == pupils
    zone = scatter(table, 1, 60)
    numbers = measure_drawing(table, zone)
    assert numbers.zone_pupils.sum() == pytest.approx(pupils)
    _check_reasons(table, zone)
    _check_mends(table, zone)
