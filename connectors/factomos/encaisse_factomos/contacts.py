"""Remember customers' cards for one unit of work: each call counts against 500 a day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from encaisse_api.answers import why
from encaisse_api.errors import Drift
from encaisse_factomos.answers import Fate, NotFound
from encaisse_factomos.rows import ContactRow

AskCard = Callable[[str], object]
"""Ask for one card by the vendor's id; raises `NotFound` where there is none."""


class Contacts:
    """Give the card of a customer, asking for it once.

    A card nobody has is remembered as None. A card that cannot be read is None too, with a line in
    the log: its invoices are shown, with a debtor to be identified.
    """

    def __init__(
        self, ask: AskCard, log: logging.Logger, shape: type[ContactRow] = ContactRow
    ) -> None:
        self._ask = ask
        self._log = log
        self._shape = shape
        self._known: dict[str, ContactRow | None] = {}
        self._listed: set[str] = set()
        self._all = False

    def remember(self, raws: Sequence[object]) -> None:
        """Keep cards that came by a list."""
        for raw in raws:
            card = self._read(raw)
            if card is not None and card.pid:
                self._known.setdefault(card.pid, card)
                self._listed.add(card.pid)

    def know_all(self) -> None:
        """Note that the list was whole: a card costs nothing any more."""
        self._all = True

    def card(self, pid: str, *, needed: bool) -> ContactRow | None:
        """Give one card, None where there is none, or where it is not worth a call.

        A card that happens to be known because another row needed it is not given: what a row says
        must not depend on which rows were read before it.
        """
        if not pid or not (needed or self._all or pid in self._listed):
            return None
        if pid not in self._known:
            self._known[pid] = self._asked(pid)
        return self._known[pid]

    def _asked(self, pid: str) -> ContactRow | None:
        try:
            raw = self._ask(pid)
        except NotFound as unknown:
            if unknown.fate is Fate.CONTACT_UNKNOWN:
                return None
            raise Drift(unknown.error.message) from None
        if not isinstance(raw, dict):
            raise Drift(f"Client {pid} : pas de fiche dans la réponse de Factomos.")
        return self._read(raw)  # pyright: ignore[reportUnknownArgumentType]

    def _read(self, raw: object) -> ContactRow | None:
        try:
            return self._shape.model_validate(raw)
        except ValidationError as error:
            self._log.warning("factomos: unreadable contact card (%s)", why(error))
            return None
