"""Which way of searching takes less work: from each destination outwards, or over a prepared hierarchy.

The rule
    A bounded search touches the core nodes within the cutoff of a destination, at some 0.2 microseconds each. The
    hierarchy must be prepared, some 6 microseconds for each core node of the network, and then goes over the nodes
    that the units need, some 0.02 microseconds each for one destination of a full batch. Three destinations are
    searched (at most ``PROBE_NODES`` nodes each) to see how many nodes lie within the cutoff. The cheaper one is taken;
    where a network will be used again, a tenth of the preparation counts; where it is prepared already, none.
The results are the same numbers, so the choice may depend on what is ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["auto", "bounded", "hierarchy"]

SETTLE_US = 0.2
PREPARE_US = 6.0
SWEEP_US = 0.02
USED_AGAIN = 10.0
PROBES = 3
PROBE_NODES = 50_000


@dataclass(frozen=True)
class Work:
    """The size of a question: ``reach`` = core nodes within the cutoff of a destination, ``core`` = all of them."""

    destinations: int
    reach: float
    core: int
    prepared: bool = False
    used_again: bool = False

    @property
    def bounded_us(self) -> float:
        """Estimated microseconds of the bounded search."""
        return self.destinations * self.reach * SETTLE_US

    @property
    def hierarchy_us(self) -> float:
        """Estimated microseconds of the hierarchy, what is left to prepare counted."""
        prepare = 0.0 if self.prepared else PREPARE_US / (USED_AGAIN if self.used_again else 1.0)
        return self.core * (prepare + self.destinations * SWEEP_US)


def choose_method(work: Work) -> Literal["bounded", "hierarchy"]:
    """Return the way of searching with less work."""
    return "hierarchy" if work.hierarchy_us < work.bounded_us else "bounded"
