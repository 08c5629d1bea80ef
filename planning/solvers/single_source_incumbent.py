"""The best plan found so far, and how plans are found: kicks and settling, and rounding of Lagrangian means."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from planning.solvers.problems import Bools, Floats, Ints
from planning.solvers.single_source_instance import Instance, Ways
from planning.solvers.single_source_kernels import OPEN
from planning.solvers.single_source_search import search

_TIE_SHARE = 2e-7
_KICKS_WORK, _FEW_KICKS = 15_000, (3, 15)
HEATS = (0.0005, 0.005)


class Incumbent:
    """The best plan of an instance: ``site`` (rows,), ``upper`` its cost (``inf`` and None while there is none)."""

    def __init__(
        self, instance: Instance, *, seed: int, gap_share: float, deadline: float, tell: Callable[[], None]
    ) -> None:
        self.instance, self.seed, self.gap_share, self.deadline, self.tell = instance, seed, gap_share, deadline, tell
        self.site: Ints | None = None
        self.upper = math.inf
        self.tries = 0
        load = max(float(instance.demand.sum()), 1e-12)
        finite = instance.cost[np.isfinite(instance.cost)]
        fee = (float(finite.mean()) * instance.n_rows + 1e-9) / load if len(finite) else 1.0
        self.most_fee, self.fees = 2.0 * fee, np.full(3, fee)

    @property
    def goal(self) -> float:
        """What a better plan must cost less than, to be worth looking for."""
        if not math.isfinite(self.upper):
            return math.inf
        step = self.instance.grain * (1.0 - 1e-4)
        tie = max(_TIE_SHARE * abs(self.upper), 1e-12 * self.instance.most)
        return self.upper - max(step, tie, self.gap_share * abs(self.upper))

    def is_late(self) -> bool:
        """Return whether time is up; tells progress."""
        self.tell()
        return time.perf_counter() > self.deadline

    def offer(self, site: Ints) -> None:
        """Take the plan if it is lawful and better."""
        if self.instance.fits(site):
            cost = self.instance.price_plan(site)
            if cost < self.upper:
                self.site, self.upper = site.copy(), cost

    def search(
        self, opened: Bools, likely: Floats, rounds: int, *, heat: float = HEATS[0], start: Ints | None = None
    ) -> None:
        """Kick and settle from the rows at ``start``, else from the best plan, or from these sites without any."""
        site = np.full(self.instance.n_rows, -1, dtype=np.int64) if start is None else start
        if start is None and self.site is not None:
            site = self.site.copy()
            opened = np.zeros(self.instance.n_sites, dtype=bool)
            opened[self.site] = True
        self._run(opened, site, likely, rounds, None, heat)

    def round(
        self, status: Ways, row: Ints, site: Ints, average: Floats, opened: Floats, rounds: int = 0,
        level: Floats | float = 0.5, heat: float = HEATS[0], spare: float = 1.005,
    ) -> None:  # fmt: skip
        """Try the plan that the running means of a relaxation point to: sites above ``level``, rows above a half."""
        own = self.instance
        start = np.full(own.n_rows, -1, dtype=np.int64)
        use = (status == OPEN) | (opened > level)
        order = np.argsort(-opened - 1e-6 * own.room / max(float(own.room.max(initial=0.0)), 1e-12), kind="stable")
        if use.sum() > own.count:
            use[order[own.count :]] = False
        for j in order:
            if own.room[use].sum() >= spare * own.need or use.sum() >= own.count:
                break
            use[j] = True
        likely = (average > 0.5) & use[site]
        start[row[likely]] = site[likely]
        few = int(np.clip(_KICKS_WORK // max(own.n_rows * own.reach, 1), *_FEW_KICKS))
        self._run(use, start, opened + 0.02, rounds or few, status, heat)

    def _run(self, opened: Bools, site: Ints, likely: Floats, rounds: int, status: Ways | None, heat: float) -> None:
        own = self.instance
        self.tries += 1
        ways = np.zeros(own.n_sites, dtype=np.int8) if status is None else status
        opened, site = opened.copy(), site.copy()
        self.fees[0] = min(self.fees[0], self.most_fee)
        self.fees[1:] = 0.1 * self.fees[0], 10.0 * self.fees[0]
        seed = (self.seed * 7_919 + self.tries) % 2**31
        best = search(
            own.field(ways), own.count, likely, site, opened, self.upper, self.fees, heat, own.reach, rounds, seed
        )
        if best < self.upper:
            self.offer(site)
