"""The words of the drawing map: its tools, what they say, and its views. The browser fills in ``{…}``."""

from __future__ import annotations

from reports.language import Translator
from reports.map_scene import build_map_texts

MARK_STYLES: dict[str, str] = {
    "islands": "ringed",
    "pockets": "circled",
    "detours": "striped",
    "conflict": "barred",
}
"""How marked areas look: ringed by a dashed line, circled by a dotted one, striped or barred; others are ringed."""


def build_drawing_texts(_: Translator) -> dict[str, str]:
    """Return the words of the map and its tools."""
    words = {
        "map": _("Map of the county: arrow keys move it, or with a tool go from area to area; plus and minus zoom")
    }
    return {**build_map_texts(_), **words, **_name_tools(_), **_explain_tools(_), **_say_deeds(_), **_name_views(_)}


def name_mark(name: str, _: Translator) -> str:
    """Return what a mark on areas means."""
    names = {
        "islands": _("apart from its zone"),
        "pockets": _("inside another zone"),
        "detours": _("passes a nearer school"),
        "conflict": _("a rule cannot hold here"),
    }
    return names.get(name, name)


def _name_tools(_: Translator) -> dict[str, str]:
    return {
        "tools": _("Drawing tools"),
        "look": _("Look"),
        "give": _("Give"),
        "brush": _("Brush"),
        "lasso": _("Lasso"),
        "lock": _("Lock"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "pick": _("Pick from the map"),
        "size": _("Brush size"),
        "small": _("one area"),
        "middle": _("medium"),
        "large": _("wide"),
        "target": _("Give to"),
        "choose": _("choose a school …"),
        "nothing_found": _("No school with this name"),
        "help": _("Keys and tricks"),
        "close": _("Close"),
    }


def _explain_tools(_: Translator) -> dict[str, str]:
    return {
        "look_hint": _("Click an area or a school to read about it."),
        "give_hint": _("Click areas to give them to the school."),
        "brush_hint": _("Drag over areas to give them to the school."),
        "lasso_hint": _("Draw a line around areas to give them to the school."),
        "lock_hint": _("Click or drag: locked areas stay with their school. Again: unlock."),
        "pick_hint": _("Click a school or an area: its school is the one to give to."),
        "first_choose": _("First click a school on the map or choose one from the list."),
        "today_hint": _("Today's zones, for comparison. Drawing is done on the proposed zones."),
        "help_keys": _("V look · G give · B brush · L lasso · K lock · P pick · [ ] brush size"),
        "help_cross": _("Arrow keys move from area to area, Enter or Space gives or locks it, Escape stops"),
        "help_undo": _("Ctrl+Z undo · Ctrl+Y redo"),
        "help_pick": _("A click on a school, or Alt and a click on an area, chooses the school to give to"),
        "help_move": _("Hold Space, the middle button or two fingers to move the map; the wheel zooms"),
    }


def _say_deeds(_: Translator) -> dict[str, str]:
    return {
        "given_one": _("{unit} → {school}"),
        "given": _("{count} areas → {school}"),
        "target_is": _("Give to {school}"),
        "locked_one": _("{unit}: locked"),
        "locked_some": _("{count} areas locked"),
        "unlocked_one": _("{unit}: unlocked"),
        "unlocked_some": _("{count} areas unlocked"),
        "kept_one": _("{unit} is locked and stays with {school}"),
        "kept": _("{count} locked areas stay as they are"),
        "already": _("Already there: nothing changes"),
        "no_units": _("No area there"),
        "undoing": _("Undoing the last step"),
        "redoing": _("Doing the step again"),
        "in_zone": _("School: {school}"),
        "no_zone": _("No school yet"),
        "was": _("Today: {school}"),
        "pupils": _("{count} pupils of this stage"),
        "is_locked": _("Locked"),
    }


def _name_views(_: Translator) -> dict[str, str]:
    return {
        "views": _("What the map shows"),
        "proposed": _("Proposed"),
        "today": _("Today"),
        "swipe": _("Swipe"),
        "side": _("Side by side"),
        "divider": _("Divider: today on the left, proposed on the right"),
    }
