"""A school on the wrong bank: close to its children as the crow flies, far away on foot, with a river between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geodata.errors import DataIssue
from geodata.messages import Message, msg
from geodata.quality_facts import Facts
from geodata.study import TravelMatrix

Floats = npt.NDArray[np.float64]

NEAR_M = 1_500.0
"""Children who live as near to a school as this would walk to it."""
NEAR_BARRIER_M = 500.0
"""A school that far from a river is not put on its wrong bank by a slip of the position."""
DETOUR_RATIO = 3.0
DETOUR_EXTRA_M = 1_000.0
"""A way is far longer than the straight line where it is so many times, and so many metres, as long."""
MOST_SHARE = 0.5
"""Share of the children near a school who must be so far from it on foot."""
LEAST_OFF_M = 30.0
BESIDE_M = 250.0
ACROSS_SHARE = 0.8
ACROSS_UNITS = 5
ACROSS_EXTRA_M = 200.0
"""Where bridges are near, no way is far longer. But of a school that stands beside a river nearly all children near it
hardly live across, with so much more of a detour (the median, against that of those on its own side)."""
_KINDS: dict[str, Message] = {
    "river": msg("a river lies between"),
    "railway": msg("a railway lies between"),
    "expressway": msg("an expressway lies between"),
}


@dataclass(frozen=True, eq=False)
class _Ways:
    """Straight lines and ways (metres, NaN = none) from the units near one school, their children, their positions."""

    at: npt.NDArray[np.int64]
    straight_m: Floats
    way_m: Floats
    children: Floats

    @property
    def is_far(self) -> npt.NDArray[np.bool_]:
        """Whether the way is far longer than the straight line, or there is none, by unit."""
        far = (self.way_m > DETOUR_RATIO * self.straight_m) & (self.way_m - self.straight_m > DETOUR_EXTRA_M)
        return np.asarray(far | np.isnan(self.way_m))


def check_wrong_bank(facts: Facts) -> list[DataIssue]:
    """Warning: a river, railway or expressway lies between a school and most children near it, and the way on foot is
    over three times the straight line and a kilometre longer: the school may stand on the wrong bank, or a bridge be
    missing. Note: it stands beside one, and of the children near it four in five live across, with a detour.
    """
    matrix = facts.travel.get("walk")
    if matrix is None or matrix.method != "roads" or facts.barriers is None or not len(facts.barriers):
        return []
    kinds = facts.barriers["kind"].astype(str).to_numpy()
    lines = np.asarray(facts.barriers.geometry.to_numpy(), dtype=object)
    wanted = np.isin(kinds, list(_KINDS))
    kinds, lines = kinds[wanted], lines[wanted]
    tree = shapely.STRtree(lines)
    units = facts.units[["x_m", "y_m"]].to_numpy(dtype=float)
    issues = []
    columns = {key: at for at, key in enumerate(matrix.destination_ids)}
    for key, x_m, y_m in zip(
        facts.schools["school_id"].astype(str), facts.schools["x_m"], facts.schools["y_m"], strict=True
    ):
        if key not in columns or not (np.isfinite(x_m) and np.isfinite(y_m)):
            continue
        near = np.asarray(tree.query(shapely.Point(x_m, y_m), predicate="dwithin", distance=NEAR_BARRIER_M))
        if not len(near):
            continue
        ways = _find_ways(facts, matrix, units, columns[key], np.array([x_m, y_m]))
        crossing = _cross(ways, units, np.array([x_m, y_m]), lines[near])
        found = _judge(ways, crossing, kinds[near])
        beside = np.asarray(shapely.dwithin(lines[near], shapely.Point(x_m, y_m), BESIDE_M))
        across = None if found is not None else _judge_side(ways, crossing[:, beside])
        if found is not None:
            issues.append(_tell(facts, key, ways, *found))
        elif across is not None:
            issues.append(_tell_side(facts, key, str(kinds[near][beside][across[0]]), *across[1:]))
    return issues


def _cross(ways: _Ways, units: Floats, school: Floats, lines: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Return whether the straight line from each unit crosses each barrier."""
    ends = np.stack([units[ways.at], np.broadcast_to(school, (len(ways.at), 2))], axis=1)
    straight = np.asarray(shapely.linestrings(ends), dtype=object)
    return np.asarray(shapely.intersects(straight[:, None], lines[None, :]), dtype=bool)


def _find_ways(facts: Facts, matrix: TravelMatrix, units: Floats, column: int, school: Floats) -> _Ways:
    straight = np.hypot(*(units - school).T)
    at = np.flatnonzero((straight <= NEAR_M) & (np.nan_to_num(facts.unit_pupils) > 0))
    children = np.asarray(facts.unit_pupils[at], dtype=float)
    return _Ways(at, straight[at], matrix.length_m[at, column].astype(float), children)


def _judge(
    ways: _Ways, all_crossing: npt.NDArray[np.bool_], kinds: npt.NDArray[np.str_]
) -> tuple[int, str, float] | None:
    """Return the unit told of (position in ``ways``), the kind of barrier, and the share of the children cut off."""
    far = np.flatnonzero(ways.is_far & (ways.straight_m > LEAST_OFF_M))
    if not len(far) or ways.children[far].sum() <= MOST_SHARE * ways.children.sum():
        return None
    crossing = all_crossing[far]
    parted = crossing.any(axis=1)
    if ways.children[far[parted]].sum() <= MOST_SHARE * ways.children.sum():
        return None
    best = far[parted][np.argmin(ways.straight_m[far[parted]])]
    row = int(np.flatnonzero(far == best)[0])
    between = {str(kind) for kind in kinds[crossing[row]]}
    kind = next(kind for kind in _KINDS if kind in between)
    return int(best), kind, float(ways.children[far].sum() / ways.children.sum())


def _judge_side(ways: _Ways, crossing: npt.NDArray[np.bool_]) -> tuple[int, float, float] | None:
    """Return the barrier across which nearly all children live, their share, and how much further it makes them go."""
    if len(ways.at) < ACROSS_UNITS or not crossing.shape[1]:
        return None
    shares = ways.children @ crossing / ways.children.sum()
    line = int(shares.argmax())
    across = crossing[:, line]
    extra_m = np.where(np.isnan(ways.way_m), np.inf, ways.way_m - ways.straight_m)
    own_m = float(np.median(extra_m[~across])) if not across.all() else 0.0
    more_m = float(np.median(extra_m[across])) - own_m if across.any() and np.isfinite(own_m) else 0.0
    told = shares[line] >= ACROSS_SHARE and np.isfinite(more_m) and more_m >= ACROSS_EXTRA_M
    return (line, float(shares[line]), more_m) if told else None


def _tell_side(facts: Facts, key: str, kind: str, share: float, more_m: float) -> DataIssue:
    problem = msg(
        "Of the children within {near:.1f} km of {name} {share:.0%} live on the other side: {between}. They walk "
        "{more:,.0f} m further than it looks. Does the school stand on the right side?",
        near=NEAR_M / 1000,
        name=facts.school_names[key],
        share=share,
        between=_KINDS[kind],
        more=more_m,
    )
    cure = msg("Check on which side the school stands; or a bridge or footpath is missing in the road file.")
    return facts.issue("wrong_bank", "note", problem, "schools", key, cure=cure)


def _tell(facts: Facts, key: str, ways: _Ways, told: int, kind: str, share: float) -> DataIssue:
    unit_id = str(facts.units["unit_id"].iloc[ways.at[told]])
    straight, way = float(ways.straight_m[told]), float(ways.way_m[told])
    far: Message = msg("no way on foot was found")
    if np.isfinite(way):
        far = msg("the way on foot is {distance:,.1f} km", distance=way / 1000)
    problem = msg(
        "{name} may stand on the wrong bank: {unit} is {straight:,.0f} m away in a straight line, but {far}; {between}."
        " So it is for {share:.0%} of the children near it.",
        name=facts.school_names[key],
        unit=facts.unit_names[unit_id],
        straight=straight,
        far=far,
        between=_KINDS[kind],
        share=share,
    )
    cure = msg("Check on which side the school stands; or a bridge or footpath is missing in the road file.")
    return facts.issue("wrong_bank", "warning", problem, "schools", key, cure=cure)
