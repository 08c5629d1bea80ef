"""Children scaled to known totals."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.calibrate import calibrate_pupils, calibrate_towns


def _units(**columns: list[float] | list[str]) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    base: dict[str, object] = {
        "unit_id": [f"u{position}" for position in range(count)],
        "town": [""] * count,
        "area_m2": [1.0] * count,
        "population_people": [np.nan] * count,
    }
    for stage in ("kindergarten", "primary", "junior", "senior"):
        base[f"{stage}_pupils"] = [np.nan] * count
    return gpd.GeoDataFrame(base | columns, geometry=[shapely.Point(0, 0)] * count)


def test_children_are_scaled_in_proportion() -> None:
    units = _units(primary_pupils=[10.0, 30.0, np.nan])
    scaled, issues = calibrate_pupils(units, {"primary": 80})
    assert scaled["primary_pupils"].tolist()[:2] == [20, 60]
    assert np.isnan(scaled["primary_pupils"].iloc[2])
    assert [issue.severity for issue in issues] == ["warning"]
    assert "× 2.000" in str(issues[0])
    assert units["primary_pupils"].tolist()[:2] == [10, 30]


def test_unknown_children_are_spread_like_the_people() -> None:
    scaled, issues = calibrate_pupils(_units(population_people=[100.0, 300.0]), {"junior": 40})
    assert scaled["junior_pupils"].tolist() == [10, 30]
    assert issues[0].severity == "warning"


def test_a_total_that_cannot_be_used_is_told() -> None:
    units = _units(primary_pupils=[1.0])
    scaled, issues = calibrate_pupils(units, {"college": 3, "junior": 5, "primary": float("nan")})
    assert [issue.severity for issue in issues] == ["warning"] * 3
    assert scaled["primary_pupils"].tolist() == [1.0]


def test_towns_are_scaled_each_by_itself() -> None:
    # 东镇 has 100 people and 10 derived children; its total of 200 people doubles both. 西镇 has no total.
    units = _units(town=["东镇", "东镇", "西镇"], population_people=[40.0, 60.0, 50.0], primary_pupils=[4.0, 6.0, 5.0])
    totals = pd.DataFrame({"town": ["东镇", "东真"], "population_people": [200.0, 5.0]})
    scaled, issues = calibrate_towns(units, totals, modelled=("primary",))
    assert scaled["population_people"].tolist() == [80, 120, 50]
    assert scaled["primary_pupils"].tolist() == [8, 12, 5]
    counted, _ = calibrate_towns(units, totals)
    assert counted["primary_pupils"].tolist() == [4, 6, 5]
    assert {issue.check for issue in issues} == {"town_unknown", "town_without_total", "calibration"}


def test_people_without_a_place_go_by_area() -> None:
    units = _units(town=["A", "A"], area_m2=[1.0, 3.0], population_people=[0.0, 0.0])
    scaled, _ = calibrate_towns(units, pd.DataFrame({"town": ["A"], "population_people": [40.0]}))
    assert scaled["population_people"].tolist() == [10, 30]


@given(
    pupils=st.lists(st.floats(0, 1e4), min_size=1, max_size=30).filter(lambda values: sum(values) > 1e-3),
    total=st.floats(1, 1e6),
)
def test_the_sum_is_the_total_and_proportions_stay(pupils: list[float], total: float) -> None:
    scaled, _ = calibrate_pupils(_units(primary_pupils=pupils), {"primary": total})
    assert scaled["primary_pupils"].sum() == pytest.approx(total, rel=1e-9)
    largest = int(np.argmax(pupils))
    expected = np.array(pupils) / pupils[largest] * scaled["primary_pupils"].iloc[largest]
    np.testing.assert_allclose(scaled["primary_pupils"], expected, rtol=1e-9, atol=1e-300)
