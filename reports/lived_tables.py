"""How children get to school, in the reader's words: the sentence, the ways by grades, schools, and who has no way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planning.lived_sums import summarise_lived_county
from planning.lived_travel import BANDS, WAYS
from reports.citations import cite_rule
from reports.language import MISSING_NUMBER, Translator

if TYPE_CHECKING:
    from planning.lived_travel import LivedOptions
    from planning.rules import Rules
    from planning.run import Outcome

LEAST_PUPILS = 0.05
"""Fewer pupils are the crumbs of shares, not a child."""


def name_band(band: str) -> str:
    """Return the grades as a reader writes them; the dash keeps spreadsheets from reading a date."""
    return band.replace("-", "–")


def name_way(way: str, _: Translator) -> str:
    """Return how children get to school."""
    names = {
        "walk": _("On foot"),
        "bus": _("School bus"),
        "board": _("Boarding"),
        "none": _("No lawful way"),
        "unknown": _("Not known"),
    }
    return names.get(way, way)


def say_lived(lived: pd.DataFrame, _: Translator) -> str:
    """Return the most important finding as one sentence for each group of grades."""
    county = summarise_lived_county(lived).set_index(["band", "way"])["pupils"]
    said = []
    for band in BANDS:
        if (band, "walk") not in county.index:
            continue
        counts = {way: float(county[band, way]) for way in WAYS}
        sentence = _(
            "Grades {band}: {walk} on foot, {bus} by school bus, {board} boarding, {none} without a lawful way.",
            band=name_band(band),
            **{way: _.number(counts[way]) for way in WAYS if way != "unknown"},
        )
        said.append(sentence)
        if counts["unknown"] >= LEAST_PUPILS:
            said.append(_("Of {count} it is not known, for lack of data.", count=_.number(counts["unknown"])))
    return ("" if _.language == "zh" else " ").join(said)


def list_assumptions(lived: pd.DataFrame, rules: Rules, options: LivedOptions, _: Translator) -> list[str]:
    """Return the limits with their sources, and what the rules leave open."""
    said = []
    found = lived[["band", "limit_min", "limit_rule"]].drop_duplicates().sort_values(["band", "limit_min"])
    for row in found.itertuples(index=False):
        limit = _.number(float(row.limit_min))  # type: ignore[arg-type]
        if row.limit_rule:
            source = cite_rule(rules, str(row.limit_rule), _)
            said.append(
                _(
                    "Grades {band}: up to {limit} min ({source}).",
                    band=name_band(str(row.band)),
                    limit=limit,
                    source=source,
                )
            )
        else:
            said.append(
                _(
                    "Grades {band}: up to {limit} min, an assumption: no rule names a limit.",
                    band=name_band(str(row.band)),
                    limit=limit,
                )
            )
    said.append(
        _(
            "School bus (assumptions): {walk} m to the stop, {wait} min of waiting, {halts} halts of {halt} s, car"
            " speeds as the law allows buses; {seats} seats. Beds go to those who live farthest.",
            walk=_.number(options.stop_walk_m),
            wait=_.number(options.wait_min),
            halts=options.halts,
            halt=_.number(options.halt_s),
            seats=options.bus_seats,
        )
    )
    return said


def build_band_table(lived: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return pupils and their share by grades and way: one row per group of grades."""
    county = summarise_lived_county(lived)
    rows = []
    for band, part in county.groupby("band", sort=True):
        row: dict[str, object] = {_("Grades"): name_band(str(band)), _("Pupils"): round(float(part["pupils"].sum()))}
        for way, pupils, share in zip(part["way"], part["pupils"], part["share"], strict=True):
            row[name_way(str(way), _)] = round(float(pupils))
            row[_("{way} (%)", way=name_way(str(way), _))] = round(100 * float(share), 1)
        rows.append(row)
    return pd.DataFrame(rows)


def build_school_table(schools: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return what every school needs, those with pupils without a way first, then those with most riders.

    ``schools``: ``planning.lived_sums.summarise_lived_schools``. Schools to which everybody walks are left out.
    """
    others = schools["bus_pupils"] + schools["board_pupils"] + schools["none_pupils"] + schools["unknown_pupils"]
    rows = schools[others >= LEAST_PUPILS]
    order = ["none_pupils", "unknown_pupils", "bus_pupils"]
    rows = rows.sort_values([*order, "school_id"], ascending=[False, False, False, True], kind="stable")
    names = [str(name) or _("No school within reach") for name in rows["name"]]
    return pd.DataFrame(
        {
            _("School"): names,
            **{name_way(way, _): rows[f"{way}_pupils"].round(1).to_numpy() for way in WAYS},
            _("Buses"): rows["buses"].to_numpy(),
            _("Bus seats"): rows["bus_seats"].to_numpy(),
            _("Beds used"): rows["beds_used"].to_numpy(),
            _("Beds"): [_.number(beds) if np.isfinite(beds) else MISSING_NUMBER for beds in rows["beds"]],
        }
    )


def select_stranded(lived: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of pupils without a lawful way, or with an unknown one, the most pupils first."""
    rows = lived[lived["way"].isin(["none", "unknown"]) & ~(lived["pupils"] < LEAST_PUPILS)]
    return rows.sort_values(
        ["way", "pupils", "unit_id"], ascending=[True, False, True], kind="stable", ignore_index=True
    )


def build_stranded_table(rows: pd.DataFrame, outcome: Outcome, _: Translator) -> pd.DataFrame:
    """Return ``rows`` (:func:`select_stranded`) as a reader sees them: where, which grades, how many, and why."""
    units = outcome.unit_table.drop_duplicates("unit_id").set_index("unit_id")["name"]
    schools = outcome.school_table.drop_duplicates("school_id").set_index("school_id")["name"]
    return pd.DataFrame(
        {
            _("Community"): units.reindex(rows["unit_id"]).fillna("").astype(str).to_numpy(),
            _("Grades"): [name_band(str(band)) for band in rows["band"]],
            _("Pupils"): rows["pupils"].astype(float).round(1).to_numpy(),
            _("How they go"): [name_way(str(way), _) for way in rows["way"]],
            _("School"): schools.reindex(rows["school_id"]).fillna("").astype(str).to_numpy(),
            _("Quickest way (min)"): np.ceil(rows["time_min"].astype(float).to_numpy()),
            _("Limit (min)"): rows["limit_min"].astype(float).to_numpy(),
            _("Reason"): [_.say(reason) for reason in rows["reason"]],
        }
    )


def build_lived_rows(lived: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return the whole answer for a file: our columns, the grades and reasons in words."""
    return lived.assign(
        band=[name_band(str(band)) for band in lived["band"]],
        lawful=[{True: "yes", False: "no"}.get(value, "") for value in lived["lawful"].astype(object)],
        reason=[_.say(reason) for reason in lived["reason"]],
    )
