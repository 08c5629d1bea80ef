"""Candidate sites in words: how large, whom they would serve, what excludes each, and how far it is from everything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geodata.site_exclusions import name_kind
from planning.flag_case import iterate_rows
from planning.site_rules import list_blocked, tell_site_check
from reports.language import Translator
from reports.siting_scene import SITE_COLUMNS
from reports.siting_words import say_money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geodata.site_search import Candidates
    from geodata.study import StudyArea
    from planning.rules import Rules

ABOUT_COLUMNS = (
    *("site_id", "name", "town", "x_m", "y_m", "area_m2", "sizes", "cost_cny", "unmet_pupils", "near_pupils"),
    *("source", "excluded", "against", "unsure", "kept"),
)
"""One row per site. ``sizes``: in classes, joined by ``;``; ``source``: list, open_land or unit; ``against``,
``unsure``, ``kept``: sentences of the rules that it breaks, that a person must judge, that it keeps (tuples)."""
NUMBERS = ("x_m", "y_m", "area_m2", "cost_cny", "unmet_pupils", "near_pupils")
HECTARE_M2 = 1e4
LEAST_AREA_M2 = 500.0
"""Land below this is told as 0.0 hectares, so it is not told."""


def describe_sites(
    study: StudyArea, rules: Rules, checks: pd.DataFrame, candidates: Candidates | None, stage: str, _: Translator
) -> pd.DataFrame:
    """Return ``ABOUT_COLUMNS`` of the sites for a stage: those of the study, then the candidates that were found.

    ``checks``: ``planning.site_rules.SITE_CHECK_COLUMNS`` of all of them.
    """
    told = _tell_checks(checks, rules, _)
    blocked = set(list_blocked(checks)) if len(checks) else set()
    towns = dict(zip(study.units["unit_id"].astype(str), study.units["town"].fillna("").astype(str), strict=True))
    rows = [
        _describe(row, towns, told, str(row.site_id) in blocked)
        for row in iterate_rows(study.sites)
        if _serves(str(row.stages or ""), stage)
    ]
    if candidates is not None:
        rows += [_describe(row, towns, told, bool(row.excluded)) for row in iterate_rows(candidates.table)]
    return pd.DataFrame(rows, columns=list(ABOUT_COLUMNS)).astype({**dict.fromkeys(NUMBERS, float), "excluded": bool})


def _serves(stages: str, stage: str) -> bool:
    """Whether a stage may be built; a site that does not say serves all."""
    known = [name.strip() for name in stages.split(";") if name.strip() and name.strip() != "nan"]
    return not known or stage in known


def _describe(
    row: Any, towns: Mapping[str, str], told: Mapping[str, Mapping[str, tuple[str, ...]]], excluded: bool
) -> tuple[Any, ...]:
    key = str(row.site_id)
    words = told.get(key, {})
    return (
        key,
        str(row.name or "") or key,
        str(getattr(row, "town", "") or "") or towns.get(str(row.unit_id), ""),
        *(_number(row, name) for name in ("x_m", "y_m", "area_m2")),
        _text(row, "class_options"),
        *(_number(row, name) for name in ("cost_cny", "unmet_pupils", "near_pupils")),
        _text(row, "source") or "list",
        excluded,
        *(words.get(status, ()) for status in ("failed", "unknown", "passed")),
    )


def _tell_checks(checks: pd.DataFrame, rules: Rules, _: Translator) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return by site and status what the rules say of it."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in iterate_rows(checks[checks["source"] != ""]):
        words = found.setdefault(str(row.site_id), {})
        words[str(row.status)] = (*words.get(str(row.status), ()), _.say(tell_site_check(row, rules)))
    return found


def list_unchecked(checks: pd.DataFrame, _: Translator) -> list[str]:
    """Return the kinds of things of which no layer tells, so that no site was checked for them, by name."""
    kinds = dict.fromkeys(checks.loc[checks["source"] == "", "kind"].astype(str))
    return [_.say(name_kind(kind)) for kind in kinds]


def build_map_sites(about: pd.DataFrame, _: Translator) -> pd.DataFrame:
    """Return ``reports.siting_scene.SITE_COLUMNS``: every site with the lines that the pointer shows."""
    rows = [
        (
            row.site_id,
            row.name,
            row.x_m,
            row.y_m,
            row.excluded,
            (say_kind(row, _), *row.against[:3], *say_facts(row, _)),
        )
        for row in iterate_rows(about)
    ]
    return pd.DataFrame(rows, columns=list(SITE_COLUMNS)).astype({"excluded": bool})


def say_kind(row: Any, _: Translator) -> str:
    """Return what a point is: a candidate, or a place where no school may stand."""
    return _("Excluded: no school may stand here") if row.excluded else _("Candidate site")


def say_facts(row: Any, _: Translator) -> list[str]:
    """Return area, sizes, cost and children of a site, as far as they are known."""
    told = []
    if row.area_m2 >= LEAST_AREA_M2:
        told.append(_("{value} hectares of land", value=_.number(row.area_m2 / HECTARE_M2, digits=1)))
    if row.sizes:
        told.append(_("sizes: {sizes} classes", sizes=_.join(str(row.sizes).split(";"))))
    if math.isfinite(row.cost_cny):
        told.append(say_money(row.cost_cny, _))
    if math.isfinite(row.near_pupils):
        told.append(_("{count} pupils within reach lack a place or a short way", count=_.number(row.near_pupils)))
    return told


def build_site_table(about: pd.DataFrame, used: Mapping[str, Sequence[str]], _: Translator) -> pd.DataFrame:
    """Return the sites by id with translated headings; ``used``: names of the plans that open a school on each."""
    table = pd.DataFrame(index=pd.Index(about["site_id"].astype(str)))
    table[_("Site")] = about["name"].to_numpy()
    table[_("Township")] = about["town"].to_numpy()
    table[_("Excluded?")] = [_("yes") if value else _("no") for value in about["excluded"]]
    table[_("What speaks against it")] = [" ".join(words) for words in about["against"]]
    table[_("Land (ha)")] = np.round(about["area_m2"].to_numpy(dtype=np.float64) / HECTARE_M2, 2)
    table[_("Sizes (classes)")] = [_.join(str(value).split(";")) for value in about["sizes"]]
    table[_("Pupils in need near")] = np.round(about["near_pupils"].to_numpy(dtype=np.float64))
    table[_("Where it comes from")] = [name_source(str(value), _) for value in about["source"]]
    table[_("Used in")] = [_.join(used.get(str(key), ())) for key in about["site_id"]]
    table[_("For a person to judge")] = [" ".join(words) for words in about["unsure"]]
    empty = [title for title in (_("Land (ha)"), _("Pupils in need near")) if table[title].isna().all()]
    words = (_("What speaks against it"), _("Sizes (classes)"), _("Used in"), _("For a person to judge"))
    return table.drop(columns=[*empty, *(title for title in words if (table[title] == "").all())])


def name_source(source: str, _: Translator) -> str:
    """Return where a site comes from."""
    names = {"list": _("the county's list"), "open_land": _("open land"), "unit": _("middle of an area")}
    return names.get(source, source)


def _number(row: Any, name: str) -> float:
    value = getattr(row, name, math.nan)
    return float(value) if value is not None and not pd.isna(value) else math.nan


def _text(row: Any, name: str) -> str:
    value = getattr(row, name, "")
    return "" if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) else str(value)
