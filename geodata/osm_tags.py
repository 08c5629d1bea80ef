"""What OpenStreetMap tags say about schools and buildings: guesses, each with its rule, none of them a fact."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from geodata.study import STAGES, Stage

OTHER_DWELLING_LEVELS = 2.0
DWELLING_LEVELS: dict[str, float] = {
    "apartments": 5.0,
    "dormitory": 5.0,
    "residential": 3.0,
    "hotel": 4.0,
    "bungalow": 1.0,
    "cabin": 1.0,
    "static_caravan": 1.0,
    "hut": 1.0,
}
"""Storeys taken for a building whose ``building:levels`` is not tagged; all other types 2."""

# fmt: off
UNINHABITED = frozenset([
    "barn", "bridge", "bunker", "bus_station", "carport", "cathedral", "chapel", "church", "civic", "commercial",
    "conservatory", "construction", "cowshed", "digester", "farm_auxiliary", "fire_station", "garage", "garages",
    "gatehouse", "glasshouse", "government", "grandstand", "greenhouse", "hangar", "hospital", "industrial",
    "kindergarten", "kiosk", "manufacture", "mosque", "office", "outbuilding", "parking", "pavilion", "public",
    "retail", "riding_hall", "roof", "ruins", "school", "service", "shed", "shrine", "silo", "slurry_tank",
    "sports_centre", "sports_hall", "stable", "stadium", "station", "storage_tank", "sty", "supermarket",
    "synagogue", "temple", "toilets", "train_station", "transformer_tower", "transportation", "university",
    "warehouse", "water_tower",
])
# fmt: on
"""Building types that nobody is taken to live in."""

_ISCED: dict[str, Stage] = {"0": "kindergarten", "1": "primary", "2": "junior", "3": "senior"}
_WORDS: dict[Stage, tuple[str, ...]] = {
    "kindergarten": (
        "幼儿园",
        "kindergarten",
        "kindergarden",
        "nursery",
        "leikskóli",
        "maternelle",
        "детский сад",
        "jardim de inf",
    ),
    "primary": (
        "小学",
        "primary",
        "elementary",
        "primarschule",
        "volksschule",
        "grundschule",
        "école élémentaire",
        "école primaire",
    ),
    "junior": ("初中", "初级中学", "junior", "middle school", "realschule", "oberschule", "sekundarschule", "collège"),
    "senior": ("高中", "高级中学", "senior", "high school", "gymnasium", "lycée", "menntaskóli"),
}
_WHOLE: dict[str, tuple[Stage, ...]] = {
    "九年": ("primary", "junior"),
    "十二年": ("primary", "junior", "senior"),
    "完全中学": ("junior", "senior"),
    "中学": ("junior", "senior"),
    "weiterführende": ("junior",),
    "secondary": ("junior", "senior"),
    "grunnskóli": ("primary", "junior"),
}
_NOT_WORDS = ("中小学",)


def guess_stages(tags: Mapping[str, str]) -> tuple[Stage, ...]:
    """Return the stages that a school or kindergarten seems to have.

    In this order: ``amenity=kindergarten`` is a kindergarten; ``isced:level`` (0 kindergarten, 1 primary, 2 junior,
    3 senior; ranges and lists); words in ``school:type``, ``school`` and ``name`` (小学, 初中, Gymnasium …); grades;
    else primary.
    """
    if tags.get("amenity") == "kindergarten":
        return ("kindergarten",)
    levels = _read_isced(tags.get("isced:level", ""))
    if levels:
        return levels
    for key in ("school:type", "school", "name"):
        found = _find_words(tags.get(key, "").casefold())
        if found:
            return found
    return ("primary",)


def _read_isced(text: str) -> tuple[Stage, ...]:
    """Read ``1``, ``1;2``, ``1,2`` and ``1-3``."""
    found: set[Stage] = set()
    for part in re.split(r"[;,/\s]+", text.strip()):
        match = re.fullmatch(r"(\d)(?:-(\d))?", part)
        if match:
            found |= {_ISCED[str(n)] for n in range(int(match[1]), int(match[2] or match[1]) + 1) if str(n) in _ISCED}
    return tuple(stage for stage in STAGES if stage in found)


def _find_words(text: str) -> tuple[Stage, ...]:
    if any(word in text for word in _NOT_WORDS):
        return ("primary", "junior", "senior")
    found = {stage for stage, words in _WORDS.items() if any(word in text for word in words)}
    if not found:
        for word, stages in _WHOLE.items():
            if word in text:
                return stages
    return tuple(stage for stage in STAGES if stage in found)


def guess_kind(stages: Sequence[Stage]) -> str:
    """Return the kind of school (schools table) that has these stages."""
    have = set(stages)
    kinds: list[tuple[set[Stage], str]] = [
        ({"kindergarten"}, "kindergarten"),
        ({"primary"}, "primary"),
        ({"junior"}, "junior"),
        ({"senior"}, "senior"),
        ({"primary", "junior"}, "nine_year"),
        ({"junior", "senior"}, "complete_secondary"),
    ]
    exact = next((kind for wanted, kind in kinds if wanted == have), "")
    if exact:
        return exact
    school = have - {"kindergarten"}
    return next((kind for wanted, kind in kinds if wanted == school), "twelve_year")


def parse_levels(text: str) -> float:
    """Return the number of storeys, NaN where the tag is missing or odd; ``3;4`` takes the larger."""
    numbers = [float(part) for part in re.findall(r"\d+(?:\.\d+)?", text)]
    levels = max(numbers, default=0.0)
    return levels if 0 < levels <= 200 else float("nan")


def parse_population(text: str) -> float:
    """Return the inhabitants of a ``population`` tag: ``5 933``, ``5,933`` and ``5'933`` are 5933; else NaN."""
    plain = re.sub(r"[\s,'’.]", "", text) if re.fullmatch(r"\d{1,3}([\s,'’.]\d{3})+", text.strip()) else text.strip()
    return float(plain) if re.fullmatch(r"\d+", plain) else float("nan")
