"""What the quality checks look at: the tables of a study side by side, and where each record lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.crs import LOCAL, to_lonlat
from geodata.errors import DataIssue, Severity
from geodata.messages import Message, msg
from geodata.read_schools import compute_roll_totals
from geodata.schema import build_empty_table
from geodata.study import STAGES, RoadNetwork, TravelMatrix

if TYPE_CHECKING:
    import geopandas as gpd

    from geodata.road_evidence import RoadEvidence


STAGE_NAMES: dict[str, Message] = {
    "kindergarten": msg("kindergarten"),
    "primary": msg("primary"),
    "junior": msg("junior secondary"),
    "senior": msg("senior secondary"),
}
MODE_NAMES: dict[str, Message] = {"walk": msg("on foot"), "bicycle": msg("by bicycle"), "drive": msg("by car or bus")}
KIND_NAMES: dict[str, Message] = {
    "kindergarten": msg("kindergarten"),
    "primary": msg("primary school"),
    "teaching_point": msg("teaching point"),
    "junior": msg("junior secondary school"),
    "nine_year": msg("nine-year school"),
    "complete_secondary": msg("complete secondary school"),
    "senior": msg("senior secondary school"),
    "twelve_year": msg("twelve-year school"),
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What lies around the tables, for the checks that look at it; whatever is missing is not checked.

    ``networks`` by mode; ``roads`` is what the road file tells about itself; ``barriers`` the table of lines that part
    the county; ``declared_crs`` the coordinate system that the study file gives for the files of a role.
    """

    networks: Mapping[Any, RoadNetwork] = field(default_factory=dict)
    roads: RoadEvidence | None = None
    barriers: gpd.GeoDataFrame | None = None
    declared_crs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Facts:
    """The tables of a study before it is built; ``travel`` by mode. For the last four see :class:`Evidence`."""

    schools: gpd.GeoDataFrame
    places: pd.DataFrame
    rolls: pd.DataFrame
    units: gpd.GeoDataFrame
    zones: pd.DataFrame
    sites: gpd.GeoDataFrame
    travel: Mapping[Any, TravelMatrix] = field(default_factory=dict)
    crs: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    births: pd.DataFrame = field(default_factory=lambda: build_empty_table("births"))
    housing: pd.DataFrame = field(default_factory=lambda: build_empty_table("housing"))
    assets: pd.DataFrame = field(default_factory=lambda: build_empty_table("assets"))
    groups: pd.DataFrame = field(default_factory=lambda: build_empty_table("groups"))
    networks: Mapping[Any, RoadNetwork] = field(default_factory=dict)
    roads: RoadEvidence | None = None
    barriers: gpd.GeoDataFrame | None = None
    declared_crs: Mapping[str, str] = field(default_factory=dict)

    @property
    def metric_crs(self) -> str:
        """The CRS of the tables: as given, else that of the units or schools, else ``"local"``."""
        found = self.crs or self.units.crs or self.schools.crs
        return LOCAL if found is None else found if isinstance(found, str) else str(found.to_string())

    @cached_property
    def lonlat(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Longitude and latitude by table and id."""
        found: dict[str, dict[str, tuple[float, float]]] = {}
        for name, table in (("schools", self.schools), ("units", self.units), ("sites", self.sites)):
            lon, lat = to_lonlat(table["x_m"], table["y_m"], self.metric_crs)
            pairs = zip(lon.tolist(), lat.tolist(), strict=True)
            found[name] = dict(zip(table[f"{name[:-1]}_id"].astype(str), pairs, strict=True))
        return found

    def issue(
        self,
        check: str,
        severity: Severity,
        problem: Message,
        table: str,
        record_id: str,
        *,
        found: str = "",
        expected: Message | None = None,
        cure: Message | None = None,
    ) -> DataIssue:
        """Return an issue about one record, placed on the map where it has a place."""
        lon_deg, lat_deg = self.lonlat.get(table, {}).get(record_id, (float("nan"), float("nan")))
        known = bool(np.isfinite(lon_deg) and np.isfinite(lat_deg))
        return DataIssue(
            check,
            severity,
            problem,
            file=self.files.get(table, self.files.get("population", "") if table == "units" else ""),
            found=found,
            expected=expected,
            cure=cure,
            record_id=record_id,
            lon_deg=lon_deg if known else None,
            lat_deg=lat_deg if known else None,
        )

    @cached_property
    def school_names(self) -> dict[str, str]:
        """Name by school id."""
        return dict(zip(self.schools["school_id"].astype(str), self.schools["name"].astype(str), strict=True))

    @cached_property
    def unit_names(self) -> dict[str, str]:
        """Name by unit id; the id where it has none."""
        pairs = zip(self.units["unit_id"].astype(str), self.units["name"].astype(str), strict=True)
        return {unit_id: name or unit_id for unit_id, name in pairs}

    @cached_property
    def unit_pupils(self) -> npt.NDArray[np.float64]:
        """Children of all stages per unit; NaN where nothing is known."""
        columns = [f"{stage}_pupils" for stage in STAGES if f"{stage}_pupils" in self.units.columns]
        if not columns:
            return np.full(len(self.units), np.nan)
        known: npt.NDArray[np.float64] = self.units[columns].astype(float).sum(axis=1, min_count=1).to_numpy()
        return known

    @cached_property
    def latest_rolls(self) -> pd.DataFrame:
        """Pupils and classes by school and stage in the latest year."""
        return compute_roll_totals(self.rolls, self.places)


def pairs_of(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (school id, stage) of every row."""
    return list(zip(frame["school_id"].astype(str), frame["stage"].astype(str), strict=True))


def pupils_of(units: pd.DataFrame, stage: str) -> npt.NDArray[np.float64]:
    """Return children of a stage per unit; NaN where unknown."""
    name = f"{stage}_pupils"
    return units[name].to_numpy(dtype=float) if name in units.columns else np.full(len(units), np.nan)


def join_words(words: list[Message]) -> Message:
    """Return several words as one, with commas between them."""
    joined = words[0]
    for word in words[1:]:
        joined = msg("{first}, {second}", first=joined, second=word)
    return joined
