"""The synthetic demo county: equal for equal seeds, of the promised size and shape, read by the ordinary readers."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geodata.demo import write_demo_files
from geodata.demo.settlements import share_out
from geodata.osm_features import read_osm_barriers
from geodata.read_ground import read_ground
from geodata.read_planning import read_planning_tables
from geodata.study_file import StudySpec, read_study_file
from tests.open_gdal import read_any_layer

PUPILS = {"kindergarten": 20_000, "primary": 58_000, "junior": 27_000, "senior": 16_000}
STAGES = {"幼儿园": "kindergarten", "小学": "primary", "初中": "junior", "高中": "senior"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_files(tmp_path_factory.mktemp("demo")).parent


@pytest.fixture(scope="module")
def spec(folder: Path) -> StudySpec:
    return read_study_file(folder / "study.toml")


@pytest.fixture(scope="module")
def units(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(folder / "villages.gpkg", layer="units")


@pytest.fixture(scope="module")
def schools(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "schools.csv", dtype=str, encoding="utf-8-sig")
    table["stage"] = table["学段"].map(STAGES)
    for column in ("学位数", "在校生数", "班数"):
        table[column] = table[column].astype(float)
    return table


@pytest.fixture(scope="module")
def zones(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "zones.csv", dtype=str, encoding="utf-8-sig")
    return table.assign(stage=table["学段"].map(STAGES))


class _Ways(osmium.SimpleHandler):
    """Roads as node numbers with tags; water ways counted."""

    def __init__(self) -> None:
        super().__init__()
        self.roads: list[tuple[list[int], dict[str, str]]] = []
        self.water: Counter[str] = Counter()
        self.place: dict[int, tuple[float, float]] = {}

    def node(self, node: osmium.osm.Node) -> None:
        self.place[node.id] = (node.location.lon, node.location.lat)

    def way(self, way: osmium.osm.Way) -> None:
        tags = {tag.k: tag.v for tag in way.tags}
        if "highway" in tags:
            self.roads.append(([node.ref for node in way.nodes], tags))
        self.water[tags.get("waterway", tags.get("water", ""))] += 1


@pytest.fixture(scope="module")
def osm(folder: Path) -> _Ways:
    handler = _Ways()
    handler.apply_file(str(folder / "roads.osm.pbf"))
    return handler


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_equal_seeds_write_equal_files_and_other_seeds_other_ones(folder: Path, tmp_path: Path) -> None:
    again = write_demo_files(tmp_path / "again").parent
    assert _digests(again) == _digests(folder)


@pytest.mark.slow
def test_another_seed_gives_another_county_of_the_same_size(folder: Path, tmp_path: Path) -> None:
    other = write_demo_files(tmp_path / "other", seed=7).parent
    assert _digests(other)["schools.csv"] != _digests(folder)["schools.csv"]
    table = gpd.read_file(other / "villages.gpkg", layer="units")
    assert table["population_people"].sum() == 620_000
    assert shapely.coverage_is_valid(table.geometry.to_numpy())


def test_every_file_says_that_it_is_synthetic(folder: Path, spec: StudySpec) -> None:
    assert spec.synthetic
    assert "synthetic" in spec.name
    assert "合成" in spec.name
    assert "SYNTHETIC" in (folder / "README.txt").read_text(encoding="utf-8")
    assert "invented" in (folder / "study.toml").read_text(encoding="utf-8")
    header = osmium.io.Reader(str(folder / "roads.osm.pbf")).header()
    assert "synthetic" in header.get("generator")


def test_units_tile_a_county_of_900_square_kilometres(units: gpd.GeoDataFrame) -> None:
    shapes = units.geometry.to_numpy()
    assert 600 <= len(units) <= 900
    assert units["unit_id"].is_unique
    assert units["name"].is_unique
    assert units["unit_id"].str.startswith("0").all()
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) == {3}
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.coverage_union_all(shapes)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert whole.area / 1e6 == pytest.approx(900.0, rel=0.01)
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)
    assert shapely.intersects(shapes, shapely.points(units["x_m"], units["y_m"])).all()


def test_people_and_children_are_as_many_as_promised(units: gpd.GeoDataFrame) -> None:
    assert units["population_people"].sum() == 620_000
    by_setting = units.groupby("setting")["population_people"].sum()
    assert by_setting["urban"] == pytest.approx(230_000, rel=0.05)
    for stage, pupils in PUPILS.items():
        assert units[f"{stage}_pupils"].sum() == pytest.approx(pupils, rel=0.05), stage
    counts = Counter(units["kind"])
    assert 240 <= counts["village"] <= 280
    estates = units[units["kind"] == "estate"]["population_people"]
    assert len(estates) > 70
    assert estates.max() <= 3_500
    assert estates.between(1_000, 3_500).mean() > 0.4


def test_births_halve_within_seven_years_and_agree_with_the_pupils(units: gpd.GeoDataFrame) -> None:
    births = units.filter(like="births_").sum()
    assert births["births_2023"] <= 0.52 * births["births_2016"]
    years = [f"births_{year}" for year in range(2014, 2020)]
    assert (units[years].sum(axis=1) == units["primary_pupils"]).all()
    young = [f"births_{year}" for year in range(2020, 2023)]
    assert (units["kindergarten_pupils"] <= units[young].sum(axis=1)).all()


def test_schools_are_of_the_promised_kinds(schools: pd.DataFrame) -> None:
    by_stage = Counter(schools["stage"])
    assert by_stage == {"kindergarten": 90, "primary": 120, "junior": 34, "senior": 6}
    once = schools.drop_duplicates("学校代码")
    kinds = Counter(once["办学类型"])
    assert kinds["教学点"] == 35
    assert kinds["九年一贯制学校"] == 8
    assert once["学校名称"].is_unique
    assert not schools.duplicated(["学校代码", "stage"]).any()
    assert schools["学校代码"].str.fullmatch(r"0410\d{4}").all()
    assert 5 <= schools["学位数"].isna().sum() <= 15
    private = once[(once["举办者"] == "民办") & (once["办学类型"] != "幼儿园")]
    assert len(private) == 1
    assert once["寄宿床位数"].notna().sum() >= 20


def test_pupils_on_the_rolls_are_those_of_the_county(schools: pd.DataFrame, units: gpd.GeoDataFrame) -> None:
    for stage in PUPILS:
        rows = schools[schools["stage"] == stage]
        assert rows["在校生数"].sum() == units[f"{stage}_pupils"].sum()
    grades = schools.filter(regex="(年级|班|高.)人数$").astype(float)
    assert (grades.sum(axis=1) == schools["在校生数"]).all()


def test_the_seat_is_overfull_and_village_schools_are_empty(schools: pd.DataFrame) -> None:
    public = schools[(schools["stage"] == "primary") & (schools["举办者"] == "公办") & schools["学位数"].notna()]
    fill = public["在校生数"] / public["学位数"]
    size = public["在校生数"] / public["班数"]
    seat, rural = public["城乡类型"] == "城区", public["城乡类型"] == "乡村"
    assert fill[seat].between(1.1, 1.47).all()
    assert size[seat].between(48.0, 68.0).all()
    assert fill[rural].between(0.05, 0.6).all()
    assert fill[rural].median() < 0.5
    assert 1 <= (schools.loc[schools["stage"] == "primary", "在校生数"] > 2_000).sum() <= 3
    points = schools[schools["办学类型"] == "教学点"]["在校生数"]
    assert points.between(3, 60).all()


def test_village_children_leak_to_the_towns_and_the_seat(schools: pd.DataFrame, units: gpd.GeoDataFrame) -> None:
    rows = schools[schools["stage"] == "primary"].groupby("城乡类型")["在校生数"].sum()
    living = units.groupby("setting")["primary_pupils"].sum()
    assert rows["城区"] > 1.2 * living["urban"]
    assert rows["镇区"] > living["town"]
    assert rows["乡村"] < 0.7 * living["rural"]


def test_every_unit_has_a_zone_and_some_zones_are_odd_or_shared(
    zones: pd.DataFrame, units: gpd.GeoDataFrame, schools: pd.DataFrame
) -> None:
    assert not zones.duplicated(["单元编号", "stage", "学校代码"]).any()
    known = set(zip(schools["学校代码"], schools["stage"], strict=True))
    assert set(zip(zones["学校代码"], zones["stage"], strict=True)) <= known
    for stage in ("primary", "junior"):
        rows = zones[zones["stage"] == stage]
        assert set(rows["单元编号"]) == set(units["unit_id"])
        assert rows["单元编号"].duplicated().sum() >= 5
    town_of_unit = units.set_index("unit_id")["town"]
    first = schools.drop_duplicates("学校代码").set_index("学校代码")
    rural = zones[zones["单元编号"].map(units.set_index("unit_id")["setting"]) == "rural"]
    town_school = rural["学校代码"].map(first["城乡类型"]) == "镇区"
    elsewhere = rural["单元编号"].map(town_of_unit) != rural["学校代码"].map(first["乡镇"])
    assert 1 <= (town_school & elsewhere).sum() <= 30


def test_roads_are_one_net_with_a_hierarchy(osm: _Ways) -> None:
    pairs = np.array([pair for nodes, _ in osm.roads for pair in itertools.pairwise(nodes)])
    used, compact = np.unique(pairs, return_inverse=True)
    compact = compact.reshape(-1, 2)
    assert len(used) >= 60_000
    graph = coo_matrix((np.ones(len(compact)), (compact[:, 0], compact[:, 1])), shape=(len(used), len(used)))
    sizes = np.sort(np.bincount(connected_components(graph, directed=False)[1]))[::-1]
    assert 2 <= len(sizes) <= 4
    assert sizes[0] > 0.999 * len(used)
    classes = {tags["highway"] for _, tags in osm.roads}
    assert classes >= {
        "motorway", "motorway_link", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
        "living_street", "service", "track", "footway", "path",
    }  # fmt: skip
    assert all(tags.get("oneway") == "yes" for _, tags in osm.roads if tags["highway"] == "motorway")
    assert any(tags.get("oneway") == "yes" for _, tags in osm.roads if tags["highway"] == "tertiary")
    names = {tags.get("name", "") for _, tags in osm.roads}
    assert {"人民路", "建设路", "滨河北路", "滨河南路", "中心大街"} <= names
    assert {"river", "stream", "reservoir", "pond"} <= set(osm.water)


def test_houses_are_numbered_along_the_named_streets(spec: StudySpec, units: gpd.GeoDataFrame, osm: _Ways) -> None:
    from geodata.addresses import read_addresses

    houses, issues = read_addresses(spec, spec.crs)
    assert issues == []
    assert 6_000 <= len(houses) <= 10_000
    names = {tags["name"] for _, tags in osm.roads if "name" in tags}
    assert set(houses["street"]) <= names
    where = gpd.GeoDataFrame(houses, geometry=gpd.points_from_xy(houses["x_m"], houses["y_m"]), crs=units.crs)
    where = where.sjoin(units[["setting", "town", "geometry"]])
    assert set(where["setting"]) == {"urban", "town"}
    seat = where[where["setting"] == "urban"]
    assert (seat.groupby(["street", "house_number"]).size() == 1).mean() > 0.99, "one number once in a settlement"
    centre = read_any_layer(spec.folder / "roads.osm.pbf", "lines").to_crs(units.crs).query("name == '人民路'").geometry
    line = shapely.line_merge(shapely.union_all(centre[centre.intersects(seat.union_all().convex_hull)].to_numpy()))
    assert line.geom_type == "LineString"
    rows = seat[seat["street"] == "人民路"].assign(number=lambda table: table["house_number"].astype(int))
    along = shapely.line_locate_point(line, rows.geometry.to_numpy())
    beside = shapely.distance(line, rows.geometry.to_numpy())
    assert beside.min() > 8 and beside.max() < 16
    for odd in (0, 1):
        one = (rows["number"] % 2 == odd).to_numpy()
        order = np.argsort(rows["number"].to_numpy()[one])
        steps = np.diff(along[one][order])
        assert (steps > 0).all() or (steps < 0).all(), "numbers rise along the street"
        assert 30 <= np.median(np.abs(steps)) <= 45
    left = shapely.contains_xy(shapely.buffer(line, 20.0, single_sided=True), rows["x_m"], rows["y_m"])
    odd_left = left == (rows["number"] % 2 == 1).to_numpy()
    assert odd_left.mean() > 0.97 or odd_left.mean() < 0.03


def test_units_of_the_seat_are_street_blocks_cut_by_walls(folder: Path, units: gpd.GeoDataFrame) -> None:
    # Borders lie on streets (lanes and footways too), the river or the railway. What does not is a wall between two
    # estates: it runs inside one block of named streets and crosses none of them.
    lines = read_any_layer(folder / "roads.osm.pbf", "lines").to_crs(units.crs)
    seat = units[units["setting"] == "urban"].geometry.to_numpy()
    near = shapely.intersects(lines.geometry.to_numpy(), shapely.box(*shapely.total_bounds(seat)))
    cuts = lines[near & (lines["highway"].notna() | (lines["waterway"] == "river") | lines["railway"].notna())]
    on_line = shapely.union_all(shapely.buffer(cuts.geometry.to_numpy(), 1.0))
    first, second = shapely.STRtree(seat).query(seat, predicate="touches")
    borders = shapely.intersection(seat[first[first < second]], seat[second[first < second]])
    borders = borders[shapely.length(borders) > 1.0]
    share = shapely.length(shapely.intersection(borders, on_line)) / shapely.length(borders)
    assert len(borders) > 400
    assert (share >= 0.95).mean() > 0.8
    walls = shapely.difference(borders[share < 0.95], on_line)
    named = cuts[cuts["highway"].notna() & cuts["name"].notna()].geometry.union_all()
    assert shapely.length(shapely.intersection(walls, shapely.buffer(named, 0.9))).max() < 0.5
    assert not shapely.crosses(walls, named).any()


def test_the_river_is_crossed_by_few_bridges_only(folder: Path, osm: _Ways) -> None:
    river = read_any_layer(folder / "roads.osm.pbf", "lines").query("waterway == 'river'").geometry.iloc[0]
    lines = [shapely.LineString([osm.place[node] for node in nodes]) for nodes, _ in osm.roads]
    over = [osm.roads[k][1] for k in np.flatnonzero(shapely.intersects(lines, river))]
    assert all(tags.get("bridge") == "yes" for tags in over)
    carriageways = sum(tags["highway"] == "motorway" for tags in over)
    assert carriageways == 2
    assert 5 <= len(over) - 1 <= 8


def test_a_railway_runs_through_the_county_and_meets_few_roads(
    folder: Path, osm: _Ways, units: gpd.GeoDataFrame
) -> None:
    lines = read_osm_barriers(folder / "roads.osm.pbf")
    railway = lines[lines["kind"] == "railway"].geometry
    assert len(railway) == 1
    county = shapely.coverage_union_all(units.to_crs(4326).geometry.to_numpy())
    parts = shapely.get_parts(
        shapely.difference(shapely.buffer(county, -0.0005), shapely.buffer(railway.iloc[0], 1e-7))
    )
    assert len(parts) == 2
    assert shapely.area(parts).min() > 0.15 * shapely.area(parts).sum()
    roads = [shapely.LineString([osm.place[node] for node in nodes]) for nodes, _ in osm.roads]
    assert 10 <= shapely.intersects(roads, railway.iloc[0]).sum() <= 30


def test_sites_are_six_and_in_the_county(folder: Path, units: gpd.GeoDataFrame) -> None:
    sites = pd.read_csv(folder / "sites.csv", dtype=str, encoding="utf-8-sig")
    assert len(sites) == 6
    assert sites["地块编号"].is_unique
    points = gpd.points_from_xy(sites["经度"].astype(float), sites["纬度"].astype(float), crs="EPSG:4326")
    assert shapely.coverage_union_all(units.geometry.to_numpy()).contains(points.to_crs(units.crs)).all()


def test_the_ordinary_readers_take_every_file_without_an_error(spec: StudySpec) -> None:
    from geodata.read_population import read_population
    from geodata.read_roads import read_roads
    from geodata.read_schools import read_schools
    from geodata.read_sites import read_sites
    from geodata.read_zones import read_zones
    from geodata.study import no_progress
    from geodata.units import build_units

    sizes = {"kindergarten": 30.0, "primary": 45.0, "junior": 50.0, "senior": 50.0}
    tables = read_schools(spec, spec.crs, design_class_size=sizes)
    assert set(tables.places["capacity_source"]) == {"given", "derived"}
    assert tables.rolls["pupils"].sum() == pytest.approx(121_000, rel=0.01)
    zones, zone_issues = read_zones(spec)
    sites, site_issues = read_sites(spec, spec.crs)
    population = read_population(spec, spec.crs, progress=no_progress)
    units, unit_issues = build_units(population, spec, spec.crs)
    assert len(sites) == 6
    assert set(zones["unit_id"]) == set(units["unit_id"])
    assert units["primary_pupils"].sum() == 58_000
    issues = [*tables.issues, *zone_issues, *site_issues, *population.issues, *unit_issues]
    assert [str(issue) for issue in issues if issue.severity != "note"] == []
    assert len(read_roads(spec, spec.crs).x_m) >= 60_000


def test_share_out_keeps_the_total_and_the_order_of_weights() -> None:
    # 10 over 1:1:2 is 2.5, 2.5, 5: the odd one goes to the first of the equals.
    assert share_out(10, np.array([1.0, 1.0, 2.0])).tolist() == [3, 2, 5]


def test_past_rolls_follow_the_cohorts(folder: Path, schools: pd.DataFrame) -> None:
    """Each past year holds the same schools; a cohort is a little larger than today, and villages held more of it."""
    past = pd.read_csv(folder / "rolls_history.csv", dtype={"学校代码": str}, encoding="utf-8-sig")
    assert sorted(past["学年"].unique()) == [2020, 2021, 2022, 2023, 2024]
    assert set(past["学校代码"]) == set(schools["学校代码"])
    assert (past["在校生数"] >= 0).all()
    births = pd.read_csv(folder / "births.csv", dtype=str, encoding="utf-8-sig").fillna("")
    county = births[births["单元编号"] == ""].set_index("年份")["出生人数"].astype(int)
    totals = past.groupby(["学年", "年级"])["在校生数"].sum()
    for (year, grade), count in totals.items():
        if grade in ("一年级", "二年级"):
            born = county[str(year - 6 - ("一年级", "二年级").index(grade))]
            assert born * 1.001 < count < born * 1.03
    rural = past["学校代码"].map(schools.drop_duplicates("学校代码").set_index("学校代码")["城乡类型"]) == "乡村"
    primary = past[past["学段"] == "小学"]
    share = primary[rural[primary.index]].groupby("学年")["在校生数"].sum() / primary.groupby("学年")["在校生数"].sum()
    assert share.is_monotonic_decreasing


def test_births_of_the_units_add_up_to_the_county(folder: Path, units: gpd.GeoDataFrame) -> None:
    births = pd.read_csv(folder / "births.csv", dtype=str, encoding="utf-8-sig").fillna("")
    of_unit = births[births["单元编号"] != ""]
    assert set(of_unit["单元编号"]) == set(units["unit_id"])
    sums = of_unit.astype({"出生人数": int}).groupby("年份")["出生人数"].sum()
    county = births[births["单元编号"] == ""].set_index("年份")["出生人数"].astype(int)
    assert sums.to_dict() == county.to_dict()
    assert sums["2020"] == units["births_2020"].sum()


def test_tables_for_forecasts_and_inspections_are_read_without_a_finding(folder: Path, spec: StudySpec) -> None:
    tables = read_planning_tables(spec, spec.crs)
    assert tables.issues == ()
    assert len(tables.housing) == 10
    assert set(tables.housing["completion_year"]) == set(range(2026, 2032))
    assert tables.housing["primary_pupils_per_dwelling"].notna().sum() == 4
    assert tables.groups["group_id"].nunique() == 5
    assert tables.groups["school_id"].is_unique
    assert 20 <= len(tables.groups) <= 30
    assert tables.evidence["document"].str.contains("合成").sum() == 6
    missing = tables.assets.drop(columns="rented_sports_m2").isna().sum().sum()
    assert 5 <= missing <= 12


def test_villages_have_room_and_the_seat_has_none(folder: Path, spec: StudySpec, schools: pd.DataFrame) -> None:
    assets = read_planning_tables(spec, spec.crs).assets.set_index("school_id")
    known = schools.groupby("学校代码").agg(pupils=("在校生数", "sum"), setting=("城乡类型", "first"))
    joined = assets.join(known)
    room = (joined["teaching_area_m2"] / joined["pupils"]).groupby(joined["setting"]).median()
    assert room["乡村"] > 10 > 6 > room["城区"]
    no_art = (joined["pe_art_teachers"] == 0).groupby(joined["setting"]).mean()
    assert no_art["乡村"] > 0.4 > 0.1 > no_art["城区"]
    point = joined.loc[list(schools.loc[schools["办学类型"] == "教学点", "学校代码"])]
    assert (point["pupils"] < 50).sum() >= 2


def test_ground_that_keeps_schools_away_and_plots(spec: StudySpec, folder: Path, units: gpd.GeoDataFrame) -> None:
    ground = read_ground(spec, spec.crs)
    assert ground.issues == ()
    kinds = Counter(ground.exclusions["kind"])
    assert kinds == {"railway": 1, "flood": 1, "landslide": 6, "funeral_home": 1}
    land = ground.open_land
    assert len(land) == 42 and land["land_id"].is_unique and land["name"].is_unique
    assert land["area_m2"].between(5_000, 60_000).all()
    county = shapely.union_all(units.geometry.to_numpy())
    assert shapely.contains(county, land.geometry.to_numpy()).all()
    flood = ground.exclusions.geometry[ground.exclusions["kind"] == "flood"].iloc[0]
    about = (folder / "README.txt").read_text(encoding="utf-8")
    assert "exclusions.gpkg" in about and "open_land.gpkg" in about
    assert shapely.intersects(flood, land.geometry.to_numpy()).sum() == 4, "some plots are flooded on purpose"
