"""Names on a static map: each beside its sign, none over another name, a sign or the edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
GAP_PX = 5.5
CORNERS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""Where a name may stand: right, left, above, below, then the four corners."""


@dataclass(frozen=True)
class Label:
    """A name, the place of its sign in metres, how far it keeps from it (pixels), its size (points) and weight."""

    text: str
    x_m: float
    y_m: float
    reach_px: float
    size_pt: float
    strong: bool = False
    turn_deg: float = 0.0
    on_line: bool = False


class Taken:
    """Rectangles of the picture that are taken, in pixels: left, bottom, right, top."""

    def __init__(self, width_px: float, height_px: float) -> None:
        self.limits = (width_px, height_px)
        self.boxes: list[tuple[float, float, float, float]] = []

    def add(self, box: tuple[float, float, float, float]) -> None:
        """Take a rectangle."""
        self.boxes.append(box)

    def is_free(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a rectangle lies inside the picture and on nothing that is taken."""
        width, height = self.limits
        if box[0] < 2 or box[1] < 2 or box[2] > width - 2 or box[3] > height - 2:
            return False
        if not self.boxes:
            return True
        taken = np.asarray(self.boxes)
        apart = (taken[:, 2] < box[0]) | (taken[:, 0] > box[2]) | (taken[:, 3] < box[1]) | (taken[:, 1] > box[3])
        return bool(apart.all())


def place_labels(axes: Axes, labels: Iterable[Label], taken: Taken, fonts: Sequence[str]) -> int:
    """Write as many names as have room, the first ones first; return how many are written."""
    renderer = axes.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    written = 0
    for label in labels:
        words = _write(axes, label, fonts)
        extent = words.get_window_extent(renderer)
        at_x, at_y = axes.transData.transform((label.x_m, label.y_m))
        origin = axes.get_window_extent(renderer)
        spot = _find_spot(label, (extent.width, extent.height), (at_x - origin.x0, at_y - origin.y0), taken)
        if spot is None:
            words.remove()
            continue
        taken.add(spot)
        middle = ((spot[0] + spot[2]) / 2 + origin.x0, (spot[1] + spot[3]) / 2 + origin.y0)
        words.set_position(axes.transData.inverted().transform(middle))
        written += 1
    return written


def _write(axes: Axes, label: Label, fonts: Sequence[str]) -> Any:
    from matplotlib.patheffects import withStroke

    # "$" would begin a formula: names are plain text.
    words = axes.text(
        label.x_m,
        label.y_m,
        label.text,
        fontsize=label.size_pt,
        family=list(fonts),
        color="#1a1a1a" if not label.on_line else "#5b4a35",
        ha="center",
        va="center",
        rotation=label.turn_deg,
        rotation_mode="anchor",
        parse_math=False,
        zorder=20 if not label.on_line else 18,
        clip_on=True,
    )
    bold = [withStroke(linewidth=0.35, foreground="#1a1a1a")] if label.strong else []
    words.set_path_effects([withStroke(linewidth=2.6, foreground="white"), *bold])
    return words


def _find_spot(
    label: Label, size: tuple[float, float], at: tuple[float, float], taken: Taken
) -> tuple[float, float, float, float] | None:
    width, height = size
    spots = (
        [(0.0, 0.0)]
        if label.on_line
        else [
            (right * (label.reach_px + GAP_PX + width / 2), up * (label.reach_px + GAP_PX + height / 2))
            if not (right and up)
            else (right * (label.reach_px + GAP_PX / 2 + width / 2), up * (label.reach_px + height / 2))
            for right, up in CORNERS
        ]
    )
    for right_px, up_px in spots:
        x_px, y_px = at[0] + right_px, at[1] + up_px
        box = (x_px - width / 2, y_px - height / 2, x_px + width / 2, y_px + height / 2)
        if taken.is_free(box):
            return box
    return None
