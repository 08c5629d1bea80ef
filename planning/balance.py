"""The balance inspection of a county: 优质均衡 (2017) and 基本均衡 (2012), before and after a scenario.

A school part is one stage of a school; nine-year and complete schools are judged stage by stage. Each part has its
assets per pupil for every indicator (``planning.balance_registry``); schools are judged by the six-of-seven rule, the
county by the spread between its schools (``planning.balance_spread``) and by items that data, reported numbers or
documents answer (``planning.inspection``). What is not known stays unknown: it is never counted as 0.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geodata.messages import Message, msg
from geodata.study import StudyArea
from planning.balance_after import AssetBook, build_assets, build_assets_after
from planning.balance_assets import join_campuses
from planning.balance_moves import compare_balance as compare_balance
from planning.balance_moves import list_shortages as list_shortages
from planning.balance_parts import build_parts, find_scope, list_unasked_stages
from planning.balance_registry import BALANCE_INDICATORS as BALANCE_INDICATORS
from planning.balance_registry import BALANCE_UNITS as BALANCE_UNITS
from planning.balance_registry import BalanceIndicator as BalanceIndicator
from planning.balance_registry import find_indicator as find_indicator
from planning.balance_rules import read_split_weights
from planning.balance_spread import build_spread
from planning.balance_tables import BALANCE_INDICATOR_COLUMNS as BALANCE_INDICATOR_COLUMNS
from planning.balance_tables import BALANCE_ITEM_COLUMNS as BALANCE_ITEM_COLUMNS
from planning.balance_tables import BALANCE_KINDS as BALANCE_KINDS
from planning.balance_tables import BALANCE_MOVE_COLUMNS as BALANCE_MOVE_COLUMNS
from planning.balance_tables import BALANCE_SCHOOL_COLUMNS as BALANCE_SCHOOL_COLUMNS
from planning.balance_tables import BALANCE_SPREAD_COLUMNS as BALANCE_SPREAD_COLUMNS
from planning.balance_tables import BALANCE_STAGES as BALANCE_STAGES
from planning.balance_tables import LEFT_OUT_COLUMNS as LEFT_OUT_COLUMNS
from planning.balance_tables import SHORTAGE_COLUMNS as SHORTAGE_COLUMNS
from planning.balance_tables import Balance as Balance
from planning.balance_tables import BalanceKind as BalanceKind
from planning.balance_values import build_values, judge_schools
from planning.inspection import build_items
from planning.inspection_facts import InspectionFacts
from planning.rules import Rules
from planning.run import Outcome
from planning.scenario import name_stage
from planning.tables import choose_year


def build_balance(
    study: StudyArea,
    rules: Rules,
    *,
    outcome: Outcome | None = None,
    kind: BalanceKind = "quality",
    year: int | None = None,
) -> Balance:
    """Inspect a county.

    Parameters
    ----------
    study
        Without the actions of the outcome.
    rules
        The rulebook whose limits are used.
    outcome
        With actions: pupils and assets after them, and ``before``. Its scenario's year is the one asked about.
        Without actions, or None: what is.
    kind
        ``quality`` or ``basic``.
    year
        School year asked about, where no outcome says it; None: the latest.
    """
    year = outcome.scenario.year if outcome is not None else year
    weights = read_split_weights(rules)
    if outcome is None or outcome.before is None:
        parts = build_parts(study, outcome, year)
        book = build_assets(study, parts, weights, year)
        return _inspect(study, rules, parts, book, outcome, kind, year)
    before = build_balance(study, rules, outcome=outcome.before, kind=kind)
    earlier, parts = build_parts(study, outcome.before, year), build_parts(study, outcome, year)
    book = build_assets_after(study, outcome, earlier, parts, weights)
    joined = _join_parts(parts, book)
    asked = joined[~joined["stage"].isin(list_unasked_stages(outcome))]
    after = _inspect(study, rules, asked, book, outcome, kind, year)
    return replace(after, before=before)


def _join_parts(parts: pd.DataFrame, book: AssetBook) -> pd.DataFrame:
    """Count the pupils and classes of campuses under their head school."""
    if not book.heads:
        return parts
    names = parts.drop_duplicates("school_id").set_index("school_id")["name"]
    joined = join_campuses(parts, book.heads, ("pupils", "classes"))
    is_head = joined["school_id"].isin(set(book.heads.values()))
    joined["name"] = joined["name"].where(~is_head, joined["school_id"].map(names).fillna(joined["name"]))
    joined["mean_class_pupils"] = joined["pupils"] / joined["classes"].where(joined["classes"] > 0)
    joined["school_pupils"] = joined.groupby("school_id")["pupils"].transform("sum", skipna=False)
    return joined


def _inspect(
    study: StudyArea,
    rules: Rules,
    parts: pd.DataFrame,
    book: AssetBook,
    outcome: Outcome | None,
    kind: BalanceKind,
    year: int | None,
) -> Balance:
    """Judge school parts with their assets."""
    scope, left_out = find_scope(parts, rules)
    owned = scope.merge(book.parts, on=["school_id", "stage"], how="left")
    registry = BALANCE_INDICATORS[kind]
    values = build_values(owned, registry, rules, year)
    schools = judge_schools(owned, values, rules, kind)
    spread = build_spread(values, registry, rules, kind, year)
    facts = InspectionFacts(
        study=study,
        rules=rules,
        outcome=outcome,
        year=year,
        parts=owned,
        totals=book.totals,
        schools=schools,
        spread=spread,
        indicators=values,
    )
    return Balance(
        kind=kind,
        indicators=values,
        schools=schools,
        spread=spread,
        items=build_items(facts, kind),
        left_out=left_out,
        notes=(*book.notes, *_tell_gaps(study, outcome, book, values, year)),
        year=year,
        asset_years=book.years,
        roll_years=_list_roll_years(study, year),
        assets=owned,
        totals=book.totals.reindex(sorted(set(scope["school_id"]))).rename_axis("school_id"),
        rulebook=f"{rules.name} {rules.version}",
    )


def _list_roll_years(study: StudyArea, year: int | None) -> tuple[int, ...]:
    found = {choose_year(study.rolls, stage, year) for stage in BALANCE_STAGES}
    return tuple(sorted(item for item in found if item is not None))


def _tell_forecast(study: StudyArea, outcome: Outcome | None, book: AssetBook) -> list[Message]:
    """Say that pupils are forecast and assets are not."""
    asked = outcome.scenario if outcome is not None else None
    view = study.view or (f"{asked.year} {asked.variant}" if asked is not None and asked.variant else "")
    if not view:
        return []
    year, _blank, variant = view.partition(" ")
    names = {"low": msg("low"), "middle": msg("middle"), "high": msg("high")}
    return [
        msg(
            "Pupils are those of the forecast for {year} ({variant}); what schools have is that of {assets}.",
            year=year,
            variant=names.get(variant, variant),
            assets=tuple(str(item) for item in book.years if item) or "–",
        )
    ]


def _tell_gaps(
    study: StudyArea, outcome: Outcome | None, book: AssetBook, values: pd.DataFrame, year: int | None
) -> tuple[Message, ...]:
    """Return what the reader must know of the data: nothing given, years that differ, schools without values."""
    found = _tell_forecast(study, outcome, book)
    if study.assets.empty:
        found.append(
            msg("The study has no table of assets, so no indicator is known. Add it to the study file under [assets].")
        )
    rolls = [item for item in _list_roll_years(study, year) if item]
    years = [item for item in book.years if item]
    if years and rolls and set(years) != set(rolls) and not found:
        found.append(
            msg(
                "Assets are of {assets}, rolls of {rolls}: indicators set the one against the other.",
                assets=tuple(str(item) for item in years),
                rolls=tuple(str(item) for item in rolls),
            )
        )
    if outcome is not None:
        found += [
            msg(
                "The actions change {stage}, but the scenario does not ask about it: it is left out here. Add the stage"
                " to the scenario.",
                stage=name_stage(stage),
            )
            for stage in list_unasked_stages(outcome)
        ]
    unknown = values.loc[values["value"].isna(), "school_id"].nunique()
    if unknown and not study.assets.empty:
        found.append(
            msg(
                "{count} schools lack numbers for at least one indicator. They have no value there, and no part in its"
                " coefficient of variation.",
                count=int(unknown),
            )
        )
    return tuple(found)
