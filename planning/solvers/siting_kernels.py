"""The numba kernels of the siting bound: what every way of every facility would take at given row prices."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit

Array: TypeAlias = "np.ndarray[Any, Any]"


_BUCKETS = 256


@njit(cache=True, nogil=True)
def drop_surplus(first: int, last: int, row: Array, gain: Array, pupils: Array, places: float) -> int:
    """Keep the best arcs of a facility that fill its places for sure, in place; return where they end."""
    low, high = gain[first], gain[first]
    for at in range(first, last):
        low, high = min(low, gain[at]), max(high, gain[at])
    width = (high - low) / _BUCKETS
    if width <= 0.0:
        return last
    held = np.zeros(_BUCKETS + 1)
    for at in range(first, last):
        held[int((gain[at] - low) / width)] += pupils[row[at]]
    total, bucket = 0.0, 0
    while total < places and bucket <= _BUCKETS:
        total += held[bucket]
        bucket += 1
    end = first
    for at in range(first, last):
        if int((gain[at] - low) / width) < bucket:
            row[end], gain[end] = row[at], gain[at]
            end += 1
    return end


@njit(cache=True, nogil=True)
def list_wanted(
    arcs: tuple[Array, Array, Array],
    weight: float,
    pupils: Array,
    price: Array,
    most: tuple[Array, Array],
    dear: float,
) -> tuple[Array, Array, Array]:
    """Return by facility the arcs that pay at the row prices, unsorted: starts, rows, gains (negative).

    ``arcs``: starts by facility, rows, costs. An arc pays where ``cost * weight < price`` of its row. Facilities with
    least pupils also list arcs that do not pay but cost less than a pupil lacking (``dear``), where the paying ones
    hold fewer pupils than the largest ``least``; where they hold more than the largest places, the worst are left out.
    ``most``: largest places and least pupils of each facility.
    """
    start, row, cost = arcs
    most_places, most_least = most
    n_facilities = len(start) - 1
    kept, gains = np.empty(len(row), np.int32), np.empty(len(row))
    begin = np.zeros(n_facilities + 1, np.int64)
    at = 0
    for facility in range(n_facilities):
        held = 0.0
        for arc in range(start[facility], start[facility + 1]):
            gain = cost[arc] * weight - price[row[arc]]
            if gain < 0.0 and pupils[row[arc]] > 0.0:
                kept[at], gains[at] = row[arc], gain
                held += pupils[row[arc]]
                at += 1
        if held < most_least[facility]:
            for arc in range(start[facility], start[facility + 1]):
                gain = cost[arc] * weight - price[row[arc]]
                if 0.0 <= gain < dear and pupils[row[arc]] > 0.0:
                    kept[at], gains[at] = row[arc], gain
                    at += 1
        elif held > most_places[facility]:
            at = drop_surplus(begin[facility], at, kept, gains, pupils, most_places[facility])
        begin[facility + 1] = at
    return begin, kept[:at].copy(), gains[:at].copy()


@njit(cache=True, nogil=True)
def sort_wanted(begin: Array, row: Array, gain: Array, pupils: Array) -> tuple[Array, Array]:
    """Sort the arcs of each facility by gain, in place; return pupils and gains added up to each arc (arcs,)."""
    held, total = np.empty(len(row)), np.empty(len(row))
    for facility in range(len(begin) - 1):
        first, last = begin[facility], begin[facility + 1]
        order = np.argsort(gain[first:last])
        row[first:last] = row[first:last][order]
        gain[first:last] = gain[first:last][order]
        taken, value = 0.0, 0.0
        for at in range(first, last):
            taken += pupils[row[at]]
            value += gain[at] * pupils[row[at]]
            held[at], total[at] = taken, value
    return held, total


@njit(cache=True, nogil=True)
def take(first: int, last: int, gain: Array, held: Array, places: float, least: float) -> tuple[int, float]:
    """Return the first arc of a facility that a way does not take whole, and the pupils that the way takes.

    It takes all that pay, and others up to ``least``, within ``places``.
    """
    paying = first + np.searchsorted(gain[first:last], 0.0)
    most = held[paying - 1] if paying > first else 0.0
    listed = held[last - 1] if last > first else 0.0
    amount = min(places, max(most, min(least, listed)))
    if amount >= listed:
        return last, listed
    return int(first + np.searchsorted(held[first:last], amount, side="right")), amount


@njit(cache=True, nogil=True)
def value_ways(
    wanted: tuple[Array, Array, Array, Array, Array],
    way_start: Array,
    places: Array,
    least: Array,
    dear: float,
    value: Array,
) -> None:
    """Write into ``value`` (ways,) the least that a way's pupils cost less their row prices, lacking ones priced."""
    begin, _, gain, held, total = wanted
    for facility in range(len(begin) - 1):
        first, last = begin[facility], begin[facility + 1]
        for way in range(way_start[facility], way_start[facility + 1]):
            value[way] = 0.0
            if places[way] <= 0.0:
                continue
            at, amount = take(first, last, gain, held, places[way], least[way])
            before = held[at - 1] if at > first else 0.0
            value[way] = total[at - 1] if at > first else 0.0
            if at < last:
                value[way] += gain[at] * (amount - before)
            value[way] += dear * max(0.0, least[way] - amount)


@njit(cache=True, nogil=True)
def load_rows(
    wanted: tuple[Array, Array, Array, Array, Array],
    way_start: Array,
    places: Array,
    least: Array,
    pupils: Array,
    chosen: Array,
    load: Array,
) -> None:
    """Add to ``load`` (rows,) the pupils that the ways take, each counted by ``chosen`` (ways,)."""
    begin, row, gain, held, _ = wanted
    for facility in range(len(begin) - 1):
        first, last = begin[facility], begin[facility + 1]
        for way in range(way_start[facility], way_start[facility + 1]):
            if chosen[way] <= 0.0 or places[way] <= 0.0:
                continue
            at, amount = take(first, last, gain, held, places[way], least[way])
            for arc in range(first, at):
                load[row[arc]] += chosen[way] * pupils[row[arc]]
            if at < last:
                before = held[at - 1] if at > first else 0.0
                load[row[at]] += chosen[way] * (amount - before)
