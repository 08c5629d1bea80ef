"""What a change would mean, beside the map of the Closures page: verdict, figures, who depends, who takes in, rules."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from planning.flag_case import iterate_rows
from reports.citations import cite_rule
from reports.closure_numbers import (
    NumberRow,
    build_what_if_receivers,
    list_class_findings,
    list_number_rows,
    say_difference,
    say_number,
)
from reports.closure_scene import RECEIVER_COLOURS, ClosurePicture, colour_receivers
from reports.closure_tables import name_verdict
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_setting_short, name_stage_short
from reports.today_tables import name_severity, say_value
from ui.cards import render_facts, render_head, render_quiet, render_title, text
from ui.closures_engine import Answered, Engine, Verdict, judge_closed
from ui.closures_panels import render_heads
from ui.closures_state import Asked, drop_change, keep_asked, read_asked
from ui.text import clean

MOST_RECEIVERS, MOST_COMMUNITIES = 8, 8


def build_change_card(
    engine: Engine,
    asked: Asked,
    answered: Answered,
    picture: ClosurePicture,
    _: Translator,
) -> str:
    """Return what the changes would mean, as HTML."""
    if answered.answer is None:
        words = "" if answered.note is None else _.say(answered.note)
        return f'<div class="card">{render_quiet(words)}</div>'
    verdict = judge_closed(engine, asked)
    parts = [_build_head(engine, asked, _), _build_verdict(verdict, asked, _)]
    parts.append(_build_numbers(engine, answered, _))
    parts.append(_build_dependents(engine, verdict, answered, _))
    parts.append(_build_receivers(engine, answered, picture, _))
    parts.append(_build_notes(engine, answered, _))
    return f'<div class="card">{"".join(parts)}</div>'


def _build_head(engine: Engine, asked: Asked, _: Translator) -> str:
    names = _name_schools(engine)
    if asked.count == 1 and asked.closed:
        school = engine.study.schools.set_index("school_id").loc[asked.closed[0]]
        words = [name_kind(str(school["kind"]), _), str(school.get("town") or "")]
        setting = str(school.get("setting") or "")
        return render_head(
            _("If {school} closed", school=names[asked.closed[0]]),
            [*words, name_setting_short(setting, _) if setting else ""],
        )
    if asked.count > 1:
        return render_head(
            _("{count} changes at once", count=_.number(asked.count)), [name_stage_short(engine.stage, _)]
        )
    return render_head(next(iter(list_changes(engine, asked, _).values())), [name_stage_short(engine.stage, _)])


def list_changes(engine: Engine, asked: Asked, _: Translator) -> dict[tuple[str, str], str]:
    """Return every change in words, by its kind and the id of its school."""
    names = _name_schools(engine)
    closed = {("close", key): _("closes: {school}", school=names.get(key, key)) for key in asked.closed}
    resized = {
        ("places", item.school_id): _say_resized(engine, item.school_id, item.add_classes, item.places, _)
        for item in asked.resized
    }
    opened = {("open", item.school_id): _("opens: {school}", school=item.name) for item in asked.opened}
    return {**closed, **resized, **opened}


def render_changes(engine: Engine, scope: str, asked: Asked, _: Translator) -> None:
    """Draw the changes, where there are several, as buttons: who presses one takes it back."""
    if asked.count < 2:
        return
    changes = list_changes(engine, asked, _)
    words = {"\n".join(key): f"{clean(name, longest=60)} ×" for key, name in changes.items()}
    key = "closures_changes"
    st.session_state[key] = list(words)
    st.pills(
        _("Changes: press one to take it back"),
        list(words),
        format_func=words.__getitem__,
        selection_mode="multi",
        key=key,
        on_change=_drop_pressed,
        args=(key, scope, tuple(words)),
        label_visibility="collapsed",
    )


def _drop_pressed(key: str, scope: str, shown: tuple[str, ...]) -> None:
    left = st.session_state.get(key) or []
    asked = read_asked(scope)
    for name in shown:
        if name not in left:
            kind, school_id = name.split("\n")
            asked = drop_change(asked, kind, school_id)
    keep_asked(scope, asked)


def name_change(engine: Engine, asked: Asked, _: Translator) -> str:
    """Return a name for a new scenario of these changes."""
    names = _name_schools(engine)
    if asked.count > 1:
        return _("{stage}: {count} changes", stage=name_stage_short(engine.stage, _), count=_.number(asked.count))
    if asked.closed:
        return _("Without {school}", school=names.get(asked.closed[0], asked.closed[0]))
    if asked.opened:
        return asked.opened[0].name
    return "".join(_say_resized(engine, item.school_id, item.add_classes, item.places, _) for item in asked.resized)


def _say_resized(engine: Engine, school_id: str, classes: float | None, places: float | None, _: Translator) -> str:
    name = _name_schools(engine).get(school_id, school_id)
    if places is not None:
        return _("{school}: {places} places", school=name, places=_.number(places))
    sign = "−" if (classes or 0.0) < 0 else "+"
    return _("{school}: classes {change}", school=name, change=sign + _.number(abs(classes or 0.0)))


def _name_schools(engine: Engine) -> dict[str, str]:
    frame = engine.study.schools
    names = zip(frame["school_id"].astype(str), frame["name"].fillna("").astype(str), strict=True)
    return {key: name or key for key, name in names}


def _build_verdict(verdict: Verdict | None, asked: Asked, _: Translator) -> str:
    """Return whether the schools could close (together), with the reason."""
    if verdict is None:
        return ""
    words = name_verdict(verdict.can_close, verdict.places_suffice, _)
    if len(asked.closed) > 1:
        words = _("All together: {verdict}", verdict=words)
    kind = "verdict" if verdict.can_close and verdict.places_suffice else "verdict no"
    reason = text(_.say(verdict.reason), longest=600)
    return f'<div class="{kind}"><b>{text(words)}</b><br>{reason}</div>'


def _build_numbers(engine: Engine, answered: Answered, _: Translator) -> str:
    answer = answered.answer
    assert answer is not None
    rows = list_number_rows(
        answer,
        _find_longest_before(engine, answered),
        places_known=engine.places_known,
        limit_known=engine.limited,
        _=_,
    )
    facts = [
        (_("Pupils who change school"), _.number(answer.numbers["moved_pupils"])),
        (_("Communities concerned"), _.number(answer.numbers["moved_units"])),
        (_("More pupil-minutes"), _.number(answer.numbers["extra_pupil_min"])),
    ]
    head = render_heads("", _("before"), _("after"), _("change"))
    body = "".join(_build_number_row(row, _) for row in rows)
    return render_facts(facts) + f'<table class="numbers">{head}{body}</table>'


def _build_number_row(row: NumberRow, _: Translator) -> str:
    cells = [say_number(row, row.before, _), say_number(row, row.after, _)]
    body = "".join(f"<td>{text(cell)}</td>" for cell in cells)
    sign = {"worse": "▲ ", "better": "▼ "}.get(row.verdict, "")
    change = f'<td class="{row.verdict}">{text(sign + say_difference(row, _))}</td>'
    return f'<tr title="{text(row.meaning)}"><td>{text(row.title)}</td>{body}{change}</tr>'


def _find_longest_before(engine: Engine, answered: Answered) -> float:
    """Return the longest way before the change of the units that move; NaN where none had a way."""
    assert engine.what_if is not None
    assert answered.answer is not None
    before = engine.what_if.base.minutes[answered.answer.moved_units]
    return float(np.nanmax(before)) if np.isfinite(before).any() else math.nan


def _build_receivers(engine: Engine, answered: Answered, picture: ClosurePicture, _: Translator) -> str:
    answer = answered.answer
    assert answer is not None
    rows = engine.study.places[engine.study.places["stage"] == engine.stage]
    known = zip(rows["school_id"].astype(str), rows["classes"].to_numpy(dtype=np.float64, na_value=np.nan), strict=True)
    receivers = build_what_if_receivers(answer, engine.study, engine.stage, dict(known))
    if receivers.empty:
        return render_quiet(_("No school takes in more pupils than before."))
    colours = colour_receivers(picture)
    with_classes = bool(receivers["class_pupils_after"].notna().any())
    lines = []
    for row in iterate_rows(receivers.head(MOST_RECEIVERS)):
        colour = RECEIVER_COLOURS[colours.get(str(row.school_id), 0)]
        full = "worse" if math.isfinite(row.fill_after) and row.fill_after > 1 else ""
        use = (_.percent(row.fill_after) + (" ▲" if full else "")) if math.isfinite(row.fill_after) else MISSING_NUMBER
        size = f"<td>{text(_.number(row.class_pupils_after, digits=1))}</td>" if with_classes else ""
        lines.append(
            f'<tr><td><i class="key" style="background:{colour}"></i>{text(row.name)}</td>'
            f"<td>+{text(_.number(row.pupils_after - row.pupils_before))}</td>"
            f"<td>{text(_.number(row.pupils_after))} / {text(_.number(row.places))}</td>"
            f'<td class="{full}">{text(use)}</td>{size}</tr>'
        )
    heads = [
        _("School"),
        _("Added"),
        _("Pupils / places"),
        _("Use of places"),
        *([_("Per class")] if with_classes else []),
    ]
    head = render_heads(*heads)
    more = len(receivers) - min(len(receivers), MOST_RECEIVERS)
    after = render_quiet(_("and {count} more schools", count=_.number(more))) if more else ""
    title = render_title(_("Schools with more pupils then (by the model)"))
    return title + f"<table>{head}{''.join(lines)}</table>" + after + _build_rules(engine, receivers, _)


def _build_rules(engine: Engine, receivers: pd.DataFrame, _: Translator) -> str:
    """Return what the rules say to the use of places and to class sizes of the receivers."""
    found = list_class_findings(receivers, engine.rules, engine.stage, _)[:3]
    rule = engine.rules.find("max_fill_share", engine.stage)
    full = receivers[receivers["fill_after"] > (rule.limit(engine.stage) if rule is not None else math.inf)]
    if rule is not None and len(full):
        words = _(
            "Above {limit} of the places: {schools}.",
            limit=_.percent(rule.limit(engine.stage)),
            schools=_.join(full["name"]),
        )
        found.insert(0, (str(rule.severity), words, cite_rule(engine.rules, rule.id, _)))
    return "".join(
        f'<div class="flag {severity}"><b>{text(name_severity(severity, _))}</b> {text(words, longest=500)}'
        f'<div class="source">{text(source, longest=400)}</div></div>'
        for severity, words, source in found
    )


def _build_dependents(engine: Engine, verdict: Verdict | None, answered: Answered, _: Translator) -> str:
    units = () if verdict is None else verdict.dependents
    if not units or engine.what_if is None or answered.answer is None:
        return ""
    where = {key: position for position, key in enumerate(engine.what_if.unit_ids)}
    frame = engine.study.units.set_index("unit_id")
    before, after = engine.what_if.base.minutes, answered.answer.minutes
    lines = []
    for key in units[:MOST_COMMUNITIES]:
        at = where[key]
        pupils = float(frame[f"{engine.stage}_pupils"].get(key, math.nan))
        way = MISSING_NUMBER if not math.isfinite(after[at]) else say_value(float(after[at]), "min", _)
        lines.append(
            f"<tr><td>{text(frame['name'].get(key) or key)}</td><td>{text(_.number(pupils))}</td>"
            f"<td>{text(say_value(float(before[at]), 'min', _))}</td><td class='worse'>{text(way)}</td></tr>"
        )
    head = render_heads(_("Community"), _("Pupils"), _("Way now"), _("Way then"))
    more = len(units) - len(lines)
    rest = render_quiet(_("and {count} more in the table below", count=_.number(more))) if more > 0 else ""
    title = _("Communities that depend on it ({count})", count=_.number(len(units)))
    return render_title(title) + f"<table>{head}{''.join(lines)}</table>" + rest


def _build_notes(engine: Engine, answered: Answered, _: Translator) -> str:
    """Return what is unknown or simplified in this answer."""
    assert answered.answer is not None
    rows = answered.answer.schools
    unknown = rows[rows["changed"].astype(bool) & ~np.isfinite(rows["places_after"].to_numpy(dtype=np.float64))]
    notes = []
    if len(unknown):
        notes.append(
            _(
                "Places unknown, so not limited: {schools}.",
                schools=_.join(str(name) for name in unknown["name"].head(5)),
            )
        )
    if engine.question.scenario.enrolment == "nearest" and answered.change.places:
        notes.append(
            _("Where every child goes to the nearest school, more or fewer places move nobody: choose 'Within places'.")
        )
    notes.append(_("Answered in {seconds} s.", seconds=_.number(answered.seconds, digits=2)))
    return "".join(render_quiet(note) for note in notes)
