"""From tags to access: which mode may use a way, in which direction, and which nodes stop it.

The rules, in short (``docs/method.md`` tells them to the planner): the most specific tag wins (``foot`` over
``access``; ``motorcar`` over ``motor_vehicle`` over ``vehicle`` over ``access``); where nothing is tagged, the class
decides. A general ``access=yes`` never opens a class that is closed to the mode; a tag of the mode itself does.
One-way streets bind cars, bicycles too unless tagged otherwise, and never people on foot. A bicycle is pushed at
walking speed where it may not be ridden. Turn restrictions, opening hours and ferries are not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.road_classes import RoadClass
from geodata.study import Mode

# fmt: off
ALLOWED = frozenset((
    "yes", "designated", "permissive", "destination", "official", "public", "customers", "dismount", "residents",
    "permit",
))
DENIED = frozenset((
    "no", "private", "agricultural", "forestry", "military", "emergency", "delivery", "use_sidepath", "restricted",
))
# fmt: on

FORWARD: dict[Mode, int] = {"walk": 1, "bicycle": 4, "drive": 16}
BACKWARD: dict[Mode, int] = {"walk": 2, "bicycle": 8, "drive": 32}
RIDE = 64  # bicycles are welcome here: ridden as on a cycleway, whatever the class
PUSH = 128  # bicycles are pushed here

KEYS: dict[Mode, tuple[str, ...]] = {
    "walk": ("access", "foot"),
    "bicycle": ("access", "vehicle", "bicycle"),
    "drive": ("access", "vehicle", "motor_vehicle", "motorcar"),
}
OWN_KEYS: dict[Mode, tuple[str, ...]] = {
    "walk": ("foot",),
    "bicycle": ("bicycle",),
    "drive": ("motor_vehicle", "motorcar"),
}
BLOCKER: dict[Mode, int] = {"walk": 1, "bicycle": 2, "drive": 4}
# What stops a mode unless a tag lets it through. Gates, kerbs, tolls and unknown kinds stop nobody by themselves.
# fmt: off
_CLOSED = ("wall", "fence", "hedge", "retaining_wall")
BLOCKING: dict[Mode, frozenset[str]] = {
    "walk": frozenset(_CLOSED),
    "bicycle": frozenset((*_CLOSED, "stile", "turnstile", "full-height_turnstile")),
    "drive": frozenset((
        *_CLOSED, "bollard", "block", "cycle_barrier", "motorcycle_barrier", "kissing_gate", "stile", "turnstile",
        "full-height_turnstile", "jersey_barrier", "log", "debris", "planter", "chain", "horse_stile", "step",
        "hampshire_gate",
    )),
}
# fmt: on

_UNKNOWN = np.int8(-1)


def compute_way_access(tags: pd.DataFrame, classes: Mapping[str, RoadClass]) -> npt.NDArray[np.uint8]:
    """Return the access bits of each way; 0 = closed to everybody, or a class that is not in the table."""
    forward, backward = _compute_directions(tags)
    bits = np.zeros(len(tags), dtype=np.uint8)
    is_area = _is_one_of(tags, "area", {"yes"})  # an outline is not a way through
    motorroad = _is_one_of(tags, "motorroad", {"yes"})
    for mode in KEYS:
        usable = _compute_permission(tags, classes, mode, closed=motorroad if mode != "drive" else None) & ~is_area
        ahead, back = usable, usable
        if mode == "drive":
            ahead, back = usable & forward, usable & backward
        elif mode == "bicycle":
            rides = _rides(tags, classes)
            against = _cycles_both_ways(tags) | ~rides
            ahead, back = usable & (forward | against), usable & (backward | against)
            bits |= _flag(usable & _is_one_of(tags, "bicycle", {"yes", "designated"}), RIDE)
            bits |= _flag(usable & _is_one_of(tags, "bicycle", {"dismount"}), PUSH)
        bits |= _flag(ahead, FORWARD[mode]) | _flag(back, BACKWARD[mode])
    return bits


def compute_node_blocks(barriers: pd.DataFrame) -> npt.NDArray[np.uint8]:
    """Return, per barrier node, the bits (``BLOCKER``) of the modes that cannot pass."""
    bits = np.zeros(len(barriers), dtype=np.uint8)
    for mode, keys in KEYS.items():
        blocked = barriers["barrier"].isin(BLOCKING[mode]).to_numpy(dtype=bool)
        told = _read_permission(barriers, keys)
        bits |= _flag(np.where(told == _UNKNOWN, blocked, told == 0), BLOCKER[mode])
    return bits


def compute_max_speed(tags: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the posted speed limit of each way in km/h; NaN where there is none, or none in figures."""
    column = tags["maxspeed"].astype("category")
    words = [parse_speed(str(word)) for word in column.cat.categories]
    return _look_up(column, words, np.nan, np.float32)


def parse_speed(text: str) -> float:
    """Return km/h of ``"50"``, ``"30 mph"``, ``"50;70"`` (the first) or ``"walk"``; NaN where it is none of them."""
    if text.strip() == "walk":
        return 7.0
    found = re.match(r"\s*(\d{1,3}(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?\s*(;|$)", text)
    if not found or float(found[1]) <= 0:
        return float("nan")
    return float(found[1]) * (1.609344 if found[2] == "mph" else 1.0)


def _compute_permission(
    tags: pd.DataFrame, classes: Mapping[str, RoadClass], mode: Mode, *, closed: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_]:
    """Return whether ``mode`` may use each way. ``closed``: ways shut unless the mode's own tag opens them."""
    column = tags["highway"].astype("category")
    names = [str(name) for name in column.cat.categories]
    default = _look_up(column, [name in classes and classes[name].allowed[mode] for name in names], False)
    possible = _look_up(column, [name in classes and classes[name].speed_kmh[mode] > 0 for name in names], False)
    if closed is not None:
        default = default & ~closed
    told, own = _read_permission(tags, KEYS[mode]), _read_permission(tags, OWN_KEYS[mode])
    return np.asarray(possible & (told != 0) & (default | (own == 1)), dtype=np.bool_)


def _read_permission(tags: pd.DataFrame, keys: Sequence[str]) -> npt.NDArray[np.int8]:
    """Return 1 allowed, 0 denied, -1 not told; later keys are more specific and win."""
    result = np.full(len(tags), _UNKNOWN, dtype=np.int8)
    for key in keys:
        if key not in tags:
            continue
        column = tags[key].astype("category")
        told = [
            np.int8(1) if word in ALLOWED else np.int8(0) if word in DENIED else _UNKNOWN
            for word in column.cat.categories
        ]
        value = _look_up(column, told, _UNKNOWN, np.int8)
        result = np.where(value == _UNKNOWN, result, value)
    return result


def _compute_directions(tags: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return whether traffic may go along the way, and against it."""
    told_no = _is_one_of(tags, "oneway", {"no", "false", "0"})
    reverse = _is_one_of(tags, "oneway", {"-1", "reverse"})
    implied = _is_one_of(tags, "junction", {"roundabout", "circular"}) | _is_one_of(
        tags, "highway", {"motorway", "motorway_link"}
    )
    oneway = _is_one_of(tags, "oneway", {"yes", "true", "1"}) | (implied & ~told_no & ~reverse)
    return ~reverse, ~oneway


def _rides(tags: pd.DataFrame, classes: Mapping[str, RoadClass]) -> npt.NDArray[np.bool_]:
    """Return whether a bicycle is ridden (and so bound to the direction) rather than pushed."""
    column = tags["highway"].astype("category")
    pushed = [
        name in classes and classes[name].speed_kmh["bicycle"] <= classes[name].speed_kmh["walk"]
        for name in map(str, column.cat.categories)
    ]
    welcome = _is_one_of(tags, "bicycle", {"yes", "designated"})
    is_pushed: npt.NDArray[np.bool_] = _look_up(column, pushed, False)
    return (~is_pushed | welcome) & ~_is_one_of(tags, "bicycle", {"dismount"})


def _cycles_both_ways(tags: pd.DataFrame) -> npt.NDArray[np.bool_]:
    result = _is_one_of(tags, "oneway:bicycle", {"no", "false", "0"})
    opposite = {"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"}
    for key in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"):
        result = result | _is_one_of(tags, key, opposite)
    return result


def _is_one_of(tags: pd.DataFrame, key: str, words: set[str]) -> npt.NDArray[np.bool_]:
    if key not in tags:
        return np.zeros(len(tags), dtype=bool)
    return tags[key].isin(words).to_numpy(dtype=bool)


def _flag(mask: npt.NDArray[np.bool_], bit: int) -> npt.NDArray[np.uint8]:
    return np.asarray(mask, dtype=np.uint8) * np.uint8(bit)


def _look_up(column: pd.Series, values: Sequence[object], missing: object, dtype: type = bool) -> npt.NDArray[Any]:
    """Return ``values`` by the category of each row; ``missing`` for rows without one."""
    table: npt.NDArray[Any] = np.array([*values, missing], dtype=dtype)
    return table[column.cat.codes.to_numpy()]
