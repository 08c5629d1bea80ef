"""OpenStreetMap features beside the roads: a hand-drawn file, and the real extracts."""

from pathlib import Path

import pytest

from geodata.errors import DataError
from geodata.osm_features import (
    compute_areas_m2,
    read_osm_admin_areas,
    read_osm_buildings,
    read_osm_places,
    read_osm_schools,
    read_osm_water,
)
from geodata.osm_tags import guess_kind, guess_stages, parse_levels, parse_population

# Around lon 0, lat 0 a thousandth of a degree is 111 m. The square way 100 is 0.001° × 0.001°, named like node 5
# which stands 200 m east of it: one school. Node 6 has the same name but stands 1.1 km away: another school.
# Node 7 has no name and stands inside the square: the same school again.
OSM = """<?xml version="1.0"?>
<osm version="0.6">
 <node id="1" lon="0.000" lat="0.000" version="1"/><node id="2" lon="0.001" lat="0.000" version="1"/>
 <node id="3" lon="0.001" lat="0.001" version="1"/><node id="4" lon="0.000" lat="0.001" version="1"/>
 <node id="5" lon="0.0028" lat="0.0005" version="1"><tag k="amenity" v="school"/><tag k="name" v="实验  小学"/></node>
 <node id="6" lon="0.0110" lat="0.0005" version="1"><tag k="amenity" v="school"/><tag k="name" v="实验 小学"/></node>
 <node id="7" lon="0.0002" lat="0.0005" version="1"><tag k="amenity" v="school"/></node>
 <node id="8" lon="0.0002" lat="0.0004" version="1"><tag k="amenity" v="kindergarten"/></node>
 <node id="9" lon="0.0050" lat="0.0004" version="1"><tag k="place" v="village"/><tag k="name" v="东村"/>
  <tag k="population" v="1 357"/></node>
 <way id="100" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="amenity" v="school"/><tag k="name" v="实验 小学"/></way>
 <way id="101" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="building" v="apartments"/><tag k="building:levels" v="6"/></way>
 <way id="102" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="garage"/></way>
 <way id="103" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>
  <tag k="natural" v="water"/><tag k="name" v="湖"/></way>
 <way id="104" version="1"><nd ref="1"/><nd ref="3"/><tag k="waterway" v="river"/></way>
 <way id="105" version="1"><nd ref="1"/><nd ref="4"/><tag k="natural" v="coastline"/></way>
 <way id="106" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="boundary" v="administrative"/><tag k="admin_level" v="8"/><tag k="name" v="城关镇"/></way>
</osm>
"""


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    path = tmp_path / "drawn.osm"
    path.write_text(OSM, encoding="utf-8")
    return path


def test_schools_mapped_twice_are_one(drawn: Path) -> None:
    schools = read_osm_schools(drawn).set_index("school_id")
    assert sorted(schools.index) == ["n6", "n8", "w100"]
    assert schools.loc["w100", "geometry"].within(read_osm_buildings(drawn).geometry.iloc[0])
    assert schools.loc["w100", "site_area_m2"] == pytest.approx(111.3 * 110.6, rel=0.01)
    assert schools.loc["n8", ["stages", "kind"]].tolist() == ["kindergarten", "kindergarten"]
    assert str(read_osm_schools(drawn).crs) == "EPSG:4326"


def test_the_grounds_of_a_school_stand_for_the_houses_on_them(tmp_path: Path) -> None:
    house = OSM.replace('k="building" v="apartments"/>', 'k="amenity" v="school"/><tag k="name" v="实验 小学"/>')
    path = tmp_path / "drawn.osm"
    small = '<way id="99" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>'
    small += '<tag k="amenity" v="school"/><tag k="name" v="实验小学"/></way>\n <way id="100"'
    path.write_text(house.replace('<way id="100"', small), encoding="utf-8")
    # Way 101 is as large as way 100: the first stays. Way 99 has another name (no blank): it stays and is told later.
    assert sorted(read_osm_schools(path)["school_id"]) == ["n6", "n8", "w100", "w99"]


def test_buildings_have_floor_area(drawn: Path) -> None:
    buildings = read_osm_buildings(drawn).set_index("building_id")
    outline = compute_areas_m2(buildings.geometry.to_numpy())
    assert buildings.loc["w101", "floor_area_m2"] == pytest.approx(6 * outline[0])
    assert buildings["inhabited"].to_dict() == {"w101": True, "w102": False}


def test_places_areas_and_water(drawn: Path) -> None:
    assert read_osm_places(drawn)["population_people"].tolist() == [1357]
    assert read_osm_admin_areas(drawn)["name"].tolist() == ["城关镇"]
    assert read_osm_admin_areas(drawn, level=6).empty
    water = read_osm_water(drawn)
    assert sorted(zip(water["kind"], water.geom_type, strict=True)) == [
        ("lake", "MultiPolygon"),
        ("river", "LineString"),
        ("sea", "LineString"),
    ]


def test_a_file_without_features_gives_empty_layers(tmp_path: Path) -> None:
    path = tmp_path / "empty.osm"
    path.write_text('<osm version="0.6"></osm>')
    for read in (read_osm_schools, read_osm_buildings, read_osm_places, read_osm_admin_areas, read_osm_water):
        assert read(path).empty


@pytest.mark.parametrize("content", [None, "not a map", ""])
def test_a_broken_file_is_told(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "broken.osm.pbf"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"broken\.osm\.pbf"):
        read_osm_schools(path)


@pytest.mark.parametrize(
    ("tags", "stages", "kind"),
    [
        ({"amenity": "kindergarten", "name": "实验小学附属"}, "kindergarten", "kindergarten"),
        ({"amenity": "school"}, "primary", "primary"),
        ({"amenity": "school", "isced:level": "1-3"}, "primary junior senior", "twelve_year"),
        ({"amenity": "school", "isced:level": "1;2"}, "primary junior", "nine_year"),
        ({"amenity": "school", "name": "第一初级中学"}, "junior", "junior"),
        ({"amenity": "school", "name": "第一中学"}, "junior senior", "complete_secondary"),
        ({"amenity": "school", "name": "育才九年一贯制学校"}, "primary junior", "nine_year"),
        ({"amenity": "school", "name": "Gymnasium Vaduz"}, "senior", "senior"),
        ({"amenity": "school", "school:type": "primary", "name": "第一中学"}, "primary", "primary"),
    ],
)
def test_stages_are_guessed_by_the_rules(tags: dict[str, str], stages: str, kind: str) -> None:
    assert " ".join(guess_stages(tags)) == stages
    assert guess_kind(guess_stages(tags)) == kind


def test_numbers_in_tags() -> None:
    assert parse_levels("3;4") == 4
    assert parse_levels("0") != parse_levels("0")
    assert [parse_population(text) for text in ("5933", "5 933", "5,933", "5'933")] == [5933] * 4
    assert parse_population("about 100") != parse_population("about 100")


@pytest.mark.real
def test_liechtenstein(cases: Path) -> None:
    path = cases / "liechtenstein" / "liechtenstein-2015-07_valhalla.osm.pbf"
    assert len(read_osm_admin_areas(path)) == 11
    assert read_osm_schools(path)["amenity"].value_counts().to_dict() == {"school": 19, "kindergarten": 6}
    buildings = read_osm_buildings(path)
    assert len(buildings) == pytest.approx(8_996, abs=5)
    # 2.2 km² of outlines (README of the case); floors make it more.
    assert compute_areas_m2(buildings.geometry.to_numpy()).sum() == pytest.approx(2.2e6, rel=0.03)
    places = read_osm_places(path)
    assert places["population_people"].sum() == 36_838 + 1_357


@pytest.mark.real
def test_reykjavik_schools_are_not_counted_twice(cases: Path) -> None:
    schools = read_osm_schools(cases / "reykjavik_gostnets" / "capital_area.osm.pbf")
    assert len(schools) < 101 + 115
    assert schools["school_id"].is_unique
