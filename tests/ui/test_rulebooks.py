"""Which rulebook is in force, and own copies of one: without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from geodata.errors import RuleError
from geodata.messages import msg
from planning.rules import BOOKS, read_rulebook
from reports.language import read_catalogue
from store import open_store
from ui import rulebooks, rules_copy
from ui.rulebooks import (
    DEFAULT_BOOK,
    build_judged_by,
    find_book,
    list_books,
    name_book,
    read_choice,
    read_reference,
    read_rules,
    resolve_choice,
    say_judged_by,
    write_text,
)
from ui.rules_changes import take_file
from ui.rules_check_tables import count_by_rule, count_by_subject, count_missing, say_headline, sum_cures
from ui.rules_copy import (
    Copy,
    CopyError,
    Edit,
    create_copy,
    date_changes,
    date_rule,
    drop_field,
    import_copy,
    list_problems,
    list_versions,
    put_edit,
    read_copy,
    restore_version,
    save_document,
)
from ui.rules_edit import check_form, collect_fields
from ui.rules_new import build_rule_table, check_new, number_rule
from ui.rules_table import Filter, select_rules
from ui.rules_view import TROUBLE_KEY, View, build_view
from ui.rules_words import say_limits, say_plain, say_values
from ui.scenario_store import say_trouble
from ui.state import RULES_KEY

SAY = read_catalogue("en")
CHINESE = read_catalogue("zh")


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A store and a cache of this test's own, and an empty session."""
    monkeypatch.setenv("BUJU_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("BUJU_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BUJU_DATABASE_URL", raising=False)
    store = open_store()
    for module in (rulebooks, rules_copy):
        monkeypatch.setattr(module, "open_app_store", lambda: store)
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    yield


def _copy(name: str = "Ours") -> Copy:
    return read_copy(create_copy(name, "cn", "county", "Li"))


def _change(copy: Copy, value: float, *, source: str = "Notice 3", reason: str = "Growth") -> Copy:
    edit = Edit("P7.red", {"value.all": value}, source, reason)
    return read_copy(save_document(copy, put_edit(copy.read_document(), edit), "Wang"))


def test_built_in_books_come_first_and_are_their_own_reference() -> None:
    assert [book.choice for book in list_books()] == list(BOOKS)
    assert resolve_choice("cn") == "cn"
    assert read_choice() == DEFAULT_BOOK


def test_an_own_copy_becomes_a_file_named_by_its_text_and_comes_back_when_the_cache_is_cleared() -> None:
    stored = _copy().stored
    path = Path(resolve_choice(stored.ruleset_id))
    assert path.read_text(encoding="utf-8") == stored.text
    assert write_text(stored.text) == path
    path.unlink()
    assert resolve_choice(stored.ruleset_id) == str(path)
    assert path.is_file()


def test_a_choice_holds_an_older_version_and_what_is_unknown_falls_back() -> None:
    copy = _copy()
    later = _change(copy, 0.9)
    st.session_state[RULES_KEY] = copy.stored.ruleset_id
    assert read_rules(read_reference()).by_id("P7.red").limit("all") == 1.0
    assert name_book(find_book(copy.stored.ruleset_id) or list_books()[0], SAY) == "Ours, version 1"
    st.session_state[RULES_KEY] = later.stored.ruleset_id
    assert read_rules(read_reference()).by_id("P7.red").limit("all") == 0.9
    for nonsense in ("../../etc/passwd", "0" * 16, "\x00", "<b>"):
        st.session_state[RULES_KEY] = nonsense
        assert read_reference() == DEFAULT_BOOK


def test_a_stored_text_never_reads_another_file(tmp_path: Path) -> None:
    other = tmp_path / "secret.toml"
    other.write_text('name = "x"\n', encoding="utf-8")
    text = f'name = "Trap"\nversion = "1"\nbase = "{other}"\n'
    stored = open_store().save_ruleset("Trap", text, "")
    with pytest.raises(RuleError, match="not a rulebook of this program"):
        resolve_choice(stored.ruleset_id)
    with pytest.raises(RuleError, match="not a rulebook of this program"):
        import_copy(text, "")
    st.session_state[RULES_KEY] = stored.ruleset_id
    assert read_reference() == DEFAULT_BOOK


def test_what_judged_is_named_with_its_version_and_unverified_values() -> None:
    words = say_judged_by(_change(_copy("<b>Ours"), 0.9).rules, SAY)
    assert words.startswith("Judged by: <b>Ours 2, on cn 20")
    assert "not verified" in words  # nobody said that the notice was read
    assert (
        "<b>" not in build_judged_by(read_copy(create_copy("<b>Mine", "cn", "city", "Li")).rules, SAY).split(">", 1)[1]
    )


def test_two_changes_of_one_field_leave_the_last_and_its_history() -> None:
    copy = _change(_change(_copy(), 0.9), 0.8, reason="Again")
    assert [(item.field, item.before, item.after, item.reason) for item in copy.changes] == [
        ("value.all", 1.0, 0.8, "Again")
    ]
    dated = date_changes(copy, list_versions("Ours"))
    assert [(item.version, item.who) for item in dated] == [(3, "Wang")]
    history = date_rule(copy, "P7.red", list_versions("Ours"))
    assert [(item.version, item.change.before, item.change.after) for item in history] == [(3, 0.9, 0.8), (2, 1.0, 0.9)]


def test_a_change_is_taken_back_field_by_field() -> None:
    copy = _copy()
    edit = Edit("L7", {"value.primary": 40.0, "severity": "warn"}, "Notice", "Why", verified=True)
    changed = read_copy(save_document(copy, put_edit(copy.read_document(), edit), "Li"))
    rule = changed.rules.by_id("L7")
    # The other stages stay as they are, and whoever has read the source says so.
    assert (rule.limit("primary"), rule.limit("junior"), rule.severity, rule.verified) == (40.0, 50.0, "warn", True)
    document = drop_field(changed.read_document(), "L7", "value.primary")
    back = read_copy(save_document(changed, document, "Li"))
    assert [item.field for item in back.changes] == ["severity"]
    document = drop_field(back.read_document(), "L7", "severity")
    assert read_copy(save_document(back, document, "Li")).changes == ()
    assert document["rule"] == []


def test_a_copy_of_a_copy_takes_its_changes_along() -> None:
    first = _change(_copy(), 0.9)
    second = read_copy(create_copy("Town", first, "city", "Li"))
    assert (second.level, second.stored.version, second.rules.by_id("P7.red").limit("all")) == ("city", 1, 0.9)
    assert read_copy(first.stored).level == "county"


def test_a_copy_of_a_book_that_changes_another_one_lists_only_its_own_changes() -> None:
    copy = read_copy(create_copy("Council", "england", "county", "Li"))
    assert read_rulebook("england").changes
    assert copy.changes == ()
    rule = next(rule for rule in copy.rules.rules if rule.value)
    edit = Edit(rule.id, {"severity": "note" if rule.severity != "note" else "warn"}, "Notice", "Why")
    changed = read_copy(save_document(copy, put_edit(copy.read_document(), edit), "Li"))
    assert [item.field for item in changed.changes] == ["severity"]
    assert len(date_changes(changed, list_versions("Council"))) == 1


def test_nobody_overwrites_what_somebody_else_has_saved() -> None:
    copy = _copy()
    _change(copy, 0.9)
    with pytest.raises(CopyError):
        _change(copy, 0.7)
    with pytest.raises(CopyError):
        create_copy("ours", "cn", "county", "Li")


def test_an_older_version_can_be_restored() -> None:
    copy = _copy()
    _change(copy, 0.9)
    restored = read_copy(restore_version(copy.stored, "Li"))
    assert (restored.stored.version, restored.rules.version, restored.changes) == (3, "3", ())


def test_a_file_that_is_no_rulebook_is_told_with_everything_that_is_wrong() -> None:
    text = 'name = "X"\nversion = "1"\nbase = "cn"\n[[rule]]\nid = "P7.red"\nvalue = "much"\n[[rule]]\nid = "nowhere"\n'
    with pytest.raises(RuleError) as caught:
        import_copy(text, "Li")
    lines = list_problems(caught.value, SAY)
    assert len(lines) >= 3
    assert any("'reason' is missing" in line for line in lines)
    assert not any(".toml" in line for line in lines)


def test_a_file_with_several_problems_is_told_wholly_in_chinese() -> None:
    lines = ['name = "X"', 'version = "1"', 'base = "cn"', "colour = 1", "[[rule]]", 'id = "P7.red"', 'value = "much"']
    lines += ["[[rule]]", 'id = "nowhere"', "enabled = 3", 'exceptions = [{ when = "pupils =< 3", exempt = true }]']
    assert not take_file("\n".join(lines).encode(), CHINESE)
    _place, heads = st.session_state[TROUBLE_KEY]
    assert len(heads) == 1  # the head first: without it nobody knows what the rules would change
    lines.remove("colour = 1")
    assert not take_file("\n".join(lines).encode(), CHINESE)
    _place, rules = st.session_state[TROUBLE_KEY]
    assert len(rules) == 7
    assert not take_file("\n".join([*lines, "[[rule"]).encode(), CHINESE)
    _place, broken = st.session_state[TROUBLE_KEY]
    assert broken == ["不是有效的 TOML 文件：表的列表名称之后缺少“]]”（文件末尾）"]
    assert not take_file(f"a = {'9' * 5_000}".encode(), CHINESE)
    for line in (*heads, *rules, *broken, *st.session_state[TROUBLE_KEY][1]):
        own = re.sub("“[^”]*”", "", line)
        assert re.search("[\u4e00-\u9fff]", own), line
        assert not re.search("[A-Za-z]{2,} [a-z]+", own), line
    other = RuleError([msg("{key!r} is missing", key="op"), msg("a table was expected")], "x.toml")
    assert say_trouble(other, CHINESE) == "缺少“op”；此处应为表"


def test_a_file_comes_back_as_it_went_out() -> None:
    copy = _change(_copy(), 0.9)
    again = import_copy(copy.stored.text.replace('"Ours"', '"Theirs"'), "Li")
    assert read_copy(again).changes == copy.changes


def test_the_form_tells_all_that_is_missing_and_collects_only_what_differs() -> None:
    rule = read_rulebook("cn").by_id("P7.red")
    as_it_is = {"value_all": 100.0, "severity": rule.severity, "enabled": True, "valid_from": None}
    assert collect_fields(rule, as_it_is) == {}
    assert len(check_form(rule, as_it_is, SAY)) == 4
    given = {**as_it_is, "value_all": 95.0, "enabled": False, "who": "Li", "source": "Notice", "reason": "Why"}
    assert collect_fields(rule, given) == {"value.all": 0.95, "enabled": False}
    assert check_form(rule, given, SAY) == []
    assert len(check_form(rule, {**given, "value_all": None}, SAY)) == 1
    assert check_form(rule, {**given, "valid_from": 2030, "valid_until": 2027}, SAY) == [
        SAY("The rule would end before it begins.")
    ]


def test_a_rule_of_ones_own_is_added_changed_and_taken_out() -> None:
    copy = _copy()
    st.session_state[RULES_KEY] = copy.stored.ruleset_id
    given: dict[str, Any] = {"op": "<=", "severity": "block", "value_primary": 40.0, "verified": False}
    assert len(check_new({"op": "<="}, SAY)) == 5
    given |= {"name": "Classes of 40", "source": "Notice", "reason": "Why", "clause": "", "who": "Li"}
    assert check_new(given, SAY) == []
    table = build_rule_table(number_rule(build_view()), "max_class_size", given, "pupils")
    added = read_copy(save_document(copy, rules_copy.add_rule(copy.read_document(), table), "Li"))
    assert added.rules.by_id("OWN-1").limit("primary") == 40.0
    assert [item.field for item in added.changes] == ["rule"]
    edit = Edit("OWN-1", {"value.primary": 38.0}, "Notice 2", "Smaller")
    changed = read_copy(save_document(added, put_edit(added.read_document(), edit), "Li"))
    assert changed.rules.by_id("OWN-1").limit("primary") == 38.0
    gone = read_copy(save_document(changed, drop_field(changed.read_document(), "OWN-1", "rule"), "Li"))
    assert gone.changes == ()


def test_the_filter_finds_by_words_mark_and_change() -> None:
    copy = _change(_copy(), 0.9)
    st.session_state[RULES_KEY] = copy.stored.ruleset_id
    view: View = build_view()
    assert [rule.id for rule in select_rules(view, Filter(changed=True))] == ["P7.red"]
    assert "P7.red" in [rule.id for rule in select_rules(view, Filter(words="seat RED"))]
    assert select_rules(view, Filter(words="学位预警 红色"))
    assert all(not rule.verified for rule in select_rules(view, Filter(mark="unverified")))
    assert select_rules(view, Filter(words="no such rule anywhere")) == []


def test_limits_are_said_with_their_units() -> None:
    rules = read_rulebook("cn")
    assert say_limits(rules.by_id("P7.red"), SAY) == "≤ 100%"
    assert say_values({"primary": 45, "junior": 50, "senior": 50}, "pupils", SAY) == (
        "Primary 45 pupils · Junior, Senior 50 pupils"
    )
    assert say_plain(None, "value.all", "share", SAY) == "–"
    assert say_plain(True, "enabled", "", SAY) == "yes"
    assert say_plain(2027, "valid_from", "pupils", SAY) == "2027"


def _checks() -> Any:
    import pandas as pd

    columns = ("rule_id", "subject", "subject_id", "subject_name", "stage", "status", "severity", "missing", "cure")
    rows = [
        ("P7.red", "school", "1", "East", "primary", "failed", "block", "", "places"),
        ("P7.red", "school", "2", "West", "primary", "passed", "block", "", ""),
        ("G5", "school", "1", "East", "primary", "unknown", "warn", "places.classes", ""),
        ("G5", "school", "2", "West", "primary", "failed", "warn", "", "classes"),
        ("L7", "school", "2", "West", "primary", "unknown", "note", "places.classes", ""),
    ]
    amounts = {"cure_amount": [30.0, float("nan"), float("nan"), 2.0, float("nan")]}
    return pd.DataFrame(rows, columns=list(columns)).assign(**amounts)


def test_checks_are_counted_the_gravest_first() -> None:
    rules, checks = read_rulebook("cn"), _checks()
    counts = count_by_rule(checks, rules)
    assert list(counts["rule_id"]) == ["P7.red", "G5", "L7"]
    assert list(counts["failed"]) == [1, 1, 0]
    schools = count_by_subject(checks, "school").set_index("subject_id")
    assert list(schools.index) == ["1", "2"]  # the one with a serious failure first
    assert (schools.loc["1", "serious"], schools.loc["2", "failed"]) == (1, 1)
    missing = count_missing(checks)
    assert missing.to_dict("records") == [{"missing": "places.classes", "rules": 2, "subjects": 2}]
    assert sum_cures(checks) == {"places": 30.0, "classes": 2.0}
    # G5 fails somewhere, so of the rules that lack data only L7 cannot be judged at all.
    assert say_headline(checks, SAY) == (
        "Rules that fail: 2, at 2 schools and 0 communities. Not judged for want of data: 1."
    )
