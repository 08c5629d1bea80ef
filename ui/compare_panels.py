"""What stands around the maps of the Compare page: headline, notes, the panel beside the maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from geodata.study import StudyArea
from reports.compare_tables import read_measure
from reports.compare_words import name_status, say_difference, say_number
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short
from ui.cards import STYLE as CARD_STYLE
from ui.cards import render_facts, render_head, render_quiet, render_title, say_place_of, text
from ui.compare_indicators import STYLE as TABLE_STYLE
from ui.compare_indicators import build_key_table
from ui.compare_view import MAP_HEIGHT, Compared, Selected, clear_selected
from ui.rulebooks import build_judged_by

OUTRIGHT_NOTES = 2
PAGE_STYLE = f"""
<style>
.st-key-compare_page {{ --compare-map: max(430px, calc(100vh - 250px)); gap: 0.5rem; }}
.st-key-compare_page:has(.definitions.many) {{ --compare-map: max(600px, calc(100vh - 110px)); }}
.st-key-compare_switches [data-testid=stWidgetLabel] {{ position: absolute; clip-path: inset(50%);
  height: 1px; width: 1px; overflow: hidden; min-height: 0; }}
.st-key-compare_side {{ display: block; flex: none !important; height: {MAP_HEIGHT} !important;
  min-height: 0 !important; max-height: {MAP_HEIGHT} !important; overflow-y: auto !important; padding-right: 0.4rem; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.35; }}
.headline ul {{ margin: 0.15rem 0 0; padding-left: 1.1rem; font-weight: 400; font-size: 0.95rem; }}
.headline li b {{ font-weight: 650; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-compare_page [data-testid=stButtonGroup] button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-compare_page label p {{ font-size: 0.78rem; color: #52605f; }}
.compare-notes {{ font-size: 0.84rem; color: #3f4a55; line-height: 1.35; }}
.compare-notes summary {{ cursor: pointer; }} .compare-notes ul {{ margin: 0.1rem 0 0.3rem; padding-left: 1.3rem; }}
.compare-notes .conflict {{ border-left: 3px solid #b3490b; padding: 0.1rem 0 0.1rem 0.55rem; margin: 0.2rem 0; }}
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE + TABLE_STYLE)


def render_headline(study: StudyArea, compared: Compared, _: Translator) -> None:
    """Say what matters in one line for each option."""
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    names = compared.comparison.names
    stage = name_stage_short(compared.stage, _)
    judged = build_judged_by(compared.outcomes[0].rules, _)
    if len(names) < 2:
        words = _("Choose a second option to compare “{name}” with.", name=names[0])
        st.html(f'<div class="headline">{badge}{text(f"{study.name} · {stage} · {words}", longest=400)}{judged}</div>')
        return
    said = [say_option(compared, option, _) for option in range(1, len(names))]
    if len(said) == 1:
        against = _("against “{name}”:", name=names[0])
        words = f"<b>{text(names[1], longest=60)}</b> {text(against, longest=100)} "
        inner = f"{text(study.name)} · {text(stage)} · {words}{text(said[0], longest=600)}"
        st.html(f'<div class="headline">{badge}{inner}{judged}</div>')
        return
    top = text(f"{study.name} · {stage} · " + _("against “{name}”:", name=names[0]), longest=300)
    lines = "".join(
        f"<li><b>{text(name, longest=60)}</b>: {text(words, longest=500)}</li>"
        for name, words in zip(names[1:], said, strict=True)
    )
    st.html(f'<div class="headline">{badge}{top}{judged}<ul>{lines}</ul></div>')


def say_option(compared: Compared, option: int, _: Translator) -> str:
    """Return what an option does to children and schools, in a sentence."""
    stage, comparison = compared.stage, compared.comparison

    def read(name: str) -> float:
        return read_measure(comparison, option, name, stage)

    if comparison.conflicts[option] and not math.isfinite(read("pupils")):
        return _("There is no lawful plan; see below why.")
    if not math.isfinite(read("pupils")):
        return _("It does not answer for this stage, or the baseline does not.")
    worse, better, lost = read("worse_pupils"), read("better_pupils"), read("lost_pupils")
    parts = []
    if worse + better + lost < 0.5:
        parts.append(_("no child's way to school changes"))
    else:
        parts.append(
            _(
                "{worse} pupils have a longer way, {better} a shorter one",
                worse=_.number(worse),
                better=_.number(better),
            )
        )
        if lost >= 0.5:
            parts.append(_("{lost} lose their way to school", lost=_.number(lost)))
    mean = comparison.value(option, "mean_travel_min", stage) - comparison.value(0, "mean_travel_min", stage)
    if math.isfinite(mean) and abs(mean) >= 0.05:
        parts.append(_("the mean way changes by {minutes}", minutes=say_difference(mean, "min", _)))
    parts += _say_schools(read("gone_schools"), read("new_schools"), _)
    short = comparison.value(option, "places_short", stage) - comparison.value(0, "places_short", stage)
    if math.isfinite(short) and abs(short) >= 0.5:
        words = _("{count} more places are short", count=_.number(short))
        parts.append(words if short > 0 else _("{count} fewer places are short", count=_.number(-short)))
    if comparison.conflicts[option]:
        parts.append(_("no lawful plan: see below"))
    return _.join(parts) + ("。" if _.language == "zh" else ".")


def _say_schools(gone: float, new: float, _: Translator) -> list[str]:
    parts = []
    if gone >= 1:
        parts.append(_("schools closed: {count}", count=_.number(gone)))
    if new >= 1:
        parts.append(_("schools opened: {count}", count=_.number(new)))
    return parts


def render_notes(compared: Compared, _: Translator) -> None:
    """Draw what must be known before the numbers are read: what stands against a plan, and unlike questions."""
    notes = compared.comparison.notes
    blocks: list[str] = []
    for name, conflicts in zip(compared.comparison.names, compared.comparison.conflicts, strict=True):
        if conflicts:
            words = " ".join(_.say(conflict) for conflict in conflicts[:4])
            head = _("“{name}” has no lawful plan:", name=name)
            blocks.append(f'<div class="conflict"><b>{text(head)}</b> {text(words, longest=900)}</div>')
    # The gravest come first; where there are many, the others wait behind a line.
    outright = len(notes) if len(notes) <= OUTRIGHT_NOTES + 1 else OUTRIGHT_NOTES
    blocks += [f"<div>ℹ {text(_.say(note), longest=400)}</div>" for note in notes[:outright]]
    if notes[outright:]:
        inner = "".join(f"<li>{text(_.say(note), longest=400)}</li>" for note in notes[outright:])
        summary = text(_("{count} more remarks on how the options were asked", count=len(notes) - outright))
        blocks.append(f"<details><summary>{summary}</summary><ul>{inner}</ul></details>")
    if blocks:
        st.html(f'<div class="compare-notes">{"".join(blocks)}</div>')


def render_side(study: StudyArea, compared: Compared, selected: Selected | None, _: Translator) -> None:
    """Draw the panel beside the maps: the card of what is chosen, else the key numbers."""
    with st.container(key="compare_side", gap="small"):
        card = ""
        if selected is not None:
            build = build_school_card if selected["kind"] == "school" else build_unit_card
            card = build(study, compared, selected["id"], _)
        if card:
            st.button(_("← Back to the numbers"), key="compare_close", type="tertiary", on_click=clear_selected)
            st.html(f'<div class="card">{card}</div>')
            return
        st.html(build_key_table(compared, _))
        hint = _("Click a school or an area on the map to compare it.")
        st.html(f'<div class="card">{render_quiet(hint)}</div>')


def build_unit_card(study: StudyArea, compared: Compared, unit_id: str, _: Translator) -> str:
    """Return the card of a unit: its school and way in every option."""
    about = study.units[study.units["unit_id"] == unit_id]
    if about.empty:
        return ""
    unit = about.iloc[0]
    children = float(unit.get(f"{compared.stage}_pupils", math.nan))
    parts = [render_head(unit["name"] or unit_id, say_place_of(unit, _))]
    parts.append(render_facts([(_("Children of this stage"), _.number(children, digits=1))]))
    parts.append(render_title(_("School and way in every option")))
    changes = compared.comparison.units
    changes = changes[(changes["unit_id"] == unit_id) & (changes["stage"] == compared.stage)].set_index("option")
    lines = []
    for option, outcome in enumerate(compared.outcomes):
        table = outcome.unit_table
        rows = table[(table["unit_id"] == unit_id) & (table["stage"] == compared.stage)]
        school = str(rows["school_name"].iloc[0]) if len(rows) else ""
        minutes = float(rows["time_min"].iloc[0]) if len(rows) else math.nan
        change = float(changes.at[option, "change_min"]) if option in changes.index else math.nan  # type: ignore[arg-type]
        told = say_difference(change, "min", _) if option else ""
        lines.append((compared.options[option].name, school or _("no school"), say_number(minutes, "min", _), told))
    return "".join(parts) + _render_options([_("School"), _("Way"), _("Change")], lines, _)


def build_school_card(study: StudyArea, compared: Compared, school_id: str, _: Translator) -> str:
    """Return the card of a school: pupils, places, fill and classes in every option."""
    school_id = school_id.split("#")[0]
    lines, name = [], ""
    for option, outcome in enumerate(compared.outcomes):
        table = outcome.school_table
        rows = table[(table["school_id"] == school_id) & (table["stage"] == compared.stage)]
        label = compared.options[option].name
        if rows.empty:
            lines.append((label, _("not open"), *[MISSING_NUMBER] * 3))
            continue
        row = rows.iloc[0]
        name = name or str(row["name"])
        lines.append(
            (
                label,
                _.number(float(row["modelled_pupils"])),
                _.number(float(row["capacity_places"])),
                _.percent(float(row["modelled_fill_share"])),
                _.number(float(row["mean_class_pupils"]), digits=1),
            )
        )
    about = study.schools[study.schools["school_id"] == school_id]
    if about.empty and not name:
        return ""
    words = say_place_of(about.iloc[0], _) if len(about) else [_("New school")]
    schools = compared.comparison.schools
    rows = schools[(schools["school_id"] == school_id) & (schools["stage"] == compared.stage)]
    happens = [
        f"{compared.options[int(option)].name}: {name_status(str(status), _)}" + (f" → {into}" if into else "")
        for option, status, into in zip(rows["option"], rows["status"], rows["into"], strict=True)
    ]
    head = render_head(name or about.iloc[0]["name"], words)
    told = "".join(f"<div>{text(line)}</div>" for line in happens)
    headings = [_("Pupils"), _("Places"), _("Fill"), _("Class size")]
    note = render_quiet(_("Pupils and fill by the model; class size by the rolls, after actions as projected."))
    return head + told + render_title(_("In every option")) + _render_options(headings, lines, _) + note


def _render_options(headings: list[str], lines: Sequence[tuple[str, ...]], _: Translator) -> str:
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in [_("Option"), *headings])
    body = "".join(
        "<tr>" + "".join(f"<td>{text(value, longest=80)}</td>" for value in line) + "</tr>" for line in lines
    )
    return f"<table><tr>{head}</tr>{body}</table>"
