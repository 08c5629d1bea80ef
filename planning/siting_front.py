"""Several good and different plans: the front of cost against travel, and alternatives near the best.

The two ends are the least cost of buildings and running, and the least travel; between them travel is made least under
a limit of cost (the ε-constraint method: Y. Y. Haimes, L. S. Lasdon, D. A. Wismer, 1971), so that plans are found that
no mix of weights would choose. Each end counts ``TIE_SHARE`` of everything else, so that equal plans are told apart.
The limit is put into the widest step of the front found so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from geodata.study import Progress
from planning.siting_answer import FRONT_COLUMNS, PlanRole, SitingPlan
from planning.siting_model import STATED, Effort, Mix, SitingModel, Solved, evaluate_plan, solve_model
from planning.siting_models import name_model
from planning.siting_sides import Side, differ_from, limit_cost
from planning.siting_tables import compute_axes
from planning.solvers.problems import Floats, Ints

TIE_SHARE = 0.01
"""What counts at an end of the front beside the end itself."""
CHEAPEST = Mix(travel=TIE_SHARE, moved=TIE_SHARE, empty=TIE_SHARE)
SHORTEST = Mix(moved=TIE_SHARE, building=TIE_SHARE, running=TIE_SHARE, empty=TIE_SHARE)
BEST_SHARE = 0.4
"""Share of the time for the best plan, where others are asked for too."""
LEAST_STEP = 0.02
"""Steps of the front smaller than this share of the whole are not looked into."""


@dataclass(frozen=True, eq=False)
class Found:
    """A plan before it is told in tables: ``objective`` is what its certificate is of, ``name`` what sets it apart."""

    solved: Solved
    role: PlanRole
    name: Message
    objective: str = "siting"
    bound: float | None = None


@dataclass
class Hunt:
    """The search for several plans under one limit of time.

    ``ends``: when the time is over (``time.monotonic``); ``jobs``: solves still to come; ``done`` of ``jobs_in_all``.
    """

    model: SitingModel
    progress: Progress
    ends: float | None
    jobs: int
    done: int = 0
    notes: list[Message] = field(default_factory=list)

    def solve(
        self,
        title: Message,
        *,
        mix: Mix = STATED,
        extra: tuple[Side, ...] = (),
        start: Ints | None = None,
    ) -> Solved:
        """Solve one problem in its share of the time that is left."""
        search = self.model.case.options.search
        left = None if self.ends is None else max(1.0, self.ends - time.monotonic())
        others = max(0, self.jobs - 1)
        share = 1.0 if not others else (BEST_SHARE if not self.done else 1.0 / (others + 1))
        low, width = self.done / (self.done + self.jobs), 1.0 / (self.done + self.jobs)
        solved = solve_model(
            self.model,
            Effort(None if left is None else left * share, search.gap_share, search.seed),
            mix=mix,
            extra=extra,
            start=start,
            progress=_spread(self.progress, title, low, width),
        )
        self.done, self.jobs = self.done + 1, others
        return solved


def _spread(progress: Progress, title: Message, low: float, width: float) -> Callable[[Message, float], None]:
    return lambda step, share: progress(title, low + width * share)


def start_hunt(model: SitingModel, progress: Progress) -> Hunt:
    """Return the search for the plans that are asked for."""
    search = model.case.options.search
    ends = None if search.time_limit_s is None else time.monotonic() + search.time_limit_s
    front = 2 + max(0, search.front_plans - 3) if search.front_plans > 1 else 0
    return Hunt(model, progress, ends, 1 + front + search.alternatives)


def find_best(hunt: Hunt) -> Solved:
    """Return the best plan of the stated mix."""
    return hunt.solve(msg("The best plan of the stated mix"))


def find_plans(hunt: Hunt, best: Solved) -> list[Found]:
    """Return the best plan, those on the front, and alternatives; a better one found on the way comes first."""
    alternatives = _find_alternatives(hunt, best)
    front = _find_front(hunt, best)
    everything = [best, *(item.solved for item in (*alternatives, *front))]
    checked = [best] + [evaluate_plan(hunt.model, item.way, best.bound) for item in everything[1:]]
    values = [item.value if item.unplaced.sum() <= best.unplaced.sum() + 1e-6 else np.inf for item in checked]
    first = int(np.argmin(np.round(values, 2)))
    found = [
        Found(
            replace(checked[first], status=best.status, stopped=best.stopped, seconds=best.seconds),
            "best",
            name_model(hunt.model.case.options.model),
        )
    ]
    if first > 0:
        alternatives = _keep_near([Found(best, "alternative", msg("Alternative"), bound=best.bound), *alternatives],
                                  found[0].solved, hunt.model)  # fmt: skip
    kept = [*found, *_drop_twins(front, found[0].solved, hunt.model)]
    return [*kept, *_number(alternatives)]


def _keep_near(alternatives: list[Found], best: Solved, model: SitingModel) -> list[Found]:
    """Return the alternatives that are near enough a new best plan, and differ enough from it and one another."""
    search, kind = model.case.options.search, model.ways.kind
    most = best.value + search.within_share * abs(best.value)
    chosen = [kind[best.way]]
    kept = []
    for item in alternatives:
        own = kind[item.solved.way]
        if item.solved.value <= most and all((own != other).sum() >= search.differ for other in chosen):
            chosen.append(own)
            kept.append(item)
    return kept[: search.alternatives]


def _number(alternatives: list[Found]) -> list[Found]:
    return [
        replace(item, name=msg("Alternative {number}", number=number))
        for number, item in enumerate(alternatives, start=1)
    ]


def _find_alternatives(hunt: Hunt, best: Solved) -> list[Found]:
    """Return plans within ``within_share`` of the best with at least ``differ`` other decisions from each before."""
    search = hunt.model.case.options.search
    most = best.value + search.within_share * abs(best.value)
    found: list[Found] = []
    while len(found) < search.alternatives:
        seen = [best.way, *(item.solved.way for item in found)]
        cuts = tuple(cut for way in seen for cut in differ_from(hunt.model.ways, way, search.differ))
        title = msg("Alternatives: {number} of {count}", number=len(found) + 1, count=search.alternatives)
        solved = hunt.solve(title, extra=cuts, start=seen[-1])
        if not solved.lawful or solved.value > most:
            hunt.jobs -= search.alternatives - len(found) - 1
            hunt.notes.append(_tell_none(solved, most, search.within_share, search.differ, len(found)))
            break
        found.append(Found(solved, "alternative", msg("Alternative"), bound=best.bound))
    return found


def _tell_none(solved: Solved, most: float, within: float, differ: int, count: int) -> Message:
    values = {"within": within, "differ": differ, "count": count}
    if solved.status == "infeasible" or solved.bound > most or solved.least_unplaced > 0:
        return msg(
            "Alternatives: {count}. It is proven that no other plan within {within:.1%} of the best decides at least"
            " {differ} schools otherwise.",
            **values,
        )
    return msg(
        "Alternatives: {count}. No other plan within {within:.1%} of the best that decides at least {differ} schools"
        " otherwise was found in the time given.",
        **values,
    )


def _find_front(hunt: Hunt, best: Solved) -> list[Found]:
    """Return the two ends and plans between them, cheapest first."""
    search, model = hunt.model.case.options.search, hunt.model
    if search.front_plans < 2:
        return []
    count = 2 + max(0, search.front_plans - 3)
    cheap = hunt.solve(_name_step(1, count), mix=CHEAPEST, start=best.way)
    short = hunt.solve(_name_step(2, count), mix=SHORTEST, start=best.way)
    found = [
        Found(cheap, "front", msg("Least cost of buildings and running"), "siting_cost"),
        Found(short, "front", msg("Shortest ways"), "siting_travel"),
    ]
    found = [item for item in found if item.solved.lawful]
    cost = model.ways.building_cny + model.ways.running_cny
    closed: set[tuple[float, float]] = set()
    for number in range(3, count + 1):
        step = _find_widest(model, [best, *(item.solved for item in found)], cost, closed)
        if step is None:
            hunt.jobs -= count - number + 1
            break
        closed.add(step)
        limit = sum(step) / 2
        start = min((item.solved for item in found), key=lambda item: abs(cost[item.way].sum() - limit), default=best)
        solved = hunt.solve(
            _name_step(number, count), mix=SHORTEST, extra=(limit_cost(model.ways, cost, limit),), start=start.way
        )
        if solved.lawful:
            yearly = compute_axes(model, solved)[1] / 1e6
            name = msg("Shortest ways at {cost:,.1f} million yuan a year", cost=yearly)
            found.append(Found(solved, "front", name, "siting_travel"))
    return sorted(found, key=lambda item: float(cost[item.solved.way].sum()))


def _name_step(number: int, count: int) -> Message:
    return msg("Cost against travel: plan {number} of {count}", number=number, count=count)


def _find_widest(
    model: SitingModel, known: list[Solved], cost: Floats, closed: set[tuple[float, float]]
) -> tuple[float, float] | None:
    """Return the costs at both ends of the widest step of the front, None where all are narrow or looked into."""
    travel = np.array([compute_axes(model, item)[0] for item in known])
    money = np.array([float(cost[item.way].sum()) for item in known])
    spans = np.array([max(np.ptp(money), 1e-9), max(np.ptp(travel), 1e-9)])
    order = np.lexsort((travel, money))
    steps = []
    for first, second in pairwise(order.tolist()):
        pair = (float(money[first]), float(money[second]))
        wide = np.hypot((pair[1] - pair[0]) / spans[0], (travel[second] - travel[first]) / spans[1])
        if pair not in closed and wide > LEAST_STEP and pair[1] - pair[0] > 1.0:
            steps.append((float(wide), pair))
    return max(steps)[1] if steps else None


def _drop_twins(front: list[Found], best: Solved, model: SitingModel) -> list[Found]:
    """Return the front without plans that are the best one, as good as another in both, or dominated."""
    points = [np.array(compute_axes(model, best))]
    kept = []
    for item in front:
        point = np.array(compute_axes(model, item.solved))
        if all(np.abs(point - other).max() > 1e-6 * np.abs(other).max() for other in points):
            points.append(point)
            kept.append(item)
    axes = np.array(points)
    return [item for at, item in enumerate(kept, start=1) if not _is_dominated(axes, at)]


def build_front(model: SitingModel, plans: tuple[SitingPlan, ...], solved: tuple[Solved, ...]) -> pd.DataFrame:
    """Return ``FRONT_COLUMNS``, one row per plan in their order."""
    axes = np.array([compute_axes(model, item) for item in solved]).reshape(len(solved), 2)
    rows = []
    for at, (plan, (travel, cost)) in enumerate(zip(plans, axes, strict=True)):
        counts = plan.decisions["decision"].value_counts()
        rows.append(
            {
                "plan": plan.plan_id,
                "role": plan.role,
                "travel_pupil_min": travel,
                "cost_cny": cost,
                "mean_travel_min": plan.certificate.mean_per_pupil,
                "objective": plan.certificate.value,
                "bound": plan.certificate.bound,
                "gap_share": plan.certificate.gap_share,
                "closed": int(counts.get("close", 0)),
                "merged": int(counts.get("merge", 0)),
                "expanded": int(counts.get("expand", 0)),
                "opened": int(counts.get("open", 0)),
                "moved_pupils": float(plan.periods["moved_pupils"].max()),
                "unplaced_pupils": float(plan.periods["unplaced_pupils"].max()),
                "dominated": _is_dominated(axes, at),
                "objective_name": plan.certificate.objective,
                "unit": plan.certificate.unit,
            }
        )
    return pd.DataFrame(rows, columns=list(FRONT_COLUMNS))


def _is_dominated(axes: npt.NDArray[np.float64], at: int) -> bool:
    """Whether another plan is no worse in both and better in one, beyond rounding."""
    own = axes[at]
    step = 1e-6 * np.maximum(1.0, np.abs(own))
    no_worse = (axes <= own + step).all(axis=1)
    better = (axes < own - step).any(axis=1)
    return bool((no_worse & better).any())
