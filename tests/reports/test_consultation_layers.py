"""Layers of a pack: as many zones, communities and schools as are published, with the published counts and names."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geodata.build import read_study
from geodata.crs import LOCAL, convert_to_wgs84
from planning.publication import list_zones
from planning.publication_options import Datum, PackOptions
from planning.rules import read_rulebook
from planning.scenario_file import read_scenario
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.consultation_layers import FIELDS, build_pack_layers, write_pack_layers
from reports.language import read_catalogue
from tests.open_gdal import read_any_layer

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("zones_before", "zones_after", "communities", "schools")


@pytest.fixture(scope="module")
def consultation() -> Consultation:
    """The merger of the demo county."""
    study = read_study(ROOT / "examples" / "studies" / "demo.toml")
    scenario = read_scenario(ROOT / "examples" / "scenarios" / "demo_new_school.toml")
    return build_consultation(study, read_rulebook("cn"), scenario, languages=("zh", "en"))


@pytest.fixture(scope="module")
def layers(consultation: Consultation) -> dict[str, gpd.GeoDataFrame]:
    return build_pack_layers(consultation, ("zh", "en"))


@pytest.fixture(scope="module")
def folders(consultation: Consultation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The layers as files, by datum."""
    found = {}
    for datum in get_args(Datum):
        case = dataclasses.replace(consultation, options=PackOptions(datum=datum))
        found[datum] = tmp_path_factory.mktemp(datum)
        write_pack_layers(case, found[datum], read_catalogue("zh"))
    return found


def test_layers_hold_what_is_published(consultation: Consultation, layers: dict[str, gpd.GeoDataFrame]) -> None:
    publication = consultation.publication
    assert tuple(layers) == LAYERS
    for side in ("before", "after"):
        zones, wanted = layers[f"zones_{side}"], list_zones(publication, side)
        wanted = wanted[wanted["school_id"] != ""]
        assert {key for ids in zones["school_id"] for key in ids.split(";")} == set(wanted["school_id"])
        assert zones["units"].sum() == wanted["unit_id"].nunique()
        overlap = zones.geometry.area.sum() - shapely.union_all(zones.geometry.to_numpy()).area
        assert abs(overlap) < 1.0
    communities, units = layers["communities"], publication.units
    assert communities["unit_id"].tolist() == units["unit_id"].tolist()
    assert (communities["name"] != "").all()
    same = (communities["pupils"] == units["pupils"]) | (communities["pupils"].isna() & units["pupils"].isna())
    assert same.all() and (communities["pupils_hidden"] == units["pupils_hidden"]).all()
    assert communities.loc[communities["pupils_hidden"], "pupils"].isna().all()
    assert communities["after_names"].tolist() == [";".join(names) for names in units["after_names"]]
    assert (communities.geometry.geom_type != "Point").all(), "no point at a home"
    schools = layers["schools"]
    assert schools["school_id"].tolist() == publication.schools["school_id"].tolist()
    assert not schools.geometry.is_empty.any()


def test_new_schools_stand_where_they_are_planned(
    layers: dict[str, gpd.GeoDataFrame], consultation: Consultation
) -> None:
    opened = consultation.proposal.changes
    opened = opened[opened["what"] == "opened"].drop_duplicates("school_id").set_index("school_id")
    assert len(opened)
    found = layers["schools"].set_index("school_id").loc[opened.index]
    assert np.allclose(found.geometry.x, opened["x_m"]) and np.allclose(found.geometry.y, opened["y_m"])
    assert set(found["status"]) == {"new"}


def _read(folder: Path, layer: str, mark: str, ending: str) -> gpd.GeoDataFrame:
    several = ending in ("gpkg", "kml")
    file = folder / (f"layers{mark}.{ending}" if several else f"{layer}{mark}.{ending}")
    if ending == "kml":
        return read_any_layer(file, f"{layer}{mark}")
    return pyogrio.read_dataframe(file, layer=f"{layer}{mark}" if several else None)


@pytest.mark.parametrize("datum", get_args(Datum))
def test_every_file_opens_with_the_same_counts_names_and_places(
    layers: dict[str, gpd.GeoDataFrame], folders: dict[str, Path], datum: Datum
) -> None:
    folder = folders[datum]
    mark = "_gcj02" if datum == "GCJ-02" else ""
    for layer, table in layers.items():
        centre = table.to_crs(4326).geometry.total_bounds
        for ending in ("gpkg", "geojson", "shp.zip", "kml"):
            found = _read(folder, layer, mark, ending)
            assert found["Name" if ending == "kml" else "name"].tolist() == table["name"].tolist(), (layer, ending)
            if layer == "communities" and ending != "kml":
                column = found["pupils"].fillna(-1).tolist()
                assert column == table["pupils"].fillna(-1).tolist()
            assert np.abs(_back(found, datum) - centre).max() < 2e-6, (layer, ending)


def _back(table: gpd.GeoDataFrame, datum: str) -> Any:
    """Return the bounds of a layer in WGS 84; those of a shifted one after shifting every vertex back."""
    points = shapely.get_coordinates(table.geometry)
    if datum == "GCJ-02":
        points = np.column_stack(convert_to_wgs84(points[:, 0], points[:, 1], datum))
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


def test_fields_are_told_and_the_readme_says_what_it_is(consultation: Consultation, folders: dict[str, Path]) -> None:
    folder = folders["GCJ-02"]
    known = {*FIELDS, "reason_zh", "reason_en"}
    for layer in LAYERS:
        fields = set(_read(folder, layer, "_gcj02", "gpkg").columns) - {"geometry"}
        assert fields <= known, fields - known
    text = (folder / "README.txt").read_text(encoding="utf-8-sig")
    assert "GCJ-02" in text and consultation.pack_id in text
    assert str(folder.parent) not in text


def test_a_grid_without_a_place_has_a_geopackage_in_metres(consultation: Consultation, tmp_path: Path) -> None:
    study = dataclasses.replace(
        consultation.study, crs=LOCAL, units=consultation.study.units.set_crs(None, allow_override=True)
    )
    case = dataclasses.replace(consultation, study=study)
    files = write_pack_layers(case, tmp_path, read_catalogue("en"))
    assert [file.name for file in files] == ["layers.gpkg", "README.txt"]
    found = _read(tmp_path, "schools", "", "gpkg")
    assert found.crs is None and len(found) == len(consultation.publication.schools)
    assert "without a place on Earth" in (tmp_path / "README.txt").read_text(encoding="utf-8-sig")
