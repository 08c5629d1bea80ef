"""The numbers of the drawing, beside today and beside its start, and what is broken. HTML with every word escaped."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from planning.conflicts import Conflict
from planning.drawing_numbers import DrawingNumbers
from planning.rules import Rules
from reports.citations import cite_rule
from reports.language import MISSING_NUMBER, Translator
from ui.cards import render_quiet, render_title, text
from ui.catchments_map import show_units
from ui.catchments_open import View
from ui.text import plain
from ui.zoning_cards import name_rule

MOST_BROKEN, MOST_OPENED = 10, 100
OPENED_KEY = "catchments_broken_opened"
"""Whether the reader asked for more than the first few."""

STYLE = """
<style>
.numbers { width: 100%; border-collapse: collapse; font-size: 0.86rem; line-height: 1.3; }
.numbers th { color: #5d6b6c; font-weight: 400; font-size: 0.76rem; text-align: right; padding: 0 0.25rem 0.1rem; }
.numbers td { text-align: right; padding: 0.16rem 0.25rem; border-top: 1px solid #e8eded; white-space: nowrap; }
.numbers td:first-child { text-align: left; padding-left: 0; white-space: normal; color: #33403f; }
.numbers b { font-size: 1.02rem; font-weight: 650; }
.numbers .good { color: #1f6b45; } .numbers .bad { color: #b3490b; } .numbers .same { color: #8a9695; }
</style>
"""


@dataclass(frozen=True)
class Figure:
    """One row of the numbers, less is better: ``values`` now, today and at the start (NaN = unknown)."""

    title: str
    hint: str
    values: tuple[float, float, float]
    digits: int = 0


def count_split_zones(numbers: DrawingNumbers) -> int:
    """Return the zones that are not in one piece with their school."""
    return len({conflict.school_ids for conflict in numbers.broken if conflict.rule == "connected"})


def list_figures(view: View, _: Translator) -> list[Figure]:
    """Return the numbers with those of today (NaN where no zones of today are known) and of the start."""
    every = (view.numbers, view.today, view.start)

    def measure(read: Callable[[DrawingNumbers], float]) -> tuple[float, float, float]:
        now, today, start = (math.nan if item is None else float(read(item)) for item in every)
        return now, today, start

    figures = [
        Figure(
            _("Mean way (min)"),
            _("Minutes of a pupil to school, one way."),
            measure(lambda item: item.mean_travel_min_total),
            digits=1,
        ),
        Figure(
            _("Pupils above the places"),
            _("Of all schools that have more pupils than places."),
            # Unknown places are not room for everybody.
            measure(lambda item: item.over_pupils if np.isfinite(item.places).any() else math.nan),
        ),
    ]
    if view.sheet.has_today:
        hint = _("Pupils whose school is another than today.")
        figures.append(Figure(_("Pupils who change school"), hint, measure(lambda item: item.moved_pupils)))
    hint = _("Some of their land does not hang together with the school.")
    return [
        *figures,
        Figure(_("Zones not in one piece"), hint, measure(count_split_zones)),
        Figure(_("Rules broken"), _("Each is told below, with a cure."), measure(lambda item: len(item.broken))),
    ]


def render_numbers(view: View, _: Translator) -> None:
    """Draw the numbers."""
    st.html(build_numbers(list_figures(view, _), _, with_today=view.sheet.has_today))


def build_numbers(figures: list[Figure], _: Translator, *, with_today: bool) -> str:
    """Return the numbers as a table: now, against today, against the start."""
    heads = ["", _("Now"), *([_("to today")] if with_today else []), _("to start")]
    rows = "".join(_build_row(figure, _, with_today=with_today) for figure in figures)
    head = "".join(f"<th>{text(name)}</th>" for name in heads)
    return f'<table class="numbers"><tr>{head}</tr>{rows}</table>'


def _build_row(figure: Figure, _: Translator, *, with_today: bool) -> str:
    now, today, start = figure.values
    befores = [*([today] if with_today else []), start]
    cells = "".join(f"<td>{_build_change(now, before, figure.digits, _)}</td>" for before in befores)
    word = text(_say_fixed(now, figure.digits))
    return f'<tr title="{text(figure.hint)}"><td>{text(figure.title)}</td><td><b>{word}</b></td>{cells}</tr>'


def _say_fixed(value: float, digits: int) -> str:
    """Return a number with all its decimals, so that numbers below each other compare."""
    return f"{value:,.{digits}f}" if math.isfinite(value) else MISSING_NUMBER


def _build_change(now: float, before: float, digits: int, _: Translator) -> str:
    if not (math.isfinite(now) and math.isfinite(before)):
        return ""
    change = round(now - before, digits)
    if change == 0:
        return '<span class="same">±0</span>'
    word = ("+" if change > 0 else "−") + _say_fixed(abs(change), digits)
    return f'<span class="{"bad" if change > 0 else "good"}">{text(word)}</span>'


def render_broken(view: View, _: Translator) -> None:
    """Draw what is broken: each rule in words, with a click to go there."""
    broken = view.numbers.broken
    head = render_title(_("What is broken: click to go there")) if broken else render_quiet(_("No rule is broken."))
    st.html(f'<div class="card">{head}</div>')
    if not broken:
        return
    units = {key: at for at, key in enumerate(view.table.unit_ids)}
    with st.container(key="catchments_broken", gap="small"):
        shown = broken[: MOST_OPENED if st.session_state.get(OPENED_KEY) else MOST_BROKEN]
        for number, conflict in enumerate(shown):
            words = _.say(conflict.message)
            st.button(
                f"**{plain(name_rule(conflict.rule, _))}** · {plain(words, longest=260)}",
                key=f"catchments_broken_{number}",
                help=plain(_say_more(conflict, view.table.rules, _), longest=700) or None,
                on_click=_go,
                args=(view.table.unit_ids, _find_units(conflict, units), conflict.school_ids),
                width="stretch",
            )
        if len(broken) > len(shown):
            words = _("Show {count} more", count=_.number(len(broken) - len(shown)))
            st.button(words, key="catchments_broken_more", on_click=_open_all, disabled=len(shown) >= MOST_OPENED)


def _open_all() -> None:
    st.session_state[OPENED_KEY] = True


def _say_more(conflict: Conflict, rules: Rules, _: Translator) -> str:
    """Return the cure, and the rule with its source."""
    cure = _.say(conflict.cure)
    return " ".join([*([_("Cure: {cure}", cure=cure)] if cure else []), cite_rule(rules, conflict.rule_id, _)])


def _find_units(conflict: Conflict, where: dict[str, int]) -> list[int]:
    return [where[key] for key in conflict.unit_ids if key in where]


def _go(unit_ids: tuple[str, ...], units: list[int], school_ids: tuple[str, ...]) -> None:
    show_units("conflict", np.array(units, dtype=np.int64), unit_ids, school_ids)
