"""Where new schools could stand when nobody has a list of sites: candidates from open land or from planning units.

1. Unmet demand by unit (``geodata.site_search_demand``).
2. Many small groups of it: weighted k-means (Lloyd's algorithm with the seeding of Arthur and Vassilvitskii 2007, of
   scikit-learn), so that the middle of each has the least sum of squared distances to its pupils.
3. For each group the lawful place nearest to its middle (``geodata.site_search_places``): a piece of open land within
   half of the longest way, else the place of a unit; never two within :data:`SPREAD_M` of each other, nor one so near
   to a school of the stage or a site that is known already. A nearer place that something excludes is kept aside.
4. Of these places one after the other is chosen, each time the one within whose longest way most pupils are still
   without a place, at most ``school_pupils`` of them, the nearest first: the greedy rule for covering a population
   (Church and ReVelle 1974), first by straight lines, then by measured ways.

Candidates are places to be looked at, not sites: whether the land can be had, and is flat, is not known here.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.road_classes import STRAIGHT_LINE, read_road_classes
from geodata.seats import find_seats
from geodata.site_exclusions import ClearDistances, Obstacles, build_obstacles, measure_exclusions, name_kind
from geodata.site_search_choice import Found, Wants, choose_excluded, choose_spots, locate_spots
from geodata.site_search_demand import UNMET_COLUMNS, UnmetDemand, compute_unmet
from geodata.site_search_places import PlaceFinder, Spot
from geodata.study import FrozenArrays, Mode, Progress, Stage, StudyArea, no_progress

CANDIDATE_COLUMNS = (
    *("site_id", "name", "x_m", "y_m", "unit_id", "town", "setting", "area_m2"),
    *("unmet_pupils", "near_pupils", "source", "excluded", "excluded_by"),
)
"""One row per candidate, lawful ones first, in the order in which they were chosen.

``area_m2``: land that is left after what excludes (NaN: unknown). ``near_pupils``: pupils without a place within the
longest way of it. ``unmet_pupils``: how many of them it would take up after the candidates above it, at most
``school_pupils``; for an excluded one, how many if it were alone. ``source``: open_land or unit. ``excluded_by``:
kinds, joined by ``;`` (``area``: too little land)."""
SPREAD_M = 300.0
"""Two candidates, or a candidate and a school of the stage, are at least so far apart."""
LAND_REACH_SHARE = 0.5
"""Open land is looked for within this share of the longest way (in a straight line) of a group's middle."""
SCHOOL_PUPILS = 1080.0
"""A candidate takes up at most so many pupils, unless another size is given: 24 classes of 45."""
GROUPS_PER_CANDIDATE = 4
LEAST_GROUPS = 60
"""So many groups are made for each candidate that is asked for, and at least in all."""
STARTS = 2
"""Groupings tried from different starts; the best is kept."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates(FrozenArrays):
    """What a search found.

    ``table``: ``CANDIDATE_COLUMNS``. ``distances``: ``geodata.site_exclusions.DISTANCE_COLUMNS``. ``unmet``:
    ``geodata.site_search_demand.UNMET_COLUMNS``, the units with unmet demand. ``notes``: what the reader must know:
    kinds of which nothing is known, where railways and main roads come from, no unmet demand.
    """

    table: pd.DataFrame
    distances: pd.DataFrame
    unmet: pd.DataFrame
    stage: Stage
    mode: Mode
    max_travel_min: float
    seed: int = 0
    notes: tuple[Message, ...] = ()


def find_candidates(
    study: StudyArea,
    *,
    stage: Stage,
    mode: Mode,
    max_travel_min: float,
    count: int,
    clear: ClearDistances,
    seed: int = 0,
    school_pupils: float = SCHOOL_PUPILS,
    progress: Progress = no_progress,
) -> Candidates:
    """Return at most ``count`` lawful candidates for new schools, and nearer places that something excludes.

    Parameters
    ----------
    study
        Today's, or one of a forecast year (``planning.projected_study``).
    stage, mode, max_travel_min
        Whose pupils, how they travel, and the longest way in minutes.
    count
        How many candidates are wanted; there may be fewer.
    clear
        What a school keeps clear of (``planning.site_rules.build_clear_distances``).
    seed
        Of the grouping. Equal study and seed, equal candidates.
    school_pupils
        A candidate takes up at most so many pupils, so that where many are without a place several candidates stand.
    progress
        May raise ``Cancelled``.

    Raises
    ------
    ScenarioError
        The study has no travel in this mode.
    """
    progress(msg("Counting pupils without a place"), 0.0)
    unmet = compute_unmet(study, stage=stage, mode=mode, max_travel_min=max_travel_min)
    wanting = _list_wanting(study, unmet)
    centres = _find_groups(wanting, count, seed, progress)
    progress(msg("Looking for lawful places"), 0.3)
    obstacles = build_obstacles(study)
    finder = PlaceFinder(study, clear, obstacles)
    reach_m = _find_reach(study, mode, max_travel_min) * LAND_REACH_SHARE
    lawful, excluded = _list_spots(finder, centres, reach_m, _list_taken(study, stage), progress)
    wants = Wants(study, wanting, mode, max_travel_min, count, school_pupils)
    chosen = choose_spots(wants, lawful, progress)
    kept = choose_excluded(wants, excluded, progress)
    table = _build_table(study, [*chosen, *kept])
    return Candidates(
        table=table,
        distances=measure_exclusions(study, table, obstacles=obstacles),
        unmet=wanting[list(UNMET_COLUMNS)].reset_index(drop=True),
        stage=stage,
        mode=mode,
        max_travel_min=max_travel_min,
        seed=seed,
        notes=_tell_notes(study, clear, obstacles, unmet, few=len(chosen) < count),
    )


def _list_wanting(study: StudyArea, unmet: UnmetDemand) -> pd.DataFrame:
    """Return the units with unmet demand and a place: ``UNMET_COLUMNS``, x_m and y_m, in the order of their ids."""
    units = study.units.drop_duplicates("unit_id")[["unit_id", "x_m", "y_m"]]
    found = unmet.table[unmet.table["unmet_pupils"] > 0].merge(pd.DataFrame(units), on="unit_id", how="left")
    return found.dropna(subset=["x_m", "y_m"]).sort_values("unit_id").reset_index(drop=True)


def _find_reach(study: StudyArea, mode: Mode, max_travel_min: float) -> float:
    """Return how far in a straight line one gets within the longest way, in metres."""
    kmh = read_road_classes()[STRAIGHT_LINE].speed_kmh[mode]
    return max_travel_min * (kmh / 0.06) / study.travel[mode].detour_factor


def _find_groups(wanting: pd.DataFrame, count: int, seed: int, progress: Progress) -> list[tuple[float, float]]:
    """Return the middles (x, y) of the groups of unmet demand, most pupils first."""
    places = wanting[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    weight = wanting["unmet_pupils"].to_numpy(dtype=np.float64)
    asked = max(count * GROUPS_PER_CANDIDATE, LEAST_GROUPS) if count > 0 else 0
    k = min(asked, len(np.unique(places, axis=0)))
    if k < 1:
        return []
    label = _group(places, weight, k, seed, progress)
    total = np.bincount(label, weights=weight)
    middle = [np.bincount(label, weights=weight * places[:, axis]) / total for axis in (0, 1)]
    order = np.lexsort((middle[1], middle[0], -total))
    return [(float(middle[0][at]), float(middle[1][at])) for at in order]


def _group(places: Floats, weight: Floats, k: int, seed: int, progress: Progress) -> npt.NDArray[np.int64]:
    """Return the group of each place: the best of several starts, on one core so that machines agree."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    centred_km = (places - np.average(places, axis=0, weights=weight)) / 1000.0
    best: Any = None
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of places that nearly coincide some groups stay empty
        for start in range(STARTS):
            progress(msg("Grouping pupils without a place"), 0.05 + 0.25 * start / STARTS)
            found = KMeans(n_clusters=k, n_init=1, random_state=seed + start).fit(centred_km, sample_weight=weight)
            if best is None or found.inertia_ < best.inertia_ * (1 - 1e-9):
                best = found
    # numbers of groups without members are closed up
    return np.asarray(np.unique(best.labels_, return_inverse=True)[1], dtype=np.int64)


def _list_taken(study: StudyArea, stage: Stage) -> list[tuple[float, float]]:
    """Return where schools of the stage and known sites stand."""
    teaching = set(study.places.loc[study.places["stage"] == stage, "school_id"].astype(str))
    schools = study.schools[study.schools["school_id"].astype(str).isin(teaching)]
    tables = [table for table in (schools, study.sites) if len(table)]
    return [(float(x), float(y)) for table in tables for x, y in zip(table["x_m"], table["y_m"], strict=True)]


def _list_spots(
    finder: PlaceFinder,
    centres: list[tuple[float, float]],
    reach_m: float,
    taken: list[tuple[float, float]],
    progress: Progress,
) -> tuple[list[Found], list[Found]]:
    """Return the lawful spot of each group, and nearer ones that something excludes (each once)."""
    lawful: list[Found] = []
    excluded: dict[tuple[str, int], Found] = {}
    for group, (x_m, y_m) in enumerate(centres):
        progress(msg("Looking for lawful places"), 0.3 + 0.4 * group / len(centres))
        refused: dict[str, Spot] = {}
        for spot in chain(finder.list_land(x_m, y_m, reach_m), finder.list_units(x_m, y_m)):
            if spot.excluded_by:
                known = refused.get(spot.source)
                if known is None or (known.excluded_by == "area" and spot.excluded_by != "area"):
                    refused[spot.source] = spot
                continue
            places = np.array([*taken, *((item.spot.x_m, item.spot.y_m) for item in lawful)]).reshape(-1, 2)
            if not (np.hypot(places[:, 0] - spot.x_m, places[:, 1] - spot.y_m) < SPREAD_M).any():
                lawful.append(Found(spot))
                break
        for spot in refused.values():
            excluded.setdefault((spot.source, spot.row), Found(spot))
    return lawful, list(excluded.values())


def _build_table(study: StudyArea, found: list[Found]) -> pd.DataFrame:
    """Return ``CANDIDATE_COLUMNS``."""
    spots = [item.spot for item in found]
    x_m, y_m = locate_spots(found)
    seats = find_seats(study.units, x_m, y_m, scattered=study.adjacency.scattered)
    units = study.units.drop_duplicates("unit_id").set_index("unit_id")
    used = {*study.schools["school_id"].astype(str), *study.sites["site_id"].astype(str)}
    table = pd.DataFrame(
        {
            "site_id": pd.Series(_number(len(spots), used), dtype="str"),
            "name": pd.Series([_name(study, spot, seat) for spot, seat in zip(spots, seats, strict=True)], dtype="str"),
            "x_m": x_m,
            "y_m": y_m,
            "unit_id": pd.Series(seats, dtype="str"),
            "area_m2": np.array([spot.area_m2 for spot in spots], dtype=np.float64),
            "unmet_pupils": np.array([item.unmet_pupils for item in found], dtype=np.float64),
            "near_pupils": np.array([item.near_pupils for item in found], dtype=np.float64),
            "source": pd.Series([spot.source for spot in spots], dtype="str"),
            "excluded": np.array([bool(spot.excluded_by) for spot in spots], dtype=bool),
            "excluded_by": pd.Series([spot.excluded_by for spot in spots], dtype="str"),
        }
    )
    for name in ("town", "setting"):
        known = units[name].reindex(seats).fillna("").astype(str).to_numpy() if name in units.columns else ""
        table[name] = pd.Series(known, index=table.index, dtype="str")
    return table[list(CANDIDATE_COLUMNS)]


def _number(count: int, used: set[str]) -> list[str]:
    """Return new ids, ``new-001`` …, that nothing in the study has."""
    ids: list[str] = []
    number = 0
    while len(ids) < count:
        number += 1
        if f"new-{number:03}" not in used:
            ids.append(f"new-{number:03}")
    return ids


def _name(study: StudyArea, spot: Spot, seat: object) -> str:
    """Return the name of the land, or of the unit in which the spot lies."""
    if spot.source == "open_land":
        return str(study.open_land["name"].iloc[spot.row])
    names = study.units.loc[study.units["unit_id"] == seat, "name"] if "name" in study.units.columns else ()
    return next((str(name) for name in names if isinstance(name, str) and name), str(seat))


def _tell_notes(
    study: StudyArea, clear: ClearDistances, obstacles: Obstacles, unmet: UnmetDemand, *, few: bool
) -> tuple[Message, ...]:
    """Return what a reader of the candidates must know."""
    notes = []
    if not (unmet.table["pupils"] > 0).any():
        notes.append(msg("The study knows no pupils of this stage: there is nothing to look for."))
    elif not (unmet.table["unmet_pupils"] > 0).any():
        notes.append(
            msg("Every pupil has a place within the longest way: there is nothing to look for. Ask with a shorter way.")
        )
    elif few:
        notes.append(
            msg("Fewer candidates than asked for: nowhere else is lawful ground within the longest way of pupils"
                " without a place.")
        )  # fmt: skip
    if unmet.unknown_schools:
        notes.append(
            msg("{count} schools have no known number of places; they are taken to have room for everybody.",
                count=unmet.unknown_schools)
        )  # fmt: skip
    if study.open_land.empty:
        notes.append(
            msg("No layer of open land was given: candidates stand where people live. Whether land is free there is not"
                " known.")
        )  # fmt: skip
    own = [name_kind(kind) for kind, source in obstacles.sources.items() if source != "layer" and _asks(clear, kind)]
    if own:
        notes.append(msg("Taken from the study's own roads and water, not from a layer: {kinds}.", kinds=tuple(own)))
    unknown = [name_kind(item.kind) for item in clear.items if item.kind not in obstacles.sources]
    if unknown:
        notes.append(
            msg("Not checked, because no layer tells where they are: {kinds}.", kinds=tuple(dict.fromkeys(unknown)))
        )
    return tuple(notes)


def _asks(clear: ClearDistances, kind: str) -> bool:
    return any(item.kind == kind for item in clear.items)
