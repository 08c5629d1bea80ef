"""A proposal made ready to be published: answered, compared, judged, its counts rounded and hidden."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geodata.errors import ScenarioError
from geodata.messages import Message, msg
from geodata.study import Progress, StudyArea, compute_digest, no_progress
from planning.balance import build_balance
from planning.balance_tables import Balance
from planning.compare import MOST_OPTIONS, compare_outcomes
from planning.enrolment import Limits
from planning.procedure import Procedure, find_kind
from planning.publication_build import build_publication
from planning.publication_options import PackOptions
from planning.rule_checks import PROPOSED, RULE_CHECKS, check_rules, list_not_checked
from planning.rules import Rules
from planning.run import RESULTS_VERSION, Outcome, run_scenario
from planning.scenario import Scenario
from reports.consultation_case import Consultation
from reports.language import Language, read_catalogue

if TYPE_CHECKING:
    from planning.forecast import Forecast

PACK_ID_LENGTH = 12


def build_consultation(
    study: StudyArea,
    rules: Rules,
    scenario: Scenario,
    *,
    baseline: Scenario | None = None,
    alternatives: Sequence[Scenario] = (),
    options: PackOptions = PackOptions(),  # noqa: B008
    procedure: Procedure | None = None,
    languages: Sequence[Language] = ("zh",),
    progress: Progress = no_progress,
    forecast: Forecast | None = None,
    limits: Limits | None = None,
) -> Consultation:
    """Return everything that the documents of one pack are written from.

    Parameters
    ----------
    study, rules, scenario
        What is, what is allowed, what is proposed.
    baseline
        What the proposal is compared with; None: today (:func:`build_today`).
    alternatives
        Further options that were considered, at most two.
    options, procedure
        What is published beside the plan; without a procedure its kind follows the actions and nothing is done yet.
    forecast
        Of the study with ``scenario.forecast``, where it is known already.
    limits
        Search effort, the same for all.

    Raises
    ------
    InfeasibleError
        The proposal or its baseline has no plan.
    ScenarioError
        The scenarios do not ask about the same stages, way of travel, year and variant, or are too many.
    """
    plain = baseline or build_today(study, scenario, languages[0] if languages else "zh")
    _require_alike(scenario, plain, alternatives)
    asking = _Asking(study, rules, limits, forecast, progress, 1.0 / (len(alternatives) + 3))
    proposal = asking.answer(scenario, msg("Working out the proposal"))
    proposal.require_plan()
    first = asking.answer(plain, msg("What it is compared with"), known=proposal.before)
    first.require_plan()
    others = tuple(asking.answer(item, msg("Alternatives")) for item in alternatives)
    progress(msg("Rules and counts"), asking.done)
    named = [item.name for item in (plain, scenario, *alternatives)]
    comparison = compare_outcomes([first, proposal, *others], named)
    balance = _inspect(study, rules, proposal)
    checks = check_rules(study, rules, proposal, balance=balance)
    consultation = Consultation(
        study=study,
        rules=rules,
        baseline=first,
        proposal=proposal,
        comparison=comparison,
        publication=build_publication(first, proposal, comparison, options),
        checks=checks,
        not_checked=list_not_checked(rules, proposal, checks, balanced=balance is not None),
        options=options,
        procedure=procedure or Procedure(find_kind(scenario.all_actions)),
        pack_id=compute_pack_id(study, rules, (first, proposal, *others), options),
        alternatives=others,
        languages=tuple(languages),
    )
    progress(msg("Done"), 1.0)
    return consultation


def build_today(study: StudyArea, scenario: Scenario, language: Language = "zh") -> Scenario:
    """Return the question that a proposal is compared with by default: the same without its actions.

    A proposal that says itself who goes where (``planning.rule_checks.PROPOSED``) is compared with today's zones where
    the study has them for all its stages. Else, where it has actions, with the same model without them, so that what
    differs is what they do; without actions with the nearest school.
    """
    plain = replace(scenario, name=read_catalogue(language)("Today"), actions=(), inherited=(), parent=None)
    if scenario.enrolment not in PROPOSED:
        return plain
    zoned = set(study.zones["stage"].astype(str))
    if set(scenario.stages) <= zoned:
        return replace(plain, enrolment="zones")
    return plain if scenario.all_actions else replace(plain, enrolment="nearest")


def compute_pack_id(study: StudyArea, rules: Rules, outcomes: Sequence[Outcome], options: PackOptions) -> str:
    """Return the twelve letters and digits that name a pack: equal input, equal name."""
    asked = [json.dumps(outcome.record.as_dict()["scenario"], sort_keys=True, default=str) for outcome in outcomes]
    views = [json.dumps(outcome.record.as_dict()["forecast"], sort_keys=True) for outcome in outcomes]
    digest = compute_digest(study.fingerprint, rules.fingerprint, *asked, *views, repr(options), RESULTS_VERSION)
    return digest[:PACK_ID_LENGTH]


def _require_alike(scenario: Scenario, plain: Scenario, alternatives: Sequence[Scenario]) -> None:
    """Refuse scenarios that cannot be told side by side."""
    problems: list[Message] = []
    if len(alternatives) > MOST_OPTIONS - 2:
        problems.append(msg("At most {count} alternatives can be shown.", count=MOST_OPTIONS - 2))
    for other in (plain, *alternatives):
        for name, same in (
            (msg("stages"), set(other.stages) == set(scenario.stages)),
            (msg("the way of travel"), other.mode == scenario.mode),
            (msg("the year"), other.year == scenario.year),
            (msg("the variant of the forecast"), other.variant == scenario.variant),
        ):
            if not same:
                problems.append(
                    msg(
                        "“{other}” and “{name}” ask about different things: {what}. Make them alike.",
                        other=other.name,
                        name=scenario.name,
                        what=name,
                    )
                )
    if problems:
        raise ScenarioError(problems)


def _inspect(study: StudyArea, rules: Rules, outcome: Outcome) -> Balance | None:
    """Return the balance of the answer where the rulebook has rules of the inspection; else None."""
    asked = any(
        rule.enabled and rule.key in RULE_CHECKS and RULE_CHECKS[rule.key].needs_balance for rule in rules.rules
    )
    return build_balance(study, rules, outcome=outcome) if asked else None


@dataclass(eq=False)
class _Asking:
    """Scenarios answered one after the other, each its part of the progress."""

    study: StudyArea
    rules: Rules
    limits: Limits | None
    forecast: Forecast | None
    progress: Progress
    width: float
    done: float = 0.0

    def answer(self, scenario: Scenario, what: Message, known: Outcome | None = None) -> Outcome:
        """Return the answer; ``known``: one that may be the same question under another name."""
        start = self.done
        self.done += self.width

        def tell(step: Message, share: float) -> None:
            self.progress(msg("{what}: {step}", what=what, step=step), start + self.width * share)

        if known is not None and replace(known.scenario, name=scenario.name, parent=scenario.parent) == scenario:
            return replace(known, scenario=scenario)
        return run_scenario(self.study, self.rules, scenario, limits=self.limits, progress=tell, forecast=self.forecast)
