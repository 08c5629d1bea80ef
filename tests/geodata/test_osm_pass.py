"""One pass over a file for all its readers: the same answers as one pass each, and nothing kept afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from geodata import osm_pass
from geodata.osm_features import (
    read_osm_addresses,
    read_osm_admin_areas,
    read_osm_buildings,
    read_osm_places,
    read_osm_schools,
    read_osm_water,
)
from geodata.osm_pass import keep_features
from geodata.study_file import PopulationSource, RoadsSource, SchoolsSource, StudySpec
from tests.geodata.test_osm_features import OSM

READERS: tuple[Callable[[Path], Any], ...] = (
    read_osm_schools,
    read_osm_buildings,
    read_osm_places,
    read_osm_admin_areas,
    read_osm_addresses,
    read_osm_water,
)


def _build_spec(path: Path) -> StudySpec:
    return StudySpec(
        name="one file",
        schools=SchoolsSource(path=path.name),
        roads=RoadsSource(path=path.name),
        population=PopulationSource(path=path.name, kind="buildings"),
        folder=path.parent,
    )


def _require_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    if isinstance(left, gpd.GeoDataFrame):
        assert left.geometry.to_wkb().tolist() == right.geometry.to_wkb().tolist()
        left, right = left.drop(columns="geometry"), right.drop(columns="geometry")
    pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right))


def _count_passes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that grows with every pass over a file."""
    passes: list[Path] = []
    walk = osm_pass._walk

    def note(path: Path, *arguments: Any) -> Any:
        passes.append(path)
        return walk(path, *arguments)

    monkeypatch.setattr(osm_pass, "_walk", note)
    return passes


@pytest.mark.parametrize("case", ["drawn", "monaco"])
def test_one_pass_tells_what_several_tell(
    case: str, cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next((cases / "monaco").rglob("*.osm.pbf")) if case == "monaco" else tmp_path / "drawn.osm"
    if case == "drawn":
        path.write_text(OSM, encoding="utf-8")
    passes = _count_passes(monkeypatch)
    apart = [read(path) for read in READERS]
    assert len(passes) == len(READERS)
    with keep_features(_build_spec(path)):
        together = [read(path) for read in READERS]
    assert len(passes) == len(READERS) + 1
    for left, right in zip(apart, together, strict=True):
        _require_same(left, right)


def test_nothing_is_kept_after_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drawn.osm"
    path.write_text(OSM, encoding="utf-8")
    passes = _count_passes(monkeypatch)
    for _ in range(2):
        with keep_features(_build_spec(path)):
            read_osm_schools(path)
            read_osm_buildings(path)
    read_osm_buildings(path)
    assert len(passes) == 3


def test_what_no_part_of_the_study_asks_for_is_read_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "drawn.osm"
    path.write_text(OSM, encoding="utf-8")
    passes = _count_passes(monkeypatch)
    with keep_features(StudySpec(name="", schools=SchoolsSource(path="drawn.osm"), folder=tmp_path)):
        assert len(read_osm_schools(path)) > 0
        assert len(read_osm_buildings(path)) > 0
    assert len(passes) == 2


def test_a_damaged_file_is_told_by_every_reader(tmp_path: Path) -> None:
    path = tmp_path / "drawn.osm"
    path.write_text(OSM[: len(OSM) // 2], encoding="utf-8")
    with keep_features(_build_spec(path)):
        for read in READERS:
            with pytest.raises(osm_pass.DataError, match="cannot be read"):
                read(path)


def test_osmium_is_asked_for_no_more_than_the_readers_want(tmp_path: Path) -> None:
    path = tmp_path / "drawn.osm"
    path.write_text(OSM, encoding="utf-8")
    found = osm_pass.read_features(path, osm_pass.PLACES)
    assert [feature.osm_id for feature in found] == ["n9"]
    assert set(found[0].tags) == {"place", "name", "population"}
