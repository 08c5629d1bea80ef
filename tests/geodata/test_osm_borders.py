"""Municipalities that the edge of an extract cuts open."""

from pathlib import Path

import pytest
import shapely

from geodata.osm_borders import read_osm_cut_areas
from geodata.osm_features import read_osm_admin_areas, read_osm_buildings, read_osm_places
from geodata.population_buildings import read_osm_population
from geodata.study_file import PopulationSource, StudySpec

# A strip of three municipalities, the extract's window from 0.0 to 3.0 by 0 to 1 (thousandths of a degree × 10).
# West is cut at its left side (way 20 is not in the file), Middle is whole, East is cut at its right side (way 40).
#   1---2---3---4
#   : W | M | E :
#   5---6---7---8
NODES = {1: (0, 0.01), 2: (0.01, 0.01), 3: (0.02, 0.01), 4: (0.03, 0.01)}
NODES |= {5: (0, 0), 6: (0.01, 0), 7: (0.02, 0), 8: (0.03, 0)}
WAYS = {10: (1, 2), 11: (2, 6), 12: (5, 6), 13: (2, 3), 14: (3, 7), 15: (6, 7), 16: (3, 4), 17: (7, 8)}
AREAS = {"West": (10, 11, 12, 20), "Middle": (13, 14, 15, 11), "East": (16, 14, 17, 40)}


CENTRE = '<member type="node" ref="50" role="admin_centre"/>'


def _write(folder: Path, *, centre: str = CENTRE, gap: bool = False) -> Path:
    parts = ['<?xml version="1.0"?><osm version="0.6">']
    parts += [f'<node id="{key}" lon="{lon}" lat="{lat}" version="1"/>' for key, (lon, lat) in NODES.items()]
    parts.append(
        '<node id="50" lon="0.005" lat="0.005" version="1"><tag k="place" v="town"/><tag k="name" v="Weston"/></node>'
    )
    for at, x in enumerate((0.001, 0.014, 0.029)):
        ring = [(x, 0.004), (x + 0.001, 0.004), (x + 0.001, 0.005), (x, 0.005)]
        first = 100 + 10 * at
        parts += [f'<node id="{first + n}" lon="{a}" lat="{b}" version="1"/>' for n, (a, b) in enumerate(ring)]
    ways = {key: nodes for key, nodes in WAYS.items() if not (gap and key == 11)}
    for key, nodes in ways.items():
        parts.append(f'<way id="{key}" version="1">' + "".join(f'<nd ref="{n}"/>' for n in nodes) + "</way>")
    for at in range(3):
        first = 100 + 10 * at
        refs = "".join(f'<nd ref="{first + n}"/>' for n in (0, 1, 2, 3, 0))
        parts.append(f'<way id="{200 + at}" version="1">{refs}<tag k="building" v="house"/></way>')
    for at, (name, members) in enumerate(AREAS.items()):
        inner = "".join(f'<member type="way" ref="{way}" role="outer"/>' for way in members)
        inner += centre if name == "West" else ""
        tags = f'<tag k="boundary" v="administrative"/><tag k="admin_level" v="6"/><tag k="name" v="{name}"/>'
        tags += '<tag k="type" v="boundary"/>'
        parts.append(f'<relation id="{300 + at}" version="1">{inner}{tags}</relation>')
    path = folder / "cut.osm"
    path.write_text("\n".join([*parts, "</osm>"]), encoding="utf-8")
    return path


@pytest.mark.parametrize("centre", [CENTRE, ""])
def test_cut_areas_are_closed_by_the_edge(tmp_path: Path, centre: str) -> None:
    path = _write(tmp_path, centre=centre)
    bounds = tuple(read_osm_buildings(path).total_bounds)
    found = read_osm_cut_areas(path, 6, bounds, read_osm_places(path)).set_index("name")
    # With a centre West is known by it; East, and West without one, by lying off the whole area between them.
    assert sorted(found.index) == ["East", "West"]
    assert shapely.bounds(found.geometry["West"])[[0, 2]] == pytest.approx([0.001, 0.01])
    assert shapely.bounds(found.geometry["East"])[[0, 2]] == pytest.approx([0.02, 0.03])
    assert read_osm_admin_areas(path, 6)["name"].tolist() == ["Middle"]


def test_a_border_with_a_gap_is_left_out(tmp_path: Path) -> None:
    path = _write(tmp_path, gap=True)
    bounds = tuple(read_osm_buildings(path).total_bounds)
    assert "West" not in read_osm_cut_areas(path, 6, bounds, read_osm_places(path))["name"].tolist()


def test_people_of_a_cut_municipality_need_a_total_for_it(tmp_path: Path) -> None:
    path = _write(tmp_path)
    (tmp_path / "towns.csv").write_text("town,population\nWest,10\nMiddle,20\nEast,30\n", encoding="utf-8")
    source = PopulationSource(path.name, "buildings", town_totals="towns.csv")
    spec = StudySpec("Test", crs="EPSG:32631", population=source, folder=tmp_path)
    table = read_osm_population(spec, "EPSG:32631").table
    assert table.set_index("town")["population_people"].to_dict() == pytest.approx(
        {"West": 10, "Middle": 20, "East": 30}
    )
