"""What stands at the top of the Forecast page: headline, a chart for every stage, what the forecast is made of."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from geodata.study import StudyArea
from planning.forecast import Forecast
from reports.forecast_charts import Spec, build_stage_chart
from reports.forecast_tables import build_series, list_forecast_stages, say_stage_ahead, sum_places
from reports.forecast_words import say_school_year
from reports.language import Translator
from reports.legend import name_stage_short
from ui.cards import STYLE, render_quiet, render_title, text
from ui.today_choices import list_stages

MOST_CHARTS = 4
PAGE_STYLE = """
<style>
.st-key-forecast_page { --forecast-map: max(400px, calc(100vh - 200px)); gap: 0.5rem; }
.block-container { padding: 4.1rem 2rem 1.5rem !important; max-width: none !important; }
.headline { font-size: 1.04rem; font-weight: 600; line-height: 1.35; }
.headline .rest { font-weight: 400; font-size: 0.92rem; color: #3f4a55; }
.headline .badge { background: #fff3d6; border: 1px solid #e3c477; color: #6b4d00; border-radius: 4px;
  font-size: 0.78rem; font-weight: 600; padding: 0.05rem 0.4rem; margin-right: 0.5rem; white-space: nowrap; }
.st-key-forecast_page [data-testid=stButtonGroup] button { min-height: 36px; padding: 0 0.62rem; }
.st-key-forecast_page label p { font-size: 0.78rem; color: #52605f; }
.st-key-forecast_side { display: block; flex: none !important; height: var(--forecast-map) !important;
  max-height: var(--forecast-map) !important; overflow-y: auto !important; padding-right: 0.4rem; }
.chart-title { font-size: 0.88rem; font-weight: 650; margin-bottom: -0.7rem; }
.st-key-forecast_side .chart-title { margin-bottom: 0; }
.chart-title span { font-weight: 400; color: #5d6b6c; }
.inputs { font-size: 0.86rem; line-height: 1.38; } .inputs ul { margin: 0.1rem 0 0.2rem; padding-left: 1.05rem; }
.inputs h4 { font-size: 0.86rem; margin: 0.5rem 0 0.1rem; padding: 0; } .inputs h4:first-child { margin-top: 0; }
.inputs details ul { max-height: 8.4rem; overflow-y: auto; }
.inputs .missing { color: #8a4b08; }
.keys { font-size: 0.78rem; color: #52605f; } .keys i { display: inline-block; width: 1.1rem; height: 0.28rem;
  margin: 0 0.3rem 0.15rem 0; vertical-align: middle; }
.keys span { margin-right: 0.7rem; white-space: nowrap; } .keys i.band { height: 0.7rem; opacity: 0.7; }
.alerts td.red { background: #c2502a; color: #fff; } .alerts td.yellow { background: #f6dc8c; }
.alerts td.green { background: #cfe6d4; }
.robust { border-collapse: separate; border-spacing: 3px; font-size: 0.84rem; }
.robust th { font-weight: 600; color: #52605f; padding: 0.15rem 0.4rem; text-align: center; white-space: nowrap; }
.robust td { padding: 0.3rem 0.55rem; text-align: center; border-radius: 4px; min-width: 3.4rem; }
.robust td.yes { background: #cfe6d4; } .robust td.no { background: #c2502a; color: #fff; font-weight: 600; }
.robust td.wide { text-align: left; background: none; }
</style>
"""


def render_page_style() -> None:
    """Add the style of the page."""
    st.html(PAGE_STYLE + STYLE)


def render_headline(study: StudyArea, forecast: Forecast, stages: Sequence[str], chosen: str, _: Translator) -> None:
    """Say what comes for every stage, the chosen one in bold."""
    notice = text(_("Synthetic demo: no real place"))
    badge = f'<span class="badge">{notice}</span>' if study.synthetic else ""
    end = "。" if _.language == "zh" else "."
    said = [(stage, say_stage_ahead(build_series(study, forecast, stage), stage, _)) for stage in stages]
    first = next((words for stage, words in said if stage == chosen), said[0][1])
    rest = ("" if _.language == "zh" else " ").join(words + end for stage, words in said if stage != chosen)
    st.html(
        f'<div class="headline">{badge}{text(study.name)} · {text(first + end, longest=400)}'
        + (f'<div class="rest">{text(rest, longest=900)}</div>' if rest else "")
        + "</div>"
    )


def render_top(study: StudyArea, forecast: Forecast, chosen: str, _: Translator) -> None:
    """Draw a chart for every stage, the chosen one first, and beside them what the forecast is made of."""
    known = [stage for stage in list_stages(study) if stage in list_forecast_stages(forecast)]
    shown = [chosen, *[stage for stage in known if stage != chosen]][:MOST_CHARTS]
    columns = st.columns([1.0] * len(shown) + [1.15], gap="small")
    for column, stage in zip(columns, shown, strict=False):
        with column:
            _render_stage(study, forecast, stage, _)
    with columns[-1]:
        st.html(_build_keys(_) + build_inputs_card(study, forecast, _))


def _build_keys(_: Translator) -> str:
    keys = (
        (_("rolls"), "background:#3d4a55", ""),
        (_("middle forecast"), "background:#0b6e72", ""),
        (_("low to high"), "background:#9fcfcb", "band"),
        (_("places of today"), "background:#b3490b", ""),
    )
    return (
        '<div class="keys">'
        + "".join(f'<span><i class="{kind}" style="{style}"></i>{text(words)}</span> ' for words, style, kind in keys)
        + "</div>"
    )


def _render_stage(study: StudyArea, forecast: Forecast, stage: str, _: Translator) -> None:
    places = sum_places(study, stage)
    note = _("places today: {count}", count=_.number(places)) if places == places else _("places unknown")
    st.html(f'<div class="chart-title">{text(name_stage_short(stage, _))} <span>· {text(note)}</span></div>')
    draw_chart(build_stage_chart(build_series(study, forecast, stage), places, _))


def render_small_title(title: str) -> None:
    """Draw the small title of a chart or table."""
    st.html(f'<div class="chart-title">{text(title)}</div>')


def draw_chart(spec: Spec) -> None:
    """Draw a Vega-Lite specification of ``reports``."""
    st.vega_lite_chart(
        pd.DataFrame(spec["data"]["values"]),
        {key: value for key, value in spec.items() if key not in ("data", "description")},
        alt=spec["description"],
    )


def build_inputs_card(study: StudyArea, forecast: Forecast, _: Translator) -> str:
    """Return which years of which data were given, what is assumed, and what would narrow the range."""
    given, missing = list_inputs(study, _)
    parts = [render_title(_("What it is made of")), _list(given)]
    if missing:
        parts += [render_title(_("What would narrow the range")), _list(missing, "missing")]
    notes = [_.say(note) for note in forecast.notes]
    if notes:
        summary = text(_("What is assumed ({count})", count=len(notes)))
        parts.append(f"<details><summary>{summary}</summary>{_list(notes)}</details>")
    return f'<div class="inputs card">{"".join(parts)}</div>'


def _list(lines: Sequence[str], kind: str = "") -> str:
    if not lines:
        return render_quiet("–")
    return f'<ul class="{kind}">' + "".join(f"<li>{text(line, longest=500)}</li>" for line in lines) + "</ul>"


def list_inputs(study: StudyArea, _: Translator) -> tuple[list[str], list[str]]:
    """Return what was given, and what was not, each as short sentences."""
    given = [] if study.units.empty else [_("Children by area: {count} areas", count=_.number(len(study.units)))]
    missing = []
    years = sorted({int(year) for year in study.rolls["year"] if int(year) > 0})
    if years:
        words = _("Rolls: {years}", years=_say_years(years, _))
        graded = bool((study.rolls["grade"] > 0).any())
        given.append(words + " · " + (_("by grade") if graded else _("by stage only")))
        if len(years) < 4:
            missing.append(_("Rolls of earlier years: at least four, for the ratios from grade to grade"))
        if not graded:
            missing.append(_("Rolls by grade"))
    else:
        missing.append(_("Rolls by school, grade and year"))
    if len(study.births):
        born = sorted({int(year) for year in study.births["year"]})
        level = _("by village") if (study.births["unit_id"].fillna("") != "").any() else ""
        level = level or (_("by township") if (study.births["town"].fillna("") != "").any() else _("county total"))
        given.append(_("Births: {years}", years=f"{born[0]}–{born[-1]}") + " · " + level)
    else:
        missing.append(_("Births by year, best by township: without them entrants follow today's lowest grades"))
    if len(study.housing):
        dwellings = float(study.housing["new_dwellings"].sum())
        given.append(
            _(
                "Housing: {count} projects, {dwellings} dwellings",
                count=_.number(len(study.housing)),
                dwellings=_.number(dwellings),
            )
        )
    else:
        missing.append(_("Housing projects with their year of completion"))
    return given, missing


def _say_years(years: list[int], _: Translator) -> str:
    first, last = say_school_year(years[0], _), say_school_year(years[-1], _)
    return first if len(years) == 1 else f"{first} – {last}"


def find_stages(study: StudyArea, forecast: Forecast) -> list[str]:
    """Return the stages that are both taught and forecast."""
    return [stage for stage in list_stages(study) if stage in list_forecast_stages(forecast)]
