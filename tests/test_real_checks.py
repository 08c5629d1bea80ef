"""Rule checks on real counties: places that are short, and communities that live too far, as the flags count them."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.build import read_study
from planning.rule_checks import check_rules, list_not_checked
from planning.rules import design_class_size, read_rulebook
from planning.run import Outcome, run_scenario
from planning.scenario import Scenario

pytestmark = pytest.mark.real
STUDIES = Path(__file__).resolve().parent.parent / "examples" / "studies"
CN = read_rulebook("cn")


def _ask(name: str, scenario: Scenario) -> tuple[Outcome, object]:
    study = read_study(STUDIES / f"{name}.toml", design_class_size=design_class_size(CN))
    outcome = run_scenario(study, CN, scenario)
    checks = check_rules(study, CN, outcome)
    left = list_not_checked(CN, outcome, checks)
    assert set(checks["rule_id"]) | set(left["rule_id"]) == {rule.id for rule in CN.rules if rule.enabled}
    return outcome, checks


def test_gongyi(cases: Path) -> None:
    """Nearest school: the places that the full schools lack are those of the indicator, and the flags agree."""
    outcome, checks = _ask("gongyi", Scenario(stages=("junior",), mode="bicycle"))
    full = checks[(checks["rule_id"] == "P7.red") & (checks["subject"] == "school") & (checks["status"] == "failed")]
    flags = outcome.flags
    assert set(full["subject_id"]) == set(flags.loc[flags["flag"] == "over_capacity", "subject_id"])
    short = (full["measured"] - 1.0) * full["pupils"] / full["measured"]
    assert short.sum() == pytest.approx(outcome.indicator("places_short"), rel=1e-6)
    assert (full["cure_amount"] - short).between(-1e-6, 1.0).all()
    large = checks[checks["rule_id"] == "G4"].set_index("subject_id")["status"]
    assert set(flags.loc[flags["flag"] == "oversize_school", "subject_id"]) == set(large[large != "passed"].index)


def test_porto_alegre(cases: Path) -> None:
    """Nobody knows its places or settings: unknown, by name; the long ways are those of the flags, low grades only."""
    outcome, checks = _ask("porto_alegre", Scenario(mode="bicycle"))
    unknown = checks[checks["status"] == "unknown"].groupby("rule_id")["missing"].unique()
    assert unknown["P7.red"].tolist() == ["places.capacity_places"] and unknown["L1"].tolist() == ["units.setting"]
    late = checks[(checks["rule_id"] == "C6") & (checks["status"] == "failed")]
    flags = outcome.flags
    assert set(late["subject_id"]) == set(flags.loc[flags["flag"].isin(["long_travel", "unreachable"]), "subject_id"])
