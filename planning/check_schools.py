"""Checks of schools: places, class size, school size, classes, small schools, pupils beyond the radius."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planning.check_case import (
    Block,
    Bools,
    CheckCase,
    Floats,
    Spoken,
    StageCase,
    Texts,
    build_block,
    ceil_amount,
    compare,
    keeps,
    speak_for_schools,
)
from planning.tables import JOINT_KINDS

ROLL, PLACES, CLASSES = "rolls.pupils", "places.capacity_places", "places.classes"


def join_missing(*gaps: tuple[str, Floats]) -> Texts:
    """Return by row the names of the columns whose number is not known, joined by ``;``."""
    found: Texts = np.full(len(gaps[0][1]), "", dtype=object)
    for name, values in gaps:
        unknown = ~np.isfinite(values)
        found[unknown] = np.where(found[unknown] == "", name, found[unknown] + ";" + name)
    return found


def name_schools(schools: pd.DataFrame) -> tuple[Texts, Texts]:
    """Return ids and names."""
    return schools["school_id"].to_numpy(dtype=object), schools["name"].to_numpy(dtype=object)


def check_fill(case: CheckCase, key: str) -> Iterator[Block]:
    """Pupils per place, of every school and of every town's schools together; the cure is places."""
    for item in case.stages:
        schools = item.schools
        places = schools["capacity_places"].to_numpy(dtype=np.float64)
        spoken = speak_for_schools(case, key, item.stage, schools)
        yield _judge_fill(spoken, item.stage, "school", name_schools(schools), item.judged, places)
        if key == "max_fill_share":
            yield from _check_town_fill(case, key, item, places)


def _check_town_fill(case: CheckCase, key: str, item: StageCase, places: Floats) -> Iterator[Block]:
    towns = item.schools["town"].to_numpy(dtype=object)
    sums = pd.DataFrame({"town": towns, "pupils": item.judged, "places": places, "schools": 1})
    sums = sums[sums["town"] != ""].groupby("town", sort=True).sum(min_count=1, skipna=False).reset_index()
    sums = sums[sums["schools"] > 1]
    if len(sums):
        ids = sums["town"].to_numpy(dtype=object)
        spoken = speak_for_schools(case, key, item.stage, sums.assign(school_id=ids, kind="", setting=""))
        pupils, room = (sums[name].to_numpy(dtype=np.float64) for name in ("pupils", "places"))
        yield _judge_fill(spoken, item.stage, "town", (ids, ids), pupils, room)


def _judge_fill(
    spoken: Spoken, stage: str, subject: str, about: tuple[Texts, Texts], pupils: Floats, places: Floats
) -> Block:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(places > 0, pupils / places, np.where(pupils > 0, np.inf, np.nan))
        wanted = pupils / spoken.limit - places
    empty = (places == 0) & (pupils == 0)
    share = np.where(empty, 0.0, np.where(np.isfinite(places), share, np.nan))
    upper = np.array([rule.op in ("<=", "<") for rule in spoken.rules] or [True])[np.maximum(spoken.at, 0)]
    cure = np.where(upper, ceil_amount(wanted, strict=spoken.strict()), np.nan)
    block_status = np.where(keeps(spoken, share), "passed", "failed").astype(object)
    block_status[np.isnan(share)] = "unknown"
    return build_block(
        spoken,
        stage,
        subject,
        about,
        np.where(np.isinf(share), np.nan, share),
        missing=join_missing((ROLL, pupils), (PLACES, places)),
        cure="places",
        cure_amount=cure,
        status=block_status,
        pupils=pupils,
    )


def check_class_size(case: CheckCase, key: str) -> Iterator[Block]:
    """Pupils in a class: of the largest class where it is known, else on average; the cure is classes.

    A limit for every class (``max_class_size``) is kept for sure only where the largest class is known: a low average
    proves nothing, a high one is a sure breach.
    """
    for item in case.stages:
        schools = item.schools
        spoken = speak_for_schools(case, key, item.stage, schools)
        classes = schools["classes"].to_numpy(dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(classes > 0, item.judged / classes, np.where(item.judged > 0, np.inf, 0.0))
            mean = np.where(np.isfinite(classes) & np.isfinite(item.judged), mean, np.nan)
            wanted = ceil_amount(item.judged / spoken.limit - classes, strict=spoken.strict())
        largest = read_stage_assets(case, item.stage, schools, "largest_class_pupils")
        largest = np.where(_is_current(case, item), largest, np.nan)
        measured = np.fmax(mean, largest)
        kept = keeps(spoken, measured)
        status = np.where(kept, "passed", "failed").astype(object)
        status[np.isnan(measured)] = "unknown"
        missing = join_missing((ROLL, item.judged), (CLASSES, classes))
        if key == "max_class_size":
            unsure = kept & ~np.isfinite(largest) & np.isfinite(mean)
            status[unsure], missing[unsure] = "unknown", "assets.largest_class_pupils"
        yield build_block(
            spoken,
            item.stage,
            "school",
            name_schools(schools),
            np.where(np.isinf(measured), np.nan, measured),
            missing=missing,
            cure="classes",
            cure_amount=np.where(keeps(spoken, mean), np.nan, wanted),
            status=status,
            detail=np.where(np.isfinite(largest) & (largest >= np.nan_to_num(mean)), "largest", "mean").astype(object),
            pupils=item.judged,
        )


def _is_current(case: CheckCase, item: StageCase) -> Bools:
    """Tell of which schools today's classes are still those of the answer.

    They are not in a year to come, where the model fills the school, or where actions change its roll.
    """
    current = ~item.on_model & (case.study.view == "")
    before = case.outcome.before
    if before is None:
        return np.asarray(current)
    earlier = [tables.schools.set_index("school_id")["actual_pupils"] for tables in before.stages]
    rolls = next(roll for roll, tables in zip(earlier, before.stages, strict=True) if tables.stage == item.stage)
    was = rolls.reindex(item.schools["school_id"]).to_numpy(dtype=np.float64)
    return np.asarray(current & (np.abs(was - item.judged) < 0.5))


def read_stage_assets(case: CheckCase, stage: str, schools: pd.DataFrame, column: str) -> Floats:
    """Return one number of the assets by school: the latest of the stage, else of the whole school; NaN unknown."""
    assets = case.study.assets
    rows = assets if case.year is None else assets[assets["year"].fillna(0) <= case.year]
    rows = rows.dropna(subset=[column])
    rows = rows[rows["stage"].fillna("").isin(["", stage])]
    rows = rows.assign(own=rows["stage"].fillna("") == stage).sort_values(["own", "year"], kind="stable")
    return np.asarray(rows.groupby("school_id")[column].last().reindex(schools["school_id"]).to_numpy(dtype=np.float64))


def check_school_size(case: CheckCase, key: str) -> Iterator[Block]:
    """Pupils of a school; nine- and twelve-year schools count primary and junior pupils together.

    Above a limit the cure is places elsewhere for the pupils too many; a school that is too small has none here.
    """
    judged = {item.stage: pd.Series(item.judged, index=item.schools["school_id"]) for item in case.stages}
    for item in case.stages:
        schools = item.schools
        size = _count_size(item, judged)
        spoken = speak_for_schools(case, key, item.stage, schools)
        upper = key.startswith("max_")
        yield build_block(
            spoken,
            item.stage,
            "school",
            name_schools(schools),
            size if upper else item.judged,
            missing=ROLL,
            cure="places" if upper else "",
            cure_amount=ceil_amount(size - spoken.limit, strict=spoken.strict()) if upper else None,
            detail="elsewhere" if upper else "",
            pupils=size if upper else item.judged,
        )


def _count_size(item: StageCase, judged: dict[str, pd.Series[float]]) -> Floats:
    """Return the pupils that count for the size of each school: of the roll as in the tables, else as judged."""
    schools = item.schools
    size = schools["size_pupils"].to_numpy(dtype=np.float64)
    roll = schools["actual_pupils"].to_numpy(dtype=np.float64)
    joint = schools["kind"].isin(JOINT_KINDS).to_numpy() & (item.stage in ("primary", "junior"))
    other_stage = "junior" if item.stage == "primary" else "primary"
    if other_stage in judged:
        other = judged[other_stage].reindex(schools["school_id"])
        added = np.where(schools["school_id"].isin(judged[other_stage].index), other.to_numpy(dtype=np.float64), 0.0)
    else:
        added = size - roll
    return np.where(joint, item.judged + added, item.judged)


def check_classes(case: CheckCase, key: str) -> Iterator[Block]:
    """Classes of a school; nine- and twelve-year schools count both stages. The cure is classes elsewhere."""
    for item in case.stages:
        classes = item.schools["size_classes"].to_numpy(dtype=np.float64)
        spoken = speak_for_schools(case, key, item.stage, item.schools)
        yield build_block(
            spoken,
            item.stage,
            "school",
            name_schools(item.schools),
            classes,
            missing=CLASSES,
            cure="classes",
            cure_amount=ceil_amount(classes - spoken.limit, strict=spoken.strict()),
            detail="elsewhere",
            pupils=item.judged,
        )


def check_beyond_share(case: CheckCase, key: str) -> Iterator[Block]:
    """Share of a school's modelled pupils who live beyond the service radius; nothing here cures it.

    Schools whose pupils live where no rule sets a radius have no row.
    """
    for item in case.stages:
        share = item.schools["beyond_radius_share"].to_numpy(dtype=np.float64)
        pupils = item.schools["modelled_pupils"].to_numpy(dtype=np.float64)
        share = np.where(pupils == 0, 0.0, share)
        spoken = speak_for_schools(case, key, item.stage, item.schools)
        about = name_schools(item.schools)
        missing = _find_radius_gaps(item, pupils)
        block = build_block(spoken, item.stage, "school", about, share, missing=missing, pupils=pupils)
        judged = (block["status"] != "unknown") | (block["missing"] != "")
        yield {name: values[judged] for name, values in block.items()}


def _find_radius_gaps(item: StageCase, pupils: Floats) -> Texts:
    """Return by school what is missing to compare the ways of its pupils with a radius; empty: nothing."""
    pairs = item.tables.pairs
    found: Texts = np.where(np.isfinite(pupils), "", f"units.{item.stage}_pupils").astype(object)
    radius, length = (pairs[name].notna().to_numpy() for name in ("radius_m", "length_m"))
    gaps = (
        ("travel.length_m", radius & ~length),
        ("units.setting", ~radius & (pairs["setting"] == "").to_numpy(dtype=bool)),
    )
    for name, rows in gaps:
        found[item.schools["school_id"].isin(pairs["school_id"][rows]).to_numpy()] = name
    return found


def check_land(case: CheckCase, key: str) -> Iterator[Block]:
    """Site or floor area per pupil of the whole school; the cure is m²."""
    column = "floor_area_m2" if "floor" in key else "site_area_m2"
    whole = case.whole_pupils
    areas = case.study.schools.set_index("school_id")[column]
    for item in case.stages:
        ids = item.schools["school_id"]
        pupils, area = (np.asarray(part.reindex(ids), dtype=np.float64) for part in (whole, areas))
        spoken = speak_for_schools(case, key, item.stage, item.schools)
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = np.where(pupils > 0, area / pupils, np.nan)
        block = build_block(
            spoken,
            item.stage,
            "school",
            name_schools(item.schools),
            measured,
            missing=join_missing((ROLL, pupils), (f"schools.{column}", area)),
            cure="m2",
            cure_amount=_round_up_area(spoken.limit * pupils - area),
            pupils=pupils,
        )
        nobody = block["pupils"] == 0
        yield {name: values[~nobody] for name, values in block.items()}


def _round_up_area(area_m2: Floats) -> Floats:
    """Return square metres, rounded up to whole ones."""
    return np.asarray(np.maximum(np.ceil(area_m2 - 1e-6), 0.0))


def count_class_cures(schools: pd.DataFrame, start: float, op: str) -> tuple[Floats, Floats]:
    """Return by school the classes in too large classes, and the classes to open so that the average is below."""
    size = schools["mean_class_pupils"].to_numpy(dtype=np.float64)
    classes = schools["classes"].to_numpy(dtype=np.float64)
    large = np.isfinite(size) & ~compare(size, np.full(len(size), start), op)
    wanted = ceil_amount(size * classes / start - classes, strict=op == "<")
    return np.where(large, classes, 0.0), np.where(large, wanted, 0.0)
