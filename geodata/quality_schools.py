"""Checks of schools against each other: entered twice, or put on the same spot."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio
from scipy.spatial import cKDTree

from geodata.errors import DataIssue
from geodata.messages import msg
from geodata.quality_facts import Facts, pairs_of

SAME_SCHOOL_M = 300.0
SAME_SPOT_M = 1.0
ALIKE_SCORE = 85.0
"""Names whose rapidfuzz ratio reaches this may be two spellings of one."""
LEAST_ENDING = 4
"""A name of so many letters that another one ends with is the same, without the name of the town in front."""
_TELLING = re.compile(r"[0-9一二三四五六七八九十百两双东南西北中上下前后左右老新旧大小内外分男女甲乙丙丁]")
"""Letters of which one alone makes another name: 第一小学, 第二小学; 东村, 西村."""
_MARKS = re.compile(r"\b([a-z]|[ivx]+|\d+)\b")
"""Words of one letter, Roman and other numbers: School A, School B."""
_WORDS = re.compile(r"[\W_]+")


def check_doubled_schools(facts: Facts) -> list[DataIssue]:
    """Warning: two schools with the same or nearly the same name, for a common stage, lie within 300 m."""
    ids = [str(key) for key in facts.schools["school_id"]]
    names = [str(name) for name in facts.schools["name"]]
    taught = _list_stages(facts, ids)
    issues = []
    for first, second, _ in _find_near_pairs(facts, SAME_SCHOOL_M):
        same = _reduce(names[first]) == _reduce(names[second])
        common = not taught[first] or not taught[second] or taught[first] & taught[second]
        if ids[first] == ids[second] or not (same or (common and are_alike(names[first], names[second]))):
            continue
        problem = msg(
            "{name} stands twice within {distance:.0f} m ({first} and {second}).",
            name=names[second],
            distance=SAME_SCHOOL_M,
            first=ids[first],
            second=ids[second],
        )
        if not same:
            problem = msg(
                "{name} and {other} may be one school: alike in name, within {distance:.0f} m ({first} and {second}).",
                name=names[second],
                other=names[first],
                distance=SAME_SCHOOL_M,
                first=ids[first],
                second=ids[second],
            )
        cure = msg("Delete one of them, or give both the same code if they are two stages of one school.")
        issues.append(facts.issue("doubled_schools", "warning", problem, "schools", ids[second], cure=cure))
    return issues


def check_shared_positions(facts: Facts) -> list[DataIssue]:
    """Warning: schools of different names, for a common stage, stand on one spot: often the middle of a town."""
    ids = [str(key) for key in facts.schools["school_id"]]
    names = [str(name) for name in facts.schools["name"]]
    taught = _list_stages(facts, ids)
    groups: dict[int, int] = {}
    for first, second, _ in _find_near_pairs(facts, SAME_SPOT_M):
        if ids[first] != ids[second] and taught[first] & taught[second] and not are_alike(names[first], names[second]):
            groups.setdefault(second, groups.get(first, first))
    issues = []
    for lead in sorted(set(groups.values())):
        members = [lead, *sorted(at for at, of in groups.items() if of == lead)]
        problem = msg(
            "{count} schools stand on the same spot: {names}.",
            count=len(members),
            names=tuple(names[at] for at in members[:5]),
        )
        cure = msg(
            "Give each school the position of its gate; addresses that are not found often end in the middle of a town."
        )
        issues += [facts.issue("shared_positions", "warning", problem, "schools", ids[at], cure=cure) for at in members]
    return issues


def are_alike(first: str, second: str) -> bool:
    """Tell whether two names may be two spellings of one: nearly equal, or one is the other with a place in front.

    Names that differ in a number, a direction or the like (第一小学, 第二小学) are not alike.
    """
    one, other = _reduce(first), _reduce(second)
    if one == other:
        return bool(one)
    short, long = sorted((one, other), key=len)
    if len(short) >= LEAST_ENDING and long.endswith(short):
        return not _TELLING.search(short[0]) or long[-len(short) - 1] in "县市区镇乡省"
    if ratio(one, other) < ALIKE_SCORE or _list_marks(first) != _list_marks(second):
        return False
    return not any(_TELLING.search(part) for part in _list_changes(one, other))


def _list_changes(one: str, other: str) -> list[str]:
    """Return the letters that only one of two names has."""
    changes = Levenshtein.opcodes(one, other)
    return [one[c.src_start : c.src_end] + other[c.dest_start : c.dest_end] for c in changes if c.tag != "equal"]


def _list_marks(name: str) -> list[str]:
    return sorted(_MARKS.findall(unicodedata.normalize("NFKC", name).casefold()))


def _reduce(name: str) -> str:
    """Return a name without width, case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return _WORDS.sub("", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def _list_stages(facts: Facts, ids: list[str]) -> list[set[str]]:
    stages: dict[str, set[str]] = {}
    for key, stage in pairs_of(facts.places):
        stages.setdefault(key, set()).add(stage)
    return [stages.get(key, set()) for key in ids]


def _find_near_pairs(facts: Facts, distance_m: float) -> list[tuple[int, int, float]]:
    """Return the pairs of schools at most so far apart, by position in the table (the earlier first), with metres."""
    places = facts.schools[["x_m", "y_m"]].to_numpy(dtype=float)
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    if len(known) < 2:
        return []
    pairs = cKDTree(places[known]).query_pairs(distance_m, output_type="ndarray")
    found = [(int(min(pair)), int(max(pair))) for pair in known[pairs].tolist()]
    return [(a, b, float(np.hypot(*(places[a] - places[b])))) for a, b in sorted(found)]
