"""How wide a margin of roads around a county must be: travel with roads cut at several distances, against all roads.

``python -m benchmarks.border STUDY`` takes the part of a study west of its middle as a county of its own (the hardest
place to cut: the border runs through the densest streets), keeps the roads within a margin of its units, and compares
the way to the nearest of its own schools with that on all roads. Cutting is what ``osmium extract --polygon`` with its
strategy of complete ways would do, by nodes.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geodata.build import read_study
from geodata.study import RoadNetwork, StudyArea
from geodata.travel import compute_travel_matrix

MARGINS_KM = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
CHANGED_MIN = 0.5
"""A change of fewer minutes is none: as in the comparison of scenarios."""

PAIRS_MIN = 40.0
"""Ways to all schools are compared as well, up to so many minutes: proposals send children beyond the nearest."""

Floats = npt.NDArray[np.float64]


def cut_network(network: RoadNetwork, keep: npt.NDArray[np.bool_]) -> RoadNetwork:
    """Return the largest strongly connected part of the roads between the nodes kept."""
    tail = np.repeat(np.arange(network.n_nodes), np.diff(network.start))
    inside = keep[tail] & keep[network.head]
    shape = (network.n_nodes, network.n_nodes)
    graph = csr_array((np.ones(inside.sum()), (tail[inside], network.head[inside])), shape=shape)
    _, part = connected_components(graph, connection="strong")
    sizes = np.bincount(part[keep]) if keep.any() else np.zeros(1)
    keep = keep & (part == sizes.argmax())
    number = np.cumsum(keep) - 1
    arcs = keep[tail] & keep[network.head]
    counts = np.bincount(number[tail[arcs]], minlength=int(keep.sum()))
    return replace(
        network,
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        head=number[network.head[arcs]].astype(np.int32),
        length_m=network.length_m[arcs],
        time_s=network.time_s[arcs],
        x_m=network.x_m[keep],
        y_m=network.y_m[keep],
        enterable=None if network.enterable is None else network.enterable[arcs],
    )


def measure(study: StudyArea, mode: str, stage: str, margins_km: tuple[float, ...] = MARGINS_KM) -> pd.DataFrame:
    """Return one row per margin: pupils whose way to the nearest school changes, by how much, and roads left."""
    network = study.networks[mode]  # type: ignore[index]
    middle = float(study.units["x_m"].median())
    units = study.units[study.units["x_m"] < middle]
    schools = study.schools[study.schools["x_m"] < middle]
    points = [
        (tuple(table[key]), table["x_m"].to_numpy(), table["y_m"].to_numpy())
        for table, key in ((units, "unit_id"), (schools, "school_id"))
    ]
    pupils = units[f"{stage}_pupils"].to_numpy(dtype=np.float64)
    land = shapely.union_all(shapely.make_valid(units.geometry.to_numpy()))
    nodes = shapely.points(network.x_m, network.y_m)

    def find_times(roads: RoadNetwork) -> Floats:
        matrix = compute_travel_matrix(roads, points[0], points[1], mode=mode)  # type: ignore[arg-type]
        return np.where(np.isnan(matrix.time_min), np.inf, matrix.time_min).astype(np.float64)

    all_times = find_times(network)
    truth, near = all_times.min(axis=1), all_times <= PAIRS_MIN
    distance = shapely.distance(nodes, land)
    rows = []
    for margin in margins_km:
        roads = cut_network(network, np.asarray(distance <= margin * 1000, dtype=np.bool_))
        times = find_times(roads)
        change = times.min(axis=1) - truth
        changed = np.abs(times[near] - all_times[near]) > CHANGED_MIN
        known = np.isfinite(truth) & np.isfinite(change)
        moved = known & (np.abs(change) > CHANGED_MIN)
        rows.append(
            {
                "margin_km": margin,
                "nodes_share": roads.n_nodes / network.n_nodes,
                "changed_pupils_share": float(pupils[moved].sum() / pupils.sum()),
                "mean_change_min": float(np.average(change[known], weights=pupils[known])),
                "max_change_min": float(np.abs(change[known]).max()),
                "changed_pairs_share": float(changed.mean()),
                "lost_units": int((np.isfinite(truth) & ~np.isfinite(change)).sum()),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--modes", nargs="*", default=["walk", "drive"])
    parser.add_argument("--stage", default="primary")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    study = read_study(options.study)
    for mode in options.modes:
        table = measure(study, mode, options.stage)
        if options.json:
            print(json.dumps({"mode": mode, "rows": table.to_dict("records")}))
        else:
            print(f"{study.name}, {mode}")
            print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
