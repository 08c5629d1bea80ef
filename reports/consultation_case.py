"""Everything that the documents of one consultation pack are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from geodata.study import StudyArea
from planning.actions import Action
from planning.compare import Comparison
from planning.procedure import Procedure
from planning.publication import Publication
from planning.publication_options import PackOptions
from planning.rules import Rules
from reports.language import Language

if TYPE_CHECKING:
    from planning.run import Outcome


@dataclass(frozen=True, eq=False)
class Consultation:
    """A proposal, what it is compared with, and what may be shown of it.

    Parameters
    ----------
    study, rules
        What is, and what is allowed. Documents read names and outlines here; **counts only in** ``publication``.
    baseline, proposal, alternatives
        The answers; the baseline is of the same stages, way of travel and year as the proposal.
    comparison
        Of the baseline, the proposal and the alternatives, in that order.
    publication
        Rounded and hidden where small: every count that a document shows.
    checks
        ``planning.rule_checks.check_rules`` of the proposal; ``not_checked``: rules without a row, with the reason.
    options, procedure
        Who publishes and until when; the steps of the law with dates and evidence.
    pack_id
        Twelve letters and digits that name this pack in every document and in every comment on it: a digest of the
        data, the rules, both scenarios, the options and the version of results.
    """

    study: StudyArea
    rules: Rules
    baseline: Outcome
    proposal: Outcome
    comparison: Comparison
    publication: Publication
    checks: pd.DataFrame = field(repr=False)
    not_checked: pd.DataFrame = field(repr=False)
    options: PackOptions
    procedure: Procedure
    pack_id: str
    alternatives: tuple[Outcome, ...] = ()
    languages: tuple[Language, ...] = ("zh",)

    @property
    def title(self) -> str:
        """Title of the proposal."""
        return self.options.title or self.proposal.scenario.name


def list_printed_texts(actions: Sequence[Action], procedure: Procedure) -> list[str]:
    """Return what planners wrote beside the actions and the steps: it is printed too, and searched for persons."""
    notes = [text for record in procedure.records for text in (record.note, *(item.name for item in record.evidence))]
    return [text for text in (*(action.comment for action in actions), *notes) if text]


@dataclass(frozen=True)
class PackFile:
    """One file of a pack. ``path`` is relative to its folder, ``language`` empty where it has none, or all."""

    path: str
    role: str
    language: str
    size_bytes: int
    sha256: str
