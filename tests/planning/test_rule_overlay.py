"""Overlays: what they change, who may override whom, the round trip through TOML, and every problem at once."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import RuleError
from planning.rule_pages import EXAMPLE_OVERLAY
from planning.rules import (
    LEVELS,
    RuleChange,
    build_rules,
    compare_rulebooks,
    judge_predicate,
    read_rulebook,
    render_overlay,
    render_stack,
)

CN = read_rulebook("cn")
HEAD = {"name": "myxian", "version": "3", "base": "cn", "source": "notice 12", "reason": "ours"}
OWN = {
    "id": "MY.1",
    "key": "service_radius",
    "name_en": "Radius",
    "name_zh": "半径",
    "unit": "m",
    "op": "<=",
    "value": 900,
    "severity": "warn",
    "verified": True,
    "evidence": "official",
}


def build(*tables, **head):
    return build_rules({**HEAD, **head, "rule": list(tables)}, file="my.toml")


def write(folder, name, base, level, *lines):
    path = folder / name
    head = [f'name = "{path.stem}"', 'version = "1"', f'base = "{base}"', f'level = "{level}"']
    path.write_text("\n".join([*head, 'source = "s"', 'reason = "r"', *lines, ""]), encoding="utf-8")
    return path


def test_a_change_leaves_the_rest_as_it_is():
    rules = build({"id": "G5", "value": {"primary": 50}})
    assert (rules.name, rules.version, rules.base, rules.level) == ("myxian", "3", "cn 2026.2", "county")
    assert rules.limit("max_class_size", "primary") == 50
    assert rules.limit("max_class_size", "junior") == 50 == CN.limit("max_class_size", "junior")
    assert rules.changes == (RuleChange("G5", "value.primary", 45, 50, "notice 12", "ours"),)
    rule = rules.by_id("G5")
    assert (rule.level, rule.reason, rule.source, rule.chapter) == ("county", "ours", "notice 12", "inspection")
    assert not rule.verified, "nobody said that the notice was read"
    assert rules.fingerprint != CN.fingerprint
    assert [rule for rule in rules.rules if rule.id != "G5"] == [rule for rule in CN.rules if rule.id != "G5"]


def test_a_single_number_replaces_the_whole_value():
    rules = build({"id": "G5", "value": 40, "verified": True, "clause": "3"})
    assert [rules.limit("max_class_size", stage) for stage in ("primary", "junior", "senior")] == [40] * 3
    found = {change.field for change in rules.changes}
    assert found == {"value.all", "value.primary", "value.junior", "clause", "verified"}
    assert rules.by_id("G5").verified and rules.by_id("G5").evidence == "official"


def test_switching_a_rule_keeps_its_source():
    rules = build({"id": "L2", "enabled": True, "severity": "note"})
    assert rules.by_id("L2").source == CN.by_id("L2").source and not rules.by_id("L2").verified
    assert rules.find("service_radius", "primary", setting="urban").id == "L2", "the county put it in force"


def test_what_changes_nothing_is_no_change():
    rules = build({"id": "G5", "value": {"primary": 45}, "enabled": True})
    assert rules.changes == () and rules.by_id("G5") == CN.by_id("G5")


def test_a_rule_of_ones_own_and_the_one_it_replaces():
    narrow = {**OWN, "id": "MY.2", "setting": ["urban"], "value": 700}
    rules = build(OWN, narrow)
    assert rules.limit("service_radius", "primary") == 900
    assert rules.limit("service_radius", "primary", setting="urban") == 700
    assert rules.limit("service_radius", "primary", setting="rural") == 2000, "the narrower rule of the nation speaks"
    rules = build({**OWN, "replaces": "C7b"})
    assert rules.limit("service_radius", "primary", setting="rural") == 900, "unless it is replaced"
    assert rules.limit("service_radius", "primary", setting="town") == 500
    assert rules.changes[0].field == "rule" and rules.changes[0].after["value"] == {"all": 900}


def test_a_replacement_is_silent_outside_its_scope_and_years():
    rules = build({**OWN, "replaces": "C7b", "value": {"primary": 900}, "setting": ["rural"], "valid_from": 2030})
    assert rules.limit("service_radius", "primary", setting="rural", year=2029) == 2000
    assert rules.limit("service_radius", "primary", setting="rural", year=2030) == 900


def test_the_order_of_the_levels(tmp_path):
    """Nation, province, city, county: the lowest wins where the scope is the same."""
    below = "cn"
    for number, level in enumerate(LEVELS[1:], start=1):
        lines = ["[[rule]]", 'id = "G5"', f"value = {{ junior = {50 + number} }}"]
        write(tmp_path, f"{level}.toml", below, level, *lines)
        below = f"{level}.toml"
    rules = read_rulebook(tmp_path / "county.toml")
    assert rules.limit("max_class_size", "junior") == 53 and rules.by_id("G5").level == "county"
    assert [change.after for change in rules.changes] == [51, 52, 53] and rules.base == "city 1"
    assert read_rulebook(tmp_path / "province.toml").limit("max_class_size", "junior") == 51


@given(st.permutations(LEVELS), st.booleans())
def test_the_lowest_level_wins_in_any_order_of_the_file(levels, narrow):
    scope = {"kind": ["junior"]} if narrow else {}
    tables = [{**OWN, **scope, "id": f"MY.{level}", "level": level, "value": LEVELS.index(level)} for level in levels]
    rules = build_rules({"name": "x", "version": "1", "rule": [{**table, "source": "s"} for table in tables]})
    assert rules.limit("service_radius", "junior", kind="junior") == LEVELS.index("county")


def test_a_higher_level_never_overrides_a_lower_one(tmp_path):
    county = write(tmp_path, "county.toml", "cn", "county", "[[rule]]", 'id = "G5"', "value = 40")
    write(tmp_path, "province.toml", county.name, "province", "[[rule]]", 'id = "G5"', "value = 60")
    with pytest.raises(RuleError, match="set by the county; the province cannot override"):
        read_rulebook(tmp_path / "province.toml")
    with pytest.raises(RuleError, match="a rule of the nation cannot replace L1 of the province"):
        build({**OWN, "replaces": "L1"}, level="nation")


def test_overlays_of_one_level_follow_their_order(tmp_path):
    write(tmp_path, "one.toml", "cn", "county", "[[rule]]", 'id = "G5"', "value = 40")
    write(tmp_path, "two.toml", "one.toml", "county", "[[rule]]", 'id = "G5"', "value = 41")
    assert read_rulebook(tmp_path / "two.toml").limit("max_class_size", "primary") == 41


def test_a_circle_of_bases_is_an_error(tmp_path):
    write(tmp_path, "a.toml", "b.toml", "county")
    write(tmp_path, "b.toml", "a.toml", "county")
    with pytest.raises(RuleError, match=r"a\.toml stands on itself: a\.toml → b\.toml → a\.toml"):
        read_rulebook(tmp_path / "a.toml")
    write(tmp_path, "c.toml", "none.toml", "county")
    with pytest.raises(RuleError, match=r"'none\.toml' cannot be opened"):
        read_rulebook(tmp_path / "c.toml")


def test_all_problems_of_an_overlay_are_told_at_once():
    with pytest.raises(RuleError) as caught:
        build_rules(
            {
                **{"name": "x", "version": "1", "base": "cn", "level": "county", "colour": 1},
                "rule": [{"id": "G5", "value": 40}],
            }
        )
    assert "unknown key 'colour'" in str(caught.value)
    with pytest.raises(RuleError) as caught:
        build_rules(
            {
                **{"name": "x", "version": "1", "base": "cn"},
                "rule": [
                    {"id": "G5", "value": 40},
                    {"id": "G55", "value": 40, "source": "s", "reason": "r"},
                    {"id": "G4", "exceptions": [{"when": "pupils <", "exempt": True}], "source": "s", "reason": "r"},
                    {"id": "L1", "key": "max_classes", "source": "s", "reason": "r"},
                    {"id": "L1", "valu": 3, "source": "s", "reason": " "},
                    {"id": "G6", "value": 3, "source": "s", "reason": "r"},
                    {"id": "G6", "value": 4, "source": "s", "reason": "r"},
                    {"value": 3},
                    {**OWN, "source": "s", "reason": "r"},
                    {**OWN, "source": "s", "reason": "r", "value": 5},
                ],
            },
            file="my.toml",
        )
    text = str(caught.value)
    for part in (
        "rule 1 (G5): 'source' is missing",
        "rule 1 (G5): 'reason' is missing",
        "rule 2 (G55) is not in the base (did you mean 'G5'?)",
        "rule 2 (G55): 'name_en' is missing",
        "rule 3 (G4), exception 1: 'pupils <', character 9 (the end): a value was expected",
        "rule 4 (L1): the key of a rule stays",
        "rule 5 (L1): unknown key 'valu'; did you mean 'value'?",
        "rule 5 (L1): 'reason' is missing",
        "rule 7 (G6): value.all is changed twice",
        "rule 8: a table with an id was expected",
        "rule 10 (MY.1): rule id 'MY.1' stands twice",
    ):
        assert part in text, part


def test_the_example_of_the_page_is_read():
    rules = build_rules(tomllib.loads(EXAMPLE_OVERLAY), file="example")
    assert rules.limit("service_radius", "primary", setting="urban") == 800
    assert rules.limit("service_radius", "junior", setting="urban") == 1000
    assert rules.limit("min_bus_seats", "primary") == 19
    assert rules.by_id("Z9").enabled and not rules.by_id("Z9").verified
    found = [(change.rule_id, change.field) for change in rules.changes]
    assert found[:2] == [("L1", "value.primary"), ("L1", "source_zh")] and found[-1] == ("MY.bus_seats", "rule")
    assert rules.by_id("L1").source_zh == "某县教育局2026年第12号通知"


def test_two_rulebooks_are_compared_field_by_field():
    own = build({"id": "G5", "value": {"primary": 50}, "reason": "growth"}, {**OWN, "source": "ours"})
    rows = compare_rulebooks(CN, own)
    assert rows.columns.tolist() == ["rule_id", "field", "before", "after", "source", "reason"]
    found = {(row.rule_id, row.field): row for row in rows.itertuples()}
    assert set(found) == {("G5", "value.primary"), ("G5", "verified"), ("MY.1", "rule")}
    assert (found["G5", "value.primary"].before, found["G5", "value.primary"].after) == (45, 50)
    assert found["G5", "value.primary"].reason == "growth" and found["MY.1", "rule"].before is None
    assert compare_rulebooks(CN, CN).empty
    back = compare_rulebooks(own, CN)
    assert back[back["field"] == "rule"]["after"].tolist() == [None]


TEXTS = st.text(min_size=1, max_size=12).map(lambda text: text.encode("utf-8", "replace").decode()).filter(str.strip)
NUMBERS = st.one_of(st.integers(-5, 5000), st.floats(-1e6, 1e6, allow_nan=False))
IDS = st.sampled_from([rule.id for rule in CN.rules if rule.value])
PLAIN = st.one_of(NUMBERS, TEXTS, st.booleans(), st.lists(NUMBERS, max_size=3))
EXCEPTIONS = st.lists(
    st.builds(
        lambda when, number, note: {"when": when, "value": {"all": number}, "note_en": note},
        st.sampled_from(["boarding", 'kind == "junior" and pupils > 3', "founded_year <= 2010"]),
        NUMBERS,
        TEXTS,
    ),
    max_size=2,
)
VALUES = st.one_of(
    NUMBERS, st.dictionaries(st.sampled_from(["primary", "junior", "all"]), NUMBERS, min_size=1, max_size=3)
)


@st.composite
def build_tables(draw):
    """Changes of some rules: any fields, each table with its own source and reason."""
    tables = []
    for rule_id in draw(st.lists(IDS, min_size=1, max_size=4, unique=True)):
        table = {"id": rule_id, "source": draw(TEXTS), "reason": draw(TEXTS)}
        choices = {
            "value": VALUES,
            "params": st.dictionaries(TEXTS, PLAIN, min_size=1, max_size=2),
            "severity": st.sampled_from(["block", "warn", "note"]),
            "enabled": st.booleans(),
            "note": TEXTS,
            "clause": TEXTS,
            "verified": st.booleans(),
            "valid_from": st.integers(2000, 2050),
            "grades": st.lists(st.integers(1, 12), max_size=3),
            "exceptions": EXCEPTIONS,
        }
        for name in draw(st.lists(st.sampled_from(sorted(choices)), min_size=1, max_size=4, unique=True)):
            table[name] = draw(choices[name])
        tables.append(table)
    return tables


@settings(max_examples=60)
@given(build_tables(), st.booleans())
def test_an_overlay_read_written_and_read_again_is_the_same(tables, with_own):
    own = [{**OWN, "source": "ours", "reason": "ours", "params": {"a": [1, 2.5], "b": {"c": True}}}] if with_own else []
    first = build_rules({"name": "x", "version": "1", "base": "cn", "rule": [*tables, *own]})
    text = render_overlay(CN, first.changes, name="x", version="1")
    second = build_rules(tomllib.loads(text))
    assert second.changes == first.changes
    changed = {change.rule_id for change in first.changes}
    for rule_id in changed:
        one, two = first.by_id(rule_id), second.by_id(rule_id)
        assert one == two, rule_id
    assert compare_rulebooks(first, second).empty


def test_a_stack_becomes_one_file(tmp_path):
    write(tmp_path, "city.toml", "cn", "city", "[[rule]]", 'id = "G5"', "value = { primary = 44 }")
    top = write(tmp_path, "county.toml", "city.toml", "county", "[[rule]]", 'id = "G5"', "value = { primary = 43 }")
    stack = read_rulebook(top)
    with pytest.raises(RuleError, match="base_file"):
        render_overlay(read_rulebook(tmp_path / "city.toml"), (), name="x", version="1")
    one = build_rules(tomllib.loads(render_stack(stack)))
    assert one.limit("max_class_size", "primary") == 43 and one.base == "cn 2026.2"
    assert (one.name, one.root, stack.root, read_rulebook("poland").root) == ("county", "cn", "cn", "poland")
    with pytest.raises(RuleError, match="does not stand on a rulebook that comes with the program"):
        render_stack(build_rules({"name": "x", "version": "1", "rule": []}))


def test_what_an_overlay_cannot_say():
    def say(field, after):
        return render_overlay(CN, [RuleChange("G5", field, 1, after, "s", "r")], name="x", version="1")

    with pytest.raises(RuleError, match="cannot take primary out of value"):
        say("value.primary", None)
    for field in ("id", "source", "colour", "value", "note.x"):
        with pytest.raises(RuleError, match="cannot change"):
            say(field, "x")
    with pytest.raises(RuleError, match="Unknown rule 'G55'"):
        render_overlay(CN, [RuleChange("G55", "note", "", "x", "s", "r")], name="x", version="1")


def test_exceptions_hold_where_their_predicate_does():
    facts = {"founded_year": 2005, "migrant_share": 0.1}
    assert CN.limit("max_school_pupils", "primary", facts=facts) == 2400
    assert CN.limit("max_school_pupils", "primary", kind="nine_year", facts=facts) == 3000
    assert CN.limit("max_school_pupils", "primary", facts={"founded_year": 2020, "migrant_share": 0.1}) == 2000
    strict = CN.find("max_school_pupils", "primary", facts={"founded_year": 2020})
    assert strict.limit("primary") == 2000 and strict.may_be_relaxed, "the share of migrants' children is not known"
    assert judge_predicate(strict.exceptions[0].when, {"founded_year": 2020}) is None
    settled = CN.find("max_school_pupils", "primary", facts=facts)
    assert not settled.may_be_relaxed and settled.id == "G4"
    assert CN.limit("max_school_pupils", "primary") == 2000, "without facts as it is written"


def test_an_exempting_exception_silences_the_rule():
    asked = {"key": "in_catchment_enrolment", "stage": "junior"}
    assert CN.find(**asked, setting="rural", facts={}) is None
    assert CN.find(**asked, setting="urban", facts={"ownership": "public", "boarding": False}).limit("junior") == 0.95
    assert CN.find(**asked, facts={"ownership": "public"}).may_be_relaxed


def test_an_exception_may_change_parameters():
    old = CN.find("music_art_rooms", "primary", facts={"founded_year": 2010, "setting": "urban"})
    assert (old.params["music_m2"], old.params["art_m2"], old.params["per_classes"]) == (73, 67, 12)
    new = CN.find("music_art_rooms", "primary", facts={"founded_year": 2017, "setting": "urban"})
    assert (new.params["music_m2"], new.params["art_m2"]) == (96, 90) and not new.may_be_relaxed


def test_the_first_true_exception_counts():
    exceptions = [
        {"when": "boarding", "value": {"primary": 1}},
        {"when": "pupils > 5", "value": {"primary": 2, "junior": 3}},
    ]
    rules = build({**OWN, "value": {"primary": 9, "junior": 9}, "exceptions": exceptions, "replaces": "C7b"})
    rule = rules.find("service_radius", "primary", facts={"boarding": True, "pupils": 9})
    assert dict(rule.value) == {"primary": 1, "junior": 3}
    whole = build({**OWN, "value": {"primary": 9}, "exceptions": [{"when": "boarding", "value": 4}]})
    assert whole.limit("service_radius", "primary", facts={"boarding": True}) == 4


@pytest.mark.parametrize(
    ("rule_id", "params", "kind"),
    [
        ("P7", {"red_from": "full"}, "a number"),
        ("P7", {"yellow": 0.9}, "a list"),
        ("R5", {"dense_core_towns": "x"}, "a list"),
    ],
)
def test_a_parameter_keeps_its_kind(rule_id, params, kind):
    with pytest.raises(RuleError, match=f"must be {kind}, as in the base"):
        build({"id": rule_id, "params": params})
    assert build({"id": "P7", "params": {"red_from": 1}}).by_id("P7").params["red_from"] == 1
