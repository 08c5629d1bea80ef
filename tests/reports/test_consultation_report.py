"""The report for experts and the council: every part is there, says what was found, and tells no small count."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from geodata.messages import msg
from planning.actions import AddBusLine, CloseSchool, MergeSchools, OpenSchool, StagePlaces
from planning.procedure import Evidence, Procedure, StepRecord
from planning.publication_options import CostItem, PackOptions
from planning.rules import read_rulebook
from planning.scenario import Scenario
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.consultation_closures import list_closure_tests
from reports.consultation_report import build_report, list_report_maps
from reports.consultation_report_case import ReportCase, build_report_case, hide_small
from reports.consultation_report_closures import build_closure_tests
from reports.consultation_report_plan import list_late_steps
from reports.consultation_report_risks import list_risks
from reports.consultation_report_rules import compare_checks
from reports.document import Block, Bullets, Document, Facts, Heading, Paragraph, Picture, Table
from reports.language import read_catalogue
from reports.static_maps import name_map
from tests.reports.consultation_samples import BUS, FILLED, MERGER, build_done, build_merger, build_point, list_texts
from tests.worlds import build_five_villages

EN, ZH = read_catalogue("en"), read_catalogue("zh")
PARTS = (
    *("1. Purpose", "2. The proposal", "3. Data and their quality", "4. Method", "5. Who gains and who loses"),
    *("6. Rules", "7. Closure tests", "8. Alternatives considered", "9. How close to the best possible"),
    *("10. Risks", "11. Steps by year", "12. Costs", "13. Procedure", "14. How to compute it again"),
    *("Annex A. The other rules that were checked", "Annex B. Rules that were not checked"),
)


@lru_cache(maxsize=1)
def _case() -> ReportCase:
    return build_report_case(build_merger(), EN)


def _ask(*actions: object, **changes: object) -> Consultation:
    scenario = Scenario("option", actions=actions, **changes)  # type: ignore[arg-type]
    return build_consultation(build_five_villages(), read_rulebook("cn"), scenario, languages=("zh", "en"))


def _read(document: Document) -> str:
    return "\n".join(list_texts(document))


def _find_part(document: Document, title: str) -> list[Block]:
    """Return the blocks below a heading of level 1, up to the next."""
    found: list[Block] = []
    inside = False
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            inside = block.text == title
        elif inside:
            found.append(block)
    assert found
    return found


@lru_cache(maxsize=1)
def _report() -> Document:
    return build_report(build_merger(FILLED), {}, EN)


def test_every_part_is_there_in_order() -> None:
    document = _report()
    heads = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 1]
    assert tuple(heads) == PARTS
    assert document.title == "One school for two"
    assert document.status and document.footer and not document.pictures


def test_both_languages_have_the_same_blocks() -> None:
    chinese = build_report(build_merger(FILLED), {}, ZH)
    assert [type(block) for block in chinese.blocks] == [type(block) for block in _report().blocks]
    for one, other in zip(_report().blocks, chinese.blocks, strict=True):
        if isinstance(one, Table) and isinstance(other, Table):
            assert (len(one.rows), len(one.headings)) == (len(other.rows), len(other.headings))
    assert chinese.language == "zh"


def test_every_table_is_as_wide_as_its_headings() -> None:
    for block in _report().blocks:
        if isinstance(block, Table):
            assert {len(row) for row in block.rows} <= {len(block.headings)}
            assert not block.widths or len(block.widths) == len(block.headings)
            assert not block.widths or sum(block.widths) == pytest.approx(1.0)
            assert not block.aligns or len(block.aligns) == len(block.headings)


def test_the_summary_says_who_changes_and_what_is_missing() -> None:
    document = _report()
    # c 12, d 4, e 30 of 96 children go from East to West.
    assert "The proposal changes the school of 3 of 5 communities: 46 of 96 children (47.9%)" in _read(document)
    facts = next(block for block in document.blocks if isinstance(block, Facts))
    told = dict(facts.pairs)
    assert told["Certificate"].startswith("made by hand")
    assert told["Costs"] == "not given"
    assert "Still missing: public participation, hearing" in _read(document)


def test_totals_are_those_of_the_publication() -> None:
    totals = next(block for block in _find_part(_report(), PARTS[4]) if isinstance(block, Table))
    row = build_merger().publication.totals.iloc[0]
    assert totals.rows[0][1] == "96"
    assert totals.rows[0][2] == f"{row['moved_pupils']:.0f} (48%)"


def test_small_counts_of_a_sentence_are_not_shown() -> None:
    message = msg("{count:,} pupils of {school}", count=8, school="E")
    assert EN.say(hide_small(message, 10, EN)) == "some pupils of E"
    large = msg("{count:,} pupils", count=83)
    # By rounding, 82 leave: one more or less is the same number.
    assert EN.say(hide_small(large, 10, EN, of=82.0)) == "82 pupils"
    assert EN.say(hide_small(large, 10, EN, of=90.0)) == "some pupils"
    assert EN.say(hide_small(large, 10, EN, of=183.0)) == "83 pupils"
    assert EN.say(hide_small(large, 10, EN, everything=True)) == "some pupils"
    nested = msg("{name}: {number}", name="E", number=msg("{value:,.0f} pupils", value=4.0))
    assert EN.say(hide_small(nested, 10, EN)) == "E: some pupils"
    assert EN.say(hide_small(msg("{classes:,} classes", classes=4), 10, EN)) == "4 classes"


def test_no_small_count_of_children_stands_anywhere() -> None:
    # d has 4 children: hidden, and so is another community with it.
    for consultation in (build_merger(), build_point()):
        document = build_report(consultation, {}, EN)
        text = _read(document)
        assert not re.findall(r"(?<![\d.,<])\b[1-9] (?:pupils|children)\b", text)
        units = consultation.publication.units
        tables = [block for block in document.blocks if isinstance(block, Table)]
        rows = [row for table in tables for row in table.rows if table.headings[0] == "Community"]
        for name in units.loc[units["pupils_hidden"].astype(bool), "name"]:
            assert all(row[1] == "not shown" for row in rows if row[0].split("\n")[0] == name)


def test_rules_are_compared_with_today() -> None:
    lines = compare_checks(_case())
    states = [line.state for line in lines]
    order = ["failed", "unknown", "evidence", "passed"]
    assert states == sorted(states, key=order.index)
    found = {line.rule.id: line for line in lines}
    assert found["C1.travel"].state == "passed"
    for line in lines:
        failed_today = [row for row in line.today if row.status == "failed"]
        assert len(line.cured) + len(line.worse) + len(line.eased) <= len(failed_today)


def test_a_rule_table_cites_source_and_clause() -> None:
    tables = [block for block in _find_part(_report(), PARTS[5]) if isinstance(block, Table)]
    rows = {row[0].split(" ")[0]: row for row in tables[0].rows}
    assert "国办发" in rows["C1.travel"][0]
    assert rows["C1.travel"][1] == "forbids"
    assert rows["C1.travel"][2] == "nothing to judge"
    rules = {line.rule.id for line in compare_checks(_case())}
    told = {
        row[0].split(" ")[0]
        for part in (PARTS[5], PARTS[14])
        for block in _find_part(_report(), part)
        if isinstance(block, Table) and block.headings[0] == "Rule, source and clause"
        for row in block.rows
    }
    assert told == rules


def test_what_was_not_checked_says_why() -> None:
    table = next(block for block in _find_part(_report(), PARTS[15]) if isinstance(block, Table))
    assert sum(int(row[1]) for row in table.rows) == len(build_merger().not_checked)


def test_closure_tests_agree_with_the_notice() -> None:
    for consultation in (build_merger(), build_point()):
        mine = build_closure_tests(build_report_case(consultation, EN), EN)
        told = {(item.answer.school_id, test.rule.id): test.status for item in mine for test in item.tests}
        other = {(test.school_id, test.rule.id): test.status for test in list_closure_tests(consultation, EN)}
        assert told == other


def test_closure_counts_are_those_of_the_publication() -> None:
    tested = build_closure_tests(_case(), EN)
    flows = build_merger().publication.flows
    assert len(tested) == 1
    assert tested[0].leavers == flows["pupils"].sum()
    assert tested[0].goes == "West School: 46"
    assert {test.status for test in tested[0].tests if test.rule.key == "closure_blockers"} == {"evidence"}


def test_a_hearing_that_was_held_is_named() -> None:
    proof = Evidence(Path("minutes.pdf"), "minutes.pdf", "0" * 64, 10)
    record = StepRecord("hearing", datetime.date(2026, 2, 1), "12 of 15 agreed", (proof,))
    consultation = build_merger(procedure=Procedure("closure", (record,)))
    text = _read(build_report(consultation, {}, EN))
    assert "Held on 1 Feb 2026; see minutes.pdf. 12 of 15 agreed" in text


def test_a_done_procedure_is_no_draft() -> None:
    document = build_report(build_merger(procedure=build_done("closure")), {}, EN)
    assert document.status == ""
    assert "Still missing" not in _read(document)
    table = next(block for block in _find_part(document, PARTS[12]) if isinstance(block, Table))
    assert {row[2] for row in table.rows} == {"✓ 1 Feb 2026"}


def test_a_plan_made_by_hand_has_no_certificate_and_says_so() -> None:
    assert "made by hand, and there is no certificate" in _read(_report())


def test_a_certificate_is_told_and_what_it_does_not_prove() -> None:
    document = build_report(_ask(BUS, MergeSchools(school_ids=("E",), into=("W",)), enrolment="capacity"), {}, EN)
    if "no certificate" in _read(document):
        pytest.fail("a plan within the places carries its certificate")
    told = " ".join(block.text for block in _find_part(document, PARTS[8]) if isinstance(block, Paragraph))
    assert "proven" in told
    assert "decided by hand (1 steps)" in told


def test_rezoning_without_closures_has_no_closure_tests() -> None:
    document = build_report(_ask(), {}, EN)
    heads = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 1]
    assert "7. Alternatives considered" in heads
    assert not any("Closure" in head for head in heads)


def test_what_replaces_a_school_must_not_come_later() -> None:
    late = AddBusLine(school_id="W", unit_ids=("e",), seats=40.0, year=2029)
    early = replace(late, year=2026)
    case = build_report_case(_ask(MERGER, late), EN)
    found = list_late_steps(case, EN)
    assert [(item.closure_year, item.need_year) for item in found] == [(2027, 2029)]
    risks = list_risks(case, compare_checks(case), build_closure_tests(case, EN), EN)
    assert "A school closes before what replaces it is there" in {risk.title for risk in risks if risk.grade == 0}
    assert not list_late_steps(build_report_case(_ask(MERGER, early), EN), EN)
    opened = OpenSchool(school_id="N", name="New", unit_id="e", stages=(StagePlaces("primary", 90.0),), year=2029)
    closes = CloseSchool(school_id="E", year=2027)
    assert len(list_late_steps(build_report_case(_ask(closes, opened), EN), EN)) == 1


def test_costs_are_added_up_and_their_absence_is_told() -> None:
    costs = (
        CostItem("bus", 2027, 350_000.0, price_year=2025, source="quotation"),
        CostItem("wing", 2026, 1_234_567.0, price_year=2025),
    )
    document = build_report(build_merger(PackOptions(costs=costs)), {}, EN)
    table = next(block for block in _find_part(document, PARTS[11]) if isinstance(block, Table))
    assert [row[1:3] for row in table.rows] == [("wing", "1,234,567 yuan"), ("bus", "350,000 yuan")]
    assert table.note == "In all: 1,584,567 yuan (prices of 2025)"
    without = _find_part(_report(), PARTS[11])
    assert any(isinstance(block, Paragraph) and "No costs were given" in block.text for block in without)
    assert any(isinstance(block, Bullets) and "school bus" in block.items[0] for block in without)


def test_maps_are_shown_where_they_were_drawn() -> None:
    consultation = build_merger()
    keys = list_report_maps(consultation)
    assert [key.stage for key in keys] == ["primary"]
    pictures = {name_map(keys[0]): b"png", "other": b"png"}
    document = build_report(consultation, pictures, EN)
    assert set(document.pictures) == {name_map(keys[0])}
    assert sum(isinstance(block, Picture) for block in document.blocks) == 1


def test_alternatives_stand_side_by_side() -> None:
    scenario = Scenario("merger", actions=(MERGER, BUS))
    other = Scenario("nothing", actions=(BUS,))
    consultation = build_consultation(
        build_five_villages(), read_rulebook("cn"), scenario, alternatives=[other], languages=("en",)
    )
    document = build_report(consultation, {}, EN)
    table = next(block for block in _find_part(document, PARTS[7]) if isinstance(block, Table))
    assert table.headings == ("Measure", "Today", "Proposal", "nothing")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Number of schools"] == ("2", "1", "2")


def test_equal_input_makes_an_equal_report() -> None:
    assert build_report(build_merger(FILLED), {}, EN).blocks == _report().blocks
