"""What a step would do, said before it is taken: worked out after the page is drawn, so that nothing waits for it.

The answer stays in memory: when the step is taken, its numbers are there at once.
"""

from __future__ import annotations

import dataclasses
import math

from geodata.errors import LayoutError
from reports.language import Translator
from reports.scenario_after import BeforeAfter
from ui.cards import text
from ui.scenario_quick import ask_quick
from ui.scenario_steps import build_problem
from ui.scenario_view import View

MOST_PREVIEWED_UNITS = 60_000
"""In larger counties a preview would hold up the next click for too long."""


def render_preview(view: View, _: Translator) -> None:
    """Work out what the last offered step would do, and tell it below its button."""
    if not view.offers or view.quick.now is None or len(view.study.units) > MOST_PREVIEWED_UNITS:
        return
    offer = view.offers[-1]
    try:
        action = offer.build()
    except LayoutError:
        return
    longer = dataclasses.replace(view.scenario, actions=(*view.scenario.actions, action))
    quick = ask_quick(view.study, longer, view.stage, view.rulebook)
    number = len(longer.all_actions)
    wrong = "".join(build_problem(item, _) for item in quick.applied.problems if item.number == number)
    words = "" if quick.now is None else say_difference(view.quick.now, quick.now, _)
    offer.place.html(f'<div class="step preview"><div class="more">{text(words, longest=400)}</div>{wrong}</div>')


def say_difference(before: BeforeAfter, after: BeforeAfter, _: Translator) -> str:
    """Return in a sentence what a step changes beside the steps before it."""
    old, new = before.numbers, after.numbers
    moved = new.get("moved_pupils", math.nan) - old.get("moved_pupils", math.nan)
    parts = [_("{change} pupils change school", change=_say_signed(moved, 0))] if math.isfinite(moved) else []
    change = new.get("mean_min_after", math.nan) - old.get("mean_min_after", math.nan)
    if math.isfinite(change):
        parts.append(_("mean way {change} min", change=_say_signed(change, 1)))
    for name, words in (
        ("beyond_limit_pupils_after", _("{change} pupils beyond the limit")),
        ("over_places_pupils_after", _("{change} pupils above the places")),
        ("unreached_pupils_after", _("{change} pupils without a school")),
    ):
        change = new.get(name, math.nan) - old.get(name, math.nan)
        if math.isfinite(change) and abs(change) >= 0.5:
            parts.append(words.format(change=_say_signed(change, 0)))
    return _("This step: {words}.", words=_.join(parts))


def _say_signed(value: float, digits: int) -> str:
    rounded = round(value, digits)
    return f"{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded):,.{digits}f}"
