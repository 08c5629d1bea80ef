"""Drawn zones looked at once: loads, ways, and what hangs together. Numbers, reasons and troubles all read this."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.study import FrozenArrays
from planning.drawing import DrawingTable
from planning.drawing_kernels import label_nodes, label_pieces, pick

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FULL_PUPILS = 1e-6
"""Pupils by which a school may be above its places through rounding."""


@dataclass(frozen=True, eq=False)
class DrawingState(FrozenArrays):
    """One drawing, looked at.

    Parameters
    ----------
    zone : shape (units,)
    zone_pupils : shape (zones,)
        Pupils who live in the zone.
    load : shape (own zones,)
        Pupils at the schools of each own zone, with their part of shared zones.
    travel, minutes : shape (units,)
        The way to the unit's zone; ``inf`` = none.
    node_start : shape (units + 1,)
        A unit has a node for each of its own zones, named by ``node_unit`` and ``node_own``; ``part`` and ``land`` are
        the parts that the nodes make by ``table.paths`` (what a zone must keep) and ``table.links`` (what is seen).
    home, land_home : shape (own zones,)
        The part with the school; −1 = the school stands nowhere, and nothing is apart from it.
    detached, exclave : shape (units,)
        Apart from the school of one of the unit's own zones by ``paths``; by ``links`` only (an exclave by geography).
    """

    zone: Ints
    zone_pupils: Floats
    load: Floats
    travel: Floats
    minutes: Floats
    node_start: Ints
    node_unit: Ints
    node_own: Ints
    part: Ints
    land: Ints
    home: Ints
    land_home: Ints
    detached: Bools
    exclave: Bools

    def over(self, table: DrawingTable) -> Floats:
        """Return the pupils above the places of each own zone."""
        over: Floats = np.where(np.isfinite(table.places), np.maximum(0.0, self.load - table.places), 0.0)
        return over

    def free(self, table: DrawingTable) -> Floats:
        """Return the free places of each own zone; ``inf`` where they are not known."""
        free: Floats = np.maximum(0.0, table.places - self.load)
        return free


def build_state(table: DrawingTable, zone: Ints) -> DrawingState:
    """Look at drawn zones: ``zone`` (units,), −1 = none."""
    zone = np.array(zone, dtype=np.int64)
    zoned = zone >= 0
    zone_pupils = np.bincount(zone[zoned], table.pupils[zoned], minlength=table.n_zones).astype(np.float64)
    minutes = pick(table.minutes, zone)
    travel = minutes if table.travel is table.minutes else pick(table.travel, zone)
    own_start, own = list_own(table)
    counts = np.append(np.diff(own_start), 0)[zone]
    node_start = np.zeros(len(zone) + 1, dtype=np.int64)
    np.cumsum(counts, out=node_start[1:])
    node_unit = np.repeat(np.arange(len(zone)), counts)
    place = np.arange(len(node_unit)) - node_start[node_unit]
    node_own = own[own_start[zone[node_unit]] + place] if len(node_unit) else np.empty(0, dtype=np.int64)
    part = label_nodes(zone, own_start, own, node_start, table.paths)
    land = part if not len(table.facts.bridges) else label_nodes(zone, own_start, own, node_start, table.links)
    home = _find_home(table, node_start, node_unit, node_own, part)
    land_home = home if land is part else _find_home(table, node_start, node_unit, node_own, land)
    detached = _find_apart(len(zone), node_unit, node_own, part, home)
    exclave = detached if land is part else _find_apart(len(zone), node_unit, node_own, land, land_home)
    return DrawingState(
        zone=zone,
        zone_pupils=zone_pupils,
        load=zone_pupils @ table.weight,
        travel=travel,
        minutes=minutes,
        node_start=node_start,
        node_unit=node_unit,
        node_own=node_own,
        part=part,
        land=land,
        home=home,
        land_home=land_home,
        detached=detached,
        exclave=exclave & ~detached,
    )


def list_own(table: DrawingTable) -> tuple[Ints, Ints]:
    """Return the own zones of every zone as start (zones + 1,) and list."""
    at, own = np.nonzero(table.admits[: table.n_zones])
    start = np.zeros(table.n_zones + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=table.n_zones), out=start[1:])
    return start, own.astype(np.int64)


def find_pieces(table: DrawingTable, zone: Ints) -> Ints:
    """Return the piece of land of every unit: its number is that of the piece's first unit."""
    pieces: Ints = label_pieces(np.array(zone, dtype=np.int64), table.links)
    return pieces


def _find_home(table: DrawingTable, node_start: Ints, node_unit: Ints, node_own: Ints, part: Ints) -> Ints:
    """Return the part with the school; of a school outside its own zone, the part with the most units."""
    home = np.full(table.n_own, -1, dtype=np.int64)
    if not len(part):
        return home
    seated = table.seat[node_own] == node_unit
    home[node_own[seated]] = part[seated]
    lost = (home < 0) & (table.seat >= 0)
    if lost[node_own].any():
        size = np.bincount(part, minlength=len(part))
        rows = np.flatnonzero(lost[node_own])
        rows = rows[np.lexsort((table.to_facts[node_unit[rows]], -size[part[rows]]))]
        first = np.unique(node_own[rows], return_index=True)[1]
        home[node_own[rows[first]]] = part[rows[first]]
    return home


def _find_apart(n: int, node_unit: Ints, node_own: Ints, part: Ints, home: Ints) -> Bools:
    apart = np.zeros(n, dtype=np.bool_)
    away = (home[node_own] >= 0) & (part != home[node_own])
    apart[node_unit[away]] = True
    return apart
