"""What families do, not what they are told: a choice model calibrated to the rolls.

D. L. Huff's model (*A Probabilistic Analysis of Shopping Center Trade Areas*, Land Economics 39, 1963) in the form of
D. McFadden's conditional logit (1974): the pupils of unit ``i`` choose school ``j`` with the probability

    P_ij = A_j f(t_ij) / sum over k of A_k f(t_ik),     A_j = places_j^alpha × exp(b · features_j)

``f`` is ``exp(-g t)`` (minutes; kilometres where metres are compared). Features: school in the city or in a town
(against rural), nine- and twelve-year school, teaching point (open to the low grades only), private. Leakage to the
seat is a class of its own: a share of the families outside the city sends its children to city schools whatever the
way (they rent there, or board), chosen by ``A_j`` alone.

Only the rolls are known, not who goes where, so the model is fitted to the schools' shares of all pupils: the
multinomial (Poisson) deviance is minimised. Rolls scatter far more than counts of independent pupils would; the
deviance is therefore divided by its dispersion, and normal priors keep few schools from being overfitted (see
``planning.choice_fit.build_priors``). The total of the units and that of the rolls seldom agree: shares of the whole
are compared, as in ``planning.leakage``.

Rolls follow places, so they say little about the way that families accept: left free, the decay flees to the value
where distance hardly counts, the rolls are met better and the flows are wrong (measured on the demo county, whose true
flows are known: see docs/method.md). So by default the way over which the pull of a school halves is assumed, and what
the rolls alone would say, exponential and power, ``(t + 1)^-g``, is reported beside it (``ChoiceOptions.decay``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geodata.messages import Message, msg
from planning.assignment import UNREACHED, Bools, Ints, Ways, build_enrolment, enrol_nearest
from planning.choice_fit import (
    ASSUMED,
    DECAYS,
    ChoiceModel,
    Fit,
    Sample,
    build_priors,
    build_sample,
    choose,
    compute_load,
    drawn_share,
    fit,
)
from planning.scenario import Scenario, name_setting, name_stage

CHOICE = "choice"
MIN_SHARE = 0.005
"""Shares of a unit's grade band below this are dropped and the others raised in proportion."""
MIN_SCHOOLS = 4
FOLDS = 5
MAX_VALIDATED = 6_000_000
"""Units × schools up to which the fit is validated on schools left out (five more fits)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChoiceParameter:
    """One parameter: its value, an approximate standard error, and what it means in words."""

    name: str
    value: float
    standard_error: float
    meaning: Message


@dataclass(frozen=True)
class FitQuality:
    """How near modelled rolls come to the actual ones.

    ``placed_right_share`` = 1 − Σ|model − actual| / (2 · total): pupils who need not be moved between schools to turn
    one into the other, an upper bound of the pupils placed right.
    """

    r_squared: float
    rmse_pupils: float
    placed_right_share: float


@dataclass(frozen=True, eq=False)
class ChoiceFit:
    """A fitted model of one stage.

    ``deviance`` by decay; ``quality`` of the model on the schools it was fitted to, ``validated`` on schools left out
    of the fit (None = not done), ``baseline`` of "everybody at the nearest school", ``by_places`` of "in proportion to
    places, wherever they live". ``model`` is what :func:`predict_choice` needs.

    ``schools``: school_id, name, actual_pupils, modelled_pupils, nearest_pupils,
    by_places_pupils (all scaled to the rolls). ``flows``: kind (setting, town), area, school_setting, pupils,
    nearest_pupils, gained_pupils: where the pupils of an area go, against their nearest school.
    """

    stage: str
    decay: str
    parameters: tuple[ChoiceParameter, ...]
    deviance: tuple[tuple[str, float], ...]
    dispersion: float
    quality: FitQuality
    baseline: FitQuality
    by_places: FitQuality
    validated: FitQuality | None
    schools: pd.DataFrame = field(repr=False)
    flows: pd.DataFrame = field(repr=False)
    notes: tuple[Message, ...] = ()
    model: ChoiceModel | None = field(default=None, repr=False)

    def parameter(self, name: str) -> float:
        """Return the value of a parameter; ``KeyError`` where the model has none of that name."""
        return {item.name: item.value for item in self.parameters}[name]


def check_rolls(schools: pd.DataFrame) -> bool:
    """Whether the rolls of a stage are enough to fit a model to."""
    return int((schools["actual_pupils"] > 0).sum()) >= MIN_SCHOOLS


def enrol_by_choice(
    ways: Ways, schools: pd.DataFrame, travel: Floats, scenario: Scenario, unit_about: pd.DataFrame
) -> tuple[pd.DataFrame, ChoiceFit]:
    """Return the enrolment as families choose (table of :func:`planning.assignment.enrol_nearest`), and the fit.

    Parameters
    ----------
    schools
        Of one stage, in the order of ``ways.school_ids``, with ``actual_pupils``.
    travel : shape (units, schools)
        Minutes (kilometres where metres are compared), ``inf`` = no way.
    unit_about
        ``setting`` and ``town`` of the units, in the order of ``ways.unit_ids``.

    Raises
    ------
    ValueError
        Fewer than ``MIN_SCHOOLS`` schools have a roll.
    """
    if not check_rolls(schools):
        raise ValueError("too few rolls to fit a choice model")
    stage = str(schools["stage"].iloc[0])
    sample = build_sample(ways, schools, travel, scenario.low_grade_share, unit_about)
    known = schools["actual_pupils"].notna().to_numpy()
    priors = {decay: build_priors(sample, decay, stage, scenario.measure) for decay in DECAYS}
    fits = {decay: fit(sample, decay, known, priors[decay]) for decay in DECAYS}
    free = min(DECAYS[1:], key=lambda name: (fits[name].deviance, name))
    decay = ASSUMED if scenario.choice.decay == "assumed" else free
    best = fits[decay]
    enrolment = _enrol(ways, sample, decay, best.theta)
    nearest = enrol_nearest(ways, measure=scenario.measure, low_grade_share=scenario.low_grade_share)
    table = _compare_rolls(schools, ways, compute_load(sample, decay, best.theta), nearest)
    quality, baseline, by_places = (
        _judge(table, column) for column in ("modelled_pupils", "nearest_pupils", "by_places_pupils")
    )
    answer = ChoiceFit(
        stage=stage,
        decay=decay,
        parameters=_describe_parameters(sample, decay, best, scenario.measure),
        deviance=tuple((name, item.deviance) for name, item in fits.items()),
        dispersion=best.dispersion,
        quality=quality,
        baseline=baseline,
        by_places=by_places,
        validated=_validate(sample, decay, known, table, priors[decay]) if travel.size <= MAX_VALIDATED else None,
        schools=table,
        flows=_build_flows(enrolment, nearest, schools, unit_about, ways),
        notes=_note(schools, fits, free, scenario),
        model=ChoiceModel(decay, tuple(best.theta.tolist()), sample.names, sample.typical_places, sample.leaks),
    )
    return enrolment, answer


def predict_choice(
    fitted: ChoiceFit, ways: Ways, schools: pd.DataFrame, travel: Floats, scenario: Scenario, unit_about: pd.DataFrame
) -> tuple[pd.DataFrame, ChoiceFit]:
    """Return the enrolment among other schools than those of the fit: same parameters, same arguments as the fit.

    A new school draws by its places, setting, kind and ownership. The fit is returned with the new flows.

    Raises
    ------
    ValueError
        ``fitted`` carries no model.
    """
    model = fitted.model
    if model is None:
        raise ValueError("this fit carries no model to predict with")
    sample = build_sample(ways, schools, travel, scenario.low_grade_share, unit_about, model=model)
    enrolment = _enrol(ways, sample, model.decay, np.array(model.theta))
    nearest = enrol_nearest(ways, measure=scenario.measure, low_grade_share=scenario.low_grade_share)
    return enrolment, replace(fitted, flows=_build_flows(enrolment, nearest, schools, unit_about, ways))


def _validate(
    sample: Sample, decay: str, known: Bools, table: pd.DataFrame, priors: tuple[Floats, Floats]
) -> FitQuality:
    """Return the quality on schools left out of the fit, a fifth of them at a time (every fifth by id)."""
    at = np.flatnonzero(known)
    predicted = np.full(len(known), np.nan)
    for fold in range(min(FOLDS, len(at) // 2)):
        out = at[fold :: min(FOLDS, len(at) // 2)]
        use = known.copy()
        use[out] = False
        load = compute_load(sample, decay, fit(sample, decay, use, priors).theta)
        predicted[out] = load[out] * float(sample.actual[use].sum()) / float(load[use].sum())
    left_out = table.assign(predicted=predicted[known])
    return _judge(left_out, "predicted")


def _compare_rolls(schools: pd.DataFrame, ways: Ways, load: Floats, nearest: pd.DataFrame) -> pd.DataFrame:
    """Return actual, modelled and nearest pupils of the schools whose roll is known; totals scaled to the rolls."""
    known = schools["actual_pupils"].notna().to_numpy()
    table = schools.loc[known, ["school_id", "name", "actual_pupils"]].reset_index(drop=True)
    near = nearest.groupby("school_id")["pupils"].sum().reindex(ways.school_ids).fillna(0.0).to_numpy(dtype=np.float64)
    total = float(table["actual_pupils"].sum())
    places = (
        schools["capacity_places"].fillna(schools["capacity_places"].median()).fillna(1.0).to_numpy(dtype=np.float64)
    )
    estimates = (("modelled_pupils", load), ("nearest_pupils", near), ("by_places_pupils", places))
    for column, values in ((name, every[known]) for name, every in estimates):
        held = float(values.sum())
        table[column] = values * total / held if held > 0 else np.nan
    return table


def _judge(table: pd.DataFrame, column: str) -> FitQuality:
    actual = table["actual_pupils"].to_numpy(dtype=np.float64)
    off = table[column].to_numpy(dtype=np.float64) - actual
    spread = float(((actual - actual.mean()) ** 2).sum())
    return FitQuality(
        r_squared=1.0 - float((off**2).sum()) / spread if spread > 0 else float("nan"),
        rmse_pupils=float(np.sqrt((off**2).mean())),
        placed_right_share=1.0 - float(np.abs(off).sum()) / (2.0 * float(actual.sum())),
    )


def _enrol(ways: Ways, sample: Sample, decay: str, theta: Floats) -> pd.DataFrame:
    """Return the enrolment, small shares dropped."""
    x = sample.decay_term(decay)
    weights = [float(pupils.sum()) for pupils, _ in sample.bands]
    whole = sum(weights)
    shares = [weight / whole for weight in weights] if whole > 0 else [1.0 / len(weights)] * len(weights)
    rows: list[tuple[Ints, Ints, Floats]] = []
    for (_, allowed), band in zip(sample.bands, shares, strict=True):
        chance = choose(sample, x, theta, allowed)
        kept = np.where(chance >= MIN_SHARE, chance, 0.0)
        lonely = (kept.sum(axis=1) <= 0) & (chance.sum(axis=1) > 0)
        kept[lonely] = chance[lonely]
        total = kept.sum(axis=1)
        unit, school = np.nonzero(kept)
        rows.append((unit, school, band * kept[unit, school] / total[unit]))
        lost = np.flatnonzero(total <= 0)
        rows.append((lost, np.full(len(lost), -1, dtype=np.int64), np.full(len(lost), band)))
    units, schools, share = (np.concatenate(list(column)) for column in zip(*rows, strict=True))
    origin = np.where(schools >= 0, CHOICE, UNREACHED).astype(object)
    return build_enrolment(ways, units, schools, share, origin)


def _build_flows(
    enrolment: pd.DataFrame, nearest: pd.DataFrame, schools: pd.DataFrame, unit_about: pd.DataFrame, ways: Ways
) -> pd.DataFrame:
    """Return pupils by area of the unit and setting of the school, as modelled and at the nearest school."""
    setting = schools.set_index("school_id")["setting"].to_dict()
    parts = []
    for kind in ("setting", "town"):
        area = dict(zip(ways.unit_ids, unit_about[kind].fillna("").astype(str), strict=True))
        sums = []
        for name, table in (("pupils", enrolment), ("nearest_pupils", nearest)):
            rows = table[(table["school_id"] != "") & table["pupils"].notna()]
            keys = [rows["unit_id"].map(area).rename("area"), rows["school_id"].map(setting).rename("school_setting")]
            sums.append(rows["pupils"].groupby(keys).sum().rename(name))
        part = pd.concat(sums, axis=1).fillna(0.0).reset_index()
        parts.append(part.assign(kind=kind)[part["area"] != ""])
    flows = pd.concat(parts, ignore_index=True)
    flows["gained_pupils"] = flows["pupils"] - flows["nearest_pupils"]
    order = ["kind", "area", "school_setting", "pupils", "nearest_pupils", "gained_pupils"]
    return flows.sort_values(order[:3], kind="stable").loc[:, order].reset_index(drop=True)


def _describe_parameters(sample: Sample, decay: str, best: Fit, measure: str) -> tuple[ChoiceParameter, ...]:
    steep = float(np.exp(best.theta[0]))
    meaning = _describe_decay(decay, steep, measure)
    found = [ChoiceParameter("decay", steep, steep * float(best.errors[0]), meaning)]
    if sample.city.any():
        share = drawn_share(best.theta)
        words = msg("{share:.1%} of the families outside the city choose a city school whatever the way", share=share)
        found.append(ChoiceParameter("drawn_share", share, share * (1.0 - share) * float(best.errors[1]), words))
    for name, value, error in zip(sample.names, best.theta[2:], best.errors[2:], strict=True):
        found.append(ChoiceParameter(name, float(value), float(error), _describe_feature(name, float(value))))
    return tuple(found)


def _describe_decay(decay: str, steep: float, measure: str) -> Message:
    unit = msg("min") if measure == "time" else msg("km")
    if decay == "power":
        return msg(
            "a school twice as far (way + 1 {unit}) keeps {factor:.0%} of its pull", unit=unit, factor=2.0**-steep
        )
    return msg("the pull of a school halves every {half:.1f} {unit} of way", half=float(np.log(2.0)) / steep, unit=unit)


def _describe_feature(name: str, value: float) -> Message:
    if name == "places":
        return msg("a school with twice the places draws {factor:.2f} times as many", factor=2.0**value)
    times = float(np.exp(value))
    words = {
        "urban": msg("a school in the city draws {factor:.2f} times as many as a rural one of its size", factor=times),
        "town": msg("a school in a town draws {factor:.2f} times as many as a rural one of its size", factor=times),
        "joint": msg("a nine- or twelve-year school draws {factor:.2f} times as many as others", factor=times),
        "teaching_point": msg("a teaching point draws {factor:.2f} times as many low grades as others", factor=times),
        "private": msg("a private school draws {factor:.2f} times as many as a public one", factor=times),
    }
    return words[name]


def _note(schools: pd.DataFrame, fits: dict[str, Fit], free: str, scenario: Scenario) -> tuple[Message, ...]:
    notes = [msg("Rolls follow places: they show the pull of schools better than the way that families accept.")]
    if scenario.choice.decay == "assumed":
        words = _describe_decay(free, float(np.exp(fits[free].theta[0])), scenario.measure)
        notes.append(msg("The way is assumed. From the rolls alone: {words}.", words=words))
    missing = int(schools["actual_pupils"].isna().sum())
    if missing:
        notes.append(msg("{count} schools without a roll take part, but are not fitted.", count=missing))
    unknown = int(schools["capacity_places"].isna().sum())
    if unknown:
        notes.append(msg("{count} schools without known places count as of middle size.", count=unknown))
    return tuple(notes)


def describe_choice(answer: ChoiceFit) -> list[Message]:
    """Return the fit and its largest flows in words."""
    told = [
        msg(
            "{stage}: modelled and actual rolls agree for {share:.0%} of the pupils; everybody at the nearest school"
            " {nearest:.0%}, in proportion to places {by_places:.0%}. R² {r_squared:.2f}, nearest {nearest_r:.2f}.",
            stage=name_stage(answer.stage),
            share=answer.quality.placed_right_share,
            nearest=answer.baseline.placed_right_share,
            by_places=answer.by_places.placed_right_share,
            r_squared=answer.quality.r_squared,
            nearest_r=answer.baseline.r_squared,
        )
    ]
    if answer.validated is not None:
        told.append(
            msg(
                "On schools left out of the fit: {share:.0%}, R² {r_squared:.2f}.",
                share=answer.validated.placed_right_share,
                r_squared=answer.validated.r_squared,
            )
        )
    flows = answer.flows[(answer.flows["kind"] == "setting") & (answer.flows["area"] != answer.flows["school_setting"])]
    gained = flows[flows["gained_pupils"] >= 1].sort_values("gained_pupils", ascending=False, kind="stable")
    told += [
        msg(
            "{count:,.0f} pupils of {area} units attend {setting} schools beyond those whose nearest is there.",
            count=float(row["gained_pupils"]),
            area=name_setting(str(row["area"])),
            setting=name_setting(str(row["school_setting"])),
        )
        for row in gained.to_dict("records")
    ]
    return told
