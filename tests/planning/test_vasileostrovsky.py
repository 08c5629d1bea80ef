"""Independent agreement on a real district: the published figures of nearest-school enrolment, read without readers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from planning.assignment import Ways, enrol_nearest


@pytest.mark.real
def test_nearest_school_overload(cases: Path):
    """4,101 buildings and 36 schools: 11 schools are overloaded by 10,932 pupils; the mean way is 7.044 minutes."""
    folder = cases / "spb_objectnat"
    reference = json.loads((cases / "refs" / "spb_transport_lp.json").read_text())
    buildings = pd.read_parquet(folder / "buildings.parquet", columns=["demand"])
    services = pd.read_parquet(folder / "services.parquet", columns=["capacity"])
    matrix = pd.read_parquet(folder / "matrix_time.parquet").to_numpy(dtype=np.float32)
    ways = Ways(
        unit_ids=np.array([f"{n:05d}" for n in range(len(buildings))], dtype=object),
        school_ids=np.array([f"{n:02d}" for n in range(len(services))], dtype=object),
        pupils=buildings["demand"].to_numpy(dtype=float),
        time_min=np.where(np.isfinite(matrix), matrix, np.nan),
        length_m=np.full(matrix.shape, np.nan, dtype=np.float32),
        low_only=np.zeros(len(services), dtype=bool),
    )
    enrolment = enrol_nearest(ways)
    assert enrolment["pupils"].sum() == reference["demand"]
    loads = enrolment.groupby("school_id")["pupils"].sum().reindex(ways.school_ids).fillna(0).to_numpy()
    excess = loads - services["capacity"].to_numpy(dtype=float)
    reached = enrolment[enrolment["school_id"] != ""]
    mean_min = (reached["pupils"] * reached["time_min"]).sum() / reached["pupils"].sum()
    assert mean_min == pytest.approx(reference["nearest_mean_min"], abs=1e-3)
    assert int((excess > 0).sum()) == reference["nearest_over_capacity"]
    assert excess[excess > 0].sum() == reference["nearest_excess"]
