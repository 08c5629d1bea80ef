"""What can go wrong with the store, told with a cure."""

from __future__ import annotations

from geodata.errors import LayoutError
from geodata.messages import Message, msg
from store.values import StoredScenario


class StoreError(LayoutError):
    """The store cannot do what was asked: ``message`` says why, ``cure`` what to do. Nothing was changed."""

    def __init__(self, message: Message, cure: Message | None = None) -> None:
        self.message, self.cure = message, cure
        super().__init__(" ".join(str(part) for part in (message, cure) if part is not None))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message, self.cure))


class StoreNameError(StoreError):
    """A name, note or text cannot be stored: taken, too long, empty, or with signs that no name can have."""


class StoreMissingError(StoreError):
    """There is no such scenario, version or rule set."""


class StoreConflict(LayoutError):
    """Somebody else saved first. ``mine`` is what was to be saved, ``theirs`` what is stored; nothing was changed."""

    def __init__(self, mine: StoredScenario, theirs: StoredScenario) -> None:
        self.mine, self.theirs = mine, theirs
        self.message = _tell(theirs)
        self.cure = msg("Compare both. Save yours as a copy, or take theirs and make your changes again.")
        super().__init__(f"{self.message} {self.cure}")

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.mine, self.theirs))


def _tell(theirs: StoredScenario) -> Message:
    who = theirs.who or msg("somebody")
    if theirs.deleted:
        return msg("{who} has deleted the scenario “{name}” meanwhile.", who=who, name=theirs.name)
    return msg(
        "{who} has saved the scenario “{name}” meanwhile: it is at version {version} now.",
        who=who,
        name=theirs.name,
        version=theirs.version,
    )
