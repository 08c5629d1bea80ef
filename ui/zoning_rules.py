"""The further choices of the Zoning page: goals in order, rules, schools that keep their zone, effort."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from geodata.barriers import BARRIER_KINDS
from geodata.cache import DiskCache, compute_cache_folder
from geodata.errors import DataError
from geodata.read_zones import import_zones
from geodata.study import StudyArea, compute_digest
from geodata.study_file import ZonesSource
from reports.language import Translator
from ui.text import clean, plain
from ui.uploads import store_uploads
from ui.zoning_keep import keep_value, put_back

Rows = tuple[tuple[str, str, str], ...]
GOALS = ("travel", "fill", "moved", "compact", "border")
MOST_GROUPS = 4
MOST_ISSUES = 8


@dataclass(frozen=True)
class More:
    """What the further choices say. ``assignment``: arguments of ``AssignmentOptions``."""

    assignment: dict[str, Any] = field(default_factory=dict)
    locked_schools: tuple[str, ...] = ()
    grandfather: bool = False
    feeders: str = "none"
    feeder_split_share: float = 0.0
    decay: str = "assumed"
    time_limit_s: float = 20.0
    seed: int = 0


def name_goal(goal: str, _: Translator) -> str:
    """Return a goal as a list shows it."""
    names = {
        "travel": _("Short ways"),
        "fill": _("Equally full schools"),
        "moved": _("Few pupils moved"),
        "compact": _("Compact zones"),
        "border": _("Short borders"),
    }
    return names.get(goal, goal)


def name_barrier(kind: str, _: Translator) -> str:
    """Return a kind of barrier."""
    names = {
        "river": _("Rivers"),
        "railway": _("Railways"),
        "expressway": _("Expressways"),
        "other": _("Other barriers"),
    }
    return names.get(kind, kind)


def render_goals(_: Translator, scope: str, *, with_moved: bool) -> tuple[tuple[Any, float], ...]:
    """Draw the goals in their order, with how much each may be worsened by those after it."""
    options = [goal for goal in GOALS if with_moved or goal != "moved"]
    key = f"zoning_goals_{scope}"
    put_back(key, ["travel"], options)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="zoning_goals_row"):
        chosen = st.multiselect(
            _("Goals, the most important first"),
            options,
            format_func=lambda goal: name_goal(goal, _),
            key=key,
            width=420,
            placeholder=_("Short ways"),
            help=_("Chosen in order. A later goal may worsen an earlier one only by the share given for it."),
        )
        keep_value(key, chosen)
        slack = {}
        for goal in chosen[:-1]:
            name = f"zoning_slack_{goal}"
            put_back(name, 1.0)
            share = st.number_input(
                _("{goal}: may worsen by (%)", goal=name_goal(goal, _)),
                min_value=0.0,
                max_value=100.0,
                step=0.5,
                format="%.1f",
                key=name,
                width=230,
            )
            keep_value(name, share)
            slack[goal] = float(share) / 100.0
    return tuple((goal, slack.get(goal, 0.0)) for goal in chosen) or (("travel", 0.0),)


def render_more(study: StudyArea, stage: str, task: str, scope: str, cap: str, _: Translator) -> More:
    """Draw the further choices of a task."""
    if task == "choice":
        return More(decay=_choose_decay(_))
    left, right = st.columns(2, gap="medium")
    with left:
        assignment = _render_places(task, cap, _)
        assignment["barriers"] = choose_barriers(study, scope, _)
        limit_s, seed = _render_effort(_)
    with right:
        names = list_complete_schools(study, stage)
        assignment["groups"] = _render_groups(names, scope, _)
        if task == "capacity":
            return More(assignment, time_limit_s=limit_s, seed=seed)
        locked = _choose_locked(names, scope, _)
        grandfather = _choose_grandfather(study, stage, scope, _)
        feeders, split = _render_feeders(study, stage, scope, _)
    return More(assignment, locked, grandfather, feeders, split, "assumed", limit_s, seed)


def list_complete_schools(study: StudyArea, stage: str) -> dict[str, str]:
    """Return the names of the schools of a stage that can have a zone (no teaching points), by id."""
    taught = study.places.loc[study.places["stage"] == stage, "school_id"]
    rows = study.schools[study.schools["school_id"].isin(taught) & (study.schools["kind"] != "teaching_point")]
    names = [str(name) or str(key) for key, name in zip(rows["school_id"], rows["name"].fillna(""), strict=True)]
    pairs = zip(rows["school_id"].astype(str), names, strict=True)
    return dict(sorted(pairs, key=lambda pair: (pair[1], pair[0])))


def _choose_decay(_: Translator) -> str:
    key = "zoning_decay"
    put_back(key, "assumed", ("assumed", "fitted"))
    words = {"assumed": _("as usual for the stage"), "fitted": _("as the rolls alone say")}
    chosen = st.radio(
        _("How far families go"),
        list(words),
        format_func=words.__getitem__,
        key=key,
        help=_("Rolls follow places and say little about distance; the usual way is the safer choice."),
    )
    keep_value(key, chosen)
    return str(chosen)


def choose_overload(_: Translator) -> str:
    """Draw whether schools may have more pupils than places."""
    key = "zoning_overload"
    words = {"priced": _("allowed at a price"), "forbidden": _("forbidden")}
    put_back(key, "priced", tuple(words))
    chosen = st.radio(
        _("More pupils than places"),
        list(words),
        format_func=words.__getitem__,
        key=key,
        horizontal=True,
        help=_("At a price there is always an answer, and it shows where places are short."),
    )
    keep_value(key, chosen)
    return str(chosen)


def _render_places(task: str, cap: str, _: Translator) -> dict[str, Any]:
    found: dict[str, Any] = {"overload": choose_overload(_)}
    with st.container(horizontal=True, gap="small"):
        if found["overload"] == "priced":
            found["overload_price_min"] = _enter_number(
                "zoning_overload_price",
                _("Price of a pupil above the places (min)"),
                1000.0,
                (1.0, 100_000.0, 100.0),
                _("Minutes of travel that one pupil above the places counts."),
            )
        if cap == "priced":
            found["cap_price"] = _enter_number(
                "zoning_cap_price",
                _("Price of a minute beyond the limit (min)"),
                1.0,
                (0.0, 1000.0, 0.5),
                _("Minutes that each minute beyond the limit counts more."),
            )
    if task == "capacity":
        found["whole_units"] = _tick("zoning_whole", _("All pupils of an area go to one school"))
    return found


def _enter_number(key: str, label: str, default: float, limits: tuple[float, float, float], hint: str) -> float:
    put_back(key, default)
    lowest, highest, step = limits
    form = "%.0f" if step >= 1 else "%.1f"
    value = st.number_input(
        label, min_value=lowest, max_value=highest, step=step, format=form, key=key, help=hint, width=270
    )
    keep_value(key, value)
    return float(value)


def _tick(key: str, label: str, hint: str | None = None) -> bool:
    put_back(key, False)
    value = st.checkbox(label, key=key, help=hint)
    keep_value(key, value)
    return bool(value)


def choose_barriers(study: StudyArea, scope: str, _: Translator) -> tuple[str, ...]:
    """Draw the barriers that the study knows; returns those that pupils must not cross."""
    there = set(study.sides["kind"].astype(str)) | set(study.barriers["kind"].astype(str))
    options = [kind for kind in BARRIER_KINDS if kind in there]
    if not options:
        return ()
    return tuple(
        _choose_several(
            f"zoning_barriers_{scope}",
            _("Pupils must not cross, except where a road does"),
            {kind: name_barrier(kind, _) for kind in options},
            _("Rivers, railways and expressways that the study knows."),
            _("nothing chosen"),
        )
    )


def _choose_several(key: str, label: str, names: dict[str, str], hint: str | None, empty: str) -> list[str]:
    put_back(key, [], list(names))
    words = {item: clean(name, longest=60) for item, name in names.items()}
    chosen = st.multiselect(
        label, list(names), format_func=lambda item: words.get(item, item), key=key, help=hint, placeholder=empty
    )
    keep_value(key, chosen)
    return list(chosen)


def _render_groups(names: dict[str, str], scope: str, _: Translator) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: list[tuple[str, tuple[str, ...]]] = []
    taken: set[str] = set()
    for number in range(1, MOST_GROUPS + 1):
        members = _choose_several(
            f"zoning_group{number}_{scope}",
            _("Schools that share one zone") if number == 1 else _("Another shared zone ({number})", number=number),
            {key: name for key, name in names.items() if key not in taken},
            _("Several schools, one zone (多校划片): their places count together.") if number == 1 else None,
            _("none"),
        )
        if len(members) < 2:
            break
        taken |= set(members)
        groups.append((" + ".join(names[key] for key in members), tuple(members)))
    return tuple(groups)


def _choose_locked(names: dict[str, str], scope: str, _: Translator) -> tuple[str, ...]:
    return tuple(
        _choose_several(
            f"zoning_locked_{scope}",
            _("Schools that keep their zone"),
            names,
            _("Nothing leaves the zone that the school has in the start, and nothing joins it."),
            _("none"),
        )
    )


def _choose_grandfather(study: StudyArea, stage: str, scope: str, _: Translator) -> bool:
    if not (study.zones["stage"] == stage).any():
        return False
    hint = _("Only the entering grade follows the new zones; the others stay where they are.")
    return _tick(f"zoning_grandfather_{scope}", _("Pupils at school stay there"), hint)


def _render_feeders(study: StudyArea, stage: str, scope: str, _: Translator) -> tuple[str, float]:
    """Junior zones made of whole primary zones (对口直升)."""
    if stage != "junior" or not (study.places["stage"] == "primary").any():
        return "none", 0.0
    known = bool((study.zones["stage"] == "primary").any())
    words = {
        "none": _("no"),
        **({"current": _("yes, of the current primary zones")} if known else {}),
        "proposed": _("yes, of primary zones proposed in the same run"),
    }
    key = f"zoning_feeders_{scope}"
    put_back(key, "none", tuple(words))
    chosen = st.selectbox(_("Junior zones made of primary zones"), list(words), format_func=words.__getitem__, key=key)
    keep_value(key, chosen)
    if chosen == "none":
        return "none", 0.0
    split = _enter_number(
        "zoning_feeder_split",
        _("Pupils of a primary zone who may be split off (%)"),
        0.0,
        (0.0, 50.0, 5.0),
        _("0: every primary zone goes to one junior school as a whole."),
    )
    return str(chosen), split / 100.0


def _render_effort(_: Translator) -> tuple[float, int]:
    with st.container(horizontal=True, gap="small"):
        limit = _enter_number(
            "zoning_time_limit",
            _("Time limit (seconds)"),
            20.0,
            (2.0, 3600.0, 10.0),
            _("The best answer found by then is shown, with what is proven about it."),
        )
        seed = _enter_number(
            "zoning_seed",
            _("Seed"),
            0.0,
            (0.0, 1_000_000.0, 1.0),
            _("Another number searches along other paths."),
        )
    return limit, int(seed)


def render_start_file(study: StudyArea, stage: str, scope: str, _: Translator) -> Rows:
    """Draw the place for a file of zones; return its rows, empty while there is none that can be read."""
    key = f"zoning_file_{scope}"
    with st.container(border=True, key="zoning_file_box"):
        st.caption(_("A table with unit, stage and school (CSV, Excel), or a layer of areas (GeoJSON, GeoPackage)."))
        sent = st.file_uploader(_("File of zones"), key=f"{key}_upload", label_visibility="collapsed")
        if sent is not None:
            mark = compute_digest(study.fingerprint, stage, sent.name, bytes(sent.getbuffer()))
            if st.session_state.get(f"{key}_mark") != mark:
                st.session_state[f"{key}_mark"] = mark
                _read_start_file(study, stage, key, sent.name, bytes(sent.getbuffer()), _)
        for line in st.session_state.get(f"{key}_refused", []):
            st.error(line)
        kept = st.session_state.get(f"{key}_kept")
        found = DiskCache(compute_cache_folder()).load(kept[0]) if isinstance(kept, list) else None
        if not isinstance(found, tuple) or not isinstance(kept, list):
            return ()
        st.markdown(f":green[✓] **{plain(kept[1])}** · " + _("{count} rows", count=_.number(len(found))))
    return found


def _read_start_file(study: StudyArea, stage: str, key: str, name: str, content: bytes, _: Translator) -> None:
    """Read a file of zones; what cannot be read is told, and the file read before stays."""
    st.session_state[f"{key}_refused"] = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / store_uploads(Path(folder), "start_zones", [(name, content)])[0]
            table, _issues = import_zones(path, study, ZonesSource(str(path), stage=stage))  # type: ignore[arg-type]
    except DataError as error:
        lines = [f"{clean(issue.file)}: {_.say(issue.problem)}" for issue in error.issues[:MOST_ISSUES]]
        st.session_state[f"{key}_refused"] = [plain(line, longest=400) for line in lines]
        return
    rows = tuple(
        (str(unit), str(of), str(school))
        for unit, of, school in zip(table["unit_id"], table["stage"], table["school_id"], strict=True)
    )
    digest = f"startzones-{compute_digest(repr(rows))}"
    DiskCache(compute_cache_folder()).store(digest, rows)
    st.session_state[f"{key}_kept"] = [digest, clean(name, longest=80)]
