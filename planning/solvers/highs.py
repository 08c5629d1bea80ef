"""Open the HiGHS solver the same way everywhere: quiet, seeded, few threads; a missing library is a ``SolverError``."""

from __future__ import annotations

from typing import Any

from geodata.errors import SolverError

THREADS = 2
"""HiGHS keeps one pool of threads per process and refuses another size later: one number for all."""


def open_highs(*, time_limit_s: float | None = None, presolve: bool = True, seed: int = 0) -> Any:
    """Return an empty HiGHS model.

    Raises
    ------
    SolverError
        When highspy is not installed or cannot be loaded.
    """
    try:
        import highspy
    except ImportError as error:
        raise SolverError(f"HiGHS cannot be loaded ({error}). Install highspy from requirements.txt.") from error
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", THREADS)
    model.setOptionValue("random_seed", seed)
    if not presolve:
        model.setOptionValue("presolve", "off")
    if time_limit_s is not None:
        model.setOptionValue("time_limit", float(max(time_limit_s, 0.0)))
    return model
