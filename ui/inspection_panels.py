"""What stands above the tables of the Inspection page: style, the headline, the tiles, and what to know first."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.balance import Balance, find_indicator
from planning.balance_tables import COMPOSITE, NO, UNKNOWN, YES
from reports.language import MISSING_NUMBER, Translator
from reports.legend import name_stage_short
from ui.cards import STYLE as CARD_STYLE
from ui.cards import text
from ui.inspection_choices import Inspected, name_inspection
from ui.rulebooks import build_judged_by
from ui.text import plain

GREEN, AMBER, RED, GREY = "#e3f1e6", "#fdf0d0", "#f8ddd3", "#eef1f1"
PAGE_STYLE = f"""
<style>
.block-container {{ padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }}
.st-key-inspection_page {{ gap: 0.55rem; }}
.st-key-inspection_page [data-testid=stButtonGroup] button {{ min-height: 36px; padding: 0 0.62rem; }}
.st-key-inspection_page label p {{ font-size: 0.78rem; color: #52605f; }}
.headline {{ font-size: 1.04rem; font-weight: 600; line-height: 1.4; }}
.headline .badge {{ background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 0.6rem; }}
.tile {{ border: 1px solid #e0e6e6; border-left: 4px solid #b9c3c3; border-radius: 6px; padding: 0.4rem 0.75rem; }}
.tile.yes {{ border-left-color: #3b8f5a; }} .tile.no {{ border-left-color: #b3490b; }}
.tile span {{ display: block; font-size: 0.78rem; color: #52605f; }}
.tile b {{ font-size: 1.18rem; font-weight: 650; }}
.tile small {{ display: block; color: #3f4a55; font-size: 0.8rem; line-height: 1.3; }}
.inspection-notes {{ font-size: 0.84rem; color: #3f4a55; line-height: 1.4; }}
.inspection-notes summary {{ cursor: pointer; }}
.inspection-notes ul {{ margin: 0.1rem 0 0.3rem; padding-left: 1.3rem; }}
.inspection-key {{ font-size: 0.8rem; color: #3f4a55; display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; }}
.inspection-key i {{ display: inline-block; width: 1.1em; height: 0.8em; border: 1px solid #ccd5d5; border-radius: 2px;
  margin-right: 0.3rem; }}
.buju-table td.number, .buju-table th.number {{ text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
.buju-table td.yes {{ background: {GREEN}; }} .buju-table td.no {{ background: {RED}; font-weight: 600; }}
.buju-table td.near {{ background: {AMBER}; }} .buju-table td.unknown {{ background: {GREY}; color: #5d6b6c; }}
.buju-table small {{ color: #5d6b6c; }}
.inspection-items table {{ table-layout: fixed; margin: 0.2rem 0 0.4rem; }}
.inspection-items th:nth-child(1) {{ width: 27%; }} .inspection-items th:nth-child(2) {{ width: 8%; }}
.inspection-items th:nth-child(3) {{ width: 8%; }} .inspection-items th:nth-child(4) {{ width: 8.5%; }}
.inspection-items th:nth-child(5) {{ width: 9.5%; }}
</style>
"""
NOTES_OUTRIGHT = 2


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + CARD_STYLE)


def list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, each by its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def name_met(met: str, _: Translator) -> str:
    """Return a verdict with its sign, so that it does not hang on colour alone."""
    names = {
        YES: _("✓ met"),
        NO: _("✗ not met"),
        UNKNOWN: _("? unknown"),
        "passed": _("✓ passed"),
        "failed": _("✗ failed"),
    }
    return names.get(met, met)


def name_balance_indicator(indicator: str, _: Translator, *, short: bool = False) -> str:
    """Return the name of an indicator; that of the mean of all for the composite."""
    if indicator == COMPOSITE:
        return _("Mean of the eight")
    found = find_indicator(indicator)
    return _.say(found.short if short else found.title)


def render_headline(study: StudyArea, inspected: Inspected, _: Translator) -> None:
    """Say in two sentences how the stage shown stands."""
    notice = _("Synthetic demo: no real place")
    badge = f'<span class="badge">{text(notice)}</span>' if study.synthetic else ""
    choice = inspected.choice
    place = f"{study.name} · {name_inspection(choice.kind, _)} · {name_stage_short(choice.stage, _)}"
    if choice.scenario is not None:
        place += " · " + _("after “{name}”", name=choice.scenario.name)
    chinese = _.language == "zh"
    words = ("" if chinese else " ").join(
        [*_say_schools(inspected.balance, choice.stage, _), *_say_spread(inspected.balance, choice.stage, _)]
    )
    judged = build_judged_by(inspected.rules, _)
    colon = "：" if chinese else ": "
    st.html(f'<div class="headline">{badge}{text(place, longest=300)}{colon}{text(words, longest=700)}{judged}</div>')


def _pick(table: pd.DataFrame, stage: str) -> pd.DataFrame:
    return table[table["stage"] == stage]


def _say_schools(balance: Balance, stage: str, _: Translator) -> list[str]:
    if balance.kind != "quality":
        return []
    schools = _pick(balance.schools, stage)
    if schools.empty:
        return [_("No school of this stage is in scope; “Not counted” says why.")]
    counts = schools["status"].value_counts()
    if int(counts.get("passed", 0)) + int(counts.get("failed", 0)) == 0:
        return [_("Nothing can be said of {count} schools: their assets are not known.", count=_.number(len(schools)))]
    return [
        _(
            "{passed} of {all} schools pass, {failed} fail, {unknown} are unknown.",
            passed=_.number(int(counts.get("passed", 0))),
            all=_.number(len(schools)),
            failed=_.number(int(counts.get("failed", 0))),
            unknown=_.number(int(counts.get("unknown", 0))),
        )
    ]


def _say_spread(balance: Balance, stage: str, _: Translator) -> list[str]:
    spread = _pick(balance.spread, stage)
    judged = spread[spread["met"].isin([YES, NO])]
    if balance.kind == "basic":
        rows = judged[judged["indicator"] == COMPOSITE]
        if rows.empty:
            return [_("The spread between schools cannot be worked out: assets are missing.")]
        row = rows.iloc[0]
        words = _(
            "The mean of the eight coefficients is {cv}, the limit {limit}.",
            cv=say_cv(row["cv"]),
            limit=say_cv(row["limit"]),
        )
        return [words]
    if judged.empty:
        return []
    over = judged[judged["met"] == NO].sort_values("cv", ascending=False)
    if over.empty:
        return [
            _("The spread between schools is within its limit for all {count} known indicators.", count=len(judged))
        ]
    named = _.join(
        f"{name_balance_indicator(str(row.indicator), _, short=True)} {say_cv(row.cv)}" for row in over.itertuples()
    )
    return [
        _(
            "The spread between schools is too wide for {count} of {all}: {names}.",
            count=len(over),
            all=len(judged),
            names=named,
        )
    ]


def say_cv(value: object) -> str:
    """Return a coefficient of variation with three decimals, as inspection tables have it."""
    number = float(str(value))
    return MISSING_NUMBER if math.isnan(number) else f"{number:.3f}"


def render_tiles(inspected: Inspected, _: Translator) -> None:
    """Draw the four figures that an inspector asks for first, each with its verdict."""
    balance = inspected.balance
    tiles = [_build_school_tile(balance, stage, _) for stage in inspected.stages if balance.kind == "quality"]
    tiles += [_build_spread_tile(balance, stage, _) for stage in inspected.stages]
    if len(balance.items):
        tiles.append(_build_item_tile(balance.items, _))
    st.html(f'<div class="tiles">{"".join(tiles)}</div>')


def _tile(title: str, figure: str, small: str, verdict: str) -> str:
    return (
        f'<div class="tile {verdict}"><span>{text(title)}</span><b>{text(figure)}</b>'
        f"<small>{text(small, longest=300)}</small></div>"
    )


def _build_school_tile(balance: Balance, stage: str, _: Translator) -> str:
    schools = _pick(balance.schools, stage)
    counts = schools["status"].value_counts()
    passed, failed, unknown = (int(counts.get(name, 0)) for name in ("passed", "failed", "unknown"))
    verdict = "" if unknown == len(schools) else NO if failed else YES if not unknown else ""
    title = _("{stage}: schools that pass", stage=name_stage_short(stage, _))
    small = _("{failed} fail, {unknown} unknown", failed=_.number(failed), unknown=_.number(unknown))
    return _tile(title, f"{_.number(passed)} / {_.number(len(schools))}", small, verdict)


def _build_spread_tile(balance: Balance, stage: str, _: Translator) -> str:
    spread = _pick(balance.spread, stage)
    if balance.kind == "basic":
        spread = spread[spread["indicator"] == COMPOSITE]
        title = _("{stage}: mean of the eight coefficients", stage=name_stage_short(stage, _))
        row = spread.iloc[0] if len(spread) else None
        figure = MISSING_NUMBER if row is None else say_cv(row["cv"])
        small = "" if row is None else _("limit {limit}", limit=say_cv(row["limit"]))
        verdict = "" if row is None or row["met"] == UNKNOWN else str(row["met"])
        if row is not None and not bool(row["verified"]):
            small += " · " + _("limit not verified")
        return _tile(title, figure, small, verdict)
    met, known = int((spread["met"] == YES).sum()), int(spread["met"].isin([YES, NO]).sum())
    flips = int(spread["flips"].fillna(False).astype(bool).sum())
    title = _("{stage}: indicators with a narrow spread", stage=name_stage_short(stage, _))
    small = _("verdicts that hang on weighting: {count}", count=flips) if known else _("assets are missing")
    verdict = "" if not known else YES if met == len(spread) else NO if met < known else ""
    return _tile(title, f"{met} / {len(spread)}", small, verdict)


def _build_item_tile(items: pd.DataFrame, _: Translator) -> str:
    counts = items["met"].value_counts()
    met, missed, asked = (int(counts.get(name, 0)) for name in (YES, NO, UNKNOWN))
    small = _("{missed} not met, {asked} to be answered", missed=_.number(missed), asked=_.number(asked))
    return _tile(_("Items of the county"), f"{met} / {len(items)}", small, NO if missed else YES if not asked else "")


def render_notes(balance: Balance, _: Translator) -> None:
    """Draw what must be known before the numbers are read."""
    notes = list(balance.notes)
    if not notes:
        return
    outright, rest = notes[:NOTES_OUTRIGHT], notes[NOTES_OUTRIGHT:]
    blocks = [f"<div>ℹ {text(_.say(note), longest=500)}</div>" for note in outright]
    if rest:
        inner = "".join(f"<li>{text(_.say(note), longest=500)}</li>" for note in rest)
        summary = text(_("{count} more remarks on how this was worked out", count=len(rest)))
        blocks.append(f"<details><summary>{summary}</summary><ul>{inner}</ul></details>")
    st.html(f'<div class="inspection-notes">{"".join(blocks)}</div>')


def render_missing(balance: Balance, _: Translator) -> None:
    """Say how to give the assets, where the county has none."""
    if balance.asset_years:
        return
    st.info(
        plain(
            _(
                "No table of assets (teachers, rooms, equipment by school) has been loaded. Load one on the page Data;"
                " the template workbook there has the columns. Items that other data answer are judged already."
            ),
            longest=600,
        )
    )
