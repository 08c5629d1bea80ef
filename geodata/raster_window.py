"""Where in a large raster a study lies: asked only of rasters that are too large to be read whole."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from geodata.crs import LOCAL
from geodata.errors import DataError, NetworkError
from geodata.features import read_features
from geodata.read_roads import read_roads
from geodata.read_schools import read_schools
from geodata.study_file import StudySpec

MARGIN_M = 3_000.0
"""So far around the roads and schools people are counted; given units need no margin."""
_STEPS = 32
"""Points on each side of the box that are projected: a straight side is not straight in another CRS."""

Box = tuple[float, float, float, float]


@dataclass
class StudyWindow:
    """The box around a study: that of its given units, else of its roads and schools."""

    spec: StudySpec
    crs: str
    _found: list[Box | None] = field(default_factory=list)

    def find_box(self, crs: str) -> Box | None:
        """Return west, south, east, north in ``crs``; ``None`` where the study does not say where it lies."""
        if not self._found:
            self._found.append(self._measure())
        box = self._found[0]
        if box is None:
            return None
        from geodata.shapes import project_shapes

        outline = shapely.segmentize(shapely.box(*box), max(box[2] - box[0], box[3] - box[1]) / _STEPS)
        west, south, east, north = shapely.bounds(project_shapes(np.array([outline]), self.crs, crs)[0])
        return (west, south, east, north) if np.isfinite([west, south, east, north]).all() else None

    def _measure(self) -> Box | None:
        """Return the box in the study's CRS."""
        if self.crs == LOCAL:
            return None
        try:
            if self.spec.units.kind == "polygons":
                bounds = shapely.bounds(read_features(self.spec, self.spec.units, self.crs).shapes)
                return _join(bounds[:, 0], bounds[:, 1], bounds[:, 2], bounds[:, 3], 0.0)
            schools = read_schools(self.spec, self.crs).schools
            x_m, y_m = schools["x_m"].to_numpy(dtype=np.float64), schools["y_m"].to_numpy(dtype=np.float64)
            if self.spec.roads is not None:
                roads = read_roads(self.spec, self.crs)
                x_m, y_m = np.append(x_m, roads.x_m), np.append(y_m, roads.y_m)
        except (DataError, NetworkError):
            return None  # its own reader will tell what is wrong
        return _join(x_m, y_m, x_m, y_m, MARGIN_M)


def _join(west: np.ndarray, south: np.ndarray, east: np.ndarray, north: np.ndarray, margin_m: float) -> Box | None:
    """Return the box around all boxes, widened by a margin."""
    if not np.isfinite(west).any():
        return None
    low = float(np.nanmin(west)) - margin_m, float(np.nanmin(south)) - margin_m
    return (*low, float(np.nanmax(east)) + margin_m, float(np.nanmax(north)) + margin_m)
