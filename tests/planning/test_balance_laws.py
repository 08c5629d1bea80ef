"""Laws of the balance inspection, for any county."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.balance import build_balance
from planning.balance_assets import SHARED_ASSETS, round_to_sum, split_assets
from planning.balance_rules import SplitWeights
from planning.balance_spread import compute_spread
from tests.planning.balance_worlds import CN, build_two_schools, make_assets, make_good_row, put_tables

COUNTS = st.floats(min_value=1, max_value=5000)
MAYBE = st.one_of(st.none(), st.floats(min_value=0, max_value=1e6))


@given(st.lists(st.tuples(COUNTS, st.floats(min_value=0.01, max_value=100)), min_size=1, max_size=12), COUNTS)
def test_doubling_pupils_and_assets_leaves_every_coefficient(schools: list[tuple[float, float]], factor: float) -> None:
    pupils, assets = (np.array(column) for column in zip(*schools, strict=True))
    once = compute_spread(assets / pupils, pupils)
    scaled = compute_spread(assets / pupils, pupils * factor)
    assert scaled.weighted == pytest.approx(once.weighted, rel=1e-6, abs=1e-9)
    richer = compute_spread(assets / pupils * factor, pupils)
    assert richer.weighted == pytest.approx(once.weighted, rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=12))
def test_a_school_without_pupils_never_counts(schools: list[tuple[float, float]]) -> None:
    pupils, values = (np.array(column) for column in zip(*schools, strict=True))
    with_empty = compute_spread(np.append(values, [7.0, np.nan]), np.append(pupils, [0.0, 30.0]))
    without = compute_spread(values, pupils)
    assert (with_empty.weighted, with_empty.unweighted, with_empty.schools) == (
        without.weighted,
        without.unweighted,
        without.schools,
    )


@given(COUNTS, COUNTS, COUNTS, st.dictionaries(st.sampled_from(SHARED_ASSETS), MAYBE, max_size=8))
def test_splitting_conserves_totals(first: float, second: float, third: float, assets: dict[str, float | None]) -> None:
    stages = ["primary", "junior", "senior"]
    parts = pd.DataFrame({"school_id": "T", "stage": stages, "kind": "twelve_year", "pupils": [first, second, third]})
    found = split_assets(make_assets({"school_id": "T", **assets}), parts, SplitWeights())
    for name in SHARED_ASSETS:
        total = assets.get(name)
        if total is None:
            assert found[name].isna().all()
        else:
            assert found[name].sum() == pytest.approx(total, rel=1e-12, abs=1e-9)


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=6))
def test_rounded_parts_add_up_to_the_rounded_whole(values: list[float]) -> None:
    rounded = round_to_sum(values)
    assert sum(rounded) == round(sum(values)) or abs(sum(values) % 1 - 0.5) < 1e-6
    assert all(abs(one - two) <= 1.0 for one, two in zip(rounded, values, strict=True))


@settings(max_examples=4, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shuffling_rows_changes_nothing(random: object) -> None:
    study = build_two_schools(
        make_good_row("W", 200, year=2024), make_good_row("W", 200, backbone_teachers=1), make_good_row("E", 100)
    )
    seed = random.randrange(2**32)  # type: ignore[attr-defined]
    shuffled = replace(
        put_tables(study, assets=study.assets.sample(frac=1, random_state=seed)),
        rolls=study.rolls.sample(frac=1, random_state=seed),
        schools=study.schools.sample(frac=1, random_state=seed),
        places=study.places.sample(frac=1, random_state=seed),
    )
    one, two = build_balance(study, CN), build_balance(shuffled, CN)
    for name in ("indicators", "schools", "spread"):
        pd.testing.assert_frame_equal(
            getattr(one, name).drop(columns="note", errors="ignore"),
            getattr(two, name).drop(columns="note", errors="ignore"),
        )
    assert list(one.items["met"]) == list(two.items["met"])


def test_doubling_everything_leaves_every_verdict() -> None:
    study = build_two_schools(make_good_row("W", 200, backbone_teachers=1), make_good_row("E", 100))
    twice = replace(
        put_tables(study, assets=study.assets.assign(**{name: study.assets[name] * 2 for name in SHARED_ASSETS})),
        rolls=study.rolls.assign(pupils=study.rolls["pupils"] * 2, classes=study.rolls["classes"] * 2),
    )
    one, two = build_balance(study, CN), build_balance(twice, CN)
    pd.testing.assert_series_equal(one.indicators["value"], two.indicators["value"])
    pd.testing.assert_series_equal(one.spread["cv"], two.spread["cv"])
    assert list(one.schools["status"]) == list(two.schools["status"])
