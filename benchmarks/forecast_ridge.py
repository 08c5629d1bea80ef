"""The peer of the shrunk ratios: ridge regression (scikit-learn) of the same ratios on school, town and grade.

scikit-learn is not needed by the program; without it this table is left out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALPHAS = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)


def fit_ridge_ratios(upper: Floats, lower: Floats, weights: Floats, town: Ints, k: Floats) -> tuple[Floats, Floats]:
    """Return ratios as ``planning.forecast_cohort`` does, but by ridge regression; ``k`` is not used.

    One row per school, cell and pair of years; weight: pupils × recency. The county's ratios stay as they are.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import OneHotEncoder

    n_schools, n_cells = lower.shape[1:]
    county = np.ones((1, n_cells))
    if not len(weights):
        return np.ones((n_schools, n_cells)), county
    up, low = np.tensordot(weights, upper, 1).sum(axis=0), np.tensordot(weights, lower, 1).sum(axis=0)
    county[0] = np.divide(up, low, out=np.ones(n_cells), where=low > 0)
    pair, school, cell = np.nonzero(lower > 0)
    target = upper[pair, school, cell] / lower[pair, school, cell] - county[0, cell]
    stage = (np.cumsum(low <= 0))[cell]
    about = np.column_stack([school, town[school] * 100 + stage, school * 100 + cell])
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = RidgeCV(alphas=ALPHAS).fit(
        encoder.fit_transform(about), target, sample_weight=lower[pair, school, cell] * weights[pair]
    )
    where, at = np.indices((n_schools, n_cells)).reshape(2, -1)
    asked = np.column_stack([where, town[where] * 100 + np.cumsum(low <= 0)[at], where * 100 + at])
    ratio = county[0, at] + model.predict(encoder.transform(asked))
    return np.clip(ratio.reshape(n_schools, n_cells), 0.2, 3.0), county
