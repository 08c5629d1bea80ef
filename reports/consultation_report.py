"""The report on a proposal for an expert panel and the council: a summary page, then every part that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import pandas as pd

from planning.scenario import name_stage
from reports.consultation_case import Consultation
from reports.consultation_report_case import ReportCase, build_report_case
from reports.consultation_report_closures import build_closure_tests, build_closures_part
from reports.consultation_report_effects import build_effects_part
from reports.consultation_report_method import build_again_part, build_data_part, build_method_part
from reports.consultation_report_options import build_options_part, build_proof_part
from reports.consultation_report_plan import (
    build_actions_part,
    build_cost_part,
    build_procedure_part,
    build_purpose_part,
    build_stages_part,
)
from reports.consultation_report_risks import build_risks_part, list_risks
from reports.consultation_report_rules import build_rule_annexes, build_rules_part, compare_checks
from reports.consultation_report_summary import build_summary
from reports.consultation_schools import say_map_caption
from reports.consultation_words import say_footer, say_part, say_proposal, say_status
from reports.document import Block, Document, Heading, PageBreak, Picture
from reports.language import Translator
from reports.static_maps import MapKey, name_map

Part = tuple[str, Callable[[], Iterable[Block]]]


def list_report_maps(consultation: Consultation) -> tuple[MapKey, ...]:
    """Return the maps that the report shows: for each stage the whole county, today and proposed."""
    return tuple(MapKey(stage, "", "both") for stage in consultation.publication.stages)


def build_report(
    consultation: Consultation, pictures: Mapping[str, bytes], _: Translator, *, today: pd.DataFrame | None = None
) -> Document:
    """Return the report for experts and the council.

    Parameters
    ----------
    consultation
        All counts of children come from its publication.
    pictures
        PNG by ``name_map`` of :func:`list_report_maps`; a map that is not there is left out.
    _
        The reader's language.
    today
        Checks of the baseline (``check_today``), the same in every language; made here where not given.

    Returns
    -------
    Document
        A summary page, numbered parts, and two annexes: the other rules, and what was not checked.
    """
    case = build_report_case(consultation, _, today=today)
    lines = compare_checks(case)
    tested = build_closure_tests(case, _)
    risks = list_risks(case, lines, tested, _)
    parts: list[Part] = [
        (_("Purpose"), lambda: build_purpose_part(case, _)),
        (_("The proposal"), lambda: (*build_actions_part(case, _), *_show_maps(case, pictures, _))),
        (_("Data and their quality"), lambda: build_data_part(case, _)),
        (_("Method"), lambda: build_method_part(case, _)),
        (_("Who gains and who loses"), lambda: build_effects_part(case, _)),
        (_("Rules"), lambda: build_rules_part(case, lines, _)),
        (_("Alternatives considered"), lambda: build_options_part(case, _)),
        (_("How close to the best possible"), lambda: build_proof_part(case, _)),
        (_("Risks"), lambda: build_risks_part(risks, _)),
        (_("Steps by year"), lambda: build_stages_part(case, _)),
        (_("Costs"), lambda: build_cost_part(case, _)),
        (_("Procedure"), lambda: build_procedure_part(case, _)),
        (_("How to compute it again"), lambda: build_again_part(case, _)),
    ]
    if tested or consultation.procedure.kind == "closure":
        parts.insert(6, (_("Closure tests"), lambda: build_closures_part(case, tested, _)))
    blocks = [*build_summary(case, lines, tested, risks, _), PageBreak(), *_number(parts, _)]
    used = {block.key for block in blocks if isinstance(block, Picture)}
    return Document(
        title=consultation.title,
        language=_.language,
        blocks=(*blocks, *build_rule_annexes(case, lines, _)),
        subtitle=_("{proposal}: report for experts and the council", proposal=say_proposal(consultation.procedure, _)),
        status=say_status(consultation.procedure, _),
        footer=say_footer(consultation, _),
        author=consultation.options.issuer,
        pictures={key: pictures[key] for key in sorted(used)},
    )


def _number(parts: list[Part], _: Translator) -> Iterator[Block]:
    for number, (title, build) in enumerate(parts, start=1):
        yield Heading(say_part(number, title, _))
        yield from build()


def _show_maps(case: ReportCase, pictures: Mapping[str, bytes], _: Translator) -> Iterator[Block]:
    for key in list_report_maps(case.consultation):
        name = name_map(key)
        if name in pictures:
            totals = case.consultation.publication.totals
            changed = int(totals.loc[totals["stage"] == key.stage, "changed_units"].sum())
            title = _(
                "Catchments, {stage}: lines, the proposal; dashed, today; hatched, the {changed} communities that"
                " change school. ○ school, ■ school that changes, ▲ new school, × school that closes",
                stage=_.say(name_stage(key.stage)),
                changed=_.number(changed),
            )
            caption = say_map_caption(case.consultation, title, _)
            yield Picture(name, title, caption=caption, width_share=0.82)
