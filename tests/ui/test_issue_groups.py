"""Many findings of one kind stand in one row."""

from __future__ import annotations

from geodata.errors import DataIssue
from geodata.messages import msg
from ui.issue_groups import GROUPED_ABOVE, fold_issues, list_samples


def build_issues(count: int) -> list[DataIssue]:
    """Return ``count`` wrong numbers and one duplicate."""
    wrong = [DataIssue("type", "error", msg("Not a number."), "a.csv", row=n, found=f"x{n}") for n in range(count)]
    return [*wrong, DataIssue("duplicate", "error", msg("Not a number."), "b.csv")]


def test_few_findings_are_listed_one_by_one() -> None:
    issues = build_issues(GROUPED_ABOVE - 1)
    assert [line.at for line in fold_issues(issues, range(len(issues)), None)] == list(range(len(issues)))


def test_many_are_folded_and_a_click_opens_them() -> None:
    issues = build_issues(400)
    shown = range(len(issues))
    head, single = fold_issues(issues, shown, None)
    assert (head.at, len(head.members), head.opened, single.at) == (-1, 400, False, 400)
    for picked in (-1, 0, 399):
        lines = fold_issues(issues, shown, picked)
        assert lines[0].opened
        assert [line.at for line in lines[1:]] == list(shown)
    assert len(fold_issues(issues, shown, 400)) == 2
    assert list_samples(issues, head.members) == ["x0", "x1", "x2", "…"]
