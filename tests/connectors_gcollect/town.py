"""A simulated GCollect with one creditor, and the steps of a file up to its open procedure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from tests.connectors_gcollect.counter import DRAFT, FILE, REQUEST, connector_on

from encaisse_api import MandateDraft, MandateLink, Receipt, SignedMandate
from encaisse_gcollect import GCollectConnector
from encaisse_simulator.transport import SimTransport
from encaisse_simulator.world import World

OPENING_DAY = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
TOKEN_URL = "https://api.gcollect.example/v1/oauth/token"
MANDATE_KEY = "enc-" + "1a" * 13
OPENING_KEY = "enc-" + "2b" * 13


@dataclass
class Town:
    """Hold one world, the creditor's account in it, and what was agreed so far."""

    world: World
    account: str
    procedure_ref: str = ""

    def token(self) -> str:
        """Get an access token as the host does."""
        with httpx.Client(transport=SimTransport(self.world)) as http:
            form = {"grant_type": "client_credentials"}
            answered = http.post(TOKEN_URL, data=form, auth=("app-essai", "secret-essai"))
        return str(answered.raise_for_status().json()["access_token"])

    def connector(self, account: str | None = None) -> GCollectConnector:
        """Build a connector as the host would now, with a fresh token."""
        with self.world.faults.paused():
            token = self.token()
        return connector_on(
            SimTransport(self.world),
            account=account or self.account,
            now=self.world.now,
            headers={"Authorization": f"Bearer {token}"},
        )

    def draft(self, quote_id: str) -> MandateDraft:
        """Draft the mandate on one quote."""
        return DRAFT.model_copy(update={"quote_ids": (quote_id,)})

    def sign(self, link: MandateLink, decision: str = "sign") -> None:
        """Sign as a person does: open the page, fill the form in."""
        with httpx.Client(transport=SimTransport(self.world)) as http:
            page = http.get(link.signing_url)
            assert page.headers["content-type"].startswith("text/html")
            form = {
                "signer_name": "Alix Exemple",
                "signer_email": "alix@example.org",
                "accept": "yes",
                "decision": decision,
            }
            http.post(link.signing_url, data=form).raise_for_status()

    def signed(self) -> SignedMandate:
        """Go from quote to signed mandate."""
        connector = self.connector()
        quote = connector.quote(REQUEST)
        link = connector.request_mandate(MANDATE_KEY, self.draft(quote.remote_id))
        self.sign(link)
        return SignedMandate(mandate=self.connector().read_mandate(link.remote_id))

    def opened(self) -> Receipt:
        """Go up to the open procedure."""
        receipt = self.connector().open_procedure(OPENING_KEY, FILE, self.signed())
        self.procedure_ref = receipt.remote_id
        return receipt


def found_town(seed: int = 11) -> Town:
    """Open a creditor's account in a new world."""
    world = World(seed, OPENING_DAY)
    account = world.gcollect.register_creditor(
        "123456782", "Lanterne & Fils SARL", "app-essai", "secret-essai"
    )
    return Town(world, account)
