"""House numbers of a zone, street by street (人民路：1—35号（单号）、2号以上（双号）), and how well they give back the
zone.

Numbers are ordered by their first figure, then by what follows it: 12, 12-14, 12A, 13. Odd and even numbers stand on
two sides of a street and are told apart. A run that reaches the highest number known is told as open, so that new
houses further out belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geodata.border_names import Positions
from geodata.landmarks import Landmarks
from geodata.shapes import Shapes, build_points
from geodata.study import StudyArea
from geodata.zone_word_parts import AddressList, Name, NumberRange, Parity, StreetNumbers

OFF_LAND_M = 50.0
"""A house in a gap between units belongs to the nearest unit within this distance."""
PARITIES: tuple[Parity, ...] = ("odd", "even", "both")
_FIGURES = re.compile(r"\d+")

NumberKey = tuple[int, str]


@dataclass(frozen=True, eq=False)
class Houses:
    """The addresses of a study: ``streets`` as landmarks name them, ``numbers`` as written, ``units``: position or
    -1.
    """

    streets: tuple[Name, ...]
    numbers: tuple[str, ...]
    units: npt.NDArray[np.int64]


def build_houses(study: StudyArea, landmarks: Landmarks) -> Houses:
    """Return the addresses with the unit that each stands in; a street name of several towns is told by the nearest."""
    table: pd.DataFrame = getattr(study, "addresses", pd.DataFrame())
    if table.empty:
        return Houses((), (), np.empty(0, dtype=np.int64))
    points = build_points(table["x_m"].to_numpy(dtype=np.float64), table["y_m"].to_numpy(dtype=np.float64))
    numbers = tuple(str(number).strip().removesuffix("号") for number in table["house_number"])
    streets = _name_streets([str(street) for street in table["street"]], points, landmarks)
    return Houses(streets, numbers, _find_units(points, landmarks))


def _name_streets(texts: list[str], points: Shapes, landmarks: Landmarks) -> tuple[Name, ...]:
    named: dict[str, list[int]] = {}
    for position, line in enumerate(landmarks.lines):
        if line.name.place and line.kind == "street":
            named.setdefault(line.name.text, []).append(position)
    streets = [Name(text) for text in texts]
    words = np.array(texts, dtype=object)
    for text in sorted(set(texts) & set(named)):
        rows = np.flatnonzero(words == text)
        lines = [landmarks.lines[position] for position in named[text]]
        off_m = np.array([shapely.distance(line.shape, points[rows]) for line in lines])
        for row, line in zip(rows, off_m.argmin(axis=0), strict=True):
            streets[row] = lines[int(line)].name
    return tuple(streets)


def _find_units(points: Shapes, landmarks: Landmarks) -> Positions:
    house, unit = shapely.STRtree(landmarks.land).query_nearest(points, max_distance=OFF_LAND_M, all_matches=False)
    units: Positions = np.full(len(points), -1, dtype=np.int64)
    units[house] = unit
    return units


def describe_houses(houses: Houses, landmarks: Landmarks, unit_ids: Iterable[str]) -> AddressList:
    """Return the house numbers of a zone, for every street on which it has houses; streets by name."""
    inside = np.isin(houses.units, landmarks.find_units(unit_ids))
    rows: dict[Name, list[int]] = {}
    wanted = {houses.streets[row] for row in np.flatnonzero(inside)}
    for row, street in enumerate(houses.streets):
        if street in wanted:
            rows.setdefault(street, []).append(row)
    told = []
    for street in sorted(wanted):
        if inside[rows[street]].all():
            told.append(StreetNumbers(street))
            continue
        ranges: list[NumberRange] = []
        for parity in PARITIES:
            side = {read_number(houses.numbers[row]) for row in rows[street] if _side(houses.numbers[row]) == parity}
            here = {read_number(houses.numbers[row]) for row in rows[street] if inside[row]} & side
            ranges += _list_ranges(sorted(side), here, parity)
        told.append(StreetNumbers(street, tuple(ranges)))
    return AddressList(tuple(told))


def _list_ranges(side: list[NumberKey], here: set[NumberKey], parity: Parity) -> list[NumberRange]:
    """Return runs of numbers that are ``here`` among all numbers of one side, in order."""
    ranges: list[NumberRange] = []
    first = last = None
    for key in [*side, None]:
        if key is not None and key in here:
            first, last = first or key, key
        elif first is not None and last is not None:
            # Numbers without figures have no order: each is told by itself.
            open_end = key is None and parity != "both" and first != last
            ranges.append(NumberRange(parity, _write(first), "" if open_end else _write(last)))
            first = last = None
        if parity == "both" and first is not None:
            ranges.append(NumberRange(parity, _write(first), _write(first)))
            first = last = None
    return ranges


def read_number(text: str) -> NumberKey:
    """Return the order of a house number: its first figure and all that stands around it; without a figure, -1."""
    figures = _FIGURES.search(text)
    if figures is None:
        return -1, text
    return int(figures.group()), text[: figures.start()] + "\x00" + text[figures.end() :]


def _write(key: NumberKey) -> str:
    if key[0] < 0:
        return key[1]
    before, _, after = key[1].partition("\x00")
    return f"{before}{key[0]}{after}"


def _side(text: str) -> Parity:
    number = read_number(text)[0]
    if number < 0:
        return "both"
    return "odd" if number % 2 else "even"


def is_in_ranges(number: str, ranges: tuple[NumberRange, ...]) -> bool:
    """Whether a house number is told by ranges of its street; no ranges are the whole street."""
    key, side = read_number(number), _side(number)
    return not ranges or any(
        item.parity in (side, "both")
        and read_number(item.first) <= key
        and (not item.last or key <= read_number(item.last))
        for item in ranges
    )


def measure_house_agreement(houses: Houses, landmarks: Landmarks, unit_ids: Iterable[str], told: AddressList) -> float:
    """Return the share of houses for which ranges and zone agree: in both, of those in either; NaN without any."""
    inside = np.isin(houses.units, landmarks.find_units(unit_ids))
    ranges = {item.street: item.ranges for item in told.streets}
    read = np.array(
        [
            street in ranges and is_in_ranges(number, ranges[street])
            for street, number in zip(houses.streets, houses.numbers, strict=True)
        ],
        dtype=np.bool_,
    )
    either = int((inside | read).sum())
    return float((inside & read).sum() / either) if either else float("nan")
