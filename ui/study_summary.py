"""A built study in numbers: what was read, how the roads hang together, who lives far from any road."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from geodata.site_exclusions import EXCLUSION_KINDS, name_kind
from geodata.study import STAGES, StudyArea
from reports.language import Translator
from ui.issue_table import render_table
from ui.settings_form import name_stage
from ui.text import plain
from ui.upload_form import say_years


def render_summary(_: Translator, study: StudyArea) -> None:
    """Draw the facts of a study that has just been built."""
    st.subheader(plain(study.name), anchor=False)
    children = {stage: study.units[f"{stage}_pupils"].sum(min_count=1) for stage in STAGES}
    facts = [
        (_("Schools"), _.number(len(study.schools))),
        (_("Planning units"), _.number(len(study.units))),
        (_("Pupils on the rolls"), _.number(sum_latest_rolls(study.rolls))),
        (_("Places"), _.number(study.places["capacity_places"].sum(min_count=1))),
        *((_("Children: {stage}", stage=name_stage(_, stage)), _.number(children[stage])) for stage in STAGES),
    ]
    shown = [(label, value) for label, value in facts if value != _.number(None)]
    with st.container(horizontal=True, gap="large"):
        for label, value in shown:
            st.metric(label, value, width="content")
    if lines := list_planning_facts(_, study):
        heading = _("For forecasts and inspections")
        st.markdown(f"**{heading}**")
        st.caption(plain(" · ".join(lines), longest=600))
    if lines := list_ground_facts(_, study):
        heading = _("For new schools")
        st.markdown(f"**{heading}**")
        st.caption(plain(" · ".join(lines), longest=600))
    _render_roads(_, study)


def list_ground_facts(_: Translator, study: StudyArea) -> list[str]:
    """Return what was read of sites and ground, one phrase per table that is there, the exclusions by kind."""
    lines = []
    if len(study.sites):
        lines.append(_("candidate sites: {count}", count=_.number(len(study.sites))))
    if len(study.open_land):
        hectares = float(study.open_land["area_m2"].sum()) / 10_000
        land = _("open land: {count} areas ({hectares} ha)", count=_.number(len(study.open_land)),
                 hectares=_.number(hectares))  # fmt: skip
        lines.append(land)
    counts = study.exclusions["kind"].value_counts()
    lines += [
        _("{kind}: {count}", kind=_.say(name_kind(kind)), count=_.number(int(counts[kind])))
        for kind in EXCLUSION_KINDS
        if kind in counts
    ]
    return lines


def list_planning_facts(_: Translator, study: StudyArea) -> list[str]:
    """Return what was read for forecasts and inspections, one phrase per table that is there."""
    lines = []
    years = sorted({int(year) for year in study.rolls["year"] if year})
    if len(years) > 1:
        lines.append(_("rolls of {years}", years=say_years(years)))
    if len(study.births):
        born = sorted({int(year) for year in study.births["year"]})
        units = study.births.loc[study.births["unit_id"] != "", "unit_id"].nunique()
        lines.append(
            _("births of {years} by {count} units", years=say_years(born), count=_.number(units))
            if units
            else _("births of {years}", years=say_years(born))
        )
    if len(study.housing):
        dwellings = study.housing["new_dwellings"].sum()
        lines.append(
            _(
                "housing projects: {count} ({dwellings} dwellings)",
                count=_.number(len(study.housing)),
                dwellings=_.number(dwellings),
            )
        )
    if len(study.assets):
        schools = study.assets["school_id"].nunique()
        lines.append(_("schools with teachers, rooms, equipment: {count}", count=_.number(schools)))
    if len(study.groups):
        lines.append(_("groups and alliances: {count}", count=_.number(study.groups["group_id"].nunique())))
    if len(study.evidence):
        lines.append(_("answers for an inspection: {count}", count=_.number(len(study.evidence))))
    return lines


def sum_latest_rolls(rolls: pd.DataFrame) -> float | None:
    """Return the pupils of the latest year; grade 0 holds all grades of a stage and wins over single grades."""
    if rolls.empty:
        return None
    latest = rolls[rolls["year"] == rolls["year"].max()]
    keys = ["school_id", "stage"]
    whole = latest[latest["grade"] == 0].groupby(keys)["pupils"].sum()
    by_grade = latest[latest["grade"] != 0].groupby(keys)["pupils"].sum()
    return float(whole.combine_first(by_grade).sum())


def _render_roads(_: Translator, study: StudyArea) -> None:
    heading = _("Roads")
    st.markdown(f"**{heading}**")
    travel = list(study.travel.values())
    if not study.networks:
        given = any(matrix.method == "given" for matrix in travel)
        st.caption(
            _("Travel times were given with the data.")
            if given
            else _("No roads were given: ways are straight lines times the detour factor.")
        )
        return
    rows = [
        {
            _("Way of travel"): name_mode(_, mode),
            _("Junctions"): _.number(network.n_nodes),
            _("Separate parts"): _.number(network.parts),
            _("Length in the main part"): _.percent(network.kept_share, digits=1),
            _("Units over 500 m from a road"): _.number(_count_far(study, mode)),
        }
        for mode, network in study.networks.items()
    ]
    st.html(render_table(rows))
    if study.road_report is not None and len(study.road_report):
        with st.expander(_("Length of the roads by class")):
            st.html(render_table(build_class_rows(_, study.road_report)))


def name_mode(_: Translator, mode: str) -> str:
    """Return a way of travel in the reader's language."""
    names = {"walk": _("On foot"), "bicycle": _("By bicycle"), "drive": _("By car or bus"), "all": _("All roads")}
    return names.get(mode, mode)


def _count_far(study: StudyArea, mode: str) -> int:
    matrix = study.travel.get(mode)  # type: ignore[call-overload]
    return 0 if matrix is None else int(np.sum(~(np.asarray(matrix.unit_snap_m) <= 500.0)))


def build_class_rows(_: Translator, report: pd.DataFrame) -> list[dict[str, str]]:
    """Return one row per road class with its kilometres, all roads and by way of travel, longest first."""
    from geodata.road_classes import read_road_classes

    classes = read_road_classes()
    table = report.pivot_table(index="road_class", columns="mode", values="length_km", aggfunc="sum")
    rows = []
    for name in table.max(axis=1).sort_values(ascending=False).index:
        known = classes.get(str(name))
        meaning = "" if known is None else known.meaning_zh if _.language == "zh" else known.meaning_en
        lengths = {_("{mode}, km", mode=name_mode(_, mode)): table.loc[name, mode] for mode in table.columns}
        rows.append(
            {_("Road class"): meaning or str(name)}
            | {head: _.number(length, digits=1) for head, length in lengths.items()}
        )
    return rows
