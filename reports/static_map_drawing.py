"""How a static map is drawn: one figure, used again for every map, with matplotlib's own drawing of pixels."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from reports.document_fonts import SANS, list_font_files
from reports.static_map_labels import Label, Taken, place_labels
from reports.static_map_layers import Box, MapLayers, School

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 200
WIDTH_IN = 6.6
SCHOOL_HEIGHT_IN, LEAST_HEIGHT_IN, MOST_HEIGHT_IN = 3.6, 3.6, 8.2
FONTS = (SANS, "DejaVu Sans")
MOST_NAMES = 130
"""With more schools than this on a map only those that change are named: the others' names would hide the map."""
COLOURS = 96
"""Colours of the finished PNG: a third of the bytes, and no difference on paper."""

LAND, OUTSIDE, OWN, CHANGED = "#ffffff", "#ebebe8", "#d6e3ee", "#e9e4d6"
WATER, WATER_LINE = "#dfe9ef", "#a9c1cf"
INK, ZONE_LINE, BEFORE_LINE, TOWN_LINE = "#1a1a1a", "#4a4a4a", "#7a1f1f", "#8a8a8a"
ROADS = {1: ("#c8b18f", 1.5), 2: ("#d2c6b2", 0.95), 3: ("#ddd8cf", 0.55)}
SIGNS = {"same": ("o", "#ffffff"), "changed": ("s", "#f0b429"), "new": ("^", "#2e7d4f"), "gone": ("X", "#b03030")}
"""Form and filling of a school's sign: kept, changed, new, closed. The form alone tells them apart."""


class MapSheet:
    """Draws the maps of one set of layers."""

    def __init__(self, layers: MapLayers) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        _add_fonts()
        self.layers = layers
        self.figure = Figure(dpi=DOTS_PER_INCH, facecolor="white")
        self.canvas: Any = FigureCanvasAgg(self.figure)

    def draw(self, stage: str, school_id: str, side: str) -> bytes:
        """Return one map as PNG; ``school_id`` empty: the whole county."""
        box = self._find_box(stage, school_id, side)
        axes = self._begin(box)
        drawn = "before" if side == "before" else "after"
        self._draw_ground(axes, box)
        if school_id:
            self._draw_school_zone(axes, stage, school_id, side)
        else:
            self._draw_changes(axes, stage)
        self._draw_roads(axes, box)
        self._draw_zone_lines(axes, stage, drawn, box)
        self._draw_towns(axes)
        if side == "both":
            self._draw_before_lines(axes, stage, school_id)
        if school_id:
            own = self.layers.find_zone(stage, drawn, school_id)
            _draw_lines(axes, [own], color=INK, linewidth=1.9, zorder=9)
        self._draw_schools(axes, stage, school_id, drawn, box)
        self._draw_frame(axes)
        return self._finish()

    def _find_box(self, stage: str, school_id: str, side: str) -> Box:
        """Return the land to be shown: the county, or a zone with its surroundings, in the form of the page."""
        if not school_id:
            return _fit_box(self.layers.bounds, 0.03, None)
        sides = {"before": ("before",), "after": ("after",), "both": ("before", "after")}[side]
        parts = [self.layers.find_zone(stage, one, school_id) for one in sides]
        shape = shapely.union_all([part for part in parts if not shapely.is_empty(part)])
        spot = [shapely.Point(s.x_m, s.y_m) for s in self.layers.schools.get(stage, ()) if s.school_id == school_id]
        if shapely.is_empty(shape):
            reach = 0.08 * max(self.layers.bounds[2] - self.layers.bounds[0], 1.0)
            shape = spot[0].buffer(reach) if spot else shapely.box(*self.layers.bounds)
        seen = shapely.union_all([shape, *spot])
        return _fit_box(tuple(seen.bounds), 0.12, SCHOOL_HEIGHT_IN / WIDTH_IN)

    def _begin(self, box: Box) -> Axes:
        self.figure.clear()
        ratio = (box[3] - box[1]) / (box[2] - box[0])
        self.figure.set_size_inches(WIDTH_IN, WIDTH_IN * ratio)
        axes = self.figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(box[0], box[2])
        axes.set_ylim(box[1], box[3])
        axes.set_aspect("equal")
        axes.set_axis_off()
        return axes

    def _draw_ground(self, axes: Axes, box: Box) -> None:
        _fill(axes, [shapely.box(*box)], facecolor=OUTSIDE, zorder=0)
        for stage, side in self.layers.zones:
            if side == "after":
                _fill(axes, [shape for _ids, shape in self.layers.zones[stage, side]], facecolor=LAND, zorder=1)
                break
        inside = self.layers.water[shapely.intersects(self.layers.water, shapely.box(*box))]
        flat = shapely.get_dimensions(inside) == 2
        _fill(axes, inside[flat], facecolor=WATER, edgecolor=WATER_LINE, linewidth=0.4, zorder=4)
        _draw_lines(axes, inside[~flat], color=WATER_LINE, linewidth=0.9, zorder=4)

    def _draw_changes(self, axes: Axes, stage: str) -> None:
        """Hatch the communities that change: seen in grey print too."""
        shape = self.layers.changed.get(stage)
        if shape is not None:
            _fill(axes, [shape], facecolor=CHANGED, zorder=2)
            _fill(axes, [shape], facecolor="none", edgecolor="#8a7a55", linewidth=0.0, hatch="////", zorder=5)

    def _draw_school_zone(self, axes: Axes, stage: str, school_id: str, side: str) -> None:
        """Fill the school's zone; where both are shown, hatch what comes and dot what goes."""
        after = self.layers.find_zone(stage, "before" if side == "before" else "after", school_id)
        _fill(axes, [after], facecolor=OWN, zorder=2)
        if side == "both":
            before = self.layers.find_zone(stage, "before", school_id)
            _fill(axes, [_overlay(after, before)], facecolor="none", edgecolor="#3d5a78", hatch="////", zorder=5)
            _fill(axes, [_overlay(before, after)], facecolor=CHANGED, edgecolor="#8a7a55", hatch="...", zorder=3)

    def _draw_roads(self, axes: Axes, box: Box) -> None:
        seen = self.layers.road_tree.query(shapely.box(*box))
        detailed = (box[2] - box[0]) < 0.6 * (self.layers.bounds[2] - self.layers.bounds[0])
        for rank in (3, 2, 1):
            if rank == 3 and not detailed:
                continue
            rows = seen[self.layers.ranks[seen] == rank]
            colour, width = ROADS[rank]
            _draw_lines(axes, self.layers.roads[rows], color=colour, linewidth=width, zorder=6 - rank * 0.1)

    def _draw_zone_lines(self, axes: Axes, stage: str, side: str, box: Box) -> None:
        window = shapely.box(*box)
        shapes = [
            shape for _ids, shape in self.layers.zones.get((stage, side), ()) if shapely.intersects(shape, window)
        ]
        _draw_lines(axes, shapes, color=ZONE_LINE, linewidth=0.8, zorder=7)

    def _draw_before_lines(self, axes: Axes, stage: str, school_id: str) -> None:
        """Draw today's borders dashed where no proposed border runs: of one school, or of all."""
        then, now = (self._list_shapes(stage, side, school_id) for side in ("before", "after"))
        if then:
            kept = shapely.boundary(shapely.union_all(now)) if school_id else _unite_borders(now)
            gone = shapely.boundary(shapely.union_all(then)) if school_id else _unite_borders(then)
            moved = shapely.line_merge(shapely.difference(gone, kept))
            _draw_lines(axes, [moved], color="white", linewidth=2.4, zorder=9.5)
            _draw_lines(axes, [moved], color=BEFORE_LINE, linewidth=1.3, linestyle=(0, (4, 2.2)), zorder=10)

    def _list_shapes(self, stage: str, side: str, school_id: str) -> list[Any]:
        zones = self.layers.zones.get((stage, side), ())
        return [shape for ids, shape in zones if not school_id or school_id in ids]

    def _draw_towns(self, axes: Axes) -> None:
        _draw_lines(axes, self.layers.towns, color=TOWN_LINE, linewidth=1.6, linestyle=(0, (6, 2, 1, 2)), zorder=6.5)

    def _draw_schools(self, axes: Axes, stage: str, school_id: str, side: str, box: Box) -> None:
        schools = [school for school in self.layers.schools.get(stage, ()) if _is_shown(school, side, box)]
        schools.sort(key=lambda s: (s.school_id != school_id, s.status == "same", not s.changed, s.school_id))
        crowded = 1.0 if len(schools) < 60 else 0.75
        height_px = self.figure.get_size_inches()[1] * DOTS_PER_INCH
        taken = Taken(WIDTH_IN * DOTS_PER_INCH, height_px)
        _take_corners(taken)
        labels: list[Label] = []
        for school in schools:
            labels.append(_mark_school(axes, school, side, crowded, own=school.school_id == school_id))
            x_px, y_px = axes.transData.transform((school.x_m, school.y_m))
            reach = labels[-1].reach_px
            taken.add((x_px - reach, y_px - reach, x_px + reach, y_px + reach))
        if len(schools) > MOST_NAMES:
            labels = [label for label, school in zip(labels, schools, strict=True) if school.changed or label.strong]
        place_labels(axes, labels, taken, FONTS)
        if school_id:
            place_labels(axes, self._name_roads(box), taken, FONTS)

    def _name_roads(self, box: Box) -> Iterator[Label]:
        """Yield the names of the roads seen, at the middle of their longest piece, the longest first."""
        window = shapely.box(*box)
        best: dict[str, tuple[float, Any]] = {}
        for row in self.layers.road_tree.query(window).tolist():
            name = self.layers.road_names[row]
            if name:
                piece = shapely.intersection(self.layers.roads[row], window)
                if piece.length > best.get(name, (0.0, None))[0]:
                    best[name] = (piece.length, piece)
        metres_per_px = (box[2] - box[0]) / (WIDTH_IN * DOTS_PER_INCH)
        for name, (length, piece) in sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:24]:
            if length > 8 * len(name) * metres_per_px:
                yield _lay_along(name, piece)

    def _draw_frame(self, axes: Axes) -> None:
        """Draw scale, arrow to the north, number of the map and credit."""
        from matplotlib_scalebar.scalebar import ScaleBar  # type: ignore[import-untyped]

        bar = ScaleBar(
            1, "m", location="lower left", length_fraction=0.22, width_fraction=0.008, box_alpha=0.85, color=INK,
            font_properties={"family": list(FONTS), "size": 7}, scale_loc="top", border_pad=0.5, pad=0.4, sep=2,
        )  # fmt: skip
        bar.set_zorder(30)
        axes.add_artist(bar)
        axes.add_artist(_build_corner(axes))
        arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.3, "mutation_scale": 9}
        axes.annotate("", (0.965, 0.975), (0.965, 0.905), xycoords="axes fraction", arrowprops=arrow, zorder=31)
        halo = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5}
        at: dict[str, Any] = {"transform": axes.transAxes, "family": list(FONTS), "parse_math": False, "zorder": 31}
        axes.text(0.965, 0.9, "N", ha="center", va="top", fontsize=8, **at)
        number = f"审图号：{self.layers.map_number}" if self.layers.map_number else ""
        words = "\n".join(text for text in (number, self.layers.credit) if text)
        if words:
            axes.text(0.992, 0.01, words, ha="right", va="bottom", fontsize=5.5, color="#444444", bbox=halo, **at)
        axes.add_artist(_build_frame(axes))

    def _finish(self) -> bytes:
        from PIL import Image

        self.canvas.draw()
        width, height = self.canvas.get_width_height()
        picture = Image.frombuffer("RGBA", (width, height), bytes(self.canvas.buffer_rgba()), "raw", "RGBA", 0, 1)
        small = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        stream = io.BytesIO()
        small.save(stream, "PNG", optimize=False, compress_level=7, dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        return stream.getvalue()


@lru_cache(maxsize=1)
def _add_fonts() -> None:
    """Tell matplotlib of the fonts of the package, once."""
    from matplotlib import font_manager

    for path in list_font_files():
        font_manager.fontManager.addfont(str(path))


def _fit_box(bounds: Sequence[float], edge_share: float, ratio: float | None) -> Box:
    """Return bounds with an edge around; ``ratio``: height by width that the box is widened to."""
    west, south, east, north = bounds
    width, height = max(east - west, 1.0), max(north - south, 1.0)
    edge = edge_share * max(width, height)
    width, height = width + 2 * edge, height + 2 * edge
    wanted = ratio or min(max(height / width, LEAST_HEIGHT_IN / WIDTH_IN), MOST_HEIGHT_IN / WIDTH_IN)
    width, height = max(width, height / wanted), max(height, width * wanted)
    x_m, y_m = (west + east) / 2, (south + north) / 2
    return x_m - width / 2, y_m - height / 2, x_m + width / 2, y_m + height / 2


def _is_shown(school: School, side: str, box: Box) -> bool:
    inside = box[0] <= school.x_m <= box[2] and box[1] <= school.y_m <= box[3]
    return inside and not (side == "before" and school.status == "new")


def _mark_school(axes: Axes, school: School, side: str, crowded: float, *, own: bool) -> Label:
    """Draw a school's sign; return its name. ``crowded``: how much smaller than where there is room."""
    status = "same" if side == "before" and school.status != "gone" else school.status
    form, colour = SIGNS.get(status, SIGNS["same"])
    size_pt = (8.5 if own else 7.0 if school.status != "same" else 4.6) * crowded
    filling = INK if own and form == "o" else colour
    axes.plot(school.x_m, school.y_m, form, ms=size_pt, mfc=filling, mec=INK, mew=0.9, zorder=15)
    important = own or school.status != "same"
    label_pt = 8.5 if own else (7.2 if important else 6.3) * max(crowded, 0.9)
    reach_px = size_pt / 2 * DOTS_PER_INCH / 72
    return Label(school.name, school.x_m, school.y_m, reach_px, label_pt, strong=important)


def _overlay(first: shapely.Geometry, second: shapely.Geometry) -> shapely.Geometry:
    return first if shapely.is_empty(second) else shapely.difference(first, second)


def _unite_borders(shapes: Sequence[shapely.Geometry]) -> shapely.Geometry:
    return shapely.union_all([shapely.boundary(shape) for shape in shapes])


def _lay_along(name: str, piece: Any) -> Label:
    """Return a road's name at the middle of its longest part, turned along it and never upside down."""
    line = max(shapely.get_parts(piece), key=shapely.length)
    middle = shapely.line_interpolate_point(line, 0.5, normalized=True)
    first = shapely.line_interpolate_point(line, 0.42, normalized=True)
    last = shapely.line_interpolate_point(line, 0.58, normalized=True)
    turn = math.degrees(math.atan2(last.y - first.y, last.x - first.x))
    turn = turn - 180 if turn > 90 else turn + 180 if turn < -90 else turn
    return Label(name, middle.x, middle.y, 0.0, 5.8, turn_deg=turn, on_line=True)


def _take_corners(taken: Taken) -> None:
    """Keep names away from the scale, the arrow and the credit."""
    width, height = taken.limits
    taken.add((0, 0, 0.3 * width, 75))
    taken.add((0.93 * width, height - 0.16 * height, width, height))
    taken.add((0.6 * width, 0, width, 40))


def _fill(axes: Axes, shapes: Any, **style: Any) -> None:
    """Fill areas with their holes, as one path."""
    parts = shapely.get_parts(np.asarray(list(shapes), dtype=object))
    _add_path(axes, shapely.get_rings(parts[shapely.get_dimensions(parts) == 2]), style, closed=True)


def _draw_lines(axes: Axes, shapes: Any, **style: Any) -> None:
    """Draw lines, or the borders of areas, as one path."""
    parts = shapely.get_parts(np.asarray(list(shapes), dtype=object))
    size = shapely.get_dimensions(parts)
    style |= {"facecolor": "none", "edgecolor": style.pop("color"), "capstyle": "round", "joinstyle": "round"}
    _add_path(axes, np.concatenate([shapely.get_rings(parts[size == 2]), parts[size == 1]]), style, closed=False)


def _add_path(axes: Axes, lines: Any, style: dict[str, Any], *, closed: bool) -> None:
    """Add lines or rings to the picture; ``add_artist``, because limits of the data are not asked for."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    points, owner = shapely.get_coordinates(lines, return_index=True)
    if not len(points):
        return
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    codes = np.full(len(points), Path.LINETO, dtype=np.uint8)
    codes[starts] = Path.MOVETO
    if closed:
        codes[np.append(starts[1:] - 1, len(points) - 1)] = Path.CLOSEPOLY
    axes.add_artist(PathPatch(Path(points, codes), **({"edgecolor": "none", "linewidth": 0.0} | style)))


def _build_corner(axes: Axes) -> Any:
    """Return the pale ground of the arrow to the north."""
    from matplotlib.patches import Rectangle

    at = (0.943, 0.86)
    return Rectangle(at, 0.044, 0.125, transform=axes.transAxes, facecolor="white", alpha=0.85, linewidth=0, zorder=30)


def _build_frame(axes: Axes) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=INK, linewidth=1.2, zorder=40)
