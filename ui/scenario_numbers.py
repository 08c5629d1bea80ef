"""The strip of numbers: what the scenario does against today, a tile for each figure. HTML, every word escaped."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.language import MISSING_NUMBER, Translator
from reports.scenario_after import BeforeAfter
from ui.cards import text

STYLE = """
<style>
.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); border: 1px solid #dde4e4; border-radius: 8px;
  background: #fff; }
.tile { padding: 0.3rem 0.6rem 0.35rem; border-left: 1px solid #e8eded; min-width: 0; }
.tile:first-child { border-left: 0; }
.tile span { display: block; color: #52605f; font-size: 0.74rem; line-height: 1.2; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
.tile b { font-size: 1.1rem; font-weight: 650; font-variant-numeric: tabular-nums; margin-right: 0.35rem; }
.tile b small { font-size: 0.72rem; font-weight: 500; }
.tile i { font-style: normal; font-size: 0.8rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile .good { color: #1f6b45; } .tile .bad { color: #b3490b; } .tile .same { color: #7d8988; }
</style>
"""


@dataclass(frozen=True)
class Tile:
    """One figure: less is better. NaN = unknown."""

    title: str
    hint: str
    before: float
    after: float
    digits: int = 0
    unit: str = ""


def list_tiles(now: BeforeAfter, _: Translator) -> list[Tile]:
    """Return the figures of the strip."""
    numbers = now.numbers

    def tile(title: str, hint: str, name: str, digits: int = 0) -> Tile:
        before, after = (numbers.get(f"{name}_{side}", math.nan) for side in ("before", "after"))
        return Tile(title, hint, before, after, digits, _("min") if digits else _("pupils"))

    moved = numbers.get("moved_pupils", math.nan)
    return [
        Tile(
            _("Change school"),
            _("Pupils whose school is another than without the steps."),
            math.nan,
            moved,
            unit=_("pupils"),
        ),
        tile(_("Mean way"), _("Minutes of a pupil to school, one way."), "mean_min", 1),
        tile(_("Longest way"), _("Minutes of the pupil with the longest way to school, one way."), "max_min", 1),
        tile(
            _("Beyond the limit"),
            _("Pupils whose way is longer than the rules allow for their stage and setting."),
            "beyond_limit_pupils",
        ),
        tile(
            _("Above places (model)"),
            _(
                "Pupils whom the model sends to a school beyond its places, all schools together. By the rolls they may"
                " be more: see places short on the page Compare."
            ),
            "over_places_pupils",
        ),
        tile(_("Without a school"), _("Pupils who reach no school of this stage."), "unreached_pupils"),
    ]


def build_tiles(tiles: list[Tile], _: Translator) -> str:
    """Return the strip."""
    return f'<div class="tiles">{"".join(_build_tile(tile, _) for tile in tiles)}</div>'


def _build_tile(tile: Tile, _: Translator) -> str:
    value = _say(tile.after, tile.digits)
    unit = f" <small>{text(tile.unit)}</small>" if tile.unit and math.isfinite(tile.after) else ""
    change = _build_change(tile, _)
    return (
        f'<div class="tile" title="{text(tile.hint)}"><span>{text(tile.title)}</span>'
        f"<b>{text(value)}{unit}</b>{change}</div>"
    )


def _build_change(tile: Tile, _: Translator) -> str:
    if not (math.isfinite(tile.before) and math.isfinite(tile.after)):
        return ""
    change = round(tile.after - tile.before, tile.digits)
    if change == 0:
        return '<i class="same">±0</i>'
    word = ("+" if change > 0 else "−") + _say(abs(change), tile.digits)
    return f'<i class="{"bad" if change > 0 else "good"}">{text(word)}</i>'


def _say(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}" if math.isfinite(value) else MISSING_NUMBER
