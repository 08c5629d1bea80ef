"""Both ways of searching against each other and against scipy; roads that close; what a change touches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.road_graph import build_road_graph
from geodata.cache import DiskCache
from geodata.errors import Cancelled
from geodata.messages import Message
from geodata.network import build_network
from geodata.osm import read_osm_roads
from geodata.road_classes import read_road_classes
from geodata.road_table import build_road_table
from geodata.snap import snap_points
from geodata.study import Mode, RoadNetwork
from geodata.travel_choice import Work, choose_method
from geodata.travel_search import Points, TravelSearch
from tests.geodata.drawn_roads import both_ways, build_arcs
from tests.geodata.test_travel import winding_networks


def scatter(network: RoadNetwork, count: int, seed: int, spread_m: float = 80.0) -> Points:
    """Points near nodes, some on them, one far away and one nowhere."""
    draw = np.random.default_rng(seed)
    node = draw.integers(0, network.n_nodes, count)
    away = draw.normal(0.0, spread_m, (2, count)) * (draw.random(count) < 0.7)
    x, y = network.x_m[node] + away[0], network.y_m[node] + away[1]
    x[-1], y[-2] = np.nan, y[-2] + 20 * spread_m
    return [str(number) for number in range(count)], x, y


def on_nodes(network: RoadNetwork, nodes: np.ndarray) -> Points:
    return [str(node) for node in nodes], network.x_m[nodes], network.y_m[nodes]


def in_whole_millis(network: RoadNetwork) -> RoadNetwork:
    return replace(network, time_s=(np.rint(network.time_s.astype(np.float64) * 1000) / 1000).astype(np.float32))


def measure_with_scipy(network: RoadNetwork, goals: np.ndarray) -> np.ndarray:
    """Whole milliseconds from every node to each goal, shape (nodes, goals)."""
    size = (network.n_nodes, network.n_nodes)
    millis = np.rint(network.time_s.astype(np.float64) * 1000)
    graph = csr_array((millis, network.head, network.start), shape=size).T.tocsr()
    return dijkstra(graph, indices=goals).T


@pytest.fixture(scope="module")
def county() -> RoadNetwork:
    return build_road_graph(3_000, seed=5).network


@pytest.mark.parametrize("cutoff_min", [np.inf, 12.0, 0.0])
def test_both_methods_give_the_same_numbers(county: RoadNetwork, cutoff_min: float) -> None:
    search = TravelSearch(county, scatter(county, 300, 1), cutoff_min=cutoff_min)
    schools = scatter(county, 70, 2)
    time, length, _ = search.measure(schools, method="bounded")
    for threads in (1, 2):
        search.threads = threads
        again = search.measure(schools, method="hierarchy")
        np.testing.assert_array_equal(again[0], time)
        np.testing.assert_array_equal(again[1], length)
    for few in (1, 3):  # single schools have a kernel of their own
        part = tuple(values[:few] for values in schools)
        single = search.measure(part, method="hierarchy")  # type: ignore[arg-type]
        np.testing.assert_array_equal(single[0], time[:, :few])
        np.testing.assert_array_equal(single[1], length[:, :few])
    for method in ("bounded", "hierarchy"):
        np.testing.assert_array_equal(search.measure_minutes(schools, method=method)[0], time)  # type: ignore[arg-type]
    assert np.isnan(time[:, -1]).all() and np.isnan(time[-1]).all()
    if np.isinf(cutoff_min):
        assert np.isfinite(time[:-1, :-1]).all()
    elif cutoff_min:
        assert 0 < np.isfinite(time).mean() < 0.9
        free = TravelSearch(county, scatter(county, 300, 1)).measure(schools)[0]
        np.testing.assert_array_equal(time, np.where(free <= np.float32(cutoff_min), free, np.nan))


@settings(max_examples=60)
@given(winding_networks(), st.integers(0, 99))
def test_both_methods_agree_on_winding_roads(network: RoadNetwork, seed: int) -> None:
    search = TravelSearch(network, scatter(network, 12, seed, 300.0))
    schools = scatter(network, 9, seed + 1, 300.0)
    bounded, hierarchy = search.measure(schools, method="bounded"), search.measure(schools, method="hierarchy")
    np.testing.assert_array_equal(bounded[0], hierarchy[0])
    np.testing.assert_array_equal(bounded[1], hierarchy[1])


def test_generated_roads_agree_with_scipy_to_the_millisecond(county: RoadNetwork) -> None:
    nodes, goals = np.arange(county.n_nodes), np.arange(0, county.n_nodes, 7)
    time, _ = TravelSearch(county, on_nodes(county, nodes)).measure_minutes(on_nodes(county, goals), method="hierarchy")
    expected = (measure_with_scipy(county, goals).astype(np.float32) / np.float32(60000)).astype(np.float32)
    np.testing.assert_array_equal(time, expected)


LIECHTENSTEIN = "liechtenstein/liechtenstein-2013-08-03_debian_osm2pgsql.osm.pbf"


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "crs", "mode", "goals"),
    [
        ("monaco/monaco-2012-07_graphhopper.osm.gz", "EPSG:32632", "walk", 0),
        ("helsinki/pyrosm_test_kotka.osm.pbf", "EPSG:32635", "bicycle", 0),
        pytest.param(LIECHTENSTEIN, "EPSG:32632", "drive", 0, marks=pytest.mark.slow),
        (LIECHTENSTEIN, "EPSG:32632", "walk", 100),
        ("porto_alegre_r5r/poa_osm.pbf", "EPSG:32722", "walk", 100),
    ],
)
def test_all_pairs_of_real_maps_agree_with_scipy(cases: Path, file: str, crs: str, mode: Mode, goals: int) -> None:
    """From every node to every node (``goals`` = 0) or to a spread of nodes, on the same milliseconds, exactly."""
    roads = build_road_table(read_osm_roads(cases / file), crs, read_road_classes())
    network = replace(in_whole_millis(build_network(roads, mode)), enterable=None)
    snap = snap_points(network, network.x_m, network.y_m)
    node = np.where(snap.fraction == 0, snap.tail, snap.head)
    nodes = np.flatnonzero((node == np.arange(network.n_nodes)) & np.isin(snap.fraction, (0, 1)))
    assert len(nodes) > 0.97 * network.n_nodes  # the others lie exactly below a bridge, or at a barrier with two sides
    chosen = nodes[:: max(len(nodes) // goals, 1)] if goals else nodes
    search = TravelSearch(network, on_nodes(network, nodes))
    for part in np.array_split(chosen, -(-len(chosen) // 500)):
        time, _ = search.measure_minutes(on_nodes(network, part), method="hierarchy")
        expected = measure_with_scipy(network, part)[nodes].astype(np.float32) / np.float32(60000)
        np.testing.assert_array_equal(np.where(np.isnan(time), np.inf, time), expected)


@settings(max_examples=40)
@given(winding_networks(), st.integers(0, 99), st.sampled_from([np.inf, 0.5, 3.0]))
def test_a_changed_search_is_a_search_built_anew(network: RoadNetwork, seed: int, factor: float) -> None:
    draw = np.random.default_rng(seed)
    arcs = draw.choice(len(network.head), size=min(2, len(network.head)), replace=False)
    units, schools = scatter(network, 12, seed), scatter(network, 9, seed + 1)
    seconds = network.time_s[arcs].astype(np.float64) * factor
    search = TravelSearch(network, units)
    before = search.measure(schools, method="hierarchy")
    changed = search.with_costs(arcs, seconds)
    times = network.time_s.copy()
    times[arcs] = np.minimum(seconds, 9e8)  # closed: as good as never
    fresh = TravelSearch(replace(network, time_s=times), units)
    expected, _ = fresh.measure_minutes(schools, method="bounded")
    expected = np.where(expected > 5e3, np.nan, expected)
    for method in ("bounded", "hierarchy"):
        found, _, _ = changed.measure(schools, method=method)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=2e-5)
    np.testing.assert_array_equal(search.measure(schools, method="hierarchy")[0], before[0])
    touched = search.find_touched(changed, schools)
    others = np.ix_(~touched.units, ~touched.destinations)
    np.testing.assert_array_equal(found[others], before[0][others])


def test_a_closed_road_touches_few_and_all_that_it_must(county: RoadNetwork) -> None:
    search = TravelSearch(county, scatter(county, 300, 1))
    schools = scatter(county, 40, 2)
    search.prepare(lengths=False)
    before, _ = search.measure_minutes(schools, method="hierarchy")
    fork = search.fork()
    everything = 0
    for arc in np.random.default_rng(3).integers(0, len(county.head), 30):
        fork.change([arc], [np.inf])
        after, _ = fork.measure_minutes(schools, method="hierarchy")
        touched = search.find_touched(fork, schools)
        others = np.ix_(~touched.units, ~touched.destinations)
        np.testing.assert_array_equal(after[others], before[others])
        fork.change([arc], [county.time_s[arc]])
        everything += int(touched.destinations.sum())
    restored, _ = fork.measure_minutes(schools, method="hierarchy")
    np.testing.assert_array_equal(restored, before)
    assert 0 < everything < 30 * 40 * 0.8


def test_only_a_fork_may_be_changed(county: RoadNetwork) -> None:
    with pytest.raises(ValueError, match="fork"):
        TravelSearch(county, scatter(county, 5, 1)).change([0], [1.0])


def test_a_chain_shut_both_ways_still_works() -> None:
    # 0 -> 1 <- 2: nobody passes from 0 to 2, but both reach the middle. Crossings at 0 and 2 by spurs.
    places = [(0, 0), (100, 0), (200, 0), (0, 100), (0, -100), (200, 100), (200, -100)]
    arcs = [(0, 1), (2, 1), *both_ways([(0, 3), (0, 4), (2, 5), (2, 6)])]
    network = build_arcs(places, arcs, mode="drive")
    search = TravelSearch(network, (["a", "b", "m"], [0, 200, 50], [100, 100, 0]))
    for method in ("bounded", "hierarchy"):
        time, length, _ = search.measure((["s", "t"], [100, 200], [0, -100]), method=method)  # type: ignore[arg-type]
        np.testing.assert_allclose(length, [[200, np.nan], [200, 200], [50, np.nan]])
        np.testing.assert_allclose(time * 60, length, rtol=1e-6)


def test_the_shape_of_the_hierarchy_is_kept_on_disk(county: RoadNetwork, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    schools = scatter(county, 5, 2)
    first = TravelSearch(county, scatter(county, 20, 1), cache=cache).measure(schools, method="hierarchy")
    assert len(list((tmp_path / "cache").glob("hierarchy-*.cache"))) == 1
    again = TravelSearch(county, scatter(county, 20, 1), cache=cache).measure(schools, method="hierarchy")
    np.testing.assert_array_equal(first[0], again[0])


@pytest.mark.parametrize("method", ["bounded", "hierarchy"])
def test_progress_is_told_and_can_cancel(county: RoadNetwork, method: str) -> None:
    search = TravelSearch(county, scatter(county, 20, 1))
    schools = scatter(county, 300, 2)
    shares: list[float] = []
    search.measure(schools, lambda _, share: shares.append(share), method=method)  # type: ignore[arg-type]
    assert len(shares) > 2 and shares == sorted(shares) and shares[-1] == 1.0

    def stop(step: Message, share: float) -> None:
        raise Cancelled(str(step))

    with pytest.raises(Cancelled):
        search.measure(schools, stop, method=method)  # type: ignore[arg-type]


def test_the_choice_follows_the_work() -> None:
    assert choose_method(Work(1, 1e6, 1_000_000)) == "bounded"
    assert choose_method(Work(500, 1e6, 1_000_000)) == "hierarchy"
    assert choose_method(Work(1, 1e6, 1_000_000, prepared=True)) == "hierarchy"
    assert choose_method(Work(500, 1_000, 1_000_000, used_again=True)) == "bounded"
    assert choose_method(Work(100, 1e6, 1_000_000, used_again=True)) == "hierarchy"
