"""What an inspection item may look at, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import pandas as pd

from geodata.messages import Message
from geodata.study import StudyArea
from planning.balance_tables import NO, UNKNOWN, YES, BalanceKind
from planning.rules import Rules
from planning.run import Outcome

ItemGroup = Literal["resources", "precondition", "guarantee", "quality", "recognition", "veto", "government"]
Basis = Literal["data", "reported", "evidence"]


@dataclass(frozen=True, eq=False)
class InspectionFacts:
    """A county as the items see it.

    ``parts``: school parts in scope with assets (``PART_COLUMNS``, ``ASSET_COLUMNS``); ``totals``: assets of whole
    schools by id; ``indicators``, ``schools``, ``spread``: tables of ``planning.balance_tables``.
    """

    study: StudyArea
    rules: Rules
    outcome: Outcome | None
    year: int | None
    parts: pd.DataFrame
    totals: pd.DataFrame
    indicators: pd.DataFrame
    schools: pd.DataFrame
    spread: pd.DataFrame

    @cached_property
    def whole_schools(self) -> pd.DataFrame:
        """The schools in scope, whole: pupils and classes of their compulsory stages, and their assets; by id.

        ``school_pupils``: of all stages, also of parts that are out of scope; NaN where one is not known.
        """
        grouped = self.parts.groupby("school_id", sort=True)
        about = grouped[["name", "kind", "setting", "town", "ownership", "school_pupils"]].first()
        sums = grouped[["pupils", "classes"]].sum(skipna=False)
        stages = grouped["stage"].agg(";".join).rename("stages")
        return about.join(sums).join(stages).join(self.totals.reindex(about.index))

    @property
    def pupils_moved(self) -> bool:
        """Whether pupils are not those of today: after actions, or of a forecast.

        What was counted of today's pupils (by class, address or origin) says nothing then.
        """
        asked = self.outcome
        return bool(self.study.view) or (
            asked is not None and (asked.before is not None or bool(asked.scenario.variant))
        )


@dataclass(frozen=True)
class Finding:
    """What data say about one item (and stage).

    ``value`` in the unit of the item; ``limit`` and ``op`` where they differ from those of the rule. ``missing``:
    table.column names. ``hint``: what data show where they do not decide it.
    """

    met: str = UNKNOWN
    value: float = float("nan")
    stage: str = ""
    missing: tuple[str, ...] = ()
    note: Message | None = None
    limit: float | None = None


@dataclass(frozen=True)
class InspectionItem:
    """One entry of the registry.

    Parameters
    ----------
    id
        That of its rule, and of its row in ``study.evidence``.
    key
        Key of the rule that holds its limit; empty: no number.
    param
        Name of the number in the rule's parameters, where the rule holds several.
    show
        What to show for it.
    compute
        Answers it from data; None: data cannot.
    decides
        Whether ``compute`` may decide it; else it only tells what is known.
    trap
        What goes wrong with it.
    """

    id: str
    kind: BalanceKind
    group: ItemGroup
    name: Message
    show: Message
    key: str = ""
    param: str = ""
    op: str = ""
    unit: str = ""
    stages: tuple[str, ...] = ("",)
    compute: Callable[[InspectionFacts], list[Finding]] | None = None
    trap: Message | None = None
    formula: Message | None = None
    decides: bool = True


@dataclass(frozen=True)
class Tally:
    """Verdicts of single schools, gathered."""

    met: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "met", MappingProxyType(dict(self.met)))

    @property
    def verdict(self) -> str:
        """``no`` as soon as one school fails, ``yes`` only when all are known to pass; unknown without schools."""
        words = set(self.met.values())
        if NO in words:
            return NO
        return YES if words == {YES} else UNKNOWN

    @property
    def share(self) -> float:
        """Share of schools that pass; NaN unless all are known."""
        words = list(self.met.values())
        if not words or UNKNOWN in words:
            return float("nan")
        return words.count(YES) / len(words)

    def list_failing(self) -> tuple[str, ...]:
        """Return the ids of schools that fail."""
        return tuple(key for key, word in self.met.items() if word == NO)
