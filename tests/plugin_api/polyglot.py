"""A connector of an invented tool that can be told to speak any dialect, and the tool itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal

import httpx

from encaisse_api import (
    DIFFERENCES,
    Cursor,
    Debtor,
    Denied,
    Dialect,
    Drift,
    Instalment,
    Money,
    Page,
    Rejected,
    Seller,
    SourceInvoice,
    Unreadable,
    wire,
)
from encaisse_api.conformance.vendor import DATES, EMPTIES, MONEY, JsonVendor, Known, Term
from encaisse_api.dialect import VALUES, family
from encaisse_api.spelling import Amounts, Days, Words

HOST = "https://api.polyglot.example"
SIZE = 2


@dataclass(frozen=True)
class Tongue:
    """Say how the tool writes and the connector reads; the first way of each is its usual one."""

    amounts: Amounts
    money: tuple[str, ...]
    days: Days
    dates: tuple[str, ...]
    none: tuple[str, ...] = ("empty.null",)
    paging: Literal["page", "offset", "cursor", "range"] = "page"
    error: Literal["status", "body"] = "status"
    due: Literal["line", "invoice"] = "invoice"
    debtor: Literal["row", "call"] = "row"
    ids: Literal["kept", "changing"] = "kept"

    @property
    def dialect(self) -> Dialect:
        """Declare what it reads; all else is refused where it is a value, spared elsewhere."""
        reads = {*self.money, *self.dates, *self.none, "due.absent"}
        reads |= {f"paging.{self.paging}", f"error.{self.error}", f"due.{self.due}"}
        reads |= {f"debtor.{self.debtor}", f"id.{self.ids}"}
        values = {one for one in DIFFERENCES if family(one) in VALUES} - reads
        cents = {"money.cents", "money.whole"} - set(self.money)
        reasons = dict.fromkeys(cents, "the unit is declared, and both are whole numbers")
        others = dict.fromkeys(("paging", "error", "due", "debtor", "id"), "it speaks otherwise")
        return Dialect(
            reads=frozenset(reads), refuses=frozenset(values - cents), spares={**reasons, **others}
        )


class Polyglot:
    """Read the tool's invoices in one tongue; subclasses of it make one mistake each."""

    tongue: ClassVar[Tongue]
    dialect: ClassVar[Dialect]

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.debtors: dict[str, Debtor] = {}

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        """Yield pages until the tool has no more."""
        read, mark = 0, ""
        while True:
            document = self.page(self.asked(read, mark))
            rows = document["rows"]
            items = [self.item(row) for row in rows]
            read, mark = read + len(rows), document["next"] or ""
            end = read >= document["total"]
            yield Page(
                items=tuple(one for one in items if isinstance(one, SourceInvoice)),
                unreadable=tuple(one for one in items if isinstance(one, Unreadable)),
                end=end,
            )
            if end:
                return

    def asked(self, read: int, mark: str) -> dict[str, str]:
        """Ask for the next page as the tool wants it asked."""
        return {
            "page": {"page": str(read // SIZE + 1)},
            "offset": {"offset": str(read)},
            "range": {"range": f"{read}-{read + SIZE - 1}"},
            "cursor": {"cursor": mark} if mark else {},
        }[self.tongue.paging]

    def page(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Read one answer, or raise what it means."""
        answer = self.http.get(f"{HOST}/invoices", params=params)
        try:
            document: Any = wire.read(answer.content)
        except ValueError:
            document = None
        refused = isinstance(document, dict) and "error" in document
        if answer.status_code == 401 or (refused and self.tongue.error == "body"):
            raise Denied("Polyglot refuse l'accès : reconnectez-le.")
        if answer.status_code != 200 or not isinstance(document, dict) or "rows" not in document:
            raise Drift("Polyglot n'a pas répondu par une page.")
        return document

    def item(self, row: Any) -> SourceInvoice | Unreadable:
        """Map one row, or set it aside."""
        try:
            return self.invoice(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Unreadable(raw=wire.write(row), reason=f"Ligne illisible : {error}"[:500])

    def invoice(self, row: dict[str, Any]) -> SourceInvoice:
        """Map one row."""
        number = WORDS.read(row["number"])
        total, left = self.amount(row["total"]), self.amount(row["open"])
        due = self.due(row)
        return SourceInvoice(
            ref=number if self.tongue.ids == "changing" else WORDS.read(row["id"]),
            number=number,
            issue_date=self.tongue.days.read(row["issued"]),
            total=total,
            open=left,
            instalments=(Instalment(ref="1", due_date=due, amount=total, open=left),),
            debtor=self.debtor(row),
            seller=Seller(siren="987654324"),
        )

    def amount(self, value: object) -> Money:
        """Read an amount."""
        return Money(amount=self.tongue.amounts.read(value))

    def due(self, row: dict[str, Any]) -> date | None:
        """Read the due date where it stands."""
        place = row["lines"][0] if self.tongue.due == "line" else row
        return self.tongue.days.maybe(place["due"])

    def debtor(self, row: dict[str, Any]) -> Debtor:
        """Read the debtor in the row, or ask for it once."""
        if self.tongue.debtor == "row":
            return Debtor(**row["debtor"])
        ref = WORDS.read(row["debtor"]["ref"])
        if ref not in self.debtors:
            self.debtors[ref] = Debtor(**self.http.get(f"{HOST}/debtors/{ref}").json())
        return self.debtors[ref]


WORDS = Words(numbers=False)


class Tool(JsonVendor):
    """Be the tool: subclasses name the connector that reads it."""

    connector: ClassVar[type[Polyglot]]
    where = ("rows",)
    number = ("number",)
    page = SIZE
    ids = (("id",),)
    refusals: ClassVar = {
        "refused": (401, b'{"error": {"code": "denied"}}', Denied),
    }

    rows: list[dict[str, Any]]

    @classmethod
    def speaking(cls, connector: type[Polyglot], tongue: Tongue) -> type[Tool]:
        """Make the tool that a connector of this tongue reads."""
        named: dict[str, Any] = {"tongue": tongue, "dialect": tongue.dialect}
        spoken = type(connector.__name__, (connector,), named)
        money, dates = frozenset(tongue.money), frozenset(tongue.dates)
        due = ("lines", 0, "due") if tongue.due == "line" else ("due",)
        terms = (
            Term(("total",), "money", _total, money),
            Term(("open",), "money", _left, money),
            Term(("issued",), "date", lambda known: known.issued, dates),
            Term(due, "date", lambda known: known.due, dates, frozenset(tongue.none), "due"),
            Term(("number",), "text"),
        )
        said: dict[str, Any] = {
            "connector": spoken,
            "terms": terms,
            "mark": tongue.paging,
            "due_places": {f"due.{tongue.due}": due},
        }
        return type("Tool", (cls,), said)

    def fill(self, invoices: Sequence[Known]) -> None:
        """Write the rows in the tool's tongue."""
        tongue = self.connector.tongue
        money, day = MONEY[tongue.money[0]], DATES[tongue.dates[0]]
        self.rows = []
        for place, known in enumerate(invoices):
            none = EMPTIES[tongue.none[0]]
            due = none if known.due is None else day(known.due)
            party = {"name": known.debtor.name, "siren": known.debtor.siren}
            self.rows.append(
                {
                    "id": f"i-{place}",
                    "number": known.number,
                    "total": money(_total(known)),
                    "open": money(_left(known)),
                    "issued": day(known.issued),
                    "debtor": party if tongue.debtor == "row" else {"ref": known.debtor.siret},
                    "due": due if tongue.due == "invoice" else none,
                    "lines": [{"due": due if tongue.due == "line" else none}],
                }
            )
        self.parties = {
            known.debtor.siret: {"name": known.debtor.name, "siren": known.debtor.siren}
            for known in invoices
        }

    def transport(self) -> httpx.BaseTransport:
        """Answer requests."""
        return httpx.MockTransport(self.respond)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """Answer one: a debtor, or the page asked for."""
        if request.url.path.startswith("/debtors/"):
            return httpx.Response(200, json=self.parties[request.url.path.rpartition("/")[2]])
        asked = request.url.params
        start = int(asked.get("offset") or asked.get("cursor") or 0)
        start = (int(asked["page"]) - 1) * SIZE if "page" in asked else start
        start = int(asked["range"].partition("-")[0]) if "range" in asked else start
        shown = self.rows[start : start + SIZE]
        more = str(start + SIZE) if start + SIZE < len(self.rows) else None
        page = {"rows": shown, "next": more, "total": len(self.rows)}
        return httpx.Response(200, content=wire.write(page))

    def listing(self, request: httpx.Request) -> bool:
        """Tell the list of invoices."""
        return request.url.path == "/invoices"

    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector."""
        return self.connector(httpx.Client(transport=transport))


def _total(known: Known) -> Decimal:
    return Decimal(known.cents).scaleb(-2)


def _left(known: Known) -> Decimal:
    return Decimal(known.cents - known.paid).scaleb(-2)


@dataclass(frozen=True)
class Mistake:
    """Name a connector that makes one mistake, and the rule of the kit that must notice."""

    connector: type[Polyglot]
    rule: str
    told: str | None


class GuessesAmounts(Polyglot):
    """Take a comma for a point and drop blanks, whatever the tool is known to write."""

    def amount(self, value: object) -> Money:
        plain = str(value).strip().replace(" ", "").replace(",", ".")
        return Money(amount=plain)  # type: ignore[arg-type]


class GuessesDueDates(Polyglot):
    """Take the day of issue where there is no due date."""

    def due(self, row: dict[str, Any]) -> date | None:
        return super().due(row) or self.tongue.days.read(row["issued"])


class DropsBadRows(Polyglot):
    """Skip what cannot be read."""

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        for page in super().pull_invoices(since):
            yield page.model_copy(update={"unreadable": ()})


class StopsAtBadRows(Polyglot):
    """Let one bad row take the pass with it."""

    def item(self, row: Any) -> SourceInvoice | Unreadable:
        return self.invoice(row)


class ReadsErrorsAsEmpty(Polyglot):
    """Take an error in a body for a list without rows."""

    def page(self, params: Mapping[str, str]) -> dict[str, Any]:
        try:
            return super().page(params)
        except (Denied, Drift):
            return {"rows": [], "next": None, "total": 0}


class StopsAfterOnePage(Polyglot):
    """Take the first page for all of them."""

    def pull_invoices(self, since: Cursor | None) -> Iterator[Page[SourceInvoice]]:
        yield next(super().pull_invoices(since)).model_copy(update={"end": True})


class AsksEachTime(Polyglot):
    """Ask for a customer again with each of its invoices."""

    def debtor(self, row: dict[str, Any]) -> Debtor:
        self.debtors.clear()
        return super().debtor(row)


class NamesByChangingIds(Polyglot):
    """Name an invoice by an id that changes."""

    def invoice(self, row: dict[str, Any]) -> SourceInvoice:
        return super().invoice(row).model_copy(update={"ref": row["id"]})


class ForgetsTheSeller(Polyglot):
    """Leave out what the host joins by."""

    def invoice(self, row: dict[str, Any]) -> SourceInvoice:
        return super().invoice(row).model_copy(update={"seller": Seller()})


class RefusesTheWrongError(Polyglot):
    """Say of a refused access that one item is bad."""

    def page(self, params: Mapping[str, str]) -> dict[str, Any]:
        try:
            return super().page(params)
        except Denied:
            raise Rejected("Polyglot refuse.") from None
