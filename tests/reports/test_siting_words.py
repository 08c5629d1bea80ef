"""Words, tables, chart and map of proposals, on a street with two hand-made plans."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pandas as pd
import pytest

from planning.flag_case import iterate_rows
from planning.rules import read_rulebook
from planning.run import run_scenario
from planning.scenario import Scenario
from reports.language import Translator, read_catalogue
from reports.scenario_points import Look
from reports.siting_charts import SELECTED, build_front_chart
from reports.siting_scene import (
    SITE_COLUMNS,
    SitingPicture,
    build_after,
    build_siting_parts,
    build_siting_picture,
    build_siting_scene,
    select_decisions,
)
from reports.siting_tables import (
    build_decision_table,
    build_parts_table,
    build_period_table,
    build_plan_table,
    build_school_table,
    build_siting_files,
    collect_site_names,
    render_siting_workbook,
)
from reports.siting_words import find_mean_min, say_decision, say_gap, say_money, say_plan, tell_proof
from tests.reports.siting_samples import (
    HOSTILE,
    build_answer,
    build_best,
    build_county,
    build_plan,
    build_refusal,
)

EN, ZH = read_catalogue("en"), read_catalogue("zh")


def test_a_plan_is_one_sentence_with_its_proof() -> None:
    answer = build_answer()
    assert say_plan(answer, answer.plans[1], EN) == (
        "Plan 2: close 1, open 1; children walk 10 minutes on average (today 12); 6.3 million yuan to build; "
        "proven within 0.42% of the best possible"
    )
    assert say_plan(answer, answer.plans[0], EN).endswith("21 million yuan to build; proven to be the best possible")
    told = say_plan(answer, answer.plans[1], ZH)
    assert "630" in told
    assert "万元" in told


def test_the_gap_is_never_rounded_down() -> None:
    proof = build_plan().certificate
    assert proof.gap_share == pytest.approx(0.00415973)
    assert "0.42%" in say_gap(proof, EN)
    told = tell_proof(build_answer(), build_plan(), EN)
    assert "No plan that keeps these rules can be better than 5.985 million yuan." in told
    assert "No plan that keeps these rules can be better: proven." in tell_proof(build_answer(), build_best(), EN)


@pytest.mark.parametrize(
    ("cny", "english", "chinese"),
    [
        (38e6, "38 million yuan", "3,800万元"),
        (250e6, "250 million yuan", "2.5亿元"),
        (62_000.0, "62,000 yuan", "6.2万元"),
        (float("nan"), "–", "–"),
    ],
)
def test_money_is_said_as_people_say_it(cny: float, english: str, chinese: str) -> None:
    assert say_money(cny, EN) == english
    assert say_money(cny, ZH).replace(" ", "") == chinese


def test_decisions_are_sentences_with_year_receivers_and_sizes() -> None:
    names = collect_site_names(build_county(), build_answer())
    told = [say_decision(row, names, EN) for row in iterate_rows(build_plan().decisions)]
    assert told[0] == f"2027/28: Middle closes: its 20 pupils go to {HOSTILE}, =Field."
    assert told[1] == "2027/28: =Field opens with 6 classes, 30 places for 30 pupils: 6.3 million yuan."
    grown = next(say_decision(row, names, EN) for row in iterate_rows(build_best().decisions))
    assert "expands from 2 classes, 60 places to 14 classes, 600 places: 21 million yuan." in grown


@pytest.mark.parametrize("say", [EN, ZH], ids=["en", "zh"])
def test_tables_have_a_row_for_everything(say: Translator) -> None:
    answer = build_answer()
    names = collect_site_names(build_county(), answer)
    assert build_plan_table(answer, say).index.tolist() == ["plan 1", "plan 2"]
    assert build_decision_table(answer.plans[1], names, say).index.tolist() == ["C", "s1"]
    assert len(build_period_table(answer, answer.plans[1], say)) == 2
    assert build_school_table(answer.plans[1], None, names, say).index.tolist() == ["s1", "A"]
    parts = build_parts_table(answer, say)
    assert parts.iloc[:, 1].tolist()[:2] == ([3.0, 0.4] if say is EN else [300.0, 40.0]), "万元 in Chinese"
    assert np.isnan(parts.iloc[:, 1].to_numpy(dtype=float)[3]), (
        "what the other plan alone pays for is unknown, not zero"
    )
    assert find_mean_min(answer.before) == 12.0


def test_the_workbook_holds_all_plans_and_runs_nothing() -> None:
    answer = build_answer()
    files = build_siting_files(answer, collect_site_names(build_county(), answer), EN)
    stream = io.BytesIO(render_siting_workbook(files))
    book = pd.read_excel(stream, sheet_name=None, header=None, engine="calamine")
    assert list(book) == ["Plans", "Decisions", "By year", "Schools", "Who goes where", "Proof", "Notes"]
    values = book["Decisions"].to_numpy().tolist()
    assert len(values) == 4
    flat = [value for row in values for value in row]
    assert "'=Field" in flat
    assert not any(isinstance(value, str) and value.startswith("=") for value in flat)
    empty = build_siting_files(build_refusal(), {}, ZH)
    assert render_siting_workbook(empty)


def test_the_chart_has_a_point_per_plan_that_can_be_clicked() -> None:
    spec = build_front_chart(build_answer(), "plan 2", EN)
    rows = spec["data"]["values"]
    assert [(row["plan"], row["minutes"], row["chosen"]) for row in rows] == [
        ("plan 1", 13.5, False),
        ("plan 2", 10.0, True),
    ]
    assert SELECTED in [param["name"] for layer in spec["layer"] for param in layer.get("params", [])]
    json.dumps(spec, allow_nan=False)


def test_the_map_shows_decisions_moves_and_sites() -> None:
    study = build_county()
    today = run_scenario(study, read_rulebook("cn"), Scenario())
    sites = pd.DataFrame(
        [
            ("s1", "=Field", *study.sites.iloc[0][["x_m", "y_m"]], False, ("Candidate",)),
            ("x", "Bog", 0.0, 0.0, True, ("Flood",)),
        ],
        columns=list(SITE_COLUMNS),
    )
    picture = SitingPicture(today, "primary", sites, build_plan(), 2027)
    now = build_after(study, picture)
    assert now.school_after.tolist() == ["A", "A", "s1", "s1"]
    assert now.min_after.tolist() == [0.0, 20.0, 10.0, 0.0]
    few = build_plan().enrolment
    few = few[few["unit_id"].isin(["a", "d"])]
    thin = SitingPicture(today, "primary", sites, dataclasses.replace(build_plan(), enrolment=few), 2027)
    told = build_after(study, thin)
    assert told.school_after.tolist() == ["A", "A", "A", "s1"], "nobody lives there: today's school, or who takes over"
    assert told.min_after[1] == 10.0
    drawn = build_siting_picture(study, picture)
    kinds = dict(zip(drawn.points["point_id"], drawn.points["what"], strict=True))
    assert kinds == {"A": "", "C": "closed", "s1": "opened", "site:x": "site"}
    assert drawn.moved.tolist() == [2, 3]
    pairs = np.array([[0, 1], [2, 3]])
    parts = build_siting_parts(study, picture, drawn, Look(), EN, pairs=pairs)
    shown = {item["at"]: item for item in parts["paint"].build()["shown"]}
    assert shown[3]["lines"] == ["Flood"]
    assert shown[3]["mark"] == "closed"
    scene = build_siting_scene(study, picture, drawn, Look(), EN)
    labels = [item["label"] for section in scene["legend"] for item in section["items"]]
    assert "site excluded by a rule" in labels
    assert select_decisions(build_plan(), 2026).empty
    bare = build_siting_picture(study, SitingPicture(today, "primary", sites.head(0)))
    assert bare.points["point_id"].tolist() == ["A", "C"]
    before = build_siting_picture(study, SitingPicture(today, "primary", sites))
    assert len(before.moved) == 0
    assert "site:s1" in before.points["point_id"].tolist()


def test_a_headline_says_what_other_zones_alone_would_do():
    answer = build_answer()
    same = dataclasses.replace(answer, kept=answer.before)
    kept = dataclasses.replace(answer, kept=answer.before.assign(mean_travel_min=11.2))
    assert "other zones alone" not in say_plan(same, same.plans[0], EN)
    assert "with today's schools and other zones alone 11.2" in say_plan(kept, kept.plans[0], EN)
