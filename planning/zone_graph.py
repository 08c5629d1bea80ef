"""Who can be joined with whom: connected parts of the units, as arrays of positions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def label_parts(n: int, links: Ints) -> npt.NDArray[np.int32]:
    """Return the number of the connected part of each of ``n`` units; ``links`` are pairs (links, 2)."""
    graph = coo_matrix((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(n, n))
    labels: npt.NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return labels


def find_reach(allowed: Bools, links: Ints, seat: Ints) -> Bools:
    """Return the units that a zone can hold: joined to its seat by units allowed to it.

    Parameters
    ----------
    allowed : shape (units, zones)
    links : shape (links, 2), each pair once or twice
    seat : shape (zones,), −1 = the zone need not be connected
    """
    n, zones = allowed.shape
    reach = np.zeros_like(allowed)
    whole = label_parts(n, links)
    for zone in range(zones):
        column = allowed[:, zone]
        if seat[zone] < 0:
            reach[:, zone] = column
            continue
        if not column[seat[zone]]:
            continue
        labels = whole
        if not column.all():
            labels = label_parts(n, links[column[links].all(axis=1)])
        reach[:, zone] = (labels == labels[seat[zone]]) & column
    return reach


def find_stranded(allowed: Bools, links: Ints, seat: Ints) -> Ints:
    """Return the units that no zone can hold. A seat counts as allowed to its own zone only."""
    own = allowed.copy()
    for zone, unit in enumerate(seat):
        if unit >= 0:
            own[unit] = False
            own[unit, zone] = True
    return np.flatnonzero(~find_reach(own, links, seat).any(axis=1))


def add_bridges(n: int, links: Ints, seat: Ints, travel: Floats, nearest: int) -> Ints:
    """Return virtual links (unit, seat) for the parts of the land without a seat: every unit to the nearest zones."""
    if not len(seat) or (seat < 0).any():
        return np.empty((0, 2), dtype=np.int64)
    labels = label_parts(n, links)
    lonely = np.flatnonzero(~np.isin(labels, labels[seat]))
    count = min(nearest, len(seat))
    order = np.argsort(travel[lonely], axis=1, kind="stable")[:, :count]
    return np.column_stack([np.repeat(lonely, count), seat[order].ravel()]).astype(np.int64)


def find_detached(zone: Ints, links: Ints, seat: Ints) -> Ints:
    """Return the units that are not joined to the seat of their zone within the zone."""
    same = zone[links[:, 0]] == zone[links[:, 1]]
    labels = label_parts(len(zone), links[same])
    home = np.where(seat >= 0, labels[np.maximum(seat, 0)], -1)[zone]
    return np.flatnonzero((home >= 0) & (labels != home))
