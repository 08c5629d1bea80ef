"""Rulebooks of the users, every version kept."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from store.checks import check_text, clean_name, clean_who, compare_key, is_plain
from store.desk import Desk, add_audit, draw_id
from store.models import rulesets
from store.values import StoredRuleset


class Rulesets(Desk):
    """What the store does with rulebooks."""

    def save_ruleset(self, name: str, text: str, who: str) -> StoredRuleset:
        """Store a rulebook (TOML); under a name in use it becomes the next version, and nothing where it is the same.

        The text is kept as it is: ``planning.rules`` says whether it is a rulebook.
        """
        name, text, who = clean_name(name), check_text(text), clean_who(who)
        with self._write() as connection:
            before = _find(connection, name, None)
            if before is not None and (before.name, before.text) == (name, text):
                return before
            saved = StoredRuleset(
                ruleset_id=draw_id(),
                name=name,
                version=1 if before is None else before.version + 1,
                text=text,
                who=who,
                at=self._clock(),
            )
            connection.execute(insert(rulesets).values(**vars(saved), name_key=compare_key(name)))
            add_audit(connection, "ruleset_saved", at=saved.at, who=who, version=saved.version, subject=name)
            return saved

    def list_rulesets(self) -> tuple[StoredRuleset, ...]:
        """Return the latest version of every rulebook, by name."""
        latest = select(rulesets.c.name_key, func.max(rulesets.c.version).label("version")).group_by(
            rulesets.c.name_key
        )
        part = latest.subquery()
        wanted = select(rulesets).join(
            part, (rulesets.c.name_key == part.c.name_key) & (rulesets.c.version == part.c.version)
        )
        with self._read() as connection:
            found = [_build(row._mapping) for row in connection.execute(wanted)]
        return tuple(sorted(found, key=lambda item: compare_key(item.name)))

    def find_ruleset(self, name: str, version: int | None = None) -> StoredRuleset | None:
        """Return one version of a rulebook, by default the latest; None where there is none."""
        with self._read() as connection:
            return _find(connection, name, version)

    def find_ruleset_by_id(self, ruleset_id: str) -> StoredRuleset | None:
        """Return the version of a rulebook that has this id; None where there is none."""
        if not is_plain(ruleset_id):
            return None
        with self._read() as connection:
            row = connection.execute(select(rulesets).where(rulesets.c.ruleset_id == ruleset_id)).one_or_none()
            return None if row is None else _build(row._mapping)

    def list_ruleset_versions(self, name: str) -> tuple[StoredRuleset, ...]:
        """Return every version of a rulebook, the latest first; none where there is no such rulebook."""
        if not is_plain(name.strip()):
            return ()
        wanted = select(rulesets).where(rulesets.c.name_key == compare_key(name.strip()))
        with self._read() as connection:
            rows = connection.execute(wanted.order_by(rulesets.c.version.desc()))
            return tuple(_build(row._mapping) for row in rows)


def _find(connection: Connection, name: str, version: int | None) -> StoredRuleset | None:
    if not is_plain(name.strip()):
        return None
    wanted = select(rulesets).where(rulesets.c.name_key == compare_key(name.strip()))
    if version is not None:
        wanted = wanted.where(rulesets.c.version == version)
    row = connection.execute(wanted.order_by(rulesets.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _build(row._mapping)


def _build(values: object) -> StoredRuleset:
    found = dict(values)  # type: ignore[call-overload]
    del found["name_key"]
    return StoredRuleset(**found)
