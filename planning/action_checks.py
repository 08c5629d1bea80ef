"""Questions that every action asks of the plan so far: is the school there, does it teach the stage, who is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from geodata.messages import msg
from geodata.quality_facts import KIND_NAMES
from planning.action_state import PlanSoFar, derive_kind, name_stages, suggest
from planning.rules import KINDS
from planning.scenario import name_stage


def check_school(state: PlanSoFar, school_id: str, stage: str = "") -> bool:
    """Note what is wrong with naming an open school (that teaches ``stage``); return whether all is well."""
    if not state.is_open(school_id):
        _explain_missing(state, school_id)
        return False
    if not stage or stage in state.find_stages(school_id):
        return True
    name = state.name(school_id)
    number = state.closed.get((school_id, stage))
    if number is not None:
        state.fail(
            msg(
                "{school} does not teach {stage} any more: action {number} ended it.",
                school=name,
                stage=name_stage(stage),
                number=number,
            ),
            msg("Remove one of the two actions, or change their order."),
        )
        return False
    state.fail(
        msg("{school} does not teach {stage}.", school=name, stage=name_stage(stage)),
        msg("It teaches {stages}. Choose one of these, or add the stage first.", stages=_name_own(state, school_id)),
    )
    return False


def _name_own(state: PlanSoFar, school_id: str) -> object:
    return name_stages(state.find_stages(school_id))


def _explain_missing(state: PlanSoFar, school_id: str) -> None:
    ended = sorted({number for (key, _), number in state.closed.items() if key == school_id})
    if ended:
        state.fail(
            msg("{school} is closed already by action {number}.", school=state.name(school_id), number=ended[-1]),
            msg("Remove one of the two actions, or change their order."),
        )
        return
    later = state.later.get(school_id, 0)
    if any(problem.number == later and problem.severity == "error" for problem in state.problems):
        state.fail(
            msg("{school} is not open: action {number}, which is to open it, has an error.", school=school_id,
                number=later),
            msg("Mend that action first."),
        )  # fmt: skip
        return
    if later:
        state.fail(
            msg("{school} is not open yet: action {number} opens it later.", school=school_id, number=later),
            msg("Put this action after it, or let that one take effect earlier."),
        )
        return
    state.fail(
        msg("There is no school with the id {id}.", id=school_id),
        suggest(school_id, state.names) or msg("Take an id from the table of schools."),
    )


def check_units(state: PlanSoFar, unit_ids: Iterable[str]) -> bool:
    """Note units that do not exist; return whether all do."""
    known = set(state.study.units["unit_id"])
    strangers = sorted(set(unit_ids) - known)
    for unit in strangers[:5]:
        state.fail(
            msg("There is no planning unit with the id {id}.", id=unit),
            suggest(unit, known) or msg("Take an id from the table of planning units."),
        )
    if len(strangers) > 5:
        state.fail(msg("{count} more planning units do not exist.", count=len(strangers) - 5))
    return not strangers


def check_left(state: PlanSoFar, school_ids: Sequence[str], stages: Iterable[str], *, closing: bool = True) -> bool:
    """Note stages of which nobody (or only teaching points) would be left; return whether somebody is.

    ``closing`` False: the schools stay, but for grades 1 to 3 only.
    """
    well = True
    for stage in stages:
        listed = state.list_schools(stage)
        leaving = listed["school_id"].isin(list(school_ids))
        rest = listed[~leaving]
        if closing and rest.empty:
            state.fail(
                msg("Nobody would teach {stage} any more.", stage=name_stage(stage)),
                msg("Keep one school of this stage, or open another one before."),
            )
            well = False
        elif bool(rest["low_only"].all()) and not bool(listed.loc[leaving, "low_only"].all()):
            state.fail(
                msg("Only teaching points would be left for {stage}: grades 4 to 6 would have no school.",
                    stage=name_stage(stage)),
                msg("Keep one complete school, or open another one before."),
            )  # fmt: skip
            well = False
    return well


def check_kind(state: PlanSoFar, kind: str, stages: Iterable[str]) -> bool:
    """Note a kind of school that does not exist, or that its stages do not make."""
    if not kind:
        return True
    if kind in KINDS:
        made = derive_kind(kind, stages)
        if made != kind:
            state.warn(
                msg("{stages} make a {made}, not a {kind}.", stages=name_stages(stages), made=KIND_NAMES[made],
                    kind=KIND_NAMES[kind]),
                msg("Leave the kind out: it follows from the stages."),
            )  # fmt: skip
        return True
    state.fail(
        msg("There is no kind of school called {kind}.", kind=kind),
        suggest(kind, KINDS) or msg("Known kinds: {kinds}.", kinds=tuple(KINDS)),
    )
    return False


def count_places(
    state: PlanSoFar, stage: str, kind: str, capacity: float | None, classes: float | None
) -> tuple[float, float, str] | None:
    """Return places, classes and where the places come from; None (and a note) where they cannot be told.

    Places without classes keep NaN classes; classes without places make places by the design class size.
    """
    if capacity is not None:
        return float(capacity), float("nan") if classes is None else float(classes), "given"
    assert classes is not None
    size = state.class_size(stage, kind)
    if size is None:
        state.fail(
            msg("The rulebook has no design class size for {stage}, so {classes:g} classes say nothing about places.",
                stage=name_stage(stage), classes=classes),
            msg("Give the places as a number."),
        )  # fmt: skip
        return None
    return float(classes) * size, float(classes), "derived"
