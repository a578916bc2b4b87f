"""Read the connector's settings; a word nobody knows stops the write instead of being guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from encaisse_api.errors import ActionNeeded
from encaisse_myunisoft.answers import APP

MODES = ("pending", "direct")
SCHEMES: Mapping[str, tuple[str, str]] = {"od": ("OD", "467"), "bank": ("BQ", "512")}
"""Type of the journal and root of the account debited, by scheme."""

CUSTOMERS = ("411",)


@dataclass(frozen=True, slots=True)
class Options:
    """Hold what a person set for one connection."""

    settings: Mapping[str, str]

    @property
    def roots(self) -> tuple[str, ...]:
        """Give the roots of the customer accounts."""
        said = re.findall(r"[0-9A-Za-z]+", self.settings.get("customer_accounts", ""))
        return tuple(dict.fromkeys(said)) or CUSTOMERS

    @property
    def control(self) -> bool:
        """Tell whether lines are compared with the balance."""
        return self.settings.get("control", "").strip().casefold() not in ("non", "no", "0")

    @property
    def journal(self) -> str:
        """Give the code of the journal that takes payments; empty to find it."""
        return self.settings.get("journal", "").strip()

    @property
    def counterpart(self) -> str:
        """Give the account debited; empty to take the bank journal's own."""
        return self.settings.get("counterpart", "").strip()

    @property
    def said_mode(self) -> str:
        """Give the mode as set, `pending` when nothing is."""
        return self.settings.get("mode", "").strip().casefold() or "pending"

    def mode(self, subject: str) -> str:
        """Say whether entries wait for an accountant or are posted at once."""
        return self._known("mode", self.said_mode, MODES, subject)

    def journal_type(self, subject: str) -> str:
        """Give the type of journal the scheme writes into."""
        return self._scheme(subject)[0]

    def counterpart_root(self, subject: str) -> str:
        """Give the root of the account the scheme debits."""
        return self._scheme(subject)[1]

    def _scheme(self, subject: str) -> tuple[str, str]:
        said = self.settings.get("scheme", "").strip().casefold() or "od"
        return SCHEMES[self._known("scheme", said, tuple(SCHEMES), subject)]

    @staticmethod
    def _known(name: str, said: str, words: tuple[str, ...], subject: str) -> str:
        if said not in words:
            raise ActionNeeded(
                f"{subject} : le réglage « {name} » vaut « {said[:20]} » au lieu de "
                f"{' ou '.join(words)}. Rien n'a été enregistré.",
                url=APP,
            )
        return said
