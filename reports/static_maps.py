"""Maps to print: the county and the zone of a school, as PNG for the notice and the report.

The pictures hold names and signs but no sentence, so that documents in both languages share them. They are drawn to be
read in grey print too: what changes is hatched, today's border is dashed, the proposed one is a full line, and every
kind of school has a sign of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from geodata.messages import msg
from geodata.study import Progress, no_progress
from reports.static_map_drawing import MapSheet
from reports.static_map_layers import build_map_layers

if TYPE_CHECKING:
    from reports.consultation_case import Consultation

MapSide = Literal["before", "after", "both"]


@dataclass(frozen=True)
class MapKey:
    """One map: of a stage, of a school (empty: the whole county), of today's zones, the proposed ones, or both."""

    stage: str
    school_id: str = ""
    side: MapSide = "after"


def name_map(key: MapKey) -> str:
    """Return the name under which documents find a map; also fit for a file: letters, digits, ``_`` and ``-``."""
    letters = (letter if letter.isascii() and letter.isalnum() else f"-{ord(letter):x}-" for letter in key.school_id)
    return f"map_{key.stage}_{key.side}_" + (f"s{''.join(letters)}" if key.school_id else "county")


def draw_maps(
    consultation: Consultation, keys: Sequence[MapKey], *, progress: Progress = no_progress
) -> dict[str, bytes]:
    """Return the maps as PNG by :func:`name_map`.

    The whole county shows the zones of the side asked for, with the communities that change hatched; ``both`` adds
    today's borders, dashed. A school's map shows its zone among its neighbours: filled in the proposal, dashed today.
    A school without any zone on that side is shown with its surroundings.
    """
    wanted = tuple(dict.fromkeys(keys))
    if not wanted:
        return {}
    progress(msg("Draw the maps"), 0.0)
    layers = build_map_layers(consultation)
    sheet = MapSheet(layers)
    made: dict[str, bytes] = {}
    for number, key in enumerate(wanted, start=1):
        made[name_map(key)] = sheet.draw(key.stage, key.school_id, key.side)
        progress(msg("Draw the maps"), number / len(wanted))
    return made
