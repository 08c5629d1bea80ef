"""What may be asked of zones, and how a wrong wish is told."""

from __future__ import annotations

from typing import Any

import pytest

from geodata.errors import ScenarioError
from planning.zoning_options import ZoningOptions


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"start": "curent"}, "did you mean 'current'"),
        ({"objectives": (("travle", 0.0),)}, "did you mean 'travel'"),
        ({"objectives": ()}, "at least one objective"),
        ({"objectives": (("travel", 0.0), ("travel", 0.1))}, "stands twice"),
        ({"objectives": (("travel", -0.1),)}, "slack of travel"),
        ({"max_moved_pupils": -1.0}, "max_moved_pupils"),
        ({"max_moved_pupils": float("inf")}, "max_moved_pupils"),
        ({"feeders": "all"}, "unknown feeders"),
        ({"max_feeder_split_share": 1.0}, "max_feeder_split_share"),
        ({"start": "table"}, "needs start_zones"),
        ({"locks": (("u", "primry", "S"),)}, "did you mean 'primary'"),
    ],
)
def test_a_wrong_wish_is_told(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        ZoningOptions(**wish)


def test_all_problems_at_once() -> None:
    with pytest.raises(ScenarioError, match=r"start.*feeders"):
        ZoningOptions(start="x", feeders="y")  # type: ignore[arg-type]
