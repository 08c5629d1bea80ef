"""The inspection on real cases, which hold no assets: everything is unknown, and says why."""

from pathlib import Path

import pytest

from geodata.build import read_study
from planning.balance import build_balance, compare_balance, list_shortages
from planning.groups import build_groups, compute_coverage, propose_pairs
from planning.rules import design_class_size, read_rulebook
from reports.inspection_workbook import build_inspection_workbook
from reports.language import read_catalogue

STUDIES = Path(__file__).resolve().parent.parent.parent / "examples" / "studies"
CN = read_rulebook("cn")


@pytest.mark.real
def test_gongyi_has_no_assets_so_nothing_is_known(cases: Path) -> None:
    study = read_study(STUDIES / "gongyi.toml", design_class_size=design_class_size(CN))
    for kind in ("quality", "basic"):
        found = build_balance(study, CN, kind=kind)
        assert set(found.indicators["met"]) <= {"unknown"}
        assert set(found.schools["status"]) <= {"unknown"}
        assert found.spread["cv"].isna().all() and not found.spread["flips"].any()
        assert found.indicators["missing"].str.startswith("assets.").all()
        assert any("no table of assets" in str(note) for note in found.notes)
        assert list_shortages(found).empty and compare_balance(found).empty
        assert build_inspection_workbook(found, study, CN, read_catalogue("zh"))
    found = build_balance(study, CN)
    junior = found.schools[found.schools["stage"] == "junior"]
    reasons = [str(reason) for reason in found.left_out["reason"]]
    assert len(junior) + sum(found.left_out["stage"] == "junior") == 22 and all(reasons)
    assert build_groups(study, CN, found).empty
    assert compute_coverage(study, found)["school_share"].eq(0).all()
    assert propose_pairs(study, found, mode=next(iter(study.travel))).empty


@pytest.mark.slow
def test_the_demo_county_is_judged_item_by_item() -> None:
    study = read_study(STUDIES / "demo.toml", design_class_size=design_class_size(CN))
    found = build_balance(study, CN)
    assert len(found.schools) > 100 and set(found.schools["status"]) >= {"passed", "failed"}
    assert found.spread["flips"].any()  # where a planner is led astray by unweighted coefficients
    assert (found.left_out["pupils"] < 50).all()
    items = found.items.set_index(["item_id", "stage"])
    assert set(items["basis"]) == {"data", "reported", "evidence"}
    assert items.at[("G7", ""), "met"] == "no" and items.at[("G14", ""), "met"] == "yes"
    split = found.assets["split_columns"].fillna("") != ""
    assert split.any()
    groups = build_groups(study, CN, found)
    assert set(groups["exchange_met"]) <= {"yes", "no", "unknown"} and len(groups) == 5
    pairs = propose_pairs(study, found)
    assert (pairs["time_min"] <= 30).all() and not pairs.duplicated(["weak_id", "stage"]).any()
    assert pairs.groupby(["strong_id", "stage"]).size().max() <= 2
