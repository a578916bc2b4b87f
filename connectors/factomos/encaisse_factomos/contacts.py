"""Remember customers' cards for one unit of work: each call counts against 500 a day."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from encaisse_api.answers import why
from encaisse_api.errors import Drift, Transient
from encaisse_factomos.answers import Fate, NotFound
from encaisse_factomos.client import FactomosClient, place
from encaisse_factomos.listing import Pages
from encaisse_factomos.rows import ContactRow

LISTED_AT_MOST = 1000
"""Cards read by list, fifty a call; beyond that asking for each debtor alone is cheaper."""


class Contacts:
    """Give the card of a customer, asking for it once.

    A card nobody has is remembered as None. A card that cannot be read is None too, with a line in
    the log: its invoices are shown, with a debtor to be identified.
    """

    def __init__(self, client: FactomosClient, log: logging.Logger) -> None:
        self._client = client
        self._log = log
        self._known: dict[str, ContactRow | None] = {}
        self._listed = False

    def list_once(self) -> None:
        """Read the cards by the page before a long pass, as far as the list can be trusted.

        A list that stops short or changes is no harm here: who is missing is asked for alone.
        """
        if self._listed:
            return
        self._listed = True
        read = 0
        try:
            for rows in Pages(self._client).read(
                "/contacts", "contacts", {}, subject="Clients de Factomos"
            ):
                for raw in rows:
                    self._remember(raw)
                read += len(rows)
                if read >= LISTED_AT_MOST:
                    return
        except (Drift, Transient) as error:
            if isinstance(error, Transient) and error.retry_after is not None:
                raise  # the quota is used up: asking one by one would not help
            self._log.info("factomos: contact list incomplete, cards are read one by one")

    def card(self, pid: str) -> ContactRow | None:
        """Give one card, None where there is none to be had."""
        if not pid:
            return None
        if pid not in self._known:
            self._known[pid] = self._ask(pid)
        return self._known[pid]

    def _ask(self, pid: str) -> ContactRow | None:
        subject = f"Client {pid}"
        try:
            answer = self._client.get(place("contacts", pid), subject=subject)
        except NotFound as unknown:
            if unknown.fate is Fate.CONTACT_UNKNOWN:
                return None
            raise Drift(unknown.error.message) from None
        if not isinstance(answer.get("contact"), dict):
            raise Drift(f"{subject} : pas de fiche dans la réponse de Factomos.")
        return self._read(answer["contact"])

    def _remember(self, raw: object) -> None:
        card = self._read(raw)
        if card is not None and card.pid:
            self._known.setdefault(card.pid, card)

    def _read(self, raw: object) -> ContactRow | None:
        try:
            return ContactRow.model_validate(raw)
        except ValidationError as error:
            self._log.warning("factomos: unreadable contact card (%s)", why(error))
            return None
