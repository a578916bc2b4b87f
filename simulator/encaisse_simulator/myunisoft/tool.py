"""MyUnisoft as a partner of the world, and what its customers and staff do there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from encaisse_simulator.ledger import LedgerEntry
from encaisse_simulator.myunisoft.access import Key, KeyKind, Partner, token_text
from encaisse_simulator.myunisoft.api import Api, Planned, granted_routes
from encaisse_simulator.myunisoft.bookkeeping import Bookkeeping
from encaisse_simulator.myunisoft.books import Books
from encaisse_simulator.myunisoft.choices import Choices
from encaisse_simulator.myunisoft.dossier import Firm
from encaisse_simulator.myunisoft.limits import RATE
from encaisse_simulator.myunisoft.opening import open_dossier
from encaisse_simulator.myunisoft.plan import LetteringMethod
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.webhooks import WebhookDelivery
from encaisse_simulator.partner import Clock
from encaisse_simulator.wire import Json, SimRequest, SimResponse

HOST = "api.myunisoft.fr"

GED_HOST = "app.prodcomptable.myunisoft.fr"
"""Host of attachments; the path alone leads here, whatever host a request names."""

ROWS = ("society_array", "account_array", "list_entries_line")


class MyUnisoft:
    """Keep the dossiers of firms, and answer the partner interface for each key."""

    host = HOST

    def __init__(self, clock: Clock, seed: int) -> None:
        self._books = Books(clock, seed)
        self._api = Api(self._books)

    # What the world asks of a partner.

    def serves(self, path: str) -> bool:
        """Tell whether a path is one of MyUnisoft's."""
        return self._api.serves(path)

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        return self._api.answer(request)

    def tick(self) -> None:
        """Do nothing: nothing here happens by itself as time goes."""

    def published_at(self, base_url: str | None) -> None:
        """Do nothing: links stay under the vendor's own host, which a caller routes as it likes."""

    def ledger(self) -> list[LedgerEntry]:
        """Tell every effect by business, oldest first."""
        return list(self._books.ledger)

    def unauthorized(self) -> SimResponse:
        """Refuse a key."""
        return self._refused("ERR-API-TOKEN-NOT-FOUND")

    def too_many(self, retry_after: int) -> SimResponse:
        """Refuse for speed; the wait stands in the documented header, as no other is."""
        reset = f"{self._books.now.timestamp() + retry_after:.2f}"
        headers = {
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": reset,
            "x-rate-limit-total": str(RATE),
        }
        return self._refused("ERR-TOO-MANY-REQUEST").with_headers(headers)

    def cut(self, listing: Mapping[str, Json], *, honest_total: bool) -> Json:
        """Drop the second half of a list that has a count; bare lists are cut by the world."""
        for name in ROWS:
            rows = listing.get(name)
            if isinstance(rows, list) and rows:
                kept = rows[: len(rows) // 2]
                count = "row_numbers" if name == "society_array" else "rows_number"
                total: Json = listing[count] if honest_total else len(kept)
                return {**listing, name: kept, count: total}
        return None

    # Settings of the simulation.

    @property
    def rate_limit(self) -> int | None:
        """Give the calls allowed per 10 seconds and key; None, the default, refuses none.

        A world's clock stands still between two moves, so the limit (20 [D]) only makes sense for
        a client that waits on the world's clock.
        """
        return self._api.limits.rate

    @rate_limit.setter
    def rate_limit(self, calls: int | None) -> None:
        self._api.limits.rate = calls

    @property
    def choices(self) -> Choices:
        """Give what is done where nothing is documented."""
        return self._books.choices

    @choices.setter
    def choices(self, choices: Choices) -> None:
        self._books.choices = choices

    def fail_next(
        self,
        code: str,
        *,
        status: int | None = None,
        method: str = "",
        path: str = "",
        after: bool = False,
        count: int = 1,
    ) -> None:
        """Refuse the next calls that fit with a code; `after`, once they are done.

        `path` is a template without the root, such as `/mad/entry`. For broken connections and
        gateway pages use the world's faults.
        """
        self._api.planned.append(Planned(code, status, method, path, after, count))

    # Firms, partners, dossiers, keys.

    def register_partner(
        self,
        secret: str,
        *,
        name: str = "Encaisse",
        code: str = "ENCA",
        third_party_id: int = 44,
        routes: Iterable[tuple[str, str]] | None = None,
        activated: bool = True,
    ) -> None:
        """Let MyUnisoft accept a partner; `routes` are (method, path template), None is all."""
        if any(each.secret == secret for each in self._books.keys.partners.values()):
            raise ValueError("ce secret est déjà celui d'un partenaire")
        granted = None if routes is None else frozenset(routes)
        self._books.keys.partners[name] = Partner(
            name, code, third_party_id, secret, granted, activated
        )

    def change_partner(
        self,
        name: str = "Encaisse",
        *,
        activated: bool | None = None,
        connected: bool | None = None,
        without: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Activate or disconnect a partner, or take routes from it."""
        partner = self._books.keys.partners[name]
        partner.activated = partner.activated if activated is None else activated
        partner.connected = partner.connected if connected is None else connected
        removed = frozenset(without)
        if removed:
            partner.routes = granted_routes(partner) - removed

    def add_firm(self, name: str, siret: str) -> Firm:
        """Open a cabinet and its schéma."""
        draw = self._books.numbers.draw
        return Firm(draw("schema"), draw("firm"), name, siret)

    def add_dossier(
        self,
        firm: Firm,
        name: str,
        siren: str,
        exercices: Sequence[tuple[date, date]],
        *,
        siret: str = "",
        reference: str = "",
        lettering: LetteringMethod = "MONO",
    ) -> Bookkeeping:
        """Open a company's dossier; give what its accountant can do there."""
        dossier = open_dossier(
            self._books,
            firm,
            name,
            siren,
            siret=siret,
            reference=reference or name.upper().replace(" ", "")[:5],
            method=lettering,
            exercices=exercices,
        )
        return Bookkeeping(self._books, dossier)

    def dossier(self, society_id: int) -> Bookkeeping:
        """Find a dossier again."""
        return Bookkeeping(self._books, self._books.dossiers[society_id])

    def society_key(self, society_id: int, *, token: str = "", partner: str = "Encaisse") -> str:
        """Let a customer generate a key for one dossier; give its token, made unless given."""
        firm = self._books.dossiers[society_id].firm
        return self._grant("api", firm, society_id, token, partner)

    def firm_key(self, firm: Firm, *, token: str = "", partner: str = "Encaisse") -> str:
        """Let a cabinet generate a key for all its dossiers; give its token, made unless given."""
        return self._grant("firm", firm, None, token, partner)

    def revoke(self, token: str) -> None:
        """Let the customer disconnect a key."""
        key = self._books.keys.by_token[token]
        key.revoked = True
        for dossier in self._books.dossiers.values():
            if dossier.firm is key.firm and key.society_id in (None, dossier.society_id):
                data = {"id": str(key.partner.third_party_id), "code": key.partner.code}
                self._books.announce(dossier, "connector", "DELETE", {**data})

    def key_journal(self, token: str) -> list[str]:
        """Tell what the customer sees of a key's use, oldest first."""
        return [said for _, said, _ in self._books.keys.by_token[token].journal]

    def deliveries(self) -> list[WebhookDelivery]:
        """Take the signed webhooks waiting to be delivered."""
        waiting, self._books.deliveries = self._books.deliveries, []
        return waiting

    def _grant(
        self, kind: KeyKind, firm: Firm, society_id: int | None, token: str, partner: str
    ) -> str:
        key = Key(kind, self._books.keys.partners[partner], firm, society_id)
        number = self._books.numbers.draw("key")
        seal = self._books.ids.secret("key", str(number))[:43]
        text = token or token_text(key, self._books.now, seal)
        self._books.keys.by_token[text] = key
        return text

    def _refused(self, code: str) -> SimResponse:
        request = SimRequest("GET", HOST, "/api/v1")
        request_id = f"req-{self._books.ids.token('request')[:16]}"
        response = self._api.refuse(Refused(code), request, request_id)
        return response.with_headers({"request-id": request_id})
