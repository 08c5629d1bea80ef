"""Published figures that the balance inspection must reproduce (fixtures F1, F2, F3 of the rules)."""

import numpy as np
import pandas as pd
import pytest

from planning.balance_assets import round_to_sum, split_assets
from planning.balance_rules import SplitWeights
from planning.balance_spread import compute_composite, compute_spread
from tests.planning.balance_worlds import make_assets


def test_f1_weighted_and_unweighted_lie_on_different_sides_of_the_limit() -> None:
    pupils = np.array([45.0, 37.0, 89.0, 76.0, 55.0])
    books = np.array([279.0, 137.0, 935.0, 160.0, 402.0])
    found = compute_spread(books / pupils, pupils)
    assert found.mean == pytest.approx(6.3344, abs=5e-5)
    assert found.sd == pytest.approx(3.2639, abs=5e-5)
    assert found.weighted == pytest.approx(0.5153, abs=5e-5)
    assert found.unweighted == pytest.approx(0.4888, abs=5e-5)
    assert found.sample == pytest.approx(0.5465, abs=5e-5)
    assert found.weighted > 0.50 > found.unweighted


@pytest.mark.parametrize(
    ("cvs", "composite"),
    [
        ([0.881, 1.299, 0.977, 0.379, 0.170, 0.334, 0.286, 0.408], 0.592),
        ([0.353, 0.784, 0.146, 0.491, 0.037, 0.226, 0.223, 0.253], 0.314),
        ([0.711, 0.649, 0.472, 0.338, 0.235, 0.274, 0.260, 0.396], 0.417),
        ([0.505, 0.484, 0.325, 0.275, 0.199, 0.715, 0.421, 1.021], 0.493),
    ],
)
def test_f2_the_composite_is_the_plain_mean_of_eight(cvs: list[float], composite: float) -> None:
    assert round(compute_composite(cvs) + 1e-9, 3) == composite


def test_a_composite_with_a_gap_is_not_known() -> None:
    assert np.isnan(compute_composite([0.3, float("nan")]))


def test_f3_a_nine_year_school_is_split_by_weighted_pupils() -> None:
    parts = pd.DataFrame(
        {"school_id": ["N", "N"], "stage": ["primary", "junior"], "kind": "nine_year", "pupils": [166.0, 210.0]}
    )
    rows = make_assets({"school_id": "N", "library_books": 23226.0})
    found = split_assets(rows, parts, SplitWeights()).set_index("stage")["library_books"]
    assert found["primary"] == pytest.approx(9711.63, abs=0.005)
    assert found["junior"] == pytest.approx(13514.37, abs=0.005)
    assert found["primary"] / 166 == pytest.approx(58.5038, abs=5e-5)
    assert found.sum() == pytest.approx(23226.0, rel=1e-12)
    assert round_to_sum([found["primary"], found["junior"]]) == [9712.0, 13514.0]


def test_complete_secondary_and_twelve_year_schools_have_weights_of_their_own() -> None:
    # 300 junior + 1.2 × 250 senior = 600: half each. 100 + 1.1 × 100 + 1.32 × 100 = 342.
    parts = pd.DataFrame(
        {
            "school_id": ["C", "C", "T", "T", "T"],
            "stage": ["junior", "senior", "primary", "junior", "senior"],
            "kind": ["complete_secondary"] * 2 + ["twelve_year"] * 3,
            "pupils": [300.0, 250.0, 100.0, 100.0, 100.0],
        }
    )
    rows = make_assets({"school_id": "C", "equipment_cny": 600.0}, {"school_id": "T", "equipment_cny": 342.0})
    found = split_assets(rows, parts, SplitWeights()).set_index(["school_id", "stage"])["equipment_cny"]
    assert found.to_dict() == pytest.approx(
        {("C", "junior"): 300, ("C", "senior"): 300, ("T", "primary"): 100, ("T", "junior"): 110, ("T", "senior"): 132}
    )
