"""The certificate of a plan: what it costs, the proven least that any lawful plan costs, and what each rule costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from geodata.messages import Message, msg

Status = Literal["optimal", "feasible", "infeasible", "no_plan_in_time"]
OPTIMAL_GAP_SHARE = 1e-6
"""Gaps up to this size are rounding: the plan is called optimal."""


@dataclass(frozen=True)
class RulePrice:
    """What one rule costs: the objective of the plan against the best found, or proven, without the rule.

    ``value`` is the objective of the best plan found without the rule, ``bound`` the proven least without it;
    ``saved`` is what dropping the rule was seen to save (0 or more), ``saved_at_most`` what it can save at all.
    """

    rule: str
    name: Message
    value: float
    bound: float
    saved: float
    saved_at_most: float


@dataclass(frozen=True)
class Certificate:
    """A proof of how close a plan is to the best possible.

    ``value`` and ``bound`` are in ``unit`` (for instance pupil-minutes), shortages weighed with their price included;
    ``gap_share`` is ``(value - bound) / value``. ``method`` says how the bound was proven, ``stopped`` why the search
    ended (``"proven"``, ``"gap"``, ``"time"``, ``"rounds"``, ``"cancelled"``). ``overload_price`` is what each of the
    ``overload_pupils`` counts for in ``value``.
    """

    stage: str
    objective: str
    unit: str
    value: float
    bound: float
    status: Status
    method: Message
    stopped: str = "proven"
    seconds: float = 0.0
    seed: int = 0
    overload_pupils: float = 0.0
    overload_price: float = 0.0
    mean_per_pupil: float = float("nan")
    rule_prices: tuple[RulePrice, ...] = ()
    earlier: tuple[Certificate, ...] = ()

    @property
    def gap_share(self) -> float:
        """Return the proven distance from the best possible, 0 to 1."""
        if self.value == self.bound:
            return 0.0
        return max(0.0, (self.value - self.bound) / abs(self.value)) if self.value else float("inf")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; messages as their English text."""
        return {
            "stage": self.stage,
            "objective": self.objective,
            "unit": self.unit,
            "value": self.value,
            "bound": self.bound,
            "gap_share": self.gap_share,
            "status": self.status,
            "method": str(self.method),
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
            "seed": self.seed,
            "overload_pupils": self.overload_pupils,
            "overload_price": self.overload_price,
            "mean_per_pupil": self.mean_per_pupil,
            "rule_prices": [
                {
                    "rule": price.rule,
                    "name": str(price.name),
                    "value": price.value,
                    "bound": price.bound,
                    "saved": price.saved,
                    "saved_at_most": price.saved_at_most,
                }
                for price in self.rule_prices
            ],
            "earlier": [certificate.as_dict() for certificate in self.earlier],
        }


def name_objective(objective: str) -> Message:
    """Return the objective in words."""
    names = {
        "travel": msg("travel of all pupils together"),
        "fill": msg("pupils away from equally full schools"),
        "moved": msg("pupils moved from their current zone"),
        "compact": msg("raggedness of the zones"),
        "border": msg("length of the borders between zones"),
        "siting": msg("cost of the stated mix"),
        "siting_cost": msg("cost of buildings and running"),
        "siting_travel": msg("travel over the years"),
        "p_median": msg("travel of all pupils together"),
        "p_center": msg("longest way of a pupil"),
        "set_covering": msg("number of schools"),
        "maximal_covering": msg("pupils beyond reach"),
        "capacitated": msg("cost of the stated mix"),
    }
    return names.get(objective) or msg("{objective}", objective=objective)
