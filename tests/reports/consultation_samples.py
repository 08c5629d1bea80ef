"""Small consultations for the tests of documents: five villages, one school merged, small numbers among them."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from planning.actions import AddBusLine, MakeTeachingPoint, MergeSchools
from planning.procedure import STEPS, Evidence, Kind, Procedure, StepRecord
from planning.publication_options import PackOptions
from planning.rules import read_rulebook
from planning.scenario import Scenario
from reports.consultation_build import build_consultation
from reports.consultation_case import Consultation
from reports.document import Blank, Block, Box, Bullets, Document, Facts, Heading, Paragraph, Picture, Table
from tests.worlds import build_five_villages

FILLED = PackOptions(
    title="One school for two",
    purpose="Fewer children.",
    issuer="Example bureau",
    office="Example office",
    phone="000",
    email="office@example.org",
    address="Example street",
    opens=datetime.date(2026, 3, 1),
    closes=datetime.date(2026, 3, 30),
    map_number="S-1",
)
MERGER = MergeSchools(school_ids=("E",), into=("W",), year=2027, comment="two schools are too many")
BUS = AddBusLine(school_id="W", unit_ids=("e",), seats=40.0, time_factor=1.0, wait_min=0.0)


def build_merger(options: PackOptions | None = None, procedure: Procedure | None = None) -> Consultation:
    """Return the consultation on closing E in favour of W; answered once, whatever is published beside it.

    ::

        a/W  b  c  d  e/E        pupils 30 20 12 4 30

    Today c (12) is as far from both schools and goes to E, as d (4) and e (30) do; all three move to W. c walks 20
    minutes as today, d 30 instead of 10; e takes the bus: 8 minutes by car instead of 0 on foot.
    """
    built = _answer_merger()
    return replace(built, options=options or built.options, procedure=procedure or built.procedure)


@lru_cache(maxsize=1)
def _answer_merger() -> Consultation:
    return answer_merger()


def answer_merger(options: PackOptions | None = None, **world: Any) -> Consultation:
    """Return the same with other options or another world, answered anew."""
    study = build_five_villages(**{"pupils": {"a": 30, "b": 20, "c": 12, "d": 4, "e": 30}, **world})
    scenario = Scenario("merger", actions=(MERGER, BUS))
    rules = read_rulebook("cn")
    return build_consultation(study, rules, scenario, options=options or PackOptions(), languages=("zh", "en"))


@lru_cache(maxsize=1)
def build_point() -> Consultation:
    """Return the consultation on E keeping grades 1 to 3 only: the upper grades of c, d, e go to W."""
    scenario = Scenario("point", actions=(MakeTeachingPoint(school_id="E", year=2027),))
    return build_consultation(build_five_villages(), read_rulebook("cn"), scenario, languages=("zh", "en"))


def build_done(kind: Kind) -> Procedure:
    """Return a procedure of which every step is done."""
    proof = Evidence(Path("proof.pdf"), "proof.pdf", "0" * 64, 10)
    steps = [step for step in STEPS.values() if kind in step.kinds]
    return Procedure(kind, tuple(StepRecord(step.step_id, datetime.date(2026, 2, 1), "", (proof,)) for step in steps))


def list_texts(document: Document) -> list[str]:
    """Return every text of a document in reading order."""
    found = [document.title, document.subtitle, document.status, document.footer]
    for block in document.blocks:
        found += _list_texts(block)
    return [text for text in found if text]


def _list_texts(block: Block) -> list[str]:
    if isinstance(block, Heading | Paragraph):
        return [block.text]
    if isinstance(block, Bullets):
        return list(block.items)
    if isinstance(block, Table):
        return [block.caption, *block.headings, *(cell for row in block.rows for cell in row), block.note]
    if isinstance(block, Facts):
        return [text for pair in block.pairs for text in pair]
    if isinstance(block, Picture):
        return [block.caption, block.alt]
    if isinstance(block, Box):
        return [block.title, *block.lines]
    return [block.label] if isinstance(block, Blank) else []
