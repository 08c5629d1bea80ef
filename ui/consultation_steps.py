"""The steps that the law asks for before a proposal is decided: date, note and evidence of each, kept at once."""

from __future__ import annotations

import datetime
from typing import Any

import streamlit as st

from geodata.errors import DataError, LayoutError
from planning.procedure import STEPS, Procedure, Step, StepRecord
from planning.procedure_checks import EVIDENCE_ENDINGS, MAX_EVIDENCE_BYTES
from planning.rules import Rules
from reports.citations import cite_rule
from reports.language import Translator
from ui.cards import text
from ui.consultation_details import Form
from ui.consultation_draft import PackDraft, keep_evidence, read_day
from ui.consultation_state import change_draft, empty_uploader, open_folder, read_round, recall_told, tell
from ui.scenario_store import say_trouble
from ui.state import translator
from ui.text import clean, plain

LONGEST_NOTE = 1000
MOST_FILES = 20


def render_steps(form: Form, procedure: Procedure, rules: Rules, _: Translator) -> None:
    """Draw the checklist."""
    steps = [step for step in STEPS.values() if procedure.kind in step.kinds]
    done = len(steps) - len(procedure.missing)
    words = _("This proposal closes, merges or cuts down a school, so the steps for closures hold.")
    if procedure.kind == "rezoning":
        words = _("This proposal changes catchments and closes no school.")
    more = _(
        "A step is done with a date and at least one file that shows it. Until all are, every document says that it "
        "is a draft for comment, and lists what is missing."
    )
    with st.container(key="consultation_steps", gap="small"):
        st.html(
            f'<div class="quiet">{text(words, longest=300)} {text(more, longest=400)}</div>'
            f'<div class="steps-done"><i style="width:{round(100 * done / len(steps))}%"></i></div>'
        )
        records = {record.step_id: record for record in procedure.records}
        for number, step in enumerate(steps, start=1):
            _render_step(form, number, step, records.get(step.step_id), rules, _)


def _render_step(form: Form, number: int, step: Step, record: StepRecord | None, rules: Rules, _: Translator) -> None:
    name = _.say(step.name)
    name = name[:1].upper() + name[1:]
    label = _("{number}. {name}: {state}", number=number, name=name, state=_say_state(record, _))
    mark = ":material/check_circle:" if record is not None and record.done else ":material/radio_button_unchecked:"
    key = f"step_{step.step_id}"
    with st.expander(plain(label), icon=mark, key=f"consultation_{key}"):
        known = form.draft.step(step.step_id)
        sources = [cited for rule_id in step.rule_ids if (cited := _cite(rules, rule_id, _))]
        if sources:
            st.caption(plain(_("Asked for by: {sources}", sources=" / ".join(sources)), longest=900))
        left, right = st.columns([1, 2], gap="small")
        with left:
            st.date_input(
                _("Date"),
                min_value=datetime.date(2000, 1, 1),
                max_value=datetime.date(2100, 12, 31),
                format="YYYY-MM-DD",
                **_show(form, step, "date", read_day(known["date"])),
            )
        with right:
            st.text_input(
                _("Note"),
                max_chars=LONGEST_NOTE,
                placeholder=_("what was done, with whom, with which result"),
                **_show(form, step, "note", str(known["note"])),
            )
        with st.container(key=f"consultation_evidence_{step.step_id}", gap="small"):
            _render_files(form, step, [str(file) for file in known["files"]], _)


def _cite(rules: Rules, rule_id: str, _: Translator) -> str:
    """Return what a rule is called and where it stands; a part of a rule (``C1.hearing``) is cited by the rule."""
    known = {rule.id for rule in rules.rules}
    found = rule_id if rule_id in known else rule_id.split(".")[0]
    return f"{found} {cite_rule(rules, found, _)}" if found in known else ""


def _say_state(record: StepRecord | None, _: Translator) -> str:
    if record is None or (record.date is None and not record.evidence):
        return _("missing")
    if record.date is None:
        return _("the date is missing")
    if not record.evidence:
        return _("evidence is missing")
    return _("{date}, evidence: {count}", date=_.date(record.date), count=_.number(len(record.evidence)))


def _show(form: Form, step: Step, name: str, value: Any) -> dict[str, Any]:
    key = f"consultation_step_{step.step_id}_{name}"
    st.session_state[key] = value
    return {"key": key, "on_change": _keep, "args": (form.scenario_id, step.step_id, name, key)}


def _keep(scenario_id: str, step_id: str, name: str, key: str) -> None:
    value = st.session_state.get(key)
    words = value.isoformat() if isinstance(value, datetime.date) else clean(value or "", longest=LONGEST_NOTE).strip()

    def change(draft: PackDraft) -> None:
        draft.steps[step_id] = {**draft.step(step_id), name: words}

    change_draft(scenario_id, change)


def _render_files(form: Form, step: Step, files: list[str], _: Translator) -> None:
    for place, file in enumerate(files):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<div class="cost">{text(file.rsplit("/", 1)[-1])}</div>', width="stretch")
            st.button(
                _("Remove"),
                key=f"consultation_evidence_drop_{step.step_id}_{place}",
                type="tertiary",
                on_click=_drop_file,
                args=(form.scenario_id, step.step_id, file),
            )
    if len(files) < MOST_FILES:
        limit = MAX_EVIDENCE_BYTES // 1024**2
        box = f"consultation_evidence_{step.step_id}"
        sent = st.file_uploader(
            _("Evidence (minutes, reports, photographs; at most {limit} MB each)", limit=limit),
            type=list(EVIDENCE_ENDINGS),
            accept_multiple_files=True,
            max_upload_size=limit,
            key=f"{box}_{read_round(box)}",
        )
        if isinstance(sent, list) and sent:
            empty_uploader(box)
            take_files(form.scenario_id, step.step_id, [(file.name, bytes(file.getbuffer())) for file in sent])
            st.rerun()
    for line in recall_told(step.step_id):
        st.warning(plain(line, longest=400))
    st.caption(_("Evidence goes into the pack as it is. Take out names and addresses of families before."))


def take_files(scenario_id: str, step_id: str, files: list[tuple[str, bytes]]) -> None:
    """Check evidence files and keep them at a step; those that cannot be kept are told there."""
    _ = translator()
    folder, kept, told = open_folder(), [], []
    for name, content in files:
        try:
            kept.append(keep_evidence(folder, scenario_id, step_id, name, content))
        except DataError as error:
            told += [_.say(issue.problem) for issue in error.issues]
        except LayoutError as error:
            told.append(say_trouble(error, _))

    def change(draft: PackDraft) -> None:
        known = draft.step(step_id)
        draft.steps[step_id] = {**known, "files": list(dict.fromkeys([*known["files"], *kept]))[:MOST_FILES]}

    if kept:
        change_draft(scenario_id, change)
    tell(step_id, *told)


def _drop_file(scenario_id: str, step_id: str, file: str) -> None:
    def change(draft: PackDraft) -> None:
        known = draft.step(step_id)
        draft.steps[step_id] = {**known, "files": [name for name in known["files"] if name != file]}

    change_draft(scenario_id, change)
    tell(step_id)
