"""Studies, rulebooks, runs and the audit trail. On both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from reports.language import read_catalogue
from store import Store, StoreMissingError, StoreNameError
from store.audit import tell_entry


def test_studies_are_registered_once(store: Store) -> None:
    made = store.register_study("demo", "Demo county\x00", "f1", "Li")
    assert (made.name, made.fingerprint, made.who) == ("Demo county", "f1", "Li")
    assert store.register_study("demo", "Demo county", "f1", "Wang") == made  # nothing new: nothing written
    changed = store.register_study("demo", "Demo county", "f2", "Wang")
    assert (changed.fingerprint, changed.created_at) == ("f2", made.created_at)
    assert changed.changed_at > made.changed_at
    store.create_scenario("a county nobody registered", "A", "", "Li")
    assert [study.study_key for study in store.list_studies()] == ["a county nobody registered", "demo"]
    assert store.find_study("demo") == changed
    assert store.find_study("nothing") is None
    told = [entry.what for entry in store.list_audit("demo")]
    assert told == ["study_changed", "study_registered"]
    with pytest.raises(StoreNameError):
        store.register_study("", "x", "f")


def test_rulebooks_keep_every_version(store: Store) -> None:
    first = store.save_ruleset("County rules", "a = 1", "Li")
    assert store.save_ruleset("County rules", "a = 1", "Wang") == first
    second = store.save_ruleset("county rules", "a = 2", "Wang")
    assert (first.version, second.version, second.name) == (1, 2, "county rules")
    store.save_ruleset("Another", "b = 1", "Li")
    assert [(item.name, item.version) for item in store.list_rulesets()] == [("Another", 1), ("county rules", 2)]
    assert store.find_ruleset("County Rules") == second
    assert store.find_ruleset("county rules", 1) == first
    assert store.find_ruleset("county rules", 3) is None
    assert store.find_ruleset("none") is None
    assert store.list_ruleset_versions("COUNTY rules") == (second, first)
    assert store.list_ruleset_versions("none") == store.list_ruleset_versions("\x00") == ()
    assert store.find_ruleset_by_id(first.ruleset_id) == first
    assert store.find_ruleset_by_id("none") is None
    assert store.find_ruleset_by_id("\x00") is None
    rare = store.save_ruleset("\ue000 क्\u200dष", "c = 1", "Li")  # a sign of one's own font, a joiner
    assert store.save_ruleset(rare.name, "c = 2", "Li").version == 2


def test_runs_keep_their_record(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x", "Li")
    record = {
        "results_version": 1,
        "study_fingerprint": "abc",
        "limits": {"time_limit_s": 60.0, "seed": 0},
        "versions": {"highspy": "1.14.0"},
        "roll_years": {"primary": None},
        "sources": ({"role": "schools", "path": "学校.csv"},),
    }
    indicators = {"mean_travel_min": 12.25, "unknown": float("nan"), "pupils": np.int64(7), "share": np.float64(0.1)}
    run = store.save_run(made.scenario_id, 1, record, indicators, "plan-1", "Li")
    assert run.record == record | {"sources": [{"role": "schools", "path": "学校.csv"}]}
    assert run.indicators == {"mean_travel_min": 12.25, "unknown": None, "pupils": 7, "share": 0.1}
    later = store.save_run(made.scenario_id, 1, {}, {}, "", "")
    assert store.list_runs(made.scenario_id) == (later, run)
    assert store.list_runs("nothing") == ()
    assert [entry.what for entry in store.list_audit(scenario_id=made.scenario_id)][:2] == ["run_saved"] * 2
    with pytest.raises(StoreMissingError):
        store.save_run(made.scenario_id, 2, {}, {}, "", "Li")
    with pytest.raises(StoreMissingError):
        store.save_run("nothing", 1, {}, {}, "", "Li")


def test_the_audit_tells_who_what_and_when(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x", "Li", note="why")
    store.save_scenario(made.scenario_id, "y", "Wang", 1, name="B")
    store.create_scenario("other", "O", "x", "Li")
    entries = store.list_audit("demo")
    assert [(entry.what, entry.who, entry.subject, entry.version) for entry in entries] == [
        ("scenario_saved", "Wang", "B", 2),
        ("scenario_created", "Li", "A", 1),
        ("study_registered", "Li", "demo", None),
    ]
    assert [entry.at for entry in reversed(entries)] == [
        datetime(2026, 9, 1, 12, 1, tzinfo=UTC),
        datetime(2026, 9, 1, 12, 1, tzinfo=UTC),
        datetime(2026, 9, 1, 12, 2, tzinfo=UTC),
    ]
    assert entries[0].details == {"name_before": "A"}
    assert entries[1].details == {"note": "why"}
    assert [entry.number for entry in store.list_audit()] == [5, 4, 3, 2, 1]
    assert [entry.number for entry in store.list_audit(limit=2)] == [5, 4]


def test_every_entry_can_be_told_in_both_languages(store: Store) -> None:
    made = store.create_scenario("demo", "A", "x", "Li")
    key = made.scenario_id
    store.save_scenario(key, "y", "Li", 1)
    store.rename_scenario(key, "B", "Li", 2)
    store.restore_version(key, 1, "Li", 3)
    store.copy_scenario(key, "C", "Li")
    store.delete_scenario(key, "Li")
    store.undelete_scenario(key, "Li")
    store.register_study("demo", "Demo", "f", "Li")
    store.save_ruleset("rules", "x", "Li")
    store.save_run(key, 1, {}, {}, "", "Li")
    entries = store.list_audit()
    assert len({entry.what for entry in entries}) == 11
    assert len({tell_entry(entry).template for entry in entries}) == 11
    chinese = read_catalogue("zh")
    for entry in entries:
        assert chinese.say(tell_entry(entry)) != str(tell_entry(entry)), entry.what
