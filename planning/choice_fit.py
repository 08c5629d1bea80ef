"""The numbers of the choice model: probabilities, their derivatives, and the fit. See ``planning.choice``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from planning.assignment import Bools, Ways

ASSUMED = "assumed"
DECAYS = (ASSUMED, "exponential", "power")
"""``ASSUMED``: exponential, with the way over which the pull halves held at ``HALF_WAY_KM``."""
DISPERSION_FLOOR = 1.0
HALF_WAY_KM = {"kindergarten": 0.8, "primary": 1.0, "junior": 2.0, "senior": 5.0}
"""Way over which the pull of a school is taken to halve before any roll was seen: an assumption of this project."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChoiceModel:
    """Fitted parameters, and what of the schools they were fitted to is needed to use them for others.

    ``theta`` belongs to the decay, the drawn share and the features ``names``; ``typical_places`` stand for unknown
    ones; ``leaks``: there is a class of families drawn to the city.
    """

    decay: str
    theta: tuple[float, ...]
    names: tuple[str, ...]
    typical_places: float
    leaks: bool


@dataclass(frozen=True, eq=False)
class Sample:
    """What is fitted. ``travel`` (units, schools), inf = no way; ``features`` (schools, features).

    ``outside`` (units,) homes outside the city, ``city`` (schools,); both all False where there is no such class.
    """

    travel: Floats
    bands: tuple[tuple[Floats, Bools], ...]
    features: Floats
    names: tuple[str, ...]
    actual: Floats
    outside: Bools
    city: Bools
    typical_way: float
    typical_places: float = 1.0
    leaks: bool = False

    def decay_term(self, decay: str) -> Floats:
        """Return ``x`` of ``exp(g x)``: minus the travel, or minus its logarithm; −inf = no way."""
        return -np.log1p(self.travel) if decay == "power" else -self.travel


def build_sample(
    ways: Ways,
    schools: pd.DataFrame,
    travel: Floats,
    low_grade_share: float,
    unit_about: pd.DataFrame,
    *,
    model: ChoiceModel | None = None,
) -> Sample:
    """Return what is fitted; a feature that fewer than two schools have, or lack, is left out.

    ``model``: fitted before to other schools; its features are then the ones used.
    """
    pupils = np.nan_to_num(ways.pupils, nan=0.0)
    everywhere = np.ones(len(ways.school_ids), dtype=np.bool_)
    complete = ~ways.low_only
    bands: tuple[tuple[Floats, Bools], ...] = ((pupils, complete),)
    if ways.low_only.any() and low_grade_share > 0:
        bands = ((pupils * low_grade_share, everywhere), (pupils * (1.0 - low_grade_share), complete))
    capacity = schools["capacity_places"].to_numpy(dtype=np.float64)
    typical = float(np.median(capacity[capacity > 0])) if (capacity > 0).any() else 1.0
    typical = typical if model is None else model.typical_places
    size = np.log(np.where(capacity > 0, capacity, typical))
    candidates = {
        "urban": (schools["setting"] == "urban").to_numpy(),
        "town": (schools["setting"] == "town").to_numpy(),
        "joint": schools["kind"].isin(("nine_year", "twelve_year", "complete_secondary")).to_numpy(),
        "teaching_point": ways.low_only,
        "private": (schools["ownership"] == "private").to_numpy(),
    }
    if model is None:
        used = {name: value for name, value in candidates.items() if 2 <= int(value.sum()) <= len(value) - 2}
    else:
        used = {name: value for name, value in candidates.items() if name in model.names}
    outside = unit_about["setting"].isin(("town", "rural")).to_numpy()
    city = candidates["urban"] & complete
    leaks = bool(outside.any() and city.any() and not city.all()) if model is None else model.leaks
    metres, minutes = ways.length_m, ways.time_min
    both = np.isfinite(metres) & np.isfinite(minutes) & (minutes > 0)
    return Sample(
        travel=travel,
        bands=bands,
        features=np.column_stack([size - size.mean(), *(value.astype(np.float64) for value in used.values())]),
        names=("places", *used),
        actual=schools["actual_pupils"].to_numpy(dtype=np.float64),
        outside=outside & leaks,
        city=city & leaks,
        typical_way=float(minutes[both].sum() / metres[both].sum() * 1000.0) if both.any() else 12.5,
        typical_places=typical,
        leaks=leaks,
    )


def build_priors(sample: Sample, decay: str, stage: str, measure: str) -> tuple[Floats, Floats]:
    """Return means and widths of log(g), logit(share drawn to the city) and the weights of the features.

    The pull of a school is taken to halve every ``HALF_WAY_KM`` give or take a factor of 1.6 (power: exponent 1.5), a
    tenth of the families to be drawn to the city (0.02 to 0.45), alpha to be 0.5 ± 0.25, and features to be of no
    effect (give or take a factor of 2.7). The decay ``ASSUMED`` has no width: it is held.
    """
    half = HALF_WAY_KM[stage] * (1.0 if measure == "length" else sample.typical_way)
    decay_mean = np.log(1.5) if decay == "power" else np.log(np.log(2.0) / half)
    others = len(sample.names) - 1
    mean = np.array([decay_mean, np.log(0.1 / 0.9), 0.5, *[0.0] * others])
    width = np.array([0.0 if decay == ASSUMED else 0.5, 2.0, 0.25, *[1.0] * others])
    return mean, width


def _pick(sample: Sample, x: Floats, steep: float, pull: Floats, allowed: Bools) -> Floats:
    """Return P (units, schools); rows of zeros where no school can be reached."""
    score = steep * x + pull[None, :]
    score = np.where(np.isfinite(x) & allowed[None, :], score, -np.inf)
    top = score.max(axis=1, keepdims=True)
    power = np.exp(score - np.where(np.isfinite(top), top, 0.0))
    total = power.sum(axis=1, keepdims=True)
    chance: Floats = power / np.where(total > 0, total, 1.0)
    return chance


def choose(sample: Sample, x: Floats, theta: Floats, allowed: Bools) -> Floats:
    """Return P (units, schools) of both classes of families together."""
    pull = sample.features @ theta[2:]
    chance = _pick(sample, x, float(np.exp(theta[0])), pull, allowed)
    if not sample.city.any():
        return chance
    drawn = _pick(sample, np.where(np.isfinite(x), 0.0, -np.inf), 0.0, pull, allowed & sample.city)
    share = drawn_share(theta) * sample.outside * (drawn.sum(axis=1) > 0)
    both: Floats = chance * (1.0 - share)[:, None] + drawn * share[:, None]
    return both


def drawn_share(theta: Floats) -> float:
    """Return the share of the families outside the city that city schools draw whatever the way."""
    return float(1.0 / (1.0 + np.exp(-theta[1])))


def compute_load(sample: Sample, decay: str, theta: Floats) -> Floats:
    """Return modelled pupils by school."""
    x = sample.decay_term(decay)
    load: Floats = np.zeros(len(sample.actual))
    for pupils, allowed in sample.bands:
        load += pupils @ choose(sample, x, theta, allowed)
    return load


def _add_slope(slope: Floats, chance: Floats, weight: Floats, x: Floats | None, features: Floats, steep: float) -> None:
    """Add the derivatives of ``weight @ chance`` to ``slope`` (schools, parameters)."""
    part = weight @ chance
    mean_features = chance @ features
    slope[:, 2:] += part[:, None] * features - chance.T @ (weight[:, None] * mean_features)
    if x is not None:
        mean_x = (chance * x).sum(axis=1)
        slope[:, 0] += steep * (weight @ (chance * x) - (weight * mean_x) @ chance)


def _load_with_slope(sample: Sample, x: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """Return modelled pupils by school, and their derivatives (schools, parameters)."""
    load = np.zeros(len(sample.actual))
    slope = np.zeros((len(load), len(theta)))
    finite = np.where(np.isfinite(x), x, 0.0)
    pull, steep, city_share = sample.features @ theta[2:], float(np.exp(theta[0])), drawn_share(theta)
    for pupils, allowed in sample.bands:
        chance = _pick(sample, x, steep, pull, allowed)
        leaving = np.zeros(len(pupils))
        if sample.city.any():
            drawn = _pick(sample, np.where(np.isfinite(x), 0.0, -np.inf), 0.0, pull, allowed & sample.city)
            leaving = pupils * sample.outside * (drawn.sum(axis=1) > 0)
            load += city_share * leaving @ drawn
            slope[:, 1] += city_share * (1.0 - city_share) * (leaving @ drawn - leaving @ chance)
            _add_slope(slope, drawn, city_share * leaving, None, sample.features, steep)
        staying = pupils - city_share * leaving
        load += staying @ chance
        _add_slope(slope, chance, staying, finite, sample.features, steep)
    return load, slope


@dataclass(frozen=True, eq=False)
class Fit:
    """Parameters (log of the decay, logit of the drawn share, weights of the features) and how well they fit."""

    theta: Floats
    deviance: float
    dispersion: float
    errors: Floats


def _compute_deviance(sample: Sample, x: Floats, use: Bools, theta: Floats) -> tuple[float, Floats]:
    """Return the deviance of the shares of the schools in ``use``, and its derivatives."""
    load, slope = _load_with_slope(sample, x, theta)
    actual, held = sample.actual[use], np.maximum(load[use], 1e-9)
    total, sums = float(actual.sum()), float(held.sum())
    taught = actual > 0
    value = 2.0 * float((actual[taught] * np.log(actual[taught] / held[taught] * sums / total)).sum())
    steep: Floats = -2.0 * (actual / held) @ slope[use] + 2.0 * total / sums * slope[use].sum(axis=0)
    return value, steep


def fit(sample: Sample, decay: str, use: Bools, priors: tuple[Floats, Floats]) -> Fit:
    """Return the most likely parameters: first with the least dispersion, then with the one found."""
    from scipy.optimize import minimize

    x = sample.decay_term(decay)
    mean, width = priors[0], np.where(priors[1] > 0, priors[1], 1.0)
    theta, dispersion = mean.copy(), DISPERSION_FLOOR
    for _ in range(3):

        def loss(theta: Floats, dispersion: float = dispersion) -> tuple[float, Floats]:
            value, steep = _compute_deviance(sample, x, use, theta)
            off = (theta - mean) / width
            return value / dispersion + float(off @ off), steep / dispersion + 2.0 * off / width

        bounds = list(zip(mean - 6.0 * priors[1], mean + 6.0 * priors[1], strict=True))
        theta = minimize(loss, theta, jac=True, method="L-BFGS-B", bounds=bounds).x
        freedom = max(1, int(use.sum()) - len(theta) - 1)
        dispersion = max(DISPERSION_FLOOR, _compute_deviance(sample, x, use, theta)[0] / freedom)
    load, slope = _load_with_slope(sample, x, theta)
    held = np.maximum(load[use], 1e-9)
    share = held / held.sum()
    relative = np.where(priors[1] > 0, slope[use], 0.0) / held[:, None]
    relative -= share @ relative
    total = float(sample.actual[use].sum())
    information = total / dispersion * (relative * share[:, None]).T @ relative + np.diag(width**-2.0)
    errors = np.where(priors[1] > 0, np.sqrt(np.diag(np.linalg.inv(information))), 0.0)
    return Fit(theta, _compute_deviance(sample, x, use, theta)[0], dispersion, errors)
