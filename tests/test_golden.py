"""The demo county's answers as text that a person can read in a diff.

When this fails and the new numbers are right: raise ``RESULTS_VERSION`` in ``planning/run.py``, say so in CHANGELOG
under "Numbers change", and write the file again with ``python -m tests.test_golden``.
"""

from pathlib import Path

from geodata.build import read_study
from planning.rules import design_class_size, read_rulebook
from planning.run import RESULTS_VERSION, run_scenario
from planning.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "demo_county.txt"
ASKED = (("primary", "walk", "nearest"), ("primary", "walk", "zones"), ("junior", "drive", "nearest"))


def render_answers() -> str:
    """Return indicators and counts of flags, rounded to three digits: less than that is no change."""
    rules = read_rulebook("cn")
    study = read_study(ROOT / "examples" / "studies" / "demo.toml", design_class_size=design_class_size(rules))
    lines = [f"results version {RESULTS_VERSION}", f"{len(study.schools)} schools, {len(study.units)} units"]
    for stage, mode, enrolment in ASKED:
        outcome = run_scenario(study, rules, Scenario(stages=(stage,), mode=mode, enrolment=enrolment))
        lines += ["", f"{stage}, {mode}, {enrolment}"]
        county = outcome.indicators[outcome.indicators["area_kind"] == "county"]
        lines += [f"  {row.indicator} {float(f'{row.value:.3g}'):,.10g} {row.unit}" for row in county.itertuples()]
        counts = outcome.flags.groupby(["severity", "flag"]).size()
        lines += [f"  {count} × {flag} ({severity})" for (severity, flag), count in counts.items()]
        worst = outcome.flags[outcome.flags["subject"] == "school"].drop_duplicates("flag")
        lines += [f"  e.g. {reason}" for reason in worst["reason"]]
    return "\n".join(lines) + "\n"


def test_the_demo_county_answers_as_before() -> None:
    assert render_answers() == GOLDEN.read_text(encoding="utf-8")


if __name__ == "__main__":
    GOLDEN.write_text(render_answers(), encoding="utf-8")
