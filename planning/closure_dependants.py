"""Who depends on a school: for whom no other school within the limit of the way is left, or none at all.

That is a matter of distance alone. Whether the schools that are near enough also have room is told apart: where places
are short everywhere, every closure pushes somebody somewhere, and no school could ever close.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geodata.messages import Message, msg
from geodata.study import FrozenArrays
from planning.conflicts import name_some
from planning.what_if import WhatIf
from planning.what_if_entries import SHARE_TOLERANCE, Moves
from planning.what_if_types import Bools, Floats, Ints

SHORT = ("over_places_added_pupils", "beyond_limit_added_pupils", "unreached_added_pupils")
"""What shows that places are short, among the numbers of a closure."""
LEAST_PUPILS = 0.5
_AT_ONCE = 4_096


@dataclass(frozen=True, eq=False)
class Reliance(FrozenArrays):
    """Parts of units (``unit``, ``band`` of grades, ``share`` of the unit's pupils) that rely on some schools alone.

    ``schools`` (parts, 2): the one school, twice, or the two, that are within the limit of the way, or (``last``)
    within reach at all. ``limited``: some rule limits the way.
    """

    unit: Ints
    band: Ints
    share: Floats
    schools: Ints
    last: Bools
    limited: bool

    def pick(self, at: Bools | Ints) -> Reliance:
        """Return some parts."""
        return Reliance(self.unit[at], self.band[at], self.share[at], self.schools[at], self.last[at], self.limited)


@dataclass(frozen=True, eq=False)
class Dependants(FrozenArrays):
    """Units that cannot do without some schools, most pupils first: ``unit``, ``pupils`` of each (0 = unknown).

    ``stranded`` of them reach no other school at all.
    """

    unit: Ints
    pupils: Floats
    stranded: Bools


def find_reliance(what_if: WhatIf) -> Reliance:
    """Return who has one or two schools within the limit, or within reach, of the way; units without pupils have none.

    Grades 1 to 3 can go to teaching points, the others cannot: they are looked at apart where there are any.
    """
    ground = what_if.ground
    low_share = what_if.scenario.low_grade_share
    bands: list[tuple[float, Bools | None]] = [(1.0, None)]
    if what_if.low_only.any():
        bands = [(low_share, None), (1.0 - low_share, ~what_if.low_only)]
    found: list[tuple[Ints, Ints, Floats, Ints, Bools]] = []
    lived = np.flatnonzero(~(ground.pupils == 0))
    for begin in range(0, len(lived), _AT_ONCE):
        units = lived[begin : begin + _AT_ONCE]
        reached = what_if.open_way[units]
        with np.errstate(invalid="ignore"):
            within = reached & (ground.way[units] <= ground.limit[units])
        for band, (share, allowed) in enumerate(bands):
            for last, table in enumerate((within, reached) if share > 0 else ()):
                usable = table if allowed is None else table & allowed[None, :]
                count = usable.sum(axis=1)
                for number in (1, 2):
                    at = np.flatnonzero(count == number)
                    schools = np.nonzero(usable[at])[1].reshape(len(at), number)[:, [0, -1]]
                    same = (np.full(len(at), value) for value in (band, share, bool(last)))
                    found.append((units[at], next(same), next(same), schools, next(same)))
    limited = bool(np.isfinite(ground.limit).any())
    if not found:
        nobody = np.zeros(0, np.int64)
        return Reliance(nobody, nobody, np.zeros(0), np.zeros((0, 2), np.int64), np.zeros(0, np.bool_), limited)
    units, parts, shares, schools, lasts = (np.concatenate(column) for column in zip(*found, strict=True))
    return Reliance(units, parts, shares, schools, lasts, limited)


def list_dependants(what_if: WhatIf, reliance: Reliance) -> Dependants:
    """Return those who rely on the schools closed (``reliance`` of these only)."""
    ground = what_if.ground
    parts, first = np.unique(reliance.unit * 2 + reliance.band, return_index=True)
    units = np.unique(parts // 2)
    given = np.bincount(np.searchsorted(units, parts // 2), weights=reliance.share[first], minlength=len(units))
    part = np.minimum(given, 1.0)
    stranded = np.isin(units, reliance.unit[reliance.last])
    pupils = np.nan_to_num(part * ground.pupils[units])
    found = np.flatnonzero((part > SHARE_TOLERANCE) & ~(ground.pupils[units] == 0))
    order = found[np.lexsort((units[found], -pupils[found]))]
    return Dependants(units[order], pupils[order], stranded[order])


def count_staying_beyond(moves: Moves) -> float:
    """Return the pupils who move and are beyond the limit before and after."""
    return float(moves.pupils[moves.beyond_before & moves.beyond_after].sum())


def explain(
    what_if: WhatIf, limited: bool, dependants: Dependants, beyond_pupils: float, numbers: Mapping[str, float]
) -> Message:
    """Return in words why schools can, or cannot, be closed.

    ``beyond_pupils`` are and stay beyond the limit; ``numbers`` are those of ``closure_measures.HARMS``.
    """
    if not len(dependants.unit):
        return _explain_short(numbers) if lacks_places(numbers) else _explain_free(limited, beyond_pupils)
    names = [what_if.unit_names[at] for at in dependants.unit]
    values: dict[str, object] = {
        "units": len(names),
        "pupils": float(dependants.pupils.sum()),
        "names": name_some(names),
    }
    if dependants.stranded.all() or not limited:
        return msg("{units} communities with {pupils:,.0f} pupils would reach no school at all: {names}.", **values)
    limit = what_if.ground.limit[dependants.unit[~dependants.stranded]]
    limit = limit[np.isfinite(limit)]
    if len(limit) and limit.min() == limit.max():
        values["limit"] = float(limit.min())
        if what_if.ground.by_time:
            return msg(
                "{units} communities with {pupils:,.0f} pupils would have no school within {limit:.0f} min: {names}.",
                **values,
            )
        return msg(
            "{units} communities with {pupils:,.0f} pupils would have no school within {limit:,.0f} m: {names}.",
            **values,
        )
    return msg(
        "{units} communities with {pupils:,.0f} pupils would have no school within the limit of the way: {names}.",
        **values,
    )


def lacks_places(numbers: Mapping[str, float]) -> bool:
    """Return whether a closure sends pupils above the places, beyond the limit, or nowhere, who are not so today."""
    return any(numbers[name] > LEAST_PUPILS for name in SHORT)


def _explain_short(numbers: Mapping[str, float]) -> Message:
    """Return the words for a closure for which there are schools near enough, but not places enough in them."""
    over, beyond, unreached = (max(0.0, numbers[name]) for name in SHORT)
    parts = (
        (over, msg("{pupils:,.0f} more pupils would be above the places", pupils=over)),
        (beyond, msg("{pupils:,.0f} more would be sent beyond the limit of the way", pupils=beyond)),
        (unreached, msg("{pupils:,.0f} more would have no place at all", pupils=unreached)),
    )
    told = tuple(words for count, words in parts if count > LEAST_PUPILS)
    return msg("Everybody has another school near enough, but places are too few: {parts}.", parts=told)


def _explain_free(limited: bool, beyond_pupils: float) -> Message:
    """Return the words for a closure that leaves nobody without a lawful way."""
    if not limited:
        return msg("Everybody can reach another school. The rulebook limits no way for this stage.")
    if beyond_pupils > 0:
        return msg(
            "Everybody within the limit has another school within it. {pupils:,.0f} pupils who are beyond it today"
            " would stay beyond it.",
            pupils=beyond_pupils,
        )
    return msg("Everybody has another school within the limit of the way.")
