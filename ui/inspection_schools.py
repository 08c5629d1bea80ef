"""Schools against indicators: one coloured table, and the card of the school that is ticked."""

from __future__ import annotations

import math
from typing import Any, Literal

import pandas as pd
import streamlit as st

from planning.balance import BALANCE_INDICATORS, BALANCE_UNITS, Balance, list_shortages
from planning.balance_tables import NO, UNKNOWN, YES
from planning.flag_case import iterate_rows
from reports.check_tables import say_missing
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_kind, name_setting_short
from ui.cards import render_head, render_quiet, render_title, text
from ui.inspection_choices import Inspected
from ui.inspection_panels import AMBER, GREEN, GREY, RED, list_records, name_balance_indicator, name_met
from ui.text import clean
from ui.zoning_keep import keep_value, put_back

ROWS_KEY, ONLY_KEY = "inspection_rows", "inspection_only"
FLOOR_SHARE = 0.85
TALL_FROM = 12
STATUS_ORDER = {"failed": 0, "unknown": 1, "passed": 2}
DIGITS = {"cny": 0, "books": 1}
SHADES = {YES: f"background-color: {GREEN}", UNKNOWN: f"background-color: {GREY}; color: #5d6b6c"}


def render_schools(inspected: Inspected, _: Translator) -> None:
    """Draw the table of the stage shown; a tick opens the card of a school beside it."""
    balance, stage = inspected.balance, inspected.choice.stage
    schools = balance.schools[balance.schools["stage"] == stage]
    if schools.empty:
        st.text(_("No school of this stage is in scope."))
        return
    judged = balance.kind == "quality"
    only = judged and _choose_only(_)
    if only:
        schools = schools[schools["status"] != "passed"]
    order = schools["status"].map(STATUS_ORDER)
    schools = schools.assign(_order=order).sort_values(["_order", "met_count", "pupils"], ascending=[True, True, False])
    key = f"{ROWS_KEY}_{balance.kind}_{stage}_{only}"
    ticked = _read_ticked(key, len(schools))
    left, right = st.columns([2.6, 1], gap="small") if ticked is not None else (st.container(), None)
    with left:
        if judged:
            _render_key(_)
        _render_table(balance, schools, key, _)
    if right is not None and ticked is not None:
        with right, st.container(key="inspection_card"):
            st.html(build_school_card(balance, str(schools["school_id"].iloc[ticked]), stage, _))


def _read_ticked(key: str, count: int) -> int | None:
    """Return the row that is ticked, before the table is drawn; None for none."""
    kept: Any = st.session_state.get(key)
    rows = kept["selection"]["rows"] if kept else []
    return int(rows[0]) if rows and rows[0] < count else None


def _choose_only(_: Translator) -> bool:
    put_back(ONLY_KEY, False)
    chosen = st.toggle(_("Only schools that fail or are unknown"), key=ONLY_KEY)
    keep_value(ONLY_KEY, chosen)
    return bool(chosen)


def _render_key(_: Translator) -> None:
    names = [
        (GREEN, _("reaches the limit")),
        (AMBER, _("85% of it and more")),
        (RED, _("below 85%")),
        (GREY, _("unknown")),
    ]
    parts = "".join(f'<span><i style="background:{colour}"></i>{text(name)}</span>' for colour, name in names)
    hint = text(_("Tick a school to see what it lacks."))
    st.html(f'<div class="inspection-key">{parts}<span>{hint}</span></div>')


def build_matrix(balance: Balance, schools: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return values, and ``met`` or ``near``, by school (in the order of ``schools``) and indicator."""
    names = [item.id for item in BALANCE_INDICATORS[balance.kind]]
    rows = balance.indicators[balance.indicators["stage"].isin(schools["stage"])]
    rows = rows.assign(mark=rows["met"].where((rows["met"] != NO) | (rows["ratio"] < FLOOR_SHARE), "near"))
    values, marks = (
        rows.pivot(index="school_id", columns="indicator", values=column).reindex(
            index=schools["school_id"], columns=names
        )
        for column in ("value", "mark")
    )
    return values.astype(float), marks.fillna(UNKNOWN)


def _render_table(balance: Balance, schools: pd.DataFrame, key: str, _: Translator) -> None:
    """Draw the table; a row can be ticked."""
    values, marks = build_matrix(balance, schools)
    shorts = {item.id: name_balance_indicator(item.id, _, short=True) for item in BALANCE_INDICATORS[balance.kind]}
    head = {
        _("School"): [clean(name, longest=60) for name in schools["name"]],
        _("Setting"): [name_setting_short(str(name), _) for name in schools["setting"]],
        _("Pupils"): schools["pupils"].to_numpy(dtype=float),
    }
    if balance.kind == "quality":
        head[_("Verdict")] = [name_met(str(status), _) for status in schools["status"]]
        head[_("Reached")] = [f"{int(row.met_count)}/{int(row.of)}" for row in iterate_rows(schools)]
    table = pd.DataFrame({**head, **{shorts[name]: values[name].to_numpy() for name in values.columns}})
    styles = pd.DataFrame("", index=table.index, columns=table.columns)
    for name in values.columns:
        styles[shorts[name]] = [_shade(mark) for mark in marks[name]]
    digits = {item.id: DIGITS.get(item.asset_unit, 2) for item in BALANCE_INDICATORS[balance.kind]}
    formats = {shorts[name]: _build_format(digits[name], _) for name in values.columns}
    styled = table.style.apply(lambda frame: styles, axis=None).format({**formats, _("Pupils"): _build_format(0, _)})
    height: Literal["auto"] | int = 460 if len(table) > TALL_FROM else "auto"
    st.dataframe(
        styled,
        hide_index=True,
        height=height,
        on_select="rerun",
        selection_mode="single-row",
        key=key,
        placeholder=MISSING_NUMBER,
        column_config={_("School"): st.column_config.TextColumn(pinned=True, width="medium")},
    )


def _shade(mark: str) -> str:
    if mark in SHADES:
        return SHADES[mark]
    colour = AMBER if mark == "near" else RED
    return f"background-color: {colour}; font-weight: 600"


def _build_format(digits: int, _: Translator) -> Any:
    def say(value: object) -> str:
        return MISSING_NUMBER if not isinstance(value, float) or math.isnan(value) else _.number(value, digits=digits)

    return say


def build_school_card(balance: Balance, school_id: str, stage: str, _: Translator) -> str:
    """Return what a school has of each indicator, and what it lacks."""
    school = balance.schools[(balance.schools["school_id"] == school_id) & (balance.schools["stage"] == stage)].iloc[0]
    rows = balance.indicators
    rows = rows[(rows["school_id"] == school_id) & (rows["stage"] == stage)]
    about = [name_kind(str(school["kind"]), _), name_setting_short(str(school["setting"]), _), str(school["town"])]
    parts = [render_head(school["name"], [word for word in about if word])]
    parts.append("".join(_build_line(row, _) for row in list_records(rows)))
    before = balance.before
    if before is not None:
        earlier = before.schools
        earlier = earlier[(earlier["school_id"] == school_id) & (earlier["stage"] == stage)]
        if len(earlier):
            words = _("Before: {verdict}", verdict=name_met(str(earlier["status"].iloc[0]), _))
            parts.append(render_quiet(words))
    return f'<div class="card">{"".join(parts)}</div>'


def _build_line(row: dict[str, Any], _: Translator) -> str:
    """Return one indicator of a school: value against limit, and what is missing, in words."""
    title = name_balance_indicator(str(row["indicator"]), _)
    digits = DIGITS.get(str(row["asset_unit"]), 2)
    weight = {YES: "note", UNKNOWN: ""}.get(str(row["met"]), "block")
    if row["met"] == UNKNOWN:
        words = (
            _("not known; missing: {columns}", columns=say_missing(str(row["missing"]), _))
            if row["missing"]
            else _("not known")
        )
    elif math.isfinite(row["limit"]):
        words = _(
            "{value} against {limit} ({share})",
            value=_.number(row["value"], digits=digits),
            limit=_.number(row["limit"], digits=digits),
            share=_.percent(row["ratio"]),
        )
    else:
        words = _.number(row["value"], digits=digits)
    lines = [text(words, longest=300), *(text(part, longest=300) for part in _say_short(row, _))]
    note = row["note"]
    if note is not None and not isinstance(note, float):
        lines.append(f"<small>{text(_.say(note), longest=400)}</small>")
    return f'<div class="flag {weight}"><b>{text(title)}</b><br>{"<br>".join(lines)}</div>'


def _say_short(row: dict[str, Any], _: Translator) -> list[str]:
    full, floor = float(row["short_full"]), float(row["short_floor"])
    if not full > 0:
        return []
    unit = _.say(BALANCE_UNITS[str(row["asset_unit"])])
    if floor > 0:
        return [
            _(
                "Short of {full} {unit}; {floor} {unit} to reach 85%.",
                full=_.number(full, digits=0 if full >= 10 else 1),
                floor=_.number(floor, digits=0 if floor >= 10 else 1),
                unit=unit,
            )
        ]
    return [_("Short of {full} {unit}.", full=_.number(full, digits=0 if full >= 10 else 1), unit=unit)]


def render_shortages(inspected: Inspected, _: Translator) -> None:
    """Draw what all schools together lack by indicator, and every school that is short."""
    shortages = list_shortages(inspected.balance)
    shortages = shortages[shortages["stage"] == inspected.choice.stage]
    if shortages.empty:
        st.text(_("No school is known to be short of anything."))
        return
    totals = shortages.groupby("indicator", sort=False).agg(
        schools=("school_id", "nunique"),
        full=("short_full", "sum"),
        floor=("short_floor", "sum"),
        unit=("asset_unit", "first"),
    )
    heads = (_("Indicator"), _("Schools short"), _("To reach the limit everywhere"), _("To reach 85% everywhere"))
    body = "".join(
        f"<tr><td>{text(name_balance_indicator(str(row.indicator), _))}</td>"
        f'<td class="number">{text(_.number(row.schools))}</td>'
        f'<td class="number">{text(_.number(row.full))} {text(_.say(BALANCE_UNITS[row.unit]))}</td>'
        f'<td class="number">{text(_.number(row.floor))} {text(_.say(BALANCE_UNITS[row.unit]))}</td></tr>'
        for row in iterate_rows(totals.reset_index())
    )
    cells = "".join(f"<th{'' if n == 0 else ' class=number'}>{text(name)}</th>" for n, name in enumerate(heads))
    st.html(f'<table class="buju-table"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>')
    st.html(render_title(_("School by school")))
    st.dataframe(
        build_shortage_table(shortages, _), hide_index=True, height=360 if len(shortages) > TALL_FROM else "auto"
    )


def build_shortage_table(shortages: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return shortages with headings in the reader's language."""
    return pd.DataFrame(
        {
            _("School"): shortages["name"].map(lambda name: clean(name, longest=60)),
            _("Indicator"): shortages["indicator"].map(lambda name: name_balance_indicator(str(name), _)),
            _("Value"): shortages["value"].astype(float).round(2),
            _("Limit"): shortages["limit"].astype(float).round(2),
            _("Short of"): shortages["short_full"].astype(float).round(1),
            _("To 85%"): shortages["short_floor"].astype(float).round(1),
            _("Unit"): shortages["asset_unit"].map(lambda unit: _.say(BALANCE_UNITS[str(unit)])),
        }
    )
