"""Longitude and latitude as people write them: decimal degrees, degrees-minutes-seconds, with 东经 or N."""

from __future__ import annotations

import re

from geodata.values import normalise_text, parse_number

_SIDES = {"东经": 1, "北纬": 1, "西经": -1, "南纬": -1, "e": 1, "n": 1, "w": -1, "s": -1}
_PREFIX = re.compile(r"^(东经|北纬|西经|南纬|[enws](?=[\s:\d]))[\s:]*")
_SUFFIX = re.compile(r"\s*([enws])$")
_DEGREES = "[°度º˚d]"
_MINUTES = "['′’‘分m]"
_SECONDS = "(?:\"|″|”|“|''|′′|’’|秒|s)"
_NUMBER = r"(\d+(?:\.\d+)?)"
_WRITTEN = re.compile(rf"{_NUMBER}\s*{_DEGREES}\s*(?:{_NUMBER}\s*{_MINUTES}?\s*(?:{_NUMBER}\s*{_SECONDS}?)?)?")
_SPACED = re.compile(r"(\d{1,3})[\s:](\d{1,2})[\s:](\d{1,2}(?:\.\d+)?)|(\d{1,3})-(\d{1,2})-(\d{1,2}(?:\.\d+)?)")


def parse_degrees(text: str) -> float | None:
    """Return decimal degrees of a cell, ``None`` where it is empty.

    ``113.25``, ``113.25°E``, ``东经113°15′00″``, ``113度15分``, ``113 15 00`` and ``113:15:00`` are all 113.25.

    Raises
    ------
    ValueError
        The cell holds something else, or minutes or seconds of 60 and more.
    """
    try:
        return parse_number(text)
    except ValueError:
        pass
    plain = normalise_text(text)
    side = 1
    for pattern in (_PREFIX, _SUFFIX):
        found = pattern.search(plain)
        if found:
            side *= _SIDES[found[1]]
            plain = (plain[: found.start()] + plain[found.end() :]).strip()
    sign = -1 if plain.startswith("-") else 1
    plain = plain.lstrip("+-")
    if re.fullmatch(_NUMBER, plain):
        return float(plain) * side * sign
    found = _WRITTEN.fullmatch(plain) or _SPACED.fullmatch(plain)
    if not found:
        raise ValueError(text)
    parts = [float(part) for part in found.groups() if part is not None]
    degrees, minutes, seconds = [*parts, 0.0, 0.0][:3]
    if minutes >= 60 or seconds >= 60:
        raise ValueError(text)
    return (degrees + minutes / 60 + seconds / 3600) * side * sign
