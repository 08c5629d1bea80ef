"""What the tests of drawing share: tables of small worlds, random grids, and every chain of two moves tried."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from geodata.study import StudyArea
from planning.assignment_options import AssignmentOptions
from planning.conflicts import Conflict
from planning.drawing import DrawingTable, build_drawing_table
from planning.drawing_numbers import measure_drawing
from planning.scenario import Scenario
from planning.zoning_options import ZoningOptions
from tests.planning.zoning_worlds import RULES
from tests.worlds import WorldSchool, build_world


def prepare(
    study: StudyArea, *, stage: str = "primary", drawn: pd.DataFrame | None = None, **more: Any
) -> DrawingTable:
    """Return the table of a study; ``more`` are fields of the scenario, the assignment or the zoning."""
    assignment = {key: more.pop(key) for key in list(more) if key in AssignmentOptions.__dataclass_fields__}
    zoning = {key: more.pop(key) for key in list(more) if key in ZoningOptions.__dataclass_fields__}
    scenario = Scenario(
        stages=(stage,),  # type: ignore[arg-type]
        assignment=AssignmentOptions(**assignment),
        zoning=ZoningOptions(**zoning),
        **more,
    )
    table = build_drawing_table(study, RULES, scenario, stage, drawn=drawn)
    assert not isinstance(table, Conflict), table.message
    return table


def draw(table: DrawingTable, zones: dict[str, str]) -> np.ndarray:
    """Return zone numbers from ids of units and of zones; units not named have none."""
    number = {key: at for at, key in enumerate(table.zone_ids)}
    return np.array([number[zones[unit]] if unit in zones else -1 for unit in table.unit_ids], dtype=np.int64)


def spell(table: DrawingTable, text: str) -> np.ndarray:
    """Return zone numbers from ``"a:W b:W c:E"``; several units may stand together: ``"ab:W c:E"``."""
    pairs = [part.split(":") for part in text.split()]
    return draw(table, {unit: zone for units, zone in pairs for unit in units})


def at(table: DrawingTable, unit_id: str) -> int:
    """Return the position of a unit."""
    return table.unit_ids.index(unit_id)


def build_random(seed: int, *, rows: int = 4, columns: int = 4, schools: int = 3, today: bool = True) -> StudyArea:
    """Return a grid with schools at random, 0 to 20 pupils, tight places, and the nearest schools as today's zones."""
    generator = np.random.default_rng(seed)
    names = [f"u{number:02d}" for number in range(rows * columns)]
    seats = generator.choice(len(names), schools, replace=False).tolist()
    letters = "ABCDEF"[:schools]
    standing = dict(zip(seats, letters, strict=True))
    cells = [name + (f"/{standing[number]}" if number in standing else "") for number, name in enumerate(names)]
    picture = "\n".join(" ".join(cells[row * columns : (row + 1) * columns]) for row in range(rows))
    pupils = {name: float(count) for name, count in zip(names, generator.integers(0, 21, len(names)), strict=True)}
    each = sum(pupils.values()) / schools
    study = build_world(
        picture,
        pupils=pupils,
        schools={key: WorldSchool(places=float(round(each * generator.uniform(0.7, 1.5)))) for key in letters},
    )
    if not today:
        return study
    table = prepare(study)
    zone = scatter(table, seed + 1, 2)
    rows_today = [(unit, "primary", table.zone_ids[zone[at]]) for at, unit in enumerate(table.unit_ids)]
    # One unit is shared by two schools.
    rows_today.append((table.unit_ids[0], "primary", letters[int(rows_today[0][2] == "A")]))
    return replace(study, zones=pd.DataFrame(rows_today, columns=["unit_id", "stage", "school_id"], dtype=str))


def scatter(table: DrawingTable, seed: int, count: int) -> np.ndarray:
    """Return the nearest schools with some units given to the zone of a neighbour; seats keep theirs."""
    generator = np.random.default_rng(seed)
    zone = table.nearest.copy()
    for unit in generator.permutation(table.n_units)[:count]:
        others = table.neighbour[table.start[unit] : table.start[unit + 1]]
        if len(others):
            zone[unit] = zone[generator.choice(others)]
    zone[table.seat] = np.arange(table.n_own)
    return zone


def shuffle_rows(study: StudyArea, seed: int) -> StudyArea:
    """Return the same study with the rows of its tables in another order."""
    generator = np.random.default_rng(seed)

    def mix(frame: Any) -> Any:
        return frame.iloc[generator.permutation(len(frame))].reset_index(drop=True)

    order = generator.permutation(len(study.units))
    about = study.adjacency
    fields = {
        key: getattr(about, key)[order] for key in ("area_m2", "perimeter_m") if len(getattr(about, key)) == len(order)
    }
    return replace(
        study,
        units=study.units.iloc[order].reset_index(drop=True),
        schools=mix(study.schools),
        places=mix(study.places),
        rolls=mix(study.rolls),
        zones=mix(study.zones),
        adjacency=replace(about, **fields),
    )


def count_pieces(table: DrawingTable, zone: np.ndarray, own: int) -> tuple[int, set[int]]:
    """Return the pieces of an own zone and the units apart from its school, counted by networkx."""
    inside = {unit for unit in range(table.n_units) if zone[unit] >= 0 and table.admits[zone[unit], own]}
    graph = nx.Graph()
    graph.add_nodes_from(inside)
    graph.add_edges_from((a, b) for a, b in table.links.tolist() if a in inside and b in inside)
    parts = list(nx.connected_components(graph))
    home = next((part for part in parts if table.seat[own] in part), set())
    return len(parts), (inside - home if home else set())


def find_cheapest_chain(table: DrawingTable, zone: np.ndarray, unit: int, target: int) -> float:
    """Return the least pupil-minutes of one or two moves that make room, every one tried; ``inf`` = none does.

    The first move leaves the nearest school, the second it, or the zone that the first enters. Judged by
    ``measure_drawing``: no newly full school, nobody newly apart.
    """
    before = measure_drawing(table, zone)
    fixed = {*table.seat.tolist(), unit}
    pupils, minutes = table.pupils, table.minutes

    def leaving(own: int, current: np.ndarray, taken: set[int]) -> list[int]:
        return [
            other
            for other in np.flatnonzero((current == own) & (pupils > 0)).tolist()
            if other not in fixed and other not in taken
        ]

    best = np.inf
    singles = [(v, m) for v in leaving(target, zone, set()) for m in range(table.n_own) if m != target]
    chains: list[list[tuple[int, int]]] = [[single] for single in singles]
    chains += [[a, b] for a, b in itertools.combinations(singles, 2) if a[0] != b[0]]
    chains += [
        [(v, m), (w, k)] for v, m in singles for w in leaving(m, zone, {v}) for k in range(table.n_own) if k != m
    ]
    for chain in chains:
        cost = sum(pupils[v] * (minutes[v, m] - minutes[v, zone[v]]) for v, m in chain)
        if cost >= best - 1e-9:
            continue
        after = zone.copy()
        after[unit] = target
        for v, m in chain:
            after[v] = m
        now = measure_drawing(table, after)
        over_now = np.maximum(0.0, now.pupils - now.places)[: table.n_own]
        over_before = np.maximum(0.0, before.pupils - before.places)[: table.n_own]
        over_before[target] = 0.0
        touched = {unit, *(v for v, _ in chain)}
        apart = set(now.detached.tolist()) - (set(before.detached.tolist()) - touched)
        if (over_now <= over_before + 1e-6).all() and not apart:
            best = cost
    return float(best)
