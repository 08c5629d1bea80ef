"""Scenarios that come from elsewhere, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.messages import msg
from store.checks import check_text, clean_key, clean_name, clean_who, number_name
from store.desk import Desk, draw_id
from store.errors import StoreNameError
from store.scenarios import create, list_taken
from store.toml_text import read_key, write_key
from store.values import StoredScenario


class Imports(Desk):
    """What the store does with scenarios of a study file."""

    def import_scenarios(
        self, study_key: str, scenarios: Sequence[tuple[str, str]], who: str
    ) -> tuple[StoredScenario, ...]:
        """Store scenarios (name, TOML), parents before children, in one transaction.

        A name in use gets a number; then ``name`` and, in its children, ``parent`` of the text follow it.
        ``StoreNameError`` where a parent is not among those before it, or a text is not TOML.
        """
        study_key, who = clean_key(study_key), clean_who(who)
        made: dict[str, StoredScenario] = {}
        with self._write() as connection:
            for given, text in scenarios:
                name = clean_name(given)
                free = number_name(name, list_taken(connection, study_key))
                parent = _find_parent(name, text, made)
                if parent is not None:
                    text = write_key(text, "parent", parent.name)
                if free != name:
                    text = write_key(text, "name", free)
                made[name] = create(
                    connection,
                    StoredScenario(
                        scenario_id=draw_id(),
                        study_key=study_key,
                        name=free,
                        text=check_text(text),
                        version=1,
                        parent_id=None if parent is None else parent.scenario_id,
                        who=who,
                        changed_at=self._clock(),
                        note="",
                    ),
                    "scenario_created",
                    {"imported_as": name},
                )
        return tuple(made.values())


def _find_parent(name: str, text: str, made: dict[str, StoredScenario]) -> StoredScenario | None:
    try:
        named = read_key(text, "parent")
    except ValueError:
        raise StoreNameError(msg("“{name}” is not valid TOML.", name=name)) from None
    if named is None:
        return None
    if named not in made:
        raise StoreNameError(msg("The scenario that “{name}” builds on is not there.", name=name))
    return made[named]
