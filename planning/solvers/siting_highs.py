"""Run HiGHS so that it can be watched and stopped, and hand it models as sparse columns."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata.messages import Message, msg
from geodata.study import Progress, no_progress
from planning.solvers.problems import Bools, Floats, Ints

_POLL_S = 0.2
_STEP = msg("Choosing schools and sites")


@dataclass
class Watch:
    """Who looks on: ``progress`` is called while a solver works; ``deadline`` (``time.monotonic``) ends the search.

    ``step`` and ``share`` are what progress is told.
    """

    progress: Progress = no_progress
    deadline: float = np.inf
    step: Message = _STEP
    share: float = 0.0

    @property
    def left_s(self) -> float:
        """Seconds until the deadline, 0 or more."""
        return float(max(self.deadline - time.monotonic(), 0.0))

    @property
    def late(self) -> bool:
        """True when the deadline has passed."""
        return time.monotonic() >= self.deadline

    def tell(self, share: float | None = None) -> None:
        """Tell the progress; may raise what the listener raises."""
        if share is not None:
            self.share = share
        self.progress(self.step, min(self.share, 1.0))


@dataclass(frozen=True)
class Columns:
    """A mixed integer programme, by columns: ``start`` (columns + 1,), ``row`` and ``value`` (entries,).

    ``cost``, ``upper`` (columns,), all 0 or more; ``whole`` (columns,) integer; ``row_lower``, ``row_upper`` (rows,).
    """

    cost: Floats
    upper: Floats
    whole: Bools
    start: Ints
    row: Ints
    value: Floats
    row_lower: Floats
    row_upper: Floats

    @classmethod
    def gather(
        cls,
        entries: list[tuple[Ints, Ints, Floats]],
        bounds: tuple[Floats, Floats],
        *,
        cost: Floats,
        upper: Floats,
        whole: Bools,
    ) -> Columns:
        """Return the programme of entries ``(row, column, value)`` in any order."""
        row = np.concatenate([entry[0] for entry in entries]) if entries else np.zeros(0, np.int64)
        column = np.concatenate([entry[1] for entry in entries]) if entries else np.zeros(0, np.int64)
        value = np.concatenate([entry[2] for entry in entries]) if entries else np.zeros(0)
        order = np.argsort(column, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(cost)))]).astype(np.int64)
        return cls(cost, upper, whole, start, row[order], value[order].astype(np.float64), bounds[0], bounds[1])


def pass_columns(model: Any, columns: Columns) -> None:
    """Give the programme to an empty HiGHS model."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(columns.cost), len(columns.row_lower)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = columns.cost, np.zeros(len(columns.cost)), columns.upper
    lp.row_lower_, lp.row_upper_ = columns.row_lower, columns.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = columns.start.astype(np.int32)
    lp.a_matrix_.index_ = columns.row.astype(np.int32)
    lp.a_matrix_.value_ = columns.value
    if columns.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(whole)] for whole in columns.whole]
    model.passModel(lp)


def run_watched(model: Any, watch: Watch) -> None:
    """Run the model within the deadline; the listener may raise, which stops the solver first."""
    watch.tell()
    model.setOptionValue("time_limit", max(float(min(watch.left_s, 1e9)), 0.0) + float(model.getRunTime()))
    stop = threading.Event()
    hooks = (model.cbMipInterrupt, model.cbSimplexInterrupt, model.cbIpmInterrupt)

    def look(event: Any) -> None:
        if stop.is_set():
            event.interrupt(True)

    for hook in hooks:
        hook.subscribe(look)
    worker = threading.Thread(target=model.run, daemon=True)
    worker.start()
    try:
        worker.join(0.01)
        while worker.is_alive():
            watch.tell()
            worker.join(_POLL_S)
    finally:
        stop.set()
        worker.join()
        for hook in hooks:
            hook.unsubscribe(look)
