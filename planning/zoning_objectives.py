"""Objectives in the planner's order: each next one is improved within what the earlier ones allow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from geodata.messages import Message, msg
from geodata.study import Progress, no_progress
from planning.certificate import OPTIMAL_GAP_SHARE, Certificate, Status, name_objective
from planning.solvers.problems import MOVED, OBJECTIVES, TRAVEL, ZoneAnswer, ZoneProblem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOLERANCE_SHARE = 1e-9
FLOW_METHOD = msg("Proven by the flow of pupils to places, which may split units and leave zones in pieces.")
SEARCH_SHARE = 0.75
"""Share of the time that goes to the plan; the rest prices the rules."""
UNITS = {"fill": "pupils", "moved": "pupils", "compact": "excess of perimeter squared", "border": "metres"}


class ZoneSolver(Protocol):
    """The call of ``planning.solvers.zones.solve_zones``."""

    def __call__(
        self,
        problem: ZoneProblem,
        *,
        weights: Floats,
        limits: Floats,
        start: npt.NDArray[np.int32] | None,
        time_limit_s: float | None,
        gap_share: float,
        seed: int,
        rounds: int | None,
        progress: Callable[[float, float, float], None] | None,
    ) -> ZoneAnswer:
        """Return a zone plan with its bound."""
        ...


@dataclass(frozen=True)
class Search:
    """The solver and the effort that may be spent: until ``deadline_s`` of the monotonic clock, or ``rounds``.

    With rounds the answer depends on the seed alone, not on the speed of the machine.
    """

    solver: ZoneSolver
    deadline_s: float | None
    gap_share: float
    seed: int
    rounds: int | None = None
    progress: Progress = no_progress
    progress_start: float = 0.0
    progress_width: float = 1.0

    def left_s(self) -> float | None:
        """Seconds until the deadline, at least a tenth; None without a deadline."""
        return None if self.deadline_s is None else max(0.1, self.deadline_s - time.monotonic())

    def part_s(self, share: float, *, least_s: float = 0.1) -> float:
        """Return a share of the seconds left; ``least_s`` of work where there is no deadline."""
        left = self.left_s()
        return least_s if left is None else max(0.1, share * left)

    def solve(
        self,
        problem: ZoneProblem,
        *,
        weights: Floats,
        limits: Floats,
        start: npt.NDArray[np.int32] | None,
        share: float,
        report: Callable[[float, float, float], None] | None = None,
    ) -> ZoneAnswer:
        """Solve with a share of the time left, or with the rounds."""
        return self.solver(
            problem,
            weights=weights,
            limits=limits.copy(),
            start=start,
            time_limit_s=None if self.deadline_s is None else self.part_s(share),
            gap_share=self.gap_share,
            seed=self.seed,
            rounds=self.rounds if self.deadline_s is None else None,
            progress=report,
        )


@dataclass(frozen=True, eq=False)
class Phase:
    """One objective solved: ``value`` reached, ``bound`` proven, both in the objective's own unit."""

    name: str
    value: float
    bound: float
    stopped: str
    seconds: float
    method: Message


@dataclass(frozen=True, eq=False)
class Solved:
    """The plan after all objectives. ``limits`` (5,) held in the travel phase; ``first`` the plan of that phase."""

    answer: ZoneAnswer
    phases: tuple[Phase, ...]
    travel: ZoneAnswer
    limits: Floats
    budget_missed: bool = False
    least_moved: float = 0.0


@dataclass
class _State:
    limits: Floats
    start: npt.NDArray[np.int32] | None
    phases: list[Phase] = field(default_factory=list)
    travel: ZoneAnswer | None = None
    travel_limits: Floats | None = None


def solve_in_order(
    problem: ZoneProblem,
    objectives: tuple[tuple[str, float], ...],
    search: Search,
    *,
    start: Ints | None = None,
    budget: float | None = None,
) -> Solved:
    """Solve the objectives one after the other.

    Parameters
    ----------
    objectives
        (name, slack_share): objective ``k`` may later worsen to ``value × (1 + slack)``. Travel is appended where it
        is not named, so that what the planner left open is decided by it.
    start
        Zone of every unit to begin with.
    budget
        Most pupils that may move: a hard limit from the first objective on.

    Returns
    -------
    Solved
        ``budget_missed`` where even the plan that moves fewest breaks the budget; then only that was searched.
    """
    names = [name for name, _ in objectives]
    ordered = objectives if "travel" in names else (*objectives, ("travel", 0.0))
    state = _State(np.full(5, np.inf), None if start is None else start.astype(np.int32))
    if budget is not None and problem.moved is not None:
        kept, least = _keep_budget(problem, search, state, len(ordered))
        if float(kept.values[MOVED]) > budget * (1 + TOLERANCE_SHARE) + 1e-6:
            return Solved(kept, (), kept, state.limits, budget_missed=True, least_moved=least)
        state.limits[MOVED] = budget
    answer: ZoneAnswer | None = None
    for at, (name, slack) in enumerate(ordered):
        answer = _solve_one(problem, search, state, name, at, len(ordered))
        index = OBJECTIVES.index(name)
        value = float(answer.values[index])
        held = value * (1.0 + slack) + TOLERANCE_SHARE * max(1.0, abs(value))
        state.limits[index] = min(state.limits[index], held)
        state.start = np.array(answer.school)
    assert answer is not None and state.travel is not None and state.travel_limits is not None
    return Solved(answer, tuple(state.phases), state.travel, state.travel_limits)


def _solve_one(problem: ZoneProblem, search: Search, state: _State, name: str, at: int, count: int) -> ZoneAnswer:
    """Solve one objective within the limits of the earlier ones and note what came of it."""
    index = OBJECTIVES.index(name)
    weights = np.zeros(5)
    weights[index] = 1.0 if index == TRAVEL else _weigh(problem, state.start)
    began = time.monotonic()
    # The first objective is the one with a proof: it gets half of the time, the later ones share the rest.
    answer = search.solve(
        problem,
        weights=weights,
        limits=state.limits,
        start=state.start,
        share=1.0 if at == count - 1 else (0.5 if at == 0 else 1.0 / (count - at)),
        report=_report(search, name, at / count, 1.0 / count),
    )
    seconds = time.monotonic() - began
    over = problem.overload_price * answer.overload_pupils
    if index == TRAVEL:
        value, bound = float(answer.values[TRAVEL]) + over, max(0.0, answer.bound)
        state.travel, state.travel_limits = answer, state.limits.copy()
    else:
        value = float(answer.values[index])
        # The solver bounds sums over units only; fill, compactness and borders count as 0 there.
        bound = max(0.0, (answer.bound - over) / weights[index]) if index == MOVED else 0.0
    state.phases.append(Phase(name, value, min(bound, value), answer.stopped, seconds, _name_method(answer)))
    return answer


def _name_method(answer: ZoneAnswer) -> Message:
    """Return how the bound was proven: the solver tells the ``floor`` that the flow alone gives."""
    floor = float(answer.facts.get("floor", -np.inf))
    if answer.bound > floor + 1e-9 * abs(floor):
        return msg("Proven for whole units and zones of one piece, by column generation.")
    return FLOW_METHOD


def _weigh(problem: ZoneProblem, start: npt.NDArray[np.int32] | None) -> float:
    """Return a weight by which no gain of an objective other than travel is worth a pupil above the places."""
    pupils = float(problem.pupils.sum())
    border_m = float(problem.border_m.sum())
    return problem.overload_price / max(1.0, pupils, border_m, float(problem.n_schools))


def _keep_budget(problem: ZoneProblem, search: Search, state: _State, count: int) -> tuple[ZoneAnswer, float]:
    """Find the plan that moves fewest, to start from; return it with the least number that any plan moves.

    Places play no part: the budget is a rule, overrun places have a price.
    """
    weights = np.zeros(5)
    weights[MOVED] = 1.0
    answer = search.solve(
        replace(problem, places=np.full(problem.n_schools, np.inf)),
        weights=weights,
        limits=np.full(5, np.inf),
        start=state.start,
        share=1.0 / (count + 2),
        report=_report(search, "moved", 0.0, 0.0),
    )
    state.start = np.array(answer.school)
    return answer, max(0.0, answer.bound)


def _report(search: Search, name: str, start: float, width: float) -> Callable[[float, float, float], None]:
    def report(objective: float, bound: float, share: float) -> None:
        done = search.progress_start + search.progress_width * (start + width * min(1.0, max(0.0, share)))
        step = msg("Drawing zones: {objective}", objective=name_objective(name))
        if name == "travel" and bound > 0 and objective > 0:
            step = msg(
                "Drawing zones: {value:,.0f} now, proven least {bound:,.0f}, at most {gap:.2%} from the best",
                value=objective,
                bound=bound,
                gap=max(0.0, 1.0 - bound / objective),
            )
        search.progress(step, done)

    return report


def build_certificates(
    solved: Solved, problem: ZoneProblem, stage: str, travel_unit: str, seed: int
) -> tuple[Certificate, ...]:
    """Return the certificate of every objective, in the planner's order, with the values of the final plan.

    The bound of an objective holds under the limits that the earlier ones set. No objective can be below 0, so 0 is
    the bound where none better is known.
    """
    values = solved.answer.values
    over = float(solved.answer.overload_pupils)
    pupils = float(problem.pupils.sum())
    found: list[Certificate] = []
    for phase in solved.phases:
        index = OBJECTIVES.index(phase.name)
        travel = index == TRAVEL
        value = float(values[index]) + (problem.overload_price * over if travel else 0.0)
        bound = min(phase.bound, value)
        gap = (value - bound) / abs(value) if value else (0.0 if bound >= value else np.inf)
        status: Status = "optimal" if gap <= OPTIMAL_GAP_SHARE else "feasible"
        found.append(
            Certificate(
                stage=stage,
                objective=phase.name,
                unit=travel_unit if travel else UNITS[phase.name],
                value=value,
                bound=bound,
                status=status,
                method=phase.method
                if bound > 0 or value == 0
                else msg("No bound above 0 is known for this objective."),
                stopped=phase.stopped,
                seconds=phase.seconds,
                seed=seed,
                overload_pupils=over,
                overload_price=float(problem.overload_price),
                mean_per_pupil=float(values[TRAVEL]) / pupils if travel and pupils > 0 else float("nan"),
            )
        )
    return tuple(found)
